"""A transaction on an SQLite connection. It belongs to the thread of its connection, and its statements never suspend."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from deskmate.domain.ids import Ids
from deskmate.errors import Unavailable
from deskmate.store.base import Row
from deskmate.store.events import DESK, counted, topics_of
from deskmate.store.sql import statements

_OUT_OF_ORDER = frozenset(
    (
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
    )
)  # fmt: skip
"""Failures of the file or the machine, not of a statement."""


class SQLiteTx:
    """See `base.Tx`."""

    __slots__ = ("_connection", "_events", "_ids", "_now", "_statements", "topics")

    def __init__(self, connection: sqlite3.Connection, now: datetime, ids: Ids) -> None:
        self._connection: sqlite3.Connection | None = connection
        self._now = now
        self._ids = ids
        self._statements = statements("sqlite")
        self._events: list[Mapping[str, object]] = []
        self.topics: set[str] = set()

    @property
    def now(self) -> datetime:
        return self._now

    def id(self, kind: str) -> str:
        return self._ids.make(kind, self._now)

    async def one(self, statement: str, /, **params: object) -> Row | None:
        cursor = self._execute(statement, params)
        row = cursor.fetchone()
        result = None if row is None else dict(zip([column[0] for column in cursor.description], row, strict=True))
        cursor.close()
        return result

    async def all(self, statement: str, /, **params: object) -> list[Row]:
        cursor = self._execute(statement, params)
        rows = cursor.fetchall()
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def run(self, statement: str, /, **params: object) -> int:
        cursor = self._execute(statement, params)
        if cursor.description is None:
            return cursor.rowcount
        # A statement that returns rows has only done all its work, and counted it, when they have been read.
        return max(len(cursor.fetchall()), cursor.rowcount)

    async def many(self, statement: str, rows: Iterable[Mapping[str, object]], /) -> None:
        for row in rows:
            self._execute(statement, row).close()

    def emit(self, event: Mapping[str, object], /) -> None:
        self._events.append(event)

    async def flush(self) -> None:
        if not self._events:
            return
        events, self._events = self._events, []
        next_of: dict[str, int] = {}
        for thread, number in counted(events).items():
            row = await self.one("feed.count", thread=thread, number=number, now=events[-1]["at"])
            self.topics |= topics_of(thread, row)
            next_of[thread] = row["event_seq"] - number + 1 if row else 1
        for event in events:
            thread = cast("str | None", event["thread"])
            if thread is None:
                self.topics.add(DESK)
            else:
                next_of[thread] += 1
            number = None if thread is None else next_of[thread] - 1
            self._execute("events.append", {**event, "thread_seq": number}).close()

    def touch(self, *topics: str) -> None:
        self.topics.update(topics)

    def end(self) -> None:
        """A body that keeps its Tx cannot use it any more."""
        self._connection = None

    def _execute(self, statement: str, params: Mapping[str, object]) -> sqlite3.Cursor:
        if self._connection is None:
            raise RuntimeError("This transaction is over.")
        found = self._statements[statement]
        try:
            return self._connection.execute(found.text, params)
        except sqlite3.ProgrammingError as error:
            raise found.missing(params) or error from None
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                raise RuntimeError(f"Statement {statement} writes, and this transaction only reads.") from error
            raise


def answerable(error: BaseException) -> BaseException:
    """The error for whoever waits: Unavailable, when the file or the machine failed and not the body."""
    if isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _OUT_OF_ORDER:
        unavailable = Unavailable(f"The database file cannot be used: {error}.")
        unavailable.__cause__ = error
        return unavailable
    return error
