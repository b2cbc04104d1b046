"""Opening: requests as records, and how they come to be: questions, drafts, and approvals that stand in stored messages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import cast

from deskmate.domain.actors import Actor
from deskmate.domain.agents import Approval, Question
from deskmate.domain.assignments import Holder
from deskmate.domain.events import EventType
from deskmate.domain.messages import ApprovalRequest, ApprovalResponse, Message, MessageStatus, ToolCall, ToolResult, Visibility
from deskmate.domain.queues import DEFAULT_QUEUE, WEIGHTS
from deskmate.domain.requests import (
    DEFAULT_ON_EXPIRY,
    DEFAULT_TALK_OVER,
    WAITING,
    DecisionKind,
    OnExpiry,
    Request,
    RequestKind,
    RequestState,
    Risk,
)
from deskmate.domain.routes import Route
from deskmate.domain.runs import RunState
from deskmate.domain.threads import Priority, Thread
from deskmate.errors import Invalid, NotFound
from deskmate.services import feed, offers, queues, runs, threads
from deskmate.services.schemas import check_schema, check_value
from deskmate.store import jobs
from deskmate.store.base import Tx
from deskmate.store.request_rows import UNSET, request_of
from deskmate.store.times import ms

EXPIRES_IN = timedelta(hours=24)
LEAST, MOST = timedelta(seconds=1), timedelta(days=3653)
TIMER = "request"
"""The kind of the job that looks after the reminders and the deadline of a request."""


async def get(tx: Tx, id: str) -> Request:
    """One request. Raises NotFound."""
    row = await tx.one("requests.get", id=id)
    if row is None:
        raise NotFound(f"there is no request {id}", field="request")
    return request_of(row)


async def waiting(tx: Tx, thread: str) -> list[Request]:
    """What people have to do on a thread: its undecided requests, and those in doubt. Oldest first."""
    return [request_of(row) for row in await tx.all("requests.waiting_of_thread", thread=thread)]


async def open_question(
    tx: Tx,
    thread: Thread,
    asked: Question,
    *,
    actor: Actor,
    run: str | None = None,
    call: Message | None = None,
    caused_by: str | None = None,
) -> Request:
    """Store a request and let the thread wait for a person. The caller holds the thread's lock. Raises Invalid."""
    check_schema(asked.response_schema)
    if asked.default is not None:
        check_value(asked.response_schema, asked.default, "default")
    wanted = call_of(call, asked.call_id)
    return await _open(
        tx, thread.id, asked.kind, Deadline.of(asked, default=asked.default), actor=actor, run=run, agent=actor.name,
        question=asked.question or None, call_id=asked.call_id, call_message=call.id if call else None,
        tool=wanted.tool if wanted else None, reason=asked.reason, suggestion=asked.suggestion, confidence=asked.confidence,
        floor=asked.floor, queue=asked.queue or thread.queue, skills=json.dumps(asked.skills),
        priority=asked.urgency, risk=asked.risk,
        talk_over=asked.talk_over or DEFAULT_TALK_OVER[asked.kind], response_schema=_dumped(asked.response_schema),
        caused_by=caused_by,
    )  # fmt: skip


async def open_approval(
    tx: Tx, thread: Thread, asked: Approval, *, id: str, actor: Actor, run: str, call: Message, caused_by: str | None = None
) -> Request:
    """Ask people to let a call of a run happen. The caller holds the thread's lock. Raises Invalid."""
    check_schema(asked.args_schema, "args_schema")
    if not 1 <= asked.approvers <= 2:
        raise Invalid("one person has to approve, or two", field="approvers")
    wanted = call_of(call, asked.call_id)
    if wanted is None:
        raise Invalid(f"there is no call {asked.call_id!r} that could be approved", field="call_id")
    return await _open(
        tx, thread.id, RequestKind.APPROVAL, Deadline.of(asked), id=id, actor=actor, run=run, agent=actor.name,
        call_id=asked.call_id, call_message=call.id, approval=id, tool=wanted.tool, args=json.dumps(args_of(wanted)),
        args_digest=digest(wanted.input), args_schema=_dumped(asked.args_schema), reason=asked.reason,
        suggestion=asked.suggestion, queue=asked.queue or thread.queue, priority=asked.urgency, risk=asked.risk,
        talk_over=asked.talk_over or DEFAULT_TALK_OVER[RequestKind.APPROVAL], idempotent=int(asked.idempotent),
        approvers=asked.approvers, self_approval=int(asked.self_approval), caused_by=caused_by,
    )  # fmt: skip


async def open_draft(tx: Tx, thread: Thread, message: Message, *, actor: Actor, why: Route | None = None) -> Request:
    """Ask a person to approve a message that is held back. The caller holds the thread's lock."""
    return await _open(
        tx, thread.id, RequestKind.APPROVAL, Deadline(), actor=actor, run=message.run, agent=actor.name, draft=message.id,
        suggestion=message.text, reason=why.reason if why else None, confidence=why.score if why else None,
        floor=why.floor if why else None, queue=thread.queue, priority=thread.priority, risk=Risk.LOW,
    )  # fmt: skip


