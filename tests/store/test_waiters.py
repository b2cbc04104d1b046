"""Waiters: who is woken, when, and by whom."""

import asyncio
import subprocess

import pytest
from tests.store.conftest import Start
from tests.store.other_process import append, named_thread

from deskmate.store import Store
from deskmate.store.base import Body, Tx
from deskmate.store.postgres_bell import LONGEST_PAYLOAD, payload, topics_of


def touching(*topics: str) -> Body[None]:
    async def body(tx: Tx) -> None:
        tx.touch(*topics)

    return body


async def test_a_waiter_is_woken_by_a_commit_that_touches_its_topic(store: Store) -> None:
    async with store.waiter("thread:th_1", "thread:th_2") as waiter:
        waiting = asyncio.create_task(waiter.wait(10))
        await asyncio.sleep(0)
        await store.write(touching("thread:th_2"))
        assert await waiting
        assert not await waiter.wait(0)


async def test_a_touch_between_two_waits_is_not_lost(store: Store) -> None:
    async with store.waiter("jobs") as waiter:
        await store.write(touching("jobs"))
        await store.write(touching("jobs"))
        async with asyncio.timeout(10):
            assert await waiter.wait()
        assert not await waiter.wait(0)


async def test_a_waiter_does_not_hear_other_topics_nor_what_was_rolled_back(store: Store) -> None:
    async def failing(tx: Tx) -> None:
        tx.touch("thread:th_1")
        raise KeyError

    async with store.waiter("thread:th_1") as waiter, store.waiter("*") as all_ears:
        with pytest.raises(KeyError):
            await store.write(failing)
        await store.write(touching("thread:th_2"))
        assert await all_ears.wait(10)
        assert not await waiter.wait(0)


async def test_a_waiter_is_deaf_before_and_after(store: Store) -> None:
    waiter = store.waiter("jobs")
    await store.write(touching("jobs"))
    async with waiter:
        assert not await waiter.wait(0)
    await store.write(touching("jobs"))
    async with waiter:
        assert not await waiter.wait(0)


async def test_a_thousand_waiters_hear_one_commit(store: Store) -> None:
    async def listen(entered: asyncio.Semaphore) -> bool:
        async with store.waiter("thread:th_1") as waiter:
            entered.release()
            return await waiter.wait(30)

    entered = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(listen(entered)) for _ in range(1000)]
    for _ in tasks:
        await entered.acquire()
    await store.write(touching("thread:th_1"))
    assert all(await asyncio.gather(*tasks))


async def test_p13_events_of_another_process_wake_the_readers_of_the_thread_and_of_its_customer(
    store: Store, start: Start
) -> None:
    await store.write(named_thread("th_1", await a_customer(store)))
    other = start("append_when_told", store.url)
    assert await say(other) == "ready"
    async with store.waiter("thread:th_1") as of_thread, store.waiter("customer:cus_1") as of_customer:
        for seq in (1, 2, 3):
            assert await say(other, "th_1 customer:cus_1") == "appended"
            # A waiter may be told twice, never too seldom: it looks until it finds what happened.
            while await thread_seq(store) < seq:
                assert await of_thread.wait(10)
            assert await of_customer.wait(10)


async def test_work_enqueued_by_another_process_wakes_the_workers(store: Store, start: Start) -> None:
    await store.write(named_thread("th_1"))
    other = start("append_when_told", store.url)
    assert await say(other) == "ready"
    async with store.waiter("jobs") as waiter:
        assert await say(other, "th_1 jobs") == "appended"
        assert await waiter.wait(10)


async def test_own_events_are_not_taken_for_those_of_another_process(store: Store, start: Start) -> None:
    for name in ("th_1", "th_2"):
        await store.write(named_thread(name))
    other = start("append_when_told", store.url)
    assert await say(other) == "ready"
    async with store.waiter("thread:th_1") as own, store.waiter("thread:th_2") as foreign:
        await store.write(append("th_1"))
        assert await own.wait(10)
        assert await say(other, "th_2") == "appended"
        assert await foreign.wait(10)
        assert not await own.wait(0)


async def test_a_writer_that_is_busy_still_hears_other_processes(store: Store, start: Start) -> None:
    await store.write(named_thread("th_1"))
    await store.write(named_thread("th_2"))
    other = start("append_when_told", store.url)
    assert await say(other) == "ready"

    async def keep_busy() -> None:
        while True:
            await store.write(append("th_2"))

    busy = asyncio.create_task(keep_busy())
    async with store.waiter("thread:th_1") as waiter:
        assert await say(other, "th_1") == "appended"
        assert await waiter.wait(10)
    busy.cancel()
    await asyncio.gather(busy, return_exceptions=True)


async def say(process: "subprocess.Popen[str]", line: str | None = None) -> str:
    """Tell the other process something; returns its next word."""
    assert process.stdin is not None
    assert process.stdout is not None
    if line is not None:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    return (await asyncio.to_thread(process.stdout.readline)).strip()


async def thread_seq(store: Store) -> int:
    async def newest(tx: Tx) -> int:
        rows = await tx.all("events.after_in_thread", thread="th_1", after=0, limit=100)
        return max((row["thread_seq"] for row in rows), default=0)

    return await store.read(newest)


async def a_customer(store: Store) -> str:
    async def body(tx: Tx) -> None:
        await tx.run("customers.ensure", id="cus_1", name="Kim", email=None, anonymous=0, metadata="{}", now=0)

    await store.write(body)
    return "cus_1"


def test_a_notification_names_its_topics_or_everything_when_they_are_too_many() -> None:
    topics = {f"thread:th_{number}" for number in range(100)}
    assert topics_of(payload(topics)) == topics
    many = {f"thread:th_{number}" for number in range(1000)}
    assert len(payload(many)) < LONGEST_PAYLOAD
    assert topics_of(payload(many)) == {"*"}
