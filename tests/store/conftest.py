"""Fixtures for tests of the engines."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
