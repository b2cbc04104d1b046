"""Migrations: numbered SQL files, applied by yoyo in one transaction that is also the lock. See docs/why/migrations.md."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from deskmate.domain.search import wanted
from deskmate.errors import Unavailable
from deskmate.store.sql import Engine, statements
from deskmate.store.urls import engine_of, sqlite_path

if TYPE_CHECKING:
    import psycopg

_FOLDER = Path(__file__).parent / "migrations"
_APPLIED = "SELECT migration_id FROM _yoyo_migration"
_ADVISORY_LOCK = 7_233_671_540_120_021  # an arbitrary number that only Deskmate uses
PATIENCE = 60.0
"""Seconds to wait for another process that migrates."""


def pending_migrations(url: str) -> list[str]:
    """The migrations this store has not seen, in their order. Raises Unavailable, Misconfigured."""
    if engine_of(url) == "sqlite":
        path = sqlite_path(url)
        if path is None or not path.exists():
            return list(_known("sqlite"))
        with _sqlite(path) as connection:
            return _pending("sqlite", _applied_in_sqlite(connection))
    with _postgresql(url) as connection:
        return _pending("postgresql", _applied_in_postgresql(connection))


def migrate(url: str) -> list[str]:
    """Bring the schema of a store up to date; returns what was applied. Raises Unavailable, Misconfigured."""
    if engine_of(url) == "sqlite":
        path = sqlite_path(url)
        return [] if path is None else migrate_sqlite(path)
    return migrate_postgresql(url)


def migrate_sqlite(path: Path) -> list[str]:
    """The same for a file. The lock is SQLite's own write lock: it cannot outlive its process."""
    with _sqlite(path) as connection:
        if not _pending("sqlite", _applied_in_sqlite(connection)):
            return []
        connection.execute("BEGIN IMMEDIATE")
        applied = _apply("sqlite", connection, _applied_in_sqlite(connection))
        connection.execute("COMMIT")
        return applied


def migrate_postgresql(url: str) -> list[str]:
    """The same for a PostgreSQL database. The lock is an advisory one: the server drops it with the transaction."""
    with _postgresql(url) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
        applied = _apply("postgresql", connection, _applied_in_postgresql(connection))
        connection.execute(cast("Any", statements("postgresql")["feed.lift"].text))
        return applied


def _known(engine: Engine) -> dict[str, Path]:
    paths = (*_FOLDER.glob("*.sql"), *(_FOLDER / engine).glob("*.sql"))
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def _pending(engine: Engine, applied: set[str]) -> list[str]:
    return [name for name in _known(engine) if name not in applied]


def _applied_in_sqlite(connection: sqlite3.Connection) -> set[str]:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_yoyo_migration'").fetchone() is None:
        return set()
    return {row[0] for row in connection.execute(_APPLIED)}


def _applied_in_postgresql(connection: "psycopg.Connection[Any]") -> set[str]:
    found = connection.execute("SELECT to_regclass('_yoyo_migration')").fetchone()
    return {row[0] for row in connection.execute(_APPLIED)} if found and found[0] else set()


def _apply(engine: Engine, connection: Any, applied: set[str]) -> list[str]:
    pending = _pending(engine, applied)
    if pending:
        # Yoyo takes a tenth of a second to import, and most starts have nothing to migrate.
        from deskmate.store.yoyo import apply

        known = _known(engine)
        apply(engine, connection, [known[name] for name in pending])
    return pending


def _words_of(text: str | None) -> str:
    """The words of what is stored already, as JSON, for the migration that begins to keep them."""
    return json.dumps(wanted(text or ""))


@contextmanager
def _sqlite(path: Path) -> Generator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.create_function("words_of", 1, _words_of, deterministic=True)
            yield connection
    except sqlite3.OperationalError as error:
        raise Unavailable(f"The database file {path} cannot be used: {error}.") from error
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"The file {path} is not a database of Deskmate: {error}.") from error


@contextmanager
def _postgresql(url: str) -> "Generator[psycopg.Connection[Any]]":
    from deskmate.store.postgres_connections import connect_now

    with closing(connect_now(url)) as connection:
        yield connection
