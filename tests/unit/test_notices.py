"""Notices: over which channels somebody is told, and when they are left in peace, also where clocks change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskmate.domain.notices import Notice, Preferences, Quiet, ways
from deskmate.domain.notifications import Channel
from deskmate.domain.policies import Kind
from deskmate.domain.rulebook import rules_of
from deskmate.errors import Invalid

NIGHT = Quiet.model_validate({"zone": "Europe/Paris", "from": "20:00", "until": "08:00"})
MAIL, INBOX, SLACK = Channel.EMAIL, Channel.INBOX, Channel.SLACK


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-01-05T18:59", None),
        ("2026-01-05T19:00", "2026-01-06T07:00"),
        ("2026-01-06T03:00", "2026-01-06T07:00"),
        ("2026-01-06T07:00", None),
        # The night in which an hour is left out, and the one that has an hour twice.
        ("2026-03-28T19:00", "2026-03-29T06:00"),
        ("2026-03-29T05:59", "2026-03-29T06:00"),
        ("2026-10-24T18:00", "2026-10-25T07:00"),
        ("2026-10-25T06:59", "2026-10-25T07:00"),
    ],
)
def test_quiet_ends_by_the_clock_on_the_wall(at: str, ends: str | None) -> None:
    assert NIGHT.ends_at(utc(at)) == (None if ends is None else utc(ends))


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-01-09T23:59", None),  # Friday
        ("2026-01-10T00:00", "2026-01-12T00:00"),
        ("2026-01-11T23:59", "2026-01-12T00:00"),
        ("2026-01-12T00:00", None),
    ],
)
def test_days_of_quiet_in_a_row_are_one(at: str, ends: str | None) -> None:
    weekend = Quiet.model_validate({"zone": "UTC", "from": "00:00", "until": "00:00", "days": ["sat", "sun"]})
    assert weekend.ends_at(utc(at)) == (None if ends is None else utc(ends))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    fridays = Quiet.model_validate({"zone": "UTC", "from": "22:00", "until": "06:00", "days": ["fri"]})
    assert fridays.ends_at(utc("2026-01-10T05:00")) == utc("2026-01-10T06:00")
    assert fridays.ends_at(utc("2026-01-09T05:00")) is None


def test_who_is_always_left_in_peace_is_told_in_the_end() -> None:
    always = Quiet.model_validate({"zone": "UTC", "from": "00:00", "until": "00:00"})
    at = utc("2026-01-05T09:00")
    ends = always.ends_at(at)
    assert ends is not None
    assert timedelta(days=13) < ends - at <= timedelta(days=14)


@given(
    at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001 - made aware below
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    begin=st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    end=st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
)
def test_quiet_ends_later_and_not_in_quiet(at: datetime, zone: str, begin: object, end: object) -> None:
    quiet = Quiet.model_validate({"zone": zone, "from": begin, "until": end})
    moment = at.replace(tzinfo=UTC)
    ends = quiet.ends_at(moment)
    assert ends is None or moment < ends <= moment + timedelta(days=15)
    assert ends is None or begin == end or quiet.ends_at(ends) is None


def test_a_policy_is_written_as_it_is_read() -> None:
    written = {
        "kinds": ["request.opened", "clock.*"], "to": "leads", "channels": ["inbox", "email"],
        "quiet": {"zone": "Europe/Paris", "from": "20:00", "until": "08:00", "days": ["sat"]}, "urgent_anyway": False,
    }  # fmt: skip
    rules = rules_of(Kind.NOTIFICATION, written)
    assert rules.model_dump(mode="json") == written
    assert Notice.model_validate_json(rules.model_dump_json()) == rules


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kinds": []}, "rules.kinds"),
        ({"kinds": ["weather"]}, "rules.kinds.0"),
        ({"to": "everybody"}, "rules.to"),
        ({"channels": []}, "rules.channels"),
        ({"channels": ["pigeon"]}, "rules.channels.0"),
        ({"quiet": {"zone": "Mars", "from": "20:00", "until": "08:00"}}, "rules.quiet.zone"),
        ({"quiet": {"zone": "UTC", "from": "25:00", "until": "08:00"}}, "rules.quiet.from"),
        ({"quiet": {"zone": "UTC", "from": "20:00", "until": "08:00", "days": ["noday"]}}, "rules.quiet.days.0"),
        ({"loud": True}, "rules.loud"),
    ],
)
def test_a_policy_that_does_not_fit_names_the_place(change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules_of(Kind.NOTIFICATION, {"kinds": ["mention"], "channels": ["inbox"]} | change)
    assert refused.value.field == field


AT = utc("2026-01-05T22:00")
MORNING = utc("2026-01-06T07:00")


def notice(*channels: Channel, quiet: Quiet | None = None, urgent_anyway: bool = True) -> Notice:
    return Notice(kinds=("chain.*",), channels=channels, quiet=quiet, urgent_anyway=urgent_anyway)


def test_without_a_word_from_anybody_it_comes_to_the_inbox() -> None:
    assert ways([], Preferences(), "chain.page", AT, urgent=True) == {INBOX: AT}


def test_policies_add_up_and_the_inbox_waits_for_nobody() -> None:
    told = ways([notice(INBOX, MAIL, quiet=NIGHT), notice(MAIL, SLACK)], Preferences(), "chain.page", AT, urgent=False)
    assert told == {INBOX: AT, MAIL: MORNING, SLACK: AT}


@pytest.mark.parametrize(("anyway", "at"), [(True, AT), (False, MORNING)])
def test_what_is_urgent_breaks_through_where_that_is_wanted(anyway: bool, at: datetime) -> None:
    told = ways([notice(MAIL, quiet=NIGHT, urgent_anyway=anyway)], Preferences(), "chain.page", AT, urgent=True)
    assert told == {MAIL: at}


def test_what_somebody_wants_themselves_comes_before_policies_by_the_longest_pattern() -> None:
    wishes = Preferences(channels={"*": (SLACK,), "chain.*": (MAIL,), "mention": ()}, quiet=NIGHT)
    policies = [notice(INBOX)]
    assert ways(policies, wishes, "chain.page", AT, urgent=False) == {MAIL: MORNING}
    assert ways(policies, wishes, "mention", AT, urgent=False) == {INBOX: AT}
    assert ways(policies, wishes, "clock.breached", AT, urgent=True) == {SLACK: AT}


def test_channels_that_are_given_are_taken_and_quiet_is_kept() -> None:
    assert ways([], Preferences(quiet=NIGHT), "chain.page", AT, urgent=False, channels=[INBOX, MAIL]) == {
        INBOX: AT,
        MAIL: MORNING,
    }
