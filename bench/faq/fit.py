"""Fits the weights of the FAQ agent, one project left out at a time: `python bench/faq/fit.py NAME=DOCS_DIR ...`.

NAME is that of a file of questions (`questions-NAME.jsonl`). Needs scikit-learn, which is no dependency of Deskmate. It prints
what to expect of projects that the fit has not seen, and the weights of a fit on all; round them by hand into `evidence.py`.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from evaluate import judge
from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingImports]

from deskmate.runners.faq import DEFAULT_FLOOR, FaqLibrary, encoder_of
from deskmate.runners.faq.evidence import Evidence

HERE = Path(__file__).parent
BY_WORDS = (
    "coverage",
    "literal",
    "heading",
    "document_said",
    "anchored",
    "pairs",
    "frequency",
    "terms",
    "name_missing",
)
BY_MEANING = (
    "coverage",
    "closeness",
    "terms",
    "name_missing",
    "near.heading",
    "near.weakest",
    "near.unsaid",
    "near.lead",
)
ORDER = ("share", "literal", "heading", "document", "anchored", "closeness", "pairs", "frequency", "brevity", "first")
NEAR = ("near.text", "near.heading", "near.weakest")
_RIVALS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A question with what the library says of it now."""

    project: str
    answerable: bool
    right: bool
    confidence: float
    facts: tuple[float, ...]
    order: tuple[tuple[int, bool, bool, tuple[float, ...]], ...]
    """Passages as they are ranked now: their section, whether they answer, whether they are of a file that does, their facts."""


def fact(evidence: Evidence, name: str) -> float:
    where, _, of = name.partition(".")
    found: Any = getattr(evidence, where)
    return float(getattr(found, of) if of else found)


def samples(project: str, folder: str, embeddings: str) -> list[Sample]:
    library = FaqLibrary.load(folder, encoder=encoder_of(embeddings))
    library.wait()
    lines = (HERE / f"questions-{project}.jsonl").read_text("utf-8").splitlines()
    return [sample(project, library, json.loads(line)) for line in lines if line]


def sample(project: str, library: FaqLibrary, question: dict[str, Any]) -> Sample:
    verdict, confidence, _ = judge(library, question, 0.0)
    found = library.answer(question["question"])
    by = BY_WORDS if found is None or found.evidence.near is None else BY_MEANING
    hits = library._hits(question["question"], library._index.terms(question["question"], ""))
    names = ORDER if not hits or hits[0].evidence.near is None else (*ORDER, *NEAR)
    order: list[tuple[int, bool, bool, tuple[float, ...]]] = []
    for hit in hits[: 2 * _RIVALS]:
        passage = hit.passage
        of_file = question["answerable"] and any(passage.file.endswith(file) for file in question["files"])
        text = f"{passage.breadcrumb} {passage.text}".casefold()
        says = of_file and any(each.casefold() in text for each in question["contains"])
        order.append((passage.section, says, of_file, tuple(fact(hit.evidence, name) for name in names)))
    return Sample(
        project=project,
        answerable=question["answerable"],
        right=question["answerable"] and verdict == "right",
        confidence=confidence,
        facts=tuple(fact(found.evidence, name) for name in by) if found is not None else (),
        order=tuple(order),
    )


def scaled(rows: "np.ndarray[Any, Any]") -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    return (rows - mean) / spread, mean, spread


