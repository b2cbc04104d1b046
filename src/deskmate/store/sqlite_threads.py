"""The threads of an SQLite store: the one that writes and those that read, each with its own connection."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, cast

from deskmate.domain.ids import Ids
from deskmate.errors import Unavailable
from deskmate.store.bodies import Submission, deliver
from deskmate.store.sql import statements
from deskmate.store.sqlite_tx import SQLiteTx, answerable
from deskmate.store.waiters import EVERYTHING, Hub

LIMIT = 256
"""How many bodies share one commit at most."""
POLL = 0.025
"""Seconds between two looks for commits of other processes, while somebody waits."""
PATIENCE = 30.0
"""Seconds to wait for another process that holds the file's write lock."""


@dataclass(frozen=True, slots=True)
class Connections:
    """How the threads of one store connect, and what their transactions know."""

    path: Path
    synchronous: str
    clock: Callable[[], datetime]
    ids: Ids

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, cached_statements=512)
        patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").close())
        connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def transaction(self, connection: sqlite3.Connection) -> SQLiteTx:
        return SQLiteTx(connection, self.clock(), self.ids)


def patiently(step: Callable[[], None]) -> None:
    """Try a step again while the file is locked. SQLite waits by itself for most locks, but gives up at once on a few."""
    end = monotonic() + PATIENCE
    pause = threading.Event()
    while True:
        try:
            return step()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or monotonic() > end:
                raise
        pause.wait(0.005)


