"""Pages: lists in pieces that stay stable while rows come and go, because a cursor names a place and not a count."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from deskmate.domain.messages import readable
from deskmate.errors import BadCursor, Invalid

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """A piece of a list. `cursor` gets the next piece; None when there is none."""

    items: tuple[T, ...]
    cursor: str | None = None


def cursor_of(list_name: str, *place: int | str) -> str:
    """The cursor for a place in a list."""
    return base64.urlsafe_b64encode(json.dumps([list_name, *place], separators=(",", ":")).encode()).decode().rstrip("=")


def place_of(cursor: str, list_name: str, *kinds: type[int] | type[str], field: str = "cursor") -> list[int | str]:
    """The place a cursor names. Raises BadCursor for anything that this list did not make."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        record: object = json.loads(text)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadCursor(field=field) from error
    name, *place = cast("list[object]", record) if isinstance(record, list) and record else [None]
    if name != list_name or [type(value) for value in place] != list(kinds) or not all(_storable(value) for value in place):
        raise BadCursor(field=field)
    return [value for value in place if isinstance(value, (int, str))]


def _storable(value: object) -> bool:
    """Whether a store can compare with this: a cursor is only text, and anybody can write one."""
    if isinstance(value, str):
        return readable(value) == value
    return isinstance(value, int) and -(2**63) <= value < 2**63


def check_limit(limit: int, largest: int = 1000) -> int:
    """The limit itself. Raises Invalid unless it is from 1 to `largest`."""
    if isinstance(limit, bool) or not 1 <= limit <= largest:
        raise Invalid(f"limit is a number from 1 to {largest}", field="limit")
    return limit


def cut(rows: Sequence[T], limit: int) -> tuple[list[T], T | None]:
    """The first `limit` of `limit + 1` rows, and the last of them where there are more: the place to go on from."""
    kept = list(rows[:limit])
    return kept, kept[-1] if len(rows) > limit else None
