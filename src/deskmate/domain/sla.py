"""SLA policies: how long each thing may take, counted in the open time of the queue's calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from deskmate.domain.calendars import Calendar
from deskmate.domain.policies import Rules
from deskmate.domain.threads import Priority

LONGEST = 366 * 24 * 3600  # seconds
BREACH = 100
"""The percentage at which the time of a target is over."""


class Target(StrEnum):
    """What a time is allowed for."""

    TIME_TO_HUMAN = "time_to_human"
    """From the hand-off to people to the first words of an operator."""
    FIRST_RESPONSE = "first_response"
    """From the customer's first words to the first answer, whoever gives it."""
    NEXT_RESPONSE = "next_response"
    """From any later words of the customer that find nothing unanswered to the next answer."""
    RESOLUTION = "resolution"
    """From opening to resolving, without the time in which the customer owes the next word, or the thread is snoozed."""


class Allowance(BaseModel):
    """The time that one thing may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    seconds: Annotated[int, Field(ge=1, le=LONGEST)]


class Targets(BaseModel):
    """The time that each thing may take; what is left out has no target."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    time_to_human: Allowance | None = None
    first_response: Allowance | None = None
    next_response: Allowance | None = None
    resolution: Allowance | None = None

    def of(self, target: Target) -> Allowance | None:
        """What is allowed for one of them."""
        match target:
            case Target.TIME_TO_HUMAN:
                return self.time_to_human
            case Target.FIRST_RESPONSE:
                return self.first_response
            case Target.NEXT_RESPONSE:
                return self.next_response
            case Target.RESOLUTION:
                return self.resolution


class Sla(Rules):
    """The targets of a queue, and other ones for some priorities. People are warned when each share of the time in `warn`, in
    percent, is over. Time counts while the calendar of the queue is open; with `always`, around the clock."""

    targets: Targets = Targets()
    warn: Annotated[tuple[Annotated[int, Field(ge=1, le=BREACH)], ...], Field(max_length=10)] = (50, 80, BREACH)
    priorities: Mapping[Priority, Targets] = {}
    always: bool = False

    @field_validator("warn")
    @classmethod
    def _in_order(cls, given: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(given)))

    def allowed(self, target: Target, priority: Priority) -> timedelta | None:
        """The time for one thing on a thread of this priority. None where there is no target."""
        special = self.priorities.get(priority)
        allowance = (None if special is None else special.of(target)) or self.targets.of(target)
        return None if allowance is None else timedelta(seconds=allowance.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a target goes by from its start to its end, whatever becomes of the policy. Without a calendar, around the clock."""

    policy: str
    allowed: timedelta
    warn: tuple[int, ...] = ()
    calendar: Calendar | None = None

    def worked(self, begin: datetime, end: datetime) -> timedelta:
        """How much of the time between two instants counts."""
        return end - begin if self.calendar is None else self.calendar.worked(begin, end)

    def after(self, begin: datetime, worked: timedelta) -> datetime | None:
        """When so much time has been counted. None where that takes more than ten years."""
        worked = max(worked, timedelta())
        return begin.astimezone(UTC) + worked if self.calendar is None else self.calendar.after(begin, worked)

    def next_mark(self, reached: int) -> int | None:
        """The next share of the time, in percent, at which something happens."""
        return next((mark for mark in (*self.warn, BREACH) if mark > reached), None)


def terms_of(name: str, policy: Sla, target: Target, priority: Priority, calendar: Calendar | None) -> Terms | None:
    """The terms of a target that starts now. None where the policy has no such target."""
    allowed = policy.allowed(target, priority)
    if allowed is None:
        return None
    return Terms(policy=name, allowed=allowed, warn=policy.warn, calendar=None if policy.always else calendar)
