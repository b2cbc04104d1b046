"""The ledger: how requests are opened, decided, applied and closed. One choke point, `decide`, for all channels."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from deskmate.domain.actors import Actor, Author, AuthorKind, Role
from deskmate.domain.agents import Question
from deskmate.domain.assignments import Holder
from deskmate.domain.events import EventType
from deskmate.domain.messages import Message, NewMessage, ToolCall, ToolResult
from deskmate.domain.requests import (
    DEFAULT_ON_EXPIRY,
    REQUEST_MOVES,
    WAITING,
    Decision,
    DecisionKind,
    NewDecision,
    OnExpiry,
    Request,
    RequestKind,
    RequestState,
    Risk,
    check_decision,
)
from deskmate.domain.runs import Run, RunState
from deskmate.domain.states import move
from deskmate.domain.threads import Thread
from deskmate.errors import AlreadyDecided, Claimed, Closed, Invalid, NotFound
from deskmate.services import feed, history, messages, runs, threads
from deskmate.store.base import Row, Tx
from deskmate.store.rows import message_of
from deskmate.store.times import ms, utc, utc_or_none

EXPIRES_IN = timedelta(hours=24)
CLAIM_LEASE = timedelta(minutes=10)
CLOSING_EVENTS: Mapping[RequestState, EventType] = {
    RequestState.CANCELLED: EventType.REQUEST_CANCELLED,
    RequestState.SUPERSEDED: EventType.REQUEST_SUPERSEDED,
    RequestState.EXPIRED: EventType.REQUEST_EXPIRED,
}


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
    request_id = tx.id("request")
    expires_at: datetime | None = tx.now + asked.expires_in if asked.expires_in is not None else None
    schema = json.dumps(asked.response_schema) if asked.response_schema is not None else None
    row = await tx.one(
        "requests.insert",
        id=request_id, thread=thread.id, run=run, kind=asked.kind, agent=actor.name, question=asked.question,
        call_id=asked.call_id, call_message=call.id if call else None, tool=tool, args=None, args_digest=None, draft=None,
        reason=asked.reason, suggestion=asked.suggestion, confidence=asked.confidence, floor=asked.floor, response_schema=schema,
        queue=asked.queue, skills="[]", priority=asked.urgency, risk=asked.risk, expires_at=ms(expires_at),
        on_expiry=DEFAULT_ON_EXPIRY[asked.kind] if expires_at else OnExpiry.WAIT, now=ms(tx.now),
    )  # fmt: skip
    assert row is not None
    await tx.run("assignments.waits", thread=thread.id, now=ms(tx.now))
    request = request_of(row)
    await announce(tx, request, EventType.REQUEST_OPENED, actor=actor)
    return request


async def open_draft(tx: Tx, thread: Thread, message: Message, *, actor: Actor) -> Request:
    """Ask a person to approve a message that is held back. The caller holds the thread's lock."""
    request_id = tx.id("request")
    row = await tx.one(
        "requests.insert",
        id=request_id, thread=thread.id, run=message.run,
        kind=RequestKind.APPROVAL, agent=actor.name, question=None, call_id=None,
        call_message=None, tool=None, args=None, args_digest=None, draft=message.id, reason=None, suggestion=message.text,
        confidence=None, floor=None, response_schema=None, queue=thread.queue, skills="[]", priority=thread.priority,
        risk=Risk.LOW, expires_at=ms(tx.now + EXPIRES_IN), on_expiry=OnExpiry.DENY, now=ms(tx.now),
    )  # fmt: skip
    assert row is not None
    await tx.run("assignments.waits", thread=thread.id, now=ms(tx.now))
    request = request_of(row)
    await announce(tx, request, EventType.REQUEST_OPENED, actor=actor)
    return request


async def decide(tx: Tx, request: Request, decision: NewDecision, *, by: Actor) -> Request:
    """Decide and apply, once. The caller holds the thread's lock and has read the request under it.

    Raises AlreadyDecided (by, at), Closed (state), Claimed (by), then Invalid (field); nothing is changed by a refusal.
    """
    check_open(request)
    check_claim(request, by, at=tx.now)
    check_decision(request, decision)
    if decision.kind is DecisionKind.ANSWER:
        check_value(request.response_schema, decision.value)
    move(REQUEST_MOVES, request.state, RequestState.DECIDED)
    row = await tx.one(
        "requests.decide",
        id=request.id, kind=decision.kind, value=json.dumps(decision.value) if decision.value is not None else None,
        args=json.dumps(decision.args) if decision.args is not None else None, text=decision.text, reason=decision.reason,
        review=decision.review, by_kind=by.kind, by=by.id, by_name=by.name, channel=by.channel, now=ms(tx.now),
    )  # fmt: skip
    if row is None:
        check_open(await get(tx, request.id))
        raise Closed()
    decided = request_of(row)
    await announce(tx, decided, EventType.REQUEST_DECIDED, actor=by)
    return decided


async def apply_answer(tx: Tx, request: Request, *, by: Actor) -> Request:
    """Store the outcome of a decided request as the result of its call, beside the call, naming the request and the person."""
    assert request.decision is not None
    outcome: str | None = None
    if request.call_id is not None and request.call_message is not None:
        outcome = (await add_result(tx, request, result_of(request), by=by)).id
    move(REQUEST_MOVES, RequestState.APPLYING, RequestState.APPLIED)
    row = await tx.one("requests.apply", id=request.id, outcome=outcome, now=ms(tx.now))
    assert row is not None
    applied = request_of(row)
    await announce(tx, applied, EventType.REQUEST_APPLIED, actor=by)
    await go_on(tx, applied, actor=by)
    return applied


