"""The library: a folder of Markdown files as a searchable index in memory, and what it can answer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deskmate.classifiers.encoder import Encoder
from deskmate.domain.faq import FaqEntry
from deskmate.errors import Misconfigured
from deskmate.runners.faq.entries import Meant, entry_passages
from deskmate.runners.faq.evidence import Evidence, confidence_of, evidence_of, rank_of
from deskmate.runners.faq.excerpt import answer_text
from deskmate.runners.faq.index import Index
from deskmate.runners.faq.markdown import sections_of
from deskmate.runners.faq.meaning import Meaning, kept_in
from deskmate.runners.faq.passages import Passage, passages_of
from deskmate.runners.faq.query import Term

_CANDIDATES = 60
_READ_CLOSELY = 10
_HOW = re.compile(r"\bhow\b(?! (?:much|many|long|old|often|far|fast)\b)|\bsteps?\b", re.IGNORECASE)
_WHY = re.compile(r"\bwhy\b|\breasons?\b", re.IGNORECASE)
_RIVAL, _RIVAL_BY_MEANING = 2.0, 4.5
_MOST_RIVALS = 3
_HOPELESS = 0.2
_DOUBT = 0.1
_MIGRATION = re.compile(r"upgrad|migrat", re.IGNORECASE)
_UPGRADING = re.compile(r"\b(?:upgrad|migrat|version|v\d|switch|mov|import)", re.IGNORECASE)
_LARGEST_FILE = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A passage found for a query. `section` is its breadcrumb, `score` orders the passages of one search (more is better)."""

    title: str
    section: str
    file: str
    text: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the library would say. `text` quotes and names its source; `confidence` (0..1) says whether to believe it."""

    excerpt: Excerpt
    also: tuple[Excerpt, ...]
    """Passages of other sections (three at most) that fit nearly as well; the text quotes them too, in short."""
    text: str
    confidence: float
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    passage: Passage
    evidence: Evidence
    rank: float


class FaqLibrary:
    """Documents, cut into passages and indexed. Safe to use from several threads."""

    def __init__(
        self, documents: Iterable[tuple[str, str]], *, encoder: Encoder | None = None, vectors: Path | None = None
    ) -> None:
        """Documents are (file name, Markdown source). A library without any answers nothing: its agent asks people.

        With an `encoder`, passages are also found by what they mean; `vectors` is the file that keeps what it worked out.
        """
        self._entries: Mapping[str, Meant] = {}
        self._encoder = encoder
        self._vectors = vectors
        self._hold(tuple(_passages(documents)))

    @classmethod
    def load(cls, folder: str | Path, *, encoder: Encoder | None = None) -> "FaqLibrary":
        """Every *.md and *.markdown below the folder; Misconfigured when there is none, or one is not UTF-8.

        With an `encoder`, what the passages mean is worked out in the background, and kept in the user's folder of caches.
        """
        root = Path(folder)
        if not root.is_dir():
            raise Misconfigured(f"The FAQ folder {str(folder)!r} does not exist or is no folder.", field="faq")
        found = sorted(
            path for path in root.rglob("*") if path.suffix.lower() in {".md", ".markdown"} and _is_content(path, root)
        )
        if not found:
            raise Misconfigured(f"The FAQ folder {str(folder)!r} has no Markdown files (*.md, *.markdown).", field="faq")
        vectors = None if encoder is None else kept_in(root, encoder)
        library = cls(((path.relative_to(root).as_posix(), _read(path)) for path in found), encoder=encoder, vectors=vectors)
        if not library.passages:
            raise Misconfigured(f"The FAQ folder {str(folder)!r} has no text to answer from.", field="faq")
        return library

    def _hold(self, passages: tuple[Passage, ...], before: Meaning | None = None) -> None:
        self.passages = passages
        self._index = Index(passages)
        self._meaning = (
            None if self._encoder is None or not passages else Meaning(self._encoder, passages, file=self._vectors, before=before)
        )

    def with_entries(self, entries: Iterable[FaqEntry]) -> "FaqLibrary":
        """Another library that holds the documents of this one, not read again, and these answers of the team."""
        files = [passage for passage in self.passages if not passage.team]
        entries = tuple(entries)
        taught = copy(self)
        taught._entries = {entry.id: Meant.of(entry) for entry in entries}
        section = max((passage.section for passage in files), default=-1) + 1
        taught._hold((*files, *entry_passages(entries, number=len(files), section=section)), self._meaning)
        return taught

    def wait(self) -> None:
        """Until the encoder has read everything. Until then, answers are good and not yet the best ones."""
        if self._meaning is not None:
            self._meaning.wait()

    def search(self, query: str, limit: int = 5) -> list[Excerpt]:
        """The passages nearest to a query, best first; any text is a valid query."""
        hits = self._hits(query, self._index.terms(query, ""))
        return [_excerpt(hit) for hit in hits[: max(0, limit)]]

    def answer(self, query: str, *, context: str = "") -> Answer | None:
        """The best passage with its confidence; None when the query has no word to look up, or no passage any of them.

        `context` is what was asked before: its words count half.
        """
        terms = self._index.terms(query, context)
        hits = self._hits(query, terms)
        if not hits:
            return None
        hits, doubt = self._doubted(query, hits)
        best = _procedure(hits) if _HOW.search(query) else hits[0]
        also = _rivals(best, hits)
        return Answer(
            excerpt=_excerpt(best),
            also=tuple(_excerpt(hit) for hit in also),
            text=answer_text(best.passage, self.passages, [hit.passage for hit in also], partial(self._index.says, terms=terms)),
            confidence=min(doubt, confidence_of(best.evidence)),
            evidence=best.evidence,
        )

    def _doubted(self, query: str, hits: list[_Hit]) -> tuple[list[_Hit], float]:
        """(the hits without answers of the team to other questions, how sure one may be of them at most).

        A page says more than its headings. An answer of the team was given to one question: to another one on the same topic
        it is wrong more often than not. The files answer as if it was not there; where they have nothing either, people see it.
        """
        sure = [hit for hit in hits if not hit.passage.team or self._entries[hit.passage.file].fits(query, hit.evidence)]
        if sure and (not hits[0].passage.team or sure[0] is hits[0] or confidence_of(sure[0].evidence) >= _HOPELESS):
            return sure, 1.0
        return hits, _DOUBT

    def _hits(self, query: str, terms: list[tuple[Term, float]]) -> list[_Hit]:
        said = self._index.find(terms, _CANDIDATES)
        if self._meaning is None:
            return self._ranked(query, said, {number: evidence_of(terms, self._index.stems[number]) for number in said})
        asked = self._meaning.asked(query, {word: weight for term, weight in terms for word in term.word.split()})
        near = asked.near(list(said))
        known = {number: evidence_of(terms, self._index.stems[number], near[number]) for number in near}
        for hit in self._ranked(query, said, known)[:_READ_CLOSELY]:
            number = hit.passage.number
            known[number] = replace(hit.evidence, near=asked.closely(number, near[number]))
        return self._ranked(query, said, known)

    def _ranked(self, query: str, said: Mapping[int, float], known: Mapping[int, Evidence]) -> list[_Hit]:
        settled = _UPGRADING.search(query) is None
        why = _WHY.search(query) is not None
        hits: list[_Hit] = []
        for number, evidence in known.items():
            passage = self.passages[number]
            weight = passage.weight * (0.85 if settled and _MIGRATION.search(passage.file) else 1.0)
            bonus = 0.4 if why and _WHY.search(passage.title) else 0.0
            rank = weight * (rank_of(evidence, said.get(number, 0.0)) + bonus)
            hits.append(_Hit(passage=passage, evidence=evidence, rank=rank))
        return sorted(hits, key=lambda hit: (-hit.rank, hit.passage.number))


def _procedure(hits: list[_Hit]) -> _Hit:
    """Who asks how to do something wants the steps: they win over the introduction of their page when they fit nearly as well."""
    best = hits[0]
    if best.passage.level > 1 or _has_steps(best.passage):
        return best
    return next(
        (
            hit
            for hit in hits[1:]
            if hit.passage.file == best.passage.file
            and _has_steps(hit.passage)
            and hit.evidence.coverage >= 0.85 * best.evidence.coverage
        ),
        best,
    )


def _rivals(best: _Hit, hits: list[_Hit]) -> list[_Hit]:
    """The best passages of other sections, when they fit nearly as well."""
    found: list[_Hit] = []
    seen = {best.passage.section}
    reach = _RIVAL if best.evidence.near is None else _RIVAL_BY_MEANING
    for hit in hits:
        if len(found) == _MOST_RIVALS or hit.rank < best.rank - reach:
            break
        if hit.passage.section not in seen and confidence_of(hit.evidence) >= _HOPELESS:
            seen.add(hit.passage.section)
            found.append(hit)
    return found


def _has_steps(passage: Passage) -> bool:
    return any(block.kind in {"list", "code"} for block in passage.blocks)


def _excerpt(hit: _Hit) -> Excerpt:
    passage = hit.passage
    return Excerpt(
        title=passage.title, section=passage.breadcrumb, file=passage.file, text=passage.text, score=round(hit.rank, 4)
    )


def _passages(documents: Iterable[tuple[str, str]]) -> Iterator[Passage]:
    number = section = 0
    for file, source in documents:
        title, sections = sections_of(source, file=file)
        for passage in passages_of(sections, document=title, number=number, section=section):
            number = passage.number + 1
            yield passage
        section += len(sections)


def _is_content(path: Path, root: Path) -> bool:
    """Hidden folders, installed packages and the sidebars of wikis are no documentation."""
    parts = path.relative_to(root).parts
    if any(part.startswith(".") or part == "node_modules" for part in parts):
        return False
    stem = path.stem.lower()
    return path.is_file() and stem not in {"summary", "_sidebar", "_footer", "_menu", "_navbar", "_header", "_coverpage"}


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"The FAQ file {path} cannot be read: {error.strerror}.", field="faq") from error
    if len(data) > _LARGEST_FILE:
        raise Misconfigured(f"The FAQ file {path} is larger than {_LARGEST_FILE // 1_000_000} MB.", field="faq")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Misconfigured(f"The FAQ file {path} is not UTF-8 (line {line}). Save it as UTF-8.", field="faq") from error
