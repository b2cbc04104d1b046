"""Streams inside a transaction: begin, append, read, end, forget. What an ended stream refuses, no writer can show any more."""

from collections.abc import Sequence

from deskmate.domain.messages import Message, MessageStatus, Position, Text
from deskmate.domain.placement import LARGEST_ORDER
from deskmate.domain.streams import KEPT, SILENCE, Piece, Stream, StreamDelta, StreamStatus, check_numbers, dump, load, texts
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.store import jobs
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc, utc_or_none

JOB = "stream"
"""The kind of the job that tends a stream: it sees when a writer fell silent, and when the stream may be forgotten."""


def stream_of(row: Row) -> Stream:
    """A stored row as a stream."""
    return Stream(
        id=row["id"],
        thread=row["thread"],
        order=row["order"],
        step=row["step"],
        agent_name=row["agent_name"],
        run=row["run"],
        status=StreamStatus(row["status"]),
        reason=row["reason"],
        alive_at=utc(row["alive_at"]),
        ended_at=utc_or_none(row["ended_at"]),
        created_at=utc(row["created_at"]),
    )


def delta_of(row: Row) -> StreamDelta:
    """A stored row as a delta."""
    return StreamDelta(stream=row["stream"], start=row["start"], end=row["end"], parts=load(row["parts"]))


async def find(tx: Tx, id: str) -> Stream | None:
    """One stream, or None."""
    row = await tx.one("streams.get", id=id)
    return None if row is None else stream_of(row)


async def get(tx: Tx, id: str, *, thread: str | None = None) -> Stream:
    """One stream; with a thread, only of that thread. Raises NotFound."""
    stream = await find(tx, id)
    if stream is None or thread not in (None, stream.thread):
        raise NotFound("there is no such stream", field="stream")
    return stream


async def start(tx: Tx, thread: str, at: Position, *, agent_name: str | None, run: str | None = None) -> Stream:
    """Begin at a position of a thread that exists. The timer of its silence begins with it."""
    if any(type(number) is not int or not 0 <= number <= LARGEST_ORDER for number in at):
        raise Invalid("a position is two whole numbers from 0", field="position")
    id = tx.id("stream")
    await tx.run(
        "streams.insert", id=id, thread=thread, order=at.order, step=at.step, agent_name=agent_name, run=run, now=ms(tx.now)
    )
    await jobs.enqueue(tx, JOB, id, at=tx.now + SILENCE, thread=thread)
    return await get(tx, id)


async def append(tx: Tx, id: str, start: int, parts: Sequence[Piece], *, end: int | None = None) -> bool:
    """Add the next pieces, numbered from `start`. False when the stream has ended or is gone; then nothing was stored.

    The same pieces again are no error: a writer that heard no answer may repeat them. Raises Conflict, naming the next number,
    where others are stored at these numbers or some would be missing before them.
    """
    upto = start + len(parts) if end is None else end
    check_numbers(start, upto)
    text = dump(parts)
    stored = await tx.one("streams.append", stream=id, start=start, end=upto, parts=text, now=ms(tx.now))
    if stored is not None:
        tx.touch(f"thread:{stored['thread']}", *([f"customer:{stored['customer']}"] if stored["customer"] else []))
        return True
    stream = await find(tx, id)
    if stream is None or stream.status is not StreamStatus.STREAMING:
        return False
    there = await tx.one("streams.delta", stream=id, start=start)
    if there is not None and (there["end"], there["parts"]) == (upto, text):
        return True
    newest = await tx.one("streams.newest_delta", stream=id)
    following = newest["end"] if newest else 0
    raise Conflict(f"the next piece of this stream has number {following}", field="start", next=following)


async def read(tx: Tx, id: str, *, after: int = 0) -> list[StreamDelta]:
    """What a stream holds from a number on; nothing when it is gone."""
    return [delta_of(row) for row in await tx.all("streams.since", stream=id, start=after)]


async def said(tx: Tx, message: Message) -> tuple[Text, ...]:
    """What the newest stream at the position of a message has said so far."""
    for row in await _at(tx, message):
        return texts(part for delta in await read(tx, row["id"]) for part in delta.parts)
    return ()


async def end(tx: Tx, stream: Stream, status: StreamStatus, *, reason: str | None = None) -> bool:
    """Finish or abort; the first end stands. It can still be read for a while. Tells whether this was the end."""
    if not await tx.run("streams.end", id=stream.id, status=status, reason=reason, now=ms(tx.now)):
        return False
    await jobs.enqueue(tx, JOB, stream.id, at=tx.now + KEPT, thread=stream.thread)
    await wake(tx, stream)
    return True


async def end_with(tx: Tx, message: Message) -> None:
    """A stream that a run writes ends with its message; programs end theirs themselves."""
    for row in await _at(tx, message):
        if row["run"] is not None and row["status"] == StreamStatus.STREAMING:
            success = message.status is MessageStatus.SUCCESS
            status = StreamStatus.FINISHED if success else StreamStatus.ABORTED
            await end(tx, await get(tx, row["id"]), status, reason=message.error)


async def wake(tx: Tx, stream: Stream) -> None:
    """Let those who read along look again."""
    row = await tx.one("streams.get", id=stream.id)
    customer = row["customer"] if row else None
    tx.touch(f"thread:{stream.thread}", *([f"customer:{customer}"] if customer else []))


async def forget(tx: Tx, id: str) -> None:
    """Remove a stream and all it held. One that is gone is no error."""
    await jobs.cancel(tx, JOB, id)
    await tx.run("streams.end", id=id, status=StreamStatus.ABORTED, reason=None, now=ms(tx.now))
    await tx.run("streams.delete_deltas", id=id)
    await tx.run("streams.delete", id=id)


async def forget_at(tx: Tx, message: Message) -> None:
    """Remove what was streamed where a message stood that is removed itself."""
    for row in await _at(tx, message):
        await forget(tx, row["id"])


async def _at(tx: Tx, message: Message) -> list[Row]:
    return await tx.all("streams.at_position", thread=message.thread, order=message.order, step=message.step)
