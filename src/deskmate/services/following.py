"""Following: parts of the desk that act on what has happened, in the order of the feed, after the transaction of the verb.

Each follower has its own place in the feed. What it does about a batch of events, and its step past them, are one transaction,
and the step is a compare-and-set: whichever process is faster does it, nobody does it twice, and who dies half way
has done nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from deskmate.domain.events import Event
from deskmate.services.live import event_of
from deskmate.store.base import Store, Tx
from deskmate.store.engine import end

log = logging.getLogger("deskmate.following")

Reaction = Callable[[Tx, Sequence[Event]], Awaitable[None]]
"""What a follower does about the next events. It may write, enqueue jobs and emit events, as any verb; no I/O."""
BATCH = 100
LOOK = 5.0  # seconds after which followers look unasked: a process that dies between its commit and its word tells nobody
SOON = 0.05  # seconds in which what happens is gathered
PATIENCE = 5.0  # seconds before what failed is tried again


class _Overtaken(Exception):
    """Another process was faster: what this one did about the same events is undone."""


class Following:
    """The followers of this process, by name."""

    def __init__(self, store: Store, reactions: Mapping[str, Reaction]) -> None:
        self._store = store
        self._reactions = reactions
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def start(self) -> None:
        """Follow in the background until told to stop."""
        if self._task is None:
            self._stopping.clear()
            self._task = asyncio.create_task(self._serve(), name="deskmate followers")

    async def stop(self) -> None:
        """Stop; what was not done is done by whoever comes next."""
        task, self._task = self._task, None
        self._stopping.set()
        if task is not None:
            await end(task)

    async def catch_up(self) -> int:
        """Act on everything that has happened, and on what happens by doing so. Returns how many batches that were."""
        done, failed = 0, set[str]()
        while behind := [name for name in await self._behind() if name not in failed]:
            for name in behind:
                if not await self._step(name):
                    failed.add(name)
            done += len(set(behind) - failed)
        return done

    async def behind(self) -> bool:
        """Whether something has happened that a follower has not seen."""

        return bool(await self._behind())

    async def _behind(self) -> list[str]:
        async def look(tx: Tx) -> list[str]:
            return [row["name"] for row in await tx.all("followers.behind") if row["name"] in self._reactions]

        return await self._store.read(look)

    async def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._store.open()
                async with self._store.waiter("*") as waiter:
                    while not self._stopping.is_set():
                        await self.catch_up()
                        await waiter.wait(LOOK)
                        await asyncio.sleep(SOON)
            except Exception:
                log.exception("what has happened could not be followed; trying again")
                await asyncio.sleep(PATIENCE)

    async def _step(self, name: str) -> bool:
        """Act on the next batch, unless another process does. False where it failed: it is tried again with the next look."""

        async def act(tx: Tx) -> None:
            row = await tx.one("followers.get", name=name)
            assert row is not None
            events = [event_of(found) for found in await tx.all("events.after", after=row["seq"], limit=BATCH)]
            if events and not await tx.run("followers.advance", name=name, seq=events[-1].seq, was=row["seq"]):
                raise _Overtaken
            await self._reactions[name](tx, events)

        try:
            with suppress(_Overtaken):
                await self._store.write(act)
        except Exception:
            log.exception("%s did not follow what has happened; it is tried again", name)
            return False
        return True
