"""Fixtures for tests of the engines."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from deskmate import Desk
from deskmate.testing import FakeClock, ScriptedAgent

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Run a part of other_process.py on a store, as another process."""
    started: list[subprocess.Popen[str]] = []

    def run(part: str, url: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", str(Path(__file__).with_name("other_process.py")), part, url, *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[str]:
    """The address of a store that nobody has opened yet."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
    else:
        with request.getfixturevalue("postgres_server").fresh_database(migrated=False) as url:
            yield url


@pytest.fixture
def bot() -> ScriptedAgent:
    """The agent of the desk. It says what it was told, until a test gives it another script; a room may have another one."""
    return ScriptedAgent()


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    """A desk with that agent. Nothing is done behind its back: what is due is done by `run_due`."""
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        yield desk


@pytest.fixture
async def other(store_url: str, desk: Desk, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    """Another process, as far as the store can tell."""
    del desk  # It is there first.
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as other:
        yield other
