"""Canned replies: texts kept ready under a shortcut, with variables that are filled in for one thread and one person."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.operators import words
from deskmate.errors import Invalid

VARIABLES = ("customer.name", "operator.name", "thread.id", "thread.subject")
LONGEST_TEXT = 10_000  # characters
LONGEST_SHORTCUT = 40  # characters
_VARIABLE = re.compile(r"{{([^{}|]*)(?:\|([^{}]*))?}}")
_SHORTCUT = re.compile(rf"[\w-]{{1,{LONGEST_SHORTCUT}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CannedReply:
    """One text kept ready. With a `queue` it is for those who work that queue; without, for everybody."""

    id: str
    shortcut: str
    title: str
    text: str
    queue: str | None = None
    created_at: datetime
    updated_at: datetime


def check_shortcut(shortcut: str) -> str:
    """The shortcut in one spelling (NFKC). Raises Invalid."""
    normal = unicodedata.normalize("NFKC", shortcut)
    if not _SHORTCUT.fullmatch(normal):
        raise Invalid(f"a shortcut has 1 to {LONGEST_SHORTCUT} letters, digits, - and _", field="shortcut")
    return normal


def key_of(text: str) -> str:
    """A text without case: what shortcuts are told apart by, and words are found by."""
    return unicodedata.normalize("NFKC", text).casefold()


def check_title(title: str) -> str:
    """Raise Invalid unless this is a name people can read."""
    return words(title, "title", 200)


def check_queue(queue: str | None) -> str | None:
    """The queue, None for everybody. Raises Invalid."""
    return words(queue, "queue") if queue else None


def check_variables(text: str, field: str = "text") -> str:
    """The text itself. Raises Invalid, naming the first variable that there is not."""
    for found in _VARIABLE.finditer(text):
        if found[1].strip() not in VARIABLES:
            known = ", ".join(f"{{{{{name}}}}}" for name in VARIABLES)
            raise Invalid(f"there is no variable {found[0]}; there are {known}", field=field, variable=found[1].strip())
    return text


def fill(text: str, values: Mapping[str, str | None]) -> str:
    """The text with its variables filled in; one that has no value becomes its fallback, or nothing.

    A value stands as it is: variables in it, say in a customer's name, are only text.
    """

    def value(found: re.Match[str]) -> str:
        return values.get(found[1].strip()) or (found[2] or "").strip()

    return _VARIABLE.sub(value, text)
