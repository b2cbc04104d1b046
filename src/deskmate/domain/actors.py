"""Actors: whoever performs a verb, already authenticated. Authors: whoever wrote a message."""

from dataclasses import dataclass, field
from enum import StrEnum


class AuthorKind(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    OPERATOR = "operator"
    SYSTEM = "system"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who wrote a message; not the model `role`."""

    kind: AuthorKind
    id: str | None = None
    name: str = ""


class Role(StrEnum):
    """What an operator may do; a key carries one of these as well."""

    ADMIN = "admin"
    LEAD = "lead"
    OPERATOR = "operator"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who performs a verb, and over which channel they came in."""

    kind: AuthorKind
    id: str | None = None
    name: str = ""
    role: Role | None = None
    scopes: frozenset[str] = field(default_factory=lambda: frozenset[str]())
    channel: str = "python"

    @property
    def author(self) -> Author:
        return Author(kind=self.kind, id=self.id, name=self.name)


def customer(id: str, name: str = "", *, channel: str = "python") -> Actor:
    """The actor for one customer, by the id your own system knows them by."""
    return Actor(kind=AuthorKind.CUSTOMER, id=id, name=name or id, channel=channel)


def agent(name: str) -> Actor:
    """The actor for an AI agent, by its registered name."""
    return Actor(kind=AuthorKind.AGENT, id=name, name=name)


def service(name: str, *, role: Role | None = Role.ADMIN, scopes: frozenset[str] = frozenset()) -> Actor:
    """The actor for a program of yours."""
    return Actor(kind=AuthorKind.SERVICE, id=name, name=name, role=role, scopes=scopes)


SYSTEM = Actor(kind=AuthorKind.SYSTEM, name="Deskmate")
