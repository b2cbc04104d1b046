"""Threads: ordered conversations shared by one customer, AI agents and operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from deskmate.domain.actors import Author
from deskmate.domain.assignments import Assignment


class Status(StrEnum):
    OPEN = "open"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


STATUS_MOVES: Mapping[Status, frozenset[Status]] = {
    Status.OPEN: frozenset({Status.OPEN, Status.SNOOZED, Status.RESOLVED}),
    Status.SNOOZED: frozenset({Status.SNOOZED, Status.OPEN, Status.RESOLVED}),
    Status.RESOLVED: frozenset({Status.RESOLVED, Status.OPEN}),
}


class Mode(StrEnum):
    """How far the AI may go on a thread."""

    AUTO = "auto"
    REVIEW = "review"
    OFF = "off"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """Higher is sooner; 0 is normal."""
        return list(Priority).index(self) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The newest message of a thread, as the list of threads shows it."""

    text: str
    author: Author
    visibility: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One conversation. `prompt_order` is the newest order that wants an answer, `answered_order` the newest dealt with.
    `weight` is what it counts, in hundredths, of what its holder may hold."""

    id: str
    customer: str | None
    customer_name: str | None = None
    subject: str | None = None
    summary: str | None = None
    status: Status = Status.OPEN
    snoozed_until: datetime | None = None
    assignment: Assignment
    epoch: int = 0
    mode: Mode = Mode.AUTO
    priority: Priority = Priority.NORMAL
    queue: str | None = None
    weight: int = 100
    tags: tuple[str, ...] = ()
    language: str | None = None
    waiting_since: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict[str, object])
    prompt_order: int = -1
    answered_order: int = -1
    preview: Preview | None = None
    created_at: datetime
    updated_at: datetime
