"""Unread: per operator and thread what is new, behind what they have read or written themselves."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from deskmate import Desk, NewMessage, Text, Visibility, customer, service
from deskmate.domain.actors import Role, agent
from deskmate.domain.operators import Operator
from deskmate.errors import Forbidden, NotFound
from deskmate.testing import FakeClock

ADA, BOB = customer("ada", "Ada"), customer("bob", "Bob")
NOTE = Visibility.NOTE


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, work=False) as desk:
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def ben(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ben", email="ben@shop.example", role=Role.OBSERVER)


@pytest.fixture
async def thread(desk: Desk, ana: Operator, ben: Operator) -> str:
    """A thread with two messages of its customer, which came when Ana and Ben were there."""
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "Hello", author=ADA)
    await desk.messages.post(thread, "Anybody there?", author=ADA)
    return thread


async def new(desk: Desk, who: Operator, thread: str) -> int:
    return (await desk.reads.unread([thread], by=who))[thread]


async def test_what_customers_write_is_new_to_each_operator_until_they_read_it(
    desk: Desk, ana: Operator, ben: Operator, thread: str
):
    other = (await desk.threads.open(customer="bob", by=BOB)).id
    assert await desk.reads.unread([thread, other], by=ana) == {thread: 2, other: 0}
    await desk.reads.mark(thread, by=ana)
    assert (await new(desk, ana, thread), await new(desk, ben, thread)) == (0, 2)
    await desk.messages.post(thread, "It is urgent", author=ADA)
    assert (await new(desk, ana, thread), await new(desk, ben, thread)) == (1, 3)


async def test_answers_of_the_ai_are_not_new_and_notes_of_others_are(desk: Desk, ana: Operator, ben: Operator, thread: str):
    lea = await desk.operators.add(name="Lea", email="lea@shop.example")
    await desk.reads.mark(thread, by=ana)
    said = [
        NewMessage(role="assistant", parts=(Text(text="One moment"),), author=agent("bot").author),
        NewMessage(role="assistant", parts=(Text(text="A draft"),), author=agent("bot").author, visibility=Visibility.DRAFT),
        NewMessage(role="system", parts=(Text(text="A marker"),), author=agent("bot").author, visibility=NOTE),
    ]
    await desk.messages.save(thread, said)
    assert await new(desk, ana, thread) == 0
    await desk.messages.post(thread, "Look at her last order", author=lea, visibility=NOTE)
    assert (await new(desk, ana, thread), await new(desk, lea, thread), await new(desk, ben, thread)) == (1, 0, 3)


async def test_whoever_writes_has_read_what_stands_before(desk: Desk, ana: Operator, ben: Operator, thread: str):
    await desk.messages.post(thread, "Ana here", author=ana)
    assert (await new(desk, ana, thread), await new(desk, ben, thread)) == (0, 2)


async def test_reading_only_moves_on(desk: Desk, ana: Operator, thread: str):
    first, second = (message.id for message in (await desk.messages.history(thread, by=ana)).items)
    read = await desk.reads.mark(thread, first, by=ana)
    assert read is not None
    assert (read.message, await new(desk, ana, thread)) == (first, 1)
    await desk.reads.mark(thread, second, by=ana)
    again = await desk.reads.mark(thread, first, by=ana)
    assert again is not None
    assert (again.message, await new(desk, ana, thread)) == (second, 0)


async def test_a_new_colleague_does_not_begin_with_all_that_ever_was(desk: Desk, clock: FakeClock, thread: str):
    clock.advance(timedelta(days=1))
    new_one = await desk.operators.add(name="Noa", email="noa@shop.example")
    assert await new(desk, new_one, thread) == 0
    await desk.messages.post(thread, "Still nobody?", author=ADA)
    assert await new(desk, new_one, thread) == 1


async def test_no_more_than_a_hundred_are_counted(desk: Desk, ana: Operator, thread: str):
    said = [NewMessage(role="user", parts=(Text(text=str(number)),), author=ADA.author) for number in range(150)]
    await desk.messages.save(thread, said)
    assert await new(desk, ana, thread) == 100


async def test_events_about_a_thread_say_what_is_new_to_the_operator_who_reads_them(
    desk: Desk, ana: Operator, ben: Operator, thread: str
):
    await desk.reads.mark(thread, by=ana)
    await desk.threads.change(thread, subject="Lyon", by=ana)
    told = [(await desk.feed.read(by=who, thread=thread))[-1].unread for who in (ana, ben, ADA)]
    assert told == [0, 2, None]


async def test_p8_a_customer_reads_their_own_thread_and_never_learns_of_a_note(desk: Desk, ana: Operator, thread: str):
    assert await desk.reads.of_customer(thread, by=ana) is None
    note = await desk.messages.post(thread, "A difficult one", author=ana, visibility=NOTE)
    with pytest.raises(NotFound) as hidden:
        await desk.reads.mark(thread, note.id, by=ADA)
    with pytest.raises(NotFound) as unknown:
        await desk.reads.mark(thread, "msg_unknown", by=ADA)
    assert hidden.value.message.replace(note.id, "") == unknown.value.message.replace("msg_unknown", "")
    read = await desk.reads.mark(thread, by=ADA)
    assert read is not None
    assert (await desk.messages.get(read.message, by=ADA)).text == "Anybody there?"
    assert await desk.reads.of_customer(thread, by=ana) == read
    with pytest.raises(NotFound):
        await desk.reads.mark(thread, by=BOB)
    with pytest.raises(Forbidden):
        await desk.reads.of_customer(thread, by=ADA)
    with pytest.raises(Forbidden):
        await desk.reads.mark(thread, by=service("robot"))


async def test_an_empty_thread_can_be_read_and_a_deleted_one_leaves_nothing(desk: Desk, ana: Operator, thread: str):
    empty = (await desk.threads.open(customer="ada", by=ADA)).id
    assert await desk.reads.mark(empty, by=ana) is None
    await desk.reads.mark(thread, by=ana)
    await desk.threads.delete(thread)
    with pytest.raises(NotFound):
        await desk.reads.mark(thread, by=ana)
