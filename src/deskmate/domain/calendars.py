"""Calendars: the hours in which people work, in their own time zone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deskmate.domain.holidays import check_holidays, holidays_of
from deskmate.domain.zones import plain, stretches
from deskmate.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
FARTHEST = 366  # days in which a calendar has to open again
HORIZON = timedelta(days=3653)
"""How far ahead anybody looks: what takes more than ten years never comes."""
LAST = datetime.combine(date(9900, 1, 1), time())  # where the calendar of the machine ends, and some room
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When people work: for each day of the week its spans in the local time of `zone`, and days on which nobody does: those in
    `closed`, and the public `holidays` of a country (`FR`) or of a part of one (`DE-BY`).

    A moment is open when the clock on the wall shows a time within a span of that day. So a span lasts an hour longer when the
    clocks go back in it, an hour less when they go forward, and one that lies in the hour that is skipped does not take place.
    """

    zone: str
    hours: Mapping[str, tuple[tuple[time, time], ...]]
    closed: tuple[date, ...] = ()
    holidays: str | None = None

    def open(self, at: datetime) -> bool:
        """Whether people work at this moment."""
        return next(self._pieces(plain(at), plain(at) + timedelta(microseconds=1)), None) is not None

    def opens_at(self, at: datetime) -> datetime | None:
        """When people work again, in UTC; now where they do. None where they will not within a year."""
        begin = plain(at)
        first = next(self._pieces(begin, _until(begin, DAY * FARTHEST)), None)
        return None if first is None else first[0].replace(tzinfo=UTC)

    def spans(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """The open time between two instants, in UTC, in its order; what is open without a break is one span."""
        held: Span | None = None
        for piece in self._pieces(plain(begin), plain(end)):
            if held is not None and held[1] == piece[0]:
                held = (held[0], piece[1])
                continue
            if held is not None:
                yield _utc(held)
            held = piece
        if held is not None:
            yield _utc(held)

    def worked(self, begin: datetime, end: datetime) -> timedelta:
        """How much open time there is between two instants, as it really passes."""
        return sum((until - since for since, until in self._pieces(plain(begin), plain(end))), timedelta())

    def after(self, begin: datetime, worked: timedelta) -> datetime | None:
        """The first instant at which so much open time has passed since `begin`. None where that takes more than ten years."""
        left, start = worked, plain(begin)
        if left <= timedelta():
            return begin.astimezone(UTC)
        for since, until in self._pieces(start, _until(start, HORIZON)):
            if until - since >= left:
                return (since + left).replace(tzinfo=UTC)
            left -= until - since
        return None

    def _pieces(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """The open time between two instants, piece by piece. UTC without a zone, here and below."""
        if not any(self.hours.values()):
            return
        for since, until, offset in stretches(self.zone, begin, end):
            day, last = (since + offset).date(), (until + offset).date()
            while day <= last:
                for first, then in self._wall(day):
                    opens, shuts = max(first - offset, since), min(then - offset, until)
                    if opens < shuts:
                        yield opens, shuts
                day += DAY

    def _wall(self, day: date) -> list[Span]:
        """The spans of a day, in wall time."""
        spans = self.hours.get(DAYS[day.weekday()], ())
        if not spans or day in self.closed:
            return []
        if self.holidays is not None and day in holidays_of(self.holidays, day.year):
            return []
        return [(datetime.combine(day, begin), _end(day, end)) for begin, end in spans]


def _end(day: date, clock: time) -> datetime:
    """An end of a span; midnight is that of the next day."""
    return datetime.combine(day + DAY, time()) if clock == time.max else datetime.combine(day, clock)


def _until(begin: datetime, ahead: timedelta) -> datetime:
    return min(begin + ahead, LAST)


def _utc(span: Span) -> Span:
    return span[0].replace(tzinfo=UTC), span[1].replace(tzinfo=UTC)


def calendar_of(given: object) -> Calendar:
    """Read `{"zone": "Europe/Paris", "hours": {"mon": [["09:00", "17:30"]]}, "closed": ["2026-12-24"], "holidays": "FR"}`; an end
    may be 24:00, and `closed` and `holidays` may be left out.

    Raises Invalid, naming the place.
    """
    known = ("zone", "hours", "closed", "holidays")
    written = _mapping(given, "a calendar has zone, hours, closed and holidays", "calendar", known)
    zone = written.get("zone")
    if not isinstance(zone, str) or not _known_zone(zone):
        raise Invalid("zone must be a time zone such as Europe/Paris", field="calendar.zone")
    hours = _mapping(written.get("hours"), f"hours has spans for {', '.join(DAYS)}", "calendar.hours", DAYS)
    closed = _list(written.get("closed", []), "closed is a list of days such as 2026-12-25", "calendar.closed")
    return Calendar(
        zone=zone,
        hours={day: _spans_of(spans, f"calendar.hours.{day}") for day, spans in hours.items()},
        closed=tuple(_day_of(day) for day in closed),
        holidays=check_holidays(written.get("holidays"), "calendar.holidays"),
    )


def _mapping(given: object, rule: str, field: str, keys: Sequence[str]) -> dict[str, object]:
    if not isinstance(given, dict) or not set(cast("dict[object, object]", given)) <= set(keys):
        raise Invalid(rule, field=field)
    return cast("dict[str, object]", given)


def _list(given: object, rule: str, field: str) -> list[object]:
    if not isinstance(given, list | tuple):
        raise Invalid(rule, field=field)
    return list(cast("list[object]", given))


def _known_zone(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _spans_of(given: object, field: str) -> tuple[tuple[time, time], ...]:
    written = _list(given, "a day has a list of spans such as ['09:00', '17:30']", field)
    spans = tuple(sorted(_span_of(span, field) for span in written))
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise Invalid("spans of one day must not overlap", field=field)
    return spans


def _span_of(given: object, field: str) -> tuple[time, time]:
    rule = "a span is a begin and an end such as ['09:00', '17:30']"
    written = _list(given, rule, field)
    if len(written) != 2:
        raise Invalid(rule, field=field)
    begin, end = (_clock_of(clock, field) for clock in written)
    if not begin < end:
        raise Invalid("a span ends after it begins", field=field)
    return begin, end


def _clock_of(given: object, field: str) -> time:
    if given == "24:00":
        return time.max
    try:
        return time.fromisoformat(str(given)).replace(tzinfo=None)
    except ValueError:
        raise Invalid("a time of day is written 09:00", field=field) from None


def _day_of(given: object) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise Invalid("a day is written 2026-12-25", field="calendar.closed") from None


def calendar_json(calendar: Calendar) -> dict[str, object]:
    """The calendar as it is read again."""
    hours = {day: [[_clock(begin), _clock(end)] for begin, end in spans] for day, spans in calendar.hours.items()}
    written: dict[str, object] = {
        "zone": calendar.zone,
        "hours": hours,
        "closed": [day.isoformat() for day in calendar.closed],
    }
    if calendar.holidays is not None:
        written["holidays"] = calendar.holidays
    return written


def _clock(clock: time) -> str:
    return "24:00" if clock == time.max else clock.isoformat("minutes")
