"""Fixtures of the acceptance tests: a desk that runs behind a real port, on both engines, with an agent on a leash."""

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.acceptance.command_line import PROGRAM, STARTED, Result, Server, environment
from tests.acceptance.doors import ADMIN_KEY, Front, Person, done, open_front, serving

from deskmate import Desk, Settings
from deskmate.testing import ScriptedAgent


@pytest.fixture
def agent() -> ScriptedAgent:
    """The agent that answers customers; a test gives it a script."""
    return ScriptedAgent()


@pytest.fixture
def settings() -> Settings:
    return Settings(admin_key=ADMIN_KEY, rate_limits=False)


@pytest.fixture
def desk(store_url: str, agent: ScriptedAgent, settings: Settings) -> Desk:
    return Desk(store_url, agents=[agent], settings=settings)


@pytest.fixture
async def front(desk: Desk) -> AsyncIterator[Front]:
    """The public doors of a running desk."""
    async with serving(desk) as url, open_front(url) as front:
        yield front


@pytest.fixture
async def ada(front: Front) -> Person:
    """A customer."""
    return await front.visitor()


@pytest.fixture
async def ana(front: Front) -> Person:
    """An operator."""
    return await front.operator("Ana")


@pytest.fixture
async def ben(front: Front) -> Person:
    """Another operator."""
    return await front.operator("Ben")


@pytest.fixture
async def lea(front: Front) -> Person:
    """A lead."""
    return await front.operator("Lea", role="lead")


@pytest.fixture
async def browser(front: Front) -> httpx.AsyncClient:
    """A browser in which an operator has signed in."""
    await front.admin.post("/api/operators", name="Web", email="web@shop.example", role="admin", password="correct horse")
    client = front.client()
    response = await client.post("/api/session", json={"email": "web@shop.example", "password": "correct horse"})
    assert done(response)["name"] == "Web"
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    return client


@pytest.fixture
def deskmate(tmp_path: Path) -> Callable[..., Result]:
    """Run a command to its end, in an empty folder."""

    def run(*arguments: str, **env: str) -> Result:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=tmp_path, env=environment(tmp_path, env), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server on a free port and wait until it says where things are."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **env: str) -> Server:
        process = subprocess.Popen(
            [*PROGRAM, *arguments, "--port", "0"],
            cwd=tmp_path, env=environment(tmp_path, env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line.rstrip())
            if said[-1] == STARTED:
                return Server(process, said)
        pytest.fail(f"it ended: {process.stderr.read()}")

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    folder = tmp_path / "faq"
    folder.mkdir()
    (folder / "shops.md").write_text("# Shops\n\n## Opening hours in Lyon\n\nThe Lyon shop is open from 10:00 to 19:00.\n")
    return folder
