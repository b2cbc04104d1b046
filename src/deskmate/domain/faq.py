"""The FAQ: the team's own answers, accepted from suggestions, that an agent answers from beside its files."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from deskmate.domain.actors import Author

MOST_ENTRIES = 2_000
"""That an agent answers from. A FAQ of more belongs into files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaqEntry:
    """One question with its answer; `wordings` are other ways in which customers have asked it."""

    id: str
    question: str
    answer: str
    wordings: tuple[str, ...] = ()
    suggestion: str | None = None
    by: Author
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """All entries in force, as of a version of the store."""

    version: int
    entries: tuple[FaqEntry, ...]


Teacher = Callable[[int], Awaitable[Taught | None]]
"""Gives the entries unless they are those of the version that is known already. Before the first entry the version is 0."""


@runtime_checkable
class Learner(Protocol):
    """An agent that answers from the entries of the store it is run on."""

    def learn_from(self, teacher: Teacher) -> None:
        """Ask for the entries with every run from now on."""
        ...
