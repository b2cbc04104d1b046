"""Opening: requests as records, and how they come to be: questions, drafts, and approvals that stand in stored messages."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from deskmate.domain.actors import Actor, Author, AuthorKind
from deskmate.domain.agents import Question
from deskmate.domain.events import EventType
from deskmate.domain.messages import ApprovalRequest, ApprovalResponse, Message, MessageStatus, ToolCall, ToolResult
from deskmate.domain.requests import (
    DEFAULT_ON_EXPIRY,
    WAITING,
    Decision,
    DecisionKind,
    OnExpiry,
    Request,
    RequestKind,
    RequestState,
    Risk,
)
from deskmate.domain.threads import Priority, Thread
from deskmate.errors import Invalid, NotFound
from deskmate.services import feed
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc, utc_or_none

EXPIRES_IN = timedelta(hours=24)
UNSET: Mapping[str, object] = dict.fromkeys(
    (
        "run", "question", "call_id", "call_message", "approval", "tool", "args", "args_digest", "draft", "reason", "suggestion",
        "confidence", "floor", "response_schema", "queue",
    )
) | {"skills": "[]"}  # fmt: skip
"""What a request has that nobody said anything about."""


def _json(text: str | None) -> object:
    return None if text is None else json.loads(text)


def _decision_of(row: Row) -> Decision | None:
    if row["decision_kind"] is None:
        return None
    return Decision(
        kind=DecisionKind(row["decision_kind"]),
        value=_json(row["decision_value"]),
        args=json.loads(row["decision_args"]) if row["decision_args"] else None,
        text=row["decision_text"],
        reason=row["decision_reason"],
        review=row["decision_review"],
        by=Author(kind=AuthorKind(row["decided_by_kind"]), id=row["decided_by"], name=row["decided_name"]),
        at=utc(row["decided_at"]),
        channel=row["decided_channel"],
    )


def request_of(row: Row) -> Request:
    """A stored row as a request."""
    claimed = row["state"] == RequestState.CLAIMED
    return Request(
        id=row["id"],
        thread=row["thread"],
        run=row["run"],
        kind=RequestKind(row["kind"]),
        state=RequestState(row["state"]),
        agent=row["agent"],
        question=row["question"],
        call_id=row["call_id"],
        call_message=row["call_message"],
        approval=row["approval"],
        tool=row["tool"],
        args=json.loads(row["args"]) if row["args"] else None,
        args_digest=row["args_digest"],
        draft=row["draft"],
        reason=row["reason"],
        suggestion=row["suggestion"],
        confidence=row["confidence"],
        floor=row["floor"],
        response_schema=json.loads(row["response_schema"]) if row["response_schema"] else None,
        queue=row["queue"],
        skills=tuple(json.loads(row["skills"])),
        priority=row["priority"],
        risk=Risk(row["risk"]),
        claimed_by=Author(kind=AuthorKind.OPERATOR, id=row["claimed_by"], name=row["claimed_name"]) if claimed else None,
        claimed_until=utc_or_none(row["claimed_until"]) if claimed else None,
        expires_at=utc_or_none(row["expires_at"]),
        on_expiry=OnExpiry(row["on_expiry"]) if row["on_expiry"] else None,
        decision=_decision_of(row),
        outcome=row["outcome"],
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


async def get(tx: Tx, id: str) -> Request:
    """One request. Raises NotFound."""
    row = await tx.one("requests.get", id=id)
    if row is None:
        raise NotFound(f"there is no request {id}", field="request")
    return request_of(row)


async def waiting(tx: Tx, thread: str) -> list[Request]:
    """The undecided requests of a thread, oldest first."""
    return [request_of(row) for row in await tx.all("requests.waiting_of_thread", thread=thread)]


async def open_question(
    tx: Tx,
    thread: Thread,
    asked: Question,
    *,
    actor: Actor,
    run: str | None = None,
    call: Message | None = None,
    tool: str | None = None,
) -> Request:
    """Store a request and let the thread wait for a person. The caller holds the thread's lock. Raises Invalid."""
    check_schema(asked.response_schema)
    return await _open(
        tx, thread.id, asked.kind, actor=actor, expires_in=asked.expires_in, run=run, agent=actor.name, question=asked.question,
        call_id=asked.call_id, call_message=call.id if call else None, tool=tool, reason=asked.reason,
        suggestion=asked.suggestion, confidence=asked.confidence, floor=asked.floor, queue=asked.queue, priority=asked.urgency,
        risk=asked.risk,
        response_schema=json.dumps(asked.response_schema) if asked.response_schema is not None else None,
    )  # fmt: skip


async def open_draft(tx: Tx, thread: Thread, message: Message, *, actor: Actor) -> Request:
    """Ask a person to approve a message that is held back. The caller holds the thread's lock."""
    return await _open(
        tx, thread.id, RequestKind.APPROVAL, actor=actor, run=message.run, agent=actor.name, draft=message.id,
        suggestion=message.text, queue=thread.queue, priority=thread.priority, risk=Risk.LOW,
    )  # fmt: skip


