"""`deskmate.testing.routing`: what programs that evaluate routers are given."""

from typing import Any

import pytest

from deskmate.errors import Invalid
from deskmate.testing.routing import make

ROWS: list[dict[str, Any]] = [
    {"text": "Where is my parcel?", "intent": "delivery", "responder": "ai"},
    {"text": "track my parcel", "intent": "delivery", "responder": "ai"},
    {"text": "What does the tent cost?", "intent": "price", "responder": "ai"},
    {"text": "My lawyer will write to you", "intent": None, "responder": "human"},
]


def test_it_decides_who_answers_what_it_is_about_and_how_sure_that_is() -> None:
    router = make(ROWS)
    responder, intent, score = router.decide("where has my parcel gone")
    assert (responder, intent) == ("ai", "delivery")
    assert isinstance(score, float)
    assert router.decide("my lawyer")[:2] == ("human", None)
    assert router.decide("my lawyer")[2] < score


def test_where_a_person_should_answer_nothing_is_said_of_what_it_is_about() -> None:
    router = make([*ROWS, {"text": "cancel my order", "intent": "cancellation", "responder": "human"}])
    assert router.decide("cancel the order")[:2] == ("human", None)
    assert router.decide("qqqq")[:2] == ("human", None)


def test_it_makes_do_with_nothing() -> None:
    assert make([]).decide("Where is my parcel?")[:2] == ("human", None)


def test_a_bad_row_is_named_with_its_field() -> None:
    with pytest.raises(Invalid) as error:
        make([*ROWS, {"text": "a", "intent": None, "responder": "robot"}])
    assert error.value.field == "responder"
    assert error.value.message.startswith("row 5: responder must be")


def test_the_floor_is_the_one_of_the_calibration() -> None:
    pytest.importorskip("deskmate.domain.calibration", reason="the calibration is not there yet")
    router = make(ROWS)
    scores = [at / 1000 for at in range(1000)]
    wrong = [score < 0.3 for score in scores]
    floor = router.calibrate(scores, wrong, scores, 0.05, 0.1)
    assert floor is not None
    assert 0.2 < floor < 0.4
    assert router.calibrate(scores, [True] * 1000, scores, 0.05, 0.1) is None
