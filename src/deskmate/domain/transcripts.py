"""Transcripts: conversations recorded elsewhere, on their way into threads. Pure; every error names its field.

A record is a list of chat-completions messages, or an object that holds one: `{"messages": [...]}` as fine-tuning files have it,
`{"traj": [...]}`, `{"conversation": [...]}`.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.completions import Entry, Voices, entries
from deskmate.domain.messages import ToolCall, ToolResult, readable
from deskmate.domain.values import Record, kind_of, loads, time_of
from deskmate.errors import Invalid

ESCALATE_TOOL = "transfer_to_human_agents"
HOLDERS = ("messages", "traj", "trajectory", "conversation")
IDS = ("id", "conversation_id", "thread_id", "session_id")
_REASONS = ("reason", "summary", "message", "note", "description")
LONGEST_ID = 200
LONGEST_SUBJECT = 80
LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The customer of a recorded conversation."""

    id: str
    name: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """A call that asked for a person. `call` and `result` are places in the conversation; without a result nobody told the AI."""

    call: int
    call_id: str
    tool: str
    args: Mapping[str, object] | None
    reason: str | None
    result: int | None
    output: object

    @property
    def known_at(self) -> int:
        """The place of the message with which all of it is known."""
        return self.call if self.result is None else self.result


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One recorded conversation. `digest` is that of its messages; it is the `id` too where none is given."""

    id: str
    digest: str
    customer: Recorded
    subject: str | None
    entries: tuple[Entry, ...]
    escalated: tuple[Escalated, ...]
    at: datetime | None

    @property
    def times(self) -> tuple[datetime | None, ...]:
        """When each message was written, as far as that is known: one without a time is as old as the one before it."""
        last = self.at or next((entry.at for entry in self.entries if entry.at is not None), None)
        return tuple(last := entry.at or last for entry in self.entries)

    @property
    def customer_texts(self) -> tuple[str, ...]:
        """What the customer said."""
        return tuple(entry.text for entry in self.entries if entry.message.role == "user" and entry.text.strip())


def conversation(
    record: object,
    *,
    source: str,
    customer_field: str | None = None,
    escalate_tools: Collection[str] = (ESCALATE_TOOL,),
    agent: str = "AI",
) -> Conversation:
    """A record as a conversation. `customer_field` is the path to the customer in it, like `user.id`. Raises Invalid."""
    envelope: Record = cast("Record", record) if isinstance(record, dict) else {}
    listed, where = _listed(cast("object", record))
    digest = _digest(listed, where)
    given = _given_id(envelope)
    id = given or f"sha256:{digest}"
    customer = _customer(envelope, customer_field, source, id, given)
    model = envelope.get("model")
    voices = Voices(
        customer=Author(kind=AuthorKind.CUSTOMER, id=customer.id, name=customer.name),
        agent=Author(kind=AuthorKind.AGENT, id=agent, name=agent),
        instructions=Author(kind=AuthorKind.SERVICE, id="import", name="Instructions"),
    )
    found = entries(listed, voices, model=readable(model) if isinstance(model, str) else None, where=where)
    return Conversation(
        id=id,
        digest=digest,
        customer=customer,
        subject=_subject(found),
        entries=found,
        escalated=_escalated(found, frozenset(escalate_tools)),
        at=time_of(envelope, "the record") if envelope else None,
    )


def read_line(line: str | bytes) -> object:
    """One line of a file as a record. Raises Invalid when it is no JSON."""
    if len(line) > LONGEST_LINE:
        raise Invalid(f"the line is longer than {LONGEST_LINE // 1024 // 1024} MiB")
    try:
        return loads(line.decode() if isinstance(line, bytes) else line)
    except UnicodeDecodeError as error:
        raise Invalid(f"the line is no UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"the line is no JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:
        raise Invalid(f"the line is no JSON: {error}") from None


def _listed(record: object) -> tuple[Sequence[object], str]:
    if isinstance(record, list):
        listed, where = cast("list[object]", record), "messages"
    elif isinstance(record, dict):
        of = cast("Record", record)
        where = next((name for name in HOLDERS if name in of), "")
        if not where:
            raise Invalid(f"the record has no list of messages ({', '.join(HOLDERS)})", field="messages")
        held: Any = of[where]
        if not isinstance(held, list):
            raise Invalid(f"{where} must be a list, not {kind_of(held)}", field=where)
        listed = cast("list[object]", held)
    else:
        raise Invalid(f"a record is an object or a list of messages, not {kind_of(record)}", field="messages")
    if not listed:
        raise Invalid(f"{where} is empty", field=where)
    return listed, where


def _digest(listed: Sequence[object], where: str) -> str:
    try:
        text = json.dumps(listed, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"{where} cannot be written as JSON: {error}", field=where) from None
    return hashlib.sha256(text.encode()).hexdigest()


def _given_id(envelope: Record) -> str | None:
    name = next((name for name in IDS if envelope.get(name) is not None), None)
    return None if name is None else _id(envelope[name], name)


def _id(value: object, field: str) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_ID or readable(text) != text:
        raise Invalid(f"{field} must be a text of 1 to {LONGEST_ID} characters, or a whole number", field=field)
    return text


def _customer(envelope: Record, path: str | None, source: str, id: str, given: str | None) -> Recorded:
    """Without a field that names them, each conversation has a customer of its own."""
    if path is None:
        own = f"{source}:{id}"
        own = own if len(own) <= LONGEST_ID else f"import:{hashlib.sha256(own.encode()).hexdigest()}"
        return Recorded(id=own, name=given or "Customer")
    value: Any = envelope
    for step in path.split("."):
        value = cast("Record", value).get(step) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return Recorded(id=_id(value, path), name=_id(value, path))
    of = cast("Record", value)
    known = _id(of.get("id"), f"{path}.id")
    name, email = of.get("name"), of.get("email")
    return Recorded(
        id=known,
        name=readable(name) if isinstance(name, str) and name else known,
        email=readable(email) if isinstance(email, str) and email else None,
    )


def _subject(found: Sequence[Entry]) -> str | None:
    """The customer's first words, as people would call the thread."""
    for entry in found:
        words = " ".join(entry.text.split()) if entry.message.role == "user" else ""
        if words:
            return words if len(words) <= LONGEST_SUBJECT else words[: LONGEST_SUBJECT - 1].rsplit(" ", 1)[0] + "…"
    return None


