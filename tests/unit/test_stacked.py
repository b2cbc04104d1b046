"""The stacked score: better than its parts on messages nobody has seen, taught by practice, kept as bytes that hold no code."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from tests.data import rows

from deskmate.classifiers.encoder import Encoder
from deskmate.classifiers.evidence import NAMES
from deskmate.classifiers.nearest import Nearest
from deskmate.classifiers.proving import prove
from deskmate.classifiers.stacked import Outcome, Stacked
from deskmate.domain.scoring import Embedder, Example, Judged
from deskmate.errors import Invalid, Misconfigured

INTENTS = 16


class Keywords:
    """A scorer that goes by words: by how many it has in common with the examples of an intent."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.version = f"keywords of {len(examples)}"
        self._learned = examples
        self._words: dict[str | None, set[str]] = {}
        for each in examples:
            if each.responder == "ai":
                self._words.setdefault(each.intent, set()).update(each.text.lower().split())

    def to_bytes(self) -> bytes:
        return json.dumps([[each.text, each.intent, each.responder] for each in self._learned]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Keywords":
        return cls([Example(text=text, intent=intent, responder=by) for text, intent, by in json.loads(data)])

    def score(self, history: Sequence[str]) -> Judged:
        said = set(history[-1].lower().split())
        shares = {intent: len(said & words) / (len(said) or 1) for intent, words in self._words.items()}
        best = max(shares, key=lambda intent: shares[intent])
        return Judged(intent=best, responder="ai" if shares[best] > 0.4 else "human", score=shares[best])


class Remembered:
    """An embedder that reads each text once: tests fit the same examples again and again."""

    def __init__(self, embedder: Embedder) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._known: dict[str, Any] = {}

    def embed(self, texts: Sequence[str]) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._known[text] for text in texts])


def of(row: Mapping[str, Any]) -> Example:
    return Example(text=row["text"], intent=row["intent"], responder=row["responder"])


def some(name: str, each: int) -> list[Example]:
    """The first messages of the first intents of CLINC150, and as many of no intent at all."""
    taken: dict[str | None, list[Example]] = {}
    for row in rows(f"routing/clinc150_{name}.jsonl"):
        taken.setdefault(row["intent"], []).append(of(row))
    unknown = taken.pop(None)
    return [*unknown[: 3 * each], *(example for intent in sorted(taken, key=str)[:INTENTS] for example in taken[intent][:each])]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Remembered(Encoder.packaged())


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return some("train", 20)


@pytest.fixture(scope="module")
def asked() -> list[Example]:
    return some("validation", 10)


@pytest.fixture(scope="module")
def stacked(examples: list[Example], embedder: Embedder) -> Stacked:
    return Stacked.fit(examples, embedder, Keywords)


def right(judged: Sequence[Judged], asked: Sequence[Example]) -> float:
    """The share of named intents that were found."""
    named = [(each, example) for each, example in zip(judged, asked, strict=True) if example.intent is not None]
    return sum(each.intent == example.intent for each, example in named) / len(named)


def ranked(judged: Sequence[Judged], asked: Sequence[Example]) -> float:
    """How often what the AI gets right has a higher score than what it does not (AUROC)."""
    good = [each.score for each, example in zip(judged, asked, strict=True) if each.intent == example.intent is not None]
    bad = [each.score for each, example in zip(judged, asked, strict=True) if not each.intent == example.intent is not None]
    return sum((a > b) + (a == b) / 2 for a in good for b in bad) / (len(good) * len(bad))


def test_it_is_better_than_its_parts(stacked: Stacked, asked: list[Example], examples: list[Example], embedder: Embedder) -> None:
    texts = [example.text for example in asked]
    judged = stacked.score_all(texts)
    parts = [Keywords(examples), Nearest.fit(examples, embedder)]
    found = [[part.score([text]) for text in texts] for part in parts]
    assert right(judged, asked) >= max(right(each, asked) for each in found)
    assert ranked(judged, asked) > max(ranked(each, asked) for each in found)
    assert right(judged, asked) > 0.93
    assert ranked(judged, asked) > 0.95


