"""Fixtures of the acceptance tests: a desk that runs behind a real port, on both engines, with an agent on a leash."""

from collections.abc import AsyncIterator

import httpx
import pytest
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
