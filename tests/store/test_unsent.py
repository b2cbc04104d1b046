"""Unsent words on both engines: their author's alone, gone when they are sent."""

from collections.abc import AsyncIterator

import pytest

from deskmate import Desk, Operator, Role, Visibility, customer, service
from deskmate.domain.actors import SYSTEM
from deskmate.errors import Forbidden, Invalid, NotFound

NOTE, PUBLIC = Visibility.NOTE, Visibility.PUBLIC


@pytest.fixture
async def desk(store_url: str) -> AsyncIterator[Desk]:
    desk = Desk(store_url)
    yield desk
    await desk.close()


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def thread(desk: Desk) -> str:
    return (await desk.threads.open(customer="ada")).id


async def kept(desk: Desk, thread: str, by: Operator) -> dict[str, str]:
    return {unsent.visibility: unsent.text for unsent in await desk.unsent.get(thread, by=by)}


async def test_a_reply_and_a_note_are_kept_side_by_side_without_a_word_to_the_feed(
    desk: Desk, ana: Operator, thread: str
) -> None:
    before = await desk.feed.read(by=SYSTEM)
    await desk.unsent.put(thread, "Hel", by=ana)
    await desk.unsent.put(thread, "Hello", by=ana)
    await desk.unsent.put(thread, "Odd.\n", visibility=NOTE, by=ana)
    assert await kept(desk, thread, ana) == {"public": "Hello", "note": "Odd.\n"}
    removed = await desk.unsent.put(thread, " \n", visibility=NOTE, by=ana)
    assert (removed.text, removed.updated_at) == ("", None)
    assert await kept(desk, thread, ana) == {"public": "Hello"}
    await desk.unsent.put(thread, "Odd.", visibility=NOTE, by=ana)
    await desk.unsent.delete(thread, visibility=PUBLIC, by=ana)
    assert await kept(desk, thread, ana) == {"note": "Odd."}
    await desk.unsent.delete(thread, by=ana)
    assert await kept(desk, thread, ana) == {}
    assert await desk.feed.read(by=SYSTEM) == before


async def test_sending_clears_what_was_sent_and_nothing_else(desk: Desk, ana: Operator, thread: str) -> None:
    ben = await desk.operators.add(name="Ben", email="ben@shop.example")
    other = (await desk.threads.open()).id
    for who in (ana, ben):
        for visibility in (PUBLIC, NOTE):
            for where in (thread, other):
                await desk.unsent.put(where, "x", visibility=visibility, by=who)
    await desk.messages.post(thread, "Hello", author=ana, idempotency_key="once")
    assert await kept(desk, thread, ana) == {"note": "x"}
    await desk.unsent.put(thread, "And then", by=ana)
    await desk.messages.post(thread, "Hello", author=ana, idempotency_key="once")  # again, after a lost answer
    assert await kept(desk, thread, ana) == {"public": "And then", "note": "x"}
    with pytest.raises(Invalid):
        await desk.messages.post(thread, " ", author=ana, visibility=NOTE)
    await desk.messages.post(thread, "Odd", author=ana, visibility=NOTE)
    assert await kept(desk, thread, ana) == {"public": "And then"}
    both = {"public": "x", "note": "x"}
    assert [await kept(desk, where, who) for where, who in ((other, ana), (thread, ben), (other, ben))] == [both, both, both]


async def test_nobody_reads_what_another_has_typed_and_it_goes_with_its_thread(desk: Desk, ana: Operator, thread: str) -> None:
    admin = await desk.operators.add(name="Max", email="max@shop.example", role=Role.ADMIN)
    observer = await desk.operators.add(name="Obi", email="obi@shop.example", role=Role.OBSERVER)
    await desk.unsent.put(thread, "SECRET", by=ana)
    assert await kept(desk, thread, admin) == {}
    await desk.unsent.delete(thread, by=admin)
    for who in (observer, service("robot"), SYSTEM, customer("ada")):
        with pytest.raises(Forbidden):
            await desk.unsent.get(thread, by=who)
        with pytest.raises(Forbidden):
            await desk.unsent.put(thread, "x", by=who)
    assert await kept(desk, thread, ana) == {"public": "SECRET"}
    await desk.threads.delete(thread)
    with pytest.raises(NotFound):
        await desk.unsent.put(thread, "SECRET", by=ana)


async def test_what_cannot_be_said_cannot_be_kept(desk: Desk, ana: Operator, thread: str) -> None:
    for text in ("x" * 100_001, "a\x00b", "\ud800"):
        with pytest.raises(Invalid):
            await desk.unsent.put(thread, text, by=ana)
    with pytest.raises(Invalid):
        await desk.unsent.put(thread, "x", visibility=Visibility.DRAFT, by=ana)
    assert await kept(desk, thread, ana) == {}
