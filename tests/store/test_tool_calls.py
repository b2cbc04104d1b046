"""Tool calls of the desk's own runs that people approve: decided once, run once, with the very arguments that were approved."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from deskmate import (
    Approval,
    Ask,
    Desk,
    Message,
    NewDecision,
    Paused,
    Replied,
    Request,
    Risk,
    Role,
    Step,
    TalkOver,
    ToolCall,
    ToolResult,
)
from deskmate.domain.actors import Actor, AuthorKind, customer, service
from deskmate.domain.agents import Output, Turn
from deskmate.domain.messages import ApprovalRequest, ApprovalResponse
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import AlreadyDecided, Closed, Conflict, Invalid
from deskmate.services.opening import digest
from deskmate.testing import FakeClock, FakeEntropy, ScriptedAgent, calling, echo, say

ADA = customer("ada", "Ada")
ANA = Actor(kind=AuthorKind.OPERATOR, id="ana", name="Ana", role=Role.OPERATOR)
ADMIN = service("set-up")
BEN = Actor(kind=AuthorKind.OPERATOR, id="ben", name="Ben", role=Role.OPERATOR)
ARGS = {"order": 17, "amount": 4900}
SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "integer"}, "amount": {"type": "integer", "maximum": 5000}},
    "required": ["order", "amount"],
    "additionalProperties": False,
}
APPROVE, REJECT = NewDecision(kind=DecisionKind.APPROVE), NewDecision(kind=DecisionKind.REJECT, reason="too much")


class Bank:
    """A tool whose every execution is counted."""

    def __init__(self) -> None:
        self.paid: list[Mapping[str, object]] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def refund(self, args: Mapping[str, object]) -> object:
        self.paid.append(args)
        self.begun.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return f"refunded {args['amount']}"


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def bot(bank: Bank) -> ScriptedAgent:
    return ScriptedAgent(calling("refund", ARGS, bank.refund, args_schema=SCHEMA))


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        yield desk


async def asked(desk: Desk, words: str = "My money back, please.") -> Request:
    """Ada asks; the agent wants to call its tool; returns what people are asked."""
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, words, author=ADA)
    match await desk.respond(thread.id):
        case Paused(requests=(request,)):
            return request
        case other:
            raise AssertionError(other)


async def history(desk: Desk, request: Request) -> tuple[Message, ...]:
    return (await desk.messages.history(request.thread, by=ANA)).items


async def test_a_call_waits_for_people_beside_its_message_and_has_not_run(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    assert (request.kind, request.state, request.tool, request.args) == ("approval", "open", "refund", ARGS)
    assert (request.args_digest, request.risk, request.agent) == (digest(ARGS), Risk.HIGH, "scripted")
    message = await desk.messages.get(request.call_message or "", by=ANA)
    assert message.parts[-1] == ApprovalRequest(approval_id=request.id, call_id=request.call_id or "")
    assert bank.paid == []


async def test_p3_an_approved_call_runs_once_and_its_result_stands_beside_it(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    decided = await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert decided.state is RequestState.DECIDED
    assert bank.paid == []
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Done: refunded 4900"
    assert bank.paid == [ARGS]
    _, call, answer, result, _ = await history(desk, request)
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
    request = await asked(desk)
    less = {"order": 17, "amount": 1000}
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args=less), by=ANA)
    await desk.respond(request.thread)
    assert bank.paid == [less]
    done = await desk.requests.get(request.id, by=ANA)
    assert done.decision is not None
    assert (done.args, done.decision.args, done.executed_args) == (ARGS, less, less)
    assert (done.args_digest, done.executed_digest) == (digest(ARGS), digest(less))
    part = (await history(desk, request))[3].parts[0]
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
    request = await asked(desk)
    with pytest.raises(Invalid) as refused:
        await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args=args), by=ANA)
    assert refused.value.field == field
    assert await desk.requests.get(request.id, by=ANA) == request
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.respond(request.thread)
    assert bank.paid == [ARGS]


async def test_a_rejected_call_never_runs_and_the_model_is_told_why(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    rejected = await desk.requests.decide(request.id, REJECT, by=ANA)
    assert rejected.state is RequestState.APPLIED
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Not done: too much"
    assert bank.paid == []


async def test_a_person_may_answer_in_place_of_the_tool(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.RESPOND, value="did it by hand"), by=ANA)
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Done: did it by hand"
    assert bank.paid == []


async def test_p2_whoever_comes_second_is_told_who_was_first(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    for decision in (APPROVE, REJECT):
        with pytest.raises(AlreadyDecided) as late:
            await desk.requests.decide(request.id, decision, by=BEN)
        assert late.value.facts["by"] == {"id": "ana", "name": "Ana"}
    await desk.respond(request.thread)
    with pytest.raises(Conflict):
        await desk.respond(request.thread)
    assert bank.paid == [ARGS]


async def test_p3_other_arguments_than_the_approved_ones_are_not_run(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    request = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)

    async def cheat(turn: Turn) -> AsyncIterator[Output]:
        async def more() -> ToolResult:
            return ToolResult(call_id="", tool="refund", output=await bank.refund({"order": 17, "amount": 99999}))

        await turn.apply(turn.approved[0], {"order": 17, "amount": 99999}, more)
        yield say("never said")

    bot.script = cheat
    await desk.respond(request.thread)
    assert bank.paid == []
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.FAILED


async def test_p3_a_tool_that_raises_has_failed_visibly_and_does_not_run_again(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    bank.error = RuntimeError("the bank is closed")
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.respond(request.thread)
    failed = await desk.requests.get(request.id, by=ANA)
    assert failed.state is RequestState.FAILED
    result = await desk.messages.get(failed.outcome or "", by=ANA)
    assert isinstance(result.parts[0], ToolResult)
    assert result.parts[0].is_error
    assert len(bank.paid) == 1
    assert (await desk.threads.get(request.thread)).waiting_since is not None


async def test_p6_talking_over_an_open_approval_supersedes_it_and_a_late_approval_is_refused(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    request = await asked(desk)
    bot.script = echo
    await desk.messages.post(request.thread, "Never mind.", author=ADA)
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "You said: Never mind."
    shown = [part for message in bot.turns[-1].history for part in message.parts]
    [denied] = [part for part in shown if isinstance(part, ToolResult)]
    assert denied.denied
    with pytest.raises(Closed) as late:
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert late.value.facts["state"] == "superseded"
    assert await desk.run_due() == 0
    assert bank.paid == []


@pytest.mark.parametrize(
    ("policy", "state", "results"),
    [(TalkOver.KEEP, RequestState.OPEN, 0), (TalkOver.CANCEL, RequestState.CANCELLED, 0), (TalkOver.SUPERSEDE, "superseded", 1)],
)
async def test_p6_what_becomes_of_an_open_approval_when_the_conversation_goes_on_is_its_policy(
    desk: Desk, bot: ScriptedAgent, bank: Bank, policy: TalkOver, state: RequestState, results: int
) -> None:
    bot.script = calling("refund", ARGS, bank.refund, talk_over=policy)
    request = await asked(desk)
    bot.script = echo
    await desk.messages.post(request.thread, "Anything new?", author=ADA)
    await desk.respond(request.thread)
    assert (await desk.requests.get(request.id, by=ANA)).state == state
    shown = [part for message in bot.turns[-1].history for part in message.parts]
    assert len([part for part in shown if isinstance(part, ToolCall)]) == results, "a call without a result is not shown"
    assert len([part for part in shown if isinstance(part, ToolResult)]) == results


async def test_p6_an_approval_that_was_kept_is_run_when_it_comes_and_the_reply_goes_to_the_newest_words(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    script = calling("refund", ARGS, bank.refund, talk_over=TalkOver.KEEP)
    bot.script = script
    request = await asked(desk)
    bot.script = echo
    await desk.messages.post(request.thread, "Anything new?", author=ADA)
    await desk.respond(request.thread)
    bot.script = script
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.run_due()
    assert bank.paid == [ARGS]
    *_, last = await history(desk, request)
    assert (last.text, last.order) == ("Done: refunded 4900", 1)
    call = await desk.messages.get(request.call_message or "", by=ANA)
    result = await desk.messages.get((await desk.requests.get(request.id, by=ANA)).outcome or "", by=ANA)
    assert (call.order, result.order) == (0, 0), "the result stays with its call"


async def test_an_approval_that_came_before_never_mind_is_done_before_the_next_reply(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    request = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.messages.post(request.thread, "Never mind.", author=ADA)
    await desk.run_due()
    assert bank.paid == [ARGS]
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.APPLIED


async def test_p4_an_approved_call_that_was_not_begun_does_not_run_after_a_takeover(desk: Desk, bank: Bank) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    request = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ana)
    await desk.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    await desk.run_due()
    assert bank.paid == []
    given_up = await desk.requests.get(request.id, by=ANA)
    assert given_up.state is RequestState.FAILED
    result = await desk.messages.get(given_up.outcome or "", by=ANA)
    assert isinstance(result.parts[0], ToolResult)
    assert result.parts[0].denied


async def test_p3_a_call_that_was_begun_is_recorded_when_it_ends_though_the_thread_was_taken_over(desk: Desk, bank: Bank) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    request = await asked(desk)
    bank.go.clear()
    await desk.requests.decide(request.id, APPROVE, by=ana)
    going_on = asyncio.create_task(desk.respond(request.thread))
    await bank.begun.wait()
    await desk.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.APPLYING
    bank.go.set()
    await going_on
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.APPLIED
    assert len(bank.paid) == 1
    said = [message for message in await history(desk, request) if message.role == "assistant" and message.text]
    assert said == []


async def test_two_people_have_to_approve_what_four_eyes_are_asked_for(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    bot.script = calling("refund", ARGS, bank.refund, args_schema=SCHEMA, approvers=2)
    request = await asked(desk)
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
    request = await asked(desk)
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
    request = await asked(desk)
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


@pytest.fixture
async def other(store_url: str, desk: Desk, clock: FakeClock, bank: Bank) -> AsyncIterator[Desk]:
    """Another process, as far as the store can tell."""
    bot = ScriptedAgent(calling("refund", ARGS, bank.refund, args_schema=SCHEMA))
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as desk:
        yield desk


async def hangs(desk: Desk, bank: Bank, clock: FakeClock) -> tuple[Request, "asyncio.Task[object]"]:
    """An approved call whose process stands still while the tool runs, until its lease is over."""
    request = await asked(desk)
    bank.go.clear()
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    standing: asyncio.Task[object] = asyncio.create_task(desk.respond(request.thread))
    await bank.begun.wait()
    clock.advance(seconds=60)
    return request, standing


async def test_p3_a_call_whose_process_is_gone_is_in_doubt_until_a_person_settles_it(
    desk: Desk, other: Desk, bank: Bank, clock: FakeClock
) -> None:
    request, standing = await hangs(desk, bank, clock)
    await other.run_due()
    doubtful = await other.requests.get(request.id, by=ANA)
    assert doubtful.state is RequestState.IN_DOUBT
    assert (await other.threads.get(request.thread)).waiting_since is not None
    assert [r.id for r in await other.requests.waiting(request.thread, by=ANA)] == [request.id]
    with pytest.raises(AlreadyDecided):
        await other.requests.decide(request.id, APPROVE, by=BEN)
    settled = await other.requests.settle(request.id, ran=True, value="refunded, says the bank", by=BEN)
    assert settled.state is RequestState.APPLIED
    with pytest.raises(Conflict):
        await other.requests.settle(request.id, ran=False, by=ANA)
    reply = await other.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Done: refunded, says the bank"
    bank.go.set()
    await standing
    results = [part for m in await history(other, request) for part in m.parts if isinstance(part, ToolResult)]
    assert [result.output for result in results] == ["refunded, says the bank"]
    assert len(bank.paid) == 1


async def test_p3_what_did_not_run_after_all_is_told_as_that(desk: Desk, other: Desk, bank: Bank, clock: FakeClock) -> None:
    request, standing = await hangs(desk, bank, clock)
    await other.run_due()
    settled = await other.requests.settle(request.id, ran=False, reason="no transfer at the bank", by=BEN)
    assert settled.state is RequestState.FAILED
    reply = await other.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Not done: it did not run: no transfer at the bank"
    bank.go.set()
    await standing


async def test_p6_a_run_that_goes_on_is_not_shown_the_unsettled_calls_of_another(
    desk: Desk, other: Desk, bot: ScriptedAgent, bank: Bank, clock: FakeClock
) -> None:
    request, standing = await hangs(desk, bank, clock)
    await other.run_due()
    await desk.messages.post(request.thread, "And order 18?", author=ADA)
    paused = await desk.respond(request.thread)
    assert isinstance(paused, Paused)
    [second] = [one for one in paused.requests if one.id != request.id]
    await desk.requests.decide(second.id, APPROVE, by=ANA)
    bot.script = echo
    await desk.respond(request.thread)
    shown = [part.call_id for message in bot.turns[-1].history for part in message.parts if isinstance(part, ToolCall)]
    assert shown == [second.call_id]
    bank.go.set()
    await standing


async def test_p3_a_process_that_comes_back_before_anybody_settled_it_ends_the_doubt(
    desk: Desk, other: Desk, bank: Bank, clock: FakeClock
) -> None:
    request, standing = await hangs(desk, bank, clock)
    await other.run_due()
    bank.go.set()
    await standing
    assert (await other.requests.get(request.id, by=ANA)).state is RequestState.APPLIED
    await other.run_due()
    assert (await history(other, request))[-1].text == "Done: refunded 4900"
    assert len(bank.paid) == 1


async def test_p3_a_tool_that_is_declared_idempotent_is_run_again(
    desk: Desk, other: Desk, bot: ScriptedAgent, bank: Bank, clock: FakeClock
) -> None:
    bot.script = calling("refund", ARGS, bank.refund, idempotent=True)
    request, standing = await hangs(desk, bank, clock)
    first, bank.go = bank.go, asyncio.Event()
    bank.go.set()
    await other.run_due()
    assert (await other.requests.get(request.id, by=ANA)).state is RequestState.APPLIED
    first.set()
    await standing
    assert len(bank.paid) == 2
    results = [part for m in await history(other, request) for part in m.parts if isinstance(part, ToolResult)]
    assert len(results) == 1


async def test_p3_a_call_that_was_begun_before_a_takeover_by_a_process_that_died_is_found_by_the_audit(
    desk: Desk, other: Desk, bank: Bank, clock: FakeClock
) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    request, standing = await hangs(desk, bank, clock)
    await other.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    clock.advance(seconds=61)
    await other.run_due()
    assert (await other.requests.get(request.id, by=ANA)).state is RequestState.IN_DOUBT
    bank.go.set()
    await standing


async def test_a_call_that_is_deleted_after_people_approved_it_does_not_run(desk: Desk, bank: Bank) -> None:
    request = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.messages.delete(request.call_message or "")
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.FAILED
    assert isinstance(await desk.respond(request.thread), Replied)
    assert bank.paid == []


async def test_p3_what_came_of_a_call_is_known_though_its_message_was_deleted_while_it_ran(
    desk: Desk, other: Desk, bank: Bank, clock: FakeClock
) -> None:
    request, standing = await hangs(desk, bank, clock)
    await other.messages.delete(request.call_message or "")
    await other.run_due()
    assert (await other.requests.get(request.id, by=ANA)).state is RequestState.IN_DOUBT
    settled = await other.requests.settle(request.id, ran=True, by=BEN)
    assert (settled.state, settled.outcome) == (RequestState.APPLIED, None)
    assert isinstance(await other.respond(request.thread), Replied)
    bank.go.set()
    await standing


async def test_a_thread_taken_over_while_its_run_was_about_to_go_on_waits_for_the_one_who_took_it(desk: Desk) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    request = await asked(desk)
    await desk.requests.decide(request.id, REJECT, by=ana)
    assert (await desk.threads.get(request.thread)).waiting_since is None
    taken = await desk.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    assert taken.waiting_since is not None, "the run that would have answered is cancelled"


async def test_p7_a_run_that_people_have_answered_goes_first_whichever_id_it_has(
    store_url: str, clock: FakeClock, bank: Bank
) -> None:
    """Two machines make their ids on their own, and their clocks differ: neither says which run is older."""
    bots = [ScriptedAgent(calling("refund", ARGS, bank.refund)) for _ in range(2)]
    high, low = FakeEntropy("high"), FakeEntropy("low")
    async with (
        Desk.open(store_url, clock=clock, agents=[bots[0]], entropy=lambda n: b"\xf0" + high(n - 1), work=False) as one,
        Desk.open(store_url, clock=clock, agents=[bots[1]], entropy=lambda n: b"\x00" + low(n - 1), work=False) as two,
    ):
        request = await asked(one)
        await two.requests.decide(request.id, APPROVE, by=ANA)
        await two.messages.post(request.thread, "Is it done?", author=ADA)
        async with asyncio.timeout(10):
            assert isinstance(await two.respond(request.thread), Replied)
        assert bank.paid == [ARGS]


async def test_p5_a_thread_with_a_call_in_doubt_waits_for_people_also_when_it_is_handed_back(
    desk: Desk, other: Desk, bank: Bank, clock: FakeClock
) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    request, standing = await hangs(desk, bank, clock)
    await other.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    clock.advance(seconds=61)
    await other.run_due()
    other.register(ScriptedAgent(echo))
    back = await other.assignments.assign(request.thread, "ai", by=ana.actor())
    assert back.waiting_since is not None
    await other.run_due()
    assert (await other.threads.get(request.thread)).waiting_since is not None
    await other.requests.settle(request.id, ran=True, by=BEN)
    assert (await other.threads.get(request.thread)).waiting_since is None
    bank.go.set()
    await standing
