"""The contents port: where the bytes of files are kept. The store keeps them itself; a folder or a bucket can take its place."""

from typing import Protocol

from deskmate.store.base import Store, Tx


class Contents(Protocol):
    """Keeps bytes under a key. A key is written once, so nothing has to be locked."""

    @property
    def scheme(self) -> str:
        """What the keys of this place begin with, before a colon: it tells them from those of other places."""
        ...

    async def put(self, key: str, content: bytes) -> None:
        """Keep a content; when this returns, it is kept."""
        ...

    async def get(self, key: str) -> bytes | None:
        """A content, or None."""
        ...

    async def remove(self, key: str) -> None:
        """Forget a content. One that is gone is no error."""
        ...


class DatabaseContents:
    """Contents as rows of the store: one backup holds everything."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def scheme(self) -> str:
        """See Contents."""
        return "database"

    async def put(self, key: str, content: bytes) -> None:
        """See Contents."""

        async def body(tx: Tx) -> None:
            await tx.run("files.put_content", storage=key, content=content)

        await self._store.write(body)

    async def get(self, key: str) -> bytes | None:
        """See Contents."""
        row = await self._store.read(lambda tx: tx.one("files.content", storage=key))
        return None if row is None else bytes(row["content"])

    async def remove(self, key: str) -> None:
        """See Contents."""

        async def body(tx: Tx) -> None:
            await tx.run("files.delete_content", storage=key)

        await self._store.write(body)
