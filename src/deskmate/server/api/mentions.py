"""Mentions over HTTP: the notes that call on whoever asks."""

from fastapi import APIRouter

from deskmate.domain.actors import Actor
from deskmate.server.api.bodies import ReadMentions
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, message_json, moment, thread_json
from deskmate.services.mentions import Mentioned

router = APIRouter(prefix="/api/me/mentions", tags=["mentions"])


@router.get("")
async def list_mentions(desk: TheDesk, who: Who, unread: bool = False, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """One's own mentions, newest first, each with its thread and note; `unread` in the answer counts those not read yet."""
    page = await desk.mentions.list(unread=unread, cursor=cursor, limit=limit, by=who)
    items = [_json(one, who) for one in page.items]
    return {"items": items, "cursor": page.cursor, "unread": await desk.mentions.unread(by=who)}


@router.post("/read")
async def read_mentions(body: ReadMentions, desk: TheDesk, who: Who) -> Json:
    """Say that one has read these, or all."""
    return {"unread": await desk.mentions.read(body.mentions, by=who)}


def _json(one: Mentioned, who: Actor) -> Json:
    return {
        "id": one.mention.id,
        "at": moment(one.mention.at),
        "read_at": moment(one.mention.read_at),
        "thread": thread_json(one.thread, who),
        "message": message_json(one.message),
    }
