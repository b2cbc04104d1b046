"""Evidence: how well one passage answers a question, as measured facts and as one honest number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from deskmate.domain.words import EMPTY
from deskmate.runners.faq.query import Saying, Term

_NEAR_WINDOW = 12
_VERB_SHARE = 0.5
_SURE = 0.75
_HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stems:
    """The stems of one passage: of its heading, of the names above it, and of its text with their places."""

    title: tuple[str, ...]
    path: tuple[str, ...]
    document: tuple[str, ...]
    """The title of the document, or the name of its file where that says more of it."""
    body: Mapping[str, tuple[int, ...]]
    length: int
    usual: float
    """How long a passage of this documentation is on the average."""
    first: bool
    """Whether it begins its section."""
    file: frozenset[str]
    """Every stem of the file the passage is from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """How near a passage is to the question in meaning, as cosines: about 0 for another topic, seldom over 0.8."""

    text: float
    heading: float
    """Of its headings alone."""
    weakest: float = 0.0
    """Of the words of the question that the passage says least (a third of them), each with the word there that is nearest to it.
    Known of the passages that were read closely."""
    unsaid: float = 1.0
    """Of the word of the question that is missed most: its weight, times how far the passage is from saying it.
    Known of the passages that were read closely."""
    lead: float = 0.0
    """How far the nearest passage of all stands out: how much nearer it is than the tenth. When the topic is on many pages and
    none of them answers, many are equally near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for a passage; each fact is between 0 and 1."""

    coverage: float
    """Share of what the question says (rare words say more) that the passage and its headings say too."""
    share: float
    """The same, with verbs counted in full when they are missing: it orders passages."""
    literal: float
    """Share of the question that is said in its very words, not in others of the thesaurus."""
    heading: float
    """How far the heading is the question."""
    document: float
    """How far the title of the document is the question."""
    document_said: float
    """Share of the title of the document that the question says."""
    anchored: float
    """Share of the question that the headings, the title and the name of the file say."""
    closeness: float
    """How close together the words of the question stand in the text."""
    pairs: float
    """Share of the neighbours in the question that are neighbours in the heading or the text."""
    frequency: float
    """How often the text says the words of the question, for its length."""
    brevity: float
    """How short the heading is."""
    first: float
    """1 for the beginning of a section."""
    name_missing: float
    """1 when a name in the question (a capital letter, a digit) is missing."""
    terms: float
    """How many things the question names, up to five."""
    missing: tuple[str, ...]
    near: Near | None = None
    """Known when the library has an encoder."""


def weight_of(term: Term, counts: Mapping[str, int], passages: int) -> float:
    """How much a term says: rare words say more than those on every page, and words the corpus lacks say most."""
    if not term.sayings:
        return term.weight
    sure = [saying for saying in term.sayings if saying.credit >= _SURE]
    held = max((min(counts[stem] for stem in saying.stems) for saying in sure), default=0)
    if held == 0:
        return term.weight
    rarity = math.log(1 + passages / held) / math.log(1 + passages)
    return term.weight * (0.3 + 0.7 * min(1.0, rarity))


def evidence_of(terms: Sequence[tuple[Term, float]], stems: Stems, near: Near | None = None) -> Evidence:
    """The facts for one passage. `terms` come with their weights."""
    total = sum(weight for _, weight in terms) or 1.0
    asked = covered = literal = headed = anchored = documented = frequency = name_missing = 0.0
    missing: list[str] = []
    in_title: set[str] = set()
    in_document: set[str] = set()
    places: list[tuple[int, ...]] = []
    sightings: list[_Sighting] = []
    room = 0.4 + 0.6 * stems.length / stems.usual
    for term, weight in terms:
        seen = _sighting(term.sayings, stems)
        sightings.append(seen)
        asked += weight * (seen.credit + (1 - seen.credit) * (_VERB_SHARE if term.verb else 1.0))
        covered += weight * seen.credit
        literal += weight * seen.literal
        headed += weight * seen.title
        anchored += weight * max(seen.title, seen.path)
        frequency += weight * seen.often / (seen.often + room)
        in_title.update(seen.spoken)
        for saying in term.sayings:
            if _in_row(saying.stems, stems.document):
                in_document.update(saying.stems)
                documented += weight * saying.credit
                break
        if seen.places:
            places.append(seen.places)
        if seen.credit < _HALF:
            missing.append(term.word)
            name_missing = max(name_missing, float(term.named))
    said = _said(stems.document, in_document)
    return Evidence(
        coverage=covered / (asked or 1.0),
        share=covered / total,
        literal=literal / total,
        heading=(headed / total) * (0.4 + 0.6 * _said(stems.title, in_title)),
        document=(documented / total) * (0.4 + 0.6 * said),
        document_said=said,
        anchored=anchored / total,
        closeness=_closeness(places),
        pairs=_pairs(sightings),
        frequency=frequency / total,
        brevity=1 - min(1.0, len(stems.title) / 20),
        first=float(stems.first),
        name_missing=name_missing,
        terms=min(1.0, len(terms) / 5),
        missing=tuple(missing),
        near=near,
    )


def _said(row: tuple[str, ...], spoken: set[str]) -> float:
    """The share of a heading's own words that the question has."""
    meaningful = [stem for stem in row if stem not in EMPTY and len(stem) > 1]
    return sum(_is_said(stem, spoken) for stem in meaningful) / len(meaningful) if meaningful else 0.0


