"""Excerpts: what is quoted to the customer, whole sentences and whole blocks of code, with its source named."""

import re
from collections.abc import Callable, Sequence

from deskmate.runners.faq.markdown import Block
from deskmate.runners.faq.passages import Passage, join

LONGEST = 2_000
TEAM = "The team's answers"
"""Where an answer is from that stands in no file."""
_COMFORTABLE = 1_500
_LONGEST_SOURCE = 300
_OWN = 1_150
_LEAST = 280
_ALSO = "This may help as well:"
_GAP = "…"
_FIRST = 0.25
_STEP = re.compile(r"(?:step\s*)?\d{1,2}\s*[.):]\s|step\s*\d", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?…。！？][\"')\]]*(?=\s)")

Telling = Callable[[str], float]
"""How much a piece of text says of what was asked."""


def answer_text(best: Passage, passages: Sequence[Passage], also: Sequence[Passage] = (), telling: Telling | None = None) -> str:
    """The passage with what follows in its section, its source, and its rivals in short, as far as they fit."""
    own = min(_OWN, _whole(_first_step(best, passages)))
    rivals = [
        _quotation(passage, passages, room, 0, telling)
        for passage, room in zip(
            also, _rooms([_whole(passage) for passage in also], LONGEST - own - len(_ALSO) - 2), strict=False
        )
    ]
    if not rivals:
        return _quotation(best, passages, LONGEST, _COMFORTABLE, telling)
    further = "\n\n".join((_ALSO, *rivals))
    room = LONGEST - len(further) - 2
    return f"{_quotation(best, passages, room, room, telling)}\n\n{further}"


def _whole(passage: Passage) -> int:
    return len(passage.text) + len(source_line(passage)) + 2


def _rooms(wanted: Sequence[int], room: int) -> list[int]:
    """A fair share for each rival, the better ones first: what a short one leaves goes to the others."""
    count = len(wanted)
    while count and (room // count) < min(_LEAST, *wanted[:count]) + 2:
        count -= 1
    rooms: list[int] = []
    left = room
    for at in range(count):
        rest = sum(min(want + 2, room // count) for want in wanted[at + 1 : count])
        mine = min(wanted[at] + 2, left - rest)
        rooms.append(mine - 2)
        left -= mine
    return rooms


def _quotation(best: Passage, passages: Sequence[Passage], longest: int, comfortable: int, telling: Telling | None) -> str:
    best = _first_step(best, passages)
    source = source_line(best)
    room = longest - len(source) - 2
    blocks = list(best.blocks)
    if telling is not None and len(join(blocks)) > room:
        return f"{fitted(_chosen(blocks, room, telling), room)}\n\n{source}"
    for further in _following(best, passages):
        left = min(comfortable, room) - len(join(blocks)) - 2
        if len(join(further)) > left:
            if telling is not None and left > _LEAST and telling(join(further)) > 0:
                blocks += [block for block in _chosen(further, left - 2, telling) if len(block.text) <= left]
            break
        blocks += further
    return f"{fitted(blocks, room)}\n\n{source}"


def _chosen(blocks: Sequence[Block], room: int, telling: Telling) -> list[Block]:
    """Where not all fits: the most telling blocks in their order, each with the sentence that introduces it."""
    wanted: set[int] = set()
    marks = [telling(block.text) for block in blocks]
    marks[0] += _FIRST * max(marks)
    for at in sorted(range(len(blocks)), key=lambda at: (-marks[at], at)):
        more = wanted | {at}
        if at and blocks[at - 1].kind == "text" and (blocks[at].kind != "text" or blocks[at - 1].text.endswith(":")):
            more.add(at - 1)
        if at + 1 < len(blocks) and blocks[at].kind == "text" and blocks[at].text.endswith(":"):
            more.add(at + 1)
        if len(join(_with_gaps(blocks, more))) <= room:
            wanted = more
        elif not wanted:
            return [_focused(blocks[at], room, telling), *blocks[at + 1 : at + 2]]
    return _with_gaps(blocks, wanted)


def _with_gaps(blocks: Sequence[Block], wanted: set[int]) -> list[Block]:
    """The wanted blocks; a sign stands where some are left out between them."""
    kept: list[Block] = []
    before = -1
    for at in sorted(wanted):
        if kept and at > before + 1:
            kept.append(Block(kind="text", text=_GAP))
        kept.append(blocks[at])
        before = at
    return kept


def _focused(block: Block, room: int, telling: Telling) -> Block:
    """A paragraph that is too long alone: from its most telling sentence on, where it would else be cut away."""
    if block.kind != "text" or "```" in block.text or "~~~" in block.text:
        return block
    starts = [0, *(match.end() + 1 for match in _SENTENCE_END.finditer(block.text))]
    parts = [block.text[start:end] for start, end in zip(starts, [*starts[1:], len(block.text)], strict=True)]
    best = max(range(len(parts)), key=lambda at: (telling(parts[at]), -at))
    if starts[best] + len(parts[best]) <= room - 2:
        return block
    return Block(kind=block.kind, text=f"{_GAP} {block.text[starts[best] :]}")


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
    if passage.team:
        return f"Source: {TEAM} › {name}".replace("`", "'").replace("~~~", "---")
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
