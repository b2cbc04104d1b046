"""Watching: who is on which thread, as the readers of the live feed are told.

Each process keeps one picture for all its readers. It is read again when somebody came, changed or ran out, so that a reader who
is woken by anything else, or follows a thread where nobody is, asks the store nothing.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.permissions import redact_viewers
from deskmate.domain.viewers import Viewer
from deskmate.services.viewers import TOPIC, sign_of, viewer_of
from deskmate.store.base import Row, Store, Tx, Waiter
from deskmate.store.times import ms

LOOK = 30.0  # seconds after which a picture is old: a process that dies between its commit and its word tells nobody
SOON = 0.05  # seconds between two looks that nobody called for


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """Who is on a thread now, as the reader may know it. Empty when the last of them has gone."""

    thread: str
    viewers: tuple[Viewer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A thread with people on it. `until` is when the first of their signs runs out, by the clock of the event loop."""

    customer: str | None
    viewers: tuple[Viewer, ...]
    until: float


class Picture:
    """Everybody who is on any thread, for all readers of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._gate = asyncio.Lock()
        self._readers = 0
        self._waiter: Waiter | None = None
        self._looking: asyncio.Task[None] | None = None
        self._old = -math.inf
        self.number = 0
        self.places: Mapping[str, _Place] = {}

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None, None]:
        """For the time of the block the picture can be kept up to date."""
        async with self._gate:
            if not self._readers:
                waiter = self._store.waiter(TOPIC)
                await waiter.__aenter__()
                self._waiter, self._old = waiter, -math.inf
            self._readers += 1
        try:
            yield
        finally:
            # Whoever is cancelled comes here, too: nothing below lets go of the event loop.
            self._readers -= 1
            if not self._readers and self._waiter is not None:
                waiter, self._waiter = self._waiter, None
                await waiter.__aexit__(None, None, None)

    async def refresh(self) -> None:
        """See that the picture holds all that was committed before; asks the store only where something may have changed."""
        clock = asyncio.get_running_loop().time
        waiter = self._waiter
        assert waiter is not None
        while self._looking is not None or waiter.touched or clock() >= self._old:
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(waiter), name="deskmate viewers")
                self._looking.add_done_callback(_retrieved)
            await asyncio.shield(self._looking)

    async def _look(self, waiter: Waiter) -> None:
        async def body(tx: Tx) -> tuple[datetime, list[Row]]:
            return tx.now, await tx.all("viewers.now", now=ms(tx.now))

        try:
            if waiter.touched:
                await waiter.wait(0)
            self._old = -math.inf
            now, rows = await self._store.read(body)
            self._draw(now, rows, asyncio.get_running_loop().time())
        finally:
            self._looking = None

    def _draw(self, now: datetime, rows: list[Row], at: float) -> None:
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(row["thread"], []).append(row)
        self.places = {
            thread: _Place(
                customer=there[0]["customer"],
                viewers=tuple(viewer_of(row, now) for row in there),
                until=at + max(min(_runs_out(row, now) for row in there), SOON),
            )
            for thread, there in found.items()
        }
        self._old = min([at + LOOK, *(place.until for place in self.places.values())])
        self.number += 1


class Watch:
    """What one reader has been told of who is where."""

    def __init__(self, picture: Picture, actor: Actor, thread: str | None) -> None:
        self._picture = picture
        self._actor = actor
        self._thread = thread
        self._number = -1
        self._told: dict[str, tuple[Viewer, ...]] = {}
        self.until = math.inf
        """When to look again though nothing happens: the first sign runs out, by the clock of the event loop."""

    async def news(self) -> list[There]:
        """The threads on which others are than this reader was told."""
        picture = self._picture
        await picture.refresh()
        if self._number == picture.number:
            return []
        self._number = picture.number
        places = self._places()
        self.until = min((place.until for place in places.values()), default=math.inf)
        seen = {thread: redact_viewers(place.viewers, self._actor) for thread, place in places.items()}
        now = {thread: viewers for thread, viewers in seen.items() if viewers}
        changed = [thread for thread in self._told | now if self._told.get(thread) != now.get(thread)]
        self._told = now
        return [There(thread=thread, viewers=now.get(thread, ())) for thread in changed]

    def _places(self) -> Mapping[str, _Place]:
        places = self._picture.places
        if self._thread is not None:
            return {self._thread: places[self._thread]} if self._thread in places else {}
        if self._actor.kind is AuthorKind.CUSTOMER:
            return {thread: place for thread, place in places.items() if place.customer == self._actor.id}
        return places


def _runs_out(row: Row, now: datetime) -> float:
    """Seconds until others see something else of this row. None are left where it has run out since it was read."""
    sign = sign_of(row)
    return min(((end - now).total_seconds() for end in (sign.viewing, sign.typing) if end > now), default=0.0)


def _retrieved(looking: "asyncio.Task[None]") -> None:
    """An error that all who waited for it have left behind is nobody's any more."""
    if not looking.cancelled():
        looking.exception()
