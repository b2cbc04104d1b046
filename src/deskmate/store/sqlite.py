"""The embedded memory: one SQLite file, one thread that writes, a few that read.

Writes that arrive while another commit is under way share the next one (group commit): each runs in a savepoint of its own, and
none is answered before the disk has it. Other processes may have the same file open: SQLite's write lock orders their commits,
and the writing thread looks for them while somebody waits (see `sqlite_threads.Outside`).
"""

import asyncio
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from deskmate.domain.ids import Ids
from deskmate.errors import Unavailable
from deskmate.store.base import Body, Tx, Waiter
from deskmate.store.bodies import Submission
from deskmate.store.migrations import migrate_sqlite
from deskmate.store.sqlite_threads import Connections, Readers, Writer
from deskmate.store.urls import sqlite_path
from deskmate.store.waiters import Hub, TopicWaiter

T = TypeVar("T")


class SQLite:
    """A store in one file, or in a private one that is gone when it is closed (`sqlite://`)."""

    engine: Literal["sqlite"] = "sqlite"

    def __init__(
        self,
        path_or_url: str | Path,
        *,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        synchronous: Literal["OFF", "NORMAL", "FULL", "EXTRA"] = "FULL",
        readers: int = 4,
    ) -> None:
        is_url = isinstance(path_or_url, str) and path_or_url.startswith("sqlite:")
        path = sqlite_path(str(path_or_url)) if is_url else Path(path_or_url)
        self.url = "sqlite://" if path is None else f"sqlite:///{quote(str(path))}"
        self._path = path
        self._clock = clock
        self._ids = Ids(entropy)
        self._synchronous = synchronous
        self._reader_count = readers
        self._hub = Hub(self._watching)
        self._gate = threading.Lock()
        self._writer: Writer | None = None
        self._readers: Readers | None = None
        self._forget: Callable[[], object] | None = None

    async def open(self) -> None:
        """Open the file, which is made when it does not exist, and bring its schema up to date. Raises Unavailable."""
        if self._writer is None:
            await asyncio.to_thread(self._open)

    def _open(self) -> None:
        path, synchronous = self._path, self._synchronous
        if path is None:
            # A file in a private folder, and not SQLite's own memory: connections that share memory lock each other out.
            folder = tempfile.mkdtemp(prefix="deskmate-")
            self._forget = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            path, synchronous = Path(folder) / "desk.db", "OFF"
        migrate_sqlite(path)
        connections = Connections(path, synchronous, self._clock, self._ids)
        writer = Writer(connections, self._hub)
        writer.begin()
        readers = Readers(connections, self._reader_count)
        readers.begin()
        with self._gate:
            self._writer, self._readers = writer, readers

    async def close(self) -> None:
        """Finish what was accepted, then release everything. Idempotent."""
        with self._gate:
            writer, self._writer = self._writer, None
            readers, self._readers = self._readers, None
            forget, self._forget = self._forget, None
        for threads in (readers, writer):
            if threads is not None:
                await asyncio.to_thread(threads.end)
        if forget is not None:
            await asyncio.to_thread(forget)

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        """Run the body in one transaction; see `base.Store.write`."""
        submission = Submission(_whole(body))
        self._send("_writer", submission)
        return await submission.future

    async def read(self, body: Body[T]) -> T:
        """Run the body on one snapshot; see `base.Store.read`."""
        submission = Submission(_whole(body))
        self._send("_readers", submission)
        return await submission.future

    def waiter(self, *topics: str) -> Waiter:
        """Listen to topics; `*` hears everything."""
        return TopicWaiter(self._hub, topics)

    async def _watching(self) -> None:
        """Wait until the writer watches for commits of other processes."""

        async def nothing(tx: object) -> None: ...

        submission = Submission(nothing)
        with self._gate:
            if self._writer is None:
                raise Unavailable("The store is not open.")
            self._writer.watch(submission)
        await submission.future

    def _send(self, to: Literal["_writer", "_readers"], submission: Submission[Any]) -> None:
        # The gate keeps a body from being accepted behind the mark that tells a thread to end.
        with self._gate:
            threads = self._writer if to == "_writer" else self._readers
            if threads is None:
                raise Unavailable("The store is not open.")
            threads.queue.put(submission)


def _whole(body: Body[T]) -> Body[T]:
    """The body, and the events it leaves."""

    async def whole(tx: Tx) -> T:
        value = await body(tx)
        await tx.flush()
        return value

    return whole
