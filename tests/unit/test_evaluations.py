"""Evaluations: accuracy, order and coverage, by hand on a few messages and against a well-kept library on many."""

import random

import pytest

from deskmate.domain.evaluations import evaluate
from deskmate.domain.scoring import Example, Judged, Responder

Row = tuple[Example, Judged]


def said(intent: str | None, responder: Responder, score: float, *, of: str | None = "a", for_: Responder = "ai") -> Row:
    """A message of this intent for these, and what was said of it."""
    return Example(text="x", intent=of, responder=for_), Judged(intent=intent, responder=responder, score=score)


def test_of_nothing_nothing_is_told() -> None:
    found = evaluate([])
    assert (found.accuracy, found.kept, found.caught, found.auroc) == (None, None, None, None)
    assert set(found.coverage.values()) == {0.0}


def test_right_is_the_right_intent_said_by_the_ai() -> None:
    found = evaluate([said("a", "ai", 4), said("b", "ai", 3), said("a", "human", 2), said(None, "human", 1, for_="human")])
    assert (found.in_scope, found.out_of_scope) == (3, 1)
    assert (found.accuracy, found.kept, found.caught, found.auroc) == (1 / 3, 1 / 3, 1.0, 1.0)


def test_the_coverage_is_the_largest_share_above_a_floor_that_bears_the_errors() -> None:
    rows = [said("a", "ai", 100 - at) for at in range(95)]
    rows += [said("b", "ai", 4 - at / 10) for at in range(5)]
    assert evaluate(rows).coverage == {0.05: 1.0, 0.02: 0.96, 0.01: 0.95}


def test_no_floor_parts_equal_scores() -> None:
    assert set(evaluate([said("a", "ai", 1), said("b", "ai", 1)]).coverage.values()) == {0.0}
    assert evaluate([said("a", "ai", 1), said(None, "ai", 1, for_="human")]).auroc == 0.5


def test_a_wrong_answer_at_the_top_does_not_hide_what_comes_below() -> None:
    rows = [said("b", "ai", 1000), *(said("a", "ai", at) for at in range(99))]
    assert evaluate(rows).coverage == {0.05: 1.0, 0.02: 1.0, 0.01: 1.0}


def test_messages_out_of_scope_weigh_as_much_as_is_wanted() -> None:
    rows = [said("a", "ai", 2), said("a", "ai", 1), said("a", "ai", 0.5, for_="human")]
    assert evaluate(rows).coverage[0.05] == pytest.approx(2 / 3)
    assert evaluate(rows, share=0.5).coverage[0.05] == pytest.approx(0.5)
    assert evaluate(rows, share=0.0).coverage[0.05] == pytest.approx(1.0)
    assert evaluate(rows[:2], share=0.5).coverage[0.05] == 1.0


def test_the_order_is_told_as_scikit_learn_tells_it() -> None:
    from sklearn.metrics import roc_auc_score

    chance = random.Random(5)
    rows = [said("a", "ai", chance.randrange(20), for_=chance.choice(("ai", "human"))) for _ in range(300)]
    expected: float = roc_auc_score([one.responder == "ai" for one, _ in rows], [given.score for _, given in rows])
    assert evaluate(rows).auroc == pytest.approx(expected)
