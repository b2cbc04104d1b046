"""The board: how the desk stands now, and how a period went. Numbers that are counted up to a limit say where there is more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from statistics import median

from deskmate.domain.causes import Cause
from deskmate.domain.requests import RequestKind
from deskmate.errors import Invalid

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONGEST_PERIOD = timedelta(days=92)
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
BY_HOUR = timedelta(days=2)
"""Periods up to this long are told by the hour, longer ones by the day."""
AGES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A queue: whether people work it now, and else when again; how many threads wait in it, and the oldest since when."""

    queue: str
    open: bool
    opens_at: datetime | None
    waiting: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Requests of a kind that wait for people. `ages` has how many are younger than each of AGES, and last the older ones."""

    kind: RequestKind
    waiting: int
    since: datetime
    ages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who works here, and what they hold: threads, the one of them that waits longest, and requests."""

    id: str
    name: str
    role: str
    presence: str
    seen_at: datetime | None
    load: float
    capacity: float
    threads: int
    since: datetime | None
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Targets of SLA policies: how many are late, how many more are due within the hour, and when the first was or is due."""

    late: int
    soon: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What agents and people cost in a period, in minor units of a currency; invoices have the exact amounts."""

    currency: str
    ai: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """How the desk stands at this moment: on how many `threads` somebody waits for a person, since when; they may stand
    in a queue and have requests as well. `threads` and `waiting` are exact while `more` is false."""

    at: datetime
    threads: int
    since: datetime | None
    queues: tuple[Line, ...]
    waiting: tuple[Waiting, ...]
    more: bool
    due: Due
    operators: tuple[Colleague, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Who answered the threads that were opened in a step: the AI alone, people, or nobody yet; and how many were passed on."""

    at: datetime
    threads: int
    ai: int
    people: int
    escalated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long it took in a step until a person came: half of them at most `median`, nine of ten at most `p90`."""

    at: datetime
    count: int
    median: timedelta | None = None
    p90: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Troubles of a period by their causes. Where there were `more` than are counted, these are the newest."""

    count: int
    more: bool
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """How the time from `since` until before `until` went, in steps that begin at `since`."""

    since: datetime
    until: datetime
    step: timedelta
    queue: str | None
    threads: Share
    shares: tuple[Share, ...]
    more: bool
    escalations: Counted
    failures: Counted
    waits: Waits
    waits_by_step: tuple[Waits, ...]
    worked: timedelta
    costs: tuple[Cost, ...]


def period_of(since: datetime | None, until: datetime | None, *, now: datetime) -> tuple[datetime, datetime, timedelta]:
    """A period and the step in which it is told; without an end it ends now, without a beginning it is a day.

    Raises Invalid for one that ends before it begins, is too long, or has no zone.
    """
    end = now if until is None else until
    for at, field in ((end, "until"), (since or end, "since")):
        if at.tzinfo is None:
            raise Invalid("a time needs its zone", field=field)
    if end < EARLIEST:
        raise Invalid("nothing was kept then", field="until")
    begin = end - DAY if since is None else since
    if end <= begin:
        raise Invalid("a period ends after it begins", field="until")
    if end - begin > LONGEST_PERIOD:
        raise Invalid(f"a period is at most {LONGEST_PERIOD.days} days", field="since")
    return begin, end, HOUR if end - begin <= BY_HOUR else DAY


def starts(since: datetime, until: datetime, step: timedelta) -> tuple[datetime, ...]:
    """When the steps of a period begin."""
    return tuple(since + step * place for place in range(ceil((until - since) / step)))


def waits(at: datetime, waited: Iterable[int]) -> Waits:
    """What these waits, in ms, come to."""
    sorted_waits: Sequence[int] = sorted(waited)
    if not sorted_waits:
        return Waits(at=at, count=0)
    return Waits(
        at=at,
        count=len(sorted_waits),
        median=timedelta(milliseconds=int(median(sorted_waits))),
        p90=timedelta(milliseconds=sorted_waits[ceil(0.9 * len(sorted_waits)) - 1]),
    )
