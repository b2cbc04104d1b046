"""Timers of every kind on one store, due at random times, and what came of each: counted from the rows and the events."""

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.acceptance.doors import PATIENCE

from deskmate import Desk, Operator, Settings, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import Event
from deskmate.domain.requests import OnExpiry
from deskmate.domain.threads import Status

WORKER = Path(__file__).with_name("timers_process.py")
KINDS = ("deadline", "snooze", "response", "chain")
ADA = customer("ada", "Ada")
MOMENT, SETTLED = timedelta(seconds=0.1), timedelta(seconds=2)
"""How long before its end a process may have taken what it did not do; how long what it held stays held."""
CALM = 60.0  # seconds that a worker is given to deal with everything once nobody is killed any more


@dataclass(frozen=True)
class Timer:
    """What has to happen on a thread: an event, once, at a time."""

    kind: str
    thread: str
    due: datetime


@dataclass
class Books:
    """What came of it. `late` are seconds, of the timers that came due while a process was running."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    kills: int = 0
    late: list[float] = field(default_factory=list[float])
    all_late: list[float] = field(default_factory=list[float])
    of_kind: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def p99(self) -> float:
        return sorted(self.late)[int(len(self.late) * 0.99)] if self.late else 0.0

    def latest(self) -> dict[str, float]:
        """The latest of each kind."""
        return {kind: round(max(late), 2) for kind, late in self.of_kind.items()}


@dataclass
class Worker:
    """The process that does what is due. `down` are the times in which there was none."""

    store: str
    process: Process | None = None
    down: list[tuple[datetime, datetime]] = field(default_factory=list[tuple[datetime, datetime]])
    _left: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(sys.executable, str(WORKER), self.store, stdout=PIPE)
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE * 3)
        assert line, "the worker ended"
        assert json.loads(line)["ready"] == self.process.pid
        self.down.append((self._left, datetime.now(UTC)))

    async def kill(self) -> None:
        assert self.process is not None
        self._left = datetime.now(UTC)
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    def was_up(self, at: datetime) -> bool:
        """Whether a process was running at this moment that had had the time to take up what a killed one held."""
        return not any(left - MOMENT <= at <= back + SETTLED for left, back in self.down)


@asynccontextmanager
async def worker(store: str) -> AsyncIterator[Worker]:
    one = Worker(store)
    await one.start()
    try:
        yield one
    finally:
        if one.process is not None and one.process.returncode is None:
            with suppress(ProcessLookupError):
                await one.kill()


async def set_up(desk: Desk, longest: int) -> Operator:
    """An operator, and queues for each second that a timer may take."""
    for seconds in range(1, longest + 1):
        for kind in ("response", "chain"):
            await _queue(desk, kind, f"{kind} {seconds}", seconds)
    made = await desk.operators.add(name="Ana", email="ana@shop.example", capacity=1000)
    return await desk.operators.presence(made.id, "available", by=made.actor())


async def lay(desk: Desk, ana: Operator, number: int, due: datetime) -> Timer:
    """One more timer, due at about this time, or in a second where that is later."""
    kind, seconds = KINDS[number % len(KINDS)], max(1.0, (due - datetime.now(UTC)).total_seconds())
    match kind:
        case "deadline":
            span = timedelta(seconds=seconds)
            request = await desk.requests.ask("Is it?", expires_in=span, on_expiry=OnExpiry.DEFAULT, default="No")
            assert request.expires_at is not None
            return Timer(kind, request.thread, request.expires_at)
        case "snooze":
            thread = (await desk.threads.open(customer="ada", by=ADA)).id
            until = datetime.now(UTC) + timedelta(seconds=seconds)
            snoozed = await desk.threads.change(thread, status=Status.SNOOZED, snoozed_until=until, by=ana)
            assert snoozed.snoozed_until is not None
            return Timer(kind, thread, snoozed.snoozed_until)
        case _:
            return await _wait_in(desk, ana, kind, round(seconds))


async def _wait_in(desk: Desk, ana: Operator, kind: str, seconds: int) -> Timer:
    """A customer waits in a queue whose chain, or whose timer, goes off after so many seconds."""
    queue = f"{kind} {seconds}"
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "Hello?", author=ADA, respond=False)
    held = await desk.assignments.assign(thread, f"queue:{queue}", by=SYSTEM)
    if kind == "response":
        held = await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    return Timer(kind, thread, held.assignment.since + timedelta(seconds=seconds))


async def _queue(desk: Desk, kind: str, name: str, seconds: int) -> None:
    if kind == "response":
        await desk.policies.put("response", name, {"seconds": seconds, "actions": ["remind"]})
        await desk.queues.add(name, response=name)
    else:
        steps = [{"wait": seconds}, {"page": "next"}]
        await desk.policies.put("chain", name, {"on": ["thread"], "steps": steps})
        await desk.queues.add(name, chain=name)


def _is_effect(kind: str) -> Callable[[Event], bool]:
    match kind:
        case "deadline":
            return lambda event: event.type == "request.expired"
        case "snooze":
            return lambda event: event.type == "thread.changed" and event.data["status"] == Status.OPEN
        case "response":
            return lambda event: event.type == "response.missed"
        case _:
            return lambda event: event.type == "chain.stepped"


async def effects(desk: Desk, timer: Timer) -> list[Event]:
    """What came of a timer, by the events of its thread."""
    seen = [one.event for one in await desk.feed.read(by=SYSTEM, thread=timer.thread, limit=200)]
    return [event for event in seen if _is_effect(timer.kind)(event)]


async def close_books(desk: Desk, timers: list[Timer], books: Books, up: Worker) -> None:
    """Each timer has had its effect, once; in the rows as in the events."""
    end = time.monotonic() + CALM
    left = list(timers)
    while left and time.monotonic() < end:
        left = [timer for timer in left if not await effects(desk, timer)]
        await asyncio.sleep(0.2)
    assert not left, f"{len(left)} timers were lost: {Counter(timer.kind for timer in left)}"
    await asyncio.sleep(1.0)  # what comes twice has time to come
    for timer in timers:
        found = await effects(desk, timer)
        assert len(found) == 1, f"{timer.kind} had {len(found)} effects"
        late = (found[0].at - timer.due).total_seconds()
        assert late >= -0.001, f"{timer.kind} came {-late} s too early"
        books.kinds[timer.kind] += 1
        books.all_late.append(late)
        if up.was_up(timer.due):
            books.late.append(late)
            books.of_kind.setdefault(timer.kind, []).append(late)


def quiet_desk(store: str) -> Desk:
    """A desk that does nothing behind anybody's back."""
    return Desk(store, settings=Settings(away_seconds=0))
