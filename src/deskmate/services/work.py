"""Work: the time of operators, from their signs of activity to usage entries.

Acts are told by the feed, which is followed; typing leaves signs of its own, because it is no event. Both are put in the order
of their times and counted under the operator's row, which one transaction at a time holds: so each second is counted once, by
whichever process, and a process that dies has counted nothing half. How far behind the feed the counting is makes no difference.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.events import Event
from deskmate.domain.work import Sign, Span, Stretch, Work, fold, sign_of
from deskmate.services import threads, usage
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc

log = logging.getLogger("deskmate.work")

JOB = "work"
SOON = timedelta(seconds=1)
"""When a timer looks again that was there before the acts it has to know of."""


class Working:
    """The time of operators, for the followers and the engine of this process."""

    def __init__(self, store: Store, idle: timedelta) -> None:
        self._store = store
        self._idle = idle

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """What the follower `work` does about events: count the acts of operators, with what they typed before."""
        acts: dict[str, list[Sign]] = {}
        for event in events:
            sign = sign_of(event, ms(event.at))
            if sign is not None and event.actor.id is not None:
                acts.setdefault(event.actor.id, []).append(sign)
        for operator in sorted(acts):
            await self._count(tx, operator, acts[operator], max(sign.at for sign in acts[operator]))

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `work` jobs, one for each operator: who does nothing for a while is not at work. It may come twice."""
        await self._store.write(lambda tx: self._tend(tx, job.ref))

    async def audit(self) -> None:
        """Report work that no timer would count, and see that it is counted. There should be none."""
        if lost := await jobs.catch_up(self._store, "work.forgotten", JOB, ref="operator"):
            log.warning("the work of %d operators had no timer and has got one", lost)

    async def _tend(self, tx: Tx, operator: str) -> None:
        if await tx.one("work.unseen", operator=operator) is not None:
            await jobs.enqueue(tx, JOB, operator, at=tx.now + SOON)
            return
        await self._count(tx, operator, (), ms(tx.now), resting=True)

    async def _count(self, tx: Tx, operator: str, acts: Iterable[Sign], up_to: int, *, resting: bool = False) -> None:
        """Count signs up to a time; with `resting`, nothing else has happened until then."""
        await tx.run("work.enter", operator=operator)
        row = await tx.one("work.lock", operator=operator)
        assert row is not None
        typed = [Sign(thread=one["thread"], at=one["at"]) for one in await tx.all("work.signs", operator=operator, up_to=up_to)]
        idle = self._idle // timedelta(milliseconds=1)
        # At the same moment typing comes first: an act may end the work.
        was = work_of(row)
        now, over = fold(was, sorted([*typed, *acts], key=lambda sign: sign.at), idle)
        if resting:
            now, rested = now.idle_since(up_to, idle)
            over += rested
        if typed:
            await tx.run("work.forget", operator=operator, up_to=up_to)
        if now != was:
            await _put(tx, operator, now)
        for stretch in over:
            await _record(tx, operator, stretch)
        if now.span is not None:
            await jobs.enqueue(tx, JOB, operator, at=_ends(now.span, self._idle))


async def typed(tx: Tx, thread: str, by: Actor, idle: timedelta) -> None:
    """An operator types. This is all that it costs: the sign, and a timer that counts it, which the next sign puts off."""
    if by.kind is AuthorKind.OPERATOR and by.id is not None:
        await tx.run("work.sign", operator=by.id, thread=thread, at=ms(tx.now))
        await jobs.enqueue(tx, JOB, by.id, at=tx.now + idle)


def work_of(row: Row) -> Work:
    """A stored row as the state of an operator."""
    span = None
    if row["thread"] is not None:
        span = Span(thread=row["thread"], begun=row["begun"], last=row["last"], request=row["request"])
    return Work(span=span, counted=row["counted"], ended_on=row["ended_on"], ended_at=row["ended_at"])


def _ends(span: Span, idle: timedelta) -> datetime:
    """When the span is over unless there is another sign."""
    return utc(span.last) + idle


async def _put(tx: Tx, operator: str, work: Work) -> None:
    span = work.span
    await tx.run(
        "work.put",
        operator=operator, thread=span and span.thread, request=span and span.request, begun=span and span.begun,
        last=span and span.last, counted=work.counted, ended_on=work.ended_on, ended_at=work.ended_at,
    )  # fmt: skip


async def _record(tx: Tx, operator: str, stretch: Stretch) -> None:
    """Work on a thread that was deleted meanwhile is gone with it."""
    thread = await threads.find(tx, stretch.thread)
    if thread is not None:
        await usage.record_work(tx, thread, operator, stretch)
