"""The inbox: which threads are on a page, in what order, found by which words, and counted how far; on both engines."""

import random
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from deskmate import Desk, Visibility, customer
from deskmate.domain.actors import Actor, AuthorKind, Role, service
from deskmate.domain.requests import RequestKind
from deskmate.domain.threads import Priority, Status
from deskmate.errors import DeskmateError
from deskmate.services import inbox, places
from deskmate.services.authentication import Claims, identify
from deskmate.services.inbox import Sort, Tab
from deskmate.store import Store, migrate, migrations
from deskmate.testing import FakeClock

SECOND = timedelta(seconds=1)


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


@pytest.fixture
async def ana(desk: Desk) -> Actor:
    """An operator."""
    return (await desk.operators.add(name="Ana", email="ana@shop.example", role=Role.LEAD)).actor("inbox")


async def listed(desk: Desk, by: Actor, *, limit: int = 50, **more: Any) -> list[str]:
    """The subjects of all pages, in order."""
    found: list[str] = []
    cursor = None
    while True:
        page = await desk.inbox.page(by=by, cursor=cursor, limit=limit, **more)
        found += [thread.subject or "" for thread in page.items]
        cursor = page.cursor
        if cursor is None:
            return found


async def opened(desk: Desk, clock: FakeClock, subject: str, **more: Any) -> str:
    clock.advance(SECOND)
    return (await desk.threads.open(subject=subject, **more)).id


async def asked(desk: Desk, clock: FakeClock, thread: str, **more: Any) -> str:
    clock.advance(SECOND)
    return (await desk.requests.ask("Is it so?", thread=thread, **more)).id


async def test_urgent_threads_come_first_then_those_that_wait_longest(desk: Desk, clock: FakeClock, ana: Actor) -> None:
    ids = {name: await opened(desk, clock, name, priority=Priority(name.split()[0])) for name in (
        "normal idle", "low waits", "urgent waits", "urgent idle", "urgent waits longer", "high idle",
    )}  # fmt: skip
    for name in ("urgent waits longer", "urgent waits", "low waits"):
        await asked(desk, clock, ids[name])
    assert await listed(desk, ana, sort=Sort.PRIORITY, limit=2) == [
        "urgent waits longer", "urgent waits", "urgent idle", "high idle", "normal idle", "low waits",
    ]  # fmt: skip
    await desk.threads.change(ids["low waits"], priority=Priority.URGENT, by=ana)
    assert (await listed(desk, ana, sort=Sort.PRIORITY))[2] == "low waits"


async def test_what_is_due_first_stands_first_and_what_is_never_due_last(desk: Desk, clock: FakeClock, ana: Actor) -> None:
    ids = {name: await opened(desk, clock, name) for name in ("never", "tomorrow", "soon", "never either")}
    await asked(desk, clock, ids["tomorrow"], expires_in=timedelta(hours=24))
    later = await asked(desk, clock, ids["soon"], expires_in=timedelta(hours=48))
    nearest = await asked(desk, clock, ids["soon"], expires_in=timedelta(hours=1))
    assert await listed(desk, ana, sort=Sort.DUE, limit=1) == ["soon", "tomorrow", "never either", "never"]
    await desk.requests.answer(nearest, "Yes.", by=ana)
    assert (await listed(desk, ana, sort=Sort.DUE))[:2] == ["tomorrow", "soon"]
    await desk.requests.cancel(later, by=ana)
    assert await listed(desk, ana, sort=Sort.DUE) == ["tomorrow", "never either", "soon", "never"]


