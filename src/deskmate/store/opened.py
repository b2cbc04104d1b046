"""A store that opens itself."""

import asyncio

from deskmate.store.base import Body, Store, T, Waiter
from deskmate.store.contents import Contents, DatabaseContents


class Opened:
    """A store that opens itself at its first use, so that a desk can be named in a module and used anywhere."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._opening: asyncio.Lock | None = None
        self._open = False

    @property
    def engine(self):
        """Which engine it is."""
        return self._store.engine

    @property
    def url(self) -> str:
        """Where it is."""
        return self._store.url

    async def open(self) -> None:
        """Open it, once."""
        if self._open:
            return
        self._opening = self._opening or asyncio.Lock()
        async with self._opening:
            if not self._open:
                await self._store.open()
                self._open = True

    async def close(self) -> None:
        """Close it; it opens again at its next use."""
        self._open = False
        self._opening = None
        await self._store.close()

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        """See Store."""
        if not self._open:
            await self.open()
        return await self._store.write(body, aside=aside)

    async def read(self, body: Body[T]) -> T:
        """See Store."""
        if not self._open:
            await self.open()
        return await self._store.read(body)

    def waiter(self, *topics: str) -> Waiter:
        """See Store."""
        return self._store.waiter(*topics)


def contents_of(place: str | None, store: Store) -> Contents:
    """Where new files go. What takes a package that is not always there is imported here."""
    if place is None:
        return DatabaseContents(store)
    from deskmate.store.fsspec_contents import FsspecContents

    return FsspecContents(place)
