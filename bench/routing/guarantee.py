"""Whether the promise of calibration holds: `python bench/routing/guarantee.py [--resamples 200] [--meaning] [--seed 1]`.

Draws labels and traffic from a population whose every error is known, has a floor proved, and asks how much of the population
that lets the AI answer alone, and how wrong that is. A run is broken when the true rate of error is above the target: with a
delta of .1 at most 10 % of the runs may be, and in 200 runs up to 28 are still no sign that more are. A population is a pool of
messages, drawn from with replacement, so that the pool itself is the truth; or one of made-up scores with a known curve of error.

The second table is stricter: labels come one by one through `next_floor`, and a run is broken if any floor that was ever in force
was. The third is what is usual instead, and promises nothing.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from scored import Pool, pool

from deskmate.domain.calibration import Cause, Floor, Label, floor_of, next_floor

TARGETS = (0.02, 0.05, 0.1)
SIZES = (50, 100, 200, 500, 1000)
DELTA = 0.1
TRAFFIC = 1000
SYNTHETIC = 100_000


@dataclass(frozen=True)
class Truth:
    """A population by falling score: what each floor lets through, and how wrong that is."""

    name: str
    scores: np.ndarray
    wrong: np.ndarray
    weights: np.ndarray
    coverage: np.ndarray
    error: np.ndarray

    @classmethod
    def of(cls, known: Pool) -> "Truth":
        order = np.argsort(-known.scores, kind="stable")
        weights, wrong = known.weights[order], known.wrong[order]
        coverage = weights.cumsum()
        return cls(known.name, known.scores[order], wrong, weights, coverage, (weights * wrong).cumsum() / coverage)

    def at(self, floor: float | None) -> tuple[float, float]:
        """The share that is answered alone, and its true rate of error."""
        last = np.searchsorted(-self.scores, -floor, side="right") - 1 if floor is not None else -1
        return (float(self.coverage[last]), float(self.error[last])) if last >= 0 else (0.0, 0.0)

    def best(self, target: float) -> float:
        """What could be answered alone by whoever knew all errors."""
        return float(self.coverage[self.error <= target].max(initial=0.0))

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return np.searchsorted(self.coverage / self.coverage[-1], rng.random(count), side="right")


def synthetic(rng: np.random.Generator) -> Pool:
    """Scores spread evenly over 0 to 1, wrong with the probability (1 - score)^6 * .9: errors pile up at the lower end."""
    scores = rng.random(SYNTHETIC)
    wrong = rng.random(SYNTHETIC) < 0.9 * (1 - scores) ** 6
    return Pool("synthetic", scores, wrong, np.full(SYNTHETIC, 1 / SYNTHETIC))


def once(truth: Truth, resamples: int, seed: int) -> list[str]:
    """One calibration at each size: broken runs, and the mean share answered alone."""
    lines: list[str] = []
    for target in TARGETS:
        cells: list[str] = []
        for size in SIZES:
            rng = np.random.default_rng([seed, size])
            broken, alone = 0, 0.0
            for _ in range(resamples):
                labels, traffic = truth.draw(rng, size), truth.draw(rng, TRAFFIC)
                floor = floor_of(
                    truth.scores[labels].tolist(), truth.wrong[labels].tolist(), truth.scores[traffic].tolist(),
                    max_error=target, delta=DELTA,
                )  # fmt: skip
                coverage, error = truth.at(floor)
                broken, alone = broken + (error > target), alone + coverage / resamples
            cells.append(f"{broken}: {alone:.3f}")
        lines.append(f"| {truth.name} | {target:.0%} | {' | '.join(cells)} | {truth.best(target):.3f} |")
    return lines


def repeated(truth: Truth, resamples: int, seed: int) -> list[str]:
    """Labels one by one: runs in which any floor was broken, alarms, and the mean share answered alone with so many."""
    lines: list[str] = []
    for target in TARGETS:
        rng = np.random.default_rng([seed, 77])
        broken, alarms, alone = 0, 0, np.zeros(len(SIZES))
        for _ in range(resamples):
            floors = history(truth, rng, target)
            broken += any(truth.at(floor.value)[1] > target for floor in floors if floor is not None)
            alarms += sum(floor.cause is Cause.ALARM for floor in {id(f): f for f in floors if f is not None}.values())
            for index, size in enumerate(SIZES):
                floor = floors[size - 1]
                alone[index] += truth.at(floor.value if floor is not None else None)[0] / resamples
        cells = " | ".join(f"{share:.3f}" for share in alone)
        lines.append(f"| {truth.name} | {target:.0%} | {broken} | {alarms} | {cells} | {truth.best(target):.3f} |")
    return lines


def history(truth: Truth, rng: np.random.Generator, target: float) -> list[Floor | None]:
    """The floor in force after each label."""
    drawn = truth.draw(rng, SIZES[-1])
    labels = [Label(score=float(truth.scores[i]), wrong=bool(truth.wrong[i]), at=at) for at, i in enumerate(drawn, 1)]
    traffic = truth.scores[truth.draw(rng, TRAFFIC)].tolist()
    floor: Floor | None = None
    floors: list[Floor | None] = []
    for count, label in enumerate(labels, 1):
        floor = next_floor(floor, labels[:count], traffic, max_error=target, delta=DELTA, now=label.at) or floor
        floors.append(floor)
    return floors


def usual(truth: Truth, resamples: int, seed: int) -> list[str]:
    """What is usual, from 200 labels: the lowest floor that was good enough on the sample, and that of isotonic regression."""
    from sklearn.isotonic import IsotonicRegression

    lines: list[str] = []
    for target in TARGETS:
        rng = np.random.default_rng([seed, 200])
        broken, alone = {"sample": 0, "isotonic": 0}, {"sample": 0.0, "isotonic": 0.0}
        for _ in range(resamples):
            drawn = np.sort(truth.draw(rng, 200))
            scores, wrong = truth.scores[drawn], truth.wrong[drawn].astype(float)
            fitted = IsotonicRegression(increasing=False, out_of_bounds="clip").fit(scores, wrong).predict(truth.scores)
            expected = (fitted * truth.weights).cumsum() / truth.coverage
            for name, rates, of in ("sample", wrong.cumsum() / np.arange(1, 201), scores), ("isotonic", expected, truth.scores):
                good = np.flatnonzero(rates <= target)
                coverage, error = truth.at(float(of[good[-1]]) if len(good) else None)
                broken[name] += error > target
                alone[name] += coverage / resamples
        cells = " | ".join(f"{broken[name]}: {alone[name]:.3f}" for name in broken)
        lines.append(f"| {truth.name} | {target:.0%} | {cells} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--meaning", action="store_true", help="also with scores of meaning; five minutes to fit")
    asked = parser.parse_args()
    pools = [synthetic(np.random.default_rng(asked.seed)), pool("clinc150"), pool("hint3_sofmattress")]
    if asked.meaning:
        pools.append(pool("clinc150", meaning=True))
    truths = [Truth.of(each) for each in pools]
    started = time.perf_counter()
    print(f"Broken of {asked.resamples} runs: share answered alone. Best: of whoever knew all errors.\n")
    print(f"| population | target | {' | '.join(f'{size} labels' for size in SIZES)} | best |")
    print(f"| --- | --- |{' --- |' * (len(SIZES) + 1)}", flush=True)
    for truth in truths:
        print("\n".join(once(truth, asked.resamples, asked.seed)), flush=True)
    print("\nLabels one by one: runs with any floor broken, alarms (all of them false), share answered alone.\n")
    print(f"| population | target | broken | alarms | {' | '.join(f'{size} labels' for size in SIZES)} | best |")
    print(f"| --- | --- | --- | --- |{' --- |' * (len(SIZES) + 1)}", flush=True)
    for truth in truths:
        print("\n".join(repeated(truth, asked.resamples, asked.seed)), flush=True)
    print(
        "\nWhat is usual, from 200 labels.\n\n| population | target | best on the sample | isotonic |\n| --- | --- | --- | --- |"
    )
    for truth in truths:
        print("\n".join(usual(truth, asked.resamples, asked.seed)), flush=True)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
