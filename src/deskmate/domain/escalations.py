"""Escalations: an agent, or a customer, wants a person to have the thread; and what an agent that is not sure does."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

PASSED_ON = "A person from the team will answer you here."
"""What a customer is told whose thread is passed on to people."""
DECLINED = "I cannot answer this, and the team has declined it."
LATER = "I cannot answer this, and the team is busy. A person will look at it and answer you here."
UNCHECKED = "too few answers have been checked yet for the AI to answer alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Why a thread is passed on to people. `suggestion` is what the agent would have said, `confidence` how sure it was of it."""

    reason: str
    urgency: str = "normal"
    summary: str | None = None
    suggestion: str | None = None
    confidence: float | None = None
    floor: float | None = None
    queue: str | None = None
    insists: bool = False
    """It is passed on though people have given the thread back: what the AI has to say may not be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """What came of it, for whoever passed it on. Where it was not accepted, `why`; with `retry_after` it happens by itself then.

    `position` counts from 1; it and the times are None as long as nobody can say.
    """

    accepted: bool
    why: str | None = None
    position: int | None = None
    expected_wait: timedelta | None = None
    opens_at: datetime | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Whether an answer may be given, and if not, why."""

    answers: bool
    why: str | None = None
    confidence: float | None = None


def assess(confidence: object, *, floor: float, requires_human: bool = False, reason: str | None = None) -> Assessment:
    """Whether an agent that is this sure answers alone: from the floor on, the floor included.

    A confidence that is missing, not a number, not finite, or not from 0 to 1 says nothing, so a person answers.
    """
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not math.isfinite(confidence):
        return Assessment(answers=False, why=reason or "the agent did not say how sure it is")
    sure = float(confidence)
    if not 0.0 <= sure <= 1.0:
        return Assessment(answers=False, why=reason or f"a confidence of {sure:g} means nothing")
    if requires_human:
        return Assessment(answers=False, why=reason or "the agent wants a person to answer", confidence=sure)
    if floor > 1.0:
        return Assessment(answers=False, why=reason or UNCHECKED, confidence=sure)
    if sure < floor:
        return Assessment(answers=False, why=reason or f"the agent is not sure: {sure:.2f} of {floor:.2f}", confidence=sure)
    return Assessment(answers=True, confidence=sure)


def shown(floor: float) -> float | None:
    """A floor as people are shown it; None where there is none that an agent could reach."""
    return floor if floor <= 1.0 else None
