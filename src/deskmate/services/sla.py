"""SLA reports: the clocks of one thread, and how well the targets were kept in a time."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM
from deskmate.domain.clocks import Clocks, Interval, Phase, intervals, take_in, tick
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.sla import Target
from deskmate.domain.targets import Outcome, Running
from deskmate.errors import Invalid
from deskmate.services import threads
from deskmate.services.clocks import Book, book, clocks_of, unseen
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadClock:
    """The clocks of one thread. `intervals` follow each other without a gap from its opening on, to now or to its end; `phases`
    adds them up. `running` are its targets at this moment, `ended` is what became of the last of each."""

    thread: str
    phase: Phase
    since: datetime
    phases: Mapping[Phase, timedelta]
    intervals: tuple[Interval, ...]
    running: Mapping[Target, Running]
    ended: Mapping[Target, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How well one target was kept: how often it was met and missed, how many are running now, and how long it took in half and
    in nine of ten cases, in time that counts."""

    target: Target
    met: int
    missed: int
    running: int
    median: timedelta | None
    p90: timedelta | None


class SlaReports:
    """What the clocks have measured."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def clock(self, thread: str, *, by: By = SYSTEM) -> ThreadClock:
        """The clocks of one thread, as they are now. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.USAGE_READ)

        async def body(tx: Tx) -> ThreadClock:
            await threads.get(tx, thread)
            return await _clock(tx, thread)

        return await self._store.read(body)

    async def report(self, since: datetime, until: datetime, *, queue: str | None = None, by: By = SYSTEM) -> tuple[Kept, ...]:
        """How well each target was kept where it ended from `since` up to `until`, which is excluded, in all queues or in one.

        Raises Invalid, Forbidden.
        """
        require(actor_of(by), Action.USAGE_READ)
        for at, name in ((since, "since"), (until, "until")):
            if at.tzinfo is None:
                raise Invalid(f"{name} needs a time zone", field=name)
        if until <= since:
            raise Invalid("until is after since", field="until")

        async def body(tx: Tx) -> tuple[Kept, ...]:
            going = Counter[str]()
            for row in await tx.all("clocks.running", queue=queue):
                for target in row["running"].split():
                    going[target] += row["number"]
            return tuple([await _kept(tx, target, since, until, queue, going[target]) for target in Target])

        return await self._store.read(body)


async def _clock(tx: Tx, thread: str) -> ThreadClock:
    events = await unseen(tx, thread, 0)
    now = await _now(tx, thread, await book(tx))
    until = max(tx.now, now.at)
    return ThreadClock(
        thread=thread, phase=now.phase, since=now.since, phases=now.spent(until), intervals=tuple(intervals(events, until)),
        running=now.running, ended=now.last,
    )  # fmt: skip


async def _now(tx: Tx, thread: str, current: Book) -> Clocks:
    """The clocks with all that has happened since they were kept."""
    row = await tx.one("clocks.get", thread=thread)
    clocks = None if row is None else clocks_of(row)
    for event in await unseen(tx, thread, 0 if row is None else row["seq"]):
        clocks, _ = take_in(clocks, event, current.terms)
    assert clocks is not None
    return tick(clocks, tx.now)[0]


async def _kept(tx: Tx, target: Target, since: datetime, until: datetime, queue: str | None, running: int) -> Kept:
    within = {"target": target, "since": ms(since), "until": ms(until), "queue": queue}
    row = await tx.one("clocks.ended", **within)
    assert row is not None
    number, met = int(row["number"]), int(row["met"])

    async def rank(percent: int) -> timedelta | None:
        """Of so many of a hundred it took no longer."""
        if number == 0:
            return None
        found = await tx.one("clocks.rank", **within, place=-(-number * percent // 100) - 1)
        return None if found is None else timedelta(milliseconds=found["spent"])

    return Kept(target=target, met=met, missed=number - met, running=running, median=await rank(50), p90=await rank(90))
