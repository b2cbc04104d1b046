"""What is read grows neither with a thread (P12) nor with the desk: the database goes by an index and stops."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
import pytest
from tests.conftest import a_store
from tests.store.crowd import HOUR, NOW, crowd, fill

from deskmate import Desk, NewMessage, Text, customer
from deskmate.domain.actors import Actor, Author, AuthorKind, Role, agent
from deskmate.domain.messages import ModelRole
from deskmate.domain.requests import RequestKind
from deskmate.domain.threads import Priority, Status
from deskmate.services.inbox import Sort, Tab
from deskmate.store.postgres_tx import PostgreSQLTx
from deskmate.store.sql import statements
from deskmate.store.sqlite_tx import SQLiteTx
from deskmate.store.times import utc

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


ANA = Actor(kind=AuthorKind.OPERATOR, id="op_0", name="Ana", role=Role.OPERATOR)
LARGE = "threads|messages|listed|searchable|subject_words|customers|customer_words|requests"
"""Tables that grow with the desk."""
WALKS = {*(f"inbox.{sort}" for sort in Sort), "requests.next", "requests.take_next"}
"""What goes along an index in its order, and stops."""
Said = dict[str, Mapping[str, object]]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """The statements that were executed, each with the parameters it had last."""
    heard: Said = {}
    for kind in (SQLiteTx, PostgreSQLTx):

        def execute(tx: Any, statement: str, params: Mapping[str, object], *, was: Any = kind._execute) -> Any:  # pyright: ignore[reportPrivateUsage]
            heard[statement] = params
            return was(tx, statement, params)

        monkeypatch.setattr(kind, "_execute", execute)
    return heard


async def work_a_day(desk: Desk, thread: str) -> None:
    """What operators and customers do all day long, where there are many threads."""
    for tab in Tab:
        for sort in Sort:
            page = await desk.inbox.page(by=ANA, tab=tab, sort=sort, limit=20)
            if page.cursor is not None:
                await desk.inbox.page(by=ANA, tab=tab, sort=sort, cursor=page.cursor, limit=20)
    await desk.inbox.page(by=ANA, queue="billing", kind=RequestKind.QUESTION, priority=Priority.NORMAL, tag="vip")
    for q in ("Ada refu", "qqqq", "%", thread):
        assert (await desk.inbox.page(by=ANA, q=q, status=None)).items or q in ("%", "qqqq")
    await desk.threads.of_customer(by=customer("cu_000001"))
    opened = await desk.threads.open(customer="cu_000001", subject="A tent with a hole")
    for of in (thread, opened.id):
        owner = (await desk.threads.get(of)).customer or ""
        await desk.messages.post(of, "Where is my parcel?", author=customer(owner))
        await desk.messages.post(of, "On its way.", author=ANA)
    request = await desk.requests.next(by=ANA)
    assert request is not None
    await desk.requests.release(request.id, by=ANA)
    await desk.assignments.assign(opened.id, "operator:op_0", by=ANA)
    await desk.threads.change(opened.id, status=Status.RESOLVED, tags=["hole"], subject="A hole", by=ANA)
    day = utc(NOW - 24 * HOUR)
    await desk.queues.add("billing")
    for queue in (None, "billing"):
        assert (await desk.board.now(queue=queue, by=ANA)).waiting
        assert (await desk.board.period(day, utc(NOW), queue=queue, by=ANA)).threads.threads


async def test_what_an_operator_does_is_read_by_an_index_however_many_threads_there_are(
    store_url: str, engine: str, said: Said
) -> None:
    fill(store_url, rows := crowd(10_000, messages=1))
    async with Desk.open(store_url, work=False) as desk:
        await work_a_day(desk, str(rows["threads"][60][0]))
    assert {
        "inbox.newest",
        "inbox.with_word",
        "inbox.saying",
        "requests.take_next",
        "messages.insert",
        "board.threads",
    } <= said.keys()
    texts = statements("sqlite" if engine == "sqlite" else "postgresql")
    look = sqlite_plans if engine == "sqlite" else postgresql_plans
    for name, plan in look(store_url, {name: (texts[name].text, params) for name, params in said.items()}):
        if name in WALKS:
            assert not re.search(rf"SCAN ({LARGE})\b(?! USING INDEX)|Seq Scan on ({LARGE})\b", plan), f"{name}:\n{plan}"
            assert not re.search("TEMP B-TREE|Sort", plan), f"{name}:\n{plan}"
        elif name == "board.waiting":
            # It counts what waits, up to a limit, and here every request waits: they are all that it reads.
            assert not re.search(r"\b(SCAN|Seq Scan on) (?!requests|oldest)", plan), f"{name}:\n{plan}"
        else:
            assert not re.search(rf"\b(SCAN|Seq Scan on) ({LARGE})\b", plan), f"{name}:\n{plan}"


def sqlite_plans(url: str, said: Mapping[str, tuple[str, Mapping[str, object]]]) -> Iterator[tuple[str, str]]:
    """The plan of each statement, as it is on a store that nobody has analysed."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
        for name, (text, params) in said.items():
            yield name, "\n".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", params))


def postgresql_plans(url: str, said: Mapping[str, tuple[str, Mapping[str, object]]]) -> Iterator[tuple[str, str]]:
    """The plans of each statement, with its parameters known and without."""
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as db:
        db.execute("VACUUM ANALYZE")
        for number, (name, (text, params)) in enumerate(said.items()):
            names = [known for known in params if f"%({known})s" in text]
            numbered = re.sub(r"%\((\w+)\)s", lambda found, names=names: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
            db.execute(f"PREPARE p{number} AS {numbered}".encode())
            values = f"({', '.join(['%s'] * len(names))})" if names else ""
            for mode in ("force_custom_plan", "force_generic_plan"):
                db.execute(f"SET plan_cache_mode = {mode}".encode())
                plan = db.execute(f"EXPLAIN EXECUTE p{number}{values}".encode(), [params[known] for known in names]).fetchall()
                yield name, f"{mode}\n" + "\n".join(str(row[0]) for row in plan)
