"""Requests: what an agent needs from a person. Decided once, applied once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deskmate.domain.actors import Author
from deskmate.errors import Invalid


class RequestKind(StrEnum):
    QUESTION = "question"
    APPROVAL = "approval"
    ESCALATION = "escalation"


class RequestState(StrEnum):
    OPEN = "open"
    CLAIMED = "claimed"
    DECIDED = "decided"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


_CLOSING = frozenset({RequestState.DECIDED, RequestState.EXPIRED, RequestState.CANCELLED, RequestState.SUPERSEDED})
WAITING = frozenset({RequestState.OPEN, RequestState.CLAIMED})

REQUEST_MOVES: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.OPEN: _CLOSING | {RequestState.CLAIMED},
    RequestState.CLAIMED: _CLOSING | {RequestState.OPEN},
    RequestState.DECIDED: frozenset({RequestState.APPLYING}),
    # Back to decided only for a tool that is declared idempotent: it may be run again.
    RequestState.APPLYING: frozenset({RequestState.APPLIED, RequestState.FAILED, RequestState.IN_DOUBT, RequestState.DECIDED}),
    RequestState.IN_DOUBT: frozenset({RequestState.APPLIED, RequestState.FAILED}),
    RequestState.EXPIRED: frozenset(),
    RequestState.CANCELLED: frozenset(),
    RequestState.SUPERSEDED: frozenset(),
    RequestState.APPLIED: frozenset(),
    RequestState.FAILED: frozenset(),
}


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class OnExpiry(StrEnum):
    """What happens when nobody decides in time."""

    DENY = "deny"
    APPROVE = "approve"
    DEFAULT = "default"
    ESCALATE = "escalate"
    REASSIGN = "reassign"
    WAIT = "wait"


DEFAULT_ON_EXPIRY: Mapping[RequestKind, OnExpiry] = {
    RequestKind.QUESTION: OnExpiry.ESCALATE,
    RequestKind.APPROVAL: OnExpiry.DENY,
    RequestKind.ESCALATION: OnExpiry.REASSIGN,
}


class TalkOver(StrEnum):
    """What becomes of an open request when a new run starts on its thread."""

    KEEP = "keep"
    """It stays open; its call is left out of the context until it is answered."""
    CANCEL = "cancel"
    """It is closed, and its call left out for good."""
    SUPERSEDE = "supersede"
    """It is closed, and the model is shown a denied result."""


DEFAULT_TALK_OVER: Mapping[RequestKind, TalkOver] = {
    RequestKind.QUESTION: TalkOver.KEEP,
    RequestKind.APPROVAL: TalkOver.SUPERSEDE,
    RequestKind.ESCALATION: TalkOver.KEEP,
}


class DecisionKind(StrEnum):
    ANSWER = "answer"
    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"
    TAKE_OVER = "take_over"
    DECLINE = "decline"


DECISIONS: Mapping[RequestKind, frozenset[DecisionKind]] = {
    RequestKind.QUESTION: frozenset({DecisionKind.ANSWER, DecisionKind.DECLINE}),
    RequestKind.APPROVAL: frozenset({DecisionKind.APPROVE, DecisionKind.EDIT, DecisionKind.REJECT, DecisionKind.RESPOND}),
    RequestKind.ESCALATION: frozenset({DecisionKind.TAKE_OVER, DecisionKind.ANSWER, DecisionKind.DECLINE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """What a person says, before it is known whether they were first.

    `args_digest` is that of the arguments they were shown: what has been changed meanwhile is not approved unseen.
    """

    kind: DecisionKind
    value: object = None
    args: Mapping[str, object] | None = None
    text: str | None = None
    reason: str | None = None
    review: str | None = None
    stale_ok: bool = False
    retry: bool = False
    args_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What closed a request: by whom, when, over which channel."""

    kind: DecisionKind
    value: object = None
    args: Mapping[str, object] | None = None
    text: str | None = None
    reason: str | None = None
    review: str | None = None
    by: Author
    at: datetime
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstApproval:
    """One of two people has approved; `args` are those they changed the call to, `args_digest` is that of what they approved."""

    by: Author
    at: datetime
    args: Mapping[str, object] | None = None
    args_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing an agent needs from a person. `call_id` is the tool call that its outcome answers.

    `approval` is the id that the approval of a call has in its message. Where there is no `run`, a program has stored that
    message, and runs the call itself once it is approved. `args` are what the agent asked for, `decision.args` what a person
    changed them to, `executed_args` what ran; each has a digest. `weight` is what a claim counts, in
    hundredths of a thread. `expires_in` is the time allowed, `missed` how many deadlines
    have passed.
    """

    id: str
    thread: str
    run: str | None
    kind: RequestKind
    state: RequestState = RequestState.OPEN
    agent: str | None = None
    question: str | None = None
    call_id: str | None = None
    call_message: str | None = None
    approval: str | None = None
    tool: str | None = None
    args: Mapping[str, object] | None = None
    args_digest: str | None = None
    draft: str | None = None
    reason: str | None = None
    suggestion: str | None = None
    confidence: float | None = None
    floor: float | None = None
    response_schema: Mapping[str, object] | None = None
    queue: str | None = None
    skills: tuple[str, ...] = ()
    weight: int = 30
    priority: str = "normal"
    risk: Risk = Risk.HIGH
    claimed_by: Author | None = None
    claimed_until: datetime | None = None
    expires_at: datetime | None = None
    expires_in: timedelta | None = None
    on_expiry: OnExpiry | None = None
    default: object = None
    missed: int = 0
    remind_at: datetime | None = None
    remind_every: timedelta | None = None
    talk_over: TalkOver = TalkOver.KEEP
    args_schema: Mapping[str, object] | None = None
    executed_args: Mapping[str, object] | None = None
    executed_digest: str | None = None
    reserved_attempt: int | None = None
    idempotent: bool = False
    caused_by: str | None = None
    self_approval: bool = True
    approvers: int = 1
    first_approval: FirstApproval | None = None
    decision: Decision | None = None
    outcome: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def approved_args(self) -> Mapping[str, object] | None:
        """What may run: the arguments as a person changed them, or as they were asked for."""
        edited = self.decision.args if self.decision is not None else None
        return self.args if edited is None else edited


def check_decision(request: Request, decision: NewDecision) -> None:
    """Whether this decision fits this request. Raises Invalid, naming the field."""
    allowed = DECISIONS[request.kind]
    if decision.kind not in allowed:
        raise Invalid(f"a {request.kind} takes {', '.join(sorted(allowed))}, not {decision.kind}", field="kind")
    if request.approval is not None and request.run is None and decision.kind is DecisionKind.EDIT:
        raise Invalid("the program that asked runs the call as it stored it: approve or reject it", field="kind")
    if decision.retry and (request.draft is None or decision.kind is not DecisionKind.REJECT):
        raise Invalid("only a draft that is rejected is written again", field="retry")
    needs_value = decision.kind in (DecisionKind.ANSWER, DecisionKind.RESPOND)
    if needs_value and (decision.value is None or (isinstance(decision.value, str) and not decision.value.strip())):
        raise Invalid(f"{decision.kind} needs a value", field="value")
    if decision.kind is DecisionKind.EDIT and request.draft is None and decision.args is None:
        raise Invalid("edit needs args", field="args")
    if decision.kind is DecisionKind.EDIT and request.draft is not None and not (decision.text or "").strip():
        raise Invalid("edit needs text", field="text")
