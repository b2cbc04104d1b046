"""Completions: messages in the chat-completions format as messages of a thread. Pure; every error names its field.

What cannot be carried over is never dropped in silence: it is refused, or, for pictures and sounds, a text says it was there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as made
from datetime import datetime
from typing import cast

from deskmate.domain.actors import Author
from deskmate.domain.messages import ModelRole, NewMessage, Part, Text, ToolCall, ToolResult, readable, readable_parts, text_of
from deskmate.domain.values import Record, kind_of, loads, shown, text, text_or_none, time_of
from deskmate.errors import Invalid

_ROLES: Mapping[str, ModelRole] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_WORDS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
_MEDIA = frozenset({"image_url", "input_image", "image", "input_audio", "audio", "file", "input_file", "video_url", "video"})
MOST_CALLS = 1000  # of one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """Who wrote the messages of each role. Instructions come from a service: customers never see those."""

    customer: Author
    agent: Author
    instructions: Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message, and when it was written where that is known."""

    message: NewMessage
    at: datetime | None = None

    @property
    def text(self) -> str:
        """What a person reads of it."""
        return text_of(self.message.role, self.message.parts)


def entries(records: Sequence[object], voices: Voices, *, model: str | None = None, where: str = "messages") -> tuple[Entry, ...]:
    """The messages, in their order. Raises Invalid, naming the field."""
    reader = _Reader(voices=voices, model=model)
    return tuple(reader.entry(record, index, f"{where}[{index}]") for index, record in enumerate(records))


@dataclass(slots=True, kw_only=True)
class _Reader:
    """Reads one conversation, and remembers its calls: results without an id answer the oldest open call of their tool."""

    voices: Voices
    model: str | None
    tools: dict[str, str] = made(default_factory=dict[str, str])
    unanswered: dict[str, str] = made(default_factory=dict[str, str])

    def entry(self, record: object, index: int, where: str) -> Entry:
        if not isinstance(record, dict):
            raise Invalid(f"{where} must be an object, not {kind_of(record)}", field=where)
        of = cast("Record", record)
        given = of.get("role")
        if not isinstance(given, str) or given not in _ROLES:
            raise Invalid(f"{where}.role must be one of {', '.join(_ROLES)}, not {shown(given)}", field=f"{where}.role")
        role = _ROLES[given]
        parts = self._result(of, index, where) if role == "tool" else self._said(of, role, index, where)
        message = NewMessage(role=role, parts=readable_parts(parts), author=self._author(of, role, where))
        if role in ("assistant", "tool"):
            message = replace(message, agent_name=message.author.name, model=self.model if role == "assistant" else None)
        if given not in (role, "function"):
            message = replace(message, provider_metadata={"import": {"role": given}})
        return Entry(message=message, at=time_of(of, where))

    def _author(self, of: Record, role: ModelRole, where: str) -> Author:
        name = readable(text_or_none(of, "name", where) or "").strip()
        match role:
            case "user":
                return replace(self.voices.customer, name=name or self.voices.customer.name)
            case "assistant":
                return replace(self.voices.agent, name=name or self.voices.agent.name)
            case "tool":  # its `name` is that of the tool
                return self.voices.agent
            case "system":
                return self.voices.instructions

    def _said(self, of: Record, role: ModelRole, index: int, where: str) -> tuple[Part, ...]:
        said = [*_texts(of.get("content"), f"{where}.content")]
        if role != "assistant":
            return (*said,)
        refusal = text_or_none(of, "refusal", where)
        if refusal:
            said.append(Text(text=refusal))
        return (*said, *self._calls(of, index, where))

    def _calls(self, of: Record, index: int, where: str) -> Iterator[ToolCall]:
        listed = of.get("tool_calls")
        if listed is None:
            listed = []
        if not isinstance(listed, list):
            raise Invalid(f"{where}.tool_calls must be a list, not {kind_of(listed)}", field=f"{where}.tool_calls")
        calls = cast("list[object]", listed)
        if len(calls) > MOST_CALLS:
            raise Invalid(f"{where}.tool_calls has {len(calls)} calls; {MOST_CALLS} are the most", field=f"{where}.tool_calls")
        for number, call in enumerate(calls):
            yield self._call(call, f"call_{index}_{number}", f"{where}.tool_calls[{number}]")
        legacy = of.get("function_call")
        if legacy is not None:
            yield self._call({"function": legacy}, f"call_{index}", where, inner=f"{where}.function_call")

    def _call(self, record: object, id: str, where: str, inner: str | None = None) -> ToolCall:
        if not isinstance(record, dict):
            raise Invalid(f"{where} must be an object, not {kind_of(record)}", field=where)
        of = cast("Record", record)
        custom = of.get("type") == "custom"
        inner = inner or f"{where}.{'custom' if custom else 'function'}"
        function = of.get("custom" if custom else "function")
        if not isinstance(function, dict):
            raise Invalid(f"{inner} must be an object, not {kind_of(function)}", field=inner)
        what = cast("Record", function)
        tool = readable(text(what, "name", inner))
        call = readable(text_or_none(of, "id", where) or "") or id
        self.tools[call] = tool
        self.unanswered[call] = tool
        given = what.get("input") if custom else arguments(what.get("arguments"), f"{inner}.arguments")
        return ToolCall(call_id=call, tool=tool, input=given)

    def _result(self, of: Record, index: int, where: str) -> tuple[Part, ...]:
        name = readable(text_or_none(of, "name", where) or "")
        call = readable(text_or_none(of, "tool_call_id", where) or "")
        if not call and not name:
            raise Invalid(
                f"{where}.tool_call_id is missing: nothing tells which call this answers", field=f"{where}.tool_call_id"
            )
        if not call:
            call = next((one for one, tool in self.unanswered.items() if tool == name), f"call_{index}")
        self.unanswered.pop(call, None)
        return (ToolResult(call_id=call, tool=name or self.tools.get(call, "unknown"), output=_output(of.get("content"))),)


