"""Yoyo's two backends, made to work inside one transaction of ours: all pending migrations and their records happen, or none."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from yoyo import internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.backends.core.sqlite3 import SQLiteBackend
from yoyo.migrations import Migration, MigrationList, default_migration_table

from deskmate.store.sql import Engine

_internal: Any = internalmigrations  # yoyo comes without complete types


class _Borrowed:
    """What both need to use a connection that is not theirs and a transaction that has begun.

    Inside it yoyo uses savepoints. Its lock table is not needed: whoever calls holds a lock that dies with the process.
    """

    _in_transaction = True
    _is_locked = True
    has_transactional_ddl = True
    migration_table = default_migration_table
    schema: str | None = None

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.DatabaseError = cast("Any", self).driver.DatabaseError

    def copy(self) -> Any:
        """Yoyo applies each migration through a copy of itself, which it closes: this one stays open."""
        return nullcontext(self)

    def ensure_internal_schema_updated(self) -> None:
        if _internal.needs_upgrading(self):
            _internal.upgrade(self)

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """Without the names of the user and the machine: looking them up can take seconds, or fail in a container."""
        return {
            "id": str(uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": "deskmate",
            "hostname": "",
            # Yoyo's own record, in which it keeps its own time; no fact of the desk.
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


class _SQLite(_Borrowed, SQLiteBackend):
    def list_tables(self, **kwargs: Any) -> list[str]:
        return [row[0] for row in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def execute(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        """Times become text here: the adapter of the standard library that would do it is deprecated."""
        plain = {name: value.isoformat(" ") if isinstance(value, datetime) else value for name, value in (params or {}).items()}
        return self._connection.execute(sql, plain)


class _PostgreSQL(_Borrowed, PostgresqlPsycopgBackend):
    def list_tables(self, **kwargs: Any) -> list[str]:
        tables = self._connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return [row[0] for row in tables]


def apply(engine: Engine, connection: Any, paths: Sequence[Path]) -> None:
    """Apply these migrations, in this order, in the open transaction of this connection."""
    backend: Any = (_SQLite if engine == "sqlite" else _PostgreSQL)(connection)
    backend.apply_migrations(MigrationList([Migration(path.stem, str(path), str(path.parent)) for path in paths]))
