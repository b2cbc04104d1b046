"""Streaming: the verbs of streams, for programs that write them and people who read along or stop them; and their timers."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.messages import Position
from deskmate.domain.permissions import Action, allowed, require, visible
from deskmate.domain.runs import RunState
from deskmate.domain.streams import KEPT, SILENCE, Piece, Stream, StreamDelta, StreamStatus
from deskmate.services import applying, posting, runs, streams, threads, writer
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.rows import message_of
from deskmate.store.times import ms, utc

SILENT = "no sign of life"
STOPPED = "cancelled"  # the error of a message that a person stopped
FAILED = "failed"
LOOK = 1.0  # seconds between two looks of a reader whom nobody woke


class Streams:
    """What is being written on threads.

    Programs begin, append, finish; their messages they finish themselves, and a message finished without content takes over what
    was streamed at its position. The runs of agents write theirs through the desk: aborting such a stream ends its run.
    """

    def __init__(self, store: Store, closing: asyncio.Event | None = None) -> None:
        self._store = store
        self._closing = closing or asyncio.Event()

    async def start(self, thread: str, at: Position, *, agent_name: str | None = None) -> Stream:
        """Begin to write at a position. Raises NotFound, Invalid."""

        async def body(tx: Tx) -> Stream:
            await threads.lock(tx, thread)
            return await streams.start(tx, thread, at, agent_name=agent_name)

        return await self._store.write(body)

    async def append(self, stream: str, start: int, parts: Sequence[Piece], *, end: int | None = None) -> bool:
        """Add the next pieces, numbered from `start`. False when the stream has ended or is gone: stop writing.

        The same pieces may be sent again. Raises Conflict, naming the next number, for a gap or for other pieces; Invalid.
        """
        return await self._store.write(lambda tx: streams.append(tx, stream, start, parts, end=end))

    async def heartbeat(self, stream: str) -> None:
        """A sign of life while there is nothing to add. Without any for ten minutes a stream is aborted."""

        async def body(tx: Tx) -> None:
            await tx.run("streams.beat", id=stream, now=ms(tx.now))

        await self._store.write(body)

    async def finish(self, stream: str) -> None:
        """All is said; one that has ended stays as it is. Raises NotFound."""

        async def body(tx: Tx) -> None:
            await streams.end(tx, await streams.get(tx, stream), StreamStatus.FINISHED)

        await self._store.write(body)

    async def abort(self, stream: str, reason: str, *, by: Actor = SYSTEM) -> bool:
        """Stop it: no further piece is accepted, and the run that writes it ends with what it has said, failed.

        Tells whether it was still being written. Raises NotFound, Forbidden.
        """

        async def body(tx: Tx) -> bool:
            found = await streams.get(tx, stream)
            thread = await threads.lock(tx, found.thread)
            require(by, Action.THREAD_RESPOND, owner=thread.customer)
            return await _abort(tx, found, reason, by)

        return await self._store.write(body)

    async def abort_order(self, thread: str, order: int, reason: str, *, by: Actor = SYSTEM) -> bool:
        """Stop all that is being written on one order. Tells whether there was any. Raises NotFound, Forbidden."""

        async def body(tx: Tx) -> bool:
            found = await threads.lock(tx, thread)
            require(by, Action.THREAD_RESPOND, owner=found.customer)
            rows = await tx.all("streams.live_of_order", thread=thread, order=order)
            return any([await _abort(tx, await streams.get(tx, row["id"]), reason, by) for row in rows])

        return await self._store.write(body)

    async def delete(self, stream: str) -> None:
        """Remove a stream with its pieces before its time. One that is gone is no error."""
        await self._store.write(lambda tx: streams.forget(tx, stream))

    async def of_thread(
        self,
        thread: str,
        *,
        statuses: Iterable[StreamStatus] = (StreamStatus.STREAMING,),
        from_order: int = 0,
        by: Actor = SYSTEM,
    ) -> list[Stream]:
        """The streams of a thread from an order on, latest position first. Raises NotFound, Forbidden."""
        wanted = [*dict.fromkeys(statuses), "", "", ""]

        async def body(tx: Tx) -> list[Stream]:
            await _check_reader(tx, thread, by)
            rows = await tx.all(
                "streams.of_thread",
                thread=thread, from_order=from_order, status_1=wanted[0], status_2=wanted[1], status_3=wanted[2],
            )  # fmt: skip
            return [found for row in rows if await _may_read(tx, found := streams.stream_of(row), by)]

        return await self._store.read(body)

    async def read(self, thread: str, cursors: Mapping[str, int], *, by: Actor = SYSTEM) -> list[StreamDelta]:
        """What streams of a thread hold, each from its number on: the `end` of the last delta a reader has. Never raises for a
        stream that is gone. Raises NotFound, Forbidden."""

        async def body(tx: Tx) -> list[StreamDelta]:
            await _check_reader(tx, thread, by)
            found: list[StreamDelta] = []
            for id, number in cursors.items():
                stream = await streams.find(tx, id)
                if stream is not None and stream.thread == thread and await _may_read(tx, stream, by):
                    found += await streams.read(tx, id, after=number)
            return found

        return await self._store.read(body)

    async def follow(self, stream: str, *, after: int = 0, by: Actor = SYSTEM) -> AsyncIterator[StreamDelta]:
        """Every delta from a number on, as it comes, until the stream ends. Raises NotFound, Forbidden."""

        async def look(tx: Tx, number: int) -> tuple[Stream | None, list[StreamDelta]]:
            now = await streams.find(tx, stream)
            if now is None or not await _may_read(tx, now, by):
                return None, []
            return now, await streams.read(tx, stream, after=number)

        found = await self._store.read(lambda tx: streams.get(tx, stream))
        await self._store.read(lambda tx: _check_reader(tx, found.thread, by))
        async with self._store.waiter(f"thread:{found.thread}") as waiter:
            while not self._closing.is_set():
                now, deltas = await self._store.read(lambda tx, number=after: look(tx, number))
                for delta in deltas:
                    yield delta
                    after = delta.end
                if now is None or now.status is not StreamStatus.STREAMING:
                    return
                await waiter.wait(LOOK)

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `stream` jobs: abort what fell silent, forget what ended a while ago."""

        async def body(tx: Tx) -> None:
            if (later := await _tend(tx, job.ref)) is not None:
                await jobs.postpone(tx, job, later)

        await self._store.write(body)


