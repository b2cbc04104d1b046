"""The pages: HTML shells for the inbox, the settings and the chat, and their scripts and styles. They use only the public API."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

HERE = Path(str(files("deskmate.server")))
router = APIRouter(include_in_schema=False)
static = StaticFiles(directory=HERE / "static")


def shell(name: str) -> HTMLResponse:
    """A page; its scripts fetch everything else."""
    return HTMLResponse((HERE / "templates" / name).read_text("utf-8"), headers={"Cache-Control": "no-cache"})


@router.get("/")
async def root() -> RedirectResponse:
    """People who come by without an address are customers, most of the time."""
    return RedirectResponse("/chat")


@router.get("/inbox")
@router.get("/inbox/{path:path}")
async def inbox(path: str = "") -> HTMLResponse:
    """The operators' inbox."""
    return shell("inbox.html")


@router.get("/board")
async def board() -> HTMLResponse:
    """How the desk stands, for the team."""
    return shell("board.html")


@router.get("/judgement")
async def judgement() -> HTMLResponse:
    """How the AI is judged, and how far it may go, for the team."""
    return shell("judgement.html")


@router.get("/settings")
async def settings() -> HTMLResponse:
    """What admins and leads decide for all."""
    return shell("settings.html")


@router.get("/chat")
async def chat() -> HTMLResponse:
    """The customers' chat."""
    return shell("chat.html")
