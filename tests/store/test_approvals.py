"""Approvals that stand in messages which a program stores itself: the ledger decides them, once, whoever runs the call."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.store.people import ADA, ANA, BEN

from deskmate import Desk, Message, NewMessage, Request, Text, ToolCall, ToolResult
from deskmate.domain.actors import Actor, agent, service
from deskmate.domain.messages import ApprovalRequest, ApprovalResponse, MessageStatus
from deskmate.domain.requests import DecisionKind, NewDecision, RequestState
from deskmate.errors import AlreadyDecided, Conflict, DeskmateError, Invalid, NotFound
from deskmate.services.opening import digest
from deskmate.testing import FakeClock

BOT = agent("bot")
REFUND = ToolCall(call_id="c1", tool="refund", input={"order": 17, "amount": 4900})
ASKED = ApprovalRequest(approval_id="ap1", call_id="c1")
APPROVE, REJECT = NewDecision(kind=DecisionKind.APPROVE), NewDecision(kind=DecisionKind.REJECT, reason="too much")


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, work=False) as desk:
        yield desk


async def called(desk: Desk, *parts: ToolCall | ApprovalRequest, status: MessageStatus = MessageStatus.SUCCESS) -> Message:
    """A thread on which the program stored Ada's question and the calls of its model. Returns the message with the calls."""
    thread = await desk.threads.open(customer="ada")
    asked = NewMessage(role="user", author=ADA.author, parts=(Text(text="My money back, please."),))
    calls = NewMessage(role="assistant", author=BOT.author, parts=parts or (REFUND, ASKED), status=status)
    return (await desk.messages.save(thread.id, [asked, calls]))[1]


async def approval(desk: Desk, message: Message, id: str = "ap1") -> Request:
    return await desk.requests.of_approval(message.thread, id, by=ANA)


def result(output: str = "refunded") -> NewMessage:
    return NewMessage(role="tool", author=BOT.author, parts=(ToolResult(call_id="c1", tool="refund", output=output),))


async def test_an_approval_in_a_stored_message_waits_for_people_with_its_arguments(desk: Desk) -> None:
    message = await called(desk)
    [waiting] = (await desk.requests.list(by=ANA)).items
    assert (waiting.kind, waiting.state, waiting.approval) == ("approval", "open", "ap1")
    assert (waiting.tool, waiting.args, waiting.args_digest) == ("refund", REFUND.input, digest(REFUND.input))
    assert (waiting.call_message, waiting.call_id) == (message.id, "c1")
    assert waiting.expires_at is not None
    assert (await desk.threads.get(message.thread)).waiting_since is not None


async def test_one_that_is_still_being_written_asks_nobody_until_it_is_finished(desk: Desk) -> None:
    message = await called(desk, status=MessageStatus.PENDING)
    assert (await desk.requests.list(by=ANA)).items == ()
    await desk.messages.finish(message.id)
    assert (await approval(desk, message)).state is RequestState.OPEN


async def test_what_was_asked_and_answered_elsewhere_is_history(desk: Desk) -> None:
    thread = await desk.threads.open(customer="ada")
    calls = NewMessage(role="assistant", author=BOT.author, parts=(REFUND, ASKED))
    answer = NewMessage(role="tool", author=ANA.author, parts=(ApprovalResponse(approval_id="ap1", approved=True),))
    await desk.messages.save(thread.id, [calls, answer])
    assert (await desk.requests.list(by=ANA)).items == ()


async def test_p2_of_many_who_decide_at_once_one_wins_and_the_others_learn_who(desk: Desk) -> None:
    message = await called(desk)
    request = await approval(desk, message)

    async def decide(by: Actor, decision: NewDecision) -> Request | DeskmateError:
        try:
            return await desk.requests.decide(request.id, decision, by=by)
        except AlreadyDecided as error:
            return error

    ends = await asyncio.gather(*(decide(by, what) for by in (ANA, BEN) for what in (APPROVE, REJECT) for _ in range(4)))
    [won] = [end for end in ends if isinstance(end, Request)]
    assert won.decision is not None
    winner = {"id": won.decision.by.id, "name": won.decision.by.name}
    assert [end.facts["by"] for end in ends if isinstance(end, DeskmateError)] == [winner] * 15
    [answer] = [m for m in (await desk.messages.page(message.thread)).items if m.role == "tool"]
    [part] = answer.parts
    assert isinstance(part, ApprovalResponse)
    assert (part.request, part.approved) == (request.id, won.decision.kind is DecisionKind.APPROVE)
    assert part.by is not None
    assert part.by.name == winner["name"]


