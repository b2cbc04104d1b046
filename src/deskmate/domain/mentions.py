"""Mentions: notes that call on a colleague, by name or by id."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

MOST = 1000
"""How many times a text may call on somebody."""
_AT = re.compile(r"(?<![A-Za-z0-9_@.+-])@")  # not in the middle of an address of e-mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A note calls on an operator; `read_at` is when they said that they had seen it."""

    id: str
    message: str
    thread: str
    operator: str
    at: datetime
    read_at: datetime | None = None


def mentioned_in(text: str, people: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Who of these (id, name) is called on, each once: `@Name` in any case, the longest name that fits, `@ID` or `@{ID}`.

    Where several people have that name, all of them are meant. Of a text that calls on more than `MOST` the rest is not read.
    """
    written = _normal(text)
    names: dict[str, list[str]] = {}
    for id, name in people:
        for spelling in dict.fromkeys((_normal(name), _normal(id), f"{{{_normal(id)}}}")):
            names.setdefault(spelling, []).append(id)
    longest_first = sorted({len(name) for name in names}, reverse=True)
    found: dict[str, None] = {}
    for at in islice(_AT.finditer(written), MOST):
        for length in longest_first:
            name, end = written[at.end() : at.end() + length], at.end() + length
            if name in names and not _goes_on(written, end):
                found.update(dict.fromkeys(names[name]))
                break
    return tuple(found)


def _normal(text: str) -> str:
    """One spelling for what reads the same: composed, without case, one space between words."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return re.sub(r"[^\S\n]+", " ", folded)


def _goes_on(text: str, at: int) -> bool:
    """Whether the word at this place is longer: by letters, marks on them, digits. Wide scripts put no space behind a name."""
    if at >= len(text) or text[at - 1] == "}" or unicodedata.east_asian_width(text[at]) in "WF":
        return False
    return text[at] == "_" or unicodedata.category(text[at])[0] in "LMN"
