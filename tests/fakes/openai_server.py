"""A server on localhost that speaks OpenAI's chat completions over real sockets; what it says is scripted, what it saw is kept.

    async with OpenAIServer() as server:
        server.script(Reply("Hel", "lo"), Failure(429, headers={"retry-after": "2"}))
        ...                                       # a client with base_url=server.base_url, api_key=server.key
        assert server.seen[0].messages[-1]["content"] == "Hi"

Replies are used up in order, one per request; a `responder` answers when the script is empty. A `Hold` among the pieces of a
reply stops the stream until the test releases it, so that no test needs to sleep. Models that are not in `models` get 404, a
wrong key 401, and a history that OpenAI would refuse 400. It speaks embeddings too, also when nothing is scripted.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

from tests.fakes.embeddings import Answered, embedded
from tests.fakes.histories import history_problem

MODEL = "fake-model"


class Hold:
    """A place in a stream where the server waits. `reached` tells the test that it got here."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    def release(self) -> None:
        self.released.set()


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes put on the wire as they are: a malformed chunk, a comment, half a line."""

    data: bytes


class Cut:
    """The connection ends here: reset, or closed politely in the middle of the body."""

    def __init__(self, *, politely: bool = False) -> None:
        self.politely = politely


Piece = str | Hold | Raw | Cut


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call. `arguments` as a string is sent as it is, valid JSON or not; `split` cuts it into fragments of that length."""

    tool: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict[str, Any])
    id: str | None = None
    split: int = 7

    @property
    def json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True, init=False)
class Reply:
    """An answer: pieces of text, then tool calls, whose fragments are sent interleaved as several calls may be."""

    pieces: tuple[Piece, ...]
    calls: tuple[Call, ...]
    input_tokens: int
    output_tokens: int
    finish: bool

    def __init__(
        self, *pieces: Piece, calls: Sequence[Call] = (), input_tokens: int = 11, output_tokens: int = 7, finish: bool = True
    ) -> None:
        object.__setattr__(self, "pieces", pieces)
        object.__setattr__(self, "calls", tuple(calls))
        object.__setattr__(self, "input_tokens", input_tokens)
        object.__setattr__(self, "output_tokens", output_tokens)
        object.__setattr__(self, "finish", finish)

    @property
    def text(self) -> str:
        return "".join(piece for piece in self.pieces if isinstance(piece, str))


@dataclass(frozen=True, slots=True)
class Failure:
    """An HTTP error in OpenAI's shape, or any body, like a proxy's HTML page."""

    status: int
    message: str = "scripted failure"
    code: str | None = None
    type: str = "server_error"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Endless:
    """An answer that begins like one and never ends: as fast as the client reads, or with a pause of seconds after each piece."""

    piece: bytes = b" " * 4096
    pause: float = 0.0


def rate_limited(retry_after: str | None = "1") -> Failure:
    """429 as OpenAI sends it."""
    headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    return Failure(429, "Rate limit reached for requests", code="rate_limit_exceeded", type="requests", headers=headers)


Scripted = Reply | Failure | Endless | Cut | Answered


