"""A simulated quarter: `python bench/routing/quarter.py [--quarters 8] [--picture docs/pictures/quarter.svg]`.

Thirteen weeks of messages from CLINC150, of which the AI has learned 120 topics. From the first day of week 7 on 30 topics come
that it has never seen, and it takes some of them for what it knows. Three ways to decide what it answers alone: the calibrated
floor with its audits and its alarm; a fixed confidence of 0.7; and the lowest floor that was good enough on the first answers
that people have reviewed. The last two never look again. Errors are true ones, of all that was answered alone.
"""

import argparse
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from drawing import picture
from scored import fitted, rows

from deskmate.domain.calibration import Cause, Floor, Label, audit_rate, next_floor

DAY = 86_400_000
DAYS, TURN = 91, 42
A_DAY = 400
NEW = 30
"""Topics that come from `TURN` on, and the share of the traffic in which they come then, of hundred."""
TARGET, DELTA, BASE = 0.05, 0.1, 0.05
POOLS = 4
"""So many choices of the topics that are new."""
REVIEWED = 300
"""With so many reviewed answers the other two ways are set up."""
WAYS = ("calibrated", "fixed 0.7", "best on the sample")


@dataclass
class Run:
    """One way through one quarter, by days: what was answered alone, how much of that was wrong, what was audited."""

    alone: np.ndarray = field(default_factory=lambda: np.zeros(DAYS))
    wrong: np.ndarray = field(default_factory=lambda: np.zeros(DAYS))
    audits: np.ndarray = field(default_factory=lambda: np.zeros(DAYS))
    """Answers that the AI would have given alone, and that a person reviewed first."""
    alarms: list[int] = field(default_factory=list)
    floors: list[tuple[int, float | None]] = field(default_factory=list)

    def error(self, start: int, end: int) -> float:
        return float(self.wrong[start:end].sum() / max(1, self.alone[start:end].sum()))

    def share(self, start: int, end: int) -> float:
        return float(self.alone[start:end].sum() / (A_DAY * (end - start)))


@dataclass(frozen=True)
class Traffic:
    """Messages of a day, before the turn and after it, with their scores."""

    scores: np.ndarray
    wrong: np.ndarray
    known: np.ndarray
    fresh: np.ndarray
    nothing: np.ndarray

    def day(self, rng: np.random.Generator, day: int) -> np.ndarray:
        out = rng.random(A_DAY) < 2 / 11
        fresh = rng.random(A_DAY) < (NEW / 100 if day >= TURN else 0)
        return np.where(out, rng.choice(self.nothing, A_DAY),
                        np.where(fresh, rng.choice(self.fresh, A_DAY), rng.choice(self.known, A_DAY)))  # fmt: skip


def traffic(seed: int) -> Traffic:
    train, rest = rows("clinc150_train.jsonl"), rows("clinc150_validation.jsonl")
    topics = sorted({row["intent"] for row in train if row["intent"]})
    new = set(np.random.default_rng(seed).choice(topics, NEW, replace=False))
    scores, wrong = fitted(f"quarter-{seed}", [row for row in train if row["intent"] not in new], rest)
    which = np.array(["nothing" if row["intent"] is None else "fresh" if row["intent"] in new else "known" for row in rest])
    return Traffic(scores, wrong, *(np.flatnonzero(which == name) for name in ("known", "fresh", "nothing")))


def calibrated(messages: Traffic, days: list[np.ndarray], rng: np.random.Generator) -> Run:
    """As production does it: a random audit, and `next_floor` whenever a label comes."""
    run, floor = Run(), None
    labels: list[Label] = []
    recent: deque[float] = deque(maxlen=1000)
    for day, drawn in enumerate(days):
        coins = rng.random(A_DAY)
        for index, message in enumerate(drawn):
            at = day * DAY + index * (DAY // A_DAY)
            score, wrong = float(messages.scores[message]), bool(messages.wrong[message])
            recent.append(score)
            alone = floor is not None and floor.value is not None and score >= floor.value
            if coins[index] < audit_rate(floor, BASE):
                run.audits[day] += alone
                labels.append(Label(score=score, wrong=wrong, at=at))
                floor, labels = _follow(run, floor, labels, recent, at)
            elif alone:
                run.alone[day] += 1
                run.wrong[day] += wrong
    return run


def _follow(
    run: Run, floor: Floor | None, labels: list[Label], recent: deque[float], at: int
) -> tuple[Floor | None, list[Label]]:
    following = next_floor(floor, labels, recent, max_error=TARGET, delta=DELTA, now=at)
    if following is None:
        return floor, labels
    run.floors.append((at, following.value))
    if following.cause is Cause.ALARM:
        run.alarms.append(at)
    return following, [label for label in labels if label.at >= following.since]


def set_once(messages: Traffic, days: list[np.ndarray], choose: Callable[[np.ndarray, np.ndarray], float]) -> Run:
    """A floor that is chosen from the first answers and then stays."""
    run, first = Run(), np.concatenate(days)[:REVIEWED]
    floor = choose(messages.scores[first], messages.wrong[first])
    seen = 0
    for day, drawn in enumerate(days):
        late = drawn[max(0, REVIEWED - seen) :]
        seen += len(drawn)
        above = late[messages.scores[late] >= floor]
        run.alone[day], run.wrong[day] = len(above), messages.wrong[above].sum()
    return run


def at_seventy(scores: np.ndarray, wrong: np.ndarray) -> float:
    """Where a logistic curve through the first answers says 0.7 (Platt)."""
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e6).fit(scores[:, None], ~wrong)
    return float((np.log(0.7 / 0.3) - curve.intercept_[0]) / curve.coef_[0, 0])


