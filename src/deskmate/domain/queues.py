"""Queues: named lines of open requests and unassigned threads, and who is given what waits in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from deskmate.domain.calendars import Calendar
from deskmate.domain.operators import Operator, Presence, words
from deskmate.domain.requests import RequestKind

DEFAULT_QUEUE = "support"
"""Where threads and requests wait that nobody has put anywhere else."""
HUNDREDTHS = 100
"""Weights and loads are counted in hundredths of a thread, so that they add up exactly."""
THREAD_WEIGHT = 100
WEIGHTS: Mapping[RequestKind, int] = {RequestKind.QUESTION: 30, RequestKind.APPROVAL: 20, RequestKind.ESCALATION: 30}
LEASE = timedelta(minutes=5)
"""How long a thread or request stays with whom it was assigned to, without a sign of life."""
PATIENCE = timedelta(minutes=2)
"""After that, whoever has the skills is good enough, whatever their languages."""


class Chooser(StrEnum):
    """How what waits in a queue comes to an operator."""

    PULL = "pull"
    """Operators take the next one themselves."""
    BALANCED = "balanced"
    """It is given to whoever holds the least of what they may hold."""
    ROUND_ROBIN = "round_robin"
    """It is given to whoever was given nothing for longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A line, and who may work it: operators who name it, or name none, and have all its skills. Without a calendar it is
    always open. `lease` is how long an assigned thread or request waits for a sign of life. `sla`, `response` and `chain` are
    the names of its policies."""

    name: str
    skills: tuple[str, ...] = ()
    chooser: Chooser = Chooser.PULL
    calendar: Calendar | None = None
    lease: timedelta = LEASE
    sla: str | None = None
    response: str | None = None
    chain: str | None = None
    created_at: datetime

    def open(self, at: datetime) -> bool:
        """Whether people work this queue at this moment."""
        return self.calendar is None or self.calendar.open(at)

    def worked_by(self, operator: Operator) -> bool:
        """Whether this operator works this queue at all."""
        return (not operator.queues or self.name in operator.queues) and set(self.skills) <= set(operator.skills)


def queue_name(name: str, field: str = "queue") -> str:
    """The name of a queue. Raises Invalid."""
    return words(name, field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What waits in a queue: a thread, or a request on one. `weight` is in hundredths of a thread."""

    thread: str
    request: str | None = None
    queue: str
    skills: tuple[str, ...] = ()
    language: str | None = None
    weight: int = THREAD_WEIGHT
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One operator who might have been chosen, as they stood then; `why` says why they were, or were not."""

    operator: str
    name: str
    load: float
    capacity: float
    fits: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who was chosen for a thread or a request, from whom; `missed_at` is when they had let it
    lie for too long, or gave it back."""

    id: str
    thread: str
    request: str | None
    queue: str
    operator: str
    operator_name: str
    reason: str
    candidates: tuple[Candidate, ...]
    missed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What somebody who waits can be told: how many are served before them, counting from 1, how long the last ones waited, and
    when people are back, where they are not there now. None where nobody knows."""

    queue: str
    position: int | None = None
    expected_wait: timedelta | None = None
    opens_at: datetime | None = None


def obstacle(operator: Operator, queue: Queue, item: Item, *, missed: frozenset[str], at: datetime) -> str | None:
    """Why this operator cannot be given this item, or None."""
    if operator.disabled:
        return "does not work here any more"
    if operator.presence is not Presence.AVAILABLE:
        return f"is {operator.presence}"
    if operator.queues and queue.name not in operator.queues:
        return f"does not work {queue.name}"
    if lacking := sorted((set(queue.skills) | set(item.skills)) - set(operator.skills)):
        return f"lacks {', '.join(lacking)}"
    if not speaks(operator, item, at):
        return f"does not speak {item.language}"
    if operator.id in missed:
        return "had it before"
    if hundredths(operator.load) + item.weight > hundredths(operator.capacity):
        return f"holds {operator.load:g} of {operator.capacity:g}"
    return None


def speaks(operator: Operator, item: Item, at: datetime) -> bool:
    """Whether the language of the thread is one of theirs; nobody waits long for that."""
    known = not item.language or not operator.languages or item.language in operator.languages
    return known or at - item.since >= PATIENCE


def ranked(operators: Iterable[Operator], chooser: Chooser) -> list[Operator]:
    """Those who fit, in the order in which they are asked."""
    match chooser:
        case Chooser.ROUND_ROBIN:
            return sorted(operators, key=lambda o: (_last(o), o.id))
        case Chooser.BALANCED | Chooser.PULL:
            return sorted(operators, key=lambda o: (o.load / o.capacity if o.capacity else 1.0, _last(o), o.id))
        case _:
            assert_never(chooser)


def why_chosen(operator: Operator, others: int, chooser: Chooser) -> str:
    """The reason of a choice, as people read it."""
    if others == 0:
        return "nobody else fits"
    if chooser is Chooser.ROUND_ROBIN:
        return f"their turn, of {others + 1}"
    return f"holds the least, {operator.load:g} of {operator.capacity:g}, of {others + 1}"


def hundredths(amount: float) -> int:
    """A load or a capacity as the store counts it."""
    return round(amount * HUNDREDTHS)


def _last(operator: Operator) -> float:
    return operator.last_assigned_at.timestamp() if operator.last_assigned_at is not None else 0.0
