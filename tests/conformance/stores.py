"""Empty stores, one for each sequence, cheaply: copies of one that was migrated once."""

import atexit
import contextlib
import functools
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import PostgresServer, own_postgres

from deskmate.store import migrate

_process = ExitStack()


@contextmanager
def fresh_url(engine: str) -> Iterator[str]:
    """The address of an empty store on `sqlite` or `postgres`, which is gone afterwards."""
    if engine == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="deskmate-conformance-"))
        try:
            shutil.copy(_sqlite_template(), folder / "desk.db")
            yield f"sqlite:///{folder / 'desk.db'}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    else:
        url = _postgres_database()
        try:
            yield url
        finally:
            _empty(url)


@functools.cache
def _sqlite_template() -> Path:
    folder = Path(_process.enter_context(tempfile.TemporaryDirectory(prefix="deskmate-conformance-")))
    migrate(f"sqlite:///{folder / 'template.db'}")
    atexit.register(_process.close)
    return folder / "template.db"


@functools.cache
def _postgres_database() -> str:
    """One database for the whole process; it is emptied after each sequence, which is quicker than another database."""
    run = uuid.uuid4().hex
    server = _process.enter_context(PostgresServer(_process.enter_context(own_postgres(run)), f"deskmate_{run[:8]}"))
    url = _process.enter_context(server.fresh_database())
    # Registered after the server is there, so that this runs before the server stops by itself.
    atexit.register(_process.close)
    return url


def _empty(url: str) -> None:
    import psycopg

    with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'feed' AND tablename NOT LIKE '%yoyo%'"
        )
        # Deleting a few rows is quicker than truncating: no file is made anew. Constraints are left out meanwhile.
        deletions = [f'DELETE FROM "{name}";' for (name,) in rows]
        connection.execute("\n".join(["SET session_replication_role = replica;", *deletions]).encode())