def best_on_sample(scores: np.ndarray, wrong: np.ndarray) -> float:
    order = np.argsort(-scores)
    good = np.flatnonzero(wrong[order].cumsum() / np.arange(1, len(order) + 1) <= TARGET)
    return float(scores[order][good[-1]]) if len(good) else float("inf")


def quarter(seed: int) -> dict[str, Run]:
    rng = np.random.default_rng([seed, 13])
    messages = traffic(seed % POOLS)
    days = [messages.day(rng, day) for day in range(DAYS)]
    return {
        "calibrated": calibrated(messages, days, rng),
        "fixed 0.7": set_once(messages, days, at_seventy),
        "best on the sample": set_once(messages, days, best_on_sample),
    }


def recovered(run: Run) -> tuple[float, float]:
    """Days from the turn until the alarm, and from there until a floor holds again; infinite where that does not happen."""
    alarm = next((at for at in run.alarms if at >= TURN * DAY), None)
    if alarm is None:
        return float("inf"), float("inf")
    again = next((at for at, value in run.floors if at >= alarm and value is not None), None)
    return alarm / DAY - TURN, (again - alarm) / DAY if again is not None else float("inf")


def best(messages: Traffic, fresh: float) -> float:
    """What could be answered alone by whoever knew all errors, where so much of the traffic is fresh."""
    weights = np.zeros(len(messages.scores))
    shares = (messages.nothing, 2 / 11), (messages.fresh, 9 / 11 * fresh), (messages.known, 9 / 11 * (1 - fresh))
    for group, share in shares:
        weights[group] = share / len(group)
    order = np.argsort(-messages.scores)
    coverage = weights[order].cumsum()
    return float(coverage[(weights * messages.wrong)[order].cumsum() <= TARGET * coverage].max(initial=0.0))


def table(quarters: list[dict[str, Run]]) -> None:
    spans = (("weeks 2 to 6", 7, TURN), ("week 7", TURN, TURN + 7), ("weeks 8 to 13", TURN + 7, DAYS), ("all", 0, DAYS))
    print(f"Means of {len(quarters)} quarters; target {TARGET:.0%}. Wrong of what was answered alone, the share that was.\n")
    print(f"| | {' | '.join(name for name, _, _ in spans)} | audited a week, of {7 * A_DAY:,} |")
    print(f"| --- |{' --- |' * (len(spans) + 1)}")
    for way in WAYS:
        runs = [each[way] for each in quarters]
        cells = [f"{mean(r.error(a, b) for r in runs):.1%}, {mean(r.share(a, b) for r in runs):.0%}" for _, a, b in spans]
        print(f"| {way} | {' | '.join(cells)} | {mean(r.audits.sum() for r in runs) / 13:.0f} |")
    pools = [traffic(seed) for seed in range(POOLS)]
    before, after = (mean(best(each, fresh) for each in pools) for fresh in (0, NEW / 100))
    print(f"\nWhoever knew all errors could have answered {before:.0%} before the turn and {after:.0%} after it.")
    ours = [each["calibrated"] for each in quarters]
    early = sum(at < TURN * DAY for run in ours for at in run.alarms)
    late = [sum(at >= TURN * DAY for at in run.alarms) for run in ours]
    print(
        f"Alarms before the turn: {early} in {len(ours)} quarters. After it: {mean(late):.1f} in each, none in {late.count(0)}."
    )
    for what, days in zip(("Days until the alarm", "Days from there until the AI answers alone again"),
                          zip(*map(recovered, ours), strict=True), strict=True):  # fmt: skip
        known = [day for day in days if day < float("inf")]
        print(f"{what}: median {np.median(days):.1f}, {min(known):.1f} to {max(known):.1f}; never in {len(days) - len(known)}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quarters", type=int, default=8)
    parser.add_argument("--picture", type=Path, default=Path(__file__).parents[2] / "docs" / "pictures" / "quarter.svg")
    asked = parser.parse_args()
    started = time.perf_counter()
    quarters = [quarter(seed) for seed in range(asked.quarters)]
    table(quarters)
    asked.picture.parent.mkdir(parents=True, exist_ok=True)
    shown = quarters[0]
    week = [(7 * number, 7 * number + 7) for number in range(13)]
    asked.picture.write_text(picture(
        {way: [(run.error(a, b) if run.alone[a:b].sum() >= 20 else None, run.share(a, b)) for a, b in week]
         for way, run in shown.items()},
        target=TARGET, turn=TURN / 7, alarms=[at / DAY / 7 for at in shown["calibrated"].alarms],
    ))  # fmt: skip
    print(f"\n{time.perf_counter() - started:.0f} s; {asked.picture}")


if __name__ == "__main__":
    main()
