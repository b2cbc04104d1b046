"""Bodies of requests. Unknown members are refused, so that a mistyped name is noticed; text is text."""

import math
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from deskmate.domain.actors import Role
from deskmate.domain.messages import readable
from deskmate.domain.operators import Presence
from deskmate.domain.queues import Chooser
from deskmate.domain.requests import DecisionKind, OnExpiry
from deskmate.domain.threads import MOST_TAGS, Mode, Priority, Status
from deskmate.errors import Invalid


def _text(value: str) -> str:
    if readable(value) != value:
        raise ValueError("NUL and lone surrogates are not text")
    return value


def _plain(value: JsonValue) -> JsonValue:
    """JSON that both stores can hold and everybody can read: text is text at any depth, and numbers are finite."""
    match value:
        case str():
            return _text(value)
        case float() if not math.isfinite(value):
            raise ValueError("NaN and infinity are not JSON")
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case _:
            return value


CleanText = Annotated[str, AfterValidator(_text)]
Short = Annotated[CleanText, Field(min_length=1, max_length=200)]
Line = Annotated[CleanText, Field(max_length=500)]
Long = Annotated[CleanText, Field(max_length=20_000)]
Tags = Annotated[list[Short], Field(max_length=MOST_TAGS)]
Plain = Annotated[JsonValue, AfterValidator(_plain)]
PlainObject = Annotated[dict[str, JsonValue], AfterValidator(_plain)]


class Body(BaseModel):
    """A JSON object with these members and no others."""

    model_config = ConfigDict(extra="forbid")


class OpenThread(Body):
    customer: Short | None = None
    subject: Line | None = None
    metadata: PlainObject | None = None


class ChangeThread(Body):
    subject: Line | None = None
    summary: Long | None = None
    status: Status | None = None
    snoozed_until: Annotated[str, Field(max_length=40)] | None = None
    mode: Mode | None = None
    priority: Priority | None = None
    tags: Tags | None = None
    add_tags: Tags = []
    remove_tags: Tags = []
    language: Short | None = None
    metadata: PlainObject | None = None


class PostMessage(Body):
    text: CleanText = ""
    visibility: Literal["public", "note"] = "public"
    files: Annotated[list[Short], Field(max_length=20)] = []
    respond: bool | None = None
    author: Literal["customer"] | None = None
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Rate(Body):
    rating: Annotated[int, Field(strict=True)] | Literal["up", "down"]
    message: Short | None = None
    comment: Annotated[CleanText, Field(max_length=2000)] | None = None
    correction: Long | None = None


class ActOnThreads(Body):
    threads: Annotated[list[Short], Field(min_length=1, max_length=200)]
    status: Status | None = None
    snoozed_until: Annotated[str, Field(max_length=40)] | None = None
    priority: Priority | None = None
    add_tags: Tags = []
    remove_tags: Tags = []
    assign: Short | None = None
    note: Long | None = None


class MarkRead(Body):
    message: Short | None = None


class Typing(Body):
    typing: bool = True
    visibility: Literal["public", "note"] = "public"


class Viewing(Body):
    viewing: bool = True


class Respond(Body):
    agent: Short | None = None


class Escalate(Body):
    reason: Annotated[CleanText, Field(min_length=1, max_length=2_000)] | None = None
    summary: Annotated[CleanText, Field(min_length=1, max_length=2_000)] | None = None
    urgency: Priority = Priority.NORMAL


class Assign(Body):
    to: Short
    note: Long | None = None
    epoch: Annotated[int, Field(ge=0, lt=2**62)] | None = None


class Ask(Body):
    thread: Short | None = None
    question: Annotated[CleanText, Field(min_length=1, max_length=20_000)]
    reason: Long | None = None
    suggestion: Long | None = None
    response_schema: PlainObject | None = None
    queue: Short | None = None
    skills: Annotated[list[Short], Field(max_length=20)] = []
    priority: Priority = Priority.NORMAL
    expires_in: Annotated[float, Field(ge=1, le=31_536_000)] | None = None
    on_expiry: OnExpiry | None = None
    default: Plain = None
    remind_every: Annotated[float, Field(ge=1, le=31_536_000)] | None = None


class AddQueue(Body):
    name: Short
    skills: Annotated[list[Short], Field(max_length=100)] = []
    chooser: Chooser = Chooser.PULL
    calendar: PlainObject | None = None
    lease_seconds: Annotated[int, Field(ge=10, le=86_400)] | None = None
    sla: Short | None = None
    response: Short | None = None
    chain: Short | None = None


class ChangeQueue(Body):
    skills: Annotated[list[Short], Field(max_length=100)] | None = None
    chooser: Chooser | None = None
    calendar: PlainObject | None = None
    lease_seconds: Annotated[int, Field(ge=10, le=86_400)] | None = None
    sla: Short | None = None
    response: Short | None = None
    chain: Short | None = None


class PutPolicy(Body):
    rules: PlainObject


class Rehearse(Body):
    agent: Short
    rules: PlainObject
    since: Short | None = None


class Calibrate(Body):
    agent: Short


class OneExample(Body):
    text: Long
    intent: Short | None = None
    responder: Literal["ai", "human"]


