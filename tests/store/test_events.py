"""Events of one transaction on both engines: appended together, in the order they were emitted, or not at all."""

import pytest

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.errors import NotFound
from deskmate.services import erasure, feed, threads
from deskmate.store.base import Row, Store, Tx


async def opened(store: Store) -> str:
    return (await store.write(lambda tx: threads.open_(tx, actor=SYSTEM))).id


async def seen(store: Store, after: int = 0) -> list[Row]:
    return await store.read(lambda tx: tx.all("events.after", after=after, limit=1000))


async def test_events_of_several_threads_keep_their_order_and_each_thread_counts_its_own(store: Store) -> None:
    one, two = await opened(store), await opened(store)
    head = (await seen(store))[-1]["seq"]

    async def body(tx: Tx) -> None:
        for thread in (one, two, None, one, one):
            await feed.emit(tx, EventType.THREAD_CHANGED, actor=SYSTEM, thread=thread, data={})

    await store.write(body)
    found = await seen(store, head)
    assert [(row["thread"], row["thread_seq"]) for row in found] == [(one, 2), (two, 2), (None, None), (one, 3), (one, 4)]
    assert sorted({row["seq"] for row in found}) == [row["seq"] for row in found]


async def test_a_body_that_raises_leaves_no_event(store: Store) -> None:
    one = await opened(store)
    before = await seen(store)

    async def body(tx: Tx) -> None:
        await feed.emit(tx, EventType.THREAD_CHANGED, actor=SYSTEM, thread=one, data={})
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(body)
    assert await seen(store) == before


async def test_an_event_of_a_thread_that_is_not_there_raises_and_nothing_else_of_its_body_stays(store: Store) -> None:
    one = await opened(store)
    before = await seen(store)

    async def body(tx: Tx) -> None:
        await threads.change(tx, one, subject="never", actor=SYSTEM)
        await feed.emit(tx, EventType.THREAD_CHANGED, actor=SYSTEM, thread="th_none", data={})

    with pytest.raises(NotFound):
        await store.write(body)
    assert await seen(store) == before
    assert (await store.read(lambda tx: threads.get(tx, one))).subject is None


async def test_what_a_body_did_before_it_deleted_its_thread_is_no_event_and_the_deletion_is_one(store: Store) -> None:
    one = await opened(store)

    async def body(tx: Tx) -> None:
        await threads.change(tx, one, subject="last words", actor=SYSTEM)
        await erasure.delete_thread(tx, one, actor=SYSTEM)

    await store.write(body)
    assert [(row["type"], row["thread_seq"]) for row in await seen(store)] == [("thread.deleted", 3)]


async def test_reading_appends_nothing_and_says_so(store: Store) -> None:
    one = await opened(store)
    with pytest.raises(RuntimeError, match="only reads"):
        await store.read(lambda tx: feed.emit(tx, EventType.THREAD_CHANGED, actor=SYSTEM, thread=one, data={}))
