"""Leases: how long what was assigned to an operator waits for a sign of life. What they let lie goes to somebody else (P5)."""

from collections.abc import Mapping

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.assignments import Cause, Holder
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.threads import Status, Thread
from deskmate.services import assignments, ledger, offers, operators, queues, threads
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms, utc


async def renew(tx: Tx, thread: str, by: Actor) -> None:
    """A sign of life on a thread: what this operator was assigned, or has claimed there, stays theirs a while longer."""
    if by.kind is not AuthorKind.OPERATOR or by.id is None:
        return
    row = await tx.one("assignments.lease", thread=thread)
    if row is not None and row["holder"] == by.id:
        queue = await queues.find(tx, row["queue"] or DEFAULT_QUEUE)
        if queue is not None:
            await tx.run("assignments.renew_lease", thread=thread, operator=by.id, until=ms(tx.now + queue.lease))
    await tx.run("requests.renew_claims", thread=thread, operator=by.id, until=ms(tx.now + ledger.CLAIM_LEASE))


async def end(tx: Tx, thread: Thread, by: Actor) -> None:
    """Whoever holds the thread has answered: it is theirs until somebody changes that."""
    if thread.assignment.to is Holder.OPERATOR and thread.assignment.id == by.id:
        await tx.run("assignments.end_lease", thread=thread.id)


class Leases:
    """The leases of assigned threads, for the engine of this process. Those of claimed requests are looked after with them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the jobs of each kind."""
        return {offers.LEASE: self.look, offers.LEFT: self.give_back}

    async def look(self, job: jobs.Job) -> None:
        """The handler of LEASE jobs. It may come twice."""
        await self._store.write(lambda tx: _look(tx, job.ref))

    async def give_back(self, job: jobs.Job) -> None:
        """The handler of LEFT jobs: whoever has come back meanwhile keeps what they hold."""
        operator = await self._store.read(lambda tx: operators.find(tx, job.ref))
        while operator is not None and operator.disabled and await self._store.write(lambda tx: _give_back(tx, job.ref)):
            pass

    async def audit(self) -> None:
        """See to threads whose lease has run out and for which nobody came."""
        await jobs.catch_up(self._store, "assignments.lapsed", offers.LEASE, ref="thread")


async def _give_back(tx: Tx, operator: str) -> bool:
    """One thread or claimed request of an operator who has left. Tells whether there was one."""
    held = await tx.one("operators.holds", id=operator)
    if held is not None:
        thread = await threads.lock(tx, held["id"])
        if thread.assignment.id == operator:
            reason = f"{thread.assignment.name} does not work here any more"
            await assignments.to_queue(tx, thread, by=SYSTEM, reason=reason, cause=Cause.RELEASE, keep=True)
        return True
    claimed = await tx.one("operators.claims", id=operator)
    if claimed is None:
        return False
    await threads.lock(tx, claimed["thread"])
    request = await ledger.get(tx, claimed["id"])
    if request.claimed_by is not None and request.claimed_by.id == operator:
        await ledger.release(tx, request, by=SYSTEM)
    return True


async def _look(tx: Tx, id: str) -> None:
    thread = await threads.find_locked(tx, id)
    row = await tx.one("assignments.lease", thread=id)
    if thread is None or row is None or thread.status is not Status.OPEN or thread.waiting_since is None:
        return
    if row["lease_until"] > ms(tx.now):
        await offers.lease(tx, id, utc(row["lease_until"]))
        return
    operator = thread.assignment
    reason = f"{operator.name} gave no sign of life in time"
    await assignments.to_queue(tx, thread, by=SYSTEM, reason=reason, cause=Cause.RELEASE, keep=True)
