"""Peeking: what stands in a store, read past the desk, for tests that check what the desk promises."""

import contextlib
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, cast

from tests.postgres import deletions

from deskmate.domain.messages import Message
from deskmate.domain.requests import WAITING, Request
from deskmate.store.request_rows import request_of
from deskmate.store.rows import message_of
from deskmate.store.urls import sqlite_path

Row = Mapping[str, Any]

LOOKED_AT = {
    "requests": "SELECT * FROM requests ORDER BY created_at, id",
    "threads": "SELECT * FROM threads ORDER BY created_at, id",
    "runs": "SELECT * FROM runs ORDER BY created_at, id",
    "messages": 'SELECT * FROM messages ORDER BY thread, "order", step',
    "jobs": "SELECT * FROM jobs ORDER BY id",
}
KEPT = frozenset({"feed", "operators", "schema_migrations"})
"""Tables that stay as they are between two examples: what migrations put there, and who works here."""


@dataclass(frozen=True)
class Seen:
    """All rows of one moment."""

    rows: Mapping[str, Sequence[Row]]

    @cached_property
    def requests(self) -> Mapping[str, Request]:
        """The requests by id, oldest first."""
        return {row["id"]: request_of(row) for row in self.rows["requests"]}

    @cached_property
    def messages(self) -> Mapping[str, Message]:
        """The messages by id, thread by thread, in order of position."""
        return {row["id"]: message_of(row) for row in self.rows["messages"]}

    @property
    def threads(self) -> Sequence[Row]:
        """The threads, oldest first."""
        return self.rows["threads"]

    @property
    def runs(self) -> Sequence[Row]:
        """The runs, oldest first."""
        return self.rows["runs"]

    def waiting(self) -> list[Request]:
        """What people have not decided."""
        return [request for request in self.requests.values() if request.state in WAITING]

    def timer(self, request: str) -> int | None:
        """When the timer of a request goes off (ms), if it has one."""
        return next((row["due_at"] for row in self.rows["jobs"] if (row["kind"], row["ref"]) == ("request", request)), None)

    def facts(self) -> Mapping[str, Sequence[Row]]:
        """What a verb that was refused must not have changed. Leases are signs of life, not facts."""
        runs = [{name: value for name, value in row.items() if name != "lease_until"} for row in self.runs]
        return {**{table: self.rows[table] for table in ("requests", "threads", "messages")}, "runs": runs}


class Peek(Protocol):
    """A connection of the test's own."""

    def look(self) -> Seen:
        """Everything, as it is now."""
        ...

    def rounds(self, run: str) -> int:
        """How often a run has asked people."""
        ...

    def close(self) -> None:
        """Disconnect."""
        ...


ROUNDS = "SELECT COUNT(DISTINCT call_message) FROM requests WHERE call_message IS NOT NULL AND run = "


class SQLitePeek:
    """A connection to a file."""

    def __init__(self, url: str) -> None:
        path = sqlite_path(url)
        assert path is not None
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row

    def look(self) -> Seen:
        self._connection.execute("BEGIN")
        try:
            return Seen({name: [dict(row) for row in self._connection.execute(sql)] for name, sql in LOOKED_AT.items()})
        finally:
            self._connection.execute("COMMIT")

    def rounds(self, run: str) -> int:
        return self._connection.execute(f"{ROUNDS} ?", (run,)).fetchone()[0]

    def close(self) -> None:
        self._connection.close()


class PostgresPeek:
    """A connection to a database."""

    def __init__(self, url: str) -> None:
        import psycopg
        from psycopg.rows import dict_row

        self._connection: Any = psycopg.connect(url, autocommit=True, row_factory=cast(Any, dict_row))
        with self._transaction() as cursor:
            found: list[Row] = cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        names = sorted(str(row["tablename"]) for row in found)
        self._tables = [name for name in names if name not in KEPT and "yoyo" not in name]

    def look(self) -> Seen:
        with self._transaction() as cursor:
            return Seen({name: cursor.execute(sql).fetchall() for name, sql in LOOKED_AT.items()})

    def rounds(self, run: str) -> int:
        with self._transaction() as cursor:
            return cursor.execute(f"{ROUNDS} %s", (run,)).fetchone()["count"]

    def clear(self) -> None:
        """Take out everything but who works here."""
        self._connection.execute(deletions(self._tables))

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Generator[Any]:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            yield cursor


def peek(url: str) -> Peek:
    """Look into the store with this address."""
    return SQLitePeek(url) if url.startswith("sqlite") else PostgresPeek(url)
