"""What routes ask for: the desk, who asks, and a count of the use of a door."""

import time
from contextlib import suppress
from typing import Annotated, cast

from fastapi import BackgroundTasks, Depends, Request
from fastapi.params import Depends as Dependency

from deskmate.app import Desk
from deskmate.domain.actors import Actor, AuthorKind
from deskmate.errors import NotFound, Unavailable
from deskmate.server.auth import SignedInActor, limited
from deskmate.server.limits import Door
from deskmate.services.operators import SIGN_OF_LIFE

READING = frozenset({"GET", "HEAD", "OPTIONS"})


def desk_of(request: Request) -> Desk:
    """The desk this application serves."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]


async def _who(request: Request, desk: TheDesk, actor: SignedInActor, later: BackgroundTasks) -> Actor:
    """Who asks. An operator who writes something is there; one sign of life in a while is enough, and nobody waits for it."""
    if actor.kind is AuthorKind.OPERATOR and actor.id is not None and request.method not in READING:
        noticed = cast("dict[str, float]", request.app.state.noticed)
        now = time.monotonic()
        if now - noticed.get(actor.id, float("-inf")) >= SIGN_OF_LIFE.total_seconds():
            noticed[actor.id] = now
            later.add_task(_seen, desk, actor.id)
    return actor


async def _seen(desk: Desk, operator: str) -> None:
    with suppress(NotFound, Unavailable):
        await desk.operators.seen(operator)


Who = Annotated[Actor, Depends(_who)]


def counted(door: Door) -> Dependency:
    """Let a route count against the rate limit of a door."""
    return Dependency(limited(door))
