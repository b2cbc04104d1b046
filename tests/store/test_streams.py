"""Streams on both engines: numbers without gaps, readers that go on anywhere, ends that hold, and timers that survive."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest

from deskmate import Desk
from deskmate.domain.actors import agent, customer
from deskmate.domain.messages import MessageStatus, NewMessage, Position, Text, Visibility
from deskmate.domain.streams import Piece, StreamDelta, StreamStatus, TextDelta, TextEnd, TextStart
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, Forbidden, Invalid, NotFound
from deskmate.services import runs
from deskmate.services.live import Piece as Heard
from deskmate.services.respond import Failed, Overtaken
from deskmate.store import connect, jobs
from deskmate.testing import FakeClock, Gate, ScriptedAgent, pass_time, streaming

ADA, BEN, BOT = customer("ada", "Ada"), customer("ben", "Ben"), agent("bot")
ALL = tuple(StreamStatus)


def words(*texts: str, id: str = "1") -> list[Piece]:
    return [TextDelta(id=id, text=text) for text in texts]


def text_of(deltas: list[StreamDelta]) -> str:
    return "".join(delta.text for delta in deltas)


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


@pytest.fixture
async def other(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    """Another machine with the same store."""
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


@pytest.fixture
async def thread(desk: Desk) -> Thread:
    return await desk.threads.open(customer="ada")


async def written(desk: Desk, thread: Thread, visibility: Visibility = Visibility.PUBLIC) -> tuple[str, str]:
    """A pending message of a program, and the stream at its place."""
    new = NewMessage(role="assistant", parts=(), author=BOT.author, visibility=visibility, status=MessageStatus.PENDING)
    pending = (await desk.messages.save(thread.id, [new]))[0]
    stream = await desk.streams.start(thread.id, pending.position, agent_name="bot")
    return pending.id, stream.id


async def test_pieces_have_no_gaps_and_the_refusal_names_the_next_number(desk: Desk, thread: Thread) -> None:
    stream = await desk.streams.start(thread.id, Position(0, 1))
    assert await desk.streams.append(stream.id, 0, words("a", "b"))
    for start in (1, 3, 900):
        with pytest.raises(Conflict) as refused:
            await desk.streams.append(stream.id, start, words("x"))
        assert refused.value.facts == {"next": 2}
    for start, end in ((-1, 1), (2, 2), (2, 1), (0.5, 2), (True, 2), (2, 2**63)):
        with pytest.raises(Invalid):
            await desk.streams.append(stream.id, start, words("x"), end=end)  # pyright: ignore[reportArgumentType]
    assert await desk.streams.append(stream.id, 2, words("c"))
    assert text_of(await desk.streams.read(thread.id, {stream.id: 0})) == "abc"


async def test_a_writer_that_heard_no_answer_may_say_the_same_again(desk: Desk, thread: Thread) -> None:
    stream = await desk.streams.start(thread.id, Position(0, 1))
    assert [await desk.streams.append(stream.id, 0, words("a")) for _ in range(3)] == [True] * 3
    with pytest.raises(Conflict):
        await desk.streams.append(stream.id, 0, words("b"))
    assert text_of(await desk.streams.read(thread.id, {stream.id: 0})) == "a"


async def test_of_many_writers_at_once_one_gets_the_number(desk: Desk, other: Desk, thread: Thread) -> None:
    stream = await desk.streams.start(thread.id, Position(0, 1))
    calls = [where.streams.append(stream.id, 0, words(f"{n}")) for n, where in enumerate([desk, other] * 8)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [one for one in outcomes if one is True] == [True]
    assert all(isinstance(one, Conflict) for one in outcomes if one is not True)
    assert len(await desk.streams.read(thread.id, {stream.id: 0})) == 1


async def test_no_piece_is_stored_behind_an_abort_that_races_with_it(desk: Desk, other: Desk, thread: Thread) -> None:
    for turn in range(8):
        stream = await desk.streams.start(thread.id, Position(turn, 1))

        begun = asyncio.Event()

        async def write(id: str = stream.id, begun: asyncio.Event = begun) -> int:
            number = 0
            while await other.streams.append(id, number, words("x")):
                number += 1
                begun.set()
            return number

        writing = asyncio.create_task(write())
        await begun.wait()
        assert await desk.streams.abort(stream.id, "enough")
        left = len(await desk.streams.read(thread.id, {stream.id: 0}))
        assert await writing == left
        assert len(await desk.streams.read(thread.id, {stream.id: 0})) == left


async def test_any_number_of_readers_go_on_from_any_place_on_any_machine(desk: Desk, other: Desk, thread: Thread) -> None:
    _, stream = await written(desk, thread)
    await desk.streams.append(stream, 0, words("Un", "til "))

    async def follow(where: Desk, after: int) -> str:
        return "".join([delta.text async for delta in where.streams.follow(stream, after=after, by=ADA)])

    readers = [asyncio.create_task(follow(where, after)) for where in (desk, other) for after in (0, 2)]
    await asyncio.sleep(0)
    await other.streams.append(stream, 2, words("19"))
    await desk.streams.append(stream, 3, words(":00"))
    await desk.streams.finish(stream)
    async with asyncio.timeout(20):
        assert await asyncio.gather(*readers) == ["Until 19:00", "19:00"] * 2


async def test_a_message_takes_over_each_text_of_its_stream_and_the_stream_can_still_be_read(desk: Desk, thread: Thread) -> None:
    message, stream = await written(desk, thread)
    pieces = [TextStart(id="1"), *words("One."), TextStart(id="2"), *words("Tw", id="2"), TextEnd(id="1"), *words("o.", id="2")]
    await desk.streams.append(stream, 0, pieces)
    finished = await desk.messages.finish(message)
    assert finished.parts == (Text(text="One."), Text(text="Two."))
    assert (await desk.streams.read(thread.id, {stream: 0}))[0].parts == tuple(pieces)


async def test_text_that_no_store_can_hold_is_made_readable(desk: Desk, thread: Thread) -> None:
    message, stream = await written(desk, thread)
    assert await desk.streams.append(stream, 0, words("a\x00b\ud800c"))
    assert (await desk.messages.finish(message)).text.startswith("a")


async def test_p8_customers_read_the_streams_of_what_they_may_see_and_stop_their_own_only(desk: Desk, thread: Thread) -> None:
    _, public = await written(desk, thread)
    _, note = await written(desk, thread, Visibility.NOTE)
    loose = (await desk.streams.start(thread.id, Position(7, 0))).id
    for stream in (public, note, loose):
        await desk.streams.append(stream, 0, words("psst"))
    every = dict.fromkeys((public, note, loose), 0)
    assert {delta.stream for delta in await desk.streams.read(thread.id, every, by=ADA)} == {public}
    assert [stream.id for stream in await desk.streams.of_thread(thread.id, by=ADA)] == [public]
    assert [delta async for delta in desk.streams.follow(note, by=ADA)] == []
    with pytest.raises(NotFound):
        await desk.streams.read(thread.id, every, by=BEN)
    with pytest.raises(NotFound):
        await desk.streams.abort(public, "mine?", by=BEN)
    with pytest.raises(Forbidden):
        await desk.streams.abort(public, "not for agents", by=BOT)
    assert await desk.streams.abort(public, "I have seen enough", by=ADA)


async def test_streams_of_another_thread_cannot_be_read_or_ended_through_this_one(desk: Desk, thread: Thread) -> None:
    elsewhere = await desk.threads.open(customer="ben")
    _, stream = await written(desk, elsewhere)
    await desk.streams.append(stream, 0, words("x"))
    assert await desk.streams.read(thread.id, {stream: 0}) == []
    new = NewMessage(role="assistant", parts=(Text(text="hi"),), author=BOT.author)
    with pytest.raises(NotFound):
        await desk.messages.save(thread.id, [new], finish_stream=stream)
    assert not (await desk.messages.page(thread.id)).items
    with pytest.raises(NotFound):
        await desk.streams.start("th_none", Position(0, 0))


async def test_signs_of_life_hold_a_stream_and_silence_ends_it_to_the_minute(
    desk: Desk, clock: FakeClock, thread: Thread
) -> None:
    stream = await desk.streams.start(thread.id, Position(0, 1))

    async def status() -> list[str]:
        return [found.status for found in await desk.streams.of_thread(thread.id, statuses=ALL)]

    await pass_time(desk, clock, seconds=9 * 60)
    await desk.streams.heartbeat(stream.id)
    await pass_time(desk, clock, seconds=9 * 60)
    assert await desk.streams.append(stream.id, 0, words("x"))
    await pass_time(desk, clock, seconds=10 * 60 - 1)
    assert await status() == ["streaming"]
    await pass_time(desk, clock, seconds=1)
    assert await status() == ["aborted"]
    await desk.streams.heartbeat(stream.id)
    assert not await desk.streams.append(stream.id, 1, words("y"))
    await pass_time(desk, clock, seconds=5 * 60 - 1)
    assert len(await desk.streams.read(thread.id, {stream.id: 0})) == 1
    await pass_time(desk, clock, seconds=1)
    assert await status() == []
    assert await desk.next_due() is None


async def test_timers_survive_a_restart_and_run_in_whichever_process_is_up(
    desk: Desk, other: Desk, clock: FakeClock, thread: Thread
) -> None:
    await desk.streams.start(thread.id, Position(0, 1))
    await desk.close()
    clock.advance(seconds=11 * 60)
    assert await other.run_due() == 1
    aborted = (await other.streams.of_thread(thread.id, statuses=ALL))[0]
    assert (aborted.status, aborted.reason) == (StreamStatus.ABORTED, "no sign of life")
    await other.close()
    await pass_time(desk, clock, seconds=5 * 60)
    assert not await desk.streams.of_thread(thread.id, statuses=ALL)


async def test_deleting_the_message_or_the_thread_deletes_what_was_streamed(desk: Desk, store_url: str, thread: Thread) -> None:
    message, stream = await written(desk, thread)
    await desk.streams.append(stream, 0, words("my card number is"))
    await desk.messages.delete(message)
    assert not await desk.streams.append(stream, 1, words("1234"))
    _, second = await written(desk, thread)
    await desk.streams.append(second, 0, words("secret"))
    await desk.threads.delete(thread.id)
    await desk.close()
    assert await rows_of(store_url, "streams") == await rows_of(store_url, "deltas") == await rows_of(store_url, "jobs") == 0


async def rows_of(url: str, table: str) -> int:
    """How many rows a table has; the tests look into the tables for nothing else."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            return connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    import psycopg

    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await (await connection.execute(f"SELECT COUNT(*) FROM {table}".encode())).fetchone()
        assert found is not None
        return found[0]


