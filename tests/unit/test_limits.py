"""The arithmetic of limits, against a model of its own that counts in fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskmate.domain.limits import Bucket, Limit, Window, clock_time, in_about, normal
from deskmate.domain.policies import Kind
from deskmate.domain.rulebook import rules_of
from deskmate.errors import Invalid
from deskmate.store.times import utc

numbers = st.integers(1, 10**9) | st.integers(1, 20)
periods = st.integers(1, 31 * 24 * 3600) | st.integers(1, 7)
Step = tuple[int, int, int]
"""Milliseconds that pass, what is asked for and reserved, and what was used in truth."""


@st.composite
def buckets(draw: st.DrawFn) -> Bucket:
    return Bucket(capacity=draw(numbers), refill=draw(numbers), seconds=draw(periods))


class Oracle:
    """A bucket as one would explain it: so many uses, a fraction of which comes in all the time."""

    def __init__(self, bucket: Bucket) -> None:
        self.capacity = Fraction(bucket.capacity)
        self.rate = Fraction(bucket.refill, bucket.seconds * 1000)
        self.left = self.capacity

    def passes(self, milliseconds: int) -> None:
        self.left = min(self.capacity, self.left + self.rate * milliseconds)

    def take(self, amount: int) -> bool:
        if self.left < amount:
            return False
        self.left -= amount
        return True

    def settle(self, difference: int) -> None:
        self.left = min(self.capacity, self.left - difference)


@given(bucket=buckets(), steps=st.lists(st.tuples(st.integers(0, 10**8), numbers, numbers), max_size=30))
def test_a_bucket_with_reserve_debt_and_refill_is_exact(bucket: Bucket, steps: list[Step]) -> None:
    oracle, level, now, at = Oracle(bucket), bucket.full, 0, 0
    for passed, asked, used in steps:
        now += passed
        oracle.passes(passed)
        level, at = bucket.level(level, at, now), now
        assert level == oracle.left * bucket.period
        assert bucket.left(level) == oracle.left // 1
        amount = min(asked, bucket.capacity)
        wait = bucket.wait(level, amount)
        assert (wait == 0) == oracle.take(amount)
        if wait:
            # It is exact: then it is there, and a millisecond before it is not.
            assert bucket.level(level, at, now + wait) >= amount * bucket.period > bucket.level(level, at, now + wait - 1)
            continue
        level -= amount * bucket.period
        level = min(bucket.full, level - (used - amount) * bucket.period)
        oracle.settle(used - amount)
        assert level == oracle.left * bucket.period


@given(bucket=buckets(), parts=st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_looking_often_and_looking_once_give_the_same(bucket: Bucket, parts: list[int]) -> None:
    level, now = -bucket.full, 0
    for part in parts:
        level, now = bucket.level(level, now, now + part), now + part
    assert level == bucket.level(-bucket.full, 0, sum(parts))


def test_a_clock_that_goes_back_takes_nothing_away_and_brings_nothing() -> None:
    bucket = Bucket(capacity=10, refill=1, seconds=1)
    assert bucket.level(5000, 1000, 400) == 5000


@given(seconds=periods, at=st.integers(0, 10**13))
def test_a_window_holds_its_first_millisecond_and_not_the_next_windows(seconds: int, at: int) -> None:
    window = Window(count=1, seconds=seconds)
    start, end = window.start(at), window.end(at)
    assert start <= at < end
    assert end - start == seconds * 1000
    assert start % (seconds * 1000) == 0
    assert (window.start(start), window.start(end - 1), window.start(end)) == (start, start, end)
    assert window.start(start - 1) == start - seconds * 1000 or start == 0


WINDOW = {"count": 10, "seconds": 3600}
BUCKET = {"capacity": 100, "refill": 10, "seconds": 60}


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ({"of": "messages", "per": "customer"}, "rules"),
        ({"of": "messages", "per": "customer", "window": WINDOW, "bucket": BUCKET}, "rules"),
        ({"of": "messages", "per": "customer", "window": WINDOW, "fallback": "defer"}, "rules"),
        ({"of": "messages", "per": "agent", "window": WINDOW}, "rules"),
        ({"of": "tokens", "per": "global", "window": WINDOW, "names": ["bot"]}, "rules"),
        ({"of": "escalations", "per": "agent", "bucket": BUCKET | {"reserve": 1}}, "rules"),
        ({"of": "tokens", "per": "agent", "bucket": BUCKET | {"reserve": 101}}, "rules"),
        ({"of": "words", "per": "agent", "window": WINDOW}, "rules.of"),
        ({"of": "tokens", "per": "agent", "window": WINDOW | {"count": 0}}, "rules.window.count"),
        ({"of": "tokens", "per": "agent", "window": WINDOW | {"count": 1.5}}, "rules.window.count"),
        ({"of": "tokens", "per": "agent", "window": WINDOW | {"seconds": 10**9}}, "rules.window.seconds"),
        ({"of": "tokens", "per": "agent", "bucket": BUCKET | {"refill": -1}}, "rules.bucket.refill"),
        ({"of": "tokens", "per": "agent", "window": WINDOW, "names": [""]}, "rules.names.0"),
        ({"of": "tokens", "per": "agent", "window": WINDOW, "names": ["bot"] * 501}, "rules.names"),
        ({"of": "escalations", "per": "agent", "window": WINDOW, "fallback": "drop"}, "rules.fallback"),
        ({"of": "escalations", "per": "agent", "window": WINDOW, "text": " "}, "rules.text"),
        ({"of": "escalations", "per": "agent", "window": WINDOW, "text": "a\0b"}, "rules.text"),
        ({"of": "escalations", "per": "agent", "window": WINDOW, "text": "a\ud800b"}, "rules.text"),
    ],
)
def test_a_limit_that_means_nothing_is_refused_by_its_place(rules: dict[str, object], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules_of(Kind.LIMIT, rules)
    assert refused.value.field == place


def test_a_limit_holds_for_those_it_names() -> None:
    rules = rules_of(Kind.LIMIT, {"of": "tokens", "per": "agent", "window": WINDOW, "names": ["bot"]})
    assert isinstance(rules, Limit)
    subjects = [rules.subject({"agent": name}) for name in ("bot", "other", None)]  # pyright: ignore[reportArgumentType]
    assert subjects == ["agent:bot", None, None]


def test_reasons_that_differ_in_numbers_and_letters_are_one() -> None:
    assert normal("Order 4711 is  LATE.") == normal("order 12-34 is late") == "order # is late"


def test_times_are_told_so_that_they_can_be_understood() -> None:
    now = utc(0)
    assert clock_time(utc(3_600_000), now) == "01:00 UTC"
    assert clock_time(utc(90_000_000), now) == "1970-01-02 01:00 UTC"
    assert [in_about(seconds) for seconds in (1, 61, 5400, 7201, 200_000)] == [
        "a minute",
        "2 minutes",
        "2 hours",
        "3 hours",
        "3 days",
    ]
