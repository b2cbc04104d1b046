"""Calibration: from which score on the AI may answer alone, so that a promise about its errors holds.

A floor is proved with answers that people have reviewed, drawn at random from all traffic. Learn-then-Test (Angelopoulos, Bates,
Candès, Jordan, Lei 2021) by a fixed sequence: candidates are tried from the highest score to lower ones, each with an exact
binomial test, until one fails. The promise is that with probability 1 - `delta` at most `max_error` of what is answered alone is
wrong, as long as traffic looks like the reviewed sample. docs/calibration.md says what breaks it.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from deskmate.domain import drift
from deskmate.domain.bounds import least, proves, refutes, share, upper
from deskmate.errors import Invalid

STEPS = 400
"""How many quantiles of the traffic are tried: fewer leave out what could be answered."""
SHOWN = 100
"""How many of them are shown in a curve."""
SHARE = 0.3
"""What an attempt spends of what is left of delta, so that all together never spend more than delta."""
GROWTH = 1.5
"""An attempt is due when there are so many times the labels of the one before."""
SETTLED = 8
"""So many times the labels that are needed at least, and more of them change little."""
EAGER = 4
"""How many times as much is audited at most while labels are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What is known of a floor: the share of traffic that it lets through, and the rate of error of that."""

    floor: float
    coverage: float
    error: float | None
    """None where nothing above the floor has been reviewed."""
    bound: float
    """What the true rate does not exceed, with probability 1 - delta for this one floor (not for the best of all points)."""
    labels: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """An answer that a person has reviewed in a random audit; `at` in ms."""

    score: float
    wrong: bool
    at: int


class Cause(StrEnum):
    """Why a floor is what it is."""

    CALIBRATED = "calibrated"
    """The labels prove it."""
    KEPT = "kept"
    """An attempt has proved no lower one. What was proved before stays so."""
    REFUSED = "refused"
    """An attempt has proved none: people go on answering everything."""
    REFUTED = "refuted"
    """More labels have shown that the floor of before was proved by luck: it is higher now, or people answer everything."""
    TARGET = "target"
    """Those who lead have set another target, for which there are too few labels yet."""
    ALARM = "alarm"
    """The newest answers are worse than promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The lowest score that the AI answers alone at. Where `value` is None, people answer everything."""

    version: int
    value: float | None
    cause: Cause
    max_error: float
    delta: float
    spent: float
    """What the attempts so far have spent of delta."""
    labels: int
    """How many labels the last attempt had; 0 before the first."""
    accepted: int
    """How many of them are at the floor or above it, and how many of those are wrong."""
    errors: int
    since: int
    """ms; only labels from then on count."""
    at: int
    """ms; when it was set."""
    attempt: int
    """How many attempts have been made at this target since then."""


def needed(max_error: float, delta: float) -> int:
    """How many reviewed answers, all of them right, it takes before any floor can be proved."""
    return least(0, share("max_error", max_error), share("delta", delta))


def still_needed(
    scores: Sequence[float], wrong: Sequence[bool], traffic: Sequence[float], *, max_error: float, delta: float
) -> int:
    """How many more reviewed answers it takes until a floor is proved, where all that count for it are right; 0 when one is.

    An audit takes answers of every score: of those that it finds, only the share above a floor counts for that.
    """
    if floor_of(scores, wrong, traffic, max_error=max_error, delta=delta) is not None:
        return 0
    reviewed = _Reviewed(scores, wrong)
    further = [needed(max_error, delta)] if not scores else []
    for floor, coverage in _candidates(traffic or scores, SHOWN):
        answers, errors = reviewed.above(floor)
        lacking = least(errors, max_error, delta) - answers
        if lacking > 0:
            further.append(math.ceil(lacking / coverage - 1e-9))
    return min(further, default=1)


def floor_of(
    scores: Sequence[float], wrong: Sequence[bool], traffic: Sequence[float], *, max_error: float, delta: float
) -> float | None:
    """The lowest floor that the reviewed answers prove, None if none. What has just its score is answered alone.

    `traffic` are recent scores of which nothing else is known: they say which floors are tried, so that the answers' being right
    or wrong has no part in that. A floor that adds nothing reviewed to the one before is passed over: where nobody has
    looked, nothing is proved. Raises Invalid naming the field.
    """
    share("max_error", max_error)
    share("delta", delta)
    reviewed = _checked(scores, wrong, traffic)
    enough = _start(len(scores), max_error, delta)
    proved: float | None = None
    for floor, _ in _candidates(traffic or scores, STEPS):
        answers, errors = reviewed.above(floor)
        if answers < enough:
            continue
        if not proves(answers, errors, max_error, delta):
            break
        proved, enough = floor, answers + 1
    return proved


def curve(scores: Sequence[float], wrong: Sequence[bool], traffic: Sequence[float], *, delta: float) -> tuple[Point, ...]:
    """What each floor would let through and how wrong that would be, from the highest floor to the lowest."""
    share("delta", delta)
    reviewed = _checked(scores, wrong, traffic)
    points: list[Point] = []
    for floor, coverage in _candidates(traffic or scores, SHOWN):
        answers, errors = reviewed.above(floor)
        error, bound = errors / answers if answers else None, upper(answers, errors, delta)
        points.append(Point(floor=floor, coverage=coverage, error=error, bound=bound, labels=answers, errors=errors))
    return tuple(points)


def next_floor(
    current: Floor | None, labels: Sequence[Label], traffic: Sequence[float], *, max_error: float, delta: float, now: int
) -> Floor | None:
    """The floor that follows `current` now that `labels` are known; None if nothing changes. To be asked whenever a label comes.

    `labels` are those since `current.since`, of one version of the scores; `current` is None at first and for another version.
    What an attempt has proved stays so, and a later one lowers the floor, unless labels refute it or the alarm sounds. Raises
    Invalid naming the field.
    """
    share("max_error", max_error)
    share("delta", delta)
    kept = sorted((label for label in labels if current is None or label.at >= current.since), key=lambda label: label.at)
    if current is not None and (turn := _turn(current, kept)) is not None:
        return _alarm(current, kept, traffic, turn, max_error=max_error, delta=delta, now=now)
    state = _under(current, max_error, delta, now)
    if len(kept) >= due(state, max_error=max_error, delta=delta):
        return _attempt(state, kept, traffic, now)
    return replace(state, version=state.version + 1) if current is not None and state != current else None


def due(current: Floor | None, *, max_error: float, delta: float) -> int:
    """With how many labels since `current.since` the next attempt is made."""
    if current is None or not current.labels or (current.max_error, current.delta) != (max_error, delta):
        return math.ceil(GROWTH * needed(max_error, SHARE * delta))
    return math.ceil(GROWTH * current.labels)


def remaining(
    current: Floor | None, labels: Sequence[Label], traffic: Sequence[float], *, max_error: float, delta: float
) -> int | None:
    """How many more reviewed answers it takes at least until the AI may answer alone; None where it does."""
    if current is not None and current.value is not None:
        return None
    kept = [label for label in labels if current is None or label.at >= current.since]
    scores, wrong = _told(kept)
    spends = _spends(_under(current, max_error, delta, 0))
    further = still_needed(scores, wrong, traffic, max_error=max_error, delta=spends)
    return max(1, further, due(current, max_error=max_error, delta=delta) - len(kept))


def audit_rate(current: Floor | None, base: float) -> float:
    """The share of messages that goes to a person with the AI's draft, whatever its score.

    All of them while people answer everything: each of those is reviewed anyway. More than `base` while a floor rests on few
    labels, at the start and after an alarm, because each further label then adds most to what the AI may answer. Raises Invalid.
    """
    if not 0 <= base <= 1:
        raise Invalid("audit_rate must be between 0 and 1")
    if current is None or current.value is None:
        return 1.0
    settled = SETTLED * needed(current.max_error, current.delta)
    return min(1.0, base * min(EAGER, max(1.0, settled / max(current.labels, 1))))


class _Reviewed:
    """Reviewed answers, the highest scores first, with the errors among the first so many."""

    def __init__(self, scores: Sequence[float], wrong: Sequence[bool]) -> None:
        order = sorted(range(len(scores)), key=lambda index: -scores[index])
        self._falling = [-scores[index] for index in order]
        self._errors = [0]
        for index in order:
            self._errors.append(self._errors[-1] + bool(wrong[index]))

    def above(self, floor: float) -> tuple[int, int]:
        """How many answers are at the floor or above it, and how many of those are wrong."""
        answers = bisect_right(self._falling, -floor)
        return answers, self._errors[answers]


def _checked(scores: Sequence[float], wrong: Sequence[bool], traffic: Sequence[float]) -> _Reviewed:
    for name, values in ("scores", scores), ("traffic", traffic):
        if not all(math.isfinite(value) for value in values):
            raise Invalid(f"{name} must be finite numbers")
    if len(wrong) != len(scores):
        raise Invalid(f"wrong must have as many entries as scores: {len(wrong)} for {len(scores)}")
    return _Reviewed(scores, wrong)


def _candidates(traffic: Sequence[float], steps: int) -> list[tuple[float, float]]:
    """Floors from high to low with the share of the traffic that each lets through; the lowest lets all of it through."""
    falling = sorted(traffic, reverse=True)
    total = len(falling)
    floors = dict.fromkeys(falling[math.ceil(step * total / steps) - 1] for step in range(1, steps + 1)) if total else {}
    rising = [-score for score in falling]
    return [(floor, bisect_right(rising, -floor) / total) for floor in floors]


def _start(labels: int, max_error: float, delta: float) -> int:
    """How many reviewed answers the first candidate must have above it.

    It depends on how many there are, never on which of them are wrong. With the fewest that prove anything one early error would
    end the sequence. So it is as many as may hold some of the errors that the target allows for all labels (a fifth of them at
    most, less where there are many), and little more than half of the labels.
    """
    allowed = labels * max_error
    errors = int(min(allowed / 5, math.sqrt(0.4 * allowed)) + 1e-9)
    while errors and not proves(labels * 11 // 20, errors, max_error, delta):
        errors -= 1
    return least(errors, max_error, delta)


def _told(labels: Sequence[Label]) -> tuple[list[float], list[bool]]:
    return [label.score for label in labels], [label.wrong for label in labels]


def _spends(state: Floor) -> float:
    """What the next attempt spends of delta."""
    return SHARE * (1 - SHARE) ** state.attempt * state.delta


def _under(current: Floor | None, max_error: float, delta: float, now: int) -> Floor:
    """`current` itself under the same target, or what there is at the start of a new one.

    A floor that was proved for a stricter promise holds for a laxer one as well.
    """
    if current is not None and (current.max_error, current.delta) == (max_error, delta):
        return current
    holds = current is not None and current.max_error <= max_error and current.delta <= delta
    fresh = _fresh(current, max_error, delta, now)
    return replace(fresh, value=current.value) if current is not None and holds else fresh


def _fresh(current: Floor | None, max_error: float, delta: float, now: int) -> Floor:
    """Nothing proved and nothing spent, with the labels and the version of before."""
    return Floor(
        version=current.version if current is not None else 0,
        value=None,
        cause=Cause.TARGET,
        max_error=max_error,
        delta=delta,
        spent=0.0,
        labels=0,
        accepted=0,
        errors=0,
        since=current.since if current is not None else 0,
        at=now,
        attempt=0,
    )


def _attempt(state: Floor, labels: Sequence[Label], traffic: Sequence[float], now: int) -> Floor:
    scores, wrong = _told(labels)
    spends = _spends(state)
    proved = floor_of(scores, wrong, traffic, max_error=state.max_error, delta=spends)
    reviewed = _Reviewed(scores, wrong)
    if state.value is None or (proved is not None and proved < state.value):
        value, cause = proved, Cause.REFUSED if proved is None else Cause.CALIBRATED
    elif refutes(*reviewed.above(state.value), state.max_error, spends):
        value, cause = proved, Cause.REFUTED
    else:
        value, cause = state.value, Cause.KEPT
    accepted, errors = reviewed.above(value) if value is not None else (0, 0)
    return replace(
        state,
        version=state.version + 1,
        value=value,
        cause=cause,
        spent=state.spent + spends,
        labels=len(labels),
        accepted=accepted,
        errors=errors,
        at=now,
        attempt=state.attempt + 1,
    )


def _turn(current: Floor, labels: Sequence[Label]) -> int | None:
    """Since when (ms) the answers at the floor or above it have been so wrong that the alarm sounds; None while it does not."""
    if current.value is None:
        return None
    alone = [label for label in labels if label.score >= current.value]
    turn = drift.turned((label.wrong for label in alone), current.max_error)
    return alone[turn].at if turn is not None else None


def _alarm(
    current: Floor, labels: Sequence[Label], traffic: Sequence[float], since: int, *, max_error: float, delta: float, now: int
) -> Floor:
    """A higher floor is left if the labels since the turn prove one by themselves; else people answer everything.

    Labels that have raised an alarm were chosen for their errors. They make a floor of their own safer than it need be, but where
    there is none they would only be in the way: what follows counts from the next label on.
    """
    state = replace(_fresh(current, max_error, delta, now), since=since, cause=Cause.ALARM)
    window = [label for label in labels if label.at >= since]
    if len(window) >= due(state, max_error=max_error, delta=delta):
        tried = _attempt(state, window, traffic, now)
        if tried.value is not None and current.value is not None and tried.value > current.value:
            return replace(tried, cause=Cause.ALARM)
    return replace(state, version=state.version + 1, since=labels[-1].at + 1)
