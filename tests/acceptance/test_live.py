"""Live updates: a reader who knows the last event it saw misses nothing and hears nothing twice (P13)."""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest
from tests.acceptance.doors import PATIENCE, Front, Heard, Listener, Person, soon

from deskmate.services.live import Feed
from deskmate.testing import Gate, ScriptedAgent, asking, streaming

EVENTS_OF_A_PASS = 60


@pytest.fixture
async def thread(ada: Person) -> str:
    return await ada.thread()


def numbered(heard: list[Heard]) -> list[Heard]:
    """The events of the feed, without comments and pieces of text."""
    return [event for event in heard if event.id is not None]


async def chatter(people: list[Person], threads: list[str], count: int) -> None:
    """Several people write on several threads at once, public words and notes."""

    async def one(person: Person, number: int) -> None:
        for index in range(count):
            hidden = person.id.startswith("op") and index % 3 == 0
            await person.say(
                threads[(number + index) % len(threads)],
                f"{number}/{index}",
                **({"visibility": "note"} if hidden else {"respond": False} if person.id.startswith("cus") else {}),
            )

    await asyncio.gather(*(one(person, number) for number, person in enumerate(people)))


def up_to(message: str, heard: list[Heard]) -> list[Heard]:
    """What came up to a message: the desk may have counted somebody's work since."""
    end = next(place for place, event in enumerate(heard) if event.type == "message.posted" and event.message["id"] == message)
    return heard[: end + 1]


@pytest.mark.parametrize("reader", ["customer", "operator", "one thread"])
async def test_p13_a_reader_who_is_cut_off_again_and_again_hears_everything_once(
    front: Front, ada: Person, ana: Person, ben: Person, engine: str, reader: str
):
    threads = [await ada.thread(), await ada.thread()]
    person = ada if reader == "customer" else ana
    only = threads[0] if reader == "one thread" else None
    chance = random.Random(f"{engine} {reader}")
    writing = asyncio.create_task(chatter([ada, ana, ben], threads, 20))
    got: list[Heard] = []
    last = "0"
    while True:
        async with person.listening(last_event_id=last, thread=only) as listener:
            wanted = chance.randint(1, 7)
            hearing = asyncio.create_task(listener.until(lambda event: event.id is not None, count=wanted))
            finished, _ = await asyncio.wait({hearing, writing}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
            assert finished, "neither heard nor written"
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            got += numbered(listener.heard)[:wanted]
            last = got[-1].id or last if got else last
        if writing.done():
            break
    await writing
    marker = await ana.say(threads[0], "the end")
    async with person.listening(last_event_id=last, thread=only) as listener:
        await listener.reply("the end")
        got += numbered(listener.heard)
    async with person.listening(after=0, thread=only) as listener:
        await listener.reply("the end")
        everything = numbered(listener.heard)
    got, everything = up_to(marker["id"], got), up_to(marker["id"], everything)
    assert [(event.id, event.type) for event in got] == [(event.id, event.type) for event in everything]
    posted = [event.message["text"] for event in got if event.type == "message.posted"]
    assert len(posted) == len(set(posted))
    assert marker["text"] == posted[-1]
    ids = [int(event.id or 0) for event in got]
    assert ids == sorted(set(ids))
    for thread in threads:
        numbers = [event.data["thread_seq"] for event in got if event.data["thread"] == thread]
        assert numbers == sorted(set(numbers))
        if person is ana and (only is None or only == thread):
            assert numbers == list(range(1, len(numbers) + 1)), "the team hears every event of a thread"


async def test_an_event_says_what_it_is_about(ada: Person, ana: Person, thread: str):
    async with ana.listening() as theirs, ada.listening() as hers:
        posted = await ada.say(thread, "Hello", respond=False)
        for listener in (theirs, hers):
            event = await listener.type("message.posted")
            assert event.data.keys() == {"seq", "thread", "thread_seq", "type", "actor", "at", "data"}
            assert (event.data["type"], event.data["thread"], str(event.data["seq"])) == ("message.posted", thread, event.id)
            assert event.data["actor"]["kind"] == "customer"
            assert event.message["id"] == posted["id"]
        assert theirs.of("message.posted")[0].message == posted | {
            key: theirs.of("message.posted")[0].message[key] for key in ("model", "provider", "provider_metadata", "run")
        }
        assert hers.of("message.posted")[0].message == posted


async def test_after_and_last_event_id_are_the_same_place_and_the_header_counts(ada: Person, thread: str):
    for number in range(4):
        await ada.say(thread, f"{number}", respond=False)
    async with ada.listening(after=0) as listener:
        second = await listener.type("message.posted", count=2)
    for place in ({"after": second.id}, {"last_event_id": second.id}, {"after": 0, "last_event_id": second.id}):
        async with ada.listening(**place) as listener:
            await listener.type("message.posted", count=2)
            assert listener.texts() == ["2", "3"]


async def test_without_a_place_a_stream_begins_now(ada: Person, thread: str):
    await ada.say(thread, "before", respond=False)
    async with ada.listening() as listener:
        await ada.say(thread, "behind", respond=False)
        await listener.reply("behind")
        assert listener.texts() == ["behind"]


async def test_a_message_posted_right_after_connecting_is_heard(front: Front, ada: Person, ana: Person):
    for number in range(20):
        thread = await ada.thread()
        async with ada.listening(thread=thread) as one, ana.listening() as all_of_them:
            await ada.say(thread, f"Hello {number}", respond=False)
            await one.reply(f"Hello {number}")
            await all_of_them.reply(f"Hello {number}")


async def test_ten_readers_hear_the_same(ada: Person, ana: Person, thread: str):
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(ana.listening()) for _ in range(10)]
        for number in range(10):
            await ada.say(thread, f"{number}", respond=False)
        for reader in readers:
            await reader.reply("9")
        assert len({str([(event.id, event.type) for event in numbered(reader.heard)]) for reader in readers}) == 1
        assert readers[0].texts() == [str(number) for number in range(10)]