def confidence(found: Sequence[Sample], names: Sequence[str], strength: float, floor: float) -> None:
    """Right, wrong and asked of each project by weights that were fitted without it."""
    known = [each for each in found if each.facts]
    rows, mean, spread = scaled(np.array([each.facts for each in known]))
    right = np.array([each.right for each in known])
    project = np.array([each.project for each in known])
    sure = np.zeros(len(known))
    for name in dict.fromkeys(project):
        rest = project != name
        model = LogisticRegression(C=strength, max_iter=5_000).fit(rows[rest], right[rest])
        sure[~rest] = model.predict_proba(rows[~rest])[:, 1]
    by_id = {id(each): value for each, value in zip(known, sure, strict=True)}
    print(f"confidence, each project by the others, at {floor}:\n| set | right | wrong | asked |\n| --- | --- | --- | --- |")
    for name in (*dict.fromkeys(each.project for each in found), "together"):
        mine = [each for each in found if name in (each.project, "together")]
        answered = [each for each in mine if by_id.get(id(each), 0.0) >= floor]
        of = sum(each.answerable for each in mine)
        good, bad = sum(each.right for each in answered), sum(each.answerable and not each.right for each in answered)
        asked = sum(not each.answerable for each in mine) - sum(not each.answerable for each in answered)
        print(f"| {name} | {good}/{of} ({good / max(1, of):.0%}) | {bad} | {asked}/{len(mine) - of} |")
    for low, high in ((0, 0.2), (0.2, 0.35), (0.35, 0.5), (0.5, 0.65), (0.65, 0.8), (0.8, 0.9), (0.9, 1.01)):
        inside = (sure >= low) & (sure < high)
        print(f"| {low} to {min(1, high)} | {inside.sum()} | {right[inside].mean() if inside.any() else 0:.0%} |")
    model = LogisticRegression(C=strength, max_iter=5_000).fit(rows, right)
    weights = model.coef_[0] / spread
    print({name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)})
    print("constant", round(float(model.intercept_[0] - (weights * mean).sum()), 2))


def ranking(found: Sequence[Sample], names: Sequence[str], strength: float) -> None:
    """How often the passage that answers is among the first sections, by weights that were fitted without the project."""
    known = [each for each in found if any(says for _, says, _, _ in each.order)]
    everything = np.array([facts for each in known for *_, facts in each.order])
    spread = everything.std(axis=0) + 1e-9
    tops = np.zeros(4, int)
    now = np.zeros(4, int)
    for name in dict.fromkeys(each.project for each in known):
        weights = pairwise([each for each in known if each.project != name], spread, strength)
        for each in known:
            if each.project == name:
                tops += first([(section, says) for section, says, _, facts in ordered(each, weights)])
                now += first([(section, says) for section, says, *_ in each.order])
    print(f"ranking: of {len(known)} among the first 1, 2, 3, 4 sections: now {now}, each project by the others {tops}")
    weights = pairwise(known, spread, strength)
    print({name: round(float(weight), 2) for name, weight in zip(names, weights, strict=True)})


def ordered(each: Sample, weights: "np.ndarray[Any, Any]") -> "list[tuple[int, bool, bool, tuple[float, ...]]]":
    return sorted(each.order, key=lambda row: -float(np.dot(row[3], weights)))


def first(order: Sequence[tuple[int, bool]]) -> "np.ndarray[Any, Any]":
    sections: list[int] = []
    for section, says in order:
        if section not in sections:
            sections.append(section)
        if says:
            break
    return np.array([len(sections) <= count for count in (1, 2, 3, 4)], int)


def pairwise(known: Sequence[Sample], spread: "np.ndarray[Any, Any]", strength: float) -> "np.ndarray[Any, Any]":
    """Passages that answer against the best ones that do not, each question counted once."""
    rows: list[Any] = []
    counts: list[float] = []
    for each in known:
        good = [np.array(facts) for _, says, _, facts in each.order if says][:3]
        bad = [np.array(facts) for _, _, of_file, facts in each.order if not of_file][:_RIVALS]
        rows += [one - other for one in good for other in bad]
        counts += [1 / max(1, len(good) * len(bad))] * (len(good) * len(bad))
    both = np.array([*rows, *(-row for row in rows)]) / spread
    right = [True] * len(rows) + [False] * len(rows)
    model = LogisticRegression(C=strength, fit_intercept=False, max_iter=5_000).fit(both, right, sample_weight=counts * 2)
    return model.coef_[0] / spread


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="+", help="NAME=DOCS_DIR")
    parser.add_argument("--embeddings", default="auto", help="auto, off, or the folder of a model")
    parser.add_argument("--strength", type=float, default=0.3, help="C of the regression: less is more regularisation")
    parser.add_argument("--floor", type=float, default=DEFAULT_FLOOR)
    given = parser.parse_args()
    found = [each for project in given.projects for each in samples(*project.split("=", 1), given.embeddings)]
    near = encoder_of(given.embeddings) is not None
    confidence(found, BY_MEANING if near else BY_WORDS, given.strength, given.floor)
    ranking(found, (*ORDER, *NEAR) if near else ORDER, given.strength)


if __name__ == "__main__":
    sys.exit(main())
