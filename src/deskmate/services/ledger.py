"""The ledger: how requests are opened, decided, applied and closed. One choke point, `decide`, for all channels."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind, Role
from deskmate.domain.assignments import Holder
from deskmate.domain.events import EventType
from deskmate.domain.messages import (
    ApprovalRequest,
    ApprovalResponse,
    Message,
    NewMessage,
    Part,
    ToolCall,
    ToolResult,
    Visibility,
)
from deskmate.domain.requests import (
    REQUEST_MOVES,
    WAITING,
    DecisionKind,
    FirstApproval,
    NewDecision,
    Request,
    RequestKind,
    RequestState,
    check_decision,
)
from deskmate.domain.runs import Run
from deskmate.domain.states import move
from deskmate.domain.threads import Thread
from deskmate.errors import AlreadyDecided, Claimed, Closed, Conflict, Forbidden
from deskmate.services import feed, history, messages
from deskmate.services.opening import (
    EXPIRES_IN,
    TIMER,
    announce,
    call_of,
    digest,
    freed,
    get,
    go_on,
    offer,
    open_approval,
    open_draft,
    open_question,
    set_timer,
    waiting,
)
from deskmate.services.schemas import check_value
from deskmate.store import jobs
from deskmate.store.base import Tx
from deskmate.store.request_rows import dump_first_approval, request_of
from deskmate.store.rows import message_of
from deskmate.store.times import ms

__all__ = [
    "CLAIM_LEASE",
    "EXPIRES_IN",
    "announce",
    "get",
    "go_on",
    "open_approval",
    "open_draft",
    "open_question",
    "request_of",
    "waiting",
]

CLAIM_LEASE = timedelta(minutes=10)
CLOSING_EVENTS: Mapping[RequestState, EventType] = {
    RequestState.CANCELLED: EventType.REQUEST_CANCELLED,
    RequestState.SUPERSEDED: EventType.REQUEST_SUPERSEDED,
    RequestState.EXPIRED: EventType.REQUEST_EXPIRED,
}


NOBODY = "nobody decided in time"
APPROVING = frozenset({DecisionKind.APPROVE, DecisionKind.EDIT})


def check(request: Request, decision: NewDecision, *, by: Actor, at: datetime) -> None:
    """Raise AlreadyDecided (by, at), Closed (state), Claimed (by), then Invalid (field), Forbidden, unless they may decide so."""
    check_open(request)
    check_claim(request, by, at=at)
    check_decision(request, decision)
    if decision.kind is DecisionKind.ANSWER:
        check_value(request.response_schema, decision.value)
    if decision.kind is DecisionKind.EDIT and request.draft is None:
        check_value(request.args_schema, decision.args, "args")
    if decision.kind is DecisionKind.APPROVE and decision.args_digest not in (None, on_the_table(request)):
        raise Conflict("the arguments have been changed since you looked", field="args_digest")
    if decision.kind in APPROVING and not request.self_approval and by.id is not None and by.id == request.caused_by:
        raise Forbidden("you caused this call: somebody else has to approve it", field="kind")


def on_the_table(request: Request) -> str | None:
    """The digest of the arguments that an approval would approve now."""
    first = request.first_approval
    return request.args_digest if first is None or first.args is None else first.args_digest


async def approve_first(tx: Tx, request: Request, decision: NewDecision, *, by: Actor) -> Request:
    """Take down the first of two approvals: the request stays open, for somebody else. Raises Conflict for the same person."""
    first = request.first_approval
    changed = None if decision.args is None else dict(decision.args)
    if first is not None and first.by.id == by.id:
        raise Conflict("you have approved this: a second person has to", field="kind")
    given = FirstApproval(by=by.author, at=tx.now, args=changed, args_digest=digest(changed or request.args))
    row = await tx.one("requests.approve_first", id=request.id, given=dump_first_approval(given), now=ms(tx.now))
    assert row is not None
    approved = request_of(row)
    await announce(tx, approved, EventType.REQUEST_APPROVED, actor=by)
    return approved


def needs_another(request: Request, decision: NewDecision, by: Actor) -> bool:
    """Whether this approval is the first of two: nobody else has agreed to the call with these very arguments."""
    first = request.first_approval
    if request.approvers < 2 or decision.kind not in APPROVING:
        return False
    if first is None or first.by.id == by.id:
        return True
    return decision.args is not None and digest(decision.args) != digest(first.args or request.args)


async def decide(tx: Tx, request: Request, decision: NewDecision, *, by: Actor) -> Request:
    """Decide, once. The caller holds the thread's lock, has read the request under it and checked the decision."""
    first = request.first_approval
    if decision.kind is DecisionKind.APPROVE and first is not None and first.args is not None:
        decision = replace(decision, kind=DecisionKind.EDIT, args=first.args)
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
    await jobs.cancel(tx, TIMER, request.id)
    await freed(tx, request)
    await announce(tx, decided, EventType.REQUEST_DECIDED, actor=by)
    return decided