class Learn(Body):
    agent: Short
    examples: Annotated[list[OneExample], Field(min_length=1, max_length=500)]


class Settle(Body):
    ran: bool
    value: Plain = None
    reason: Long | None = None


class Decide(Body):
    kind: DecisionKind
    value: Plain = None
    args: PlainObject | None = None
    text: CleanText | None = None
    reason: Long | None = None
    review: Long | None = None
    stale_ok: bool = False
    retry: bool = False
    args_digest: Short | None = None


class DecideOne(Decide):
    request: Short


class DecideMany(Body):
    decisions: Annotated[list[DecideOne], Field(min_length=1, max_length=100)]


class ChangeMe(Body):
    presence: Presence


class AddOperator(Body):
    name: Short
    email: Annotated[CleanText, Field(min_length=3, max_length=320)]
    role: Role = Role.OPERATOR
    skills: Annotated[list[Short], Field(max_length=100)] = []
    languages: Annotated[list[Short], Field(max_length=100)] = []
    queues: Annotated[list[Short], Field(max_length=100)] = []
    capacity: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    password: Annotated[CleanText, Field(min_length=8, max_length=1000)] | None = None


class ChangeOperator(Body):
    name: Short | None = None
    email: Annotated[CleanText, Field(min_length=3, max_length=320)] | None = None
    role: Role | None = None
    skills: Annotated[list[Short], Field(max_length=100)] | None = None
    languages: Annotated[list[Short], Field(max_length=100)] | None = None
    queues: Annotated[list[Short], Field(max_length=100)] | None = None
    capacity: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    password: Annotated[CleanText, Field(min_length=8, max_length=1000)] | None = None


class IssueKey(Body):
    name: Short | None = None
    operator: Short | None = None
    role: Role | None = None
    scopes: Annotated[list[Short], Field(max_length=20)] = []
    expires_at: Annotated[str, Field(max_length=40)] | None = None


class SignIn(Body):
    email: Annotated[CleanText, Field(min_length=1, max_length=320)]
    password: Annotated[CleanText, Field(min_length=1, max_length=1000)]


class UseLink(Body):
    token: Short
    name: Short
    email: Annotated[CleanText, Field(min_length=3, max_length=320)]
    password: Annotated[CleanText, Field(min_length=8, max_length=1000)]


class AddCanned(Body):
    shortcut: Annotated[CleanText, Field(min_length=1, max_length=40)]
    title: Short
    text: Annotated[CleanText, Field(min_length=1, max_length=10_000)]
    queue: Short | None = None


class ChangeCanned(Body):
    shortcut: Annotated[CleanText, Field(min_length=1, max_length=40)] | None = None
    title: Short | None = None
    text: Annotated[CleanText, Field(min_length=1, max_length=10_000)] | None = None
    queue: Short | None = None


class FillCanned(Body):
    thread: Short


class AddMacro(Body):
    name: Short
    actions: Annotated[list[PlainObject], Field(min_length=1, max_length=20)]


class ChangeMacro(Body):
    name: Short | None = None
    actions: Annotated[list[PlainObject], Field(min_length=1, max_length=20)] | None = None


class UseMacro(Body):
    macro: Short


class AddView(Body):
    name: Short
    filters: PlainObject
    shared: bool = False


class ChangeView(Body):
    name: Short | None = None
    filters: PlainObject | None = None
    shared: bool | None = None


class KeepUnsent(Body):
    text: CleanText
    visibility: Literal["public", "note"]


class ReadMentions(Body):
    mentions: Annotated[list[Short], Field(max_length=200)] | None = None


class CorrectUsage(Body):
    seconds: float
    reason: Line


class AddWebhook(Body):
    url: Annotated[CleanText, Field(min_length=1, max_length=2000)]
    events: Annotated[list[Short], Field(max_length=100)] = []
    queues: Annotated[list[Short], Field(max_length=100)] = []
    description: Line = ""
    hidden: bool = False
    allow_private: bool = False


class ChangeWebhook(Body):
    url: Annotated[CleanText, Field(min_length=1, max_length=2000)] | None = None
    events: Annotated[list[Short], Field(max_length=100)] | None = None
    queues: Annotated[list[Short], Field(max_length=100)] | None = None
    description: Line | None = None
    hidden: bool | None = None
    allow_private: bool | None = None
    state: Literal["enabled", "disabled"] | None = None


class ReplayDeliveries(Body):
    state: Literal["dead", "delivered"] | None = "dead"
    since: Short | None = None
    until: Short | None = None


class ReadNotifications(Body):
    notifications: Annotated[list[Short], Field(max_length=200)] | None = None


class Prefer(Body):
    channels: PlainObject = Field(default_factory=dict)
    quiet: PlainObject | None = None
    urgent_anyway: bool = True


def read_moment(text: str, field: str) -> datetime:
    """A time with an explicit zone. Raises Invalid, naming the field."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{field} must be a time such as 2026-03-01T09:00:00Z", field=field) from error
    if at.tzinfo is None:
        raise Invalid(f"{field} needs a time zone", field=field)
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise Invalid(f"{field} is too far away", field=field) from error
