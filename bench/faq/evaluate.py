"""How good the FAQ agent is on a folder of documentation: `python bench/faq/evaluate.py DOCS_DIR QUESTIONS.jsonl`."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from deskmate.runners.faq import FaqLibrary, encoder_of
from deskmate.runners.faq.agent import DEFAULT_FLOOR


def judge(library: FaqLibrary, question: dict[str, Any], floor: float) -> tuple[str, float, str]:
    """(verdict, confidence, what was quoted). Right needs the file, the text and the confidence."""
    found = library.answer(question["question"])
    if found is None:
        return "asked", 0.0, "-"
    where = " + ".join(f"{e.file} | {e.title}" for e in (found.excerpt, *found.also))
    if not question["answerable"]:
        return ("answered" if found.confidence >= floor else "asked"), found.confidence, where
    quoted = [excerpt.file for excerpt in (found.excerpt, *found.also)]
    fits = any(name.endswith(file) for name in quoted for file in question["files"])
    says = any(text.casefold() in found.text.casefold() for text in question["contains"])
    if found.confidence < floor:
        return ("asked (had it)" if fits and says else "asked"), found.confidence, where
    return ("right" if fits and says else "wrong"), found.confidence, where


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("docs")
    parser.add_argument("questions")
    parser.add_argument("--floor", type=float, default=DEFAULT_FLOOR)
    parser.add_argument("--embeddings", default="auto", help="auto, off, or the folder of a model")
    parser.add_argument("--all", action="store_true", help="show every question, not only the errors")
    given = parser.parse_args()
    began = time.perf_counter()
    library = FaqLibrary.load(given.docs, encoder=encoder_of(given.embeddings))
    built = time.perf_counter() - began
    library.wait()
    read = time.perf_counter() - began
    questions: list[dict[str, Any]] = [json.loads(line) for line in Path(given.questions).read_text("utf-8").splitlines() if line]
    took: list[float] = []
    counts: dict[tuple[bool, str], int] = {}
    rows: list[str] = []
    for question in questions:
        start = time.perf_counter()
        verdict, confidence, where = judge(library, question, given.floor)
        took.append(time.perf_counter() - start)
        key = (question["answerable"], verdict)
        counts[key] = counts.get(key, 0) + 1
        good = verdict == ("right" if question["answerable"] else "asked")
        if given.all or not good:
            mark = " " if good else "!"
            rows.append(f"{mark} {verdict:<15} {confidence:5.2f}  {question['question'][:70]:<70}  {where[:110]}")
    answerable = sum(question["answerable"] for question in questions)
    right = counts.get((True, "right"), 0)
    asked = counts.get((False, "asked"), 0)
    print("\n".join(rows))
    speed = f"median answer {sorted(took)[len(took) // 2] * 1000:.1f} ms, slowest {max(took) * 1000:.1f} ms"
    print(f"\n{len(library.passages)} passages, built in {built:.2f} s, read in {read:.1f} s; {speed}; floor {given.floor}")
    others = len(questions) - answerable
    wrong = counts.get((True, "wrong"), 0)
    print(
        f"answerable, answered right with source: {right}/{answerable} ({right / max(1, answerable):.0%}), {wrong} answered wrong"
    )
    print(f"unanswerable, asked a person:           {asked}/{others} ({asked / max(1, others):.0%})")


if __name__ == "__main__":
    sys.exit(main())
