"""Feedback: what people made of the words of an AI, what they said themselves, and ratings; kept as examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.messages import Message
from deskmate.errors import Invalid

LAST = 20
"""How many of the words before are kept as the context."""
LONGEST = 4000
"""Characters that are kept of each of them; of what is judged itself, all."""


class FeedbackKind(StrEnum):
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"
    ANSWER = "answer"
    DECLINE = "decline"
    TAKE_OVER = "take_over"
    RATING = "rating"
    CORRECTION = "correction"


class About(StrEnum):
    """What it is about: what a person decided, or words that were said."""

    DRAFT = "draft"
    TOOL = "tool"
    QUESTION = "question"
    ESCALATION = "escalation"
    MESSAGE = "message"
    THREAD = "thread"


STARS = range(1, 6)
THUMBS = ("up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Public words of a thread, with the message they stand in."""

    message: str
    kind: AuthorKind
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One piece of it. `prompt` is what the customer said last before, `context` the last words before, the prompt among them.

    `draft` is what the AI wrote, or the call it wanted to make, `final` what was said or done in the end; `question` is what the
    AI asked people. `score` and `floor` are how sure it had been, and how sure it had to be. `key` names what this came from.
    """

    id: str
    key: str
    thread: str
    kind: FeedbackKind
    about: About
    message: str | None = None
    run: str | None = None
    agent: str | None = None
    request: str | None = None
    question: str | None = None
    prompt: str | None = None
    prompt_message: str | None = None
    context: tuple[Said, ...] = ()
    draft: str | None = None
    final: str | None = None
    rating: str | int | None = None
    review: str | None = None
    by: Author
    score: float | None = None
    floor: float | None = None
    created_at: datetime


def checked_rating(value: object, *, thumbs_only: bool = False) -> str | int:
    """A rating: `up`, `down`, or from 1 to 5. Raises Invalid."""
    if isinstance(value, str) and value in THUMBS:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value in STARS and not thumbs_only:
        return value
    raise Invalid("a rating is up or down" if thumbs_only else "a rating is up, down, or a number from 1 to 5", field="rating")


def said(message: Message) -> Said:
    """The words of a message as they are kept with feedback."""
    return Said(message=message.id, kind=message.author.kind, name=message.author.name, text=message.text[:LONGEST])


def prompt_of(context: tuple[Said, ...]) -> Said | None:
    """What the customer said last."""
    return next((one for one in reversed(context) if one.kind is AuthorKind.CUSTOMER), None)


def without(context: tuple[Said, ...], message: str) -> tuple[Said, ...]:
    """The context without the words of a message."""
    return tuple(one for one in context if one.message != message)


def feedback_json(feedback: Feedback) -> dict[str, object]:
    """All of it as plain values: for the team, never for customers."""
    names = ("id", "thread", "kind", "about", "message", "run", "agent", "request", "question", "prompt")
    record: dict[str, object] = {name: getattr(feedback, name) for name in names}
    return record | {
        "context": [*map(_said_json, feedback.context)],
        "draft": feedback.draft,
        "final": feedback.final,
        "rating": feedback.rating,
        "review": feedback.review,
        "by": _author_json(feedback.by),
        "score": feedback.score,
        "floor": feedback.floor,
        "created_at": feedback.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _said_json(one: Said) -> Mapping[str, str]:
    return {"message": one.message, "author": one.kind, "name": one.name, "text": one.text}


def _author_json(author: Author) -> Mapping[str, str | None]:
    return {"kind": author.kind, "id": author.id, "name": author.name}


def names_in(feedback: Feedback) -> Iterator[str]:
    """The names that a piece of feedback knows of."""
    yield feedback.by.name
    yield from (one.name for one in feedback.context if one.kind is not AuthorKind.AGENT)