async def test_filters_narrow_every_tab_and_each_other(desk: Desk, clock: FakeClock, ana: Actor) -> None:
    plain = await opened(desk, clock, "plain", queue="billing", tags=["vip"])
    await opened(desk, clock, "tagged", tags=["vip", "vip", "50% off"], priority=Priority.LOW)
    question = await opened(desk, clock, "question", queue="billing", priority=Priority.HIGH)
    escalated = await opened(desk, clock, "escalated", queue="billing", customer="ada")
    held = await opened(desk, clock, "held", queue="billing")
    request = await asked(desk, clock, question)
    await desk.escalations.escalate(escalated, by=customer("ada"))
    await desk.assignments.assign(held, f"operator:{ana.id}", by=ana)
    for filters, found in [
        ({"queue": "billing"}, ["held", "escalated", "question", "plain"]),
        ({"queue": "billing", "tab": Tab.UNASSIGNED}, ["escalated", "question"]),
        ({"queue": "billing", "tab": Tab.MINE}, ["held"]),
        ({"queue": "bill"}, []),
        ({"kind": RequestKind.QUESTION}, ["question"]),
        ({"kind": RequestKind.ESCALATION, "tab": Tab.UNASSIGNED}, ["escalated"]),
        ({"priority": Priority.HIGH, "kind": RequestKind.QUESTION, "queue": "billing"}, ["question"]),
        ({"priority": Priority.NORMAL}, ["held", "escalated", "plain"]),
        ({"priority": Priority.NORMAL, "tag": "vip"}, ["plain"]),
        ({"tag": "vip"}, ["tagged", "plain"]),
        ({"tag": "vip", "queue": "billing"}, ["plain"]),
        ({"tag": "50% off"}, ["tagged"]),
    ]:
        assert await listed(desk, ana, limit=1, **filters) == found, filters
    await desk.requests.claim(request, by=ana)
    assert await listed(desk, ana, tab=Tab.MINE, queue="billing") == ["held", "question"]
    await desk.threads.change(plain, tags=[], status=Status.RESOLVED, by=ana)
    assert await listed(desk, ana, tag="vip", status=None) == ["tagged"]
    assert await listed(desk, ana, queue="billing", status=Status.RESOLVED) == ["plain"]
    assert await listed(desk, ana, status=None, limit=1) == ["held", "escalated", "question", "tagged", "plain"]


async def test_what_is_written_between_two_pages_neither_repeats_nor_hides_a_thread(
    desk: Desk, clock: FakeClock, ana: Actor
) -> None:
    ids = [await opened(desk, clock, f"{number}", customer="ada") for number in range(6)]
    first = await desk.inbox.page(by=ana, sort=Sort.ACTIVITY, limit=2)
    await opened(desk, clock, "new")
    await desk.messages.post(ids[0], "Hello?", author=customer("ada"), respond=False)
    await desk.threads.delete(ids[4], by=service("admin"))
    rest = await desk.inbox.page(by=ana, sort=Sort.ACTIVITY, cursor=first.cursor, limit=10)
    assert [thread.subject for thread in first.items + rest.items] == ["5", "4", "3", "2", "1"]


def claims(name: str) -> Claims:
    return Claims(id="ada", name=name, email="ada@home.example", issued_at=0, begins_at=0, expires_at=0)


async def test_words_are_found_wherever_they_are_said_and_the_last_one_before_it_is_finished(
    desk: Desk, store: Store, clock: FakeClock, ana: Actor
) -> None:
    await store.write(lambda tx: identify(tx, claims("Ada Königsberg")))
    hers = await opened(desk, clock, "Delivery to Lyon", customer="ada")
    await desk.messages.post(hers, "I would like a refund, please.", author=customer("ada"), respond=False)
    await desk.messages.post(hers, "She bought it in the sale.", author=ana, visibility=Visibility.NOTE)
    await opened(desk, clock, "Refunds in general")
    for q, found in [
        ("refu", ["Refunds in general", "Delivery to Lyon"]),
        ("refund", ["Refunds in general", "Delivery to Lyon"]),
        ("refu please", []),
        ("refund plea", ["Delivery to Lyon"]),
        ("koenig refund", []),
        ("KONIGS", ["Delivery to Lyon"]),
        ("königsberg refund lyon", ["Delivery to Lyon"]),
        ("sale", ["Delivery to Lyon"]),
        ("efund", []),
        ("r", ["Refunds in general", "Delivery to Lyon"]),
        (hers, ["Delivery to Lyon"]),
        ("ada", ["Delivery to Lyon"]),
        ("Ada@home.example", ["Delivery to Lyon"]),
        ("  ", ["Refunds in general", "Delivery to Lyon"]),
    ]:
        assert await listed(desk, ana, q=q, limit=1) == found, q
    assert await listed(desk, ana, q="refu", tab=Tab.MINE) == []
    assert await listed(desk, ana, q="refu", queue="billing") == []
    await desk.threads.change(hers, subject="Something else", by=ana)
    await store.write(lambda tx: identify(tx, claims("Ada Byron")))
    assert await listed(desk, ana, q="lyon") == await listed(desk, ana, q="königsberg") == []
    assert await listed(desk, ana, q="something byr") == ["Something else"]


