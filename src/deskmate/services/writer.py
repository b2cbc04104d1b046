"""The writer: the text of one run while it comes, as a stream beside a pending message. Every write passes the fence."""

import asyncio
from datetime import timedelta

from deskmate.domain.actors import SYSTEM, Author, agent
from deskmate.domain.messages import MessageStatus, NewMessage
from deskmate.domain.routes import said_as
from deskmate.domain.runs import Run
from deskmate.domain.streams import TextDelta
from deskmate.domain.threads import Thread
from deskmate.errors import Aborted
from deskmate.services import messages, prompts, runs, streams, threads
from deskmate.store.base import Store, Tx

PAUSE = 0.03  # seconds between two writes of one stream: fast enough to read along, few enough writes
TEXT = "1"  # a step of a run is one text


async def fail_pending(tx: Tx, thread: str, error: str) -> bool:
    """Whatever is being written on this thread stays as far as it came, failed, with this error. Tells whether there was any."""
    rows = await tx.all("streams.pending", thread=thread)
    for row in rows:
        await messages.finish(tx, row["id"], MessageStatus.FAILED, error=error, actor=SYSTEM)
    return bool(rows)


async def fail_pending_of(tx: Tx, run: Run, error: str) -> None:
    """The same for what one run is writing."""
    for row in await tx.all("streams.pending", thread=run.thread):
        if row["run"] == run.id:
            await messages.finish(tx, row["id"], MessageStatus.FAILED, error=error, actor=SYSTEM)


async def drop_interrupted(tx: Tx, run: Run) -> None:
    """An attempt that died left a half-written message: it goes, the next attempt writes it whole."""
    for row in await tx.all("streams.pending", thread=run.thread):
        if row["run"] == run.id:
            await messages.delete(tx, [row["id"]], actor=SYSTEM)


class Writer:
    """Writes the text of one run while it comes."""

    def __init__(self, store: Store, run: Run, lease: timedelta) -> None:
        self._store = store
        self._run = run
        self._lease = lease
        self._message: str | None = None
        self._stream = ""
        self._number = 0
        self._waiting: list[str] = []
        self._flusher: asyncio.Task[None] | None = None

    def add(self, text: str) -> None:
        """Take a piece of text; it is stored in the background with what comes meanwhile. Raises what the last write raised."""
        if self._flusher is not None and self._flusher.done():
            self._flusher.result()
            self._flusher = None
        if text:
            self._waiting.append(text)
            if self._flusher is None:
                self._flusher = asyncio.create_task(self._flush(), name=f"deskmate stream {self._run.id}")

    async def settle(self) -> str | None:
        """Wait until everything taken is stored. Returns the pending message, if there is one; the next piece begins another."""
        if self._flusher is not None:
            await self._flusher
            self._flusher = None
        message, self._message, self._number = self._message, None, 0
        return message

    async def abandon(self) -> None:
        """Stop writing; what is stored stays for whoever ends the run."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)

    async def _flush(self) -> None:
        while self._waiting:
            text = "".join(self._waiting)
            self._waiting.clear()
            self._message, self._stream = await self._store.write(lambda tx, text=text: self._append(tx, text))
            self._number += 1
            await asyncio.sleep(PAUSE)

    async def _append(self, tx: Tx, text: str) -> tuple[str, str]:
        """Store a piece; the first one opens the message and its stream. Returns both."""
        message, stream = self._message, self._stream
        if message is None:
            thread = await threads.lock(tx, self._run.thread)
            await runs.hold(tx, self._run, self._lease)
            message, stream = await self._begin(tx, thread)
        else:
            await runs.hold(tx, self._run, self._lease)
        if not await streams.append(tx, stream, self._number, [TextDelta(id=TEXT, text=text)]):
            raise Aborted
        return message, stream

    async def _begin(self, tx: Tx, thread: Thread) -> tuple[str, str]:
        author = agent(self._run.agent)
        new = NewMessage(
            role="assistant",
            parts=(),
            author=Author(kind=author.kind, id=author.id, name=author.name),
            visibility=said_as(thread, self._run),
            status=MessageStatus.PENDING,
            agent_name=self._run.agent,
            run=self._run.id,
        )
        after = await prompts.behind(tx, self._run)
        stored = (await messages.insert(tx, self._run.thread, [new], after=after, actor=author))[0]
        begun = await streams.start(tx, thread.id, stored.position, agent_name=self._run.agent, run=self._run.id)
        return stored.id, begun.id
