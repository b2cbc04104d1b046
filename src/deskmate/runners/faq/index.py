"""The index: the words of all passages in an SQLite FTS5 table in memory, with the evidence each passage can give."""

import sqlite3
from collections.abc import Sequence
from importlib import resources
from threading import Lock

from deskmate.domain.words import names_of
from deskmate.runners.faq.evidence import Stems, weight_of
from deskmate.runners.faq.passages import Passage
from deskmate.runners.faq.query import Term, Vocabulary, terms_of

_CLOSE = 0.75


class Index:
    """Passages by their words. Safe to use from several threads."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._lock = Lock()
        self._sql = _statements()
        self._table = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        for name in ("stemmer", "stems", "passages"):
            self._table.execute(self._sql[name])
        self._known: dict[str, str] = {}
        self._passages = passages
        self.stems: list[Stems] = []
        """What each passage says, by its number."""
        self._vocabulary = self._build()

    def terms(self, query: str, context: str) -> list[tuple[Term, float]]:
        """What a query asks for, with weights. The words of `context` count half."""
        with self._lock:
            terms = terms_of(query, self._vocabulary)
            said = {term.word for term in terms}
            if context:
                terms += [term for term in terms_of(context, self._vocabulary, share=0.5) if term.word not in said]
        return [(term, weight_of(term, self._vocabulary.counts, len(self._passages))) for term in terms]

    def find(self, terms: Sequence[tuple[Term, float]], limit: int) -> dict[int, float]:
        """The passages that say the terms, by number, with a mark from 0 to 1 (the best one of this search)."""
        stems = {stem for term, _ in terms for saying in term.sayings if saying.credit >= _CLOSE for stem in saying.stems}
        stems = stems or {stem for term, _ in terms for saying in term.sayings for stem in saying.stems}
        counts = self._vocabulary.counts
        # A word on most pages finds nothing and costs much; it still counts in the evidence.
        rare = {stem for stem in stems if counts[stem] <= max(10, 0.25 * len(self._passages))} or stems
        if not rare:
            return {}
        matching = " OR ".join(f'"{stem}"' for stem in sorted(rare))
        with self._lock:
            rows: list[tuple[int, float]] = self._table.execute(self._sql["find"], {"stems": matching, "limit": limit}).fetchall()
        top = max((score for _, score in rows), default=1.0) or 1.0
        return {number: score / top for number, score in rows}

    def says(self, text: str, terms: Sequence[tuple[Term, float]]) -> float:
        """How much of the terms a piece of text says."""
        stems = {self._known.get(word, word) for word in names_of(text)}
        return sum(
            weight * max((s.credit for s in term.sayings if all(stem in stems for stem in s.stems)), default=0.0)
            for term, weight in terms
        )

    def _build(self) -> Vocabulary:
        parts = [
            (names_of(p.title), names_of(" ".join((p.document, *p.path, _file_name(p), p.hints))), names_of(p.text))
            for p in self._passages
        ]
        self._learn({word for part in parts for words in part for word in words})
        counts: dict[str, int] = {}
        files: dict[str, set[str]] = {}
        for passage, (title, path, body) in zip(self._passages, parts, strict=True):
            held = files.setdefault(passage.file, set())
            mine = {self._known[word] for word in (*title, *path, *body)}
            held |= mine
            for stem in mine:
                counts[stem] = counts.get(stem, 0) + 1
        shared = {file: frozenset(held) for file, held in files.items()}
        usual = sum(len(body) for _, _, body in parts) / max(1, len(parts)) or 1.0
        before = -1
        with self._lock:
            self._table.execute("BEGIN")
            for passage, words in zip(self._passages, parts, strict=True):
                title, path, body = ([self._known[word] for word in part] for part in words)
                places: dict[str, list[int]] = {}
                for at, stem in enumerate(body):
                    places.setdefault(stem, []).append(at)
                spots = {stem: tuple(found) for stem, found in places.items()}
                self.stems.append(
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
                self._table.execute(self._sql["put"], row)
            self._table.execute("COMMIT")
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
        self._table.execute("BEGIN")
        self._table.executemany(self._sql["stem"], ({"number": at, "word": word} for at, word in enumerate(words)))
        rows: list[tuple[int, str]] = self._table.execute(self._sql["stemmed"]).fetchall()
        stems = {words[number]: stem for number, stem in rows}
        self._table.execute(self._sql["forget"])
        self._table.execute("COMMIT")
        return {word: stems.get(word, word) for word in words}


def _file_name(passage: Passage) -> str:
    return "" if passage.team else passage.file.rsplit(".", 1)[0]


def _document_words(passage: Passage) -> list[str]:
    """The title, unless it is long and the file's name says the same in fewer words."""
    if passage.team:
        return names_of(passage.document)
    title, name = names_of(passage.document), names_of(passage.file.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    return name if len(title) > 5 and 2 <= len(name) < len(title) else title


def _statements() -> dict[str, str]:
    text = resources.files("deskmate.runners.faq").joinpath("index.sql").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in text.split("-- name: ")[1:])
    return {name.strip(): sql.strip() for name, _, sql in parts}