def test_messages_of_no_kind_go_to_people_and_others_to_the_ai(stacked: Stacked, asked: list[Example]) -> None:
    judged = stacked.score_all([example.text for example in asked])
    for_people = [each.responder == "human" for each, example in zip(judged, asked, strict=True) if example.intent is None]
    for_ai = [each.responder == "human" for each, example in zip(judged, asked, strict=True) if example.intent is not None]
    assert sum(for_people) / len(for_people) > 0.6 > 0.05 > sum(for_ai) / len(for_ai)


def test_it_judges_the_last_message_and_the_same_each_time(stacked: Stacked, asked: list[Example]) -> None:
    text = asked[-1].text
    assert stacked.score(["Hello", text]) == stacked.score([text])
    assert stacked.score_all([]) == []
    assert stacked.score_all([text, ""])[0].intent == stacked.score([text]).intent


def test_without_words_meaning_has_to_do(examples: list[Example], asked: list[Example], embedder: Embedder) -> None:
    judged = Stacked.fit(examples, embedder).score_all([example.text for example in asked])
    assert right(judged, asked) > 0.9


def test_the_same_examples_give_the_same(stacked: Stacked, examples: list[Example], embedder: Embedder) -> None:
    again = Stacked.fit(examples, embedder, Keywords)
    assert again.version == stacked.version
    assert again.score(["block my card"]) == stacked.score(["block my card"])
    assert Stacked.fit(examples, embedder).version != stacked.version
    assert Stacked.fit(examples[1:], embedder, Keywords).version != stacked.version


def test_what_is_kept_judges_as_before(stacked: Stacked, embedder: Embedder, asked: list[Example]) -> None:
    kept = stacked.to_bytes()
    again = Stacked.from_bytes(kept, embedder, Keywords.from_bytes)
    texts = [example.text for example in asked]
    assert again.version == stacked.version
    assert again.score_all(texts) == stacked.score_all(texts)
    outcomes = [Outcome(text=texts[0], right=False)]
    assert again.taught(outcomes).score(texts[:1]) == stacked.taught(outcomes).score(texts[:1])
    assert stacked.score(texts[:1]).score == pytest.approx(stacked.score_all(texts)[0].score, abs=1e-3)
    assert again.to_bytes() == kept


def test_what_was_kept_needs_the_same_embedder_and_its_words(stacked: Stacked, embedder: Embedder) -> None:
    other = Remembered(embedder)
    other.name = "another model"
    for model, load in ((other, Keywords.from_bytes), (embedder, None)):
        with pytest.raises(Misconfigured, match="fit it anew") as caught:
            Stacked.from_bytes(stacked.to_bytes(), model, load)
        assert caught.value.field == "score"


def of_one() -> Example:
    return Example(text="a", intent="b", responder="ai")


def packed(body: bytes) -> bytes:
    return b"deskmate stacked 1\n" + hashlib.sha256(body).digest() + body


def arrays(**named: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=True, **named)
    return packed(out.getvalue())


def zipped(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return packed(out.getvalue())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"deskmate stacked 1\n",
        packed(b""),
        packed(b"\x80\x04K\x01."),
        zipped("head.npy", b"x"),
        zipped("other", b"x"),
        arrays(rows=np.zeros(3)),
        arrays(head=np.array([{"a": 1}], object)),
        arrays(head=np.frombuffer(b"[]", np.uint8)),
        arrays(head=np.frombuffer(b'{"format": "stacked 1"}', np.uint8)),
    ],
)
def test_bytes_that_are_no_score_are_refused_and_not_run(data: bytes, embedder: Embedder) -> None:
    with pytest.raises(Misconfigured, match="no score"):
        Stacked.from_bytes(data, embedder)


