"""Escalation chains as people see them: those of a thread, those that run, and how one is stopped; and their timers."""

import logging
from collections.abc import Mapping, Sequence

from deskmate.domain.actors import SYSTEM
from deskmate.domain.chains import Reason, RunningChain
from deskmate.domain.events import Event
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require
from deskmate.errors import NotFound
from deskmate.services import chaining, threads
from deskmate.store import jobs
from deskmate.store.base import Store, Tx

log = logging.getLogger("deskmate.chains")

MOST = 200


class Chains:
    """The escalation chains of a desk."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_thread(self, thread: str, *, by: By = SYSTEM) -> tuple[RunningChain, ...]:
        """The chains of a thread and of its requests, newest first, ended or not. Raises NotFound, Forbidden."""

        async def body(tx: Tx) -> tuple[RunningChain, ...]:
            found = await threads.get(tx, thread)
            require(actor_of(by), Action.MESSAGE_READ_HIDDEN, owner=found.customer)
            return tuple(chaining.chain_of(row) for row in await tx.all("chains.of_thread", thread=thread, limit=MOST))

        return await self._store.read(body)

    async def running(self, *, by: By = SYSTEM) -> tuple[RunningChain, ...]:
        """The first 200 of those that run, in the order in which they are due. Raises Forbidden."""
        require(actor_of(by), Action.QUEUE_READ)
        rows = await self._store.read(lambda tx: tx.all("chains.running", limit=MOST))
        return tuple(chaining.chain_of(row) for row in rows)

    async def stop(self, chain: str, *, by: By = SYSTEM) -> RunningChain:
        """Tell nobody any more. One that has ended stays as it ended. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> RunningChain:
            found = await _get(tx, chain)
            thread = await threads.lock(tx, found.thread)
            require(actor, Action.THREAD_CHANGE, owner=thread.customer)
            await chaining.finish(tx, found, Reason.STOPPED, by=actor)
            return await _get(tx, chain)

        return await self._store.write(body)

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """What has happened begins chains and ends them."""
        await chaining.follow(tx, events)

    @property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the jobs of each kind."""
        return {chaining.LOOK: self.look, chaining.STEP: self.step}

    async def look(self, job: jobs.Job) -> None:
        """The handler of LOOK jobs."""
        await self._store.write(lambda tx: chaining.look(tx, int(job.ref)))

    async def step(self, job: jobs.Job) -> None:
        """The handler of STEP jobs."""
        await self._store.write(lambda tx: chaining.step(tx, job.ref))

    async def audit(self) -> None:
        """Report steps that are overdue by more than a minute, and see that they are done."""
        if late := await jobs.catch_up(self._store, "chains.overdue", chaining.STEP):
            log.warning("%d steps of chains were overdue by more than a minute", late)


async def _get(tx: Tx, id: str) -> RunningChain:
    found = await chaining.find(tx, id)
    if found is None:
        raise NotFound("there is no such chain", field="chain")
    return found
