"""The learned scorer: a linear model over words, pairs of words and pieces of words. It needs nothing but examples.

Every kind of message is held against all others together (a support vector machine each). What it says of a message lies
around 1 where the kind fits and around -1 where it does not, so scores of different kinds can be compared.
"""

import hashlib
import importlib
import json
from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from deskmate.classifiers.packed import CODE, Knowledge, Label, pack, unpack
from deskmate.classifiers.terms import VIEWS, Terms, words_of
from deskmate.domain.scoring import Example, Judged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_TERMS = 25_000
"""Terms of each view. Above that, what only one example has is left out, and then what few have."""
_PENALTY = 1.0
_MARGIN = 0.6
"""What the lead over the second best intent counts, beside the lead over what people should get."""
_UNSEEN = -1.0
"""What a kind is given of which there is no example: what the model says of a kind that does not fit at all."""
_DOUBT = 0.3
"""Below this score the AI's best guess is wrong two times of three (bench/routing), so the best guess is a person."""


class Learned:
    """A fitted classifier. It does not change, and is safe to use from several threads."""

    def __init__(self, known: Knowledge) -> None:
        np: Any = importlib.import_module("numpy")
        self._known = known
        self._answered = np.array([responder == "ai" for _, responder in known.labels], np.bool_)
        sizes = [len(view.places) for view in known.views]
        self._starts = [sum(sizes[:at]) for at in range(len(sizes))]

    @property
    def version(self) -> str:
        """The digest of the examples and of this code, whatever the order of the examples."""
        return self._known.version

    def score(self, history: Sequence[str]) -> Judged:
        """Judge the last message. Those before it are not read: no example says what a message means after another one."""
        np: Any = importlib.import_module("numpy")
        marks = self._marks(history[-1] if history else "")
        ours = np.flatnonzero(self._answered)
        theirs = np.flatnonzero(~self._answered)
        best, first, second = _leaders(marks, ours)
        others, theirs_first, _ = _leaders(marks, theirs)
        score = (first - theirs_first) + _MARGIN * (first - second)
        if best is not None and score >= _DOUBT:
            return Judged(intent=self._known.labels[best][0], responder="ai", score=score)
        # Where people are not the likelier ones, and the AI is only unsure, its guess still tells them what it may be about.
        named = others if others is not None and (best is None or theirs_first >= first) else best
        return Judged(intent=None if named is None else self._known.labels[named][0], responder="human", score=score)

    def to_bytes(self) -> bytes:
        """All that it knows, without code; `from_bytes` makes the same classifier of it."""
        return pack(self._known)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Learned":
        """The classifier that was written. Raises Invalid where they are anything else, of other code, or damaged."""
        return cls(unpack(data))

    def _marks(self, text: str) -> "NDArray[np.float32]":
        """What is said of each label."""
        np: Any = importlib.import_module("numpy")
        places, weights = _row(words_of(text), self._known.views, self._starts)
        rows = self._known.weights[np.array(places, np.int64)].astype(np.float32)
        return np.array(weights, np.float32) @ rows + self._known.biases


def fit(examples: Sequence[Example], *, seed: int = 0) -> Learned:
    """Learn who should answer what. Any examples do, even none: then people answer.

    Takes seconds of the processor for each million of words times intents, so it belongs into a thread of its own.
    """
    # What is learned must not depend on the order in which the examples happened to be read.
    known = sorted(examples, key=lambda one: (one.intent or "", one.intent is None, one.responder, one.text))
    labels: list[Label] = list(dict.fromkeys((one.intent, one.responder) for one in known))
    read = [words_of(one.text) for one in known]
    views = tuple(Terms.of((view(words) for words in read), most=MOST_TERMS) for view, _ in VIEWS)
    columns = {label: at for at, label in enumerate(labels)}
    targets = [columns[one.intent, one.responder] for one in known]
    weights, biases = _solve(_table(read, views), targets, len(labels), seed)
    return Learned(Knowledge(_version(known, seed), tuple(labels), views, weights, biases))


def _version(known: Sequence[Example], seed: int) -> str:
    sklearn: Any = importlib.import_module("sklearn")
    facts = [CODE, str(sklearn.__version__), seed, [(one.text, one.intent, one.responder) for one in known]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _row(words: Sequence[str], views: Sequence[Terms], starts: Sequence[int]) -> tuple[list[int], list[float]]:
    """The places and weights of a text in a row for all views."""
    places: list[int] = []
    weights: list[float] = []
    for (view, counts), terms, start in zip(VIEWS, views, starts, strict=True):
        of_view, weight = terms.weigh(view(words))
        places.extend(start + place for place in of_view)
        weights.extend(counts * each for each in weight)
    return places, weights


def _table(read: Iterable[Sequence[str]], views: Sequence[Terms]) -> Any:
    """A row for each text."""
    sparse: Any = importlib.import_module("scipy.sparse")
    np: Any = importlib.import_module("numpy")
    sizes = [len(view.places) for view in views]
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    places, weights, ends = array("q"), array("d"), array("q", [0])
    for words in read:
        of_text, weight = _row(words, views, starts)
        places.extend(of_text)
        weights.extend(weight)
        ends.append(len(places))
    # The solver counts in 32 bits.
    index = np.array(places, np.int32), np.array(ends, np.int32)
    return sparse.csr_matrix((np.array(weights, np.float64), *index), shape=(len(ends) - 1, sum(sizes)))


def _solve(table: Any, targets: Sequence[int], labels: int, seed: int) -> "tuple[NDArray[np.float16], NDArray[np.float32]]":
    """The weights of each term for each label, and a bias for each label."""
    np: Any = importlib.import_module("numpy")
    if labels < 2 or table.shape[1] == 0:
        # There is nothing to be told from: the more a text is like the examples, the more it is one of them.
        weights = np.zeros((table.shape[1], labels), np.float16)
        if labels == 1:
            weights[:, 0] = np.asarray(table.mean(axis=0)).ravel()
        return weights, np.full(labels, _UNSEEN, np.float32)
    svm: Any = importlib.import_module("sklearn.svm")
    model = svm.LinearSVC(C=_PENALTY, random_state=seed).fit(table, np.array(targets))
    coefficients, biases = model.coef_, model.intercept_
    if labels == 2:  # one machine tells two apart
        coefficients, biases = np.vstack((-coefficients, coefficients)), np.concatenate((-biases, biases))
    return np.ascontiguousarray(coefficients.T.astype(np.float16)), biases.astype(np.float32)


def _leaders(marks: Any, columns: Any) -> tuple[int | None, float, float]:
    """The column of these with the best mark, its mark, and the second best mark."""
    if not len(columns):
        return None, _UNSEEN, _UNSEEN
    held = marks[columns]
    best = int(held.argmax())
    first = float(held[best])
    held[best] = -float("inf")
    return int(columns[best]), first, float(held.max()) if len(columns) > 1 else _UNSEEN
