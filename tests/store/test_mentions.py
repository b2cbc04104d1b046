"""Mentions on both engines: whom a note calls on, in the feed and in a list of their own; public words call on nobody."""

from collections.abc import AsyncIterator

import pytest

from deskmate import Desk, NewMessage, Operator, Text, Visibility, customer, service
from deskmate.domain.actors import SYSTEM
from deskmate.errors import Forbidden
from deskmate.testing import FakeClock

NOTE = Visibility.NOTE


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def ben(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ben", email="ben@shop.example")


async def told(desk: Desk, thread: str) -> list[object]:
    """The mentions of each posted message, as the feed has them."""
    seen = await desk.feed.read(by=SYSTEM, thread=thread)
    return [one.event.data.get("mentions") for one in seen if one.event.type == "message.posted"]


async def test_a_note_calls_on_colleagues_newest_first_until_they_have_read_it(
    desk: Desk, ana: Operator, ben: Operator, clock: FakeClock
) -> None:
    thread = (await desk.threads.open(customer="ada")).id
    first = await desk.messages.post(thread, "@ben and @Ana: look", author=ana, visibility=NOTE)
    clock.advance(seconds=1)
    second = await desk.messages.post(thread, f"@{{{ben.id}}} again", author=service("robot"), visibility=NOTE)
    assert await told(desk, thread) == [[ben.id], [ben.id]]
    page = await desk.mentions.list(limit=1, by=ben)
    rest = await desk.mentions.list(limit=1, cursor=page.cursor, by=ben)
    assert [one.message.id for one in (*page.items, *rest.items)] == [second.id, first.id]
    assert (page.items[0].thread.id, rest.cursor) == (thread, None)
    assert (await desk.mentions.list(by=ana)).items == ()
    newest = page.items[0].mention.id
    assert await desk.mentions.read([newest], by=ana) == 0  # not hers
    assert await desk.mentions.unread(by=ben) == 2
    assert await desk.mentions.read([newest, newest, "men_none"], by=ben) == 1
    assert [one.message.id for one in (await desk.mentions.list(unread=True, by=ben)).items] == [first.id]
    assert (await desk.mentions.list(by=ben)).items[0].mention.read_at is not None
    assert await desk.mentions.read(by=ben) == 0


async def test_public_words_and_those_who_have_left_are_not_called_on(desk: Desk, ana: Operator, ben: Operator) -> None:
    thread = (await desk.threads.open(customer="ada")).id
    await desk.messages.post(thread, "@Ben, help me", author=customer("ada"), respond=False)
    await desk.messages.post(thread, "@Ben will help you", author=ana)
    unasked = NewMessage(role="assistant", parts=(Text(text="x"),), author=ana.actor().author, mentions=(ben.id,))
    await desk.messages.save(thread, [unasked])
    await desk.operators.disable(ben.id)
    await desk.messages.post(thread, "@Ben has left", author=ana, visibility=NOTE)
    assert await told(desk, thread) == [None, None, None, None]
    await desk.operators.enable(ben.id)
    assert (await desk.mentions.list(by=ben)).items == ()


async def test_a_mention_goes_with_its_note_and_with_its_thread(desk: Desk, ana: Operator, ben: Operator) -> None:
    thread = (await desk.threads.open()).id
    gone = await desk.messages.post(thread, "@Ben one", author=ana, visibility=NOTE)
    await desk.messages.post(thread, "@Ben two", author=ana, visibility=NOTE)
    await desk.messages.delete(gone.id)
    assert [one.message.text for one in (await desk.mentions.list(by=ben)).items] == ["@Ben two"]
    await desk.threads.delete(thread)
    assert (await desk.mentions.list(by=ben)).items == ()
    assert await desk.mentions.unread(by=ben) == 0


async def test_programs_and_customers_have_no_mentions(desk: Desk) -> None:
    for who in (service("robot"), SYSTEM, customer("ada")):
        with pytest.raises(Forbidden):
            await desk.mentions.list(by=who)
        with pytest.raises(Forbidden):
            await desk.mentions.read(by=who)
