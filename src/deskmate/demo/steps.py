"""What happens in the demo's stories: who does what, and how long ago. The storyteller does it with the desk's own verbs."""

from dataclasses import dataclass

from deskmate.domain.threads import Mode, Priority


@dataclass(frozen=True, slots=True)
class Says:
    """The customer writes; when the AI holds the thread it answers, or asks."""

    text: str


@dataclass(frozen=True, slots=True)
class Answers:
    """An operator answers what the AI asked; the AI passes it on."""

    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Claims:
    """An operator says that they are on it."""

    operator: str


@dataclass(frozen=True, slots=True)
class TakesOver:
    """An operator takes the thread."""

    operator: str


@dataclass(frozen=True, slots=True)
class Replies:
    """An operator writes to the customer."""

    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    """An operator writes to the team."""

    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class HandsBack:
    """An operator gives the thread to the AI again."""

    operator: str
    note: str


@dataclass(frozen=True, slots=True)
class Queues:
    """An operator lets the thread wait for another team."""

    operator: str
    queue: str
    note: str


@dataclass(frozen=True, slots=True)
class Marks:
    """An operator sets priority and tags."""

    operator: str
    priority: Priority
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resolves:
    """An operator resolves the thread."""

    operator: str


@dataclass(frozen=True, slots=True)
class Snoozes:
    """An operator lets the thread rest until tomorrow morning."""

    operator: str


Step = Says | Answers | Claims | TakesOver | Replies | Notes | HandsBack | Queues | Marks | Resolves | Snoozes
Timed = tuple[float, Step]
"""A step, and how many minutes ago it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One thread: its customer, and what happened on it, oldest first."""

    customer: str
    name: str
    subject: str
    mode: Mode = Mode.AUTO
    steps: tuple[Timed, ...]
