"""The clocks of threads: kept by a follower of the feed, from event to event, and by jobs where time alone brings something."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter

from deskmate.domain.actors import SYSTEM
from deskmate.domain.assignments import Holder
from deskmate.domain.clocks import WATCHED, Clocks, Facts, News, Phase, take_in, tick
from deskmate.domain.events import Event, EventType
from deskmate.domain.policies import Kind
from deskmate.domain.queues import DEFAULT_QUEUE, Queue
from deskmate.domain.sla import BREACH, Sla, Target, Terms, terms_of
from deskmate.domain.targets import Mark, Outcome
from deskmate.domain.threads import Thread
from deskmate.services import feed, operators, policies, queues, threads
from deskmate.services.live import event_of
from deskmate.services.notifications import notify
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.clocks")

JOB = "clock"
"""The kind of the job that looks at the targets of a thread when a share of their time is over."""
MILLISECOND = timedelta(milliseconds=1)
_STATE = TypeAdapter(Clocks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What targets that start now go by: the policies, and the queues that name them."""

    policies: Mapping[str, Sla]
    queues: Mapping[str, Queue]

    def terms(self, target: Target, facts: Facts) -> Terms | None:
        """By the policy of the thread's queue, or where that has none by that of the queue `support`."""
        queue = self.queues.get(facts.queue or DEFAULT_QUEUE)
        if queue is None or queue.sla is None:
            queue = self.queues.get(DEFAULT_QUEUE)
        policy = None if queue is None or queue.sla is None else self.policies.get(queue.sla)
        if queue is None or queue.sla is None or policy is None:
            return None
        return terms_of(queue.sla, policy, target, facts.priority, queue.calendar)


async def book(tx: Tx) -> Book:
    """The policies and queues as they are now; where there is no policy, that is all there is to know."""
    found = await policies.every(tx, Sla, Kind.SLA)
    return Book(policies=found, queues={queue.name: queue for queue in await queues.every(tx)} if found else {})


def clocks_of(row: Row) -> Clocks:
    """A stored row as clocks."""
    return _STATE.validate_json(row["state"])


async def unseen(tx: Tx, thread: str, after: int) -> list[Event]:
    """What has happened on a thread behind a place. The caller holds its lock, or reads a snapshot."""
    return [event_of(row) for row in await tx.all("clocks.events", thread=thread, after=after)]


class Timers:
    """Keeps the clocks of all threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """The follower `clocks`: take in what has happened, once for each thread."""
        happened: dict[str, list[Event]] = {}
        for event in events:
            if event.thread is not None and event.type in WATCHED:
                happened.setdefault(event.thread, []).append(event)
        if not happened:
            return
        wanted = json.dumps([*happened])
        there = [row["id"] for row in await tx.all("clocks.lock_threads", threads=wanted)]
        kept = {row["thread"]: row for row in await tx.all("clocks.of_threads", threads=wanted)}
        current = await book(tx)
        for thread in there:
            row = kept.get(thread)
            # A thread that was there before its clocks is told from its beginning.
            news = happened[thread] if row is not None else await unseen(tx, thread, 0)
            await _advance(tx, thread, row, news, current)

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `clock` jobs. A timer may come twice, and too early where a pause has moved it."""
        await self._store.write(lambda tx: _tend(tx, job.ref))

    async def audit(self) -> None:
        """Report clocks that are overdue by more than a minute, and see that they are looked at."""
        if late := await jobs.catch_up(self._store, "clocks.overdue", JOB, ref="thread"):
            log.warning("%d clocks were overdue by more than a minute", late)


async def _tend(tx: Tx, thread: str) -> None:
    if await threads.find_locked(tx, thread) is None:
        return
    row = await tx.one("clocks.get", thread=thread)
    if row is not None:
        # An answer that the follower has not seen yet was an answer all the same: it comes first.
        await _advance(tx, thread, row, await unseen(tx, thread, row["seq"]), await book(tx), until=tx.now)


