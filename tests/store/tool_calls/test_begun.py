"""Approved tool calls whose run does not go as it should: other arguments, a tool that raises, a takeover, a deleted call."""

import asyncio
from collections.abc import AsyncIterator

from tests.store.people import ADMIN, ANA, asked
from tests.store.tool_calls.bank import APPROVE, ARGS, REJECT, Bank, history

from deskmate import Desk, Replied, ToolCall, ToolResult, Turn
from deskmate.domain.agents import Output
from deskmate.domain.requests import RequestState
from deskmate.testing import ScriptedAgent, say


async def test_p3_other_arguments_than_the_approved_ones_are_not_run(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    (request,) = await asked(desk)
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
    (request,) = await asked(desk)
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


async def test_p4_an_approved_call_that_was_not_begun_does_not_run_after_a_takeover(desk: Desk, bank: Bank) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    (request,) = await asked(desk)
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
    (request,) = await asked(desk)
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
    said = [message for message in await history(desk, request.thread) if message.role == "assistant" and message.text]
    assert said == []


async def test_a_call_that_is_deleted_after_people_approved_it_does_not_run(desk: Desk, bank: Bank) -> None:
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.messages.delete(request.call_message or "")
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.FAILED
    assert isinstance(await desk.respond(request.thread), Replied)
    assert bank.paid == []


async def test_a_thread_taken_over_while_its_run_was_about_to_go_on_waits_for_the_one_who_took_it(desk: Desk) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, REJECT, by=ana)
    assert (await desk.threads.get(request.thread)).waiting_since is None
    taken = await desk.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    assert taken.waiting_since is not None, "the run that would have answered is cancelled"


async def test_p6_an_approved_call_whose_approval_was_deleted_is_shown_as_one_that_runs_next(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    *_, answer = await history(desk, request.thread)
    await desk.messages.delete(answer.id)
    assert isinstance(await desk.respond(request.thread), Replied)
    shown = [part for message in bot.turns[-1].history for part in message.parts]
    assert [part.call_id for part in shown if isinstance(part, ToolCall)] == [request.call_id]
    assert [part for part in shown if isinstance(part, ToolResult)] == [], "nobody has refused it"
    assert bank.paid == [ARGS]
