"""Responses: the timers of operators who have to answer. One begins when a customer waits for somebody, and ends with a reply.

The follower begins and ends them, in the order of the feed; whether one still counts when it goes off is read from the thread,
under its lock, so a follower that is late does no harm.
"""

import json
import logging
from collections.abc import Callable, Sequence

from deskmate.domain.actors import AuthorKind
from deskmate.domain.assignments import Holder
from deskmate.domain.events import Event, EventType
from deskmate.domain.policies import Kind
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.responses import Response, Timer, due_after
from deskmate.domain.threads import Status, Thread
from deskmate.services import deeds, missed, policies, queues, threads
from deskmate.services.assignments import Assignments
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc

log = logging.getLogger("deskmate.responses")

TIMER = "response"
"""The kind of the job that goes off when an operator should have answered."""
HEARD = frozenset({EventType.THREAD_ASSIGNED, EventType.THREAD_CHANGED, EventType.MESSAGE_POSTED})


def timer_of(row: Row) -> Timer:
    """A stored row as a timer."""
    return Timer(
        thread=row["thread"],
        operator=row["operator"],
        queue=row["queue"],
        epoch=row["epoch"],
        seq=row["seq"],
        rules=Response.model_validate_json(row["rules"]),
        step=row["step"],
        missed=tuple(json.loads(row["missed"])),
        due_at=utc(row["due_at"]),
    )


async def find(tx: Tx, thread: str) -> Timer | None:
    """The timer of a thread, or None."""
    row = await tx.one("responses.get", thread=thread)
    return None if row is None else timer_of(row)


class Responses:
    """The timers of operators who have to answer, for the followers and the engine of this process."""

    def __init__(self, store: Store, assignments: Assignments, default_agent: Callable[[], str | None]) -> None:
        self._store = store
        self._missed = missed.Missed(assignments, default_agent)

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """What has happened begins timers and ends them."""
        heard = [event for event in events if event.type in HEARD and event.thread is not None]
        if heard and await tx.one("responses.wanted") is not None:
            for event in heard:
                await _heed(tx, event, event.thread or "")

    async def tend(self, job: jobs.Job) -> None:
        """The handler of TIMER jobs. A timer may come twice, and one whose customer was answered meanwhile does nothing."""
        await self._store.write(lambda tx: self._tend(tx, job.ref))

    async def audit(self) -> None:
        """Report timers that are overdue by more than a minute, and see that they go off."""
        if late := await jobs.catch_up(self._store, "responses.overdue", TIMER, ref="thread"):
            log.warning("%d response timers were overdue by more than a minute", late)

    async def _tend(self, tx: Tx, id: str) -> None:
        thread = await threads.find_locked(tx, id)
        timer = await find(tx, id)
        if timer is None:
            return
        if thread is None or await _over(tx, thread, timer):
            await tx.run("responses.end", thread=id, seq=timer.seq)
        elif timer.due_at > tx.now:
            await jobs.enqueue(tx, TIMER, id, at=timer.due_at, thread=id)
        elif await tx.run("responses.take", thread=id, seq=timer.seq, step=timer.step):
            await _go_on(tx, timer, await self._missed.act(tx, thread, timer))


async def _heed(tx: Tx, event: Event, thread: str) -> None:
    if event.type is EventType.THREAD_ASSIGNED:
        row = await tx.one("responses.get", thread=thread)
        if row is not None and row["epoch"] < deeds.epoch_of(event):
            await _clear(tx, thread)
        await _begin(tx, event, thread)
        return
    if (status := deeds.status_of(event)) is not None:
        if status != Status.OPEN:
            await _clear(tx, thread)
        else:
            await _begin(tx, event, thread)
        return
    match await deeds.speaker(tx, event):
        case AuthorKind.OPERATOR:
            await _clear(tx, thread)
            await tx.run("responses.forgive", operator=event.actor.id)
        case AuthorKind.CUSTOMER:
            await _begin(tx, event, thread)
        case _:
            pass


async def _begin(tx: Tx, event: Event, id: str) -> None:
    """An operator has to answer from this event on, unless they have to already. Where the thread changed hands since, the event
    of that says from when."""
    thread = await threads.find(tx, id)
    if thread is None or not _owed(thread) or thread.assignment.to is not Holder.OPERATOR or thread.assignment.since > event.at:
        return
    queue = await queues.find(tx, thread.queue or DEFAULT_QUEUE)
    rules = await policies.find(tx, Response, Kind.RESPONSE, queue.response) if queue is not None else None
    if queue is None or rules is None:
        return
    due = due_after(queue.calendar, event.at, rules.time(0))
    began = await tx.run(
        "responses.insert",
        thread=id, operator=thread.assignment.id, queue=queue.name, epoch=thread.epoch, seq=event.seq,
        rules=rules.model_dump_json(), due_at=ms(due), now=ms(tx.now),
    )  # fmt: skip
    if began:
        await jobs.enqueue(tx, TIMER, id, at=due, thread=id)


async def _clear(tx: Tx, thread: str) -> None:
    if await tx.run("responses.clear", thread=thread):
        await jobs.cancel(tx, TIMER, thread)


async def _go_on(tx: Tx, timer: Timer, then: Timer | None) -> None:
    """Wait for what comes next, where anything does."""
    if then is None:
        await tx.run("responses.end", thread=timer.thread, seq=timer.seq)
        return
    await tx.run(
        "responses.renew",
        thread=then.thread, seq=then.seq, operator=then.operator, queue=then.queue, epoch=then.epoch, step=then.step,
        missed=json.dumps(then.missed), due_at=ms(then.due_at),
    )  # fmt: skip
    await jobs.enqueue(tx, TIMER, then.thread, at=then.due_at, thread=then.thread)


def _owed(thread: Thread) -> bool:
    return thread.status is Status.OPEN and thread.waiting_since is not None


async def _over(tx: Tx, thread: Thread, timer: Timer) -> bool:
    """Whether nobody has to answer any more, or by another timer: by the thread as it is, not by what the follower has seen."""
    if not _owed(thread) or thread.epoch != timer.epoch:
        return True
    for event in await deeds.since(tx, thread.id, timer.seq):
        if deeds.status_of(event) not in (None, Status.OPEN) or await deeds.speaker(tx, event) is AuthorKind.OPERATOR:
            return True
    return False
