"""Excerpts: what is quoted to the customer, whole sentences and whole blocks of code, with its source named."""

import re
from collections.abc import Sequence

from deskmate.runners.faq.markdown import Block
from deskmate.runners.faq.passages import Passage, join

LONGEST = 2_000
_COMFORTABLE = 1_500
_LONGEST_SECOND = 700
_LONGEST_SOURCE = 300
_ALSO = "This may help as well:"
_STEP = re.compile(r"(?:step\s*)?\d{1,2}\s*[.):]\s|step\s*\d", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…。！？][\"')\]]*(?=\s)")


def answer_text(best: Passage, passages: Sequence[Passage], also: Passage | None = None) -> str:
    """The passage with what follows in its section as far as it fits comfortably, its source, and a second opinion if given."""
    if also is None:
        return _quotation(best, passages, LONGEST, _COMFORTABLE)
    second = f"{_ALSO}\n\n{_quotation(also, passages, _LONGEST_SECOND, 0)}"
    return f"{_quotation(best, passages, LONGEST - len(second) - 2, _COMFORTABLE - 300)}\n\n{second}"


def _quotation(best: Passage, passages: Sequence[Passage], longest: int, comfortable: int) -> str:
    best = _first_step(best, passages)
    source = source_line(best)
    room = longest - len(source) - 2
    blocks = list(best.blocks)
    further_on = _following(best, passages)
    if best.level == 0 and len(join([*blocks, *(block for part in further_on for block in part)])) > room:
        further_on = [part for part in further_on if not part[0].text.startswith("**")][:1]
    for further in further_on:
        longer = [*blocks, *further]
        if len(join(longer)) > min(comfortable, room):
            break
        blocks = longer
    return f"{fitted(blocks, room)}\n\n{source}"


def _first_step(best: Passage, passages: Sequence[Passage]) -> Passage:
    """A step in the middle ("3) Restart") helps nobody: the answer begins with the first of the steps."""
    if not _STEP.match(best.title):
        return best
    first = best
    for passage in reversed(passages[max(0, best.number - 12) : best.number]):
        if passage.file != best.file or passage.path != best.path or not _STEP.match(passage.title):
            break
        first = passage
    return first


def source_line(passage: Passage) -> str:
    """Where the quotation is from, for people: `Source: Returns › Refunds (returns.md)`."""
    name, file = shortened(passage.breadcrumb, _LONGEST_SOURCE - 140), passage.file
    file = file if len(file) <= 120 else "…" + file[-119:]
    return f"Source: {name} ({file})".replace("`", "'").replace("~~~", "---")


def _following(best: Passage, passages: Sequence[Passage]) -> list[tuple[Block, ...]]:
    """The rest of the section, then the sections under it, each after its heading. An introduction is followed by its page
    when the page is short."""
    found: list[tuple[Block, ...]] = []
    section = best.section
    for passage in passages[best.number + 1 : best.number + 12]:
        if passage.file != best.file or _ends(best, passage):
            break
        heading = () if passage.section == section else (Block(kind="text", text=f"**{passage.title}**"),)
        section = passage.section
        found.append((*heading, *passage.blocks))
    return found


def _ends(best: Passage, passage: Passage) -> bool:
    """Whether another topic begins: a heading of the same or a higher level, unless both are steps of one procedure."""
    if passage.section == best.section or passage.level > best.level:
        return False
    return not (passage.level == best.level and _STEP.match(best.title) and _STEP.match(passage.title))


def fitted(blocks: Sequence[Block], room: int) -> str:
    """As many whole blocks as fit; a block that is too long alone ends after a line or a sentence, its fence closed."""
    kept: list[Block] = []
    for block in blocks:
        if len(join([*kept, block])) <= room:
            kept.append(block)
            continue
        left = room - len(join(kept)) - 2
        if not kept or left > 200:
            part = shortened_code(block.text, left) if "```" in block.text or "~~~" in block.text else shortened(block.text, left)
            if part:
                kept.append(Block(kind=block.kind, text=part))
        break
    while kept and kept[-1].kind == "text" and kept[-1].text.endswith(":") and len(kept) > 1:
        kept.pop()
    return balanced(join(kept), room)


def shortened(text: str, room: int) -> str:
    """Not longer than `room`: cut after a line or a sentence, else between words, with a sign that there is more."""
    if len(text) <= room:
        return text
    head = text[: max(0, room - 2)]
    ends = [match.end() for match in _SENTENCE_END.finditer(head + " ")]
    line = head.rfind("\n")
    at = max(ends[-1] if ends else 0, line)
    if at < room // 3:
        at = head.rfind(" ")
    cut = head[:at].rstrip() if at > 0 else head
    return cut + " …"


def shortened_code(text: str, room: int) -> str:
    """A block of code without its last lines; the fence is closed."""
    kept: list[str] = []
    size = 0
    for line in text.split("\n"):
        if size + len(line) + 1 > room - 10:
            break
        kept.append(line)
        size += len(line) + 1
    return balanced("\n".join([*kept, "…"]), room) if kept else ""


def balanced(text: str, room: int) -> str:
    """Every code fence that is opened is closed; when there is no room to close it, the open piece is dropped."""
    lines = text.split("\n")
    opened = _open_fence(lines)
    if opened is None:
        return text if len(text) <= room else shortened_plain(text, room)
    mark, at = opened
    closed = f"{text}\n{mark}"
    return closed if len(closed) <= room else "\n".join(lines[:at]).rstrip()


def shortened_plain(text: str, room: int) -> str:
    """The last resort for one endless word."""
    return text[: max(0, room - 2)].rstrip() + " …"


def _open_fence(lines: Sequence[str]) -> tuple[str, int] | None:
    """The mark and the line of a fence that is not closed."""
    opened: tuple[str, int] | None = None
    for at, line in enumerate(lines):
        bare = line.strip()
        mark = re.match(r"`{3,}|~{3,}", bare)
        if mark is None:
            continue
        if opened is None:
            opened = (mark[0], at)
        elif bare[0] == opened[0][0] and len(mark[0]) >= len(opened[0]) and bare == mark[0]:
            opened = None
    return opened
