"""A customer's question as terms: what each may be called in the documentation, and how much it says."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from deskmate.domain.words import COMMON, EMPTY, LIGHT, LONGEST, SAME, words_of

_LONGEST_QUERY = 2_000
_MOST_TERMS = 24
_NEAR = 0.5
_EVERYDAY = 0.5
_QUOTED = re.compile(r"[\"“”`„]([^\"“”`„\n]{4,80})[\"“”`]")
_WHO = frozenset({"i", "we", "you", "one", "people", "users", "customers", "please"})
_WHICH = frozenset({"a", "an", "the", "my", "our", "your", "all", "some", "it", "this", "these", "me"})
_TO_DO = frozenset(
    {"how", "want", "need", "like", "able", "possible", "way", "have", "trying", "steps", "where", "when", "me", "us"}
)
_ALIKE = (frozenset("aeiouy"), frozenset("szc"), frozenset("ckq"), frozenset("vwf"), frozenset("mn"), frozenset("gj"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One way to say a term: stems in a row, and how sure it is that they mean the term (1: they are the term)."""

    stems: tuple[str, ...]
    credit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One idea of the question. `weight` is how much it says about what is wanted, before the corpus is asked."""

    word: str
    sayings: tuple[Saying, ...]
    weight: float
    verb: bool = False
    """What the customer wants to do. Documentation says it in other words more often than it does names of things."""
    named: bool = False
    """It names something: a capital letter inside the sentence, or a digit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the corpus can say: how many passages hold each stem, and the words by their first letters for misspellings."""

    counts: Mapping[str, int]
    starts: Mapping[str, tuple[str, ...]]
    stem: Callable[[list[str]], list[str]]


def terms_of(question: str, vocabulary: Vocabulary, *, share: float = 1.0) -> list[Term]:
    """The terms of a question, each once, in order; no terms when it says nothing that can be looked up."""
    text = (
        question if len(question) <= _LONGEST_QUERY else question[: _LONGEST_QUERY // 2] + " " + question[-_LONGEST_QUERY // 2 :]
    )
    words = words_of(text)
    names = _names(text)
    verbs = _verbs(words)
    found: dict[tuple[str, ...], Term] = {}
    for phrase in _phrases(words, vocabulary):
        if len(found) >= _MOST_TERMS:
            break
        named = len(phrase) == 1 and phrase[0] in names
        term = _term(phrase, vocabulary, share * (1.3 if named else 1.0), verb=phrase[0] in verbs and not named, named=named)
        # A name that the files lack stays a term of its own, though a word near to it (SMTP: email) is asked for, too.
        key = term.sayings[0].stems if term.sayings and term.sayings[0].credit > _NEAR else phrase
        if key not in found:
            found[key] = term
    return [*found.values(), *_quoted(text, vocabulary, share)]


def _quoted(text: str, vocabulary: Vocabulary, share: float) -> Iterator[Term]:
    """What stands in quotation marks (an error message, the label of a button) is also looked for word by word."""
    for match in list(_QUOTED.finditer(text))[:3]:
        stems = tuple(vocabulary.stem(words_of(match[1])))
        if len(stems) > 1 and all(stem in vocabulary.counts for stem in stems):
            yield Term(word=match[1], sayings=(Saying(stems=stems, credit=1.0),), weight=share)


def _names(text: str) -> frozenset[str]:
    """Words that name something: capitals inside a sentence, or digits."""
    marked = {word for match in re.finditer(r"(?<=[a-z,0-9] )[A-Z]\w+|\b\w*\d\w*\b", text) for word in words_of(match[0])}
    return frozenset(marked - EMPTY - LIGHT)


def _verbs(words: list[str]) -> frozenset[str]:
    """What the customer does: the word after "I", "you" and the like, after "how to", or before "the" at the start."""
    found: set[str] = set()
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        meant = before == "to" and (at == 1 or words[at - 2] in _TO_DO)
        if before in _WHO or meant or (not at and len(words) > 1 and words[1] in _WHICH):
            found.add(word)
    return frozenset(found - EMPTY)


def _phrases(words: list[str], vocabulary: Vocabulary) -> Iterator[tuple[str, ...]]:
    """Known phrases first ("log in"), then single words that mean something."""
    at = 0
    while at < len(words):
        for length in range(LONGEST, 1, -1):
            phrase = tuple(words[at : at + length])
            if len(phrase) == length and phrase in SAME:
                yield phrase
                at += length
                break
            # "turn it on", "turn the thing off"
            if length == 2 and (split := _split(words, at)) is not None:
                yield split[0]
                del words[split[1]]
                at += 1
                break
        else:
            word = words[at]
            joined = word + words[at + 1] if at + 1 < len(words) else ""
            if joined and len(joined) > 5 and word not in EMPTY and joined in _plain(vocabulary, joined):
                yield (word, words[at + 1])
                at += 2
                continue
            if word not in EMPTY:
                yield (word,)
            at += 1


def _split(words: list[str], at: int) -> tuple[tuple[str, ...], int] | None:
    if words[at] not in {"turn", "switch", "log", "sign", "back", "set", "send", "turned", "shut"}:
        return None
    for further in range(at + 2, min(at + 5, len(words))):
        phrase = (words[at], words[further])
        if phrase in SAME:
            return phrase, further
    return None


def _plain(vocabulary: Vocabulary, word: str) -> tuple[str, ...]:
    return (word,) if vocabulary.stem([word])[0] in vocabulary.counts else ()


def _term(phrase: tuple[str, ...], vocabulary: Vocabulary, weight: float, *, verb: bool, named: bool) -> Term:
    word = " ".join(phrase)
    ways: dict[tuple[str, ...], float] = {}
    if any(part not in EMPTY for part in phrase):
        _say(ways, phrase, 1.0, vocabulary)
    if len(phrase) > 1:
        _say(ways, ("".join(phrase),), 1.0, vocabulary)
    own = bool(ways)
    for other, credit in SAME.get(phrase, ()):
        _say(ways, other, credit, vocabulary)
    if not own and len(phrase) == 1:
        for stems, credit in _relatives(phrase[0], vocabulary):
            ways[stems] = max(ways.get(stems, 0.0), credit)
    single = len(phrase) == 1
    share = 0.45 if single and phrase[0] in LIGHT else _EVERYDAY if single and phrase[0] in COMMON else 1.0
    sayings = tuple(Saying(stems=stems, credit=credit) for stems, credit in sorted(ways.items(), key=lambda way: -way[1]))
    return Term(word=word, sayings=sayings, weight=weight * share, verb=verb, named=named)


def _say(ways: dict[tuple[str, ...], float], phrase: tuple[str, ...], credit: float, vocabulary: Vocabulary) -> None:
    stems = tuple(vocabulary.stem(list(phrase)))
    if all(stem in vocabulary.counts for stem in stems):
        ways[stems] = max(ways.get(stems, 0.0), credit)


def _relatives(word: str, vocabulary: Vocabulary) -> Iterator[tuple[tuple[str, ...], float]]:
    """For a word that the corpus does not have: its parts, longer or shorter forms, and what it may be a misspelling of."""
    stem = vocabulary.stem([word])[0]
    for cut in range(3, len(word) - 2):
        parts = tuple(vocabulary.stem([word[:cut], word[cut:]]))
        known = all(part in vocabulary.counts for part in parts)
        if known and ((word[:cut], word[cut:]) in SAME or min(map(len, parts)) > 3):
            yield parts, 0.9
    if len(stem) < 4:
        return
    for other in vocabulary.starts.get(stem[:2], ()):
        shared = _shared(stem, other)
        if (shared >= 6 and shared >= 0.75 * max(len(stem), len(other))) or _is_misspelt(stem, other):
            yield (other,), 0.8
    if len(stem) > 4:  # the second letter may be the wrong one
        for other in vocabulary.starts.get(stem[0], ()):
            if other[1:2] != stem[1:2] and _is_misspelt(stem, other):
                yield (other,), 0.75


def _shared(a: str, b: str) -> int:
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _is_misspelt(word: str, other: str) -> bool:
    """One slip in a word of five letters or more, two from eight on; never in numbers."""
    if abs(len(word) - len(other)) > 2 or len(word) < 5 or len(other) < 4 or any(c.isdigit() for c in word + other):
        return False
    slips = distance(word, other, limit=2)
    if slips == 1 and len(word) == len(other):
        if sorted(word) == sorted(other):
            return True
        # One letter for another makes a different word more often than a slip, except among letters that sound alike.
        return len(word) >= 7 and any(x != y and {x, y} <= alike for x, y in zip(word, other, strict=True) for alike in _ALIKE)
    return (slips == 1 and len(word) >= 6) or (slips == 2 and len(word) >= 9 and SequenceMatcher(None, word, other).ratio() > 0.8)


def distance(a: str, b: str, *, limit: int) -> int:
    """How many letters were added, left out, changed or swapped with their neighbour; `limit + 1` when more than `limit`."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