def test_a_damaged_score_is_refused(stacked: Stacked, embedder: Embedder) -> None:
    kept = stacked.to_bytes()
    damaged = [kept[: len(kept) // 2], kept[:-30], kept[: len(kept) // 2] + b"\xff" * 64 + kept[len(kept) // 2 + 64 :]]
    for data in damaged:
        with pytest.raises(Misconfigured):
            Stacked.from_bytes(data, embedder, Keywords.from_bytes)


def test_practice_changes_the_weights_and_only_what_is_given_counts(stacked: Stacked, asked: list[Example]) -> None:
    texts = [example.text for example in asked]
    wrong = [Outcome(text=text, right=False) for text in texts]
    taught = stacked.taught(wrong)
    before, after = stacked.score_all(texts), taught.score_all(texts)
    assert sum(each.score for each in after) < sum(each.score for each in before)
    assert taught.version != stacked.version
    assert taught.version == stacked.taught([*wrong[::-1], *wrong]).version
    assert taught.taught([]).version == stacked.version
    assert taught.taught([]).score_all(texts) == before


def test_a_proof_holds_kinds_that_were_unknown_when_they_were_judged(examples: list[Example], embedder: Embedder) -> None:
    proof = prove(examples, embedder.embed([example.text for example in examples]), Keywords)
    assert proof.rows.shape == (len(proof.right), len(NAMES))
    assert len(proof.right) >= len(examples)
    assert set(proof.counts.tolist()) >= {0.5, 1.0}
    assert not proof.right[proof.counts == 0.5].any()


@pytest.mark.parametrize(
    "few",
    [
        [],
        [of_one()] * 3,
        [Example(text="a", intent=None, responder="human")] * 3,
    ],
)
def test_two_kinds_are_needed(few: list[Example], embedder: Embedder) -> None:
    with pytest.raises(Invalid) as caught:
        Stacked.fit(few, embedder)
    assert caught.value.field == "examples"


def test_two_examples_are_enough_to_begin_with(embedder: Embedder) -> None:
    few = [Example(text="Where is my parcel?", intent="delivery", responder="ai"), of_people("I will sue you", "complaint")]
    for learn in (None, Keywords):
        begun = Stacked.fit(few, embedder, learn)
        parcel, lawyer = begun.score_all(["My parcel has not come", "You will hear from my lawyer, I sue"])
        assert (parcel.intent, parcel.responder) == ("delivery", "ai")
        assert parcel.score > lawyer.score
        taught = begun.taught([Outcome(text="My parcel has not come", right=True), Outcome(text="I sue", right=False)])
        assert taught.score(["My parcel has not come"]).responder == "ai"
        again = Stacked.from_bytes(begun.to_bytes(), embedder, Keywords.from_bytes if learn else None)
        assert again.score(["parcel"]) == begun.score(["parcel"])


def of_people(text: str, intent: str | None = None) -> Example:
    return Example(text=text, intent=intent, responder="human")


def test_examples_without_intents_tell_the_ai_from_people(embedder: Embedder) -> None:
    mine = ["where is my parcel", "my parcel is late", "when does my order arrive", "track my order", "is my parcel here"]
    theirs = ["I will sue you", "you hear from my lawyer", "this is fraud", "I call the police", "I want to complain"]
    learned = [Example(text=text, intent=None, responder="ai") for text in mine] + [of_people(text) for text in theirs]
    scorer = Stacked.fit(learned, embedder, Keywords)
    parcel, lawyer = scorer.score_all(["my parcel has not arrived", "my lawyer will call the police, this is fraud"])
    assert (parcel.responder, lawyer.responder) == ("ai", "human")
    assert parcel.score > lawyer.score


def test_the_surer_a_message_is_of_a_kind_for_people_the_lower_its_score(embedder: Embedder, examples: list[Example]) -> None:
    people = [of_people(example.text, example.intent) if example.intent == "balance" else example for example in examples]
    scorer = Stacked.fit(people, embedder, Keywords)
    plain, strange = scorer.score_all(["what is my account balance", "balance the bill of the bank, what do I pay"])
    assert (plain.intent, plain.responder) == ("balance", "human")
    assert plain.score < 0
    assert plain.score < strange.score
