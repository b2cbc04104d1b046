"""Scoring: what a classifier says of a message, and what it learns from. Scores are comparable within one version only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Responder = Literal["ai", "human"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message of which is known what it was about (`intent`, where that has a name) and who should answer such."""

    text: str
    intent: str | None
    responder: Responder


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a classifier says of a message. The higher the `score`, the more likely the AI gets it right; it is no probability."""

    intent: str | None
    responder: Responder
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(Judged):
    """What a language model says of a message, why, and what it took. The reason is the model's own, or why there is none."""

    reason: str
    decides: bool = True
    """False where the model failed and somebody else is to decide then; the rest says people, with the score 0."""
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    raw: str = ""
    """What the model wrote last, cut where it is long. It may quote the customer."""
    milliseconds: int = 0


class Scorer(Protocol):
    """A classifier that has been fitted."""

    @property
    def version(self) -> str:
        """Tells fitted classifiers apart; the same examples and the same code give the same."""
        ...

    def score(self, history: Sequence[str]) -> Judged:
        """Judge the last of the customer's messages, given in their order."""
        ...


class Embedder(Protocol):
    """A model that turns texts into vectors of their meaning."""

    @property
    def name(self) -> str:
        """Tells models apart: vectors of different models cannot be compared."""
        ...

    def embed(self, texts: Sequence[str]) -> Any:
        """Rows of length 1, one for each text: a numpy array of float32. Raises Unavailable where a model cannot be reached."""
        ...
