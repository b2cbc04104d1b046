"""Threads: ordered conversations shared by one customer, AI agents and operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from deskmate.domain.actors import Author
from deskmate.domain.assignments import Assignment
from deskmate.domain.operators import words
from deskmate.errors import Invalid

MOST_TAGS = 20
LONGEST_TAG = 40  # characters


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
    limited: bool = field(default=False, compare=False)
    """Whether there is any limit that a use may have to be counted against; known where the thread was read by itself."""
    preview: Preview | None = None
    created_at: datetime
    updated_at: datetime


def tagged(
    now: Sequence[str], *, tags: Sequence[str] | None = None, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> tuple[str, ...]:
    """What a thread is tagged with then: `tags` in the place of all there are, and `add` and `remove` beside what others tag.

    Each once, without space around it, in the order they came. Raises Invalid, naming the field.
    """
    added, removed = labels(add, "add_tags"), labels(remove, "remove_tags")
    both = set(added) & set(removed)
    if both:
        raise Invalid(f"{min(both)} cannot be added and removed at once", field="remove_tags")
    kept = tuple(now) if tags is None else labels(tags, "tags")
    then = tuple(tag for tag in dict.fromkeys((*kept, *added)) if tag not in removed)
    if len(then) > MOST_TAGS and not set(then) <= set(now):
        raise Invalid(f"a thread has at most {MOST_TAGS} tags", field="tags" if tags is not None else "add_tags")
    return then


def labels(tags: Sequence[str], field: str) -> tuple[str, ...]:
    """Tags as they are kept. Raises Invalid, naming the field."""
    if len(tags) > MOST_TAGS:
        raise Invalid(f"{field} are at most {MOST_TAGS}", field=field)
    return tuple(dict.fromkeys(words(tag, field, LONGEST_TAG) for tag in tags))
