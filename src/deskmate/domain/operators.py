"""Operators: the humans who work threads."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskmate.domain.actors import Actor, AuthorKind, Role


class Presence(StrEnum):
    AVAILABLE = "available"
    AWAY = "away"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One human. Capacity and load are in thread equivalents."""

    id: str
    name: str
    email: str
    role: Role = Role.OPERATOR
    skills: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    capacity: float = 6.0
    load: float = 0.0
    presence: Presence = Presence.OFFLINE
    last_assigned_at: datetime | None = None
    created_at: datetime

    def actor(self, channel: str = "python") -> Actor:
        return Actor(kind=AuthorKind.OPERATOR, id=self.id, name=self.name, role=self.role, channel=channel)
