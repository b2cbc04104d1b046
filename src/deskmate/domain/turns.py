"""Turns: messages grouped as a screen shows them. An agent's calls, their results and the words they led to are one turn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from deskmate.domain.messages import ApprovalRequest, ApprovalResponse, Message, MessageStatus, Position, ToolCall, ToolResult


class ToolState(StrEnum):
    """How far a tool call has come."""

    INPUT_AVAILABLE = "input_available"
    OUTPUT_AVAILABLE = "output_available"
    OUTPUT_ERROR = "output_error"
    OUTPUT_DENIED = "output_denied"
    APPROVAL_REQUESTED = "approval_requested"
    APPROVAL_RESPONDED = "approval_responded"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTool:
    """One tool call of a turn."""

    call_id: str
    tool: str
    state: ToolState
    approval_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one participant said or did in one go. Id, position and author are those of its first message."""

    messages: tuple[Message, ...]
    role: Literal["system", "user", "assistant"]
    status: MessageStatus
    text: str
    tools: tuple[TurnTool, ...]

    @property
    def id(self) -> str:
        return self.messages[0].id

    @property
    def position(self) -> Position:
        return self.messages[0].position

    @property
    def agent_name(self) -> str | None:
        return self.messages[0].agent_name


def turns(messages: Sequence[Message]) -> tuple[Turn, ...]:
    """The turns of messages in order of position."""
    return tuple(_turn(group) for group in _groups(messages))


def _groups(messages: Iterable[Message]) -> list[list[Message]]:
    groups: list[list[Message]] = []
    unfinished = False
    for message in messages:
        if message.role in ("user", "system"):
            groups.append([message])
            unfinished = False
            continue
        if unfinished and groups[-1][-1].order == message.order:
            groups[-1].append(message)
        else:
            groups.append([message])
        # Words without a call are the last of a turn; after a call or a result more may come.
        unfinished = message.role == "tool" or any(isinstance(part, ToolCall) for part in message.parts)
    return groups


def _turn(group: list[Message]) -> Turn:
    role = group[0].role
    return Turn(
        messages=tuple(group),
        role="assistant" if role == "tool" else role,
        status=_status(group),
        text=" ".join(message.text for message in group if message.text),
        tools=_tools(group),
    )


def _status(group: list[Message]) -> MessageStatus:
    found = {message.status for message in group}
    return next((s for s in (MessageStatus.PENDING, MessageStatus.FAILED) if s in found), MessageStatus.SUCCESS)


def _tools(group: list[Message]) -> tuple[TurnTool, ...]:
    parts = [part for message in group for part in message.parts]
    results = {part.call_id: part for part in parts if isinstance(part, ToolResult)}
    asked = {part.call_id: part.approval_id for part in parts if isinstance(part, ApprovalRequest)}
    answered = {part.approval_id: part for part in parts if isinstance(part, ApprovalResponse)}
    return tuple(
        _tool(part, results.get(part.call_id), asked.get(part.call_id), answered.get(asked.get(part.call_id, "")))
        for part in parts
        if isinstance(part, ToolCall)
    )


def _tool(call: ToolCall, result: ToolResult | None, approval: str | None, response: ApprovalResponse | None) -> TurnTool:
    denied_reason = result.reason if result is not None and result.denied else None
    return TurnTool(
        call_id=call.call_id,
        tool=call.tool,
        state=_state(result, approval, response),
        approval_id=approval,
        reason=response.reason if response is not None else denied_reason,
    )


def _state(result: ToolResult | None, approval: str | None, response: ApprovalResponse | None) -> ToolState:
    if result is not None:
        if result.denied:
            return ToolState.OUTPUT_DENIED
        return ToolState.OUTPUT_ERROR if result.is_error else ToolState.OUTPUT_AVAILABLE
    if response is not None:
        return ToolState.APPROVAL_RESPONDED if response.approved else ToolState.OUTPUT_DENIED
    return ToolState.INPUT_AVAILABLE if approval is None else ToolState.APPROVAL_REQUESTED
