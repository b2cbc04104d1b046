"""Operators: the humans who work threads."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from deskmate.domain.actors import Actor, AuthorKind, Role
from deskmate.errors import Invalid

E = TypeVar("E", bound=StrEnum)
MOST_LABELS = 100


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
    seen_at: datetime | None = None
    last_assigned_at: datetime | None = None
    disabled_at: datetime | None = None
    created_at: datetime

    @property
    def disabled(self) -> bool:
        """Whether this operator has left: kept for the history, let in nowhere."""
        return self.disabled_at is not None

    def actor(self, channel: str = "python") -> Actor:
        return Actor(kind=AuthorKind.OPERATOR, id=self.id, name=self.name, role=self.role, channel=channel)


By = Actor | Operator
"""Whoever performs a verb."""


def actor_of(by: By) -> Actor:
    """An operator acts as themselves."""
    return by.actor() if isinstance(by, Operator) else by


def checked(operator: Operator) -> Operator:
    """The operator with a normalised address and tidy words. Raises Invalid, naming the field."""
    if not (math.isfinite(operator.capacity) and 0 <= operator.capacity <= 1000):
        raise Invalid("capacity is a number from 0 to 1000", field="capacity")
    return replace(
        operator,
        name=words(operator.name, "name"),
        email=normal_email(operator.email),
        skills=labels(operator.skills, "skills"),
        languages=labels(operator.languages, "languages"),
        queues=labels(operator.queues, "queues"),
        capacity=float(operator.capacity),
    )


def normal_email(email: str) -> str:
    """One spelling for one address: NFKC, lower case, no space around. Raises Invalid."""
    normal = unicodedata.normalize("NFKC", email).strip().lower()
    local, at, domain = normal.rpartition("@")
    if not (local and at and domain) or len(normal) > 254 or "@" in local or not normal.isprintable() or " " in normal:
        raise Invalid("email must be an address like ana@shop.example", field="email")
    return normal


def words(text: str, field: str, longest: int = 100) -> str:
    """A name people read: some printable characters on one line. Raises Invalid."""
    tidy = text.strip()
    if not tidy or len(tidy) > longest or not tidy.isprintable():
        raise Invalid(f"{field} must be 1 to {longest} printable characters", field=field)
    return tidy


def chosen(kind: type[E], text: E | str, field: str) -> E:
    """One of the values of an enum. Raises Invalid, naming the choices."""
    try:
        return kind(text)
    except ValueError:
        raise Invalid(f"{field} must be one of {', '.join(kind)}", field=field) from None


def labels(given: Sequence[str], field: str) -> tuple[str, ...]:
    """Words such as skills, each once. Raises Invalid."""
    if len(given) > MOST_LABELS:
        raise Invalid(f"{field} are at most {MOST_LABELS}", field=field)
    return tuple(dict.fromkeys(words(label, field) for label in given))
