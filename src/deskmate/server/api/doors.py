"""What routes ask for: the desk, who asks, and a count of the use of a door."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from deskmate.app import Desk
from deskmate.server.auth import SignedInActor, limited
from deskmate.server.limits import Door


def desk_of(request: Request) -> Desk:
    """The desk this application serves."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(desk_of)]
Who = SignedInActor


def counted(door: Door) -> Dependency:
    """Let a route count against the rate limit of a door."""
    return Dependency(limited(door))
