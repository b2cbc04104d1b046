"""Limits: how much of something there may be in a time, and what happens past that. Integers only: nothing is lost by rounding.

A window counts what was used since its beginning; windows are aligned to 1970. A bucket holds what may still be used, and fills
steadily. One use is as many units as its period has milliseconds, so that what comes in each millisecond is a whole number of
units. A level below zero is a debt, which is paid by what comes in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from deskmate.domain.messages import readable
from deskmate.domain.policies import Rules

MOST = 10**9
LONGEST = 31 * 24 * 3600  # seconds
LONGEST_TEXT = 500  # characters
LONGEST_REASON = 200  # characters of a reason that reasons are grouped by

MOST_NAMES = 500
PRINTED = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
"""What may stand in a text: line breaks, and nothing else that is not printed."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTED)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT, pattern=PRINTED)]
Seconds = Annotated[int, Field(ge=1, le=LONGEST)]
Number = Annotated[int, Field(ge=1, le=MOST)]


class Of(StrEnum):
    """What is limited."""

    MESSAGES = "messages"
    TOKENS = "tokens"
    ESCALATIONS = "escalations"


class Per(StrEnum):
    """Who has a budget of their own."""

    CUSTOMER = "customer"
    AGENT = "agent"
    QUEUE = "queue"
    GLOBAL = "global"


class Fallback(StrEnum):
    """What becomes of an escalation past the budget. It happens in the end, whatever is declared (P11)."""

    DEFER = "defer"
    LOW = "low"
    ANSWER = "answer"


class Window(Rules):
    """So many in each `seconds`."""

    count: Number
    seconds: Seconds

    @property
    def period(self) -> int:
        """In milliseconds."""
        return self.seconds * 1000

    def start(self, at: int) -> int:
        """When the window of this time began, in ms since 1970."""
        return at - at % self.period

    def end(self, at: int) -> int:
        """When the next one begins."""
        return self.start(at) + self.period


class Bucket(Rules):
    """At most `capacity` at once, and `refill` more in each `seconds`. `reserve`, for tokens only, is put aside for each run,
    until it is known what it has used."""

    capacity: Number
    refill: Number
    seconds: Seconds
    reserve: Annotated[int, Field(ge=0, le=MOST)] = 0

    @property
    def period(self) -> int:
        """In milliseconds; and how many units one use is."""
        return self.seconds * 1000

    @property
    def full(self) -> int:
        """The level of a full bucket, in units."""
        return self.capacity * self.period

    def level(self, level: int, at: int, now: int) -> int:
        """The level now of a bucket that had this level at that time. A clock that goes back takes nothing away."""
        return min(level + self.refill * max(now - at, 0), self.full)

    def wait(self, level: int, needed: int) -> int:
        """Milliseconds until this many may be used, exactly: a millisecond earlier they may not."""
        return max(0, -((level - needed * self.period) // self.refill))

    def left(self, level: int) -> int:
        """How many may be used now; below zero it is what is owed."""
        return level // self.period


class Limit(Rules):
    """How many messages of customers, tokens of agents or escalations there may be, for each customer, agent, queue, or in all.

    `names` are the only ones it holds for. `fallback` is for escalations. `text` is what the customer, or the AI, is told.
    """

    of: Of
    per: Per
    names: Annotated[tuple[Name, ...], Field(max_length=MOST_NAMES)] = ()
    window: Window | None = None
    bucket: Bucket | None = None
    fallback: Fallback | None = None
    text: Words | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.window is None) == (self.bucket is None):
            raise ValueError("a limit has a window or a bucket, and not both")
        if self.fallback is not None and self.of is not Of.ESCALATIONS:
            raise ValueError("only escalations have a fallback")
        if self.per is Per.AGENT and self.of is Of.MESSAGES:
            raise ValueError("customers' messages belong to no agent")
        if self.per is Per.GLOBAL and self.names:
            raise ValueError("a global limit holds for everybody: leave names out")
        if self.bucket is not None and self.bucket.reserve and self.of is not Of.TOKENS:
            raise ValueError("only tokens are reserved")
        if self.bucket is not None and self.bucket.reserve > self.bucket.capacity:
            raise ValueError("a bucket cannot reserve more than it holds")
        return self

    @property
    def measure(self) -> Window | Bucket:
        """How it is counted."""
        measure = self.window or self.bucket
        assert measure is not None
        return measure

    @property
    def reserve(self) -> int:
        """How many are put aside for each run."""
        return self.bucket.reserve if self.bucket is not None else 0

    def subject(self, users: Mapping[Per, str | None]) -> str | None:
        """Whose budget these users draw on, such as `customer:ada`; None where the limit does not hold for them."""
        if self.per is Per.GLOBAL:
            return Per.GLOBAL.value
        name = users.get(self.per)
        return None if name is None or (self.names and name not in self.names) else f"{self.per}:{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A use past a limit. `until` is when it may be tried again."""

    policy: str
    limit: Limit
    subject: str
    until: datetime
    now: datetime

    @property
    def retry_after(self) -> int:
        """In whole seconds, at least one."""
        milliseconds = round((self.until - self.now).total_seconds() * 1000)
        return max(1, -(-milliseconds // 1000))

    @property
    def fallback(self) -> Fallback:
        """What is declared for it."""
        return self.limit.fallback or Fallback.DEFER


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why escalations were asked for, by whom, and how often."""

    agent: str | None
    reason: str
    count: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How far one budget is used up. `left` below zero is a debt; `retry_after`, in seconds, is there while nothing is left."""

    subject: str
    used: int
    left: int
    refused: int
    retry_after: int | None
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A limit with the budgets that are in use now, the most used first. `deferred` escalations wait for their time."""

    policy: str
    limit: Limit
    counters: Sequence[Counter]
    deferred: int


def normal(reason: str) -> str:
    """A reason as reasons are grouped: small letters, one space between words, and # for numbers."""
    words = re.sub(r"\d[\d.,:/-]*\d|\d", "#", " ".join(readable(reason).casefold().split()))
    return words.rstrip(".!? ")[:LONGEST_REASON]


def clock_time(until: datetime, now: datetime) -> str:
    """A time for people: with its date where that is another one. In UTC."""
    return f"{until:%H:%M} UTC" if until.date() == now.date() else f"{until:%Y-%m-%d %H:%M} UTC"


def in_about(seconds: int) -> str:
    """A span for customers, who live anywhere: `12 minutes`, never too short."""
    minutes = -(-seconds // 60)
    if minutes < 90:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    hours = -(-seconds // 3600)
    return f"{hours} hours" if hours < 36 else f"{-(-seconds // 86400)} days"
