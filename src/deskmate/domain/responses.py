"""Responses: how long an operator may take to answer a customer who waits, and what happens when they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from deskmate.domain.assignments import Holder
from deskmate.domain.calendars import Calendar
from deskmate.domain.policies import Rules

LONGEST = 30 * 24 * 3600  # seconds
MOST_ACTIONS = 10


class ResponseAction(StrEnum):
    """What happens when an operator does not answer in time."""

    REMIND = "remind"
    """Whoever holds the thread is told."""
    REASSIGN = "reassign"
    """It is given to whoever fits best of those who have not let it lie; where there is nobody, to its queue."""
    QUEUE = "queue"
    """It waits in its queue again."""
    NOTIFY_LEAD = "notify_lead"
    """Leads and admins are told."""
    AI = "ai"
    """The AI goes on, after a word to the customer; where it may not answer, the thread waits in its queue."""


class Response(Rules):
    """How long an operator may take to answer, in seconds of the queue's calendar, and what happens then: one action after the
    other, the next after `every_seconds` (the same time again where none is given), until somebody answers or the thread changes
    hands. Whoever misses so many in a row, over all threads, is set away."""

    seconds: Annotated[int, Field(ge=1, le=LONGEST)]
    actions: Annotated[tuple[ResponseAction, ...], Field(min_length=1, max_length=MOST_ACTIONS)]
    every_seconds: Annotated[int, Field(ge=1, le=LONGEST)] | None = None
    misses_until_away: Annotated[int, Field(ge=1, le=100)] | None = None
    holding_message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)] | None = None

    def time(self, step: int) -> timedelta:
        """How long is waited before an action, the first being 0."""
        return timedelta(seconds=self.seconds if step == 0 else self.every_seconds or self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One operator who has to answer on one thread, in one epoch of it. `seq` is the event that began it, `step` the action that
    comes at `due_at`, `missed` are those who had the thread since and let it lie."""

    thread: str
    operator: str
    queue: str
    epoch: int
    seq: int
    rules: Response
    step: int = 0
    missed: tuple[str, ...] = ()
    due_at: datetime


def next_step(actions: Sequence[ResponseAction], step: int, holder: Holder) -> int:
    """The next action from this one on that means something for a thread that is held like this; behind the last where there is
    none. In a queue nobody can be reminded, and nobody has to give it back."""
    while step < len(actions) and holder is not Holder.OPERATOR and actions[step] in _OF_A_HOLDER:
        step += 1
    return step


_OF_A_HOLDER = frozenset({ResponseAction.REMIND, ResponseAction.REASSIGN, ResponseAction.QUEUE})


def due_after(calendar: Calendar | None, begin: datetime, span: timedelta) -> datetime:
    """When so much time of a calendar has passed. One that does not open again pauses nothing."""
    if calendar is None:
        return begin + span
    return calendar.after(begin, span) or begin + span
