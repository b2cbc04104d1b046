"""Notifications over HTTP: what one was told, and how one wants to be told."""

from fastapi import APIRouter

from deskmate.domain.notices import Preferences
from deskmate.domain.notifications import Notification
from deskmate.server.api.bodies import Prefer, ReadNotifications
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api", tags=["notifications"])


@router.get("/notifications")
async def list_notifications(
    desk: TheDesk, who: Who, unread: bool = False, failed: bool = False, cursor: CursorText = None, limit: Limit = 50
) -> Json:
    """What one was told in the inbox, newest first; `unread` in the answer counts what is not read. With `failed`, for leads,
    what could not be sent to anybody."""
    told = await desk.notifications.list(unread=unread, failed=failed, cursor=cursor, limit=limit, by=who)
    return {"items": [_json(one) for one in told.page.items], "cursor": told.page.cursor, "unread": told.unread}


@router.post("/notifications/read")
async def read_notifications(body: ReadNotifications, desk: TheDesk, who: Who) -> Json:
    """Say that one has read these, or all."""
    return {"unread": await desk.notifications.read(body.notifications, by=who)}


@router.post("/notifications/{notification}/retry")
async def retry_notification(notification: str, desk: TheDesk, who: Who) -> Json:
    """Have a word sent after all that nobody tries to send any more."""
    return _json(await desk.notifications.retry(notification, by=who))


@router.get("/me/notifications/preferences")
async def get_preferences(desk: TheDesk, who: Who) -> Json:
    """How one wants to be told."""
    return _preferences(await desk.notifications.preferences(by=who))


@router.patch("/me/notifications/preferences")
async def change_preferences(body: Prefer, desk: TheDesk, who: Who) -> Json:
    """Change how one wants to be told; what is not given stays."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return _preferences(await desk.notifications.prefer(given, by=who))


def _preferences(preferences: Preferences) -> Json:
    return preferences.model_dump(mode="json")


def _json(one: Notification) -> Json:
    return {
        "id": one.id,
        "operator": one.operator,
        "channel": one.channel,
        "kind": one.kind,
        "thread": one.thread,
        "request": one.request,
        "text": one.text,
        "urgent": one.urgent,
        "state": one.state,
        "attempts": one.attempts,
        "error": one.error,
        "due_at": moment(one.due_at),
        "sent_at": moment(one.sent_at),
        "read_at": moment(one.read_at),
        "created_at": moment(one.created_at),
    }