async def streaming_run(desk: Desk, scripted: ScriptedAgent, gate: Gate) -> tuple[Thread, "asyncio.Task[object]", str]:
    """A run in the middle of its answer: two words are out, the model thinks about the third."""
    scripted.script = streaming("Until 19:00 every day", gate)
    desk.register(scripted)
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "When?", author=ADA)
    responding: asyncio.Task[object] = asyncio.create_task(desk.respond(thread.id))
    gate.release(2)
    await gate.reached(3)
    heard = ""
    async for item in desk.feed.follow(by=ADA, after=0, thread=thread.id):
        heard += item.text if isinstance(item, Heard) else ""
        if heard == "Until 19:00":
            break
    return thread, responding, (await desk.streams.of_thread(thread.id))[0].id


async def test_aborting_the_stream_of_a_run_stops_its_model_at_once_and_visibly(desk: Desk, other: Desk) -> None:
    scripted, gate = ScriptedAgent(name="bot"), Gate()
    thread, responding, stream = await streaming_run(desk, scripted, gate)
    assert await other.streams.abort(stream, "the customer pressed stop", by=ADA)
    async with asyncio.timeout(20):
        assert isinstance(await responding, Overtaken)
        await scripted.over(scripted.turns[0].run)
        assert scripted.stopped == [scripted.turns[0].run]
    said = (await desk.messages.history(thread.id, by=ADA)).items[-1]
    assert (said.text, said.status, said.error) == ("Until 19:00", "failed", "cancelled")
    ended = (await desk.streams.of_thread(thread.id, statuses=ALL))[0]
    assert (ended.status, ended.reason) == (StreamStatus.ABORTED, "the customer pressed stop")
    assert (await desk.threads.get(thread.id)).waiting_since is not None