@dataclass(slots=True)
class Seen:
    """One request as it arrived. `gone` is set when the client closed the connection before the answer was complete."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body["messages"]

    @property
    def tools(self) -> list[str]:
        return [tool["function"]["name"] for tool in self.body.get("tools", ())]


class OpenAIServer:
    """See the module. `responder(seen) -> Scripted` is asked when the script is used up."""

    def __init__(
        self,
        *,
        models: Sequence[str] = (MODEL,),
        key: str = "sk-fake-0123456789abcdef",
        responder: Callable[[Seen], Scripted] | None = None,
    ) -> None:
        self.models = tuple(models)
        self.key = key
        self.responder = responder
        self.seen: list[Seen] = []
        self.problems: list[str] = []
        self._script: list[Scripted] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrived = asyncio.Condition()

    def script(self, *replies: Scripted) -> None:
        """What the next requests get, in order."""
        self._script.extend(replies)

    def forget(self) -> None:
        """Drop what is left of the script."""
        self._script.clear()

    async def arrived(self, count: int) -> Seen:
        """The request number `count` (from 1), as soon as it is here."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.seen) >= count)
        return self.seen[count - 1]

    @property
    def base_url(self) -> str:
        assert self._server is not None, "the server is not running"
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if (seen := await _read_request(reader)) is not None:
                async with self._arrived:
                    self.seen.append(seen)
                    self._arrived.notify_all()
                await self._answer(seen, reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # The client, or the end of the test, closed the connection.
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of this connection, watching for the client to leave."""
        reply = self._reply_to(seen)
        answering = asyncio.create_task(_send(reply, seen, writer))
        leaving = asyncio.create_task(_left(reader))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                seen.gone.set()
            else:
                answering.result()
                seen.done.set()
        except ConnectionError:
            seen.gone.set()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    def _reply_to(self, seen: Seen) -> Scripted:
        if seen.headers.get("authorization") != f"Bearer {self.key}":
            return Failure(401, f"Incorrect API key provided: {seen.headers.get('authorization')}.", "invalid_api_key", "auth")
        if seen.method != "POST" or seen.path not in ("/v1/chat/completions", "/v1/embeddings"):
            return Failure(404, f"Unknown request URL: {seen.method} {seen.path}", type="invalid_request_error")
        if seen.body.get("model") not in self.models:
            return Failure(
                404, f"The model `{seen.body.get('model')}` does not exist", "model_not_found", "invalid_request_error"
            )
        if seen.path == "/v1/embeddings":
            if (answer := embedded(seen.body)) is None:
                return Failure(400, "'$.input' is invalid.", type="invalid_request_error")
            return self._script.pop(0) if self._script else answer
        if problem := history_problem(seen.messages):
            self.problems.append(problem)
            return Failure(400, problem, type="invalid_request_error")
        if self._script:
            return self._script.pop(0)
        if self.responder is not None:
            return self.responder(seen)
        self.problems.append("a request came that the script does not know")
        return Failure(500, self.problems[-1])


async def _read_request(reader: asyncio.StreamReader) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, json.loads(body) if body else {})


async def _left(reader: asyncio.StreamReader) -> None:
    """Returns when the client closes its side. Each connection carries one request, so nothing else can arrive."""
    with contextlib.suppress(ConnectionError):
        await reader.read(1)


async def _send(reply: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
    match reply:
        case Cut():
            _cut(reply, writer)
            return
        case Failure():
            error = {"message": reply.message, "type": reply.type, "param": None, "code": reply.code}
            body = reply.body if reply.body is not None else json.dumps({"error": error})
            _write_whole(writer, reply.status, body, dict(reply.headers), html=reply.body is not None)
        case Answered():
            _write_whole(writer, 200, json.dumps(reply.body), {})
        case Endless():
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
            while True:
                _http_chunk(writer, reply.piece)
                await writer.drain()
                await asyncio.sleep(reply.pause)
        case Reply() if seen.body.get("stream"):
            await _stream(reply, seen, writer)
        case Reply():
            async for _ in _held(reply.pieces):
                pass
            _write_whole(writer, 200, json.dumps(_completion(reply, seen.body["model"])), {})
    await writer.drain()


def _write_whole(writer: asyncio.StreamWriter, status: int, body: str, headers: dict[str, str], *, html: bool = False) -> None:
    data = body.encode()
    lines = {"content-type": "text/html" if html else "application/json", "content-length": str(len(data)), "connection": "close"}
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in (lines | headers).items())
    writer.write(head.encode("latin-1") + b"\r\n" + data)


async def _stream(reply: Reply, seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
    model = seen.body["model"]
    _event(writer, _chunk(model, {"role": "assistant", "content": ""}))
    async for piece in _held(reply.pieces):
        match piece:
            case str():
                _event(writer, _chunk(model, {"content": piece}))
            case Raw():
                _http_chunk(writer, piece.data)
            case Cut():
                await writer.drain()
                _cut(piece, writer)
                return
            case Hold():
                pass
        await writer.drain()
    for delta in _call_fragments(reply.calls):
        _event(writer, _chunk(model, {"tool_calls": [delta]}))
    if reply.finish:
        _event(writer, _chunk(model, {}, finish="tool_calls" if reply.calls else "stop"))
    if (seen.body.get("stream_options") or {}).get("include_usage"):
        _event(writer, _chunk(model, None) | {"usage": _usage(reply)})
    _http_chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _held(pieces: Sequence[Piece]) -> AsyncIterator[Piece]:
    for piece in pieces:
        if isinstance(piece, Hold):
            piece.reached.set()
            await piece.released.wait()
        yield piece


def _cut(cut: Cut, writer: asyncio.StreamWriter) -> None:
    """A polite cut needs nothing: the connection is closed after every answer, here in the middle of one."""
    if not cut.politely:
        writer.transport.abort()


def _http_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def _event(writer: asyncio.StreamWriter, data: Mapping[str, Any]) -> None:
    _http_chunk(writer, b"data: " + json.dumps(data).encode() + b"\n\n")


def _chunk(model: str, delta: Mapping[str, Any] | None, *, finish: str | None = None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": model,
        "choices": choices,
    }


def _call_fragments(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Name and id come first, then the arguments in pieces; pieces of parallel calls take turns."""
    fragments: list[list[dict[str, Any]]] = []
    for index, call in enumerate(calls):
        head = {"index": index, "id": call_id(call, index), "type": "function", "function": {"name": call.tool, "arguments": ""}}
        cuts = [call.json[at : at + call.split] for at in range(0, len(call.json), call.split)]
        fragments.append([head, *({"index": index, "function": {"arguments": cut}} for cut in cuts)])
    longest = max(map(len, fragments), default=0)
    return [track[at] for at in range(longest) for track in fragments if at < len(track)]


def call_id(call: Call, index: int) -> str:
    return call.id or f"call_{call.tool}_{index}"


def _usage(reply: Reply) -> dict[str, int]:
    total = reply.input_tokens + reply.output_tokens
    return {"prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens, "total_tokens": total}


def _completion(reply: Reply, model: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call_id(call, index), "type": "function", "function": {"name": call.tool, "arguments": call.json}}
            for index, call in enumerate(reply.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if reply.calls else "stop"}
    head = {"id": "chatcmpl-fake", "object": "chat.completion", "created": 1_790_000_000, "model": model}
    return {**head, "choices": [choice], "usage": _usage(reply)}
