"""History: a thread's messages as Pydantic AI reads them, and its responses and tool returns as steps of the thread.

What a model is shown is always whole (P6): each tool call is followed by its result, no result stands without its call. What is
missing is repaired here, whatever the store holds, because a provider refuses the whole conversation for one open call.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never, cast

from pydantic_ai.messages import (
    ERROR_OUTCOMES,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_core import to_jsonable_python

from deskmate.domain.messages import ApprovalRequest, ApprovalResponse, ContextMessage, File, Part, Text, ToolCall, ToolResult

INTERRUPTED = "Interrupted: the process stopped while this tool was running. It is not known whether it ran."


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """A history in which every call has a result. `unknown` are results made up for calls of the last assistant message."""

    messages: tuple[ModelMessage, ...]
    unknown: tuple[ToolResult, ...]
    ends_with_words: bool
    """The last message is text of the assistant: there is nothing left to answer."""


def repair(history: Sequence[ContextMessage], *, human_tools: Collection[str], waiting: Collection[str] = ()) -> Repaired:
    """The history for a model. `human_tools` are the tools that a person answers; calls that are `waiting` run next.

    An open call to a person is left out: its request is still open, was withdrawn, or was never stored, and in each case nobody
    has said anything. An open call of any other tool gets an error result. Running it again could book, send or pay twice, and
    silently leaving it out would make the model call it again, which is the same; told that the outcome is unknown, the model can
    look first, or ask a person. (A tool that is safe to repeat loses nothing: the model calls it again.)
    """
    last_call = max((index for index, message in enumerate(history) if _calls(message)), default=-1)
    messages: list[ModelMessage] = []
    unknown: list[ToolResult] = []
    for index, message in enumerate(history):
        match message.role:
            case "system" | "user":
                messages.extend(_request(message))
            case "assistant":
                results = _results_of(history, index)
                missing = _missing(message, results, human_tools, waiting)
                if index == last_call:
                    unknown.extend(missing.values())
                messages.extend(_exchange(message, results | missing))
            case "tool":
                pass  # Results have been placed behind their calls; what is left over belongs to no call.
            case _:  # pyright: ignore[reportUnnecessaryComparison]
                assert_never(message.role)
    ends_with_words = bool(messages) and isinstance(messages[-1], ModelResponse)
    return Repaired(messages=tuple(messages), unknown=tuple(unknown), ends_with_words=ends_with_words)


def with_results(history: Sequence[ContextMessage], results: Sequence[ToolResult]) -> tuple[ContextMessage, ...]:
    """The history with what has just come of its calls, where the desk has stored it: behind the other results of the step,
    before the refusals."""
    messages = list(history)
    left = {result.call_id: result for result in results}
    for at in range(len(messages) - 1, -1, -1):
        found = [left.pop(call.call_id) for call in _calls(messages[at]) if call.call_id in left]
        if not found:
            continue
        behind = messages[at + 1 : at + 2]
        known = behind[0].parts if behind and behind[0].role == "tool" else ()
        refused = [part for part in known if isinstance(part, ToolResult) and part.denied]
        parts = (*(part for part in known if part not in refused), *found, *refused)
        messages[at + 1 : at + 2 if known else at + 1] = [ContextMessage(role="tool", parts=parts)]
    return tuple(messages)


def _calls(message: ContextMessage) -> list[ToolCall]:
    return [part for part in message.parts if isinstance(part, ToolCall)] if message.role == "assistant" else []


def _results_of(history: Sequence[ContextMessage], index: int) -> dict[str, ToolResult]:
    """The results of the calls of one assistant message, by call id; the first one counts.

    A call id is unique in its message only, so the search ends where a later message uses the id again.
    """
    wanted = {call.call_id for call in _calls(history[index])}
    found: dict[str, ToolResult] = {}
    for later in history[index + 1 :]:
        wanted -= {call.call_id for call in _calls(later)}
        for part in later.parts if later.role == "tool" else ():
            if isinstance(part, ToolResult) and part.call_id in wanted and part.call_id not in found:
                found[part.call_id] = part
        if not wanted - found.keys():
            break
    return found


def _missing(
    message: ContextMessage, results: Mapping[str, ToolResult], human_tools: Collection[str], waiting: Collection[str]
) -> dict[str, ToolResult]:
    return {
        call.call_id: ToolResult(call_id=call.call_id, tool=call.tool, output=INTERRUPTED, is_error=True)
        for call in _calls(message)
        if call.call_id not in results and call.tool not in human_tools and call.call_id not in waiting
    }


def _request(message: ContextMessage) -> Iterator[ModelRequest]:
    texts = [text for text in (_as_text(part) for part in message.parts) if text]
    if texts and message.role == "system":
        yield ModelRequest(parts=[SystemPromptPart(text) for text in texts])
    elif texts:
        yield ModelRequest(parts=[UserPromptPart(texts[0] if len(texts) == 1 else texts)])


def _exchange(message: ContextMessage, results: Mapping[str, ToolResult]) -> Iterator[ModelMessage]:
    """An assistant message, and the results of its calls directly behind it."""
    said: list[ModelResponsePart] = []
    returned: list[ModelRequestPart] = []
    for part in message.parts:
        if isinstance(part, ToolCall):
            if part.call_id in results:
                said.append(_call_part(part))
        elif text := _as_text(part):
            said.append(TextPart(text))
    called = {part.call_id for part in _calls(message)}
    returned.extend(_return_part(result) for call, result in results.items() if call in called)
    if said:
        yield ModelResponse(parts=said)
    if returned:
        yield ModelRequest(parts=returned)


def _as_text(part: Part) -> str:
    match part:
        case Text(text=text):
            return text
        case File(filename=filename, media_type=media_type):
            return f"[attached file: {filename or 'unnamed'}, {media_type}]"
        case ToolCall() | ToolResult() | ApprovalRequest() | ApprovalResponse():
            return ""
        case _:
            assert_never(part)


def _call_part(call: ToolCall) -> ToolCallPart:
    # Arguments that were no JSON object are kept as the text they were, so that the model sees its own mistake.
    if isinstance(call.input, Mapping):
        args: dict[str, object] | str = dict(cast("Mapping[str, object]", call.input))
    else:
        args = call.input if isinstance(call.input, str) else json.dumps(call.input)
    return ToolCallPart(tool_name=call.tool, args=args, tool_call_id=call.call_id)


def _return_part(result: ToolResult) -> ToolReturnPart:
    """What the model reads of a result. A person's answer comes with their name, a refusal with its reason, as words; where a
    person changed the arguments of a call, they come with its result."""
    content: object = result.output
    if result.denied:
        content = denial(result)
    elif result.args is not None and result.by is not None:
        content = {"result": result.output, "ran_with": dict(result.args), "arguments_changed_by": result.by.name}
    elif result.by is not None and not result.is_error:
        content = {"answer": result.output, "by": result.by.name}
    outcome = "denied" if result.denied else "failed" if result.is_error else "success"
    return ToolReturnPart(tool_name=result.tool, content=content, tool_call_id=result.call_id, outcome=outcome)


def denial(result: ToolResult) -> str:
    """The words for a call that a person, a policy or the clock said no to."""
    who = f" by {result.by.name}" if result.by is not None and result.by.name else ""
    return f"Declined{who}: {result.reason}" if result.reason else f"Declined{who}."


def told(news: Sequence[ToolResult]) -> str:
    """People's answers, for a model whose conversation has gone on since it asked."""
    lines = [f"- {json.dumps(to_jsonable_python(_return_part(result).content), ensure_ascii=False)}" for result in news]
    return "\n".join([
        "[From the support desk, not from the customer] Colleagues have decided what you asked them earlier:",
        *lines,
        "Tell the customer now. Do not repeat what has been said since.",
    ])  # fmt: skip


