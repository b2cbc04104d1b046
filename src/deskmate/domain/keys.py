"""Keys: what programs show to be let in. The secret itself is known to its holder only."""

from dataclasses import dataclass, field
from datetime import datetime

from deskmate.domain.actors import Actor, AuthorKind, Role
from deskmate.domain.operators import Operator
from deskmate.domain.permissions import weaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: bound to an operator, or a program's own with a role, scopes, or both."""

    id: str
    name: str
    operator: str | None = None
    role: Role | None = None
    scopes: frozenset[str] = field(default_factory=frozenset[str])
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    created_at: datetime


def actor_of(key: Key, operator: Operator | None) -> Actor:
    """Who acts with this key: the operator it is bound to, never with more than their role, or the program itself."""
    if operator is not None:
        role = operator.role if key.role is None else weaker(operator.role, key.role)
        return Actor(
            kind=AuthorKind.OPERATOR, id=operator.id, name=operator.name, role=role, scopes=key.scopes, channel="api"
        )  # fmt: skip
    return Actor(kind=AuthorKind.SERVICE, id=key.id, name=key.name, role=key.role, scopes=key.scopes, channel="api")
