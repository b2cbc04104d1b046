"""The team's own answers beside the files of the FAQ: what they add, and what they must not spoil."""

import json
import sys
from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.faq import FaqEntry, Taught
from deskmate.runners.faq import FaqLibrary
from deskmate.runners.faq.agent import DEFAULT_FLOOR
from deskmate.runners.faq.corpus import Corpus

BENCH = Path(__file__).parents[2] / "bench" / "faq"
LEA = Author(kind=AuthorKind.OPERATOR, id="op_lea", name="Lea")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLATES = FaqEntry(
    id="faq_plates",
    question="Are the plates dishwasher safe?",
    answer="All our plates can go into the dishwasher.\n\nAt up to 60 degrees.",
    wordings=("can I put your plates in the dishwasher?",),
    by=LEA,
    created_at=NOW,
)
DOCUMENTS = [("returns.md", "# Returns\nYou can return any unused plates within 30 days.\n## Refunds\nThey take 5 days.")]


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = spec_from_file_location("bench_faq_suggestions", BENCH / "suggestions.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def sure(library: FaqLibrary, question: str) -> str | None:
    """What is answered, where the agent is sure enough."""
    found = library.answer(question)
    return found.text if found is not None and found.confidence >= DEFAULT_FLOOR else None


def test_an_entry_is_quoted_as_the_teams_answer():
    library = FaqLibrary(DOCUMENTS).with_entries([PLATES])
    assert sure(library, "is it ok to put the plates into the dishwasher") == (
        "All our plates can go into the dishwasher.\n\nAt up to 60 degrees.\n\n"
        "Source: The team's answers › Are the plates dishwasher safe?"
    )


def test_another_question_on_the_topic_is_asked_with_the_entry_as_a_suggestion():
    library = FaqLibrary(DOCUMENTS).with_entries([PLATES])
    assert sure(library, "Are the plates microwave safe?") is None
    found = library.answer("Are the plates microwave safe?")
    assert found is not None
    assert "60 degrees" in found.text


def test_entries_come_and_go_without_a_trace():
    files = FaqLibrary(DOCUMENTS)
    library = files.with_entries([PLATES]).with_entries([])
    assert library.passages == files.passages
    assert library.answer("Are the plates dishwasher safe?") == files.answer("Are the plates dishwasher safe?")


async def test_a_corpus_reads_entries_only_when_they_are_others():
    taught = [Taught(version=3, entries=(PLATES,))]
    known: list[int] = []

    async def teacher(version: int) -> Taught | None:
        known.append(version)
        return taught[0] if version != taught[0].version else None

    corpus = Corpus(FaqLibrary(DOCUMENTS))
    corpus.learn_from(teacher)
    first = await corpus.current()
    assert first is await corpus.current()
    taught[0] = Taught(version=4, entries=())
    assert (await corpus.current()).passages == FaqLibrary(DOCUMENTS).passages
    assert known == [0, 3, 3]


@pytest.mark.parametrize("seed", [0, 1])
def test_accepted_suggestions_answer_more_and_nothing_wrong(bench: Any, seed: int):
    rows = [json.loads(line) for line in (BENCH / "suggestions.jsonl").read_text("utf-8").splitlines()]
    library = bench.shop(None)
    found = bench.gathered(rows, seed)
    assert found.mixed == []
    taught = bench.built(library, found.entries)
    before, after = (bench.counts(each, rows, show=False) for each in (library, taught))
    for part in ("tuned", "first"):
        held = sum(before[part, "held", verdict] for verdict in ("right", "wrong", "asked"))
        assert after[part, "held", "right"] - before[part, "held", "right"] >= 0.2 * held
        for kind in ("held", "near"):
            assert after[part, kind, "wrong"] <= before[part, kind, "wrong"]


def test_what_the_files_answer_is_answered_as_before(bench: Any):
    rows = [json.loads(line) for line in (BENCH / "suggestions.jsonl").read_text("utf-8").splitlines()]
    library = bench.shop(None)
    taught = bench.built(library, bench.gathered(rows, 0).entries)
    questions = [json.loads(line) for line in (BENCH / "questions-shop.jsonl").read_text("utf-8").splitlines()]
    for question in questions:
        if question["answerable"]:
            was, now = sure(library, question["question"]), sure(taught, question["question"])
            assert was is None or (now is not None and was.split("\n\n")[0] == now.split("\n\n")[0]), question["question"]
        elif question["kind"] == "far":
            assert sure(taught, question["question"]) is None
