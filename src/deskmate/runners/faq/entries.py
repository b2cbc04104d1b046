"""Entries: the team's own answers as passages, each a document of its own with the question as its title."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deskmate.domain.faq import FaqEntry
from deskmate.domain.topics import Gist, answers, gist_of
from deskmate.runners.faq.evidence import Evidence, confidence_of
from deskmate.runners.faq.markdown import Block
from deskmate.runners.faq.passages import Passage

_PARAGRAPH = re.compile(r"\n\s*\n")
_SURE = 0.98
"""From this confidence by meaning on, a question need not be put in words like those of the entry. See bench/faq/README.md."""


def entry_passages(entries: Iterable[FaqEntry], *, number: int, section: int) -> Iterator[Passage]:
    """What was asked and answered, one passage for each entry. The customers' other words are searched and not shown."""
    for at, entry in enumerate(entries):
        yield Passage(
            number=number + at,
            section=section + at,
            file=entry.id,
            document=entry.question,
            title=entry.question,
            path=(),
            level=1,
            blocks=tuple(Block(kind="text", text=part.strip()) for part in _PARAGRAPH.split(entry.answer) if part.strip()),
            hints=" ".join(entry.wordings),
            team=True,
        )


@dataclass(frozen=True, slots=True)
class Meant:
    """What an entry was asked for, and what it says."""

    questions: tuple[Gist, ...]
    told: Gist

    @classmethod
    def of(cls, entry: FaqEntry) -> "Meant":
        return cls(tuple(map(gist_of, (entry.question, *entry.wordings))), gist_of(entry.answer))

    def fits(self, query: str, evidence: Evidence) -> bool:
        """Whether the entry is the answer to this question, and not to another one on its topic."""
        if evidence.near is not None and confidence_of(evidence) >= _SURE:
            return True
        return answers(gist_of(query), self.questions, self.told)
