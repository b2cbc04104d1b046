"""The public doors as the acceptance tests use them: a desk behind a real port, people with credentials, and listeners."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import uvicorn
from tests.acceptance.ports import open_port

from deskmate import Desk
from deskmate.server.application import create_app
from deskmate.testing import ScriptedAgent, asking

T = TypeVar("T")
Json = dict[str, Any]
ADMIN_KEY = "the-admin-key-of-these-tests"
PATIENCE = 20.0  # seconds until a test gives up on something that should have happened


async def soon(awaitable: Coroutine[Any, Any, T], timeout: float = PATIENCE) -> T:
    """What comes of it; a test that waits in vain fails instead of standing still."""
    return await asyncio.wait_for(awaitable, timeout)


def done(response: httpx.Response, status: int | None = None) -> Any:
    """The record a request that worked was answered with."""
    assert response.is_success, f"{response.request.method} {response.request.url}: {response.status_code} {response.text}"
    assert status in (None, response.status_code)
    return response.json() if response.content else None


def refused(response: httpx.Response, status: int, code: str | None = None) -> Json:
    """The problem a request was refused with, after a look at its form."""
    assert response.status_code == status, f"{response.request.method} {response.request.url}: {response.text}"
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert code in (None, problem["code"]), problem
    return problem


@dataclass(frozen=True)
class Heard:
    """One server-sent event as it came over the wire. A comment has the type `:`."""

    type: str
    data: Json
    id: str | None = None

    @property
    def message(self) -> Json:
        return self.data["data"]["message"]


@dataclass
class Listener:
    """A reader of the live feed; keeps all it heard."""

    heard: list[Heard] = field(default_factory=list)
    status: int | None = None
    place: str | None = None
    """What a browser would send as `Last-Event-ID`: the id of the last frame, with an event in it or without."""
    ended: bool = False
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self, client: httpx.AsyncClient, params: Json, headers: Json) -> None:
        """Listen until told to stop."""
        try:
            timeout = httpx.Timeout(PATIENCE, read=None)
            async with client.stream("GET", "/api/events", params=params, headers=headers, timeout=timeout) as response:
                self.status = response.status_code
                assert response.status_code == 200, await response.aread()
                assert response.headers["content-type"].startswith("text/event-stream")
                async for event in self._events(response.aiter_lines()):
                    async with self._news:
                        self.heard.append(event)
                        self._news.notify_all()
        except httpx.TransportError:
            pass  # The server went away: whoever listens notices by `ended`.
        finally:
            async with self._news:
                self.ended = True
                self._news.notify_all()

    async def _events(self, lines: AsyncIterator[str]) -> AsyncIterator[Heard]:
        id, type, data = None, "message", ""
        async for line in lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "" if line:
                    yield Heard(":", {"comment": value})
                case "id":
                    id = value
                case "event":
                    type = value
                case "data":
                    data += value
                case _:
                    self.place = id or self.place
                    if data:
                        yield Heard(type, json.loads(data), id)
                    id, type, data = None, "message", ""

    async def until(self, is_it: Callable[[Heard], bool], *, count: int = 1, timeout: float = PATIENCE) -> Heard:
        """The event that this is true of, the `count`th of them, heard already or to come."""

        def found() -> list[Heard]:
            return [event for event in self.heard if is_it(event)]

        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: len(found()) >= count or self.ended), timeout)
            except TimeoutError:
                raise AssertionError(f"not heard; heard were {[event.type for event in self.heard]}") from None
        assert len(found()) >= count, f"the stream ended before; heard were {[event.type for event in self.heard]}"
        return found()[count - 1]

    async def type(self, type: str, *, count: int = 1) -> Heard:
        """The `count`th event of this type."""
        return await self.until(lambda event: event.type == type, count=count)

    async def reply(self, text: str) -> Heard:
        """The finished message with this text."""
        return await self.until(lambda e: is_message(e) and e.message["status"] == "success" and e.message["text"] == text)

    async def begun(self) -> str:
        """The place that the stream begins at."""
        await self.type(":")
        async with asyncio.timeout(PATIENCE):
            while self.place is None:  # noqa: ASYNC110 - it is no event that could be waited for
                await asyncio.sleep(0.005)
        return self.place

    async def end(self) -> None:
        """Wait until the stream is over."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self.ended), PATIENCE)

    def of(self, *types: str) -> list[Heard]:
        """Everything heard of these types."""
        return [event for event in self.heard if event.type in types]

    def texts(self) -> list[str]:
        """The texts of the finished messages. An event shows its message as it is now, so one message may be told twice."""
        finished = [event.message for event in self.heard if is_message(event) and event.message["status"] == "success"]
        return list({message["id"]: message["text"] for message in finished}.values())

    def streamed(self, message: str) -> str:
        """What has been streamed of a message; a piece that leaves a gap or overlaps fails the test."""
        text = ""
        for event in self.of("message.delta"):
            if event.data["message"] == message:
                assert event.data["offset"] in (0, len(text)), f"a piece for {event.data['offset']} came at {len(text)}"
                text = text[: event.data["offset"]] + event.data["text"]
        return text


def is_message(event: Heard) -> bool:
    return event.type in ("message.posted", "message.changed")