def arguments(given: object, where: str) -> object:
    """The arguments of a call: an object where the text is one, else the text exactly as the model wrote it."""
    if given is None:
        return {}
    if isinstance(given, dict):
        return cast("dict[str, object]", given)
    if not isinstance(given, str):
        raise Invalid(f"{where} must be a text, not {kind_of(given)}", field=where)
    try:
        value = loads(given, unique=True)
    except ValueError:
        return given
    return cast("object", value) if isinstance(value, dict) else given


def _output(content: object) -> object:
    """What a tool gave back: texts as one text, all else as it is."""
    if not isinstance(content, list):
        return content
    items = cast("list[object]", content)
    parts = [cast("Record", item) for item in items if isinstance(item, dict)]
    words = [part["text"] for part in parts if set(part) == {"type", "text"} and isinstance(part["text"], str)]
    return "\n".join(words) if len(words) == len(items) else items


def _texts(content: object, where: str) -> Iterator[Text]:
    if content is None or content == "":
        return
    if isinstance(content, str):
        yield Text(text=content)
        return
    if not isinstance(content, list):
        raise Invalid(f"{where} must be a text, a list of parts or null, not {kind_of(content)}", field=where)
    for index, part in enumerate(cast("list[object]", content)):
        yield _text_part(part, f"{where}[{index}]")


def _text_part(part: object, where: str) -> Text:
    if isinstance(part, str):
        return Text(text=part)
    if not isinstance(part, dict):
        raise Invalid(f"{where} must be an object, not {kind_of(part)}", field=where)
    of = cast("Record", part)
    kind = of.get("type")
    if isinstance(kind, str) and kind in _WORDS:
        return Text(text=text(of, _WORDS[kind], where, empty=True))
    if isinstance(kind, str) and kind in _MEDIA:
        return Text(text=_mention(of, kind))
    raise Invalid(f"{where}.type is {shown(kind)}; only texts, pictures, sounds and files are known here", field=f"{where}.type")


def _mention(of: Record, kind: str) -> str:
    """Files are not fetched: a line says that there was one, and where it is when that is an address."""
    inner = of.get(kind)
    url: object = cast("Record", inner).get("url") if isinstance(inner, dict) else inner
    what = kind.removeprefix("input_").removesuffix("_url")
    return f"[{what}: {url}]" if isinstance(url, str) and url.startswith(("https://", "http://")) else f"[{what}, not imported]"
