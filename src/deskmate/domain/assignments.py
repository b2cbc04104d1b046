"""Assignments: who owes the next message on a thread. Every change raises the epoch."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskmate.errors import Invalid


class Holder(StrEnum):
    AI = "ai"
    QUEUE = "queue"
    OPERATOR = "operator"


class Cause(StrEnum):
    """Which verb changed the assignment."""

    OPENED = "opened"
    CLAIM = "claim"
    TAKEOVER = "takeover"
    TRANSFER = "transfer"
    HAND_BACK = "hand_back"
    ESCALATION = "escalation"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Who holds a thread since when, and why. `id` names the operator or the queue; None for the AI."""

    to: Holder
    id: str | None = None
    name: str | None = None
    since: datetime
    reason: str


def parse_target(to: str, field: str = "to") -> tuple[Holder, str | None]:
    """Read `ai`, `queue:NAME` or `operator:ID`. Raises Invalid for anything else, naming the field."""
    kind, _, name = to.partition(":")
    if kind == Holder.AI and not name and to == "ai":
        return Holder.AI, None
    if kind in (Holder.QUEUE, Holder.OPERATOR) and name:
        return Holder(kind), name
    raise Invalid(f"{field} must be 'ai', 'queue:NAME' or 'operator:ID'", field=field)


def cause_of(now: Holder, then: Holder) -> Cause:
    """The name of the verb that moves a thread from one kind of holder to another."""
    match then:
        case Holder.AI:
            return Cause.HAND_BACK
        case Holder.OPERATOR:
            return Cause.TRANSFER if now is Holder.OPERATOR else Cause.TAKEOVER
        case Holder.QUEUE:
            return Cause.RELEASE if now is Holder.OPERATOR else Cause.TRANSFER
