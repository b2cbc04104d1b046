"""Empty stores, one for each sequence, cheaply: copies of one that was migrated once."""

import atexit
import functools
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.postgres import PostgresServer, own_postgres

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
        with _postgres_server().fresh_database() as url:
            yield url


@functools.cache
def _sqlite_template() -> Path:
    folder = Path(_process.enter_context(tempfile.TemporaryDirectory(prefix="deskmate-conformance-")))
    migrate(f"sqlite:///{folder / 'template.db'}")
    atexit.register(_process.close)
    return folder / "template.db"


@functools.cache
def _postgres_server() -> PostgresServer:
    """A server for the whole process."""
    run = uuid.uuid4().hex
    server = _process.enter_context(PostgresServer(_process.enter_context(own_postgres(run)), f"deskmate_{run[:8]}"))
    # Registered after the server is there, so that this runs before the server stops by itself.
    atexit.register(_process.close)
    return server