async def test_p7_calls_of_one_step_are_decided_by_different_people_in_any_order(desk: Desk) -> None:
    other = ToolCall(call_id="c2", tool="refund", input={"order": 18, "amount": 100})
    message = await called(desk, REFUND, ASKED, other, ApprovalRequest(approval_id="ap2", call_id="c2"))
    second = await desk.requests.decide((await approval(desk, message, "ap2")).id, REJECT, by=BEN)
    first = await desk.requests.decide((await approval(desk, message)).id, APPROVE, by=ANA)
    assert (first.outcome, first.state, second.state) == (second.outcome, "decided", "applied")
    assert (await desk.threads.get(message.thread)).waiting_since is None
    answer = (await desk.messages.find(first.outcome or ""))[0]
    assert answer is not None
    assert [part.by and part.by.name for part in answer.parts if isinstance(part, ApprovalResponse)] == ["Ben", "Ana"]


async def test_an_approval_is_applied_when_the_program_stores_the_result_of_the_call(desk: Desk) -> None:
    message = await called(desk)
    request = await desk.requests.decide((await approval(desk, message)).id, APPROVE, by=ANA)
    assert request.state is RequestState.DECIDED
    [stored] = await desk.messages.save(message.thread, [result()], after=message.id)
    applied = await desk.requests.get(request.id, by=ANA)
    assert (applied.state, applied.outcome) == ("applied", stored.id)


async def test_p3_a_call_that_was_changed_after_people_were_asked_cannot_be_approved(desk: Desk) -> None:
    message = await called(desk)
    request = await approval(desk, message)
    more = ToolCall(call_id="c1", tool="refund", input={"order": 17, "amount": 490000})
    await desk.messages.change(message.id, parts=(more, ASKED))
    with pytest.raises(Conflict, match="changed"):
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    left = await desk.requests.get(request.id, by=ANA)
    assert (left.state, left.decision) == ("open", None)
    withdrawn = await desk.requests.cancel(request.id, by=ANA)
    assert withdrawn.state is RequestState.CANCELLED


@pytest.mark.parametrize("claims", [None, "req_of_its_own"])
async def test_p2_an_answer_that_goes_past_the_ledger_is_refused(desk: Desk, claims: str | None) -> None:
    message = await called(desk)
    said = ApprovalResponse(approval_id="ap1", approved=True, request=claims, by=ANA.author)
    answer = NewMessage(role="tool", author=BOT.author, parts=(said,))
    with pytest.raises(Invalid, match="decide request"):
        await desk.messages.save(message.thread, [answer], after=message.id)
    assert len((await desk.messages.page(message.thread)).items) == 2
    assert (await approval(desk, message)).state is RequestState.OPEN


async def test_a_person_may_answer_the_call_instead_and_arguments_stay_as_they_are_stored(desk: Desk) -> None:
    message = await called(desk)
    request = await approval(desk, message)
    with pytest.raises(Invalid, match="approve or reject"):
        await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args={"amount": 1}), by=ANA)
    responded = await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.RESPOND, value="by voucher"), by=ANA)
    answer = (await desk.messages.find(responded.outcome or ""))[0]
    assert answer is not None
    [part] = answer.parts
    assert isinstance(part, ToolResult)
    assert (responded.state, part.output, part.request) == ("applied", "by voucher", request.id)


async def test_a_deleted_call_waits_for_nobody(desk: Desk) -> None:
    message = await called(desk)
    request = await approval(desk, message)
    await desk.messages.delete(message.id)
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.CANCELLED


async def test_an_approval_of_another_thread_is_not_found(desk: Desk) -> None:
    await called(desk)
    other = await desk.threads.open(customer="ben")
    with pytest.raises(NotFound):
        await desk.requests.of_approval(other.id, "ap1", by=ANA)


async def test_a_program_that_stores_the_result_of_an_undecided_call_has_decided_it(desk: Desk) -> None:
    message = await called(desk)
    [stored] = await desk.messages.save(message.thread, [result("by voucher")], after=message.id, by=service("shop"))
    settled = await approval(desk, message)
    assert settled.decision is not None
    assert (settled.state, settled.outcome) == ("applied", stored.id)
    assert (settled.decision.kind, settled.decision.value, settled.decision.by.name) == ("respond", "by voucher", "shop")
    assert (await desk.threads.get(message.thread)).waiting_since is None
    with pytest.raises(AlreadyDecided):
        await desk.requests.decide(settled.id, APPROVE, by=ANA)


async def test_a_stored_denial_of_an_undecided_call_is_a_rejection(desk: Desk) -> None:
    message = await called(desk)
    denied = ToolResult(call_id="c1", tool="refund", denied=True, reason="too late")
    await desk.messages.save(message.thread, [NewMessage(role="tool", author=BOT.author, parts=(denied,))], after=message.id)
    settled = await approval(desk, message)
    assert settled.decision is not None
    assert (settled.state, settled.decision.kind, settled.decision.reason) == ("applied", "reject", "too late")


async def test_an_approved_call_whose_message_is_deleted_will_not_be_run(desk: Desk) -> None:
    message = await called(desk)
    request = await desk.requests.decide((await approval(desk, message)).id, APPROVE, by=ANA)
    await desk.messages.delete(message.id)
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.FAILED
