"""Snoozing: a thread that rests opens again when its time has come, for whoever holds it. Customers wake it by writing."""

import logging

from deskmate.domain.actors import SYSTEM
from deskmate.domain.assignments import Holder
from deskmate.domain.threads import Status, Thread
from deskmate.services import assignments, operators, threads
from deskmate.store import jobs
from deskmate.store.base import Store, Tx

log = logging.getLogger("deskmate.snoozing")


class Snoozing:
    """The timers of snoozed threads, for the engine of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `snooze` jobs. A timer may come twice, and one that was moved meanwhile waits for its new time."""
        await self._store.write(lambda tx: _tend(tx, job.ref))

    async def audit(self) -> None:
        """Report threads that should have woken more than a minute ago, and see that they do."""
        if late := await jobs.catch_up(self._store, "threads.overdue_snoozes", threads.SNOOZE, ref="thread"):
            log.warning("%d snoozed threads were overdue by more than a minute", late)


async def _tend(tx: Tx, id: str) -> None:
    if await threads.find(tx, id) is None:
        return
    thread = await threads.lock(tx, id)
    if thread.status is not Status.SNOOZED or thread.snoozed_until is None:
        return
    if thread.snoozed_until > tx.now:
        await jobs.enqueue(tx, threads.SNOOZE, id, at=thread.snoozed_until, thread=id)
        return
    await _wake(tx, thread)


async def _wake(tx: Tx, thread: Thread) -> None:
    """It comes back to the operator who holds it, away or not; where they have no room any more (P10), or have left the team, it
    waits in its queue."""
    holder = thread.assignment
    leaves = holder.to is Holder.OPERATOR and not await operators.has_room(tx, holder.id or "", thread.weight)
    await threads.set_status(tx, thread, Status.OPEN, actor=SYSTEM)
    if leaves:
        thread = await threads.get(tx, thread.id)
        await assignments.to_queue(tx, thread, by=SYSTEM, reason=f"the snooze is over; {holder.name} has no room or has left")
