"""Routes: who responds next, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from deskmate.domain.assignments import Holder
from deskmate.domain.messages import Visibility
from deskmate.domain.runs import Run
from deskmate.domain.threads import Mode, Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The decision who responds next, with the reason and what it was made from."""

    responder: Literal["ai", "draft", "human"]
    reason: str
    score: float | None = None
    floor: float | None = None
    inputs: Mapping[str, object] = field(default_factory=dict[str, object])


def said_as(thread: Thread, run: Run, *, held: bool = False) -> Visibility:
    """How a run's words on this thread are stored: held back for a person's approval while the thread is in review, or where the
    agent itself wants that; as notes where it speaks to the team."""
    if run.aside:
        return Visibility.NOTE
    return Visibility.DRAFT if held or thread.mode is Mode.REVIEW else Visibility.PUBLIC


def by_assignment(thread: Thread) -> Route:
    """The first link of the chain: a thread that people hold is answered by people, else its mode decides."""
    match thread.assignment.to:
        case Holder.OPERATOR:
            return Route(responder="human", reason=f"{thread.assignment.name or 'an operator'} holds the thread")
        case Holder.QUEUE:
            return Route(responder="human", reason=f"the thread waits in the queue {thread.assignment.id}")
        case Holder.AI:
            pass
    match thread.mode:
        case Mode.AUTO:
            return Route(responder="ai", reason="the AI holds the thread")
        case Mode.REVIEW:
            return Route(responder="draft", reason="the thread is in review: the AI drafts, a person sends")
        case Mode.OFF:
            return Route(responder="human", reason="the AI is off on this thread")