async def _open(
    tx: Tx, thread: str, kind: RequestKind, deadline: "Deadline", *, actor: Actor, id: str | None = None, **facts: object
) -> Request:
    deadline.check(kind, facts["risk"])
    row = await tx.one(
        "requests.insert",
        **{**UNSET, "weight": WEIGHTS[kind], **deadline.facts(kind, tx.now), **facts},
        id=id or tx.id("request"), thread=thread, kind=kind, now=ms(tx.now),
    )  # fmt: skip
    assert row is not None
    await tx.run("assignments.waits", thread=thread, now=ms(tx.now))
    request = request_of(row)
    await set_timer(tx, request)
    await announce(tx, request, EventType.REQUEST_OPENED, actor=actor)
    await offer(tx, request)
    return request


async def offer(tx: Tx, request: Request) -> None:
    """The request waits for people: in a queue that gives its work to them, somebody is looked for."""
    queue = await (queues.ensure(tx, request.queue) if request.queue is not None else queues.find(tx, DEFAULT_QUEUE))
    await offers.request(tx, request.id, request.thread, queue)


async def freed(tx: Tx, was: Request) -> None:
    """Whoever had claimed this request has room for something else."""
    if was.state is RequestState.CLAIMED and was.claimed_by is not None:
        await offers.room(tx, was.claimed_by.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """How long people have, and what happens when nobody decides in time."""

    expires_in: timedelta | None = EXPIRES_IN
    on_expiry: OnExpiry | None = None
    default: object = None
    remind_every: timedelta | None = None

    @classmethod
    def of(cls, asked: Question | Approval, *, default: object = None) -> "Deadline":
        """The deadline of what is asked."""
        return cls(expires_in=asked.expires_in, on_expiry=asked.on_expiry, default=default, remind_every=asked.remind_every)

    def facts(self, kind: RequestKind, now: datetime) -> dict[str, object]:
        """How a new request of this kind keeps it."""
        declared = self.on_expiry or DEFAULT_ON_EXPIRY[kind]
        return {
            "expires_in": _milliseconds(self.expires_in),
            "expires_at": ms(now + self.expires_in) if self.expires_in else None,
            "on_expiry": declared if self.expires_in else OnExpiry.WAIT,
            "default_value": _dumped(self.default),
            "remind_every": _milliseconds(self.remind_every),
            "remind_at": ms(now + self.remind_every) if self.remind_every else None,
        }

    def check(self, kind: RequestKind, risk: object) -> None:
        """Raise Invalid, naming the field, for a deadline that cannot be kept."""
        for field, span in (("expires_in", self.expires_in), ("remind_every", self.remind_every)):
            if span is not None and not LEAST <= span <= MOST:
                raise Invalid(f"{field} must be from one second to ten years", field=field)
        if self.on_expiry not in (None, OnExpiry.WAIT) and self.expires_in is None:
            raise Invalid(f"{self.on_expiry} needs a deadline: expires_in", field="expires_in")
        if self.on_expiry is OnExpiry.APPROVE and (kind is not RequestKind.APPROVAL or risk != Risk.LOW):
            raise Invalid("only an approval of low risk may be given by the clock", field="on_expiry")
        if (self.on_expiry is OnExpiry.DEFAULT) != (self.default is not None):
            raise Invalid("on_expiry default needs a default answer, and a default answer needs it", field="default")
        if self.on_expiry is OnExpiry.DEFAULT and kind is not RequestKind.QUESTION:
            raise Invalid("only a question has a default answer", field="on_expiry")


async def set_timer(tx: Tx, request: Request) -> None:
    """Have the next reminder, the deadline, or the end of the claim looked after, whichever comes first."""
    moments = (request.expires_at, request.remind_at, request.claimed_until)
    due = min((at for at in moments if at is not None), default=None)
    if due is not None:
        await jobs.enqueue(tx, TIMER, request.id, at=due, thread=request.thread)


def _milliseconds(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(milliseconds=1)


def _dumped(value: object) -> str | None:
    return None if value is None else json.dumps(value)


def call_of(message: Message | None, call_id: str | None) -> ToolCall | None:
    """The call of a message that has this id."""
    parts = message.parts if message is not None else ()
    return next((part for part in parts if isinstance(part, ToolCall) and part.call_id == call_id), None)


def args_of(call: ToolCall) -> dict[str, object]:
    """The arguments of a call as people are shown them; what is no object is shown as one."""
    given = call.input
    return cast("dict[str, object]", given) if isinstance(given, dict) else {"arguments": given}


def digest(args: object) -> str:
    """The digest of the arguments of a call: what was approved is what runs."""
    return sha256(json.dumps(args, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


async def of_approval(tx: Tx, thread: str, approval: str) -> Request | None:
    """The request for an approval that stands in a message of this thread."""
    row = await tx.one("requests.of_approval", thread=thread, approval=approval)
    return None if row is None else request_of(row)


async def heed(tx: Tx, stored: Sequence[Message], *, actor: Actor) -> None:
    """What stored messages mean for the ledger: approvals that they ask for are opened, results of calls are outcomes.

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
            case ApprovalRequest() if message.run is None and part.approval_id not in answered and part.call_id not in settled:
                await _open_approval(tx, message, part, actor=actor)
            case ToolResult(request=None) if message.run is None:
                await _settle_call(tx, message, part, actor=actor)
            case _:
                pass


async def forget(tx: Tx, message: Message, *, actor: Actor) -> None:
    """Nobody decides any more about a message that is deleted, or about its calls, and what was approved of them does not run.

    A run that waited for nothing else goes on.
    """
    if message.visibility is not Visibility.DRAFT and not any(
        isinstance(part, ToolCall | ApprovalRequest) for part in message.parts
    ):
        return
    for row in await tx.all("requests.of_message", thread=message.thread, message=message.id):
        if row["state"] == RequestState.DECIDED:
            await tx.run("requests.move", id=row["id"], state=RequestState.DECIDED, then=RequestState.APPLYING, now=ms(tx.now))
            await tx.run("requests.fail", id=row["id"], outcome=None, now=ms(tx.now))
            await announce(tx, await get(tx, row["id"]), EventType.REQUEST_FAILED, actor=actor)
        else:
            await tx.run("requests.close", id=row["id"], state=RequestState.CANCELLED, now=ms(tx.now))
            await jobs.cancel(tx, TIMER, row["id"])
            closed = await get(tx, row["id"])
            await announce(tx, closed, EventType.REQUEST_CANCELLED, actor=actor)
            await go_on(tx, closed, actor=actor)


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


async def _open_approval(tx: Tx, message: Message, asked: ApprovalRequest, *, actor: Actor) -> None:
    call = call_of(message, asked.call_id)
    if call is None or await of_approval(tx, message.thread, asked.approval_id) is not None:
        return
    await _open(
        tx, message.thread, RequestKind.APPROVAL, Deadline(), actor=actor,
        agent=message.agent_name or message.author.name, call_id=call.call_id, call_message=message.id,
        approval=asked.approval_id, tool=call.tool, args=json.dumps(args_of(call)), args_digest=digest(call.input),
        priority=Priority.NORMAL, risk=Risk.HIGH,
    )  # fmt: skip


async def _settle_call(tx: Tx, message: Message, result: ToolResult, *, actor: Actor) -> None:
    """The result of a call is the outcome of its approval, or of its question. Where people have not decided yet, a program has
    done it for them: with this result."""
    open_ = await tx.one("requests.waiting_of_call", thread=message.thread, call_id=result.call_id)
    row = open_ or await tx.one("requests.approved_of_call", thread=message.thread, call_id=result.call_id)
    if row is None:
        return
    if open_ is not None:
        await _decide_by_result(tx, request_of(open_), result, actor=actor)
    applied = await tx.one("requests.apply", id=row["id"], outcome=message.id, now=ms(tx.now))
    assert applied is not None
    await announce(tx, request_of(applied), EventType.REQUEST_APPLIED, actor=actor)
    if open_ is not None:
        await go_on(tx, request_of(applied), actor=actor)


async def _decide_by_result(tx: Tx, request: Request, result: ToolResult, *, actor: Actor) -> None:
    """Decide an open request as the stored result of its call says. Raises Invalid where that is no answer to its question."""
    said, refused = DecisionKind.ANSWER, DecisionKind.DECLINE
    if request.approval is not None:
        said, refused = DecisionKind.RESPOND, DecisionKind.REJECT
    elif not result.denied:
        check_value(request.response_schema, result.output, "parts")
    decided = await tx.one(
        "requests.decide",
        id=request.id, kind=refused if result.denied else said, value=None if result.denied else _dumped(result.output),
        args=None, text=None, reason=result.reason, review=None, by_kind=actor.kind, by=actor.id, by_name=actor.name,
        channel=actor.channel, now=ms(tx.now),
    )  # fmt: skip
    assert decided is not None
    await jobs.cancel(tx, TIMER, request.id)
    await announce(tx, request_of(decided), EventType.REQUEST_DECIDED, actor=actor)


async def announce(tx: Tx, request: Request, type: EventType, *, actor: Actor) -> None:
    """The event of a move."""
    data: dict[str, object] = {"request": request.id, "kind": request.kind, "state": request.state}
    if request.run is not None:
        data["run"] = request.run
    if request.decision is not None:
        data["decision"] = request.decision.kind
    await feed.emit(tx, type, actor=actor, thread=request.thread, data=data)
