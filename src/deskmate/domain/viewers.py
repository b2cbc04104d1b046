"""Viewers: who is on a thread at this moment, looking at it or typing. They say so again and again; who is gone runs out."""

from dataclasses import dataclass
from datetime import timedelta

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import Visibility

TYPING = timedelta(seconds=6)
VIEWING = timedelta(seconds=45)
"""How long a sign of life holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody on a thread; `typing` is the visibility of what they write at this moment. Customers are there while they type."""

    kind: AuthorKind
    id: str | None
    name: str
    typing: Visibility | None = None
