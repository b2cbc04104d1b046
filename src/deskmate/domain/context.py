"""Context: which messages a model is given, and in what order. Pure. A model never sees a broken history (P6)."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import (
    ApprovalRequest,
    ApprovalResponse,
    ContextMessage,
    File,
    Message,
    MessageStatus,
    Part,
    Text,
    ToolCall,
    ToolResult,
    Visibility,
    is_tool,
)

UNANSWERED = "nobody answered; the conversation went on"


def speaks(message: Message, *, run: str | None = None) -> bool:
    """Whether a message is part of a context without being asked for: finished and public, or a marker of the desk.

    A line that the desk wrote for the customer is not for models; a marker is a system message that only the team sees. A `run`
    that goes on is given its own steps whoever may see them: what it did not know of it would do again.
    """
    if message.status is not MessageStatus.SUCCESS:
        return False
    if run is not None and message.run == run and message.role in ("assistant", "tool"):
        return True
    if message.role == "system" and message.author.kind is AuthorKind.SYSTEM:
        return message.visibility is Visibility.NOTE
    return message.visibility is Visibility.PUBLIC


def context(
    history: Sequence[Message],
    *,
    prompt_message: str | None = None,
    prompt: str | None = None,
    messages: Sequence[ContextMessage] = (),
    exclude_tool: bool = False,
    keep_approved: bool | Collection[str] = False,
    run: str | None = None,
) -> tuple[ContextMessage, ...]:
    """What a model is given, from a stored history in order of position.

    `prompt_message` is the stored message to answer: what stands behind it on its order follows it, and it is part of the context
    whatever its status and visibility. A `prompt` takes its place, or stands at the end where there is none. `messages` stand
    before the prompt. `keep_approved` keeps calls that a person approved and that have not run yet, all or those of some
    approvals, for whoever runs them next;
    without it every call has a result. `run` is the run that goes on, if it is one.
    """
    usable = [
        m for m in history if m.id == prompt_message or (speaks(m, run=run) and not (exclude_tool and is_tool(m.role, m.parts)))
    ]
    at = next((index for index, m in enumerate(usable) if m.id == prompt_message), len(usable))
    asked = [_plain(message) for message in usable[at : at + 1]]
    if prompt is not None:
        asked = [ContextMessage(role="user", parts=(Text(text=prompt),))]
    sequence = [*map(_plain, usable[:at]), *messages, *asked, *map(_plain, usable[at + 1 :])]
    return close(sequence, keep_approved=keep_approved)


def close(sequence: Sequence[ContextMessage], *, keep_approved: bool | Collection[str] = False) -> tuple[ContextMessage, ...]:
    """The sequence with every tool call answered: results stand right behind their call; what has no counterpart is left out.

    An approval that was refused, or that nobody answered, is a denied result. Approval parts themselves are left out.
    """
    entries: list[_Entry] = []
    responses = {p.approval_id: p for m in sequence for p in m.parts if isinstance(p, ApprovalResponse)}
    waiting: dict[str, _Entry] = {}
    approvals: dict[str, tuple[_Entry, str]] = {}
    for message in sequence:
        entry = _Entry(message=message)
        entries.append(entry)
        for part in message.parts:
            match part:
                case ToolCall():
                    entry.calls.setdefault(part.call_id, part)
                    waiting[part.call_id] = entry
                case ToolResult():
                    if (caller := waiting.pop(part.call_id, None)) is not None:
                        caller.settle(part)
                case ApprovalRequest():
                    approvals[part.approval_id] = entry, part.call_id
                    response = responses.get(part.approval_id)
                    if _runs_next(part.approval_id, response, keep_approved):
                        entry.kept.add(part.call_id)
                    elif response is not None or not part.left_out:
                        entry.asks[part.call_id] = response
                case ApprovalResponse() if not part.approved and part.approval_id in approvals:
                    approvals[part.approval_id][0].deny(approvals[part.approval_id][1], part)
                case _:
                    pass
    return tuple(message for entry in entries for message in entry.shown())


@dataclass(slots=True, kw_only=True)
class _Entry:
    """A message on its way into a context, with its calls and what came of them."""

    message: ContextMessage
    calls: dict[str, ToolCall] = field(default_factory=dict[str, ToolCall])
    asks: dict[str, ApprovalResponse | None] = field(default_factory=dict[str, ApprovalResponse | None])
    kept: set[str] = field(default_factory=set[str])
    """The calls that are run next."""
    results: dict[str, ToolResult] = field(default_factory=dict[str, ToolResult])

    def settle(self, result: ToolResult) -> None:
        """A call has this result. A refusal that is stored as one too stands where its result is stored."""
        refused = self.results.pop(result.call_id, None)
        self.results[result.call_id] = refused or result

    def deny(self, call_id: str, said: ApprovalResponse) -> None:
        """A person refused this call, or the desk did."""
        if call_id in self.calls:
            tool, by = self.calls[call_id].tool, said.by
            denied = ToolResult(call_id=call_id, tool=tool, denied=True, reason=said.reason, request=said.request, by=by)
            self.results.setdefault(call_id, denied)

    def shown(self) -> list[ContextMessage]:
        """The message and, right behind it, the results of its calls; what is empty is left out."""
        results = self._unanswered() | self.results
        said = ContextMessage(role=self.message.role, parts=tuple(self._said(self.kept | set(results))))
        answers = ContextMessage(role="tool", parts=tuple(results.values()))
        return [message for message in (said, answers) if message.parts]

    def _unanswered(self) -> dict[str, ToolResult]:
        """Approvals that nobody answered count as refused."""
        return {
            call: ToolResult(call_id=call, tool=self.calls[call].tool, denied=True, reason=UNANSWERED)
            for call, response in self.asks.items()
            if response is None and call in self.calls and call not in self.results
        }

    def _said(self, settled: set[str]) -> Iterator[Part]:
        seen: set[str] = set()
        for part in self.message.parts:
            match part:
                case ToolCall():
                    if part.call_id in settled and part.call_id not in seen:
                        seen.add(part.call_id)
                        yield part
                case ToolResult() | ApprovalRequest() | ApprovalResponse():
                    pass
                case Text() | File():
                    yield part
                case _:
                    assert_never(part)


def _runs_next(approval: str, response: ApprovalResponse | None, keep_approved: bool | Collection[str]) -> bool:
    """Whether a call is kept. Whoever names approvals knows of them, though the message that says so may be gone."""
    if isinstance(keep_approved, bool):
        return keep_approved and response is not None and response.approved
    return approval in keep_approved


def _plain(message: Message) -> ContextMessage:
    return ContextMessage(role=message.role, parts=message.parts)


def asks(message: Message) -> frozenset[str]:
    """The calls and approvals that a message asks for."""
    calls = {f"call {part.call_id}" for part in message.parts if isinstance(part, ToolCall)}
    return frozenset(calls | {f"approval {part.approval_id}" for part in message.parts if isinstance(part, ApprovalRequest)})


def loose_ends(history: Sequence[Message]) -> frozenset[str]:
    """The calls and approvals that are answered in a piece of history and were asked for before it: where a cut breaks it."""
    asked: set[str] = set()
    loose: set[str] = set()
    for message in history:
        asked |= asks(message)
        answered = {f"call {part.call_id}" for part in message.parts if isinstance(part, ToolResult)}
        answered |= {f"approval {part.approval_id}" for part in message.parts if isinstance(part, ApprovalResponse)}
        loose |= answered - asked
    return frozenset(loose)