async def apply_answer(tx: Tx, request: Request, *, by: Actor) -> Request:
    """Store the outcome of a decided request as the result of its call, beside the call, naming the request and the person."""
    assert request.decision is not None
    outcome: str | None = None
    if request.call_id is not None and request.call_message is not None:
        said = await add_result(tx, request, result_of(request), by=by)
        outcome = said.id if said is not None else None
    move(REQUEST_MOVES, RequestState.APPLYING, RequestState.APPLIED)
    row = await tx.one("requests.apply", id=request.id, outcome=outcome, now=ms(tx.now))
    assert row is not None
    applied = request_of(row)
    await announce(tx, applied, EventType.REQUEST_APPLIED, actor=by)
    await go_on(tx, applied, actor=by)
    return applied


async def add_result(tx: Tx, request: Request, result: ToolResult | ApprovalResponse, *, by: Actor) -> Message | None:
    """Store an answer beside its call: one tool message for each step, which only grows by parts. None where the call is gone."""
    assert request.call_message is not None
    call = await history.find(tx, request.call_message)
    if call is None:
        return None
    author = result.by or by.author
    person = author.kind in (AuthorKind.OPERATOR, AuthorKind.SERVICE, AuthorKind.CUSTOMER)
    new = NewMessage(
        role="tool",
        parts=(result,),
        author=author,
        provider="human" if person else None,
        provider_metadata={"human": {"id": author.id, "name": author.name}} if person else None,
        run=request.run,
    )
    if call.visibility is Visibility.NOTE:
        new = replace(new, visibility=Visibility.NOTE)  # What only the team was told of, only the team is told the end of.
    siblings = {part.call_id for part in call.parts if isinstance(part, ToolCall)}
    siblings |= {part.approval_id for part in call.parts if isinstance(part, ApprovalRequest)}
    for row in await tx.all("requests.results", thread=call.thread, order=call.order, step=call.step):
        kept = message_of(row)
        if kept.author.kind is not AuthorKind.AGENT and any(_answers(part) in siblings for part in kept.parts):
            return await messages.change(tx, kept.id, parts=(*kept.parts, result), actor=by)
    return (await messages.insert(tx, call.thread, [new], after=call.id, actor=by))[0]


def _answers(part: Part) -> str | None:
    """The call or the approval that a part answers."""
    match part:
        case ToolResult():
            return part.call_id
        case ApprovalResponse():
            return part.approval_id
        case _:
            return None


async def apply_approval(tx: Tx, request: Request, *, by: Actor) -> Request:
    """Store what was decided about a call. An approved one waits until it has run; a refused one is done.

    Raises Conflict where the call is not the one any more that people were shown.
    """
    decision, approval = request.decision, request.approval
    assert decision is not None
    assert approval is not None
    shown = call_of(await history.find(tx, request.call_message or ""), request.call_id)
    if shown is None or digest(shown.input) != request.args_digest:
        raise Conflict("the call was changed after its approval was asked for: withdraw this request", field="request")
    if decision.kind is DecisionKind.RESPOND:
        return await apply_answer(tx, request, by=by)
    approved = decision.kind in APPROVING
    answer = ApprovalResponse(
        approval_id=approval, approved=approved, reason=decision.reason or decision.review, request=request.id, by=decision.by
    )
    said = await add_result(tx, request, answer, by=by)
    assert said is not None
    row = await tx.one("requests.answered" if approved else "requests.apply", id=request.id, outcome=said.id, now=ms(tx.now))
    assert row is not None
    settled = request_of(row)
    if not approved:
        await announce(tx, settled, EventType.REQUEST_APPLIED, actor=by)
    await go_on(tx, settled, actor=by)
    return settled


async def asked(tx: Tx, run: Run) -> list[Request]:
    """What a run asked people last: that was opened in one transaction, so at one time."""
    found = [request_of(row) for row in await tx.all("requests.of_run", run=run.id)]
    last = max((request.created_at for request in found), default=None)
    return [request for request in found if request.created_at == last and request.call_id is not None]


