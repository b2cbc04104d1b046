"""Meaning: how near passages are to a question in what they say, whatever words they use."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from deskmate.runners.faq.encoder import Encoder, Reading
from deskmate.runners.faq.evidence import Near
from deskmate.runners.faq.passages import Passage
from deskmate.runners.faq.vectors import Shelf

if TYPE_CHECKING:
    from deskmate.runners.faq.encoder import Vector, Vectors

_NEAREST = 20
_NEEDED = 12
_KEPT = 250


class Meaning:
    """The passages of a library by their meaning: of their text with its headings, and of the headings alone."""

    def __init__(self, encoder: Encoder, passages: Sequence[Passage], *, file: Path | None = None) -> None:
        self._encoder = encoder
        self._count = len(passages)
        crumbs = list(dict.fromkeys(passage.breadcrumb for passage in passages))
        at = {crumb: len(passages) + number for number, crumb in enumerate(crumbs)}
        self._heading = [at[passage.breadcrumb] for passage in passages]
        self._texts = [f"{passage.breadcrumb}. {passage.text}" for passage in passages]
        self._shelf = Shelf(encoder, [*self._texts, *crumbs], file=file)
        self._lock = Lock()
        self._words: dict[int, Vectors] = {}

    def wait(self) -> None:
        """Until all passages are known by their meaning. Until then, the others are found by their words only."""
        self._shelf.wait()

    def asked(self, query: str) -> "Asked":
        """A question, to compare passages with."""
        return Asked(self, self._encoder.read(query, query=True))

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

    def near(self, said: Sequence[int]) -> dict[int, Near]:
        """How near passages are, by number: the nearest of all, and those that `said` lists (the best first), where known."""
        texts, headings, known = self._meaning.cosines(self._reading, said)
        numbers = {number for number in said if known[number]}
        for marks in (texts, headings, texts + headings):
            numbers |= {int(number) for number in (-marks).argsort(kind="stable")[:_NEAREST] if known[number]}
        return {number: Near(text=float(texts[number]), heading=float(headings[number])) for number in sorted(numbers)}

    def closely(self, number: int, near: Near) -> Near:
        """The same after a look at every word of the passage. It takes as long as the model needs to read the passage."""
        words = self._reading.words
        if not len(words):
            return near
        nearest: Any = (words @ self._meaning.words(number).T).max(axis=1)
        nearest.sort()
        return replace(near, weakest=float(nearest[: max(1, len(nearest) // 3)].mean()))


def kept_in(folder: Path, encoder: Encoder) -> Path | None:
    """Where the vectors of a folder of documents are kept between starts: in the user's folder of caches, when there is one."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    try:
        root = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    name = hashlib.sha256(f"{encoder.name}\n{folder.resolve()}".encode()).hexdigest()[:24]
    return root / "deskmate" / "meaning" / f"{name}.npz"
