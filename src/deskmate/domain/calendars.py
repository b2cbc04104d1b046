"""Calendars: the hours in which people work, in their own time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deskmate.errors import Invalid

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FARTHEST = 366  # days in which a calendar has to open again


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When people work: for each day of the week its spans in the local time of `zone`, and days on which nobody does."""

    zone: str
    hours: Mapping[str, tuple[tuple[time, time], ...]]
    closed: tuple[date, ...] = ()

    def open(self, at: datetime) -> bool:
        """Whether people work at this moment."""
        local = at.astimezone(ZoneInfo(self.zone))
        return any(begin <= local < end for begin, end in self._spans(local.date()))

    def opens_at(self, at: datetime) -> datetime | None:
        """When people work again, in UTC; now where they do. None where they will not within a year."""
        local = at.astimezone(ZoneInfo(self.zone))
        for ahead in range(FARTHEST):
            for begin, end in self._spans(local.date() + timedelta(days=ahead)):
                if local < end:
                    return max(begin, local).astimezone(UTC)
        return None

    def _spans(self, day: date) -> list[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.zone)
        spans = () if day in self.closed else self.hours.get(DAYS[day.weekday()], ())
        return [(_at(day, begin, zone), _at(day, end, zone)) for begin, end in spans]


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A time of a day; midnight as an end is that of the next day."""
    whole = datetime.combine(day, clock, zone)
    return whole + timedelta(days=1) if clock == time.max else whole


def calendar_of(given: object) -> Calendar:
    """Read `{"zone": "Europe/Paris", "hours": {"mon": [["09:00", "17:30"]]}, "closed": ["2026-12-25"]}`; an end may be 24:00.

    Raises Invalid, naming the place.
    """
    written = _mapping(given, "a calendar has zone, hours and closed", "calendar", ("zone", "hours", "closed"))
    zone = written.get("zone")
    if not isinstance(zone, str) or not _known_zone(zone):
        raise Invalid("zone must be a time zone such as Europe/Paris", field="calendar.zone")
    hours = _mapping(written.get("hours"), f"hours has spans for {', '.join(DAYS)}", "calendar.hours", DAYS)
    closed = _list(written.get("closed", []), "closed is a list of days such as 2026-12-25", "calendar.closed")
    return Calendar(
        zone=zone,
        hours={day: _spans_of(spans, f"calendar.hours.{day}") for day, spans in hours.items()},
        closed=tuple(_day_of(day) for day in closed),
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
    return {"zone": calendar.zone, "hours": hours, "closed": [day.isoformat() for day in calendar.closed]}


def _clock(clock: time) -> str:
    return "24:00" if clock == time.max else clock.isoformat("minutes")
