"""Evidence: how well one passage answers a question, as measured facts and as one honest number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deskmate.runners.faq.query import Saying, Term
from deskmate.runners.faq.words import EMPTY

_NEAR_WINDOW = 12
_VERB_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stems:
    """The stems of one passage: of its heading, of the names above it, and of its text with their places."""

    title: tuple[str, ...]
    path: tuple[str, ...]
    document: tuple[str, ...]
    """The title of the document, or the name of its file where that says more of it."""
    body: Mapping[str, tuple[int, ...]]
    length: int
    file: frozenset[str]
    """Every stem of the file the passage is from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What speaks for a passage; each fact is between 0 and 1."""

    coverage: float
    """Share of what the question says (rare words say more) that the passage and its headings say too."""
    share: float
    """The same, with verbs counted in full when they are missing: it orders passages."""
    heading: float
    """How far the heading is the question."""
    document: float
    """How far the title of the document is the question."""
    anchored: float
    """Share of the question that the headings, the title and the name of the file say."""
    closeness: float
    """How close together the words of the question stand in the text."""
    unknown: float
    """Share of the question that is found nowhere in the documentation."""
    strongest_missing: float
    """The weight of the heaviest missing term, beside the heaviest term of all."""
    said: float
    """How much the question says at all: the weights of its terms together (not limited to 1)."""
    missing: tuple[str, ...]


def weight_of(term: Term, counts: Mapping[str, int], passages: int) -> float:
    """How much a term says: rare words say more than those on every page, and words the corpus lacks say most."""
    if not term.sayings:
        return term.weight
    sure = [saying for saying in term.sayings if saying.credit >= 0.75]
    held = max((min(counts[stem] for stem in saying.stems) for saying in sure), default=0)
    if held == 0:
        return term.weight
    rarity = math.log(1 + passages / held) / math.log(1 + passages)
    return term.weight * (0.3 + 0.7 * min(1.0, rarity))


def evidence_of(terms: Sequence[tuple[Term, float]], stems: Stems) -> Evidence:
    """The facts for one passage. `terms` come with their weights."""
    total = sum(weight for _, weight in terms) or 1.0
    asked = covered = headed = anchored = unknown = 0.0
    missing: list[str] = []
    heaviest_missing = 0.0
    in_title: set[str] = set()
    in_document: set[str] = set()
    documented = 0.0
    places: list[tuple[int, ...]] = []
    for term, weight in terms:
        credit, title_credit, path_credit, where, spoken = _credit(term.sayings, stems)
        share = _VERB_SHARE if term.verb else 1.0
        asked += weight * (credit + (1 - credit) * share)
        covered += weight * credit
        headed += weight * title_credit
        anchored += weight * max(title_credit, path_credit)
        in_title.update(spoken)
        for saying in term.sayings:
            if _in_row(saying.stems, stems.document):
                in_document.update(saying.stems)
                documented += weight * saying.credit
                break
        if where:
            places.append(where)
        if credit < 0.5:
            missing.append(term.word)
            heaviest_missing = max(heaviest_missing, weight * share * (1 - credit))
        if not term.sayings:
            unknown += weight * share
    heaviest = max((weight for _, weight in terms), default=1.0) or 1.0
    return Evidence(
        coverage=covered / (asked or 1.0),
        share=covered / total,
        heading=(headed / total) * (0.4 + 0.6 * _said(stems.title, in_title)),
        document=(documented / total) * (0.4 + 0.6 * _said(stems.document, in_document)),
        anchored=anchored / total,
        closeness=_closeness(places),
        unknown=unknown / total,
        strongest_missing=heaviest_missing / heaviest,
        said=total,
        missing=tuple(missing),
    )


def _said(row: tuple[str, ...], spoken: set[str]) -> float:
    """The share of a heading's own words that the question has."""
    meaningful = [stem for stem in row if stem not in EMPTY and len(stem) > 1]
    return sum(_is_said(stem, spoken) for stem in meaningful) / len(meaningful) if meaningful else 0.0


def _is_said(stem: str, spoken: set[str]) -> bool:
    """A name like StaticFiles is said by "static files"."""
    return stem in spoken or any(len(part) > 3 and part in stem for part in spoken)


def _credit(sayings: Sequence[Saying], stems: Stems) -> tuple[float, float, float, tuple[int, ...], tuple[str, ...]]:
    """(credit anywhere, in the heading, in the names above it, places in the text, stems said in the heading) of one term."""
    best = title = path = 0.0
    where: tuple[int, ...] = ()
    spoken: tuple[str, ...] = ()
    for saying in sayings:
        if _in_row(saying.stems, stems.title):
            spoken += saying.stems
            title = max(title, saying.credit)
            best = max(best, saying.credit)
        if _in_row(saying.stems, stems.path):
            path = max(path, saying.credit)
            best = max(best, 0.9 * saying.credit)
        found = _in_text(saying.stems, stems.body)
        if found:
            often = 0.6 + 0.4 * min(1.0, len(found) / (1 + stems.length / 100))
            if saying.credit * often > best:
                best = saying.credit * often
            if not where:
                where = found
        elif all(stem in stems.file for stem in saying.stems):
            best = max(best, 0.3 * saying.credit)
    return best, title, path, where, spoken


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
    """The order of passages: coverage first; headings, closeness and the index's own score decide among equals."""
    return (
        evidence.share
        + 0.3 * evidence.heading
        + 0.15 * evidence.document
        + 0.15 * evidence.anchored
        + 0.1 * evidence.closeness
        + 0.12 * lexical
    )


def confidence_of(evidence: Evidence) -> float:
    """0..1: a logistic regression over the facts, rounded from a fit on bench/faq (see docs/faq.md)."""
    points = (
        5.4 * evidence.coverage
        + 1.9 * evidence.heading
        + 2.1 * evidence.document
        + 2.3 * evidence.anchored
        + 1.25 * evidence.closeness
        + 0.9 * min(2.0, evidence.said)
        - 1.5 * evidence.strongest_missing
        - 6.25
    )
    return round(1 / (1 + math.exp(-points)), 3)
