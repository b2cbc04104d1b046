"""The live feed as server-sent events."""

import json
import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from deskmate.app import Desk
from deskmate.domain.actors import Actor
from deskmate.errors import BadCursor
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.auth import actor_now
from deskmate.server.records import Json, event_json, piece_json, there_json
from deskmate.services.live import Idle, Piece, Seen
from deskmate.services.watching import There

router = APIRouter(prefix="/api/events", tags=["events"])
CHECK_EVERY = 10.0  # seconds after which an open stream asks again who reads it


def place(text: str | None, field: str) -> int | None:
    """A feed cursor. Raises BadCursor."""
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and int(text) < 2**63):
        raise BadCursor(field=field)
    return int(text)


@router.get("", response_class=StreamingResponse)
async def events(
    request: Request,
    desk: TheDesk,
    who: Who,
    after: Annotated[str | None, Query(max_length=40)] = None,
    thread: Annotated[str | None, Query(max_length=100)] = None,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> StreamingResponse:
    """Everything the actor may see, from behind `Last-Event-ID` or `after`, else from now on. Resumes without loss."""
    start = place(last_event_id, "Last-Event-ID")
    start = start if start is not None else place(after, "after")
    await desk.feed.check(by=who, thread=thread)
    start = await desk.feed.head() if start is None else start
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(stream(request, desk, who, start, thread), media_type="text/event-stream", headers=headers)


async def stream(request: Request, desk: Desk, who: Actor, after: int, thread: str | None) -> AsyncIterator[str]:
    """The feed as text/event-stream, until the reader leaves, the server stops, or the credentials open it no more."""
    # A reader has its place from the first moment: one that is cut off before it heard anything comes back to it.
    yield f": connected\nid: {after}\n\n"
    checked = time.monotonic()
    async for item in desk.feed.follow(by=who, after=after, thread=thread):
        if time.monotonic() - checked > CHECK_EVERY:
            if await actor_now(request) != who:
                return
            checked = time.monotonic()
        match item:
            case Seen():
                yield sse(item.event.type, event_json(item, who), id=item.event.seq)
            case Piece():
                yield sse("message.delta", piece_json(item))
            case There():
                yield sse("thread.presence", there_json(item))
            case Idle():
                yield ": alive\n\n"
        if desk.closing.is_set():
            return


def sse(event: str, data: Json, *, id: int | None = None) -> str:
    """One server-sent event."""
    head = f"id: {id}\n" if id is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, default=str, ensure_ascii=False)}\n\n"
