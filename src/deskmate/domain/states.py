"""State machines: a table of allowed moves, and the one function that reads it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from deskmate.errors import Conflict

S = TypeVar("S", bound=StrEnum)


def move(table: Mapping[S, frozenset[S]], now: S, then: S) -> S:
    """The new state. Raises Conflict where the table does not allow the move."""
    if then not in table[now]:
        raise Conflict(f"cannot go from {now} to {then}", state=str(now))
    return then