def news(asked: Sequence[Request]) -> tuple[ToolResult, ...]:
    """What came of them, by people or by the clock, but for the calls that are to run."""
    decided = [result_of(r) for r in asked if r.decision is not None and r.decision.kind not in APPROVING]
    return (*decided, *(expired_result(r) for r in asked if r.state is RequestState.EXPIRED))


def result_of(request: Request) -> ToolResult:
    """What the model is told a person decided."""
    decision = request.decision
    assert decision is not None
    if decision.kind in (DecisionKind.DECLINE, DecisionKind.REJECT):
        return replace(denied_result(request, decision.reason), by=decision.by)
    return replace(denied_result(request, None), denied=False, output=decision.value, by=decision.by)


def expired_result(request: Request) -> ToolResult:
    """What the model is told when the time was over: the default answer where there is one, else that nobody decided."""
    return replace(denied_result(request, NOBODY), denied=request.default is None, output=request.default)


def denied_result(request: Request, reason: str | None) -> ToolResult:
    """What the model is told when no answer will come."""
    return ToolResult(
        call_id=request.call_id or "", tool=request.tool or "ask_human", denied=True, reason=reason, request=request.id
    )


async def release(tx: Tx, request: Request, *, by: Actor) -> Request:
    """Give a claimed request back. One that nobody has claimed stays as it is."""
    if not await tx.run("requests.release", id=request.id, now=ms(tx.now)):
        return request
    if request.claimed_by is not None:
        await tx.run(
            "choices.missed", thread=request.thread, request=request.id, operator=request.claimed_by.id, now=ms(tx.now)
        )  # fmt: skip
    released = await get(tx, request.id)
    await set_timer(tx, released)
    await announce(tx, released, EventType.REQUEST_RELEASED, actor=by)
    await freed(tx, request)
    await offer(tx, released)
    return released


def goes_with_thread(request: Request, thread: Thread) -> bool:
    """Whether whoever has the thread has this request as well: it was passed on together with it."""
    return request.kind is RequestKind.ESCALATION and thread.assignment.to is not Holder.AI


async def lapse(tx: Tx, request: Request) -> Request | None:
    """A claim has run out without a sign of life: the request is nobody's again, and somebody else is looked for."""
    row = await tx.one("requests.lapse", id=request.id, now=ms(tx.now))
    if row is None or request.claimed_by is None:
        return None
    lapsed = request_of(row)
    await tx.run(
        "choices.missed", thread=request.thread, request=request.id, operator=request.claimed_by.id, now=ms(tx.now)
    )  # fmt: skip
    data = {"request": request.id, "kind": request.kind, "state": lapsed.state, "missed_by": request.claimed_by.id or ""}
    await feed.emit(tx, EventType.REQUEST_RELEASED, actor=SYSTEM, thread=request.thread, data=data)
    await set_timer(tx, lapsed)
    await offer(tx, lapsed)
    await freed(tx, request)
    return lapsed


async def close_all(tx: Tx, thread: str, state: RequestState, *, by: Actor) -> None:
    """Close every undecided request of a thread without a decision."""
    for request in await waiting(tx, thread):
        if request.state in WAITING:
            await close(tx, request, state, by=by)


async def close(tx: Tx, request: Request, state: RequestState, *, by: Actor) -> Request:
    """Close one undecided request without a decision. Raises Closed or AlreadyDecided."""
    check_open(request)
    move(REQUEST_MOVES, request.state, state)
    if not await tx.run("requests.close", id=request.id, state=state, now=ms(tx.now)):
        check_open(await get(tx, request.id))
    closed = await get(tx, request.id)
    await jobs.cancel(tx, TIMER, request.id)
    await freed(tx, request)
    await announce(tx, closed, CLOSING_EVENTS[state], actor=by)
    return closed


async def refuse(tx: Tx, request: Request, reason: str, *, by: Actor = SYSTEM) -> Message | None:
    """Tell the model that its call will not happen, or will not be answered, so that its history stays whole."""
    if request.call_id is None or request.call_message is None:
        return None
    if request.approval is None:
        return await add_result(tx, request, denied_result(request, reason), by=by)
    answer = ApprovalResponse(approval_id=request.approval, approved=False, reason=reason, request=request.id)
    return await add_result(tx, request, answer, by=by)


async def withdraw(tx: Tx, request: Request, *, by: Actor) -> Request:
    """Cancel one request and let its run go on with a denied result, so that its history stays whole."""
    closed = await close(tx, request, RequestState.CANCELLED, by=by)
    await refuse(tx, request, f"the {request.kind} was withdrawn", by=by)
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
