"""Somebody else's machine that receives webhooks, over real HTTP, in a good mood or in a bad one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True)
class Received:
    """One message as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def verify(self, secret: str) -> Any:
        """What the library of Standard Webhooks says about it."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Keeps what it is sent, and answers as `mood` says: bytes to write, or one of the words below."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    mood: Callable[[Received], bytes | str] = field(default=lambda _: OK)
    at_once: int = 0
    most_at_once: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def got(self, number: int) -> list[Received]:
        """Wait until so many messages have come."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: len(self.received) >= number), 20)
        return self.received

    def of(self, type: str) -> list[Received]:
        return [one for one in self.received if one.json["type"] == type]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            one = Received(head[0].split(" ")[1], headers, body)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.received.append(one)
            async with self._news:
                self._news.notify_all()
            try:
                await self._answer(self.mood(one), reader, writer)
            finally:
                self.at_once -= 1
        writer.close()

    async def _answer(self, mood: bytes | str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match mood:
            case bytes():
                writer.write(mood)
                await writer.drain()
            case "silent":  # until the sender has had enough, or the test lets it go
                waiting = [asyncio.create_task(self.released.wait()), asyncio.create_task(reader.read())]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for one in waiting:
                    one.cancel()
                writer.write(OK)
            case "half":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
            case "huge":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
                while not writer.is_closing():
                    writer.write(b"x" * 65536)
                    await writer.drain()
            case _:  # close without a word
                pass


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.close()
        await server.wait_closed()