async def _advance(
    tx: Tx, thread: str, row: Row | None, events: Sequence[Event], current: Book, *, until: datetime | None = None
) -> None:
    """Take in what is new to the clocks of a thread, and what time has brought, and tell of it. The caller holds its lock."""
    was = None if row is None else clocks_of(row)
    now, news, seq = was, News(), 0 if row is None else int(row["seq"])
    for event in events:
        if event.seq > seq:
            now, found = take_in(now, event, current.terms)
            news, seq = [*news, *found], event.seq
    if now is None:
        return
    if until is not None:
        now, found = tick(now, until)
        news = [*news, *found]
    if was != now or row is None:
        await _put(tx, thread, now, seq)
    if _shown(was) != _shown(now):
        due_at, target, breached = _shown(now)
        await tx.run("clocks.due", thread=thread, due_at=due_at, target=target, breached=int(breached))
    if now.next_at is not None and (was is None or was.next_at != now.next_at or until is not None):
        await jobs.enqueue(tx, JOB, thread, at=now.next_at, thread=thread)
    elif now.next_at is None and was is not None and was.next_at is not None:
        await jobs.cancel(tx, JOB, thread)
    await _tell(tx, thread, now, news)


async def _put(tx: Tx, thread: str, clocks: Clocks, seq: int) -> None:
    sums = {phase: clocks.sums.get(phase, timedelta()) // MILLISECOND for phase in Phase}
    await tx.run(
        "clocks.put",
        thread=thread, seq=seq, phase=clocks.phase, since=ms(clocks.since), ai=sums[Phase.AI], queued=sums[Phase.QUEUE],
        human=sums[Phase.HUMAN], customer=sums[Phase.CUSTOMER], paused=sums[Phase.PAUSED], closed=sums[Phase.CLOSED],
        queue=clocks.facts.queue, running=" ".join(sorted(clocks.running)), next_at=ms(clocks.next_at),
        state=_STATE.dump_json(clocks).decode(),
    )  # fmt: skip


def _shown(clocks: Clocks | None) -> tuple[int | None, str | None, bool]:
    """What the lists of threads show: when which target is due, and whether it is over."""
    nearest = None if clocks is None else clocks.nearest
    return (None, None, False) if nearest is None else (ms(nearest.due_at), nearest.target, nearest.breached_at is not None)


async def _tell(tx: Tx, thread: str, clocks: Clocks, news: News) -> None:
    for one in news:
        if isinstance(one, Outcome):
            await _end(tx, thread, clocks, one)
            continue
        data = {"target": one.target, "due_at": one.due_at.isoformat(), "policy": one.policy}
        if one.warns:
            warned = {**data, "percent": one.percent}
            await feed.emit(tx, EventType.CLOCK_WARNED, actor=SYSTEM, thread=thread, data=warned)
        if one.percent == BREACH:
            await feed.emit(tx, EventType.CLOCK_BREACHED, actor=SYSTEM, thread=thread, data=data)
        running = clocks.running.get(one.target)
        # Nobody is called to what has ended meanwhile.
        if one.warns and running is not None and running.started == one.started:
            await _call(tx, await threads.get(tx, thread), one)


async def _end(tx: Tx, thread: str, clocks: Clocks, outcome: Outcome) -> None:
    await tx.run(
        "clocks.end",
        thread=thread, target=outcome.target, started_at=ms(outcome.started), ended_at=ms(outcome.ended),
        queue=clocks.facts.queue, policy=outcome.policy, allowed=outcome.allowed // MILLISECOND,
        spent=outcome.spent // MILLISECOND, met=int(outcome.met),
    )  # fmt: skip


async def _call(tx: Tx, thread: Thread, mark: Mark) -> None:
    """Tell whoever holds the thread, and the leads when the time is over."""
    holder = thread.assignment
    wanted = [holder.id] if holder.to is Holder.OPERATOR and holder.id is not None else []
    if mark.percent == BREACH:
        wanted += [one.id for one in await operators.leads(tx)]
    kind = EventType.CLOCK_BREACHED if mark.percent == BREACH else EventType.CLOCK_WARNED
    words = mark.target.replace("_", " ")
    share = "is overdue" if mark.percent == BREACH else f"is due soon: {mark.percent} % of its time is over"
    await notify(
        tx, wanted,
        key=f"clock/{thread.id}/{mark.target}/{ms(mark.started)}/{mark.percent}", kind=kind,
        text=f"{thread.subject or 'A thread'}: {words} {share}", thread=thread.id, urgent=mark.percent == BREACH,
    )  # fmt: skip