async def _open(
    tx: Tx, thread: str, kind: RequestKind, *, actor: Actor, expires_in: timedelta | None = EXPIRES_IN, **facts: object
) -> Request:
    expires_at = tx.now + expires_in if expires_in is not None else None
    row = await tx.one(
        "requests.insert",
        **{**UNSET, **facts},
        id=tx.id("request"), thread=thread, kind=kind, expires_at=ms(expires_at),
        on_expiry=DEFAULT_ON_EXPIRY[kind] if expires_at else OnExpiry.WAIT, now=ms(tx.now),
    )  # fmt: skip
    assert row is not None
    await tx.run("assignments.waits", thread=thread, now=ms(tx.now))
    request = request_of(row)
    await announce(tx, request, EventType.REQUEST_OPENED, actor=actor)
    return request


def digest(args: object) -> str:
    """The digest of the arguments of a call: what was approved is what runs."""
    return sha256(json.dumps(args, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


async def of_approval(tx: Tx, thread: str, approval: str) -> Request | None:
    """The request for an approval that stands in a message of this thread."""
    row = await tx.one("requests.of_approval", thread=thread, approval=approval)
    return None if row is None else request_of(row)


async def heed(tx: Tx, stored: Sequence[Message], *, actor: Actor) -> None:
    """What stored messages mean for the ledger: approvals that they ask for are opened, results of approved calls are outcomes.

    What was asked and answered in the same batch is history. The caller holds the thread's lock. Raises Invalid for an answer to
    an approval that people still have to decide: decisions are made in the ledger.
    """
    parts = [(message, part) for message in stored if message.status is MessageStatus.SUCCESS for part in message.parts]
    answered = {part.approval_id for _, part in parts if isinstance(part, ApprovalResponse)}
    settled = {part.call_id for _, part in parts if isinstance(part, ToolResult)}
    for message, part in parts:
        match part:
            case ApprovalResponse():
                found = await of_approval(tx, message.thread, part.approval_id)
                if found is not None and found.state in WAITING:
                    raise Invalid(f"approval {part.approval_id} waits for a decision: decide request {found.id}", field="parts")
            case ApprovalRequest() if part.approval_id not in answered and part.call_id not in settled:
                await _open_approval(tx, message, part, actor=actor)
            case ToolResult(request=None) if message.run is None:
                await _settle_call(tx, message, part, actor=actor)
            case _:
                pass


async def forget(tx: Tx, message: Message, *, actor: Actor) -> None:
    """Nobody decides any more about the calls of a message that is deleted."""
    if not any(isinstance(part, ApprovalRequest) for part in message.parts):
        return
    for row in await tx.all("requests.waiting_of_thread", thread=message.thread):
        if row["call_message"] == message.id and row["approval"] is not None:
            await tx.run("requests.close", id=row["id"], state=RequestState.CANCELLED, now=ms(tx.now))
            await announce(tx, await get(tx, row["id"]), EventType.REQUEST_CANCELLED, actor=actor)


async def _open_approval(tx: Tx, message: Message, asked: ApprovalRequest, *, actor: Actor) -> None:
    call = next((part for part in message.parts if isinstance(part, ToolCall) and part.call_id == asked.call_id), None)
    if call is None or await of_approval(tx, message.thread, asked.approval_id) is not None:
        return
    given = call.input
    args = cast("dict[str, object]", given) if isinstance(given, dict) else {"arguments": given}
    await _open(
        tx, message.thread, RequestKind.APPROVAL, actor=actor, run=message.run, agent=message.agent_name or message.author.name,
        call_id=call.call_id, call_message=message.id, approval=asked.approval_id, tool=call.tool, args=json.dumps(args),
        args_digest=digest(cast(object, given)), priority=Priority.NORMAL, risk=Risk.HIGH,
    )  # fmt: skip


async def _settle_call(tx: Tx, message: Message, result: ToolResult, *, actor: Actor) -> None:
    """The result of a call that was approved is the outcome of that approval."""
    row = await tx.one("requests.approved_of_call", thread=message.thread, call_id=result.call_id)
    if row is None:
        return
    applied = await tx.one("requests.apply", id=row["id"], outcome=message.id, now=ms(tx.now))
    assert applied is not None
    await announce(tx, request_of(applied), EventType.REQUEST_APPLIED, actor=actor)


def check_schema(schema: Mapping[str, object] | None) -> None:
    """Raise Invalid when an answer's JSON Schema is none, or refers to anything outside of itself."""
    if schema is None:
        return
    try:
        Draft202012Validator.check_schema(schema)
        resolver = Registry[Any]().with_resource("", DRAFT202012.create_resource(schema)).resolver()
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        raise Invalid(f"response_schema is no JSON Schema: {error.message}", field="response_schema") from error
    except (Unresolvable, RecursionError) as error:
        raise Invalid(f"response_schema refers to what is not in it: {error}", field="response_schema") from error


def _references(schema: object) -> Iterator[str]:
    match schema:
        case dict():
            for name, value in cast("dict[str, object]", schema).items():
                if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                    yield value
                yield from _references(value)
        case list():
            for value in cast("list[object]", schema):
                yield from _references(value)
        case _:
            return


async def announce(tx: Tx, request: Request, type: EventType, *, actor: Actor) -> None:
    """The event of a move."""
    data: dict[str, object] = {"request": request.id, "kind": request.kind, "state": request.state}
    if request.run is not None:
        data["run"] = request.run
    if request.decision is not None:
        data["decision"] = request.decision.kind
    await feed.emit(tx, type, actor=actor, thread=request.thread, data=data)
