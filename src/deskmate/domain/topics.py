"""Topics: when two questions ask for the same, and two answers say the same. By words; a wrong yes costs more than a wrong no."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from deskmate.domain.words import COMMON, EMPTY, LIGHT, LONGEST, SAME, words_of

MOST_WORDS = 60  # of one text that are compared
_LEAST_TERMS = 2  # that a question needs to stand for itself
_LEAST_SAID = 3  # terms that an answer needs to stand for itself

_ANSWERS_ALIKE, _ANSWERS_EQUAL = 0.45, 0.75
_EXPLAINED, _HALF_EXPLAINED = 0.7, 0.4
_HINTED, _HALF_HINTED = 0.5, 0.3
_SAME_FORM = 0.5
_NAME, _LITTLE = 1.3, 0.45
_ANSWERED, _MEANT = 0.7, 0.5

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_NAMES = re.compile(r"(?<=[a-z,0-9] )[A-Z]\w+|\b\w*\d\w*\b")
_NOT = re.compile(r"\b(?:not|no|never|cannot|without|neither|nor|unable|impossible|unfortunately)\b|n['’]t\b", re.IGNORECASE)
_YES_NO = re.compile(r"^\W*(yes|yep|sure|of course|certainly|no|nope)\b\W*", re.IGNORECASE)
_COUNTED = {
    word: str(number)
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split(),  # noqa: SIM905
        2,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gist:
    """What a text says: its words that mean something, with how much each says, and what it turns on."""

    terms: Mapping[tuple[str, ...], float] = field(default_factory=dict[tuple[str, ...], float])
    roots: frozenset[str] = frozenset()
    """Every word that means something, without its ending."""
    names: frozenset[str] = frozenset()
    """The roots of capitals inside a sentence."""
    numbers: frozenset[str] = frozenset()
    negated: bool = False
    agrees: bool | None = None
    """Whether it begins with yes or no."""

    @property
    def asks(self) -> bool:
        """Whether this, as a question, stands for itself. "And on that?" does not."""
        return len(self.terms) >= _LEAST_TERMS

    @property
    def tells(self) -> bool:
        """Whether this, as an answer, stands for itself. "Sorry, no." does not."""
        return len(self.terms) >= _LEAST_SAID


def gist_of(text: str) -> Gist:
    """What a text says."""
    begins = _YES_NO.match(text)
    words = words_of(text)[:MOST_WORDS]
    marked = [word for match in _NAMES.finditer(text) for word in words_of(match[0])]
    names = frozenset(root_of(word) for word in marked if not (word.isdigit() or word in EMPTY or word in LIGHT))
    rest = text if begins is None else text[begins.end() :]
    terms = {phrase: _weight(phrase, names) for phrase in _phrases(words)}
    return Gist(
        terms=terms,
        roots=frozenset(root_of(word) for phrase in terms for word in phrase),
        names=names,
        numbers=_numbers(text, words),
        negated=_NOT.search(rest) is not None,
        agrees=None if begins is None else not begins[1].lower().startswith("n"),
    )


def agree(one: Gist, other: Gist) -> bool:
    """Whether two answers say the same. Each may say more than the other, but not something else."""
    if one.numbers - other.numbers and other.numbers - one.numbers:
        return False
    opposed = one.negated != other.negated or (None not in (one.agrees, other.agrees) and one.agrees != other.agrees)
    # Who is asked whether it harms says no, who is asked whether it is safe says yes: then the facts have to be the same.
    if opposed and not (one.numbers and one.numbers == other.numbers):
        return False
    return likeness(one, other) >= _ANSWERS_ALIKE


def same(asked: Gist, told: Gist, other_asked: Gist, other_told: Gist) -> bool:
    """Whether two questions ask for the same, given that their answers agree."""
    if asked.numbers != other_asked.numbers or asked.negated != other_asked.negated:
        return False
    here, there = asked.roots | told.roots, other_asked.roots | other_told.roots
    if asked.names - there or other_asked.names - here:
        return False
    shares = _share(asked, there), _share(other_asked, here)
    # Where people have given the same answer, word for word nearly, less of the questions has to be alike.
    equal = likeness(told, other_told) >= _ANSWERS_EQUAL
    if max(shares) < (_HINTED if equal else _EXPLAINED) or min(shares) < (_HALF_HINTED if equal else _HALF_EXPLAINED):
        return False
    # "Is the vase safe for the dishwasher?" and "Is the plate ...?" have all in common but what they are about.
    alike = min(_share(asked, other_asked.roots), _share(other_asked, asked.roots)) >= _SAME_FORM
    return not (alike and _object(asked, there) and _object(other_asked, here))


def likeness(one: Gist, other: Gist) -> float:
    """How much two texts say of each other, from 0 to 1."""
    return (_share(one, other.roots) + _share(other, one.roots)) / 2


def answers(asked: Gist, questions: Sequence[Gist], told: Gist) -> bool:
    """Whether an answer that was given to these questions, which ask for the same, is one to this question, too.

    It is not where the question names anything that neither they nor the answer say, or says little of what they ask.
    """
    roots = told.roots.union(*(each.roots for each in questions))
    numbers = told.numbers.union(*(each.numbers for each in questions))
    if asked.names - roots or asked.numbers - numbers or asked.negated not in {each.negated for each in questions}:
        return False
    if _object(asked, roots) or _share(asked, roots) < _ANSWERED:
        return False
    return max(_share(each, asked.roots) for each in questions) >= _MEANT


@lru_cache(maxsize=4_096)
def root_of(word: str) -> str:
    """A word without its ending. Rough: it only has to be the same for the forms of one word."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            word = word[: -len(ending)] + instead
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
            word = word[:-1]
    for ending in ("ing", "ed", "ity", "ly", "er"):
        if ending == "er" and not word.endswith(("pper", "tter", "nner", "gger")):
            continue
        if word.endswith(ending) and len(word) - len(ending) > 2:
            word = word[: -len(ending)]
            if word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if word[-1:] in ("e", "y") and len(word) > 4:
        word = word[:-1]
    return word


