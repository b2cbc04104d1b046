"""Background: everything of a desk that happens by itself in this process: runs and timers, what goes out, followers, audits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from deskmate.services.following import Following, Reaction
from deskmate.store.base import Store
from deskmate.store.engine import Engine
from deskmate.store.jobs import Handler

SENDERS = 64
"""How many messages to other machines a desk has on their way at once."""
Audit = Callable[[], Awaitable[None]]


class Background:
    """The engines and followers of one desk. What goes out to other machines has an engine of its own: however slow they are,
    runs and timers have their places."""

    def __init__(
        self,
        store: Store,
        *,
        owner: str,
        lease: timedelta,
        lanes: Set[str],
        handlers: Mapping[str, Handler],
        sending: Mapping[str, Handler],
        reactions: Mapping[str, Reaction],
        audits: Sequence[Audit],
        sent: Sequence[Audit],
        clock: Callable[[], datetime],
    ) -> None:
        self.engine = Engine(store, handlers, lanes=lanes, owner=owner, lease=lease, audit=_each(audits))
        self.outgoing = Engine(store, sending, lanes=set(), owner=f"{owner}/out", lease=lease, timers=SENDERS, audit=_each(sent))
        self.following = Following(store, reactions)
        self._clock = clock

    def start(self) -> None:
        """Work until told to stop."""
        for engine in (self.engine, self.outgoing):
            engine.start()
        self.following.start()

    async def stop(self) -> None:
        """Stop, and give back what is being worked on."""
        await self.following.stop()
        await asyncio.gather(*(engine.stop() for engine in (self.engine, self.outgoing)))

    async def run_due(self) -> int:
        """Do all that is due now, and what becomes due by doing it; returns how many jobs that were."""
        done = 0
        while True:
            followed = await self.following.catch_up()
            worked = sum([await engine.run_due() for engine in (self.engine, self.outgoing)])
            done += worked
            if not followed and not worked:
                return done

    async def next_due(self) -> datetime | None:
        """When there is something to do again; now while something has happened that was not followed."""
        if await self.following.behind():
            return self._clock()
        due = [at for engine in (self.engine, self.outgoing) if (at := await engine.next_due()) is not None]
        return min(due, default=None)


def _each(audits: Sequence[Audit]) -> Audit:
    """One audit after the other."""

    async def audit() -> None:
        for look in audits:
            await look()

    return audit
