"""The library: a folder of Markdown files as a searchable index in memory, and what it can answer."""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from threading import Lock

from deskmate.errors import Misconfigured
from deskmate.runners.faq.evidence import Evidence, Stems, confidence_of, evidence_of, rank_of, weight_of
from deskmate.runners.faq.excerpt import Telling, answer_text
from deskmate.runners.faq.markdown import sections_of
from deskmate.runners.faq.passages import Passage, passages_of
from deskmate.runners.faq.query import Term, Vocabulary, terms_of
from deskmate.runners.faq.words import names_of

_CANDIDATES = 60
_CLOSE = 0.75
_HOW = re.compile(r"\bhow\b(?! (?:much|many|long|old|often|far|fast)\b)|\bsteps?\b", re.IGNORECASE)
_WHY = re.compile(r"\bwhy\b|\breasons?\b", re.IGNORECASE)
_RIVAL = 2.0
_MOST_RIVALS = 3
_HOPELESS = 0.2
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

    def __init__(self, documents: Iterable[tuple[str, str]]) -> None:
        """Documents are (file name, Markdown source). A library without any answers nothing: its agent asks people."""
        self._lock = Lock()
        self._sql = _statements()
        self._index = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        for name in ("stemmer", "stems", "passages"):
            self._index.execute(self._sql[name])
        self._known: dict[str, str] = {}
        self.passages: tuple[Passage, ...] = tuple(_passages(documents))
        self._stems: list[Stems] = []
        self._vocabulary = self._build()

    @classmethod
    def load(cls, folder: str | Path) -> "FaqLibrary":
        """Every *.md and *.markdown below the folder; Misconfigured when there is none, or one is not UTF-8."""
        root = Path(folder)
        if not root.is_dir():
            raise Misconfigured(f"The FAQ folder {str(folder)!r} does not exist or is no folder.", field="faq")
        found = sorted(
            path for path in root.rglob("*") if path.suffix.lower() in {".md", ".markdown"} and _is_content(path, root)
        )
        if not found:
            raise Misconfigured(f"The FAQ folder {str(folder)!r} has no Markdown files (*.md, *.markdown).", field="faq")
        library = cls((path.relative_to(root).as_posix(), _read(path)) for path in found)
        if not library.passages:
            raise Misconfigured(f"The FAQ folder {str(folder)!r} has no text to answer from.", field="faq")
        return library

    def search(self, query: str, limit: int = 5) -> list[Excerpt]:
        """The passages nearest to a query, best first; any text is a valid query."""
        hits = self._hits(query, self._terms(query, ""))
        return [_excerpt(hit) for hit in hits[: max(0, limit)]]

    def answer(self, query: str, *, context: str = "") -> Answer | None:
        """The best passage with its confidence; None when the query has no word to look up, or no passage any of them.

        `context` is what was asked before: its words count half.
        """
        terms = self._terms(query, context)
        hits = self._hits(query, terms)
        if not hits:
            return None
        best = _procedure(hits) if _HOW.search(query) else hits[0]
        also = _rivals(best, hits)
        return Answer(
            excerpt=_excerpt(best),
            also=tuple(_excerpt(hit) for hit in also),
            text=answer_text(best.passage, self.passages, [hit.passage for hit in also], self._telling(terms)),
            confidence=confidence_of(best.evidence),
            evidence=best.evidence,
        )

    def _telling(self, terms: list[tuple[Term, float]]) -> Telling:
        def telling(text: str) -> float:
            stems = {self._known.get(word, word) for word in names_of(text)}
            return sum(
                weight * max((s.credit for s in term.sayings if all(stem in stems for stem in s.stems)), default=0.0)
                for term, weight in terms
            )

        return telling

    def _terms(self, query: str, context: str) -> list[tuple[Term, float]]:
        with self._lock:
            terms = terms_of(query, self._vocabulary)
            said = {term.word for term in terms}
            if context:
                terms += [term for term in terms_of(context, self._vocabulary, share=0.5) if term.word not in said]
        return [(term, weight_of(term, self._vocabulary.counts, len(self.passages))) for term in terms]

    def _hits(self, query: str, terms: list[tuple[Term, float]]) -> list[_Hit]:
        stems = {stem for term, _ in terms for saying in term.sayings if saying.credit >= _CLOSE for stem in saying.stems}
        stems = stems or {stem for term, _ in terms for saying in term.sayings for stem in saying.stems}
        counts = self._vocabulary.counts
        # A word on most pages finds nothing and costs much; it still counts in the evidence.
        rare = {stem for stem in stems if counts[stem] <= max(10, 0.25 * len(self.passages))} or stems
        if not rare:
            return []
        matching = " OR ".join(f'"{stem}"' for stem in sorted(rare))
        with self._lock:
            rows: list[tuple[int, float]] = self._index.execute(
                self._sql["find"], {"stems": matching, "limit": _CANDIDATES}
            ).fetchall()
        top = max((score for _, score in rows), default=1.0) or 1.0
        settled = _UPGRADING.search(query) is None
        why = _WHY.search(query) is not None
        hits: list[_Hit] = []
        for number, score in rows:
            evidence = evidence_of(terms, self._stems[number])
            passage = self.passages[number]
            weight = passage.weight * (0.85 if settled and _MIGRATION.search(passage.file) else 1.0)
            rank = weight * (rank_of(evidence, score / top) + (0.4 if why and _WHY.search(passage.title) else 0.0))
            hits.append(_Hit(passage=passage, evidence=evidence, rank=rank))
        return sorted(hits, key=lambda hit: (-hit.rank, hit.passage.number))

    def _build(self) -> Vocabulary:
        parts = [
            (names_of(p.title), names_of(" ".join((p.document, *p.path, p.file.rsplit(".", 1)[0], p.hints))), names_of(p.text))
            for p in self.passages
        ]
        self._learn({word for part in parts for words in part for word in words})
        counts: dict[str, int] = {}
        files: dict[str, set[str]] = {}
        for passage, (title, path, body) in zip(self.passages, parts, strict=True):
            held = files.setdefault(passage.file, set())
            mine = {self._known[word] for word in (*title, *path, *body)}
            held |= mine
            for stem in mine:
                counts[stem] = counts.get(stem, 0) + 1
        shared = {file: frozenset(held) for file, held in files.items()}
        usual = sum(len(body) for _, _, body in parts) / max(1, len(parts)) or 1.0
        before = -1
        with self._lock:
            self._index.execute("BEGIN")
            for passage, words in zip(self.passages, parts, strict=True):
                title, path, body = ([self._known[word] for word in part] for part in words)
                places: dict[str, list[int]] = {}
                for at, stem in enumerate(body):
                    places.setdefault(stem, []).append(at)
                spots = {stem: tuple(found) for stem, found in places.items()}
                self._stems.append(
                    Stems(
                        title=tuple(title),
                        path=tuple(path),
                        document=tuple(self._known[word] for word in _document_words(passage) if word in self._known),
                        body=spots,
                        length=len(body),
                        usual=usual,
                        first=passage.section != before,
                        file=shared[passage.file],
                    )
                )
                before = passage.section
                row = {"number": passage.number, "title": " ".join(title), "path": " ".join(path), "body": " ".join(body)}
                self._index.execute(self._sql["put"], row)
            self._index.execute("COMMIT")
        starts: dict[str, list[str]] = {}
        for stem in counts:
            if stem.isalpha() and len(stem) > 3:
                starts.setdefault(stem[:2], []).append(stem)
                starts.setdefault(stem[0], []).append(stem)
        return Vocabulary(counts=counts, starts={start: tuple(found) for start, found in starts.items()}, stem=self._stemmed)

    def _stemmed(self, words: list[str]) -> list[str]:
        """Called with the lock held. What customers type is not kept: the vocabulary grows with the files only."""
        return [self._known.get(word) or self._stem_now(word) for word in words]

    def _stem_now(self, word: str) -> str:
        return self._stem_all([word])[word]

    def _learn(self, words: set[str]) -> None:
        self._known.update(self._stem_all(sorted(words)))

    def _stem_all(self, words: list[str]) -> dict[str, str]:
        self._index.execute("BEGIN")
        self._index.executemany(self._sql["stem"], ({"number": at, "word": word} for at, word in enumerate(words)))
        rows: list[tuple[int, str]] = self._index.execute(self._sql["stemmed"]).fetchall()
        stems = {words[number]: stem for number, stem in rows}
        self._index.execute(self._sql["forget"])
        self._index.execute("COMMIT")
        return {word: stems.get(word, word) for word in words}


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
    for hit in hits:
        if len(found) == _MOST_RIVALS or hit.rank < best.rank - _RIVAL:
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


def _document_words(passage: Passage) -> list[str]:
    """The title, unless it is long and the file's name says the same in fewer words."""
    title, name = names_of(passage.document), names_of(passage.file.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    return name if len(title) > 5 and 2 <= len(name) < len(title) else title


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


def _statements() -> dict[str, str]:
    text = resources.files("deskmate.runners.faq").joinpath("index.sql").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("-- name: ")[1:])
    return {name.strip(): sql.strip() for name, _, sql in parts}
