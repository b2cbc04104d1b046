"""The bell: tells the other processes of a PostgreSQL store what changed, hears what they say, and wakes our own waiters.

An event is visible to readers of the feed when every older transaction has ended. A waiter that is woken earlier finds nothing,
so the bell rings for it again as soon as its event is visible.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from deskmate.store.postgres_connections import Wire, connect_alone, driver
from deskmate.store.sql import statements
from deskmate.store.waiters import EVERYTHING, Hub

log = logging.getLogger("deskmate.store")

LONGEST_PAYLOAD = 7_500
"""Bytes. PostgreSQL takes less than 8,000."""
CATCH_UP = 0.02
"""Seconds between two looks whether an older transaction has ended."""
SILENCE = 30.0
"""Seconds without a word after which the listening connection is asked whether it still works."""
RETRY = 0.5
"""Seconds between two attempts to connect."""


def payload(topics: set[str]) -> str:
    """The topics as one notification."""
    text = json.dumps(sorted(topics), separators=(",", ":"), ensure_ascii=False)
    return text if len(text.encode()) <= LONGEST_PAYLOAD else EVERYTHING


def topics_of(text: str) -> set[str]:
    """The topics of a notification. One that cannot be read may mean anything."""
    try:
        named: object = json.loads(text)
    except ValueError:
        return {EVERYTHING}
    return {str(topic) for topic in cast("list[object]", named)} if isinstance(named, list) else {EVERYTHING}


class Bell:
    """One sending and one listening connection, each with a task that keeps it alive."""

    def __init__(self, url: str, hub: Hub) -> None:
        self._url = url
        self._hub = hub
        self._unsent: set[str] = set()
        self._newest = 0
        self._late: dict[str, int] = {}
        self._news = asyncio.Event()
        self._ending = False
        self._sender: Wire | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Listen and be ready to send. Raises what psycopg raises."""
        self._sender = await connect_alone(self._url)
        try:
            listening = await self._listen()
        except BaseException:
            await self._sender.close()
            raise
        self._tasks = [
            asyncio.create_task(self._send_for_ever(), name="deskmate bell sends"),
            asyncio.create_task(self._hear_for_ever(listening), name="deskmate bell hears"),
        ]

    async def close(self) -> None:
        """Say what has not been said yet, then hang up."""
        if not self._tasks:
            return
        sends, hears = self._tasks
        self._tasks = []
        self._ending = True
        self._news.set()
        await asyncio.wait([sends], timeout=5)
        for task in (sends, hears):
            task.cancel()
        await asyncio.gather(sends, hears, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()

    def ring(self, topics: set[str], newest: int) -> None:
        """A commit touched these topics; `newest` is the number of its last event, 0 without one."""
        if not newest:
            # What is no event is visible at once: pieces of a streaming message, jobs.
            self._hub.touch(topics)
        for topic in topics if newest else ():
            self._late[topic] = max(newest, self._late.get(topic, 0))
        self._unsent |= topics
        self._news.set()

    async def _send_for_ever(self) -> None:
        while not (self._ending and not self._unsent):
            if not self._unsent:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), CATCH_UP if self._late else None)
            self._news.clear()
            await self._patiently(self._send)

    async def _send(self) -> None:
        """Tell what is new. Afterwards, what the feed shows by now is settled; the rest is told again when it is."""
        topics, self._unsent = self._unsent, set()
        late = dict(self._late)
        if not topics and not late:
            return
        try:
            horizon = await self._horizon(topics)
        except BaseException:
            self._unsent |= topics
            self._hub.touch(topics)
            raise
        settled = {topic for topic, newest in late.items() if newest < horizon}
        for topic in settled:
            if self._late[topic] == late[topic]:
                del self._late[topic]
        self._hub.touch(settled | (topics & late.keys()))
        # Others were told of these before they could see them.
        self._unsent |= settled - topics

    async def _horizon(self, topics: set[str]) -> int:
        if self._sender is None or self._sender.closed:
            self._sender = await connect_alone(self._url)
        named = statements("postgresql")
        text = named["feed.horizon" if topics else "feed.settled"].text
        row = await (await self._sender.execute(cast("Any", text), {"payload": payload(topics)})).fetchone()
        assert row is not None
        return row["horizon"]

    async def _listen(self) -> Wire:
        connection = await connect_alone(self._url)
        try:
            await connection.execute("LISTEN deskmate")
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _hear_for_ever(self, connection: Wire) -> None:
        async def hear() -> None:
            nonlocal connection
            if connection.closed:
                connection = await self._listen()
                # Whatever was said while nobody listened is lost, so everybody looks.
                self._hub.touch({EVERYTHING})
            async for said in connection.notifies(timeout=SILENCE):
                if self._sender is None or said.pid != self._sender.info.backend_pid:
                    self._hub.touch(topics_of(said.payload))
            await connection.execute("SELECT 1")

        try:
            while not self._ending:
                await self._patiently(hear)
        finally:
            await connection.close()

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step; when the server is away, a pause, so that the next step comes to a server that may be back."""
        try:
            await step()
        except driver().OperationalError as error:
            log.warning("PostgreSQL does not answer; trying again: %s", type(error).__name__)
            if not self._ending:
                await asyncio.sleep(RETRY)
            else:
                self._unsent.clear()