async def test_p8_notes_do_not_lead_those_to_a_thread_who_may_not_read_them(desk: Desk, clock: FakeClock, ana: Actor) -> None:
    thread = await opened(desk, clock, "A thread", customer="ada")
    await desk.messages.post(thread, "He is a crook, §§.", author=ana, visibility=Visibility.NOTE)
    program = Actor(kind=AuthorKind.SERVICE, id="key", scopes=frozenset({"threads:read"}))
    for q in ("crook", "thread crook", "§§"):
        assert await listed(desk, ana, q=q) == ["A thread"]
        assert await listed(desk, program, q=q) == []


async def test_a_page_that_looks_at_no_more_says_where_to_go_on_and_nothing_is_missed(
    desk: Desk, clock: FakeClock, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        tags = ["one", "two"] if number in (3, 4, 21) else ["one"] if number % 2 else ["two"]
        await opened(desk, clock, f"thread {number}" + (" rare" if number in (5, 30) else ""), tags=tags)
    monkeypatch.setattr(places, "EXAMINED", 8)
    monkeypatch.setattr(places, "CANDIDATES", 2)
    first = await desk.inbox.page(by=ana, tag="two", q="thread 3", limit=5)
    assert first.items == () or first.cursor is not None
    assert await listed(desk, ana, q="rare", limit=1) == ["thread 30 rare", "thread 5 rare"]
    assert await listed(desk, ana, q="thread 3", limit=3) == ["thread 39", *(f"thread {n}" for n in range(38, 30, -1)),
        "thread 30 rare", "thread 3"]  # fmt: skip
    for sort in (Sort.NEWEST, Sort.WAITING, Sort.DUE):
        monkeypatch.setattr(places, "EXAMINED", 4)
        both = await listed(desk, ana, priority=Priority.NORMAL, tag="one", sort=sort, limit=2)
        assert len(both) == len(set(both)) == 21, sort


async def test_counts_stop_where_they_say_and_tell_which_queues_wait(
    desk: Desk, clock: FakeClock, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        thread = await opened(desk, clock, f"{number}", queue="billing" if number else "Ünicode: 1;2")
        await asked(desk, clock, thread)
    await opened(desk, clock, "idle", queue="idle")
    page = await desk.inbox.page(by=ana)
    assert page.counts == {Tab.MINE: 0, Tab.UNASSIGNED: 5, Tab.ALL: 6}
    assert page.more == {Tab.MINE: False, Tab.UNASSIGNED: False, Tab.ALL: False}
    assert page.queues == {"billing": 4, "Ünicode: 1;2": 1}
    monkeypatch.setattr(inbox, "COUNTED", 5)
    monkeypatch.setattr(inbox, "QUEUE_COUNTED", 3)
    page = await desk.inbox.page(by=ana, status=None)
    assert page.counts == {Tab.MINE: 0, Tab.UNASSIGNED: 5, Tab.ALL: 5}
    assert page.more == {Tab.MINE: False, Tab.UNASSIGNED: False, Tab.ALL: True}
    assert page.queues == {"billing": 3, "Ünicode: 1;2": 1}


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_a_thread_stands_on_its_lists_and_on_no_other(
    desk: Desk, clock: FakeClock, ana: Actor, store_url: str, seed: int
) -> None:
    chance = random.Random(seed)
    ids = [await opened(desk, clock, f"{number}", customer="ada", queue=chance.choice([None, "q"])) for number in range(4)]
    for _ in range(60):
        clock.advance(SECOND)
        with suppress(DeskmateError):
            await something(desk, clock, ana, chance, chance.choice(ids))
    await desk.threads.delete(ids[0], by=service("admin"))
    assert differences(store_url) == []


async def something(desk: Desk, clock: FakeClock, ana: Actor, chance: random.Random, thread: str) -> None:
    """One verb on the thread, of those that move it between lists."""
    requests = await desk.requests.waiting(thread, by=ana)
    request = chance.choice(requests).id if requests else ""
    two = chance.sample(["a", "b", "c", "c"], 2)
    verbs: list[Callable[[], Awaitable[object]]] = [
        lambda: desk.messages.post(thread, "Hello", author=customer("ada"), respond=False),
        lambda: desk.messages.post(thread, "Hello", author=ana),
        lambda: asked(desk, clock, thread, expires_in=timedelta(minutes=chance.randrange(1, 9))),
        lambda: desk.requests.claim(request, by=ana),
        lambda: desk.requests.release(request, by=ana),
        lambda: desk.requests.answer(request, "Yes.", by=ana),
        lambda: desk.requests.cancel(request, by=ana),
        lambda: desk.escalations.escalate(thread, by=customer("ada")),
        lambda: desk.assignments.assign(thread, chance.choice([f"operator:{ana.id}", "queue:other"]), by=ana),
        lambda: desk.threads.change(thread, status=chance.choice(list(Status)), by=ana),
        lambda: desk.threads.change(thread, priority=chance.choice(list(Priority)), tags=two, by=ana),
    ]
    await chance.choice(verbs)()


async def test_threads_of_before_the_migration_are_listed_and_found(
    empty_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = migrations._known  # pyright: ignore[reportPrivateUsage]
    with monkeypatch.context() as earlier:
        earlier.setattr(
            migrations, "_known", lambda engine: {name: path for name, path in known(engine).items() if name < "0014"}
        )
        migrate(empty_url)
    write(empty_url, [
        "INSERT INTO customers (id, name, created_at) VALUES ('ada', 'Ada Königsberg', 0)",
        """
        INSERT INTO threads (id, customer, subject, status, assignment, assigned_at, assignment_reason, mode, priority, queue,
            tags, waiting_since, created_at, updated_at)
        VALUES ('th_1', 'ada', 'Où est 北京? Was it re-sent', 'open', 'queue', 0, '', 'auto', 'high', 'billing',
            '["é"]', 5, 0, 0)
        """,
    ])  # fmt: skip
    async with Desk.open(empty_url, clock=clock, work=False) as desk:
        ana = (await desk.operators.add(name="Ana", email="ana@shop.example")).actor("inbox")
        for more in (
            {"q": "ou ko", "tab": Tab.UNASSIGNED}, {"q": "京 sen"}, {"q": "KÖNIGSBERG"}, {"tag": "é", "queue": "billing"},
            {"priority": Priority.HIGH},
        ):  # fmt: skip
            page = await desk.inbox.page(by=ana, **more)
            assert [thread.id for thread in page.items] == ["th_1"], more
        assert page.queues == {"billing": 1}
    assert differences(empty_url) == []


def write(url: str, texts: list[str]) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            for text in texts:
                db.execute(text)
            db.commit()
    else:
        with psycopg.connect(url) as post:
            for text in texts:
                post.execute(text.encode())


def differences(url: str) -> list[Any]:
    """What the triggers have kept against what they should have."""
    columns = "thread, list, status, newest, activity, waiting, priority, due"
    kept, wanted = (f"SELECT {columns} FROM {table}" for table in ("listed", "listing"))
    question = f"SELECT * FROM ({kept} EXCEPT {wanted}) AS a UNION ALL SELECT * FROM ({wanted} EXCEPT {kept}) AS b"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            return [*db.execute(question), *([] if db.execute("SELECT 1 FROM listed").fetchone() else ["nothing"])]
    with psycopg.connect(url) as post:
        return [*post.execute(question.encode()), *([] if post.execute("SELECT 1 FROM listed").fetchone() else ["nothing"])]
