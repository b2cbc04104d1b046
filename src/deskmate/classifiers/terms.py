"""Terms: what a text is read by. Its words, pairs of words that stand near each other, pieces of words, and runs across words."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+")
LONGEST = 2_000
"""Characters of a message that are read. What somebody wants is said at its beginning; the rest costs time."""
_NEAR = 5
"""How many words further the second one of a pair may stand. Only neighbours count in their order."""
_ENDINGS = ("ingly", "edly", "ings", "ing", "ed", "ies", "es", "s", "ly")
_ROOT = 3
"""Letters that a word keeps at least."""
_BEGINNING = 4
"""Letters of a word by which it is known beside another."""
_PIECES = (2, 3, 4)
"""The lengths of pieces."""
_RUNS = (4, 5)
"""The lengths of runs."""


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return _WORD.findall(text[:LONGEST].casefold())


def root_of(word: str) -> str:
    """A word without its English ending; of other languages it mostly stays as it is."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _ROOT:
            return word[: -len(ending)]
    return word


def roots(words: Iterable[str]) -> Iterator[str]:
    """Words, whatever their endings."""
    return map(root_of, words)


def pairs(words: Sequence[str]) -> Iterator[str]:
    """The beginnings of neighbours in their order, and of words that stand near each other in any: what is said together counts,
    whatever its form."""
    begun = [root_of(word)[:_BEGINNING] for word in words]
    for at, word in enumerate(begun):
        for distance, other in enumerate(begun[at + 1 : at + 1 + _NEAR]):
            yield f"{word} {other}" if distance == 0 else "~".join(sorted((word, other)))


def pieces(words: Iterable[str]) -> Iterator[str]:
    """Runs of characters within a word and its two ends: misspelt and inflected words share most of them."""
    for word in words:
        padded = f" {word} "
        for length in _PIECES:
            for start in range(max(1, len(padded) - length + 1)):
                yield padded[start : start + length]


def runs(words: Iterable[str]) -> Iterator[str]:
    """Runs of characters, from one word into the next too: where words are parted, or not, means little to people."""
    whole = " ".join(words)
    for length in _RUNS:
        for start in range(max(1, len(whole) - length + 1) if whole else 0):
            yield whole[start : start + length]


VIEWS: Sequence[tuple[Callable[[Sequence[str]], Iterable[str]], float]] = ((roots, 0.7), (pairs, 1.0), (pieces, 1.0), (runs, 0.7))
"""The ways in which a text is read, with what each counts. Each is weighed by itself, so that none drowns the others."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one view that are known from examples: where each stands in a row, and how much it says."""

    places: Mapping[str, int]
    rarity: Sequence[float]
    """The logarithm of how rare a term is, by its place."""
    unknown: float
    """The same for a term that no example has."""

    @classmethod
    def of(cls, texts: Iterable[Iterable[str]], *, most: int) -> "Terms":
        """The terms of these texts. Where there are more than `most`, what only one text has is left out, then what few have."""
        held: Counter[str] = Counter()
        count = 0
        for terms in texts:
            count += 1
            held.update(set(terms))
        least = 2 if len(held) > most else 1
        kept = sorted((term for term, times in held.items() if times >= least), key=lambda term: (-held[term], term))[:most]
        rarity = [_rarity(held[term], count) for term in kept]
        return cls({term: place for place, term in enumerate(kept)}, rarity, _rarity(1, count))

    def weigh(self, terms: Iterable[str]) -> tuple[list[int], list[float]]:
        """The places and weights of the known terms of a text.

        The weights have length 1 together with those of the unknown terms: a text that says much of which nothing is known
        comes out short, and so does everything that is concluded from it.
        """
        places: list[int] = []
        weights: list[float] = []
        square = 0.0
        for term, times in Counter(terms).items():
            place = self.places.get(term)
            weight = (1 + math.log(times)) * (self.unknown if place is None else self.rarity[place])
            square += weight * weight
            if place is not None:
                places.append(place)
                weights.append(weight)
        length = math.sqrt(square)
        return places, [weight / length for weight in weights]


def _rarity(held: int, count: int) -> float:
    return math.log((1 + count) / (1 + held)) + 1
