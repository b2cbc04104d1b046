"""Meaning: how near passages are to a question in what they say, whatever words they use."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from deskmate.classifiers.encoder import Encoder, Reading
from deskmate.domain.words import EMPTY, words_of
from deskmate.runners.faq.evidence import Near
from deskmate.runners.faq.passages import Passage
from deskmate.runners.faq.vectors import Shelf

if TYPE_CHECKING:
    from deskmate.classifiers.encoder import Vector, Vectors

_NEAREST = 20
_NEEDED = 12
_KEPT = 250
_STANDS_OUT = 10
_NOTHING = 0.5
"""What is unsaid of a question without a word that means something."""


class Meaning:
    """The passages of a library by their meaning: of their text with its headings, and of the headings alone."""

    def __init__(
        self, encoder: Encoder, passages: Sequence[Passage], *, file: Path | None = None, before: "Meaning | None" = None
    ) -> None:
        """What `before` has worked out of the same texts is taken over."""
        self._encoder = encoder
        self._count = len(passages)
        crumbs = list(dict.fromkeys(passage.breadcrumb for passage in passages))
        at = {crumb: len(passages) + number for number, crumb in enumerate(crumbs)}
        self._heading = [at[passage.breadcrumb] for passage in passages]
        self._texts = [f"{passage.breadcrumb}. {passage.text}" for passage in passages]
        self._shelf = Shelf(encoder, [*self._texts, *crumbs], file=file, before=None if before is None else before._shelf)
        self._lock = Lock()
        self._words: dict[int, Vectors] = {}

    def wait(self) -> None:
        """Until all passages are known by their meaning. Until then, the others are found by their words only."""
        self._shelf.wait()

    def asked(self, query: str, weights: Mapping[str, float]) -> "Asked":
        """A question, to compare passages with. `weights` tells how much each of its words says."""
        reading = self._encoder.read(query, query=True)
        return Asked(self, reading, tuple(_weighed(query, reading, weights)))

    def cosines(self, reading: Reading, said: Sequence[int]) -> "tuple[Vector, Vector, Any]":
        """(of the texts, of their headings, which are known). The first ones of `said` are worked out where they are not."""
        first = list(islice(said, _NEEDED))
        self._shelf.need([*first, *(self._heading[number] for number in first)])
        rows, has = self._shelf.known()
        cosines: Any = rows @ reading.whole
        return cosines[: self._count], cosines[self._heading], has[: self._count] & has[self._heading]

    def words(self, number: int) -> "Vectors":
        """The words of a passage. They take a hundred times the room of its vector, so only those asked for last are kept."""
        with self._lock:
            found = self._words.pop(number, None)
        if found is None:
            found = self._encoder.read(self._texts[number]).words.astype("float16")
        with self._lock:
            self._words[number] = found
            while len(self._words) > _KEPT:
                del self._words[next(iter(self._words))]
        return found


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the encoder understands it."""

    _meaning: Meaning
    _reading: Reading
    _weighed: tuple[tuple[float, tuple[int, ...]], ...]
    """Of each word that means something: its weight and its tokens."""

    def near(self, said: Sequence[int]) -> dict[int, Near]:
        """How near passages are, by number: the nearest of all, and those that `said` lists (the best first), where known."""
        texts, headings, known = self._meaning.cosines(self._reading, said)
        numbers = {number for number in said if known[number]}
        for marks in (texts, headings, texts + headings):
            numbers |= {int(number) for number in (-marks).argsort(kind="stable")[:_NEAREST] if known[number]}
        nearest: Any = texts[known]
        nearest.sort()
        lead = float(nearest[-1] - nearest[-min(_STANDS_OUT, len(nearest))]) if len(nearest) else 0.0
        return {number: Near(text=float(texts[number]), heading=float(headings[number]), lead=lead) for number in sorted(numbers)}

    def closely(self, number: int, near: Near) -> Near:
        """The same after a look at every word of the passage. It takes as long as the model needs to read the passage."""
        words = self._reading.words
        if not len(words):
            return near
        nearest: Any = (words @ self._meaning.words(number).T).max(axis=1)
        unsaid = max((weight * (1 - float(nearest[list(tokens)].mean())) for weight, tokens in self._weighed), default=_NOTHING)
        nearest.sort()
        return replace(near, weakest=float(nearest[: max(1, len(nearest) // 3)].mean()), unsaid=unsaid)


def _weighed(query: str, reading: Reading, weights: Mapping[str, float]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """The words of a question that mean something: of each its weight, and its tokens (a long word has several)."""
    parts: list[tuple[int, int, list[int]]] = []
    for at, (start, end) in enumerate(reading.spans):
        if parts and parts[-1][1] == start and query[start - 1 : start + 1].isalnum():
            begin, _, tokens = parts.pop()
            parts.append((begin, end, [*tokens, at]))
        else:
            parts.append((start, end, [at]))
    for start, end, tokens in parts:
        said = [word for word in words_of(query[start:end]) if word in weights and word not in EMPTY]
        if said:
            yield weights[said[0]], tuple(tokens)


def kept_in(folder: Path, encoder: Encoder) -> Path | None:
    """Where the vectors of a folder of documents are kept between starts: in the user's folder of caches, when there is one."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    try:
        root = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    name = hashlib.sha256(f"{encoder.name}\n{folder.resolve()}".encode()).hexdigest()[:24]
    return root / "deskmate" / "meaning" / f"{name}.npz"
