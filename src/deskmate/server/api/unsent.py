"""Unsent words over HTTP: what an operator has typed on a thread, for nobody's eyes but theirs."""

from typing import Literal

from fastapi import APIRouter

from deskmate.domain.messages import Visibility
from deskmate.domain.unsent import Unsent
from deskmate.server.api.bodies import KeepUnsent
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api/threads/{thread}/unsent", tags=["unsent"])


@router.put("")
async def keep_unsent(thread: str, body: KeepUnsent, desk: TheDesk, who: Who) -> Json:
    """Keep what one has typed; an empty text removes it."""
    return _json(await desk.unsent.put(thread, body.text, visibility=Visibility(body.visibility), by=who))


@router.get("")
async def get_unsent(thread: str, desk: TheDesk, who: Who) -> Json:
    """What one has typed: at most a reply and a note."""
    return {"items": [_json(unsent) for unsent in await desk.unsent.get(thread, by=who)], "cursor": None}


@router.delete("", status_code=204)
async def delete_unsent(thread: str, desk: TheDesk, who: Who, visibility: Literal["public", "note"] | None = None) -> None:
    """Throw it away: one of them, or both."""
    await desk.unsent.delete(thread, visibility=None if visibility is None else Visibility(visibility), by=who)


def _json(unsent: Unsent) -> Json:
    return {
        "thread": unsent.thread,
        "visibility": unsent.visibility,
        "text": unsent.text,
        "updated_at": moment(unsent.updated_at),
    }