async def test_aborting_an_order_stops_the_run_that_writes_on_it_and_no_other(desk: Desk) -> None:
    scripted, gate = ScriptedAgent(name="bot"), Gate()
    thread, responding, stream = await streaming_run(desk, scripted, gate)
    assert not await desk.streams.abort_order(thread.id, 5, "wrong order")
    assert await desk.streams.abort_order(thread.id, 0, "stop")
    assert not await desk.streams.abort_order(thread.id, 0, "again")
    async with asyncio.timeout(20):
        assert isinstance(await responding, Overtaken)
    assert not await desk.streams.append(stream, 2, words("late"))


async def test_a_run_whose_stream_was_ended_notices_at_its_next_write_and_fails_visibly(desk: Desk) -> None:
    scripted, gate = ScriptedAgent(name="bot"), Gate()
    thread, responding, stream = await streaming_run(desk, scripted, gate)
    await desk.streams.finish(stream)  # nobody should; the run goes on until it writes again
    gate.open()
    async with asyncio.timeout(20):
        assert isinstance(await responding, Failed)
    messages = (await desk.messages.page(thread.id)).items
    assert [(one.role, one.status) for one in messages if one.role == "assistant"] == [("assistant", "failed")]
    assert messages[-1].role == "system"


async def test_a_reader_of_the_feed_hears_each_word_of_a_run_once_and_nothing_after_the_abort(desk: Desk) -> None:
    scripted, gate = ScriptedAgent(name="bot"), Gate()
    thread, responding, stream = await streaming_run(desk, scripted, gate)
    heard: list[Heard] = []
    async with asyncio.timeout(20):
        async for item in desk.feed.follow(by=ADA, after=0, thread=thread.id, idle=0.5):
            if isinstance(item, Heard):
                heard.append(item)
                await desk.streams.abort(stream, "stop")
                gate.open()
            elif heard and getattr(item, "event", None) is None:
                break
        await responding
    assert [(piece.offset, piece.text) for piece in heard] == [(0, "Until 19:00")]


