"""Tool calls of the desk's own runs that people approve, edit or reject: decided once, run once, with the approved arguments."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from tests.store.people import ADA, ANA, BEN, asked
from tests.store.tool_calls.bank import APPROVE, ARGS, REJECT, SCHEMA, Bank, history

from deskmate import Approval, Ask, Desk, NewDecision, Paused, Replied, Risk, Step, ToolCall, ToolResult, Turn
from deskmate.domain.agents import Output
from deskmate.domain.messages import ApprovalRequest, ApprovalResponse
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import AlreadyDecided, Conflict, Invalid
from deskmate.services.opening import digest
from deskmate.testing import ScriptedAgent, calling, say


async def test_a_call_waits_for_people_beside_its_message_and_has_not_run(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    assert (request.kind, request.state, request.tool, request.args) == ("approval", "open", "refund", ARGS)
    assert (request.args_digest, request.risk, request.agent) == (digest(ARGS), Risk.HIGH, "scripted")
    message = await desk.messages.get(request.call_message or "", by=ANA)
    assert message.parts[-1] == ApprovalRequest(approval_id=request.id, call_id=request.call_id or "")
    assert bank.paid == []


async def test_p3_an_approved_call_runs_once_and_its_result_stands_beside_it(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    decided = await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert decided.state is RequestState.DECIDED
    assert bank.paid == []
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Done: refunded 4900"
    assert bank.paid == [ARGS]
    _, call, answer, result, _ = await history(desk, request.thread)
    assert call.id == request.call_message
    assert isinstance(answer.parts[0], ApprovalResponse)
    assert answer.parts[0].by is not None
    assert (answer.parts[0].approved, answer.parts[0].by.name, answer.author.name) == (True, "Ana", "Ana")
    [part] = result.parts
    assert isinstance(part, ToolResult)
    assert (part.output, part.request, result.agent_name) == ("refunded 4900", request.id, "scripted")
    applied = await desk.requests.get(request.id, by=ANA)
    assert (applied.state, applied.outcome) == (RequestState.APPLIED, result.id)
    assert (applied.executed_args, applied.executed_digest) == (ARGS, digest(ARGS))


async def test_p3_original_edited_and_executed_arguments_are_three_facts_and_the_model_is_told(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    less = {"order": 17, "amount": 1000}
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args=less), by=ANA)
    await desk.respond(request.thread)
    assert bank.paid == [less]
    done = await desk.requests.get(request.id, by=ANA)
    assert done.decision is not None
    assert (done.args, done.decision.args, done.executed_args) == (ARGS, less, less)
    assert (done.args_digest, done.executed_digest) == (digest(ARGS), digest(less))
    part = (await history(desk, request.thread))[3].parts[0]
    assert isinstance(part, ToolResult)
    assert part.by is not None
    assert (part.args, part.by.name) == (less, "Ana")


@pytest.mark.parametrize(
    ("args", "field"),
    [({"order": 17, "amount": 9000}, "args.amount"), ({"order": 17}, "args"), ({"order": "17", "amount": 1}, "args.order")],
)
async def test_p2_arguments_that_do_not_fit_the_tool_are_refused_and_change_nothing(
    desk: Desk, bank: Bank, args: dict[str, object], field: str
) -> None:
    (request,) = await asked(desk)
    with pytest.raises(Invalid) as refused:
        await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args=args), by=ANA)
    assert refused.value.field == field
    assert await desk.requests.get(request.id, by=ANA) == request
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.respond(request.thread)
    assert bank.paid == [ARGS]


async def test_a_rejected_call_never_runs_and_the_model_is_told_why(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    rejected = await desk.requests.decide(request.id, REJECT, by=ANA)
    assert rejected.state is RequestState.APPLIED
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Not done: too much"
    assert bank.paid == []


async def test_a_person_may_answer_in_place_of_the_tool(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.RESPOND, value="did it by hand"), by=ANA)
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Done: did it by hand"
    assert bank.paid == []


async def test_p6_a_call_that_a_person_answered_is_not_shown_as_refused_when_the_answer_is_deleted(desk: Desk) -> None:
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.RESPOND, value="did it by hand"), by=ANA)
    *_, answer = await history(desk, request.thread)
    await desk.messages.delete(answer.id)
    shown = [part for message in await desk.messages.context(request.thread) for part in message.parts]
    assert [part for part in shown if isinstance(part, ToolCall | ToolResult)] == []


async def test_p2_whoever_comes_second_is_told_who_was_first(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    for decision in (APPROVE, REJECT):
        with pytest.raises(AlreadyDecided) as late:
            await desk.requests.decide(request.id, decision, by=BEN)
        assert late.value.facts["by"] == {"id": "ana", "name": "Ana"}
    await desk.respond(request.thread)
    with pytest.raises(Conflict):
        await desk.respond(request.thread)
    assert bank.paid == [ARGS]


async def test_two_people_have_to_approve_what_four_eyes_are_asked_for(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    bot.script = calling("refund", ARGS, bank.refund, args_schema=SCHEMA, approvers=2)
    (request,) = await asked(desk)
    first = await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert first.state is RequestState.OPEN
    assert first.first_approval is not None
    assert first.first_approval.by.name == "Ana"
    with pytest.raises(Conflict):
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    less = {"order": 17, "amount": 1000}
    changed = await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args=less), by=BEN)
    assert changed.state is RequestState.OPEN, "Ana has not agreed to these arguments"
    decided = await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert decided.decision is not None
    assert (decided.state, decided.decision.args) == (RequestState.DECIDED, less)
    await desk.respond(request.thread)
    assert bank.paid == [less]


async def test_p2_nobody_approves_arguments_that_were_changed_since_they_looked(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    bot.script = calling("refund", ARGS, bank.refund, args_schema=SCHEMA, approvers=2)
    (request,) = await asked(desk)
    seen = NewDecision(kind=DecisionKind.APPROVE, args_digest=request.args_digest)
    edited = NewDecision(kind=DecisionKind.EDIT, args={"order": 17, "amount": 1000})
    changed = await desk.requests.decide(request.id, edited, by=ANA)
    with pytest.raises(Conflict) as refused:
        await desk.requests.decide(request.id, seen, by=BEN)
    assert refused.value.field == "args_digest"
    assert changed.first_approval is not None
    seen = NewDecision(kind=DecisionKind.APPROVE, args_digest=changed.first_approval.args_digest)
    assert (await desk.requests.decide(request.id, seen, by=BEN)).state is RequestState.DECIDED


async def test_one_person_is_enough_to_reject_what_two_have_to_approve(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    bot.script = calling("refund", ARGS, bank.refund, approvers=2)
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert (await desk.requests.decide(request.id, REJECT, by=ANA)).state is RequestState.APPLIED
    await desk.respond(request.thread)
    assert bank.paid == []


async def test_p7_several_calls_are_decided_by_several_people_in_any_order(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    async def both(turn: Turn) -> AsyncIterator[Output]:
        calls = tuple(ToolCall(call_id=f"c{n}", tool="refund", input={"order": n, "amount": n}) for n in (1, 2, 3))
        if not turn.resumed:
            yield Ask(step=Step(role="assistant", parts=calls), requests=tuple(Approval(call_id=c.call_id) for c in calls))
            return

        for approved in turn.approved:
            args = approved.args

            async def run(args: Mapping[str, Any] = args, id: str = approved.call_id) -> ToolResult:
                return ToolResult(call_id=id, tool="refund", output=await bank.refund(args))

            await turn.apply(approved, args, run)
        yield say("All done.")

    bot.script = both
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "Three refunds.", author=ADA)
    paused = await desk.respond(thread.id)
    assert isinstance(paused, Paused)
    one, two, three = paused.requests
    await desk.requests.decide(three.id, APPROVE, by=BEN)
    await desk.requests.decide(one.id, REJECT, by=ANA)
    assert await desk.run_due() == 0, "the second is still open"
    await desk.requests.decide(two.id, APPROVE, by=ANA)
    await desk.run_due()
    assert [paid["order"] for paid in bank.paid] == [2, 3]
    states = [(await desk.requests.get(r.id, by=ANA)).state for r in paused.requests]
    assert states == ["applied"] * 3
    results = [m for m in (await desk.messages.history(thread.id, by=ANA)).items if m.role == "tool"]
    assert [len(message.parts) for message in results] == [3, 3], "answers together, results together"
