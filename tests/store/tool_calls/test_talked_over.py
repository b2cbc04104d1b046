"""Tool calls that wait for people while the conversation goes on."""

import asyncio

import pytest
from tests.store.people import ADA, ANA, asked
from tests.store.tool_calls.bank import APPROVE, ARGS, Bank, history

from deskmate import Desk, Replied, TalkOver, ToolCall, ToolResult
from deskmate.domain.requests import RequestState
from deskmate.errors import Closed
from deskmate.testing import FakeClock, FakeEntropy, ScriptedAgent, calling, echo


async def test_p6_talking_over_an_open_approval_supersedes_it_and_a_late_approval_is_refused(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    (request,) = await asked(desk)
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
    (request,) = await asked(desk)
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
    (request,) = await asked(desk)
    bot.script = echo
    await desk.messages.post(request.thread, "Anything new?", author=ADA)
    await desk.respond(request.thread)
    bot.script = script
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.run_due()
    assert bank.paid == [ARGS]
    *_, last = await history(desk, request.thread)
    assert (last.text, last.order) == ("Done: refunded 4900", 1)
    call = await desk.messages.get(request.call_message or "", by=ANA)
    result = await desk.messages.get((await desk.requests.get(request.id, by=ANA)).outcome or "", by=ANA)
    assert (call.order, result.order) == (0, 0), "the result stays with its call"


async def test_an_approval_that_came_before_never_mind_is_done_before_the_next_reply(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    await desk.messages.post(request.thread, "Never mind.", author=ADA)
    await desk.run_due()
    assert bank.paid == [ARGS]
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.APPLIED


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
        (request,) = await asked(one)
        await two.requests.decide(request.id, APPROVE, by=ANA)
        await two.messages.post(request.thread, "Is it done?", author=ADA)
        async with asyncio.timeout(10):
            assert isinstance(await two.respond(request.thread), Replied)
        assert bank.paid == [ARGS]
