"""How good and how fast the learned classifier is: `python bench/routing/scorer.py [FOLDER] [--folds]`.

Learns from NAME_train.jsonl and judges NAME_validation.jsonl of a folder (clinc150, banking77, hint3_sofmattress). With `--folds`
it does so within the training messages instead: five times a fifth of each intent is judged by what was learned from the rest.
The fifths are blocks, because neighbours are often written by the same hand. That is where constants are chosen; validation only
tells what came of them.
"""

import argparse
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from deskmate.classifiers.learned import Learned, fit
from deskmate.domain.evaluations import evaluate
from deskmate.domain.labelled import labelled
from deskmate.domain.scoring import Example, Judged

FOLDS = 5
TEST_MIX = 1_000 / 5_500
"""The share of CLINC150's test messages that are out of scope."""
SETS = ("clinc150", "banking77", "hint3_sofmattress")
HEAD = (
    "| | accuracy | given to people: in, out | AUROC | alone at 5 / 2 / 1 % | at 18 % out | fit s | ms each (p99) | MB |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
)


def read(file: Path) -> list[Example]:
    return [labelled(json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def folds(rows: Sequence[Example]) -> Iterator[tuple[list[Example], list[Example]]]:
    """What is learned from and what is judged, five times."""
    counts = Counter((row.intent, row.responder) for row in rows)
    seen: Counter[tuple[str | None, str]] = Counter()
    blocks: list[int] = []
    for row in rows:
        kind = row.intent, row.responder
        blocks.append(seen[kind] * FOLDS // counts[kind])
        seen[kind] += 1
    for fold in range(FOLDS):
        yield (
            [row for row, block in zip(rows, blocks, strict=True) if block != fold],
            [row for row, block in zip(rows, blocks, strict=True) if block == fold],
        )


def timed(scorer: Learned, rows: Sequence[Example]) -> tuple[list[tuple[Example, Judged]], list[float]]:
    """What is said of each, and the ms that took."""
    given: list[tuple[Example, Judged]] = []
    took: list[float] = []
    for row in rows:
        began = time.perf_counter()
        judged = scorer.score([row.text])
        took.append((time.perf_counter() - began) * 1000)
        given.append((row, judged))
    return given, took


def line(name: str, splits: Sequence[tuple[Sequence[Example], Sequence[Example]]]) -> str:
    given: list[tuple[Example, Judged]] = []
    took: list[float] = []
    fits: list[float] = []
    sizes: list[int] = []
    for known, judged in splits:
        began = time.perf_counter()
        scorer = fit(known)
        fits.append(time.perf_counter() - began)
        sizes.append(len(scorer.to_bytes()))
        said, ms = timed(scorer, judged)
        given += said
        took += ms
    as_is, mixed = evaluate(given), evaluate(given, share=TEST_MIX)

    def shown(share: float | None, digits: int = 3) -> str:
        return "-" if share is None else f"{share:.{digits}f}"

    alone, weighed = (" / ".join(f"{share:.3f}" for share in one.coverage.values()) for one in (as_is, mixed))
    p99 = statistics.quantiles(took, n=100)[98]
    cells = (
        shown(as_is.accuracy, 4), f"{shown(as_is.kept)}, {shown(as_is.caught)}", shown(as_is.auroc, 4), alone,
        weighed if as_is.out_of_scope else "-", f"{statistics.median(fits):.1f}",
        f"{statistics.median(took):.2f} ({p99:.2f})", f"{statistics.median(sizes) / 1e6:.1f}",
    )  # fmt: skip
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(os.environ.get("DESKMATE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "routing"
    parser.add_argument("folder", nargs="?", type=Path, default=beside)
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--sets", default=",".join(SETS))
    given = parser.parse_args()
    fit([])  # what is imported at the first time is not timed
    fit([Example(text=word, intent=word, responder="ai") for word in "ab"])
    print("\n".join(HEAD))
    for name in given.sets.split(","):
        rows = read(given.folder / f"{name}_train.jsonl")
        splits = list(folds(rows)) if given.folds else [(rows, read(given.folder / f"{name}_validation.jsonl"))]
        print(line(name, splits), flush=True)
        if given.folds and any(row.responder == "human" for row in rows):
            without = [([row for row in known if row.responder == "ai"], judged) for known, judged in splits]
            print(line(f"{name}, none for people", without), flush=True)


if __name__ == "__main__":
    main()
