"""Calendars: when people work, in their own time zone."""

from datetime import UTC, datetime

import pytest

from deskmate.domain.calendars import calendar_json, calendar_of
from deskmate.errors import Invalid

PARIS = {
    "zone": "Europe/Paris",
    "hours": {"fri": [["09:00", "12:00"], ["13:00", "18:00"]], "sat": [["22:00", "24:00"]], "mon": [["09:00", "17:00"]]},
    "closed": ["2026-12-25"],
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "open_", "opens"),
    [
        ("2026-11-27T08:00", True, "2026-11-27T08:00"),
        ("2026-11-27T11:30", False, "2026-11-27T12:00"),
        ("2026-11-27T17:00", False, "2026-11-28T21:00"),
        ("2026-11-28T22:59", True, "2026-11-28T22:59"),
        ("2026-11-28T23:00", False, "2026-11-30T08:00"),
        ("2026-12-25T09:00", False, "2026-12-26T21:00"),
        # The clocks went forward on the 29th of March: nine o'clock is an hour earlier in UTC.
        ("2026-03-29T12:00", False, "2026-03-30T07:00"),
    ],
)
def test_a_calendar_says_whether_people_work_and_when_they_are_back(now: str, open_: bool, opens: str) -> None:
    calendar = calendar_of(PARIS)
    assert calendar.open(at(now)) is open_
    assert calendar.opens_at(at(now)) == at(opens)


def test_a_calendar_without_hours_never_opens() -> None:
    calendar = calendar_of({"zone": "UTC", "hours": {}})
    assert not calendar.open(at("2026-11-27T08:00"))
    assert calendar.opens_at(at("2026-11-27T08:00")) is None


def test_a_calendar_is_written_as_it_is_read() -> None:
    assert calendar_json(calendar_of(PARIS)) == PARIS
    assert calendar_of(calendar_json(calendar_of(PARIS))) == calendar_of(PARIS)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (["mon"], "calendar"),
        ({"zone": "UTC", "hours": {}, "colour": "red"}, "calendar"),
        ({"zone": "../etc/passwd", "hours": {}}, "calendar.zone"),
        ({"zone": "UTC"}, "calendar.hours"),
        ({"zone": "UTC", "hours": {"monday": []}}, "calendar.hours"),
        ({"zone": "UTC", "hours": {"mon": "09:00"}}, "calendar.hours.mon"),
        ({"zone": "UTC", "hours": {"mon": [["09:00"]]}}, "calendar.hours.mon"),
        ({"zone": "UTC", "hours": {"mon": [["25:00", "26:00"]]}}, "calendar.hours.mon"),
        ({"zone": "UTC", "hours": {}, "closed": ["Christmas"]}, "calendar.closed"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_naming_the_place(given: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        calendar_of(given)
    assert refused.value.field == field
