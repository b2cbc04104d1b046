"""The engines: transactions, snapshots, several loops, crashes and several processes."""

import asyncio
import contextvars
import sqlite3
import threading
from pathlib import Path

import pytest
from tests.store.conftest import Start
from tests.store.other_process import named_thread

from deskmate.errors import Misconfigured, Unavailable
from deskmate.store import Store, connect, migrate, pending_migrations
from deskmate.store.base import Body, Tx
from deskmate.store.bodies import Suspended
from deskmate.store.sql import UnknownStatement
from deskmate.testing import FakeClock, FakeEntropy


async def names(tx: Tx) -> set[str]:
    rows = await tx.all("threads.newest", at=2**62, id="~", status=None, limit=10_000)
    return {row["id"] for row in rows}


def then_fail(body: Body[None], error: Exception) -> Body[None]:
    async def failing(tx: Tx) -> None:
        await body(tx)
        raise error

    return failing


async def test_a_body_that_fails_leaves_nothing_behind_and_its_error_comes_out_unchanged(store: Store) -> None:
    error = KeyError("no")
    with pytest.raises(KeyError) as raised:
        await store.write(then_fail(named_thread("th_1"), error))
    assert raised.value is error
    assert await store.read(names) == set()


async def test_a_statement_that_fails_rolls_back_its_own_body_only(store: Store) -> None:
    async def twice(tx: Tx) -> None:
        await named_thread("th_lost")(tx)
        await named_thread("th_0")(tx)

    await store.write(named_thread("th_0"))
    bodies = [twice if number % 5 == 0 else named_thread(f"th_{number}") for number in range(1, 51)]
    results = await asyncio.gather(*(store.write(body) for body in bodies), return_exceptions=True)
    assert [number for number, result in enumerate(results, 1) if result is not None] == list(range(5, 51, 5))
    assert await store.read(names) == {f"th_{number}" for number in range(51) if number % 5 or not number}


async def test_sqlite_bodies_that_share_a_commit_fail_one_by_one(tmp_path: Path, clock: FakeClock) -> None:
    store = connect(f"sqlite:///{tmp_path / 'desk.db'}", clock=clock, entropy=FakeEntropy())
    await store.open()
    queued = threading.Event()

    async def wait(tx: Tx) -> None:
        assert queued.wait(10)

    first = asyncio.create_task(store.write(wait))
    bodies = [named_thread("th_1"), named_thread("th_1"), then_fail(named_thread("th_lost"), KeyError()), named_thread("th_2")]
    others = [asyncio.create_task(store.write(body)) for body in bodies]
    await asyncio.sleep(0)
    version = sqlite3.connect(tmp_path / "desk.db", isolation_level=None)
    before = version.execute("PRAGMA data_version").fetchone()
    queued.set()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert version.execute("PRAGMA data_version").fetchone() != before
    version.close()
    assert [type(result) for result in results] == [type(None), type(None), sqlite3.IntegrityError, KeyError, type(None)]
    assert await store.read(names) == {"th_1", "th_2"}
    await store.close()


async def test_concurrent_writes_are_all_there_for_the_next_who_opens_the_store(store: Store, clock: FakeClock) -> None:
    await asyncio.gather(*(store.write(named_thread(f"th_{number}")) for number in range(200)))
    await store.close()
    again = connect(store.url, clock=clock, entropy=FakeEntropy("again"))
    await again.open()
    assert len(await again.read(names)) == 200
    await again.close()


async def test_a_reader_sees_one_snapshot(store: Store) -> None:
    loop = asyncio.get_running_loop()
    await store.write(named_thread("th_1"))

    async def twice(tx: Tx) -> tuple[set[str], set[str]]:
        before = await names(tx)
        writing = store.write(named_thread("th_2"))
        if store.engine == "sqlite":  # this body is in a thread, and may block it
            asyncio.run_coroutine_threadsafe(writing, loop).result(10)
        else:
            await writing
        return before, await names(tx)

    assert await store.read(twice) == ({"th_1"}, {"th_1"})
    assert await store.read(names) == {"th_1", "th_2"}


async def test_writing_in_a_read_is_an_error(store: Store) -> None:
    with pytest.raises(RuntimeError, match=r"threads\.insert writes"):
        await store.read(named_thread("th_1"))
    assert await store.read(names) == set()


async def test_a_writer_reads_what_it_wrote(store: Store) -> None:
    async def body(tx: Tx) -> set[str]:
        await named_thread("th_1")(tx)
        return await names(tx)

    assert await store.write(body) == {"th_1"}