async def test_a_run_that_is_alive_is_never_silent_and_a_dead_one_is_after_ten_minutes(
    desk: Desk, store_url: str, clock: FakeClock
) -> None:
    scripted, gate = ScriptedAgent(name="bot"), Gate()
    thread, responding, stream = await streaming_run(desk, scripted, gate)
    run = scripted.turns[0].run
    clock.advance(seconds=11 * 60)
    timekeeper = Desk(store_url, clock=clock)

    async def hold() -> None:
        store = connect(store_url, clock=clock, entropy=lambda length: bytes(length))
        await store.open()
        live = await store.read(lambda tx: runs.get(tx, run))
        await store.write(lambda tx: runs.hold(tx, live, jobs.LEASE))
        await store.close()

    await hold()
    await timekeeper.run_due()
    assert (await timekeeper.streams.of_thread(thread.id))[0].id == stream
    clock.advance(seconds=21 * 60)
    await timekeeper.run_due()
    assert not await timekeeper.streams.of_thread(thread.id)
    half = (await timekeeper.messages.history(thread.id, by=ADA)).items[-1]
    assert (half.text, half.status) == ("Until 19:00", "failed")
    await timekeeper.close()
    gate.open()
    async with asyncio.timeout(20):
        outcome = await responding
    assert isinstance(outcome, Failed)
