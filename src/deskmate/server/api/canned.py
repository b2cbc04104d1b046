"""Canned replies over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from deskmate.domain.canned import CannedReply
from deskmate.server.api.bodies import AddCanned, ChangeCanned, FillCanned
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api/canned", tags=["canned"])


@router.get("")
async def list_canned(
    desk: TheDesk,
    who: Who,
    q: Annotated[str | None, Query(max_length=200)] = None,
    thread: Annotated[str | None, Query(max_length=100)] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Json:
    """Canned replies by shortcut. With a thread each has its text `filled` in for it."""
    page = await desk.canned.list(q=q, thread=thread, cursor=cursor, limit=limit, by=who)
    items = [_json(one.reply) | ({} if one.filled is None else {"filled": one.filled}) for one in page.items]
    return {"items": items, "cursor": page.cursor}


@router.post("", status_code=201)
async def add_canned(body: AddCanned, desk: TheDesk, who: Who) -> Json:
    """A new canned reply."""
    return _json(await desk.canned.add(**body.model_dump(), by=who))


@router.get("/{canned}")
async def get_canned(canned: str, desk: TheDesk, who: Who) -> Json:
    """One canned reply."""
    return _json(await desk.canned.get(canned, by=who))


@router.patch("/{canned}")
async def change_canned(canned: str, body: ChangeCanned, desk: TheDesk, who: Who) -> Json:
    """Change a canned reply; a queue of null is everybody."""
    facts = body.model_dump(exclude_unset=True)
    if "queue" in facts:
        facts["queue"] = facts["queue"] or ""
    return _json(await desk.canned.change(canned, **facts, by=who))


@router.delete("/{canned}", status_code=204)
async def delete_canned(canned: str, desk: TheDesk, who: Who) -> None:
    """Remove a canned reply. 409 while a macro says it."""
    await desk.canned.delete(canned, by=who)


@router.post("/{canned}/filled")
async def fill_canned(canned: str, body: FillCanned, desk: TheDesk, who: Who) -> Json:
    """The text filled in for a thread and whoever asks."""
    found = await desk.canned.filled(canned, body.thread, by=who)
    return {"canned": found.reply.id, "thread": body.thread, "text": found.filled}


def _json(reply: CannedReply) -> Json:
    return {
        "id": reply.id,
        "shortcut": reply.shortcut,
        "title": reply.title,
        "text": reply.text,
        "queue": reply.queue,
        "created_at": moment(reply.created_at),
        "updated_at": moment(reply.updated_at),
    }
