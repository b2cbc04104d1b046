"""Deferring: an escalation that was put off happens by itself when there is room, once, whatever process is there then."""

import logging

from deskmate.domain.actors import AuthorKind
from deskmate.domain.limits import Fallback
from deskmate.domain.threads import Status
from deskmate.services import deferrals, escalations, limits, threads
from deskmate.services.deferrals import Deferral
from deskmate.store import jobs
from deskmate.store.base import Store, Tx

log = logging.getLogger("deskmate.deferring")


class Deferring:
    """The timers of deferred escalations, for the engine of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `deferral` jobs. A timer may come twice; whether it is time, and for what, is read under the thread's
        lock."""
        await self._store.write(lambda tx: _tend(tx, job.ref))

    async def audit(self) -> None:
        """Report escalations that are overdue by more than a minute, and see that they happen."""
        if late := await jobs.catch_up(self._store, "deferrals.overdue", deferrals.TIMER, ref="thread"):
            log.warning("%d deferred escalations were overdue by more than a minute", late)


async def _tend(tx: Tx, id: str) -> None:
    thread = await threads.find_locked(tx, id)
    found = await deferrals.find(tx, id) if thread is not None else None
    if thread is None or found is None:
        return
    if found.due_at > tx.now:
        await jobs.enqueue(tx, deferrals.TIMER, id, at=found.due_at, thread=id)
        return
    if thread.status is Status.RESOLVED or await deferrals.settled(tx, thread, found):
        await tx.run("deferrals.delete", thread=id)
        return
    agent = found.by.name if found.by.kind is AuthorKind.AGENT else None
    refusal = await limits.take_escalation(
        tx, thread, found.asked.reason, agent=agent, queue=found.asked.queue, again=True
    )  # fmt: skip
    if refusal is not None and refusal.fallback is not Fallback.LOW and tx.now < found.created_at + deferrals.PATIENCE:
        await deferrals.postpone(tx, found, refusal)
        return
    await tx.run("deferrals.delete", thread=id)
    await _happen(tx, found, low=refusal is not None)


async def _happen(tx: Tx, found: Deferral, *, low: bool) -> None:
    thread = await threads.get(tx, found.thread)
    await escalations.pass_on(tx, thread, escalations.lowered(found.asked) if low else found.asked, actor=found.by)
    if found.by.kind is AuthorKind.CUSTOMER:
        await escalations.tell(tx, thread, escalations.PASSED_ON)
