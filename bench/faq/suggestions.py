"""What accepted suggestions do to the FAQ agent: `python bench/faq/suggestions.py [--embeddings off] [--all]`.

Customers ask and people answer, in the words of suggestions.jsonl, mixed and in several orders. What Deskmate suggests of that is
accepted as it stands, without a lead's better words, and the agent is asked what it has not heard before.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deskmate.classifiers.encoder import Encoder, encoder_of
from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.faq import FaqEntry
from deskmate.domain.suggestions import TIMES, Compared, Told, belongs, general, spoken, standing_for, times, wordings
from deskmate.runners.faq import FaqLibrary
from deskmate.runners.faq.agent import DEFAULT_FLOOR

HERE = Path(__file__).parent
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Found:
    """What came of one order of the conversations."""

    entries: list[FaqEntry] = field(default_factory=list[FaqEntry])
    topics: list[str] = field(default_factory=list[str])
    mixed: list[list[str]] = field(default_factory=list[list[str]])


def gathered(rows: Sequence[dict[str, Any]], seed: int) -> Found:
    """What is suggested of all that customers asked and people answered."""
    said = [(row["topic"], question, answer) for row in rows for question, answer in row["told"]]
    random.Random(seed).shuffle(said)
    groups: list[list[tuple[Compared, Told, str]]] = []
    for number, (topic, question, answer) in enumerate(said):
        kept = general(question, answer, names=("Marie Dubois", "Bo"))
        if kept is None:
            continue
        new = Compared.of(*kept)
        told = Told(
            id=str(number), thread=str(number), customer=str(number), message=str(number), question=kept[0], answer=kept[1],
            operator=Author(kind=AuthorKind.OPERATOR, name="Ana"), at=BEGINNING + timedelta(hours=number),
        )  # fmt: skip
        group = next((group for group in groups if belongs(new, [one for one, _, _ in group])), None)
        if group is None:
            groups.append(group := [])
        group.append((new, told, topic))
    found = Found()
    for group in groups:
        told = [one for _, one, _ in group]
        standing = standing_for(told)
        if times(told) < TIMES or standing is None:
            continue
        topics = Counter(topic for _, _, topic in group)
        if len(topics) > 1:
            found.mixed.append([one.question for one in told])
        found.topics.append(topics.most_common(1)[0][0])
        others = tuple(one.question for one in wordings(told, standing[0].question))
        found.entries.append(FaqEntry(
            id=f"faq_{len(found.entries)}", question=standing[0].question, answer=spoken(standing[1].answer), wordings=others,
            by=Author(kind=AuthorKind.OPERATOR, name="Lea"), created_at=BEGINNING,
        ))  # fmt: skip
    return found


def verdicts(library: FaqLibrary, rows: Sequence[dict[str, Any]], floor: float) -> Iterator[tuple[str, str, str, str, float]]:
    """(set, kind, verdict, question, confidence). Right are answers that hold what is said of the topic."""
    for row in rows:
        for question in row["held"]:
            answer = library.answer(question)
            given = answer is not None and answer.confidence >= floor
            right = given and row["says"].casefold() in answer.text.split("This may help as well:")[0].casefold()
            verdict = "right" if right else "wrong" if given else "asked"
            yield row["set"], "held", verdict, question, 0.0 if answer is None else answer.confidence
        for question in row["near"]:
            answer = library.answer(question)
            given = answer is not None and answer.confidence >= floor
            yield row["set"], "near", "wrong" if given else "asked", question, 0.0 if answer is None else answer.confidence


def counts(library: FaqLibrary, rows: Sequence[dict[str, Any]], *, show: bool) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for part, kind, verdict, question, confidence in verdicts(library, rows, DEFAULT_FLOOR):
        found[part, kind, verdict] += 1
        if show:
            print(f"  {part:<6} {kind} {verdict:<6} {confidence:5.2f}  {question}")
    return found


def built(library: FaqLibrary, entries: Sequence[FaqEntry]) -> FaqLibrary:
    taught = library.with_entries(entries)
    taught.wait()
    return taught


def shop(encoder: Encoder | None) -> FaqLibrary:
    files = sorted((HERE / "shop").glob("*.md"))
    library = FaqLibrary([(file.name, file.read_text("utf-8")) for file in files], encoder=encoder)
    library.wait()
    return library


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embeddings", default="auto", help="auto, off, or the folder of a model")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="show every question")
    given = parser.parse_args()
    rows = [json.loads(line) for line in (HERE / "suggestions.jsonl").read_text("utf-8").splitlines()]
    library = shop(encoder_of(given.embeddings))
    before = counts(library, rows, show=given.all)
    after: Counter[tuple[str, str, str]] = Counter()
    suggested = 0
    mixed: list[list[str]] = []
    for seed in range(given.seeds):
        found = gathered(rows, seed)
        suggested += len(set(found.topics))
        mixed += found.mixed
        after += counts(built(library, found.entries), rows, show=given.all and not seed)
    print(f"suggested: {suggested / given.seeds:.1f} of {len(rows)} topics, {len(mixed)} mixed {mixed}")
    for part in ("tuned", "first"):
        for kind in ("held", "near"):
            was, now = ({v: c[part, kind, v] for v in ("right", "wrong", "asked")} for c in (before, after))
            total = sum(was.values())
            shares = [f"{v} {was[v] / total:.0%} -> {now[v] / total / given.seeds:.0%}" for v in was if was[v] or now[v]]
            print(f"{part:<6} {kind} ({total}): {', '.join(shares)}")


if __name__ == "__main__":
    sys.exit(main())
