"""Playing: one recorded customer at the doors of a running desk, as any visitor would use them."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import httpx2

from deskmate.domain.transcripts import Conversation

Json = Mapping[str, Any]


class Answer(StrEnum):
    """What came of a customer's message."""

    REPLIED = "replied"
    ASKED = "asked"
    PASSED_ON = "passed on"
    FAILED = "failed"
    UNANSWERED = "unanswered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One message that was played. `seconds` is from sending it to the first news of what came of it."""

    answer: Answer
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Plays conversations one after the other. With the key of an operator questions and failures are told apart."""

    client: httpx2.AsyncClient
    patience: float
    speed: float | None = None
    key: str | None = None

    async def play(self, found: Conversation) -> AsyncIterator[Played]:
        """Each message of the customer, when the one before it has been dealt with."""
        try:
            made = await self._post("/api/chat/sessions", None, None)
            thread = (await self._post("/api/threads", {}, made["token"]))["id"]
            async with self._listening(thread, self.key or made["token"]) as news:
                before = None
                for entry, at in zip(found.entries, found.times, strict=True):
                    if entry.message.role != "user" or not entry.text.strip():
                        continue
                    if self.speed and at is not None and before is not None:
                        await asyncio.sleep(min(max((at - before).total_seconds() / self.speed, 0), self.patience))
                    before = at
                    yield await self._say(thread, entry.text, made["token"], news)
        except httpx2.HTTPError as error:
            yield Played(answer=Answer.REFUSED, seconds=0, error=_told(error))
        except (KeyError, TypeError, ValueError):
            yield Played(answer=Answer.REFUSED, seconds=0, error="this was answered by something that is no desk")

    async def _say(self, thread: str, text: str, token: str, news: "asyncio.Queue[Json]") -> Played:
        while not news.empty():
            news.get_nowait()  # what still came of earlier messages
        clock = asyncio.get_running_loop().time
        began = clock()
        order = (await self._post(f"/api/threads/{thread}/messages", {"text": text}, token))["order"]
        try:
            async with asyncio.timeout(self.patience):
                while (answer := answer_in(await news.get(), order)) is None:
                    pass
        except TimeoutError:
            answer = Answer.UNANSWERED
        return Played(answer=answer, seconds=clock() - began)

    async def _post(self, path: str, body: Json | None, token: str | None) -> Any:
        """The record it was answered with. Waits where the desk asks for that, as long as patience lasts."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        waited = 0.0
        while True:
            response = await self.client.post(path, json=body or {}, headers=headers)
            pause = float(response.headers.get("Retry-After", "1")) if response.status_code == 429 else 0.0
            if not pause or waited + pause > self.patience:
                return response.raise_for_status().json()
            waited += pause
            await asyncio.sleep(pause)

    @asynccontextmanager
    async def _listening(self, thread: str, token: str) -> "AsyncGenerator[asyncio.Queue[Json]]":
        """What happens on the thread, from now on. A stream that breaks off leaves messages unanswered, which is counted."""
        news: asyncio.Queue[Json] = asyncio.Queue()
        headers = {"Authorization": f"Bearer {token}"}
        async with self.client.stream("GET", "/api/events", params={"thread": thread}, headers=headers) as response:
            response.raise_for_status()
            lines = response.aiter_lines()
            await anext(lines, None)  # the comment that it is connected
            reading = asyncio.create_task(_read(lines, news))
            try:
                yield news
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


async def _read(lines: AsyncIterator[str], news: "asyncio.Queue[Json]") -> None:
    async for line in lines:
        if line.startswith("data:"):
            news.put_nowait(json.loads(line.removeprefix("data:")))


def answer_in(event: Json, order: int) -> Answer | None:
    """What an event tells about a message at this order; None when that is nothing, or not yet."""
    data: Json = event.get("data") or {}
    match event.get("type"):
        case "request.opened":
            # A thread that is passed on, or whose run failed, has an event that says so itself.
            return Answer.ASKED if data["request"]["call_id"] else None
        case "run.failed":
            return Answer.FAILED
        case "thread.assigned":
            return Answer.PASSED_ON
        case "message.posted" | "message.changed":
            return _answer_of(data["message"]) if data["message"]["order"] >= order else None
        case _:
            return None


def _answer_of(message: Json) -> Answer | None:
    """A line of the desk itself says that people will look at it."""
    if message["visibility"] != "public":
        return None
    match message["author"]["kind"], message["status"]:
        case ("agent" | "operator", "success"):
            return Answer.REPLIED if message["text"] else None
        case ("agent", "failed"):
            return Answer.FAILED
        case ("system", _):
            return Answer.PASSED_ON
        case _:
            return None


def _told(error: httpx2.HTTPError) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"{error.request.method} {error.request.url.path} was answered with {error.response.status_code}"
    return f"{type(error).__name__}: {error}"