class _Member(threading.Thread):
    """A thread that tells its starter whether it could begin."""

    def __init__(self, name: str, work: Callable[[Callable[[], None]], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._began = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work(self._began.set)
        except BaseException as error:
            self._error = error
            if self._began.is_set():
                raise
        finally:
            self._began.set()

    def begin(self) -> None:
        self.start()
        self._began.wait()
        if self._error is not None:
            raise Unavailable(f"The database file cannot be used: {self._error}.") from self._error


class Outside:
    """Notices what other processes commit to the file. Belongs to the writer's connection, whose own commits it does not see."""

    def __init__(self, connection: sqlite3.Connection, hub: Hub) -> None:
        self._connection = connection
        self._hub = hub
        named = statements("sqlite")
        self._version_sql = named["feed.version"].text
        self._newest_sql = named["feed.newest"].text
        self._changed_sql = named["feed.changed"].text
        self._signs_sql = named["feed.signs"].text
        self._version = 0
        self._seen = 0
        self._signs: frozenset[tuple[str | int | None, ...]] = frozenset()
        self.watching = False

    def start(self) -> None:
        """From here on, whatever others commit wakes those who wait for it."""
        if not self.watching:
            self._version = self._value(self._version_sql)
            self._seen = self.newest()
            self._signs = self._all_signs()
            self.watching = True

    def newest(self) -> int:
        return self._value(self._newest_sql)

    def saw(self, newest: int) -> None:
        """Our own commit reached this number of the feed."""
        self._seen = newest

    def look(self) -> None:
        """Wake those who wait for what others have changed since the last look."""
        version = self._value(self._version_sql)
        if version == self._version:
            return
        newest = self.newest()
        changed = self._connection.execute(self._changed_sql, {"after": self._seen}).fetchall()
        signs = self._all_signs()
        came = signs - self._signs
        self._version, self._seen, self._signs = version, newest, signs
        topics = {"jobs"}
        for thread, *_, customer in came:
            topics.update(("viewers", f"thread:{thread}", f"customer:{customer}"))
        for thread, found, customer in changed:
            if found is None:
                # An event of no thread, or of one that is gone with the name of its customer: let everybody look.
                topics.add(EVERYTHING)
            topics.update((f"thread:{thread}", f"customer:{customer}"))
        self._hub.touch(topics)

    def _all_signs(self) -> frozenset[tuple[str | int | None, ...]]:
        return frozenset(self._connection.execute(self._signs_sql).fetchall())

    def _value(self, sql: str) -> int:
        return self._connection.execute(sql).fetchone()[0] or 0


class Writer:
    """The only thread of this process that writes."""

    def __init__(self, connections: Connections, hub: Hub) -> None:
        self.queue: SimpleQueue[Submission[Any] | Callable[[], None]] = SimpleQueue()
        self._connections = connections
        self._hub = hub
        self._thread = _Member("deskmate writer", self._work)
        self._ending = False
        self._connection: sqlite3.Connection
        self._outside: Outside

    def begin(self) -> None:
        self._thread.begin()

    def end(self) -> None:
        """Work off what is queued, then stop."""

        def stop() -> None:
            self._ending = True

        self.queue.put(stop)
        self._thread.join()

    def watch(self, submission: Submission[None]) -> None:
        """Watch for other processes as long as anybody waits; settle the submission when that has begun."""

        def start() -> None:
            try:
                self._outside.start()
            except sqlite3.Error as error:
                submission.error = answerable(error)
            deliver([submission])

        self.queue.put(start)

    def _work(self, began: Callable[[], None]) -> None:
        self._connection = self._connections.connect()
        try:
            self._outside = Outside(self._connection, self._hub)
            began()
            while not self._ending:
                batch = self._take()
                if batch:
                    self._commit(batch)
                del batch  # the outcomes belong to those who wait for them
        finally:
            self._connection.close()

    def _take(self) -> list[Submission[Any]]:
        outside = self._outside
        outside.watching = outside.watching and not self._hub.deserted
        batch: list[Submission[Any]] = []
        try:
            item = self.queue.get(timeout=POLL if outside.watching else None)
            while True:
                if not isinstance(item, Submission):
                    item()
                else:
                    batch.append(cast("Submission[Any]", item))
                    if len(batch) == LIMIT:
                        break
                item = self.queue.get_nowait()
        except Empty:
            if not batch and outside.watching:
                self._look()
        return batch

    def _look(self) -> None:
        try:
            self._outside.look()
        except sqlite3.Error:
            # The next look finds the same change again: what was seen is only remembered after it was passed on.
            return

    def _commit(self, batch: Sequence[Submission[Any]]) -> None:
        topics: set[str] = set()
        connection = self._connection
        try:
            patiently(lambda: connection.execute("BEGIN IMMEDIATE").close())
            if self._outside.watching:
                self._outside.look()
            for submission in batch:
                self._run(submission, topics)
            newest = self._outside.newest() if self._outside.watching else 0
            connection.execute("COMMIT")
            self._outside.saw(newest)
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for submission in batch:
                submission.error = submission.error or answerable(error)
        else:
            self._hub.touch(topics)
        deliver(batch)

    def _run(self, submission: Submission[Any], topics: set[str]) -> None:
        if submission.future.cancelled():
            return
        connection = self._connection
        connection.execute("SAVEPOINT body")
        tx = self._connections.transaction(connection)
        submission.run(tx)
        tx.end()
        if submission.error is not None:
            submission.error = answerable(submission.error)
            # Some failures (a full disk) end the whole transaction: then this raises, and no body of the batch is answered.
            connection.execute("ROLLBACK TO body")
        else:
            topics |= tx.topics
        connection.execute("RELEASE body")


class Readers:
    """A few threads that read, each body on a snapshot of its own."""

    def __init__(self, connections: Connections, count: int) -> None:
        self.queue: SimpleQueue[Submission[Any] | None] = SimpleQueue()
        self._connections = connections
        self._threads = [_Member(f"deskmate reader {n}", self._work) for n in range(1, count + 1)]

    def begin(self) -> None:
        for thread in self._threads:
            thread.begin()

    def end(self) -> None:
        """Work off what is queued, then stop."""
        for _ in self._threads:
            self.queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, began: Callable[[], None]) -> None:
        connection = self._connections.connect()
        try:
            connection.execute("PRAGMA query_only = ON")
            began()
            while (submission := self.queue.get()) is not None:
                self._run(connection, submission)
                deliver([submission])
                del submission
        finally:
            connection.close()

    def _run(self, connection: sqlite3.Connection, submission: Submission[Any]) -> None:
        try:
            patiently(lambda: connection.execute("BEGIN").close())
            tx = self._connections.transaction(connection)
            submission.run(tx)
            tx.end()
            connection.execute("COMMIT")
        except BaseException as error:
            submission.error = submission.error or error
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if submission.error is not None:
            submission.error = answerable(submission.error)
