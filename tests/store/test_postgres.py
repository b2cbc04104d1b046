"""What only PostgreSQL can do wrong: commits out of order, lost connections, deadlocks."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from tests.store.other_process import append, named_thread

from deskmate.store import Store, connect, postgres_bell
from deskmate.store.base import Tx
from deskmate.store.postgres_bell import Bell
from deskmate.store.sql import parse, statements
from deskmate.store.waiters import Hub
from deskmate.testing import FakeClock, FakeEntropy

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine() -> str:
    return "postgresql"


@pytest.fixture
async def other(store_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    """A second store on the same database, as in another process."""
    store = connect(store_url, clock=clock, entropy=FakeEntropy("other"))
    await store.open()
    yield store
    await store.close()


async def feed(tx: Tx) -> list[tuple[str, int]]:
    rows = await tx.all("events.after", after=0, limit=100)
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    return [(row["thread"], row["thread_seq"]) for row in rows]


async def feed_of(store: Store, length: int) -> list[tuple[str, int]]:
    """The feed, as soon as it shows so many events: any open transaction of the server holds it back."""
    async with store.waiter("*") as waiter:
        while len(events := await store.read(feed)) < length:
            assert await waiter.wait(10)
    return events


async def head(tx: Tx) -> int:
    row = await tx.one("events.head")
    assert row is not None
    return row["seq"]


async def test_p13_an_event_of_an_older_transaction_that_commits_later_is_not_lost(store: Store, other: Store) -> None:
    for name in ("th_old", "th_new"):
        await store.write(named_thread(name))
    appended, commit = asyncio.Event(), asyncio.Event()

    async def slow(tx: Tx) -> None:
        await append("th_old")(tx)
        appended.set()
        await commit.wait()

    older = asyncio.create_task(other.write(slow))
    await appended.wait()
    async with store.waiter("thread:th_new") as here, other.waiter("thread:th_new") as there:
        await store.write(append("th_new"))
        assert await here.wait(10)
        assert await there.wait(10)
        assert await store.read(feed) == []
        assert await store.read(head) == 0
        commit.set()
        await older
        for waiter, reader in ((here, store), (there, other)):
            # Both were told while there was nothing to see, so both must be told again.
            assert await waiter.wait(10)
            assert await reader.read(feed) == [("th_old", 1), ("th_new", 1)]


async def test_p13_events_of_one_thread_keep_their_order_when_transactions_overtake(store: Store, other: Store) -> None:
    await store.write(named_thread("th_1"))
    began, go = asyncio.Event(), asyncio.Event()
    runs = 0

    async def overtaken(tx: Tx) -> None:
        nonlocal runs
        runs += 1
        await named_thread("th_2")(tx)  # from here on the transaction has its id
        began.set()
        await go.wait()
        await append("th_1")(tx)

    older = asyncio.create_task(other.write(overtaken))
    await began.wait()
    await store.write(append("th_1"))
    go.set()
    await older
    assert runs == 2
    assert await feed_of(store, 2) == [("th_1", 1), ("th_1", 2)]


async def test_p13_concurrent_events_of_one_thread_keep_their_order(store: Store, other: Store) -> None:
    await store.write(named_thread("th_1"))
    await asyncio.gather(*(desk.write(append("th_1")) for desk in (store, other) * 25))
    assert await feed_of(store, 50) == [("th_1", number) for number in range(1, 51)]


async def test_a_reader_that_only_goes_forward_meets_every_event(store: Store, other: Store) -> None:
    for number in range(10):
        await store.write(named_thread(f"th_{number}"))
    seen: list[tuple[str, int]] = []

    async def follow() -> None:
        after = 0

        async def page(tx: Tx) -> list[tuple[int, str, int]]:
            rows = await tx.all("events.after", after=after, limit=7)
            return [(row["seq"], row["thread"], row["thread_seq"]) for row in rows]

        async with store.waiter("*") as waiter:
            ready.set()
            while len(seen) < 200:
                rows = await store.read(page)
                seen.extend((thread, number) for _, thread, number in rows)
                if rows:
                    after = rows[-1][0]
                else:
                    assert await waiter.wait(10)

    ready = asyncio.Event()
    following = asyncio.create_task(follow())
    await ready.wait()
    await asyncio.gather(*((store, other)[n % 2].write(append(f"th_{n % 10}")) for n in range(200)))
    await following
    assert sorted(seen) == sorted((f"th_{n}", seq) for n in range(10) for seq in range(1, 21))
    for n in range(10):
        assert [seq for thread, seq in seen if thread == f"th_{n}"] == list(range(1, 21))


async def test_a_restored_dump_does_not_stop_the_feed(store: Store) -> None:
    await store.write(named_thread("th_1"))
    await store.write(append("th_1"))
    assert await feed_of(store, 1) == [("th_1", 1)]
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute("UPDATE events SET seq = 1000000000000000")
    connection.close()
    assert await store.read(feed) == []
    await store.close()
    await store.open()
    assert await store.read(head) == 1_000_000_000_000_000
    await store.write(append("th_1"))
    assert await feed_of(store, 2) == [("th_1", 1), ("th_1", 2)]


async def test_two_who_lock_each_other_out_both_come_through(store: Store) -> None:
    for name in ("th_1", "th_2"):
        await store.write(named_thread(name))
    both_hold = asyncio.Barrier(2)
    runs = 0

    def locking(*order: str):
        async def body(tx: Tx) -> None:
            nonlocal runs
            runs += 1
            await tx.one("threads.next_event", id=order[0], now=0)
            if runs <= 2:
                await both_hold.wait()
            await tx.one("threads.next_event", id=order[1], now=0)

        return body

    await asyncio.gather(store.write(locking("th_1", "th_2")), store.write(locking("th_2", "th_1")))
    assert runs >= 3

    async def count(tx: Tx) -> list[int]:
        rows = [await tx.one("threads.get", id=name) for name in ("th_1", "th_2")]
        return [row["event_seq"] for row in rows if row]

    assert await store.read(count) == [2, 2]


def cut_connections(store: Store) -> None:
    """As a restart of the server would."""
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deskmate'")
    connection.close()


async def test_lost_connections_are_replaced_without_an_error(store: Store) -> None:
    await asyncio.gather(*(store.write(named_thread(f"th_{number}")) for number in range(10)))
    cut_connections(store)
    await store.write(named_thread("th_10"))
    cut_connections(store)

    async def count(tx: Tx) -> int:
        return len(await tx.all("threads.newest", at=2**62, id="~", status=None, limit=100))

    assert await store.read(count) == 11


async def test_after_a_lost_connection_everybody_looks_and_hears_again(store: Store, other: Store) -> None:
    await store.write(named_thread("th_1"))
    async with store.waiter("thread:th_1") as waiter:
        cut_connections(store)
        assert await waiter.wait(10)
        await other.write(append("th_1"))
        assert await waiter.wait(10)


async def test_a_process_that_ends_while_the_server_is_away_does_not_try_for_ever(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def nobody_answers(url: str) -> None:
        nonlocal tries
        tries += 1
        assert tries < 100, "it tries without a pause"
        task = asyncio.current_task()
        if task is not None and "sends" in task.get_name():
            await asyncio.sleep(1)  # long enough for the one that hears to try again meanwhile
        raise psycopg.OperationalError("the server is away")

    bell = Bell(store_url, Hub())
    await bell.open()
    monkeypatch.setattr(postgres_bell, "connect_alone", nobody_answers)
    cut_connections(store)
    while not tries:  # noqa: ASYNC110 - a connection that was lost is no event
        await asyncio.sleep(0.01)
    bell.ring({"thread:one"}, 0)
    await asyncio.sleep(0.1)  # by now it knows that the connection to send over is lost as well
    await bell.close()
    assert tries < 10


async def test_a_body_cannot_append_more_than_the_feed_has_numbers_for(store: Store) -> None:
    await store.write(named_thread("th_1"))

    async def too_many(tx: Tx) -> None:
        await tx.many("events.append", (event(number) for number in range(1, 4098)))

    with pytest.raises(ValueError, match="4096"):
        await store.write(too_many)
    assert await store.read(feed) == []


def event(number: int) -> dict[str, object]:
    return {
        "thread": "th_1", "thread_seq": number, "type": "thread.changed", "actor_kind": "system", "actor_id": None,
        "actor_name": "", "channel": None, "at": 0, "data": "{}",
    }  # fmt: skip


@pytest.fixture
def values() -> Iterator[str]:
    source = (
        "-- name: row\n-- Values.\n"
        "SELECT sum(n) AS sum, max(n) > 1 AS more, count(*) AS n "
        "FROM (VALUES (1), (CAST(:n AS BIGINT))) AS t (n)"
    )
    (statement,) = parse("values", source, "postgresql")
    statements("postgresql")[statement.name] = statement
    yield statement.name
    del statements("postgresql")[statement.name]


async def test_values_look_as_they_do_on_sqlite(store: Store, values: str) -> None:
    async def body(tx: Tx) -> object:
        return await tx.one(values, n=2), await tx.one(values, n=True)

    assert repr(await store.read(body)) == repr(({"sum": 3, "more": 1, "n": 2}, {"sum": 2, "more": 0, "n": 2}))