def _escalated(found: Sequence[Entry], tools: frozenset[str]) -> tuple[Escalated, ...]:
    results: dict[str, list[int]] = {}
    for at, entry in enumerate(found):
        for part in entry.message.parts:
            if isinstance(part, ToolResult):
                results.setdefault(part.call_id, []).append(at)
    escalated: list[Escalated] = []
    for at, entry in enumerate(found):
        for part in entry.message.parts:
            if isinstance(part, ToolCall) and part.tool in tools:
                result = next((place for place in results.get(part.call_id, ()) if place > at), None)
                escalated.append(_escalation(part, at, result, found))
    return tuple(escalated)


def _escalation(call: ToolCall, at: int, result: int | None, found: Sequence[Entry]) -> Escalated:
    args = cast("Mapping[str, object]", call.input) if isinstance(call.input, dict) else None
    reasons = [args.get(name) for name in _REASONS] if args is not None else []
    output = None
    if result is not None:
        parts = found[result].message.parts
        output = next(part.output for part in parts if isinstance(part, ToolResult) and part.call_id == call.call_id)
    return Escalated(
        call=at,
        call_id=call.call_id,
        tool=call.tool,
        args=args,
        reason=next((readable(reason) for reason in reasons if isinstance(reason, str) and reason.strip()), None),
        result=result,
        output=output,
    )
