"""What is read of a long thread does not grow with it (P12): the database walks an index and stops, whatever it guesses."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests.conftest import a_store

from deskmate import Desk, NewMessage, Text, customer
from deskmate.domain.actors import Author, agent
from deskmate.domain.messages import ModelRole
from deskmate.store.sql import statements

ada, bot = customer("ada").author, agent("bot").author
LENGTHS = 40, 400, 3000
Long = tuple[str, str]
"""The address of a store, and its longest thread."""
BEHIND = {"order": 10**6, "step": 0}
EVERY = {"status_1": "pending", "status_2": "success", "status_3": "failed", "up_to": 10**7}
READS: dict[str, dict[str, object]] = {
    "messages.latest": {},
    "messages.speaking_before": {**BEHIND, "tools": 1, "limit": 100},
    "messages.speaking_before without tools": {**BEHIND, "tools": 0, "limit": 100},
    "messages.page_before": {**BEHIND, **EVERY, "tools": 1, "spoken": 0, "hidden": 1, "limit": 51},
    "messages.page_before of a customer": {**BEHIND, **EVERY, "tools": 1, "spoken": 1, "hidden": 0, "limit": 51},
    "messages.page_after": {"order": -1, "step": -1, **EVERY, "tools": 0, "spoken": 0, "hidden": 1, "limit": 51},
    "requests.context": {"limit": 6},
    "prompts.newest_of_customer": {},
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def long_threads(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Long]:
    """A store with a thread of 3,000 messages beside shorter ones, made once: it is only looked at."""
    with a_store(request, engine, tmp_path_factory.mktemp("plans"), untouched=True) as url:
        yield url, asyncio.run(filled(url))


async def filled(store_url: str) -> str:
    roles: list[tuple[ModelRole, Author]] = [("user", ada), ("assistant", bot)]
    thread = None
    async with Desk.open(store_url, work=False) as desk:
        for length in LENGTHS:
            thread = await desk.threads.open(customer="ada")
            for begin in range(0, length, 500):
                number = min(500, length - begin)
                said = [
                    NewMessage(role=role, author=author, parts=(Text(text=f"words {begin + count} of a long conversation"),))
                    for count in range(number // 2)
                    for role, author in roles
                ]
                await desk.messages.save(thread.id, said)
    assert thread is not None
    return thread.id


@pytest.mark.parametrize("read", READS)
def test_a_long_thread_is_read_by_its_index(read: str, long_threads: Long, engine: str) -> None:
    store_url, long_thread = long_threads
    statement = statements("sqlite" if engine == "sqlite" else "postgresql")[read.partition(" ")[0]].text
    params = {"thread": long_thread, **READS[read]}
    if engine == "sqlite":
        with sqlite3.connect(store_url.removeprefix("sqlite:///")) as db:
            db.execute("ANALYZE")
            plan = " / ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", params))
        assert "SEARCH messages USING" in plan
        assert "TEMP B-TREE" not in plan
        return
    with psycopg.connect(store_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as db:
        db.execute("ANALYZE")
        names = list(params)
        numbered = re.sub(r"%\((\w+)\)s", lambda name: f"${names.index(name[1]) + 1}", statement).replace("%%", "%")
        db.execute(f"PREPARE reading AS {numbered}".encode())
        for mode in ("force_custom_plan", "force_generic_plan"):
            # After some calls the server may plan a statement without knowing its parameters.
            db.execute(f"SET plan_cache_mode = {mode}".encode())
            values = ", ".join(["%s"] * len(names))
            row = db.execute(
                f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE reading({values})".encode(), list(params.values())
            ).fetchone()
            assert row is not None
            plan = row[0][0]["Plan"]
            assert rows_read(plan) < 300, f"{mode}: {json.dumps(plan, indent=1)}"


def rows_read(plan: dict[str, Any]) -> float:
    """The most rows that any node of a plan has looked at."""
    return max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