@dataclass
class Person:
    """Somebody with credentials: an operator, a customer or a program."""

    client: httpx.AsyncClient
    id: str = ""
    name: str = ""

    async def get(self, path: str, **params: Any) -> Any:
        return done(await self.client.get(path, params=params))

    async def post(self, path: str, **body: Any) -> Any:
        return done(await self.client.post(path, json=body))

    async def put(self, path: str, **body: Any) -> Any:
        return done(await self.client.put(path, json=body))

    async def patch(self, path: str, **body: Any) -> Any:
        return done(await self.client.patch(path, json=body))

    async def say(self, thread: str, text: str, **more: Any) -> Json:
        return await self.post(f"/api/threads/{thread}/messages", text=text, **more)

    async def thread(self, **body: Any) -> str:
        return (await self.post("/api/threads", **body))["id"]

    async def messages(self, thread: str) -> list[Json]:
        return (await self.get(f"/api/threads/{thread}/messages", limit=200))["items"]

    async def assign(self, thread: str, to: str, **more: Any) -> Json:
        return await self.post(f"/api/threads/{thread}/assignment", to=to, **more)

    async def open_request(self, thread: str) -> Json:
        """The one request that waits on a thread."""
        [request] = (await self.get("/api/requests", thread=thread))["items"]
        return request

    async def answer(self, request: str, value: Any, **more: Any) -> Json:
        return await self.post(f"/api/requests/{request}/decision", kind="answer", value=value, **more)

    @asynccontextmanager
    async def listening(
        self, *, after: str | int | None = None, thread: str | None = None, last_event_id: str | None = None
    ) -> AsyncIterator[Listener]:
        """A listener that is connected, for the time of the block."""
        params = {name: value for name, value in (("after", after), ("thread", thread)) if value is not None}
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        listener = Listener()
        reading = asyncio.create_task(listener.read(self.client, params, headers))
        try:
            await listener.type(":")
            yield listener
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@dataclass
class Front:
    """A running desk as the world sees it. People are made as they are asked for."""

    url: str
    admin: Person
    _clients: list[httpx.AsyncClient] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A connection of its own, with these credentials."""
        client = open_client(self.url, token, **headers)
        self._clients.append(client)
        return client

    async def operator(self, name: str = "Ana", role: str = "operator", **facts: Any) -> Person:
        """A person of the team, with a key of their own."""
        email = f"{name.lower()}{next(self._numbers)}@shop.example"
        made = await self.admin.post("/api/operators", name=name, email=email, role=role, **facts)
        key = await self.admin.post("/api/keys", operator=made["id"])
        return Person(self.client(key["key"]), made["id"], name)

    async def program(self, *scopes: str, role: str | None = None) -> Person:
        """A program with a key."""
        key = await self.admin.post("/api/keys", name="robot", scopes=list(scopes), role=role)
        return Person(self.client(key["key"]), key["id"], "robot")

    async def visitor(self) -> Person:
        """An anonymous customer."""
        made = done(await self.admin.client.post("/api/chat/sessions"), 201)
        return Person(self.client(made["token"]), made["customer"])

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


def open_client(url: str, token: str | None = None, **headers: str) -> httpx.AsyncClient:
    credentials = {"Authorization": f"Bearer {token}"} if token is not None else {}
    # Nothing here is encrypted, and to read the certificates of this machine would take 25 ms for each client.
    return httpx.AsyncClient(base_url=url, headers=credentials | headers, timeout=PATIENCE * 2, trust_env=False, verify=False)


@asynccontextmanager
async def open_front(url: str) -> AsyncIterator[Front]:
    """The doors of a desk that runs somewhere."""
    front = Front(url, Person(open_client(url, ADMIN_KEY), "admin key", "admin key"))
    try:
        yield front
    finally:
        await front.close()
        await front.admin.client.aclose()


class _Server(uvicorn.Server):
    """Ends at once where nobody is connected. uvicorn looks ten times in a second whether to end, and then waits in any case."""

    def __init__(self, desk: Desk, work: bool) -> None:
        super().__init__(uvicorn.Config(create_app(desk, work=work), log_level="warning", ws="none", timeout_graceful_shutdown=2))
        self.ending = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await asyncio.sleep(0)  # Those that were idle are gone now.
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()


@asynccontextmanager
async def serving(desk: Desk, *, work: bool = True) -> AsyncIterator[str]:
    """The desk behind a real port of this machine, for the time of the block. Yields its address. A test that moves the clock
    itself has it not `work` in the background."""
    listening = open_port()
    server = _Server(desk, work)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.ending.set()
        await running
        listening.close()


async def stored(front: Front) -> str:
    """All that a refused write could have changed, as text."""
    admin = front.admin
    threads = (await admin.get("/api/threads", status="all", limit=200))["items"]
    parts: list[Any] = [threads, await admin.get("/api/operators", limit=200), await admin.get("/api/keys", limit=200)]
    for thread in threads:
        parts += [await admin.messages(thread["id"]), await admin.get(f"/api/threads/{thread['id']}/requests")]
        parts.append(await admin.get(f"/api/threads/{thread['id']}/assignments"))
    parts += [await admin.get(f"/api/{room}", limit=200) for room in ("canned", "macros", "views")]
    return json.dumps(parts)


async def asked(front: Front, agent: ScriptedAgent) -> str:
    """A thread on which an agent waits for the answer to a question; its id."""
    agent.script = asking()
    ada = await front.visitor()
    thread = await ada.thread()
    async with front.admin.listening(thread=thread) as heard:
        await ada.say(thread, "Is it?")
        await heard.type("request.opened")
    return thread
