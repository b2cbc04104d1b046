"""Nearest examples: a message is judged by labelled messages that mean almost the same, and these can be shown as the reason."""

import hashlib
import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from deskmate.classifiers.products import product
from deskmate.domain.scoring import Embedder, Example, Judged, Responder
from deskmate.errors import Invalid

if TYPE_CHECKING:
    from deskmate.classifiers.encoder import Vectors

_VOTERS = 20
_SOFT = 0.12
"""How much a vote loses with distance: at a cosine that is so much lower, it counts a third."""
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An example near a message."""

    number: int
    """Which of the examples, in the order they were given and added."""
    example: Example
    nearness: float
    """The cosine of the two: 1 is the same, unrelated texts are about 0."""


class Nearest:
    """Fitted, and growing: what people decide can be added at once. Safe to use from several threads."""

    def __init__(self, embedder: Embedder) -> None:
        """Knows nothing yet; see `fit`."""
        self._np: Any = importlib.import_module("numpy")
        self._embedder = embedder
        self._lock = Lock()
        self._digest = hashlib.sha256(f"nearest 1 {embedder.name}".encode())
        self._examples: list[Example] = []
        # Rows beyond the examples are room for more. Whoever reads takes rows and count together, as they were at one time.
        self._held: tuple[Vectors, int, str] = (self._np.zeros((0, 0), self._np.float32), 0, self._digest.hexdigest())

    @classmethod
    def fit(cls, examples: Sequence[Example], embedder: Embedder, rows: "Vectors | None" = None) -> "Nearest":
        """Read the examples: half a minute for 15,000 short ones on two processors. `rows` are their vectors, where known."""
        if not examples:
            raise Invalid("Nearest examples need at least one example", field="examples")
        fitted = cls(embedder)
        fitted._extend(examples, embedder.embed([example.text for example in examples]) if rows is None else rows)
        return fitted

    @property
    def version(self) -> str:
        """Another one after each addition."""
        return self._held[2]

    def __len__(self) -> int:
        return self._held[1]

    def add(self, example: Example) -> None:
        """Know one more. Raises Unavailable when it cannot be read."""
        self.extend([example])

    def extend(self, examples: Sequence[Example]) -> None:
        """Know some more, or none of them."""
        self._extend(examples, self._embedder.embed([example.text for example in examples]))

    def _extend(self, examples: Sequence[Example], new: Any) -> None:
        with self._lock:
            rows, count, _ = self._held
            need = count + len(new)
            if need > len(rows):
                room = self._np.zeros((max(need, 2 * len(rows)), new.shape[1]), self._np.float32)
                room[:count] = rows[:count] if count else 0
                rows = room
            rows[count:need] = new
            self._examples.extend(examples)
            for example in examples:
                self._digest.update(repr((example.text, example.intent, example.responder)).encode())
            self._held = (rows, need, self._digest.hexdigest())

    def score(self, history: Sequence[str]) -> Judged:
        """Judge the last message. Raises Unavailable when it cannot be read."""
        return self.explain(history)[0]

    def explain(self, history: Sequence[str], *, voters: int = _VOTERS) -> tuple[Judged, tuple[Near, ...]]:
        """(what is said of the last message, the examples for which it is said: the nearest first)."""
        near = self.near(history[-1], limit=voters)
        votes: dict[tuple[str | None, Responder], float] = {}
        for each in near:
            kind = (each.example.intent, each.example.responder)
            votes[kind] = votes.get(kind, 0.0) + self._weight(each.nearness)
        intent, responder = max(votes, key=lambda kind: votes[kind])
        agreeing = [each for each in near if (each.example.intent, each.example.responder) == (intent, responder)]
        # The share of the votes tells near kinds apart, the cosine tells whether there is anything near at all.
        sure = votes[intent, responder] / sum(votes.values()) * max(0.0, agreeing[0].nearness)
        judged = Judged(intent=intent, responder=responder, score=sure if responder == "ai" else -sure)
        return judged, tuple(agreeing[:_SHOWN])

    def near(self, text: str, *, limit: int = _SHOWN) -> tuple[Near, ...]:
        """The nearest examples, whatever they say."""
        rows, count, _ = self._held
        cosines = product(self._embedder.embed([text]), rows[:count].T)[0]
        first: Iterable[int] = range(count)
        if count > limit:
            first = self._np.argpartition(-cosines, limit)[:limit].tolist()
        order = sorted(first, key=lambda number: (-float(cosines[number]), number))
        return tuple(Near(number=at, example=self._examples[at], nearness=float(cosines[at])) for at in order)

    def _weight(self, nearness: float) -> float:
        return float(self._np.exp((nearness - 1) / _SOFT))
