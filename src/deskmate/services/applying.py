"""Applying: approved calls of runs, each at most once (P3). Reserve, run, record; what nobody saw the end of is in doubt."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind, agent
from deskmate.domain.agents import Approved, Execute
from deskmate.domain.events import EventType
from deskmate.domain.messages import ApprovalResponse, Message, NewMessage, ToolCall, ToolResult, Visibility
from deskmate.domain.requests import REQUEST_MOVES, DecisionKind, Request, RequestState
from deskmate.domain.runs import Run
from deskmate.domain.states import move
from deskmate.errors import Closed, Conflict
from deskmate.services import history, ledger, messages, runs, threads
from deskmate.services.opening import digest
from deskmate.store.base import Store, Tx
from deskmate.store.request_rows import request_of
from deskmate.store.rows import message_of
from deskmate.store.times import ms

log = logging.getLogger("deskmate.applying")

GRACE = 10.0  # seconds that a call, once begun, is given to end when its run is stopped: what happened is worth knowing
ABANDONED = timedelta(minutes=1)
FAILED = "This tool failed. It is not known whether it took effect."
EVENTS = {
    RequestState.APPLYING: EventType.REQUEST_APPLYING,
    RequestState.APPLIED: EventType.REQUEST_APPLIED,
    RequestState.FAILED: EventType.REQUEST_FAILED,
    RequestState.IN_DOUBT: EventType.REQUEST_IN_DOUBT,
}


class Applier:
    """What a run applies its approved calls with. One for each attempt."""

    def __init__(self, store: Store, run: Run, lease: timedelta) -> None:
        self._store = store
        self._run = run
        self._lease = lease
        self._carried: set[asyncio.Task[ToolResult]] = set()  # a task that nobody holds may be gone before its end
        # The thread's lock lets one in at a time anyway, but whom first is chance: what was asked for first begins first.
        self._reserving = asyncio.Lock()

    async def __call__(self, approved: Approved, args: Mapping[str, object], execute: Execute) -> ToolResult:
        """Reserve, run, record. Raises Conflict or Fenced, and runs nothing, unless this call may run, with these arguments."""
        async with self._reserving:
            await self._store.write(lambda tx: self._reserve(tx, approved, args))
            carried = asyncio.create_task(self._carry_out(approved, execute), name=f"deskmate call {approved.request}")
        self._carried.add(carried)
        carried.add_done_callback(self._carried.discard)
        try:
            return await asyncio.shield(carried)
        except asyncio.CancelledError:
            # The run was stopped, the call was not: what has begun comes to its end, and its end is written down.
            await asyncio.wait({carried}, timeout=GRACE)
            if carried.cancel():
                await asyncio.wait({carried})
            elif not carried.cancelled():
                carried.exception()
            raise

    async def _carry_out(self, approved: Approved, execute: Execute) -> ToolResult:
        try:
            result = await execute()
        except Exception:
            await self._store.write(lambda tx: self._record(tx, approved, _failed(approved)))
            raise
        return await self._store.write(lambda tx: self._record(tx, approved, result))

    async def _reserve(self, tx: Tx, approved: Approved, args: Mapping[str, object]) -> None:
        await threads.lock(tx, self._run.thread)
        await runs.hold(tx, self._run, self._lease)
        request = await ledger.get(tx, approved.request)
        if digest(args) != digest(request.approved_args):
            raise Conflict("these are not the arguments that were approved", field="args")
        move(REQUEST_MOVES, request.state, RequestState.APPLYING)
        row = await tx.one(
            "requests.reserve",
            id=request.id, run=self._run.id, attempt=self._run.attempt, args=json.dumps(args), digest=digest(args),
            now=ms(tx.now),
        )  # fmt: skip
        if row is None:
            raise Closed("this call is not waiting to be run", state=request.state)
        await _tell(tx, request_of(row), agent(self._run.agent))

    async def _record(self, tx: Tx, approved: Approved, result: ToolResult) -> ToolResult:
        """What came of the call, as it is written down."""
        await threads.lock(tx, self._run.thread)
        request = await ledger.get(tx, approved.request)
        whole = _whole(request, result)
        if request.state not in (RequestState.APPLYING, RequestState.IN_DOUBT):
            # Given up, and settled by a person, before this process came back with the truth.
            log.warning(
                "call %s of request %s ended as %s", approved.call_id, request.id, "failed" if result.is_error else "done"
            )
            return whole
        said = await add_result(tx, request, whole, author=agent(self._run.agent))
        row = await tx.one(
            "requests.record",
            id=request.id, state=RequestState.FAILED if result.is_error else RequestState.APPLIED, outcome=said and said.id,
            attempt=self._run.attempt, now=ms(tx.now),
        )  # fmt: skip
        if row is None:
            raise Closed("another process runs this call", state=request.state)
        settled = request_of(row)
        await _tell(tx, settled, agent(self._run.agent))
        await tell_refused(tx, self._run)
        if request.state is RequestState.IN_DOUBT:
            await ledger.go_on(tx, settled, actor=agent(self._run.agent))
        return whole


def _failed(approved: Approved) -> ToolResult:
    return ToolResult(call_id=approved.call_id, tool=approved.tool, output=FAILED, is_error=True)


def _whole(request: Request, result: ToolResult) -> ToolResult:
    """A result with its request, and where a person changed the arguments, with those and who it was."""
    decision = request.decision
    if decision is None or decision.kind is not DecisionKind.EDIT:
        return replace(result, request=request.id)
    return replace(result, request=request.id, by=decision.by, args=request.approved_args)


async def add_result(tx: Tx, request: Request, result: ToolResult, *, author: Actor) -> Message | None:
    """Store what came of an approved call behind the answers of people: one message for the calls of a step, which only grows.

    Calls that run at the same time end in any order: their results stand in that of the calls, what was not run last. None where
    the call was deleted while it ran: a result without its call would be no history.
    """
    call = await history.find(tx, request.call_message or "")
    if call is None:
        return None
    siblings = {part.call_id: at for at, part in enumerate(call.parts) if isinstance(part, ToolCall)}
    for row in await tx.all("requests.results", thread=call.thread, order=call.order, step=call.step):
        kept = message_of(row)
        results = [part for part in kept.parts if isinstance(part, ToolResult) and part.request is not None]
        if kept.author.kind is AuthorKind.AGENT and any(part.call_id in siblings for part in results):
            whole = sorted((*results, result), key=lambda part: (part.denied, siblings.get(part.call_id, -1)))
            return await messages.change(tx, kept.id, parts=whole, actor=author)
    seen = Visibility.NOTE if call.visibility is Visibility.NOTE else Visibility.PUBLIC
    new = NewMessage(role="tool", parts=(result,), author=author.author, visibility=seen, run=request.run, agent_name=author.name)
    return (await messages.insert(tx, call.thread, [new], after=call.id, actor=author))[0]


async def tell_refused(tx: Tx, run: Run) -> None:
    """Once all that was approved has run, what was refused gets its result too: every call of the step has one then."""
    asked = [request_of(row) for row in await tx.all("requests.of_run", run=run.id) if row["approval"] is not None]
    if any(request.state in (RequestState.DECIDED, RequestState.APPLYING) for request in asked):
        return
    for request in filter(_refused, asked):
        call = await history.find(tx, request.call_message or "")
        if call is None:
            continue
        rows = await tx.all("requests.results", thread=call.thread, order=call.order, step=call.step)
        parts = [part for row in rows for part in message_of(row).parts]
        said = next((p for p in parts if isinstance(p, ApprovalResponse) and p.request == request.id and not p.approved), None)
        if said is not None and not any(isinstance(p, ToolResult) and p.request == request.id for p in parts):
            denied = replace(ledger.denied_result(request, said.reason), by=said.by)
            await add_result(tx, request, denied, author=agent(run.agent))


def _refused(request: Request) -> bool:
    if request.decision is not None:
        return request.decision.kind is DecisionKind.REJECT
    return request.state in (RequestState.EXPIRED, RequestState.CANCELLED)


async def approved_of(tx: Tx, run: Run) -> tuple[Approved, ...]:
    """The calls of a run that people have approved and that have not run."""
    found = [request_of(row) for row in await tx.all("requests.approved_of_run", run=run.id)]
    return tuple(
        Approved(
            request=r.id, call_id=r.call_id or "", tool=r.tool or "", args=r.approved_args or {},
            changed_by=r.decision.by if r.decision is not None and r.decision.kind is DecisionKind.EDIT else None,
        )
        for r in found
    )  # fmt: skip


async def doubt(tx: Tx, run: Run, *, again: bool) -> bool:
    """What an attempt had begun to run, and nobody saw the end of, is in doubt. Tells whether anything of the run is.

    With `again`, the call of a tool that is declared idempotent is to be run once more instead.
    """
    for row in await tx.all("requests.unfinished_of_run", run=run.id):
        request = request_of(row)
        if again and request.idempotent:
            await _move(tx, request, RequestState.DECIDED)
        else:
            await _tell(tx, await _move(tx, request, RequestState.IN_DOUBT), SYSTEM)
    return await tx.one("requests.doubtful_of_run", run=run.id) is not None


async def give_up(tx: Tx, run: Run, reason: str, *, by: Actor = SYSTEM) -> None:
    """The run is over: approved calls that have not been begun do not run any more, and the model is told so."""
    for row in await tx.all("requests.approved_of_run", run=run.id):
        request = request_of(row)
        result = ToolResult(call_id=request.call_id or "", tool=request.tool or "", denied=True, reason=f"not run: {reason}")
        said = await add_result(tx, request, replace(result, request=request.id), author=agent(run.agent))
        await _move(tx, request, RequestState.APPLYING)
        await tx.run("requests.fail", id=request.id, outcome=said and said.id, now=ms(tx.now))
        await _tell(tx, await ledger.get(tx, request.id), by)


async def cancel_run(tx: Tx, run: Run, *, actor: Actor, reason: str) -> None:
    """End a run from outside, and with it the calls it had not begun. What it has begun is written down when it ends."""
    await runs.cancel(tx, run, actor=actor, reason=reason)
    await give_up(tx, run, reason, by=actor)


async def settle(tx: Tx, request: Request, *, ran: bool, value: object, reason: str | None, by: Actor) -> Request:
    """A person says what became of a call in doubt; its run goes on with that. Raises Closed, naming the state."""
    if request.state is not RequestState.IN_DOUBT:
        ledger.check_open(request)
        raise Closed("this request is not in doubt", state=request.state)
    result = ToolResult(
        call_id=request.call_id or "", tool=request.tool or "", output=value if ran else None, denied=not ran,
        reason=None if ran else f"it did not run{f': {reason}' if reason else ''}", request=request.id, by=by.author,
    )  # fmt: skip
    said = await ledger.add_result(tx, request, result, by=by)
    then = RequestState.APPLIED if ran else RequestState.FAILED
    row = await tx.one("requests.settle", id=request.id, state=then, outcome=said and said.id, now=ms(tx.now))
    assert row is not None
    settled = request_of(row)
    await _tell(tx, settled, by)
    await ledger.go_on(tx, settled, actor=by)
    return settled


async def abandoned(tx: Tx) -> int:
    """Put calls in doubt that were begun and whose run has ended without a word of them; returns how many there were."""
    found = await tx.all("requests.abandoned", before=ms(tx.now - ABANDONED))
    for row in found:
        request = await ledger.get(tx, row["id"])
        await _tell(tx, await _move(tx, request, RequestState.IN_DOUBT), SYSTEM)
        await tx.run("assignments.waits", thread=request.thread, now=ms(tx.now))
    return len(found)


async def _move(tx: Tx, request: Request, then: RequestState) -> Request:
    move(REQUEST_MOVES, request.state, then)
    row = await tx.one("requests.move", id=request.id, state=request.state, then=then, now=ms(tx.now))
    return await ledger.get(tx, request.id) if row is None else request_of(row)


async def _tell(tx: Tx, request: Request, by: Actor) -> None:
    await ledger.announce(tx, request, EVENTS[request.state], actor=by)
