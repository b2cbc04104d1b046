"""Search: what can be found of a message, its words and its embeddings, in a form that is the same on every engine."""

import math
import re
import sys
import unicodedata
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from deskmate.domain.messages import readable
from deskmate.errors import Invalid

LONGEST_WORD = 64  # characters
MOST_CHARACTERS = 200_000  # of one message; PostgreSQL holds a megabyte of words
MOST_WANTED = 32  # words of one query
LARGEST_DIM = 16_384
RANK = 60  # how much the first places count where two ranked lists are joined

_SINGLE = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(f"[{_SINGLE}]|[^\\W_{_SINGLE}]+")
"""A run of letters and digits; where words are written without spaces between them, each letter."""

Sort = Literal["best", "position"]


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case and without accents, so that people find what they type carelessly."""
    if not text.isascii():
        text = readable(text)
        plain = unicodedata.normalize("NFKD", text.casefold())
        text = "".join([character for character in plain if not unicodedata.combining(character)])
    return [word[:LONGEST_WORD] for word in _WORD.findall(text.lower())]


def indexed(text: str) -> str:
    """The words of a message as the store keeps them, with spaces between; empty when it has none."""
    return " ".join(words_of(text[:MOST_CHARACTERS]))[:MOST_CHARACTERS].strip()


def wanted(query: str) -> list[str]:
    """The words of a query, each once."""
    return list(dict.fromkeys(words_of(query[:MOST_CHARACTERS])))[:MOST_WANTED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """What a text means, as a model puts it into numbers. Give a sequence of `dim` numbers, or only those that are not zero."""

    model: str
    values: Sequence[float] | Mapping[int, float]
    dim: int = 0

    def unit(self) -> "Unit | None":
        """Its direction, or None where all is zero. Raises Invalid."""
        values = self.values
        pairs: Iterable[tuple[int, float]] = values.items() if isinstance(values, Mapping) else enumerate(values)
        dim = self.dim or (0 if isinstance(values, Mapping) else len(values))
        if not self.model or not 1 <= dim <= LARGEST_DIM:
            raise Invalid(f"an embedding names its model and has 1 to {LARGEST_DIM} numbers", field="embedding")
        hot = {index: float(value) for index, value in pairs if value}
        if any(not 0 <= index < dim or not math.isfinite(value) for index, value in hot.items()):
            raise Invalid("an embedding has finite numbers, and no more than its dimension", field="embedding")
        length = math.hypot(*hot.values())
        if not length:
            return None
        return Unit(model=self.model, dim=dim, hot={index: value / length for index, value in hot.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An embedding of length one: the cosine of two is the sum of products."""

    model: str
    dim: int
    hot: Mapping[int, float] = field(default_factory=dict[int, float])

    def pack(self) -> bytes:
        """As the store keeps it: four bytes a number, lowest byte first."""
        numbers = array("f", bytes(4 * self.dim))
        for index, value in self.hot.items():
            numbers[index] = value
        return _little(numbers).tobytes()

    def cosine(self, packed: bytes) -> float:
        """How near a stored one of the same dimension is, from -1 to 1."""
        numbers = array("f")
        numbers.frombytes(packed)
        numbers = _little(numbers)
        return sum([numbers[index] * value for index, value in self.hot.items()])


def _little(numbers: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def fused(*rankings: Sequence[str]) -> list[str]:
    """Several ranked lists as one: what stands high in one of them, or in the middle of all, comes first.

    Reciprocal rank fusion; scores of different kinds are never compared. Equal ones keep the order of the first list.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, id in enumerate(ranking):
            scores[id] = scores.get(id, 0.0) + 1 / (RANK + rank)
    return sorted(scores, key=lambda found: -scores[found])
