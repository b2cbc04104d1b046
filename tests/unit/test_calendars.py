"""Calendars: when people work, in their own time zone."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskmate.domain.calendars import Calendar, calendar_json, calendar_of
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
        *[
            ({"zone": "UTC", "hours": {}, "holidays": place}, "calendar.holidays")
            for place in ("Atlantis", "ZZ", "DE-XX", "de-BY", "DE-", "", 7, ["FR"], "DE-BY\n")
        ],
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_naming_the_place(given: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        calendar_of(given)
    assert refused.value.field == field


# The oracle is as simple as it can be: it goes minute by minute, looks at the clock on the wall, and asks whether that is open.
MINUTE = timedelta(minutes=1)
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC")
EDGES = (
    "2026-03-29T00:00", "2026-10-25T00:00",  # Paris
    "2026-03-08T06:00", "2026-11-01T05:00",  # New York
    "2026-04-04T14:00", "2026-10-03T15:00",  # Lord Howe goes by half an hour
    "2011-12-30T09:00",  # Apia had no 30th of December in 2011
    "2026-12-24T00:00", "2026-06-01T12:00", "2025-12-31T20:00",
)  # fmt: skip
BAVARIA = (
    "2011-12-25 2011-12-26 2012-01-01 2012-01-06 2025-12-25 2025-12-26 2026-01-01 2026-01-06 2026-04-03 2026-04-06 2026-05-01 "
    "2026-05-14 2026-05-25 2026-06-04 2026-10-03 2026-11-01 2026-12-25 2026-12-26"
)
OFF: dict[str | None, set[str]] = {"DE-BY": set(BAVARIA.split()), None: set[str]()}


def naive_open(calendar: Calendar, moment: datetime, off: set[str]) -> bool:
    wall = moment.astimezone(ZoneInfo(calendar.zone)).replace(tzinfo=None)
    if wall.date() in calendar.closed or wall.date().isoformat() in off:
        return False
    spans = calendar.hours.get(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[wall.weekday()], ())
    return any(begin <= wall.time() < end for begin, end in spans)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, set[str]]:
    def clock(minute: int) -> str:
        return f"{minute // 60:02}:{minute % 60:02}"

    edge = st.one_of(st.sampled_from((0, 90, 105, 120, 135, 150, 165, 180, 1440)), st.integers(0, 1440))
    day = st.lists(edge, max_size=6, unique=True).map(sorted)
    days = draw(st.lists(day, min_size=7, max_size=7))
    hours = {
        name: [[clock(b), clock(e)] for b, e in zip(marks[::2], marks[1::2], strict=False)]
        for name, marks in zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), days, strict=True)
    }
    place = draw(st.sampled_from((None, "DE-BY")))
    closed = draw(st.lists(st.sampled_from(("2026-03-29", "2026-11-01", "2026-06-02")), max_size=2, unique=True))
    zone = draw(st.sampled_from(ZONES))
    return calendar_of({"zone": zone, "hours": hours, "closed": closed, "holidays": place}), OFF[place]


def shifted(edge: str, minutes: int) -> datetime:
    return at(edge) + MINUTE * minutes


moments = st.builds(shifted, st.sampled_from(EDGES), st.integers(-2000, 2000))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(made=calendars(), begin=moments, length=st.integers(1, 4000), needed=st.integers(1, 3000))
def test_open_time_is_what_the_clock_on_the_wall_says_minute_by_minute(
    made: tuple[Calendar, set[str]], begin: datetime, length: int, needed: int
) -> None:
    calendar, off = made
    walk = [naive_open(calendar, begin + MINUTE * step, off) for step in range(length)]
    end = begin + MINUTE * length
    assert calendar.worked(begin, end) == MINUTE * sum(walk)
    runs: list[list[datetime]] = []
    for step, is_open in enumerate(walk):
        moment = begin + MINUTE * step
        if is_open and runs and runs[-1][1] == moment:
            runs[-1][1] = moment + MINUTE
        elif is_open:
            runs.append([moment, moment + MINUTE])
    assert [list(span) for span in calendar.spans(begin, end)] == runs
    assert [calendar.open(begin + MINUTE * step) for step in range(0, length, 37)] == walk[::37]
    passed = list(accumulate(walk))
    reached = next((begin + MINUTE * (step + 1) for step, sum_ in enumerate(passed) if sum_ >= needed), None)
    due = calendar.after(begin, MINUTE * needed)
    if reached is not None:
        assert due == reached
    else:
        assert due is None or due > end
    opens = calendar.opens_at(begin)
    assert opens == runs[0][0] if runs else opens is None or opens >= end


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(made=calendars(), begin=moments, parts=st.lists(st.integers(0, 10**10), min_size=1, max_size=5))
def test_open_time_adds_up_to_the_microsecond_however_it_is_cut(
    made: tuple[Calendar, set[str]], begin: datetime, parts: list[int]
) -> None:
    calendar, _ = made
    cuts = [begin + timedelta(microseconds=cut) for cut in accumulate([0, *parts])]
    assert sum((calendar.worked(a, b) for a, b in pairwise(cuts)), timedelta()) == calendar.worked(begin, cuts[-1])
    worked = calendar.worked(begin, cuts[-1])
    due = calendar.after(begin, worked)
    assert due is not None
    assert calendar.worked(begin, due) == worked
    assert due <= cuts[-1]


def test_a_span_in_the_hour_that_is_skipped_does_not_take_place_and_one_in_the_hour_that_comes_twice_does_so_twice() -> None:
    calendar = calendar_of({"zone": "Europe/Paris", "hours": {"sun": [["02:15", "02:45"]]}})
    assert calendar.worked(at("2026-03-29T00:00"), at("2026-03-30T00:00")) == timedelta()
    assert list(calendar.spans(at("2026-10-25T00:00"), at("2026-10-26T00:00"))) == [
        (at("2026-10-25T00:15"), at("2026-10-25T00:45")),
        (at("2026-10-25T01:15"), at("2026-10-25T01:45")),
    ]


def test_a_day_lasts_as_long_as_it_really_does() -> None:
    calendar = calendar_of({"zone": "Europe/Paris", "hours": {"sun": [["00:00", "24:00"]]}})
    assert calendar.worked(at("2026-03-28T12:00"), at("2026-03-30T12:00")) == timedelta(hours=23)
    assert calendar.worked(at("2026-10-24T12:00"), at("2026-10-26T12:00")) == timedelta(hours=25)


def test_nobody_works_on_public_holidays_and_each_part_of_a_country_has_its_own() -> None:
    hours = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    epiphany = at("2026-01-06T10:00")
    for place, open_ in (("DE-BY", False), ("DE", True), ("FR", True), (None, True)):
        calendar = calendar_of({"zone": "Europe/Berlin", "hours": hours, "holidays": place})
        assert calendar.open(epiphany) is open_
        assert calendar_of(calendar_json(calendar)) == calendar
    assert calendar_of({"zone": "Europe/Paris", "hours": hours, "holidays": "FR"}).opens_at(at("2026-07-14T10:00")) == at(
        "2026-07-15T07:00"
    )


def test_ten_years_are_measured_in_no_time() -> None:
    hours = {day: [["09:00", "12:00"], ["13:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    calendar = calendar_of({"zone": "Europe/Paris", "hours": hours, "holidays": "FR"})
    calendar.worked(at("2020-01-01T00:00"), at("2030-01-01T00:00"))
    begin = perf_counter()
    worked = calendar.worked(at("2020-01-01T00:00"), at("2030-01-01T00:00"))
    assert perf_counter() - begin < 0.5
    assert worked > timedelta(hours=8) * 2500
