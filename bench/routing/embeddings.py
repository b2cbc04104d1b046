"""How good and how fast meaning is as a classifier: `python bench/routing/embeddings.py [FOLDER] [--embeddings SETTING]`.

Learns from NAME_train.jsonl and judges NAME_validation.jsonl of a folder, by the nearest examples, by the stacked score without
words and with them. CLINC150's validation has 3,000 messages in scope and 100 out of it; figures at 18 % weigh the latter as if
there were as many as in its test (1,000 to 4,500). `--feedback N` also shows what N outcomes from practice change, on the other
half of the messages.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from sklearn.metrics import roc_auc_score

from deskmate.classifiers.embedders import embedder_of
from deskmate.classifiers.learned import fit
from deskmate.classifiers.nearest import Nearest
from deskmate.classifiers.stacked import Outcome, Stacked
from deskmate.domain.scoring import Embedder, Example, Judged, Scorer

GOALS = "goals: accuracy .960, AUROC .978, alone .805 / .735 / .630"
MIX = 1_000 / 4_500
ERRORS = (0.05, 0.02, 0.01)
HEAD = (
    "| | accuracy | AUROC: in scope, right | alone at 5 / 2 / 1 % as it is | at 18 % out of scope | fit s | ms each (p99) | MB |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


class Remembered:
    """Reads each text once."""

    def __init__(self, setting: str, texts: Sequence[str]) -> None:
        self.plain = embedder_of(setting, os.environ.get("DESKMATE_EMBEDDINGS_KEY"))
        assert self.plain is not None, "there is no embedder"
        self.name = self.plain.name
        unlike = list(dict.fromkeys(texts))
        began = time.perf_counter()
        self._known = dict(zip(unlike, self.plain.embed(unlike), strict=True))
        print(
            f"{len(unlike)} texts read, {(time.perf_counter() - began) / len(unlike) * 1000:.2f} ms each, all at once\n",
            flush=True,
        )

    def embed(self, texts: Sequence[str]):
        import numpy as np

        return np.stack([self._known[text] for text in texts])


def read(file: Path) -> list[Example]:
    rows = (json.loads(line) for line in file.read_text("utf-8").splitlines())
    return [Example(text=row["text"], intent=row["intent"], responder=row["responder"]) for row in rows]


def alone(said: Sequence[tuple[float, bool, float]]) -> str:
    """The shares the AI could have answered with so many errors, by the best floor. (score, right, weight) each."""
    found = dict.fromkeys(ERRORS, 0.0)
    answered = wrong = 0.0
    for _, right, weight in sorted(said, key=lambda each: -each[0]):
        answered += weight
        wrong += 0.0 if right else weight
        found = {error: answered if wrong <= error * answered else share for error, share in found.items()}
    return " / ".join(f"{share / answered:.3f}" for share in found.values())


def figures(judged: Sequence[Judged], asked: Sequence[Example]) -> str:
    pairs = list(zip(judged, asked, strict=True))
    scores = [each.score for each in judged]
    inside = [example.intent is not None for example in asked]
    right = [each.intent == example.intent is not None for each, example in pairs]
    accuracy = sum(right) / sum(inside)
    weight = MIX * sum(inside) / max(1, len(inside) - sum(inside))
    weights = [1.0 if known else weight for known in inside]
    scope = f"{roc_auc_score(inside, scores):.4f}" if not all(inside) else "-"
    plain, mixed = (alone(list(zip(scores, right, each, strict=True))) for each in ([1.0] * len(scores), weights))
    ranked = roc_auc_score(right, scores, sample_weight=weights)
    return f"{accuracy:.4f} | {scope}, {ranked:.4f} | {plain} | {'-' if all(inside) else mixed}"


def line(name: str, scorer: Scorer, asked: Sequence[Example], took: float, size: int | None = None) -> str:
    judged, times = [], []
    for example in asked:
        began = time.perf_counter()
        judged.append(scorer.score([example.text]))
        times.append((time.perf_counter() - began) * 1000)
    ms = f"{statistics.median(times):.2f} ({statistics.quantiles(times, n=100)[98]:.2f})"
    megabytes = "-" if size is None else f"{size / 1e6:.1f}"
    return f"| {name} | {figures(judged, asked)} | {took:.1f} | {ms} | {megabytes} |"


def practice(scorer: Stacked, asked: Sequence[Example], count: int) -> None:
    """Every second message is answered, and people say whether that was right; the others are judged."""
    told, rest = asked[::2], asked[1::2]
    said = scorer.score_all([example.text for example in told])
    right = [each.intent == example.intent is not None for each, example in zip(said, told, strict=True)]
    step = max(1, len(told) // count)
    outcomes = [Outcome(text=example.text, right=fine) for example, fine in list(zip(told, right, strict=True))[::step]]
    for name, one in (("before", scorer), (f"{len(outcomes)} outcomes", scorer.taught(outcomes))):
        print(f"| {name} | {figures(one.score_all([example.text for example in rest]), rest)} | | | |", flush=True)


def fitted(label: str, known: Sequence[Example], embedder: Embedder) -> Nearest | Stacked:
    if label == "nearest examples":
        return Nearest.fit(known, embedder)
    return Stacked.fit(known, embedder, fit if label == "stacked" else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(os.environ.get("DESKMATE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "routing"
    parser.add_argument("folder", nargs="?", type=Path, default=beside)
    parser.add_argument("--embeddings", default=os.environ.get("DESKMATE_EMBEDDINGS", "auto"))
    parser.add_argument("--sets", default="clinc150")
    parser.add_argument("--feedback", type=int, default=0)
    given = parser.parse_args()
    print(GOALS)
    for name in given.sets.split(","):
        known, asked = read(given.folder / f"{name}_train.jsonl"), read(given.folder / f"{name}_validation.jsonl")
        embedder = Remembered(given.embeddings, [example.text for example in (*known, *asked)])
        print("\n".join(HEAD))
        for label in ("nearest examples", "stacked, without words", "stacked"):
            began = time.perf_counter()
            scorer = fitted(label, known, embedder)
            took = time.perf_counter() - began
            size = len(scorer.to_bytes()) if isinstance(scorer, Stacked) else None
            print(line(f"{name}: {label}", scorer, asked, took, size), flush=True)
            if given.feedback and isinstance(scorer, Stacked):
                practice(scorer, asked, given.feedback)
        times = []
        for example in asked[:300]:
            began = time.perf_counter()
            embedder.plain.embed([example.text])
            times.append((time.perf_counter() - began) * 1000)
        print(
            f"\nand {statistics.median(times):.2f} ms each (p99 {statistics.quantiles(times, n=100)[98]:.2f}) to read a message\n"
        )


if __name__ == "__main__":
    main()