async def test_run_answers_how_many_rows_changed(store: Store) -> None:
    async def claim(tx: Tx) -> int:
        return await tx.run("threads.next_event", id="th_1", now=0)

    assert await store.write(claim) == 0
    await store.write(named_thread("th_1"))
    assert await store.write(claim) == 1


async def test_many_executes_for_each_set_of_parameters(store: Store) -> None:
    async def count(tx: Tx) -> int:
        await tx.many("threads.next_event", [{"id": "th_1", "now": 0}] * 3)
        row = await tx.one("threads.get", id="th_1")
        assert row is not None
        return row["event_seq"]

    await store.write(named_thread("th_1"))
    assert await store.write(count) == 3


async def test_time_stands_still_within_a_transaction_and_comes_from_the_desk(store: Store, clock: FakeClock) -> None:
    async def body(tx: Tx) -> bool:
        first = tx.now
        clock.advance(seconds=5)
        return tx.now == first and tx.id("thread") != tx.id("thread") and tx.id("thread").startswith("th_")

    assert await store.write(body)


async def test_an_unknown_statement_is_named_with_what_is_close_to_it(store: Store) -> None:
    async def body(tx: Tx) -> None:
        await tx.run("threads.inser")

    with pytest.raises(UnknownStatement, match=r"'threads\.inser' .* Did you mean .*threads\.insert"):
        await store.write(body)


async def test_a_missing_parameter_is_named(store: Store) -> None:
    async def body(tx: Tx) -> None:
        await tx.one("threads.get")

    with pytest.raises(TypeError, match=r"threads\.get needs the parameter id"):
        await store.read(body)


async def test_a_transaction_cannot_be_kept(store: Store) -> None:
    async def body(tx: Tx) -> Tx:
        return tx

    tx = await store.write(body)
    with pytest.raises(RuntimeError, match="over"):
        await tx.all("threads.get", id="th_1")


async def test_a_body_knows_the_context_of_its_caller(store: Store) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    name.set("ana")

    async def body(tx: Tx) -> str:
        return name.get()

    assert await store.write(body) == "ana"
    assert await store.read(body) == "ana"


async def test_a_cancelled_caller_does_not_harm_the_store(store: Store) -> None:
    tasks = [asyncio.create_task(store.write(named_thread(f"th_{number}"))) for number in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[::2])
    assert {f"th_{number}" for number in range(1, 50, 2)} <= await store.read(names)


async def test_closing_finishes_what_was_accepted(store: Store, clock: FakeClock) -> None:
    tasks = [asyncio.create_task(store.write(named_thread(f"th_{number}"))) for number in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*tasks) == [None] * 50
    with pytest.raises(Unavailable):
        await store.write(named_thread("th_late"))
    await store.close()
    await store.open()
    assert len(await store.read(names)) == 50


async def test_sqlite_a_body_may_await_nothing_but_its_statements(clock: FakeClock) -> None:
    store = connect("sqlite://", clock=clock, entropy=FakeEntropy())
    await store.open()

    async def sleepy(tx: Tx) -> None:
        await named_thread("th_1")(tx)
        try:
            await asyncio.sleep(0)
        finally:
            await named_thread("th_2")(tx)

    with pytest.raises(Suspended, match="nothing but its own statements"):
        await store.write(sleepy)
    assert await store.read(names) == set()
    await store.close()


async def test_sqlite_serves_several_event_loops(clock: FakeClock) -> None:
    store = connect("sqlite://", clock=clock, entropy=FakeEntropy())
    await store.open()

    async def elsewhere(name: str) -> bool:
        async with store.waiter("jobs") as waiter:
            await store.write(named_thread(name))
            await asyncio.to_thread(together.wait, 10)
            return await waiter.wait(10)

    async def touch(tx: Tx) -> None:
        tx.touch("jobs")

    together = threading.Barrier(4)
    threads = [asyncio.to_thread(asyncio.run, elsewhere(f"th_{number}")) for number in range(3)]
    running = asyncio.gather(*threads)
    await asyncio.to_thread(together.wait, 10)
    await store.write(touch)
    assert await running == [True, True, True]
    assert await store.read(names) == {"th_0", "th_1", "th_2"}
    await store.close()


