"""Macros over HTTP."""

from fastapi import APIRouter

from deskmate.domain.macros import Macro, actions_to_json
from deskmate.server.api.bodies import AddMacro, ChangeMacro, UseMacro
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit, shown
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api", tags=["macros"])


@router.get("/macros")
async def list_macros(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """Macros, oldest first."""
    page = await desk.macros.list(cursor=cursor, limit=limit, by=who)
    return {"items": [_json(macro) for macro in page.items], "cursor": page.cursor}


@router.post("/macros", status_code=201)
async def add_macro(body: AddMacro, desk: TheDesk, who: Who) -> Json:
    """A new macro."""
    return _json(await desk.macros.add(name=body.name, actions=body.actions, by=who))


@router.get("/macros/{macro}")
async def get_macro(macro: str, desk: TheDesk, who: Who) -> Json:
    """One macro."""
    return _json(await desk.macros.get(macro, by=who))


@router.patch("/macros/{macro}")
async def change_macro(macro: str, body: ChangeMacro, desk: TheDesk, who: Who) -> Json:
    """Change a macro."""
    return _json(await desk.macros.change(macro, name=body.name, actions=body.actions, by=who))


@router.delete("/macros/{macro}", status_code=204)
async def delete_macro(macro: str, desk: TheDesk, who: Who) -> None:
    """Remove a macro."""
    await desk.macros.delete(macro, by=who)


@router.post("/threads/{thread}/macro")
async def use_macro(thread: str, body: UseMacro, desk: TheDesk, who: Who) -> Json:
    """Do what a macro says on a thread: all of it, or nothing."""
    return await shown(desk, await desk.macros.use(body.macro, thread, by=who), who)


def _json(macro: Macro) -> Json:
    return {
        "id": macro.id,
        "name": macro.name,
        "actions": actions_to_json(macro.actions),
        "created_at": moment(macro.created_at),
        "updated_at": moment(macro.updated_at),
    }
