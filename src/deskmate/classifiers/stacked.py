"""The stacked score: words and meaning judge a message together, weighed by how right they were on messages they had not seen."""

import hashlib
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deskmate.classifiers.evidence import Weights, candidates, evidence
from deskmate.classifiers.meaning import UNKNOWN, Meaning, Views, kind_of
from deskmate.classifiers.packing import pack, unpack
from deskmate.classifiers.products import one_processor
from deskmate.classifiers.proving import Learn, Proof, Words, prove
from deskmate.domain.scoring import Embedder, Example, Judged
from deskmate.errors import Invalid, Misconfigured

_FORMAT = "stacked 1"
_HALF = 0.5
_LOST = -3.0
"""Below these odds, 1 to 20, people should answer, floor or not. In CLINC150 that is .5 % of the known, 71 % of the unknown."""
_MOST = 5.0
"""How much a message from practice may count, beside one of the examples: there it is known what customers really write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A message that the AI answered or drafted an answer to, and whether that was right."""

    text: str
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacked:
    """Fitted. Safe to use from several threads."""

    version: str
    embedder: Embedder
    words: Words | None
    meaning: Meaning
    weights: Weights
    proof: Proof
    """What the weights were learned from, to learn more beside it."""

    @classmethod
    def fit(cls, examples: Sequence[Example], embedder: Embedder, learn: Learn | None = None) -> "Stacked":
        """Learn from examples; `learn` fits a scorer that goes by words. All is fitted six times: it takes a minute or more.

        Raises Invalid without examples of two kinds, Unavailable when they cannot be read.
        """
        kinds = [kind_of(example) for example in examples]
        if len(set(kinds)) < 2:
            raise Invalid("A score needs examples of at least two kinds (intent and responder)", field="examples")
        rows = embedder.embed([example.text for example in examples])
        words = learn(examples) if learn is not None else None
        with one_processor():
            proof = prove(examples, rows, learn)
            return cls(
                version=_version(examples, embedder, words),
                embedder=embedder,
                words=words,
                meaning=Meaning.fit(rows, kinds),
                weights=Weights.fit(proof.rows, proof.right, proof.counts),
                proof=proof,
            )

    def taught(self, outcomes: Iterable[Outcome]) -> "Stacked":
        """The same, with weights that are also learned from practice. Give all there is: what was taught before is not kept."""
        np = importlib.import_module("numpy")
        given = sorted(set(outcomes), key=lambda outcome: (outcome.text, outcome.right))
        fitted, proof = self.version.partition("+")[0], self.proof
        if not given:
            return replace(self, weights=Weights.fit(proof.rows, proof.right, proof.counts), version=fitted)
        rows, winners, _ = self._judge([outcome.text for outcome in given])
        # A kind that is for people was the right one where the AI was wrong.
        for_ai = np.array([responder == "ai" for _, responder in self.meaning.kinds])
        right = np.array([outcome.right for outcome in given]) == for_ai[winners]
        counts = np.full(len(given), max(1.0, min(_MOST, len(proof.rows) / len(given))))
        weights = Weights.fit(
            np.concatenate([proof.rows.reshape(-1, rows.shape[1]), rows]),
            np.concatenate([proof.right, right]),
            np.concatenate([proof.counts, counts]),
        )
        return replace(self, weights=weights, version=f"{fitted}+{_digest(*map(repr, given))[:16]}")

    def score(self, history: Sequence[str]) -> Judged:
        """Judge the last message, in some milliseconds and those of the embedder. Raises Unavailable when it cannot be read."""
        return self.score_all([history[-1]])[0]

    def score_all(self, texts: Sequence[str]) -> list[Judged]:
        """Judge many messages, each by itself."""
        if not texts:
            return []
        _, winners, (odds, views) = self._judge(texts)
        strange = self._strange(views)
        return [self._judged(int(at), float(odds[row]), bool(strange[row])) for row, at in enumerate(winners)]

    def _judge(self, texts: Sequence[str]) -> tuple[Any, Any, tuple[Any, Views]]:
        """(the evidence for the kind each message most likely is of, the number of that kind, (its odds, the views))."""
        np = importlib.import_module("numpy")
        views = self.meaning.views(self.embedder.embed(texts))
        said = [self.words.score([text]) if self.words is not None else None for text in texts]
        both = candidates(views, self.meaning.kinds, said)
        first, second = (evidence(views, self.meaning.kinds, each, said) for each in both)
        better = self.weights.weigh(second) > self.weights.weigh(first)
        rows = np.where(better[:, None], second, first)
        return rows, np.where(better, both[1], both[0]), (self.weights.weigh(rows), views)

    def _strange(self, views: Views) -> Any:
        """Which messages are more likely than not among those that people answer without a common subject."""
        np = importlib.import_module("numpy")
        if UNKNOWN not in self.meaning.kinds:
            return np.zeros(len(views.lines), bool)
        lines = views.lines - views.lines.max(axis=1, keepdims=True)
        likely = np.exp(lines) / np.exp(lines).sum(axis=1, keepdims=True)
        return likely[:, self.meaning.kinds.index(UNKNOWN)] > _HALF

    def _judged(self, at: int, odds: float, strange: bool) -> Judged:
        intent, responder = self.meaning.kinds[at]
        # The surer it is that a message is of a kind for people, the less likely the AI gets it right.
        score = odds if responder == "ai" else -odds
        return Judged(intent=intent, responder="human" if strange or score < _LOST else responder, score=score)

    def to_bytes(self) -> bytes:
        """Everything but the embedder; of the examples the vectors, and not the texts. 25 MB for 15,000 of 150 intents."""
        np = importlib.import_module("numpy")
        head = {
            "format": _FORMAT,
            "version": self.version,
            "embedder": self.embedder.name,
            "kinds": [list(kind) for kind in self.meaning.kinds],
            "start": self.weights.start,
        }
        proof = {"proof_rows": self.proof.rows, "proof_right": self.proof.right, "proof_counts": self.proof.counts}
        words = {"words": np.frombuffer(self.words.to_bytes(), np.uint8)} if self.words is not None else {}
        return pack(head, {**self.meaning.arrays, **proof, **words, "each": self.weights.each})

    @classmethod
    def from_bytes(cls, data: bytes, embedder: Embedder, load: Callable[[bytes], Words] | None = None) -> "Stacked":
        """What `to_bytes` gave, with the same embedder. Raises Misconfigured where it does not fit; `load` refuses by itself."""
        problem = Misconfigured("This is no score that was kept, or one of another version: fit it anew", field="score")
        try:
            head, arrays = unpack(data)
            kinds = [(intent, responder) for intent, responder in head["kinds"]]
            meaning = Meaning.of(kinds, arrays)
            proof = Proof(rows=arrays["proof_rows"], right=arrays["proof_right"], counts=arrays["proof_counts"])
            weights = Weights.of(arrays["each"], head["start"])
            fits = (head["format"], head["embedder"], "words" in arrays)
            version = str(head["version"])
        except (ValueError, KeyError, TypeError):
            raise problem from None
        if fits != (_FORMAT, embedder.name, load is not None):
            raise problem
        words = load(arrays["words"].tobytes()) if load is not None else None
        return cls(version=version, embedder=embedder, words=words, meaning=meaning, weights=weights, proof=proof)


def _version(examples: Sequence[Example], embedder: Embedder, words: Words | None) -> str:
    learned = (repr((example.text, example.intent, example.responder)) for example in examples)
    return _digest(_FORMAT, embedder.name, words.version if words is not None else "", *learned)


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
        digest.update(b"\0")
    return digest.hexdigest()
