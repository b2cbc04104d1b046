"""Feedback over HTTP: ratings of customers, reviews of the team, and exports."""

import tempfile
import zipfile
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.exports import DATA_FILE, TASK, TASK_FILES, Format
from deskmate.domain.feedback import Feedback
from deskmate.server.api.bodies import Rate, read_moment
from deskmate.server.api.doors import TheDesk, Who, counted
from deskmate.server.limits import Door
from deskmate.server.records import Json, author_json, moment

router = APIRouter(prefix="/api", tags=["feedback"])
PIECE = 64 * 1024  # bytes


@router.post("/threads/{thread}/rating", dependencies=[counted(Door.POST)])
async def rate(thread: str, body: Rate, desk: TheDesk, who: Who) -> Json:
    """Judge what was said: a customer their thread or an answer on it, an operator an answer of the AI. The last word counts."""
    kept = await desk.feedback.rate(
        thread, body.rating, message=body.message, comment=body.comment, correction=body.correction, by=who
    )
    return rating_json(kept, who)


@router.get("/threads/{thread}/ratings")
async def list_ratings(thread: str, desk: TheDesk, who: Who) -> Json:
    """How a thread and the answers on it were rated; a customer is shown their own ratings."""
    found = await desk.feedback.of_thread(thread, by=who)
    return {"items": [rating_json(one, who) for one in found], "cursor": None}


@router.get("/feedback/export", response_class=Response)
async def export(
    desk: TheDesk,
    who: Who,
    format: Format = Format.JSONL,
    since: Annotated[str | None, Query(max_length=40)] = None,
    agent: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Feedback as lines of JSON; `lm-eval` is a folder with a task, as a zip."""
    after = None if since is None else read_moment(since, "since")
    lines = desk.feedback.export(format, since=after, agent=agent, by=who)
    # What is refused is refused before anything is sent.
    first = await anext(lines, "")
    if format is Format.LM_EVAL:
        return _download(_zipped(first, lines), f"{TASK}.zip", "application/zip")
    return _download(_rest(first, lines), f"feedback-{format}.jsonl", "application/jsonl; charset=utf-8")


async def _rest(first: str, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for line in lines:
        yield line


async def _zipped(first: str, lines: AsyncIterator[str]) -> AsyncIterator[bytes]:
    """The files of the task. A zip says at its end what is in it, so it is whole before it leaves; a large one lies on disk."""
    with tempfile.SpooledTemporaryFile(max_size=16 * 1024 * 1024) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as folder:
            for name, text in TASK_FILES.items():
                folder.writestr(f"{TASK}/{name}", text)
            with folder.open(f"{TASK}/{DATA_FILE}", "w", force_zip64=True) as data:
                async for line in _rest(first, lines):
                    data.write(line.encode())
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _download(content: AsyncIterator[str] | AsyncIterator[bytes], name: str, media: str) -> StreamingResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(content, media_type=media, headers=headers)


def rating_json(one: Feedback, who: Actor) -> Json:
    """A rating as whoever gave it may see it; the team is told who that was, and what else should have been said."""
    record: Json = {
        "id": one.id,
        "thread": one.thread,
        "message": one.message,
        "rating": one.rating,
        "comment": one.review,
        "created_at": moment(one.created_at),
    }
    if who.kind is AuthorKind.CUSTOMER:
        return record
    corrected = one.final if one.final != one.draft else None
    return record | {"kind": one.kind, "correction": corrected, "by": author_json(one.by)}