def parts_of(response: ModelResponse) -> tuple[Part, ...]:
    """The text and the tool calls of a response; thinking and the like stay with the provider."""
    parts: list[Part] = []
    for part in response.parts:
        if isinstance(part, TextPart) and part.content:
            parts.append(Text(text=part.content))
        elif isinstance(part, ToolCallPart):
            parts.append(ToolCall(call_id=part.tool_call_id, tool=part.tool_name, input=_input_of(part)))
    return tuple(parts)


def _input_of(call: ToolCallPart) -> object:
    """The arguments exactly as the model wrote them: an object where they are one, else the text."""
    if not isinstance(call.args, str):
        return call.args or {}
    try:
        return cast("object", json.loads(call.args)) if call.args.strip() else {}
    except ValueError:
        return call.args


def result_of(part: ToolReturnPart) -> ToolResult:
    """A tool's return as the thread keeps it: as JSON, without the bytes of files."""
    files = [f"[file: {file.media_type}]" for file in part.files]
    content = cast("object", part.content)
    if files:
        items = cast("list[object]", content) if isinstance(content, list) else []
        content = [item for item in items if item not in part.files] + files
    output: object = to_jsonable_python(content, serialize_unknown=True)
    return ToolResult(
        call_id=part.tool_call_id,
        tool=part.tool_name,
        output=None if part.outcome == "denied" else output,
        is_error=part.outcome in ERROR_OUTCOMES or part.outcome == "interrupted",
        denied=part.outcome == "denied",
        reason=str(output) if part.outcome == "denied" else None,
    )