async def _check_reader(tx: Tx, thread: str, by: Actor) -> None:
    require(by, Action.MESSAGE_READ, owner=(await threads.get(tx, thread)).customer)


async def _may_read(tx: Tx, stream: Stream, by: Actor) -> bool:
    """Who does not read hidden things reads the streams of messages they may see; one without a message may be anything."""
    if allowed(by, Action.MESSAGE_READ_HIDDEN):
        return True
    row = await tx.one("messages.at", thread=stream.thread, order=stream.order, step=stream.step)
    return row is not None and visible(message_of(row), by)


async def _abort(tx: Tx, stream: Stream, reason: str, by: Actor) -> bool:
    """End a stream, and with it the run that writes it. The caller holds the thread's lock.

    The run first: a process that writes holds its row, and whoever takes two locks takes them in the same order.
    """
    if stream.run is not None and (await streams.get(tx, stream.id)).status is StreamStatus.STREAMING:
        run = await runs.get(tx, stream.run)
        if run.state is RunState.RUNNING:
            await applying.cancel_run(tx, run, actor=by, reason=reason)
            await streams.end(tx, stream, StreamStatus.ABORTED, reason=reason)
            await writer.fail_pending_of(tx, run, STOPPED)
            await tx.run("assignments.waits", thread=run.thread, now=ms(tx.now))
            await posting.follow_up(tx, await threads.get(tx, run.thread), run.prompt_order, run.agent)
            return True
    return await streams.end(tx, stream, StreamStatus.ABORTED, reason=reason)


async def _tend(tx: Tx, id: str) -> datetime | None:
    """When to look again; None when there is nothing more to look after."""
    found = await streams.find(tx, id)
    if found is None:
        return None
    await tx.one("threads.lock", id=found.thread)
    stream = await streams.find(tx, id)
    if stream is None:
        return None
    if stream.ended_at is not None:
        if stream.ended_at + KEPT > tx.now:
            return stream.ended_at + KEPT
        await streams.forget(tx, id)
        return None
    if (due := await _silent_at(tx, stream)) > tx.now:
        return due
    await streams.end(tx, stream, StreamStatus.ABORTED, reason=SILENT)
    if stream.run is not None:
        # Its process is gone. The run has a job of its own, which takes it up again; what it had said is visibly unfinished.
        await writer.fail_pending_of(tx, await runs.get(tx, stream.run), FAILED)
    return None


async def _silent_at(tx: Tx, stream: Stream) -> datetime:
    """When this stream counts as abandoned, unless there is another sign of life: a beat, a piece, or the lease of its run."""
    if stream.run is not None:
        run = await runs.get(tx, stream.run)
        if run.state is RunState.RUNNING and run.lease_until is not None and run.lease_until >= tx.now:
            return tx.now + SILENCE
    newest = await tx.one("streams.newest_delta", stream=stream.id)
    return max(stream.alive_at, utc(newest["at"]) if newest else stream.alive_at) + SILENCE