async def go_on(tx: Tx, request: Request, *, actor: Actor) -> None:
    """When the last request of a paused run is closed, the run is queued again; nobody waits for a person any more."""
    thread = await threads.get(tx, request.thread)
    if thread.assignment.to is Holder.AI and not await waiting(tx, request.thread):
        await tx.run("assignments.served", thread=request.thread, now=ms(tx.now))
    if request.run is None:
        return
    left = await tx.one("requests.waiting_of_run", run=request.run)
    run = await runs.get(tx, request.run)
    if left is not None and left["number"] == 0 and run.state is RunState.PAUSED:
        await runs.resume(tx, run, actor=actor)


async def add_result(tx: Tx, request: Request, result: ToolResult, *, by: Actor) -> Message:
    """Store a result beside its call: one tool message for each step, which only grows by parts."""
    assert request.call_message is not None
    author = result.by or by.author
    human = {"human": {"id": author.id, "name": author.name}}
    new = NewMessage(role="tool", parts=(result,), author=author, provider="human", provider_metadata=human, run=request.run)
    call = await history.get(tx, request.call_message)
    siblings = {part.call_id for part in call.parts if isinstance(part, ToolCall)}
    for row in await tx.all("requests.results", thread=call.thread, order=call.order, step=call.step):
        kept = message_of(row)
        if any(isinstance(part, ToolResult) and part.call_id in siblings for part in kept.parts):
            return await messages.change(tx, kept.id, parts=(*kept.parts, result), actor=by)
    return (await messages.insert(tx, call.thread, [new], after=call.id, actor=by))[0]


async def news(tx: Tx, run: Run) -> tuple[ToolResult, ...]:
    """What people decided about the questions a run asked last: those were opened in one transaction, so at one time."""
    asked = [request_of(row) for row in await tx.all("requests.of_run", run=run.id)]
    last = max((request.created_at for request in asked), default=None)
    return tuple(result_of(r) for r in asked if r.created_at == last and r.decision is not None and r.call_id is not None)


def result_of(request: Request) -> ToolResult:
    """What the model is told a person decided."""
    decision = request.decision
    assert decision is not None
    if decision.kind is DecisionKind.DECLINE:
        return replace(denied_result(request, decision.reason), by=decision.by)
    return replace(denied_result(request, None), denied=False, output=decision.value, by=decision.by)


def denied_result(request: Request, reason: str | None) -> ToolResult:
    """What the model is told when no answer will come."""
    return ToolResult(
        call_id=request.call_id or "", tool=request.tool or "ask_human", denied=True, reason=reason, request=request.id
    )


async def close_all(tx: Tx, thread: str, state: RequestState, *, by: Actor) -> None:
    """Close every undecided request of a thread without a decision."""
    for request in await waiting(tx, thread):
        await close(tx, request, state, by=by)


async def close(tx: Tx, request: Request, state: RequestState, *, by: Actor) -> Request:
    """Close one undecided request without a decision. Raises Closed or AlreadyDecided."""
    check_open(request)
    move(REQUEST_MOVES, request.state, state)
    if not await tx.run("requests.close", id=request.id, state=state, now=ms(tx.now)):
        check_open(await get(tx, request.id))
    closed = await get(tx, request.id)
    await announce(tx, closed, CLOSING_EVENTS[state], actor=by)
    return closed


async def withdraw(tx: Tx, request: Request, *, by: Actor) -> Request:
    """Cancel one request and let its run go on with a denied result, so that its history stays whole."""
    closed = await close(tx, request, RequestState.CANCELLED, by=by)
    if request.call_id is not None and request.call_message is not None:
        await add_result(tx, request, denied_result(request, "the question was withdrawn"), by=by)
    await go_on(tx, closed, actor=by)
    return closed


def check_open(request: Request) -> None:
    """Raise AlreadyDecided, naming who and when, or Closed, naming the state, unless the request still waits."""
    if request.state in WAITING:
        return
    if request.decision is not None:
        by, at = request.decision.by, request.decision.at
        raise AlreadyDecided(
            f"{by.name} decided this at {at.isoformat()}",
            by={"id": by.id, "name": by.name},
            at=at.isoformat(),
            state=request.state,
        )
    raise Closed(f"this request is {request.state}", state=request.state)


def check_claim(request: Request, by: Actor, *, at: datetime) -> None:
    """Raise Claimed while another operator holds the request; leads and admins may override, and a lapsed claim holds nobody."""
    holder = request.claimed_by
    if holder is None or holder.id == by.id or by.role in (Role.LEAD, Role.ADMIN):
        return
    if request.claimed_until is not None and request.claimed_until < at:
        return
    raise Claimed(f"{holder.name} has claimed this", by={"id": holder.id, "name": holder.name})


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


def check_value(schema: Mapping[str, object] | None, value: object) -> None:
    """Raise Invalid when an answer does not fit the request's schema."""
    if schema is None:
        return
    # The registry is empty on purpose: the default one would fetch what a schema refers to from the network.
    validator = Draft202012Validator(dict(schema), registry=Registry())
    try:
        for error in validator.iter_errors(cast(Any, value)):  # pyright: ignore[reportUnknownMemberType]
            path = "".join(f".{step}" for step in error.absolute_path)
            raise Invalid(f"value{path}: {error.message}", field=f"value{path}")
    except (Unresolvable, RecursionError) as error:
        raise Invalid("the value cannot be checked: response_schema leads nowhere", field="value") from error


async def announce(tx: Tx, request: Request, type: EventType, *, actor: Actor) -> None:
    """The event of a move."""
    data: dict[str, object] = {"request": request.id, "kind": request.kind, "state": request.state}
    if request.run is not None:
        data["run"] = request.run
    if request.decision is not None:
        data["decision"] = request.decision.kind
    await feed.emit(tx, type, actor=actor, thread=request.thread, data=data)
