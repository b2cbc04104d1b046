"""Tool calls whose process is gone while they ran: in doubt, until a person settles them."""

import asyncio

import pytest
from tests.store.people import ADA, ADMIN, ANA, BEN, asked
from tests.store.tool_calls.bank import APPROVE, ARGS, Bank, history

from deskmate import Desk, Paused, Replied, Request, ToolCall, ToolResult
from deskmate.domain.requests import RequestState
from deskmate.errors import AlreadyDecided, Conflict
from deskmate.testing import FakeClock, ScriptedAgent, calling, echo


async def hangs(desk: Desk, bank: Bank, clock: FakeClock) -> tuple[Request, "asyncio.Task[object]"]:
    """An approved call whose process stands still while the tool runs, until its lease is over."""
    (request,) = await asked(desk)
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
    results = [part for m in await history(other, request.thread) for part in m.parts if isinstance(part, ToolResult)]
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
    assert (await history(other, request.thread))[-1].text == "Done: refunded 4900"
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
    results = [part for m in await history(other, request.thread) for part in m.parts if isinstance(part, ToolResult)]
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