def _is_said(stem: str, spoken: set[str]) -> bool:
    """A name like StaticFiles is said by "static files"."""
    return stem in spoken or any(len(part) > 3 and part in stem for part in spoken)


class _Sighting(NamedTuple):
    """Where one term is found in a passage, and how sure it is that it is meant."""

    credit: float
    literal: float
    title: float
    path: float
    often: float
    sure: bool
    """Whether the heading says it in a word that means the same."""
    places: tuple[int, ...]
    sure_places: tuple[int, ...]
    spoken: tuple[str, ...]


def _sighting(sayings: Sequence[Saying], stems: Stems) -> _Sighting:
    best = title = path = often = literal = 0.0
    places: tuple[int, ...] = ()
    sure_places: tuple[int, ...] = ()
    spoken: tuple[str, ...] = ()
    for saying in sayings:
        above = False
        if _in_row(saying.stems, stems.title):
            above = True
            spoken += saying.stems
            title = max(title, saying.credit)
            best = max(best, saying.credit)
        if _in_row(saying.stems, stems.path):
            above = True
            path = max(path, saying.credit)
            best = max(best, 0.9 * saying.credit)
        found = _in_text(saying.stems, stems.body)
        if found:
            times = 0.6 + 0.4 * min(1.0, len(found) / (1 + stems.length / 100))
            best = max(best, saying.credit * times)
            often = max(often, saying.credit * len(found))
            places = places or found
            if saying.credit >= _SURE:
                sure_places += found
        elif all(stem in stems.file for stem in saying.stems):
            best = max(best, 0.3 * saying.credit)
        if saying.credit >= 1.0 and (above or found):
            literal = 1.0
    return _Sighting(best, literal, title, path, often, title >= _SURE, places, sure_places, spoken)


def _pairs(sightings: Sequence[_Sighting]) -> float:
    """Words that stand together in the question and here too: "static files" is more than a file and something static."""
    found = 0.0
    for one, next_ in pairwise(sightings):
        if one.sure and next_.sure:
            found += 1.0
        elif one.sure_places and next_.sure_places:
            near = frozenset(next_.sure_places)
            found += 0.8 * any(at + step in near for at in one.sure_places for step in (1, 2, 3, 4, -1, -2, -3))
    return found / max(1, len(sightings) - 1)


def _in_row(wanted: tuple[str, ...], row: tuple[str, ...]) -> bool:
    if len(wanted) == 1:
        return wanted[0] in row
    return any(row[at : at + len(wanted)] == wanted for at in range(len(row) - len(wanted) + 1))


def _in_text(wanted: tuple[str, ...], body: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    first = body.get(wanted[0], ())
    if len(wanted) == 1 or not first:
        return first
    rest = [frozenset(body.get(stem, ())) for stem in wanted[1:]]
    return tuple(
        at for at in first if all(any(at + step in places for step in range(i, i + 3)) for i, places in enumerate(rest, 1))
    )


def _closeness(places: list[tuple[int, ...]]) -> float:
    """The most terms that stand within one window of the text, as a share of the terms it holds."""
    if not places:
        return 0.0
    if len(places) == 1:
        return 0.6
    marks = sorted((at, term) for term, spots in enumerate(places) for at in spots)
    best = 1
    start = 0
    for end, (at, _) in enumerate(marks):
        while at - marks[start][0] > _NEAR_WINDOW:
            start += 1
        if end - start + 1 > best:
            best = max(best, len({term for _, term in marks[start : end + 1]}))
    return best / len(places)


def rank_of(evidence: Evidence, lexical: float) -> float:
    """The order of passages: a regression over pairs of passages, rounded, with the facts that helped on projects held out."""
    near = evidence.near
    return (
        evidence.share
        + 1.0 * evidence.literal
        + 1.1 * evidence.heading
        + 2.4 * evidence.document
        + 1.1 * evidence.anchored
        + 0.35 * evidence.closeness
        + 1.2 * evidence.pairs
        + 1.0 * evidence.frequency
        + 1.3 * evidence.brevity
        + 0.4 * evidence.first
        + 1.3 * lexical
        + (0.0 if near is None else 8.0 * near.text + 4.0 * near.heading + 16.0 * near.weakest)
    )


def confidence_of(evidence: Evidence) -> float:
    """0..1: a logistic regression over the facts, rounded from a fit on bench/faq (see docs/faq.md)."""
    points = _points_by_words(evidence) if evidence.near is None else _points_by_meaning(evidence, evidence.near)
    return round(1 / (1 + math.exp(-points)), 3)


def _points_by_words(evidence: Evidence) -> float:
    return (
        2.8 * evidence.coverage
        + 2.6 * evidence.literal
        + 1.4 * evidence.heading
        + 0.8 * evidence.document_said
        + 0.8 * evidence.anchored
        + 0.7 * evidence.pairs
        + 1.8 * evidence.frequency
        + 1.6 * evidence.terms
        - 1.4 * evidence.name_missing
        - 5.6
    )


def _points_by_meaning(evidence: Evidence, near: Near) -> float:
    return (
        1.9 * evidence.coverage
        + 1.5 * evidence.closeness
        + 1.0 * evidence.terms
        - 0.4 * evidence.name_missing
        + 1.7 * near.heading
        + 5.1 * near.weakest
        - 3.1 * near.unsaid
        + 7.6 * near.lead
        - 5.0
    )
