"""Fixtures for every test: fake time and chance, and a fresh store on each engine."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.postgres import PostgresServer, own_postgres

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
    with a_store(request, engine, tmp_path) as url:
        yield url


@pytest.fixture
def untouched_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[str]:
    """The same for tests that measure a store: nothing has ever been deleted in it."""
    with a_store(request, engine, tmp_path, untouched=True) as url:
        yield url


@contextmanager
def a_store(request: pytest.FixtureRequest, engine: str, folder: Path, *, untouched: bool = False) -> Iterator[str]:
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "desk.db")
        yield f"sqlite:///{folder / 'desk.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.fresh_database(untouched=untouched) as url:
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
