"""Chains: who is told next, and after how long, while nobody acts. A chain runs by the steps it began with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deskmate.domain.actors import Author
from deskmate.domain.assignments import Holder, parse_target
from deskmate.domain.policies import Rules
from deskmate.errors import Invalid

MOST_STEPS = 20
MOST_ROUNDS_MORE = 5
LONGEST_WAIT = 7 * 24 * 3600  # seconds
LONGEST_CHAIN = 30 * 24 * 3600  # seconds of one round
NEXT = "next"


class About(StrEnum):
    """What a chain is about: a thread that waits, or a request of a kind."""

    THREAD = "thread"
    QUESTION = "question"
    APPROVAL = "approval"
    ESCALATION = "escalation"


Name = Annotated[str, Field(min_length=1, max_length=100)]
Group = Literal["queue", "leads", "holder"]


class ChainStep(Rules):
    """One step, of one kind: wait so many seconds, tell people, page one, give the matter to a queue or an operator, or go back
    to the first step so many times."""

    wait: Annotated[int, Field(ge=1, le=LONGEST_WAIT)] | None = None
    notify: Group | Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)] | None = None
    page: Name | None = None
    reassign: Name | None = None
    repeat: Annotated[int, Field(ge=1, le=MOST_ROUNDS_MORE)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "ChainStep":
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("a step is one of wait, notify, page, reassign or repeat")
        if self.reassign is not None:
            _check_target(self.reassign)
        return self


def _check_target(target: str) -> None:
    try:
        holder, _ = parse_target(target)
    except Invalid:
        holder = Holder.AI
    if holder is Holder.AI:
        raise ValueError("reassign is to queue:NAME or operator:ID")


class Chain(Rules):
    """An escalation chain: what it is for, and its steps."""

    on: Annotated[frozenset[About], Field(min_length=1)]
    steps: Annotated[tuple[ChainStep, ...], Field(min_length=1, max_length=MOST_STEPS)]

    @model_validator(mode="after")
    def _ends(self) -> "Chain":
        waits = [step.wait for step in self.steps if step.wait is not None]
        if sum(waits) > LONGEST_CHAIN:
            raise ValueError("the waits of a chain are 30 days at most, all together")
        if all(step.wait is not None or step.repeat is not None for step in self.steps):
            raise ValueError("a chain has a step that does something")
        if any(step.repeat is not None for step in self.steps[:-1]):
            raise ValueError("repeat is the last step")
        if self.steps[-1].repeat is not None and not waits:
            raise ValueError("a chain that repeats has a wait")
        return self


class Reason(StrEnum):
    """Why a chain goes on no more."""

    CLAIMED = "claimed"
    DECIDED = "decided"
    CLOSED = "closed"
    TAKEN = "taken"
    ANSWERED = "answered"
    HANDED_BACK = "handed_back"
    MOVED = "moved"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    STOPPED = "stopped"
    """Somebody has stopped the chain itself."""
    DONE = "done"
    """It has come to its end."""


class ChainState(StrEnum):
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The step that comes next, in which round, and after how long."""

    step: int
    round: int
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningChain:
    """One chain on one thread, or on one request of it. `steps` are those it began with, `step` the one that comes at `due_at`.

    `epoch` is the newest change of hands that it knows of, `seq` the event that began it; `paged` were paged, and `given` is the
    operator to whom it gave the request itself. `ended_by` is whose action stopped it.
    """

    id: str
    thread: str
    request: str | None
    about: About
    queue: str
    policy: str
    steps: tuple[ChainStep, ...]
    step: int
    round: int
    due_at: datetime
    state: ChainState
    epoch: int
    seq: int
    paged: tuple[str, ...] = ()
    given: str | None = None
    ended_by: Author | None = None
    reason: Reason | None = None
    created_at: datetime
    ended_at: datetime | None = None


def upcoming(steps: Sequence[ChainStep], step: int, round: int) -> Due | None:
    """What comes next from this step on, past waits and the way back to the first step. None where nothing comes any more."""
    wait = 0
    while step < len(steps):
        here = steps[step]
        if here.wait is not None:
            wait, step = wait + here.wait, step + 1
        elif here.repeat is not None:
            if round > here.repeat:
                return None
            step, round = 0, round + 1
        else:
            return Due(step=step, round=round, wait=timedelta(seconds=wait))
    return None


def pages_next(
    queue: Sequence[tuple[str, bool]], leads: Sequence[str], paged: Sequence[str]
) -> tuple[str | None, tuple[str, ...]]:
    """Who is paged next, and who has been paged then. `queue` are its operators, each with whether they are available.

    Those who are there come first, then the others of the queue, then leads. When everybody has been paged it begins again.
    """
    there, away = [id for id, here in queue if here], [id for id, here in queue if not here]
    order = list(dict.fromkeys((*there, *away, *leads)))
    if not order:
        return None, tuple(paged)
    left = [id for id in order if id not in paged]
    chosen = left[0] if left else order[0]
    return chosen, (*paged, chosen) if left else (chosen,)
