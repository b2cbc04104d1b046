"""Saved views over HTTP."""

from fastapi import APIRouter

from deskmate.domain.views import View
from deskmate.server.api.bodies import AddView, ChangeView
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api/views", tags=["views"])


@router.get("")
async def list_views(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """One's own views and the shared ones, oldest first."""
    page = await desk.views.list(cursor=cursor, limit=limit, by=who)
    return {"items": [_json(view) for view in page.items], "cursor": page.cursor}


@router.post("", status_code=201)
async def add_view(body: AddView, desk: TheDesk, who: Who) -> Json:
    """A view of one's own; with `shared`, for those who may, one for everybody."""
    return _json(await desk.views.add(name=body.name, filters=body.filters, shared=body.shared, by=who))


@router.patch("/{view}")
async def change_view(view: str, body: ChangeView, desk: TheDesk, who: Who) -> Json:
    """Change a view. `filters` takes the place of all that there were."""
    return _json(await desk.views.change(view, name=body.name, filters=body.filters, shared=body.shared, by=who))


@router.delete("/{view}", status_code=204)
async def delete_view(view: str, desk: TheDesk, who: Who) -> None:
    """Remove a view."""
    await desk.views.delete(view, by=who)


def _json(view: View) -> Json:
    return {
        "id": view.id,
        "owner": view.owner,
        "name": view.name,
        "filters": dict(view.filters),
        "shared": view.shared,
        "created_at": moment(view.created_at),
        "updated_at": moment(view.updated_at),
    }
