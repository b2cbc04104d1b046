"""Running targets: one allowance of an SLA policy on one thread, from its start to its end."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from deskmate.domain.sla import BREACH, Target, Terms

NOTHING = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A target that has started and not ended. It stands still where `since` is None; `spent` is what had been counted before.

    `reached` is the share of its time, in percent, about which all has been told; `next_at` is when the next one is.
    """

    target: Target
    terms: Terms
    started: datetime
    spent: timedelta = NOTHING
    since: datetime | None = None
    reached: int = 0
    due_at: datetime | None = None
    next_at: datetime | None = None
    breached_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a target: met, or missed."""

    target: Target
    policy: str
    started: datetime
    ended: datetime
    allowed: timedelta
    spent: timedelta
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A share of the time of a target is over, in percent: all of it where that is 100."""

    target: Target
    policy: str
    started: datetime
    percent: int
    at: datetime
    due_at: datetime
    warns: bool
    """Whether the policy asks for a warning at this share."""


def start(target: Target, terms: Terms, at: datetime, *, going: bool) -> Running:
    """A target that starts now, and stands still at first unless it is going."""
    clock = Running(target=target, terms=terms, started=at)
    return resume(clock, at) if going else clock


def resume(clock: Running, at: datetime) -> Running:
    """It goes on."""
    if clock.since is not None:
        return clock
    due_at = clock.breached_at or clock.terms.after(at, clock.terms.allowed - clock.spent)
    return _scheduled(replace(clock, since=at, due_at=due_at))


def pause(clock: Running, at: datetime) -> Running:
    """It stands still."""
    if clock.since is None:
        return clock
    return replace(clock, spent=_spent(clock, at), since=None, due_at=None, next_at=None)


def end(clock: Running, at: datetime) -> Outcome:
    """It is over."""
    return Outcome(
        target=clock.target, policy=clock.terms.policy, started=clock.started, ended=at, allowed=clock.terms.allowed,
        spent=_spent(clock, at), met=clock.breached_at is None,
    )  # fmt: skip


def tick(clock: Running, at: datetime) -> tuple[Running, list[Mark]]:
    """What its time, up to and with this moment, has brought."""
    marks: list[Mark] = []
    while clock.next_at is not None and clock.next_at <= at:
        percent = clock.terms.next_mark(clock.reached)
        assert percent is not None
        due_at = clock.next_at if percent == BREACH else clock.due_at
        mark = Mark(
            target=clock.target, policy=clock.terms.policy, started=clock.started, percent=percent, at=clock.next_at,
            due_at=due_at or clock.next_at, warns=percent in clock.terms.warn,
        )  # fmt: skip
        marks.append(mark)
        breached_at = clock.next_at if percent == BREACH else clock.breached_at
        clock = _scheduled(replace(clock, reached=percent, breached_at=breached_at))
    return clock, marks


def _spent(clock: Running, at: datetime) -> timedelta:
    return clock.spent + (NOTHING if clock.since is None else clock.terms.worked(clock.since, at))


def _scheduled(clock: Running) -> Running:
    """With the moment at which the next share of its time is over."""
    mark = clock.terms.next_mark(clock.reached)
    if mark is None or clock.since is None:
        return replace(clock, next_at=None)
    if mark == BREACH:
        return replace(clock, next_at=clock.due_at)
    return replace(clock, next_at=clock.terms.after(clock.since, clock.terms.allowed * mark / BREACH - clock.spent))
