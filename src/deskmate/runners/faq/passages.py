"""Passages: sections cut at paragraph borders to the size of an answer, as the index and the answers use them."""

from collections.abc import Iterator
from dataclasses import dataclass

from deskmate.runners.faq.markdown import Block, Section

_SIZE = 900
_RECORDS = (
    "changelog",
    "changes",
    "release-notes",
    "release_notes",
    "releases",
    "releasenotes",
    "history",
    "news",
    "license",
    "code_of_conduct",
    "code-of-conduct",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of a section. `number` is its place among all passages, `section` that of its section."""

    number: int
    section: int
    file: str
    document: str
    title: str
    path: tuple[str, ...]
    level: int
    blocks: tuple[Block, ...]
    weight: float = 1.0
    hints: str = ""
    team: bool = False
    """An answer of the team, kept in the store: `file` is the id of its entry."""

    @property
    def text(self) -> str:
        return join(self.blocks)

    @property
    def breadcrumb(self) -> str:
        """`Title › Heading › Section`, without repeating a name."""
        names: list[str] = []
        for name in (self.document, *self.path, self.title):
            if name and (not names or names[-1].casefold() != name.casefold()):
                names.append(name)
        return " › ".join(names)


def join(blocks: tuple[Block, ...] | list[Block]) -> str:
    """Blocks as text: items of a list and rows of a table on lines, all else as paragraphs."""
    text = ""
    before = ""
    for block in blocks:
        tight = block.kind == before and block.kind in {"list", "table"}
        text += ("" if not text else "\n" if tight else "\n\n") + block.text
        before = block.kind
    return text


def passages_of(sections: list[Section], *, document: str, number: int, section: int) -> Iterator[Passage]:
    """The passages of a document. A heading without text is none: it lives on in the breadcrumbs below it."""
    for at, part in enumerate(sections):
        for blocks in _cut(part.blocks):
            yield Passage(
                number=number,
                section=section + at,
                file=part.file,
                document=document,
                title=part.title,
                path=part.path,
                level=part.level,
                blocks=blocks,
                weight=0.7 if _is_record(part.file) else 1.0,
                hints=part.hints,
            )
            number += 1


def _cut(blocks: list[Block]) -> Iterator[tuple[Block, ...]]:
    held: list[Block] = []
    size = 0
    for block in blocks:
        # A sentence that introduces a list or a command stays with it.
        leads = bool(held) and held[-1].kind == "text" and held[-1].text.endswith(":")
        if held and size + len(block.text) > _SIZE and not leads:
            yield tuple(held)
            held, size = [], 0
        held.append(block)
        size += len(block.text)
    if held:
        yield tuple(held)


def _is_record(file: str) -> bool:
    parts = file.lower().split("/")
    return any(part.rsplit(".", 1)[0] in _RECORDS for part in parts)