async def test_sqlite_a_file_that_stays_locked_is_unavailable_and_the_store_recovers(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskmate.store.sqlite_threads.PATIENCE", 0.05)
    store = connect(f"sqlite:///{tmp_path / 'a desk.db'}", clock=clock, entropy=FakeEntropy())
    await store.open()
    holder = sqlite3.connect(tmp_path / "a desk.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await store.write(named_thread("th_1"))
    assert await store.read(names) == set()
    holder.execute("ROLLBACK")
    holder.close()
    await store.write(named_thread("th_2"))
    assert await store.read(names) == {"th_2"}
    await store.close()


async def test_sqlite_a_file_that_is_no_database_is_unavailable(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ana, " * 500)
    store = connect(f"sqlite:///{path}", clock=clock, entropy=FakeEntropy())
    with pytest.raises(Unavailable, match="not a database"):
        await store.open()


async def test_sqlite_in_memory_is_private_and_gone_afterwards(clock: FakeClock) -> None:
    first, second = (connect("sqlite://", clock=clock, entropy=FakeEntropy()) for _ in range(2))
    await first.open()
    await second.open()
    await first.write(named_thread("th_1"))
    assert await second.read(names) == set()
    await first.close()
    await first.open()
    assert await first.read(names) == set()
    await first.close()
    await second.close()


async def test_several_processes_write_one_store(store: Store, start: Start) -> None:
    processes = [start("write_some", store.url, "100") for _ in range(2)]
    await asyncio.gather(*(store.write(named_thread(f"th_own_{number}")) for number in range(100)))
    for process in processes:
        output, _ = await asyncio.to_thread(process.communicate, timeout=60)
        assert output == "done\n"
    assert len(await store.read(names)) == 300


async def test_p1_a_killed_process_loses_nothing_that_was_acknowledged(
    store_url: str, start: Start, clock: FakeClock, engine: str
) -> None:
    process = start("write_forever", store_url)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(200)]
    process.kill()
    said += process.stdout.readlines()
    # The last line may have been cut off in the middle.
    acknowledged = {line.strip() for line in said if line.endswith("\n")}
    assert len(acknowledged) >= 200
    store = connect(store_url, clock=clock, entropy=FakeEntropy())
    await store.open()
    assert acknowledged <= await store.read(names)
    await store.write(named_thread("th_after"))
    await store.close()
    if engine == "sqlite":
        with sqlite3.connect(store_url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


async def test_many_processes_may_open_a_new_store_at_once(empty_url: str, start: Start) -> None:
    pending = pending_migrations(empty_url)
    assert pending == sorted(pending)
    assert "0001.spine" in pending
    processes = [start("open_and_say", empty_url) for _ in range(6)]
    for process in processes:
        output, _ = await asyncio.to_thread(process.communicate, timeout=60)
        assert output == "open\n"
    assert pending_migrations(empty_url) == []
    assert migrate(empty_url) == []


async def test_a_migration_that_fails_leaves_nothing_behind(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001.good.sql").write_text("CREATE TABLE good (id TEXT);")
    bad = folder / "0002.bad.sql"
    bad.write_text("CREATE TABLE bad (id TEXT); INSERT INTO nowhere VALUES (1);")
    with monkeypatch.context() as patch:
        patch.setattr("deskmate.store.migrations._FOLDER", folder)
        with pytest.raises(Exception, match="nowhere"):
            migrate(empty_url)
        assert pending_migrations(empty_url) == ["0001.good", "0002.bad"]
    assert migrate(empty_url) == pending_before(empty_url)


def pending_before(url: str) -> list[str]:
    """All migrations, which is what a store that has seen none of them was given."""
    assert pending_migrations(url) == []
    folder = Path(__file__).parents[2] / "src/deskmate/store/migrations"
    engine = "sqlite" if url.startswith("sqlite") else "postgresql"
    return sorted(path.stem for path in (*folder.glob("*.sql"), *(folder / engine).glob("*.sql")))


@pytest.mark.parametrize("url", ["mysql://secret@host/desk", "desk.db", "sqlite:desk.db", "postgresql://u:secret@[host/d"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url: str, clock: FakeClock) -> None:
    with pytest.raises(Misconfigured) as raised:
        connect(url, clock=clock, entropy=FakeEntropy())
    assert raised.value.field == "store"
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["sqlite:////nowhere/desk.db", "postgresql://ana:secret@127.0.0.1:1/desk?connect_timeout=2"])
async def test_a_store_that_cannot_be_reached_says_where_it_looked_and_keeps_the_password(url: str, clock: FakeClock) -> None:
    store = connect(url, clock=clock, entropy=FakeEntropy())
    with pytest.raises(Unavailable, match=r"/nowhere/desk\.db|127\.0\.0\.1:1/desk") as raised:
        await store.open()
    assert "secret" not in str(raised.value)
    await store.close()
