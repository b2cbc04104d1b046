"""Messages: the entries of a thread, each at a position, with an author and a visibility."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from deskmate.domain.actors import Author


class Position(NamedTuple):
    """The turn, and the place inside the turn."""

    order: int
    step: int


class Visibility(StrEnum):
    PUBLIC = "public"
    NOTE = "note"
    DRAFT = "draft"


class MessageStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILED = "failed"


ModelRole = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What an agent wants done. `call_id` is chosen by the model; it is unique in its message only."""

    call_id: str
    tool: str
    input: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What came of a call. `denied` when a person or a policy said no; `request` and `by` when a person answered.

    `args` are those the call ran with, where the person `by` changed them before they approved it.
    """

    call_id: str
    tool: str
    output: object = None
    is_error: bool = False
    denied: bool = False
    reason: str | None = None
    request: str | None = None
    by: Author | None = None
    args: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A stored file, shown or given to the model."""

    file: str
    media_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A call waits for people. While nobody answers, models are shown it as refused or, where it is `left_out`, not at all."""

    approval_id: str
    call_id: str
    left_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResponse:
    """What a person decided about an approval; `request` and `by` where the ledger has it."""

    approval_id: str
    approved: bool
    reason: str | None = None
    request: str | None = None
    by: Author | None = None


Part = Text | ToolCall | ToolResult | File | ApprovalRequest | ApprovalResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message before it has a position and an id. `files` are those it keeps beside the ones that its parts show, `mentions`
    the operators whom a note calls on."""

    role: ModelRole
    parts: tuple[Part, ...]
    author: Author
    visibility: Visibility = Visibility.PUBLIC
    status: MessageStatus = MessageStatus.SUCCESS
    agent_name: str | None = None
    model: str | None = None
    provider: str | None = None
    provider_metadata: Mapping[str, object] | None = None
    usage: Mapping[str, int] | None = None
    error: str | None = None
    run: str | None = None
    files: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of a thread."""

    id: str
    thread: str
    order: int
    step: int
    role: ModelRole
    parts: tuple[Part, ...]
    author: Author
    visibility: Visibility = Visibility.PUBLIC
    status: MessageStatus = MessageStatus.SUCCESS
    agent_name: str | None = None
    model: str | None = None
    provider: str | None = None
    provider_metadata: Mapping[str, object] | None = None
    usage: Mapping[str, int] | None = None
    error: str | None = None
    run: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def position(self) -> Position:
        return Position(self.order, self.step)

    @property
    def text(self) -> str:
        """What a person reads: the text parts, joined by one space; empty for tool messages."""
        return text_of(self.role, self.parts)

    @property
    def said(self) -> bool:
        """Whether these are whole words, or files, that are out for the customer to read."""
        out = self.visibility is Visibility.PUBLIC and self.status is MessageStatus.SUCCESS
        speaks = bool(self.text.strip()) or any(isinstance(part, File) for part in self.parts)
        return out and speaks and self.role in ("user", "assistant")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextMessage:
    """One message as a model is given it."""

    role: ModelRole
    parts: tuple[Part, ...] = field(default_factory=tuple[Part, ...])


def text_of(role: ModelRole, parts: Sequence[Part]) -> str:
    """The text parts, joined by one space; a tool message has no text."""
    if role == "tool":
        return ""
    return " ".join(part.text for part in parts if isinstance(part, Text) and part.text)


def is_tool(role: ModelRole, parts: Sequence[Part]) -> bool:
    """Whether a message is about tools: the result of one, or a message that calls one."""
    return role == "tool" or any(isinstance(part, ToolCall) for part in parts)


def readable(text: str) -> str:
    """The text without what no store and no wire can carry: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def readable_parts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts with readable text."""
    return tuple(Text(text=readable(part.text)) if isinstance(part, Text) else part for part in parts)
