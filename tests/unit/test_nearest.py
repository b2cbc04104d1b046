"""Nearest examples: what is said of a message, by which examples, and how one more changes it."""

import threading
from typing import Any

import numpy as np
import pytest

from deskmate.classifiers.encoder import Encoder
from deskmate.classifiers.later import Later
from deskmate.classifiers.nearest import Nearest
from deskmate.classifiers.neighbours import NearestNeighbours
from deskmate.domain.scoring import Example, Responder
from deskmate.errors import Invalid, Misconfigured


def example(text: str, intent: str | None = None, responder: Responder = "ai") -> Example:
    return Example(text=text, intent=intent, responder=responder)


EXAMPLES = (
    example("Where is my parcel?", "delivery"),
    example("My parcel has not arrived yet", "delivery"),
    example("When will my order be delivered?", "delivery"),
    example("I want my money back", "refund"),
    example("Can I get a refund for these shoes?", "refund"),
    example("I will call my lawyer", "complaint", "human"),
    example("This is fraud and I am going to the police", "complaint", "human"),
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.packaged()


@pytest.fixture
def nearest(encoder: Encoder) -> Nearest:
    return Nearest.fit(EXAMPLES, encoder)


def test_a_message_is_judged_as_the_examples_that_mean_the_same(nearest: Nearest) -> None:
    parcel = nearest.score(["Hello", "my package still has not come"])
    assert (parcel.intent, parcel.responder) == ("delivery", "ai")
    lawyer = nearest.score(["you will hear from my attorney"])
    assert (lawyer.intent, lawyer.responder) == ("complaint", "human")
    strange = nearest.score(["why is the sky blue"])
    assert parcel.score > strange.score > lawyer.score


def test_it_says_by_which_examples_it_decided_the_nearest_first(nearest: Nearest) -> None:
    judged, near = nearest.explain(["my package still has not come"])
    assert {each.example.intent for each in near} == {judged.intent} == {"delivery"}
    assert near[0].example.text == EXAMPLES[near[0].number].text == "My parcel has not arrived yet"
    assert [each.nearness for each in near] == sorted((each.nearness for each in near), reverse=True)
    assert 0.5 < near[0].nearness <= 1.0


def test_one_more_example_counts_at_once_and_is_another_version(nearest: Nearest, encoder: Encoder) -> None:
    asked = ["Do you sell gift cards?"]
    before = nearest.version
    nearest.add(example("Can I buy a gift voucher?", "gifts", "human"))
    judged, near = nearest.explain(asked)
    assert (judged.intent, judged.responder, near[0].number, len(nearest)) == ("gifts", "human", 7, 8)
    assert nearest.version != before
    assert nearest.version == Nearest.fit([*EXAMPLES, near[0].example], encoder).version
    assert judged == Nearest.fit([*EXAMPLES, near[0].example], encoder).score(asked)


def test_the_same_examples_are_the_same_version_with_one_model_only(nearest: Nearest, encoder: Encoder) -> None:
    assert nearest.version == Nearest.fit(EXAMPLES, encoder).version
    assert nearest.version != Nearest.fit(EXAMPLES[:-1], encoder).version
    assert nearest.version != Nearest.fit(EXAMPLES, Axes("axes")).version
    assert Nearest.fit(EXAMPLES, Axes("other")).version != Nearest.fit(EXAMPLES, Axes("axes")).version


def test_without_an_example_there_is_nothing_to_fit(encoder: Encoder) -> None:
    with pytest.raises(Invalid) as caught:
        Nearest.fit([], encoder)
    assert caught.value.field == "examples"


def test_one_example_is_enough_and_any_message_is_judged(encoder: Encoder) -> None:
    alone = Nearest.fit(EXAMPLES[:1], encoder)
    for text in ("", "?" * 10_000, "\0", "Wo ist mein Paket?"):
        assert alone.score([text]).intent == "delivery"


def test_threads_that_ask_while_others_add_see_whole_examples() -> None:
    nearest = Nearest.fit(EXAMPLES, Axes("axes"))
    problems: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(300):
                for each in nearest.near("a message", limit=50):
                    assert each.nearness == pytest.approx(float(Axes("").embed([each.example.text])[0] @ asked), abs=1e-5)
        except BaseException as error:
            problems.append(error)

    asked = Axes("").embed(["a message"])[0]
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(300):
        nearest.add(example(f"number {number}"))
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(nearest) == len(EXAMPLES) + 300


def test_neighbours_read_each_text_once_whatever_comes_and_goes() -> None:
    axes = Axes("axes")
    later = Later("off")
    later._opened = (axes,)  # pyright: ignore[reportPrivateUsage]
    neighbours = NearestNeighbours(later)
    first = neighbours.nearest(EXAMPLES, EXAMPLES[0].text, 1)
    assert (first.intent, first.score) == ("delivery", pytest.approx(1.0))
    assert neighbours.nearest(EXAMPLES[2:], EXAMPLES[3].text, 1).intent == "refund"
    assert neighbours.nearest([*EXAMPLES, example("Gift cards?", "gifts")], "Gift cards?", 1).intent == "gifts"
    asked = [EXAMPLES[0].text, EXAMPLES[3].text, "Gift cards?"]
    assert axes.read == [*(each.text for each in EXAMPLES), asked[0], asked[1], "Gift cards?", asked[2]]


def test_without_an_embedder_there_are_no_neighbours() -> None:
    with pytest.raises(Misconfigured) as caught:
        NearestNeighbours(Later("off")).nearest(EXAMPLES, "Hello", 3)
    assert caught.value.field == "embeddings"


class Axes:
    """A model of its own: the vector of a text depends on nothing but its letters."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.read: list[str] = []

    def embed(self, texts: Any) -> Any:
        self.read += texts
        rows = np.array([np.bincount([ord(letter) % 16 for letter in text] or [0], minlength=16) for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)
