"""A transaction on a PostgreSQL connection."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from psycopg import AsyncCursor, ProgrammingError, errors

from deskmate.domain.ids import Ids
from deskmate.store.base import Row
from deskmate.store.events import DESK, counted, topics_of
from deskmate.store.postgres_connections import Wire
from deskmate.store.sql import Statement, statements

PLACES = 4096
"""Numbers that the feed keeps for one transaction."""


class OutOfOrder(Exception):
    """A transaction that waited for another one on the same thread got its id before it: its event would be numbered below.

    It is run again, and then waits before it gets an id.
    """

    def __init__(self, thread: str) -> None:
        super().__init__(thread)
        self.thread = thread


class PostgreSQLTx:
    """See `base.Tx`."""

    __slots__ = ("_connection", "_events", "_ids", "_in_order", "_now", "_place", "_statements", "newest", "topics")

    def __init__(self, connection: Wire, now: datetime, ids: Ids, *, in_order: bool) -> None:
        self._connection: Wire | None = connection
        self._now = now
        self._ids = ids
        self._in_order = in_order
        self._place = 0
        self._events: list[Mapping[str, object]] = []
        self._statements = statements("postgresql")
        self.newest = 0
        self.topics: set[str] = set()

    @property
    def now(self) -> datetime:
        return self._now

    def id(self, kind: str) -> str:
        return self._ids.make(kind, self._now)

    async def one(self, statement: str, /, **params: object) -> Row | None:
        return await (await self._execute(statement, params)).fetchone()

    async def all(self, statement: str, /, **params: object) -> list[Row]:
        cursor = await self._execute(statement, params)
        return [] if cursor.description is None else cast("list[Row]", await cursor.fetchall())

    async def run(self, statement: str, /, **params: object) -> int:
        if statement == "events.append":
            await self._append(params)
            return 1
        return (await self._execute(statement, params)).rowcount

    async def many(self, statement: str, rows: Iterable[Mapping[str, object]], /) -> None:
        if statement == "events.append":
            for row in rows:
                await self._append(row)
            return
        connection, found = self._open(statement)
        listed = list(rows)
        if not listed:
            return
        try:
            await connection.cursor().executemany(_text(found), listed)
        except ProgrammingError as error:
            raise next(filter(None, map(found.missing, listed)), error) from None

    def emit(self, event: Mapping[str, object], /) -> None:
        self._events.append(event)

    async def flush(self) -> None:
        if not self._events:
            return
        events = [{**event, "place": place} for place, event in enumerate(self._events, self._place)]
        self._events, self._place = [], self._place + len(events)
        if self._place > PLACES:
            raise _too_many()
        for event in events:
            if event["thread"] is None:
                self.topics.add(DESK)
                row = await self.one("events.append", **event, thread_seq=None)
                assert row is not None
                self.newest = max(self.newest, row["seq"])
        for thread, number in counted(events).items():
            mine = [event for event in events if event["thread"] == thread]
            row = await self.one(
                "feed.append_all",
                thread=thread, number=number, now=mine[-1]["at"], first=mine[0]["place"], events=json.dumps(mine),
            )  # fmt: skip
            self.topics |= topics_of(thread, row)
            assert row is not None
            self._check(thread, row)

    def touch(self, *topics: str) -> None:
        self.topics.update(topics)

    def end(self) -> None:
        """A body that keeps its Tx cannot use it any more."""
        self._connection = None

    async def _append(self, params: Mapping[str, object]) -> None:
        """Number the event within the transaction; see migrations/postgresql/0002.feed.sql."""
        if self._place >= PLACES:
            raise _too_many()
        row = await (await self._execute("events.append", {**params, "place": self._place})).fetchone()
        assert row is not None
        self._place += 1
        self._check(str(params["thread"]), row)

    def _check(self, thread: str, row: Row) -> None:
        """See OutOfOrder. `seq` is the number of an event of this transaction, `newest` that of the thread's last one before."""
        self.newest = max(self.newest, row["seq"])
        if self._in_order and (row["newest"] or 0) > row["seq"]:
            raise OutOfOrder(thread)

    def _open(self, statement: str) -> tuple[Wire, Statement]:
        if self._connection is None:
            raise RuntimeError("This transaction is over.")
        return self._connection, self._statements[statement]

    async def _execute(self, statement: str, params: Mapping[str, object]) -> AsyncCursor[dict[str, Any]]:
        connection, found = self._open(statement)
        try:
            return await connection.execute(_text(found), params)
        except errors.ReadOnlySqlTransaction as error:
            raise RuntimeError(f"Statement {statement} writes, and this transaction only reads.") from error
        except ProgrammingError as error:
            # One that the server itself refused carries a code; one without it never left the house.
            raise (found.missing(params) if error.sqlstate is None else None) or error from None


def _too_many() -> ValueError:
    return ValueError(f"One transaction may append {PLACES} events at most.")


def _text(statement: Statement) -> Any:
    """Psycopg's types want a literal; ours comes from a file of the package."""
    return cast("Any", statement.text)
