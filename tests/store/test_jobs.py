"""The engine: what it takes, keeps, gives back and loses, on both stores."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from deskmate.errors import Unavailable
from deskmate.store import Store, jobs
from deskmate.store.base import Body, T, Tx
from deskmate.store.engine import Engine
from deskmate.store.jobs import Job
from deskmate.testing import FakeClock

LEASE = timedelta(seconds=0.3)
PATIENCE = 10


class Shy:
    """A store that fails, or dawdles, where a test says so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failing = 0
        self.renewed = 0
        self.news = asyncio.Condition()
        self.dawdle: asyncio.Event | None = None
        self.written = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        if aside and self.failing:
            self.failing -= 1
            raise Unavailable
        value = await self._store.write(body, aside=aside)
        if aside:
            async with self.news:
                self.renewed += 1
                self.news.notify_all()
        if self.dawdle is not None and not aside:
            self.written.set()
            await self.dawdle.wait()
        return value

    async def renewals(self, more: int) -> None:
        async with self.news, asyncio.timeout(PATIENCE):
            goal = self.renewed + more
            await self.news.wait_for(lambda: self.renewed >= goal)


class Work:
    """A handler that remembers what it was given, and holds its jobs until it is told to let them go."""

    def __init__(self) -> None:
        self.given: list[Job] = []
        self.stopped: list[str] = []
        self.news = asyncio.Condition()
        self.open = asyncio.Event()

    async def __call__(self, job: Job) -> None:
        async with self.news:
            self.given.append(job)
            self.news.notify_all()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.stopped.append(job.ref)
            async with self.news:
                self.news.notify_all()
            raise

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with self.news, asyncio.timeout(PATIENCE):
            await self.news.wait_for(is_so)


@pytest.fixture
def shy(store: Store) -> Shy:
    return Shy(store)


def engine(store: Any, work: Work, owner: str = "a", parallel: int = 64) -> Engine:
    return Engine(store, {"run": work, "clock": work}, lanes={"support"}, owner=owner, lease=LEASE, parallel=parallel)


async def enqueue(store: Any, *refs: str, kind: str = "run", lane: str = "support", priority: int = 0) -> None:
    async def body(tx: Tx) -> None:
        for ref in refs:
            await jobs.enqueue(tx, kind, ref, lane=lane, priority=priority)

    await store.write(body)


def left(store: Any) -> list[tuple[str, str | None, int]]:
    """The jobs there are: row, holder, attempts."""
    text = "SELECT ref, lease_by, attempt FROM jobs"
    if store.engine == "sqlite":
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as connection:
            return connection.execute(text).fetchall()
    import psycopg

    with psycopg.connect(store.url) as connection:
        return connection.execute(text).fetchall()


def analyze(store: Any) -> None:
    """Let the server know how large the table is."""
    if store.engine == "postgresql":
        import psycopg

        with psycopg.connect(store.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE jobs")


async def test_a_claim_takes_no_more_than_its_limit_however_the_server_plans_it(shy: Shy):
    work = Work()
    working = engine(shy, work, parallel=3)
    await enqueue(shy, "of another version", kind="future")
    analyze(shy)
    for _ in range(8):  # the plan for a table of one row is kept
        assert await working.run_due() == 0
    await enqueue(shy, *(f"r{number}" for number in range(300)))
    working.start()
    await work.until(lambda: len(work.given) >= 3)
    held = [row for row in left(shy) if row[1] is not None]
    assert len(held) == 3
    await working.stop()


async def test_the_more_urgent_job_is_taken_first_whenever_it_came(shy: Shy):
    work = Work()
    work.open.set()
    await enqueue(shy, "normal")
    await enqueue(shy, "urgent", priority=2)
    await enqueue(shy, "low", priority=-1)
    await enqueue(shy, "high", priority=1)
    assert await engine(shy, work, parallel=1).run_due() == 4
    assert [job.ref for job in work.given] == ["urgent", "high", "normal", "low"]


async def test_an_engine_takes_only_the_kinds_it_knows(shy: Shy):
    work = Work()
    work.open.set()
    await enqueue(shy, "of another version", kind="future")
    assert await engine(shy, work).run_due() == 0
    assert await engine(shy, work).next_due() is None
    assert left(shy) == [("of another version", None, 0)]


async def test_a_renewal_that_failed_is_made_up_for_by_the_next_one(shy: Shy, clock: FakeClock):
    work = Work()
    working, other = engine(shy, work, "a"), engine(shy, Work(), "b")
    await enqueue(shy, "r1")
    working.start()
    await work.until(lambda: len(work.given) == 1)
    shy.failing = 1
    for _ in range(4):
        clock.advance(LEASE / 2)
        await shy.renewals(1)
        assert await other.run_due() == 0
    await working.stop()
    assert work.stopped == ["r1"]


async def test_what_another_engine_has_taken_meanwhile_is_worked_on_no_more(store: Store, shy: Shy, clock: FakeClock):
    frozen, quick = Work(), Work()
    first, second = engine(shy, frozen, "a", parallel=1), engine(store, quick, "b")
    await enqueue(shy, "r1")
    first.start()
    await frozen.until(lambda: len(frozen.given) == 1)
    shy.failing = 1_000_000  # As good as frozen: it gives no sign of life.
    clock.advance(LEASE * 2)
    second.start()
    await quick.until(lambda: len(quick.given) == 1)
    assert frozen.stopped == []
    shy.failing = 0
    await frozen.until(lambda: frozen.stopped == ["r1"])
    assert [holder for _, holder, _ in left(store)] == [quick.given[0].lease]
    await first.stop()
    await second.stop()


async def test_an_engine_that_stops_in_the_middle_of_a_claim_leaves_nothing_held(shy: Shy):
    work = Work()
    working = engine(shy, work)
    await enqueue(shy, *(f"r{number}" for number in range(20)))
    shy.dawdle = asyncio.Event()
    working.start()
    async with asyncio.timeout(PATIENCE):
        await shy.written.wait()
    stopping = asyncio.create_task(working.stop())
    await asyncio.sleep(0)
    shy.dawdle.set()
    await stopping
    rows = left(shy)
    assert len(rows) == 20
    assert {holder for _, holder, _ in rows} == {None}


async def test_what_takes_long_does_not_hold_up_the_clocks(shy: Shy):
    work = Work()
    working = engine(shy, work, parallel=2)
    await enqueue(shy, "r1", "r2", "r3")
    working.start()
    await work.until(lambda: len(work.given) == 2)
    await enqueue(shy, "timer", kind="clock", lane="")
    await work.until(lambda: len(work.given) == 3)
    assert work.given[2].ref == "timer"
    work.open.set()
    await work.until(lambda: len(work.given) == 4)
    await working.stop()


async def test_to_wait_politely_is_no_attempt(shy: Shy, clock: FakeClock):
    async def wait(job: Job) -> None:
        await shy.write(lambda tx: jobs.postpone(tx, job, tx.now + timedelta(seconds=1)))

    working = Engine(shy, {"run": wait}, lanes={"support"}, owner="a", lease=LEASE)
    await enqueue(shy, "r1")
    for _ in range(5):
        assert await working.run_due() == 1
        clock.advance(seconds=1)
    assert left(shy) == [("r1", None, 0)]


async def test_an_engine_stops_although_its_audit_takes_an_interruption_for_a_failure(store: Store) -> None:
    begun = asyncio.Event()

    async def audit() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise Unavailable("the connection failed") from None

    engine = Engine(store, {}, lanes=set(), owner="me", audit=audit)
    engine.start()
    await begun.wait()
    await asyncio.wait_for(engine.stop(), 30)