async def test_text_is_streamed_in_order_and_ends_as_one_message(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    gate = Gate()
    text = "Grüße aus Köln 👩‍👩‍👧 und 東京, as one text"
    agent.script = streaming(text, gate)
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Hello")
        for number in range(len(text.split(" "))):
            gate.release()
            words = number + 1
            for listener in (hers, theirs):
                await listener.until(lambda e, n=words, by=listener: e.type == "message.delta" and spoken(by, e) == n)
        gate.open()
        for listener in (hers, theirs):
            final = await listener.reply(text)
            assert listener.streamed(final.message["id"]) == text
            mine = [e for e in listener.heard if e.type == "message.delta" or _is(e, final.message["id"])]
            assert [mine[0].type, mine[-1].type] == ["message.posted", "message.changed"]
            assert (mine[0].message["status"], mine[0].message["text"]) == ("pending", "")
            assert {event.type for event in mine[1:-1]} == {"message.delta"}
            assert all(event.id is None for event in mine[1:-1])
    assert [message["text"] for message in await ada.messages(thread)] == ["Hello", text]


def spoken(listener: Listener, event: Heard) -> int:
    return len(listener.streamed(event.data["message"]).split(" "))


def _is(event: Heard, message: str) -> bool:
    return event.type in ("message.posted", "message.changed") and event.message["id"] == message


async def test_who_comes_back_while_text_streams_gets_the_text_so_far_first(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    gate = Gate()
    agent.script = streaming("one two three four five six", gate)
    last, message = None, ""
    async with ada.listening() as hers:
        await ada.say(thread, "Count")
        gate.release(2)
        delta = await hers.until(lambda e: e.type == "message.delta" and hers.streamed(e.data["message"]) == "one two")
        last, message = numbered(hers.heard)[-1].id, delta.data["message"]
    gate.release(2)
    await soon(gate.reached(5))
    for person, place in ((ada, {"last_event_id": last}), (ada, {}), (ana, {"thread": thread}), (ana, {"after": 0})):
        async with person.listening(**place) as back:
            first = await back.type("message.delta")
            assert (first.data["message"], first.data["thread"], first.data["offset"]) == (message, thread, 0)
            await back.until(lambda e, b=back: e.type == "message.delta" and b.streamed(message) == "one two three four")
    async with ada.listening(last_event_id=last) as back:
        gate.open()
        await back.reply("one two three four five six")
        assert "one two three four five six".startswith(back.streamed(message))
        assert len([event for event in back.heard if _is(event, message)]) == 1


async def test_text_never_comes_before_the_event_that_opens_its_message(
    agent: ScriptedAgent, ada: Person, thread: str, store_url: str, engine: str
):
    """On PostgreSQL an event waits until all older transactions have ended, also those of other programs."""
    if engine != "postgresql":
        pytest.skip("SQLite has one writer: its events are there with their commit")
    import psycopg

    gate = Gate()
    agent.script = streaming("one two three", gate)
    async with ada.listening() as hers:
        async with await psycopg.AsyncConnection.connect(store_url) as other:
            await other.execute("SELECT pg_current_xact_id()")
            await ada.say(thread, "Count")
            gate.release(2)
            await soon(gate.reached(3))
            async with ada.listening(after=0) as later:
                await asyncio.wait([asyncio.create_task(later.type("message.delta"))], timeout=0.5)
                assert not later.of("message.delta"), "a piece of a message that no event has opened"
        gate.open()
        await hers.reply("one two three")
        types = [event.type for event in hers.heard if event.type == "message.delta" or _of_agent(event)]
        assert types[0] == "message.posted"
        assert "message.delta" in types


def _of_agent(event: Heard) -> bool:
    return event.type == "message.posted" and event.message["author"]["kind"] == "agent"


async def test_a_silent_stream_gives_signs_of_life(ada: Person, thread: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(Feed.follow.__kwdefaults__, "idle", 0.05)
    async with ada.listening() as hers:
        await hers.until(lambda event: event.type == ":", count=4)
        assert [event.data["comment"] for event in hers.heard][:1] == ["connected"]
        await ada.say(thread, "Hello", respond=False)
        await hers.reply("Hello")


async def test_p13_a_reader_that_is_cut_off_before_it_heard_anything_misses_nothing(ada: Person, thread: str):
    async with ada.listening() as hers:
        place = await hers.begun()
        assert numbered(hers.heard) == []
    await ada.say(thread, "while nobody listened", respond=False)
    async with ada.listening(last_event_id=place) as hers:
        await hers.reply("while nobody listened")


async def test_p13_readers_who_share_a_view_miss_nothing_and_hear_nothing_twice(ada: Person, ana: Person, thread: str):
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(ada.listening()) for _ in range(5)]
        await asyncio.gather(
            *(who.say(thread, f"{who.name} {n}", respond=False) for n in range(20) for who in (ada, ana) if who.id)
        )
        await ana.say(thread, "the end")
        for reader in readers:
            await reader.reply("the end")
        told = [[event.id for event in numbered(reader.heard)] for reader in readers]
        assert all(ids == told[0] for ids in told)
        assert len(set(told[0])) == len(told[0])
        assert all(len(reader.texts()) == 41 for reader in readers)


async def test_customers_and_operators_hear_what_is_theirs(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    agent.script = asking(notice="One moment.")
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Is it?")
        opened = await theirs.type("request.opened")
        request = opened.data["data"]["request"]
        assert request["question"] == "Is it?"
        assert "context" not in request
        await ana.post(f"/api/requests/{request['id']}/claim")
        await theirs.type("request.claimed")
        await ana.answer(request["id"], "Yes")
        await theirs.type("run.done")
        await hers.reply("Ana says: Yes")
        types = [event.type for event in theirs.heard if event.type.split(".")[0] in ("run", "request")]
        assert types == [
            "run.queued", "run.started", "request.opened", "run.paused", "request.claimed", "request.decided", "request.applied",
            "run.queued", "run.started", "run.done",
        ]  # fmt: skip
        assert {event.type for event in hers.heard} <= {":", "message.posted", "message.changed", "thread.changed"}
        changed = await ana.patch(f"/api/threads/{thread}", status="resolved")
        assert changed["status"] == "resolved"
        told = await hers.until(lambda e: e.type == "thread.changed" and "resolved" in e.data["data"].values())
        assert told.data["data"]["thread"]["status"] == "resolved"
        assert "epoch" not in told.data["data"]["thread"]


async def test_events_of_a_page_come_in_the_order_of_the_thread_with_many_writers(
    front: Front, ada: Person, ana: Person, ben: Person, thread: str
):
    async with ana.listening(thread=thread) as theirs:
        await chatter([ada, ana, ben], [thread], EVENTS_OF_A_PASS // 3)
        await ana.say(thread, "the end")
        await theirs.reply("the end")
        numbers = [event.data["thread_seq"] for event in numbered(theirs.heard)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    stored = await ana.messages(thread)
    places = [(message["order"], message["step"]) for message in stored]
    assert places == sorted(set(places))
    assert len(stored) == EVENTS_OF_A_PASS + 1