def _numbers(text: str, words: list[str]) -> frozenset[str]:
    written = [match[0].replace(",", ".") for match in _NUMBER.finditer(text)]
    return frozenset(written + [_COUNTED[word] for word in words if word in _COUNTED])


def _weight(phrase: tuple[str, ...], names: frozenset[str]) -> float:
    if len(phrase) == 1 and root_of(phrase[0]) in names:
        return _NAME
    return _LITTLE if all(word in LIGHT or word in COMMON or word in EMPTY for word in phrase) else 1.0


def _phrases(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Known phrases ("sign in") and single words that mean something."""
    at = 0
    while at < len(words):
        most = min(LONGEST, len(words) - at)
        length = next((size for size in range(most, 1, -1) if tuple(words[at : at + size]) in SAME), 1)
        phrase = tuple(words[at : at + length])
        if length > 1 or phrase[0] not in EMPTY:
            yield phrase
        at += length


def _share(of: Gist, roots: frozenset[str]) -> float:
    """How much of a text's meaning these words say, in its own words or in others of the thesaurus."""
    total = sum(of.terms.values())
    return sum(weight * _credit(phrase, roots) for phrase, weight in of.terms.items()) / total if total else 0.0


def _credit(phrase: tuple[str, ...], roots: frozenset[str]) -> float:
    return max((credit for ways, credit in _ways(phrase) if ways <= roots), default=0.0)


@lru_cache(maxsize=4_096)
def _ways(phrase: tuple[str, ...]) -> tuple[tuple[frozenset[str], float], ...]:
    own = (frozenset(map(root_of, phrase)), 1.0)
    return (own, *((frozenset(map(root_of, other)), credit) for other, credit in SAME.get(phrase, ())))


def _object(of: Gist, roots: frozenset[str]) -> bool:
    """Whether it names something that these words do not."""
    return any(weight >= 1.0 and _credit(phrase, roots) < 0.5 for phrase, weight in of.terms.items())
