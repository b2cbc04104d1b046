"""Calibration: floors are proved exactly, attempts spend delta, alarms take floors back."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskmate.domain import drift
from deskmate.domain.bounds import chance, least, upper
from deskmate.domain.calibration import (
    Cause,
    Floor,
    Label,
    audit_rate,
    curve,
    due,
    floor_of,
    needed,
    next_floor,
    remaining,
    still_needed,
)  # fmt: skip
from deskmate.errors import Invalid

CLEAN = 104
"""With so many labels the first attempt is made at 5 % and a delta of .1."""
COARSE = st.integers(0, 12).map(lambda tenth: tenth / 10)
"""Scores of which many are the same."""
TARGETS = st.sampled_from([0.02, 0.05, 0.1, 0.2, 0.5])
DELTAS = st.sampled_from([0.01, 0.05, 0.1, 0.3])


def exactly(answers: int, errors: int, error: float) -> Fraction:
    """The chance of at most `errors`, in fractions."""
    p = Fraction(error)
    return sum((math.comb(answers, k) * p**k * (1 - p) ** (answers - k) for k in range(errors + 1)), Fraction(0))


def needs(errors: int, max_error: float, delta: float) -> int:
    """The fewest answers that may have so many errors, counted up one by one."""
    return next(n for n in range(errors + 1, 10_000) if exactly(n, errors, max_error) <= Fraction(delta))


def sequence(
    scores: list[float], traffic: list[float], max_error: float, delta: float, needs: Callable[[int, float, float], int] = needs
) -> list[float]:
    """The floors that are to be tried, by what is written about them: every quantile, every count anew."""
    seen = sorted(traffic or scores, reverse=True)
    floors = sorted({seen[-(-step * len(seen) // 400) - 1] for step in range(1, 401)}, reverse=True) if seen else []
    allowed, half = len(scores) * max_error, len(scores) * 11 // 20
    most = int(min(allowed / 5, math.sqrt(0.4 * allowed)) + 1e-9)
    start = needs(max(e for e in range(most + 1) if e == 0 or needs(e, max_error, delta) <= half), max_error, delta)
    counts = {floor: sum(score >= floor for score in scores) for floor in floors}
    return [floor for above, floor in zip([None, *floors], floors, strict=False)
            if counts[floor] >= start and (above is None or counts[above] < max(counts[floor], start))]  # fmt: skip


def oracle(scores: list[float], wrong: list[bool], traffic: list[float], max_error: float, delta: float) -> float | None:
    """Learn-then-Test as one would do it by hand, in exact fractions."""
    proved = None
    for floor in sequence(scores, traffic, max_error, delta):
        above = [error for score, error in zip(scores, wrong, strict=True) if score >= floor]
        if exactly(len(above), sum(above), max_error) > Fraction(delta):
            break
        proved = floor
    return proved


reviews = st.lists(st.tuples(COARSE | st.floats(-5, 5), st.booleans() | st.just(False)), max_size=60)


@settings(deadline=None, max_examples=300)
@given(reviews, st.lists(COARSE | st.floats(-5, 5), max_size=150), TARGETS, DELTAS)
def test_a_floor_is_the_one_that_is_found_by_hand_in_exact_fractions(
    reviewed: list[tuple[float, bool]], traffic: list[float], max_error: float, delta: float
) -> None:
    scores, wrong = [score for score, _ in reviewed], [error for _, error in reviewed]
    found = floor_of(scores, wrong, traffic, max_error=max_error, delta=delta)
    assert found == oracle(scores, wrong, traffic, max_error, delta)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 120), st.integers(0, 120), st.sampled_from([0.01, 0.05, 0.1, 0.3]))
def test_the_binomial_arithmetic_is_exact(answers: int, errors: int, error: float) -> None:
    errors = min(errors, answers)
    assert chance(answers, errors, error) == pytest.approx(float(exactly(answers, errors, error)), rel=1e-9, abs=1e-15)
    bound = upper(answers, errors, error)
    if errors < answers:
        assert float(exactly(answers, errors, bound)) == pytest.approx(error, rel=1e-6)
    else:
        assert bound == 1


@given(reviews, st.lists(COARSE, max_size=50), TARGETS, DELTAS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_the_order_of_labels_makes_no_difference(
    reviewed: list[tuple[float, bool]], traffic: list[float], max_error: float, delta: float, rng: random.Random
) -> None:
    found = [floor_of([s for s, _ in r], [w for _, w in r], traffic, max_error=max_error, delta=delta)
             for r in (reviewed, rng.sample(reviewed, len(reviewed)))]  # fmt: skip
    assert found[0] == found[1]


@pytest.mark.filterwarnings("ignore:.*monotonic risk:UserWarning", "ignore:No predict parameters:UserWarning")
def test_another_implementation_of_the_fixed_sequence_proves_the_same_floors() -> None:
    """MAPIE finds the same by the same tests. By its own, made for more than right and wrong, it never finds a lower one."""
    control = pytest.importorskip("mapie.risk_control")
    import numpy as np

    rng, found = random.Random(7), 0
    for size, max_error, delta in ((100, 0.1, 0.1), (300, 0.05, 0.1), (500, 0.05, 0.05), (800, 0.02, 0.1), (800, 0.1, 0.01)):
        scores = [rng.random() for _ in range(size)]
        wrong = [rng.random() < 0.6 * (1 - score) ** 3 for score in scores]
        ours = floor_of(scores, wrong, scores, max_error=max_error, delta=delta)
        floors = sequence(scores, scores, max_error, delta, least)
        above = [[error for score, error in zip(scores, wrong, strict=True) if score >= floor] for floor in floors]
        values = [chance(len(errors), sum(errors), max_error) for errors in above]
        valid = control.FWERFixedSequenceTesting(n_starts=1).run(np.array(values), delta)
        assert ours == (floors[max(valid)] if len(valid) else None)
        # The precision of "the AI is right" among what is accepted is one less its rate of error.
        theirs = control.BinaryClassificationController(
            lambda x: np.column_stack([1 - x[:, 0], x[:, 0]]), risk="precision", target_level=1 - max_error,
            confidence_level=1 - delta, best_predict_param_choice="recall", fwer_method="fixed_sequence",
            list_predict_params=np.array(floors),
        )  # fmt: skip
        theirs.calibrate(np.array(scores)[:, None], np.array([not error for error in wrong]).astype(int))
        assert min(theirs.valid_predict_params, default=1) >= (1 if ours is None else ours)
        found += ours is not None
    assert found >= 3


def test_the_cold_start_is_arithmetic() -> None:
    assert (needed(0.05, 0.1), needed(0.02, 0.1)) == (45, 114)
    assert still_needed([], [], [], max_error=0.05, delta=0.1) == 45
    assert still_needed([0.9] * 20, [False] * 20, [0.9], max_error=0.05, delta=0.1) == 25
    assert floor_of([0.9] * 44, [False] * 44, [0.9], max_error=0.05, delta=0.1) is None
    assert floor_of([0.9] * 45, [False] * 45, [0.9], max_error=0.05, delta=0.1) == 0.9
    assert still_needed([0.9] * 45, [False] * 45, [0.9], max_error=0.05, delta=0.1) == 0


def test_answers_that_count_for_no_floor_have_to_be_found_too() -> None:
    """Half of the traffic is always wrong: of what is reviewed from now on, only every other answer helps."""
    scores, wrong = [0.9] * 25 + [0.1] * 25, [False] * 25 + [True] * 25
    assert still_needed(scores, wrong, [0.9, 0.1], max_error=0.05, delta=0.1) == 40


def test_where_nothing_is_known_or_all_is_wrong_people_answer() -> None:
    assert floor_of([], [], [], max_error=0.05, delta=0.1) is None
    assert floor_of([], [], [0.3, 0.4], max_error=0.05, delta=0.1) is None
    assert floor_of([0.5] * 500, [True] * 500, [0.5], max_error=0.5, delta=0.1) is None
    assert curve([], [], [], delta=0.1) == ()


def test_equal_scores_are_answered_alone_together_or_not_at_all() -> None:
    scores, wrong = [0.9] * 60 + [0.5] * 60, [False] * 60 + [True] * 20 + [False] * 40
    assert floor_of(scores, wrong, [0.9, 0.5], max_error=0.05, delta=0.1) == 0.9
    assert [(p.floor, p.coverage, p.labels, p.errors) for p in curve(scores, wrong, [0.9, 0.5], delta=0.1)] == [
        (0.9, 0.5, 60, 0), (0.5, 1.0, 120, 20),
    ]  # fmt: skip


def test_a_floor_above_all_labels_is_shown_as_unknown() -> None:
    high, low = curve([0.1], [False], [0.9, 0.1], delta=0.1)
    assert (high.error, high.bound, high.labels) == (None, 1.0, 0)
    assert (low.error, low.labels, low.bound) == (0.0, 1, pytest.approx(0.9))


@pytest.mark.parametrize(("field", "changed"), [
    ("max_error", {"max_error": 0.0}), ("max_error", {"max_error": 1.0}), ("max_error", {"max_error": math.nan}),
    ("delta", {"delta": -0.1}), ("delta", {"delta": math.inf}), ("scores", {"scores": [math.nan]}),
    ("traffic", {"traffic": [math.inf]}), ("wrong", {"wrong": []}),
])  # fmt: skip
def test_what_makes_no_sense_is_refused_by_name(field: str, changed: dict[str, object]) -> None:
    asked: dict[str, object] = {"scores": [0.5], "wrong": [False], "traffic": [0.5], "max_error": 0.05, "delta": 0.1} | changed
    scores, wrong, traffic = asked.pop("scores"), asked.pop("wrong"), asked.pop("traffic")
    for ask in (floor_of, still_needed):
        with pytest.raises(Invalid, match=field):
            ask(scores, wrong, traffic, **asked)  # pyright: ignore


# The state machine.


def labels(*parts: tuple[int, bool], score: float = 0.9, start: int = 0) -> list[Label]:
    """So many labels that are wrong or not, a millisecond apart."""
    outcomes = [wrong for count, wrong in parts for _ in range(count)]
    return [Label(score=score, wrong=wrong, at=start + index) for index, wrong in enumerate(outcomes)]


def step(current: Floor | None, known: list[Label], *, max_error: float = 0.05, delta: float = 0.1, now: int = 1) -> Floor | None:
    return next_floor(current, known, [0.9, 0.5], max_error=max_error, delta=delta, now=now)


def first() -> Floor:
    floor = step(None, labels((CLEAN, False)))
    assert floor is not None
    return floor


def test_nothing_changes_before_there_are_enough_labels() -> None:
    assert step(None, labels((CLEAN - 1, False))) is None
    floor = first()
    assert (floor.version, floor.value, floor.cause, floor.attempt) == (1, 0.9, Cause.CALIBRATED, 1)
    assert (floor.labels, floor.accepted, floor.errors, floor.spent) == (CLEAN, CLEAN, 0, pytest.approx(0.03))


def test_the_next_attempt_waits_for_half_as_many_labels_again() -> None:
    assert step(first(), labels((155, False))) is None
    floor = step(first(), labels((156, False)))
    assert floor is not None
    assert (floor.cause, floor.value, floor.attempt, floor.version) == (Cause.KEPT, 0.9, 2, 2)


def test_the_answer_is_the_same_however_often_it_is_asked() -> None:
    known = labels((CLEAN, False))
    assert step(None, known) == step(None, known[::-1])
    assert step(step(None, known), known) is None


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 150), st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]), st.sampled_from([0.05, 0.1])), max_size=6
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_comes_versions_rise_delta_suffices_and_it_comes_to_rest(
    parts: list[tuple[int, float, float]], rng: random.Random
) -> None:
    known: list[Label] = []
    floor: Floor | None = None
    for count, rate, max_error in parts:
        known += [Label(score=rng.random(), wrong=rng.random() < rate, at=len(known) + index // 2) for index in range(count)]
        for _ in range(4):
            following = next_floor(floor, known, [0.2, 0.5, 0.8], max_error=max_error, delta=0.1, now=len(known))
            if following is None:
                break
            assert following.version == (floor.version + 1 if floor is not None else 1)
            assert following.since >= (floor.since if floor is not None else 0)
            assert 0 <= following.spent < 0.1
            assert (following.value is None) <= (following.accepted == 0)
            floor = following
        else:
            pytest.fail("it goes on changing although nothing is new")


def test_attempts_spend_no_more_than_delta() -> None:
    floor, spent = None, []
    for _ in range(40):
        size = due(floor, max_error=0.05, delta=0.1)
        if size > 60_000:
            break
        floor = step(floor, labels((size, False))) or floor
        assert floor is not None
        spent.append(floor.spent)
    assert len(spent) > 10
    assert spent == sorted(spent)
    assert spent[-1] < 0.1


def test_an_ai_that_is_wrong_is_refused_and_may_try_again() -> None:
    floor = step(None, labels((CLEAN, True)))
    assert floor is not None
    assert (floor.value, floor.cause, floor.attempt) == (None, Cause.REFUSED, 1)
    more = remaining(floor, labels((CLEAN, True)), [0.9], max_error=0.05, delta=0.1)
    assert more is not None
    assert more > 2_000  # 104 errors are 5 % of 2,080 answers


def test_how_many_more_are_needed_is_told_until_the_ai_may_answer() -> None:
    assert remaining(None, [], [0.9], max_error=0.05, delta=0.1) == CLEAN
    assert remaining(None, labels((100, False)), [0.9], max_error=0.05, delta=0.1) == CLEAN - 100
    assert remaining(first(), labels((CLEAN, False)), [0.9], max_error=0.05, delta=0.1) is None


def test_a_stricter_target_starts_anew() -> None:
    floor = step(first(), labels((CLEAN, False)), max_error=0.02)
    assert floor is not None
    assert (floor.value, floor.cause, floor.spent, floor.attempt, floor.version) == (None, Cause.TARGET, 0, 0, 2)
    assert step(floor, labels((CLEAN, False)), max_error=0.02) is None


def test_what_is_proved_for_a_stricter_promise_holds_for_a_laxer_one() -> None:
    strict = replace(first(), labels=CLEAN)
    floor = step(strict, labels((20, False)), max_error=0.1)
    assert floor is not None
    assert (floor.value, floor.cause, floor.max_error) == (0.9, Cause.TARGET, 0.1)


def test_a_new_target_is_tried_at_once_where_there_are_enough_labels() -> None:
    floor = step(first(), labels((CLEAN, False)), max_error=0.1)
    assert floor is not None
    assert (floor.value, floor.cause, floor.attempt, floor.spent, floor.version) == (0.9, Cause.KEPT, 1, pytest.approx(0.03), 2)


def test_a_series_of_errors_takes_the_floor_back() -> None:
    calm = labels((CLEAN, False))
    bad = labels((10, True), start=CLEAN)
    floor = next(found for count in range(1, 11) if (found := step(first(), calm + bad[:count])) is not None)
    assert (floor.value, floor.cause, floor.spent) == (None, Cause.ALARM, 0)
    assert CLEAN < floor.since < CLEAN + 10  # what has raised it is over
    assert audit_rate(floor, 0.05) == 1
    assert step(floor, calm + bad[: floor.since - CLEAN]) is None


def test_after_an_alarm_only_what_came_since_counts() -> None:
    alarm = replace(first(), value=None, cause=Cause.ALARM, since=1000, labels=0, attempt=0, spent=0.0)
    before, after = labels((500, True)), labels((CLEAN, False), start=1000)
    floor = step(alarm, before + after)
    assert floor is not None
    assert (floor.value, floor.cause, floor.labels, floor.errors) == (0.9, Cause.CALIBRATED, CLEAN, 0)


def test_an_alarm_leaves_a_higher_floor_that_the_newest_labels_prove_alone() -> None:
    """What scores high is as good as ever; what scores less has become wrong."""
    current = replace(first(), value=0.5)
    good = [Label(score=0.9, wrong=False, at=1000 + 2 * index) for index in range(150)]
    bad = [Label(score=0.5, wrong=True, at=1001 + 2 * index) for index in range(150)]
    floor = step(current, labels((10, False)) + bad[:1] + sorted(good + bad, key=lambda label: label.at))
    assert floor is not None
    assert (floor.value, floor.cause, floor.errors) == (0.9, Cause.ALARM, 0)


def test_a_floor_that_was_luck_is_refuted_by_more_labels() -> None:
    """10 % are wrong where 5 % are allowed, too evenly for the alarm."""
    even = [Label(score=0.9, wrong=index % 10 == 9, at=index) for index in range(312)]
    floor = step(replace(first(), labels=208, attempt=2), even)
    assert floor is not None
    assert (floor.value, floor.cause) == (None, Cause.REFUTED)


def test_false_alarms_are_rare_where_the_error_is_just_the_target() -> None:
    """The promise is one in 500 answers at most; the AI is then worse than any that has been calibrated."""
    rng, alarms, answers = random.Random(3), 0, 20_000
    level: list[bool] = []
    for _ in range(answers):
        level.append(rng.random() < 0.05)
        if drift.turned(level[-400:], 0.05) is not None:
            alarms, level = alarms + 1, []
    assert 0 < alarms <= answers / drift.QUIET


def test_more_is_audited_while_little_is_known() -> None:
    assert audit_rate(None, 0.05) == 1
    assert audit_rate(first(), 0.05) == pytest.approx(0.05 * 8 * 45 / CLEAN)
    assert audit_rate(replace(first(), labels=10), 0.05) == pytest.approx(0.2)
    assert audit_rate(replace(first(), labels=10), 0.5) == 1
    assert audit_rate(replace(first(), labels=5000), 0.05) == 0.05
    with pytest.raises(Invalid, match="audit_rate"):
        audit_rate(None, 1.1)


# The promise itself, cheaply; bench/routing/guarantee.py does it on real messages and at all sizes.


def chance_of_error(score: float) -> float:
    return (1 - score) ** 6


def rate_above(floor: float) -> float:
    """The true rate of error of what scores at least so much, where scores are spread evenly."""
    return (1 - floor) ** 6 / 7


def answered(rng: random.Random, count: int) -> list[Label]:
    found = [rng.random() for _ in range(count)]
    return [Label(score=s, wrong=rng.random() < chance_of_error(s), at=at) for at, s in enumerate(found)]


@pytest.mark.parametrize(("size", "max_error"), [(100, 0.1), (200, 0.05), (1000, 0.02)])
def test_the_promise_holds(size: int, max_error: float) -> None:
    rng, broken, alone = random.Random(11), 0, 0.0
    for _ in range(200):
        sample, traffic = answered(rng, size), [rng.random() for _ in range(300)]
        scores, wrong = [label.score for label in sample], [label.wrong for label in sample]
        floor = floor_of(scores, wrong, traffic, max_error=max_error, delta=0.1)
        broken += floor is not None and rate_above(floor) > max_error
        alone += (1 - floor) / 200 if floor is not None else 0
    assert broken <= 28
    assert alone > (7 * max_error) ** (1 / 6) / 2


def test_the_promise_holds_through_all_attempts_together() -> None:
    rng, broken, last = random.Random(12), 0, 0.0
    for _ in range(60):
        sample, traffic, floor, ever = answered(rng, 600), [rng.random() for _ in range(300)], None, False
        for count in range(CLEAN, 601, 8):
            floor = next_floor(floor, sample[:count], traffic, max_error=0.05, delta=0.1, now=count) or floor
            ever = ever or (floor is not None and floor.value is not None and rate_above(floor.value) > 0.05)
        broken += ever
        last += (1 - floor.value) / 60 if floor is not None and floor.value is not None else 0
    assert broken <= 60 * 0.14
    assert last > 0.6
