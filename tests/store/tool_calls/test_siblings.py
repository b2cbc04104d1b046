"""Failures after an approval was consumed, and parallel siblings: none is lost, none is run again."""

from collections.abc import AsyncIterator

import pytest
from pydantic_ai import Tool
from tests.store.people import ADA, ANA, BEN, asked
from tests.store.tool_calls.bank import APPROVE, ARGS, REJECT, Bank, history, refunds, state, tried
from tests.store.tool_calls.models import Model, Shop, call

from deskmate import Desk, Failed, ToolResult, Turn
from deskmate.domain.agents import Approved, Output
from deskmate.domain.requests import RequestState
from deskmate.errors import AlreadyDecided
from deskmate.testing import FakeClock, ScriptedAgent, calling, echo, say


async def test_a_failure_after_the_approval_was_consumed_does_not_run_the_tool_again(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """The provider is down after the tool has run: the run fails, visibly, and the next one knows what has been done."""
    model = Model([call("refund", "c1", order=17)], RuntimeError("the provider is down"), "It is done.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        assert isinstance(await desk.respond(request.thread), Failed)
        assert await state(desk, request) is RequestState.APPLIED
        assert shop.ran == ["refund 17"]
        with pytest.raises(AlreadyDecided):
            await desk.requests.decide(request.id, APPROVE, by=BEN)
        await desk.messages.post(request.thread, "And?", author=ADA)
        await desk.run_due()
        assert [m.text for m in await history(desk, request.thread)][-1] == "It is done."
        assert model.results() == {"c1": "refunded 17"}
    assert shop.ran == ["refund 17"]


async def test_a_result_that_cannot_be_stored_leaves_the_call_in_doubt(desk: Desk, bot: ScriptedAgent, bank: Bank) -> None:
    """The tool has run, and what it returned is lost on the way to the store: a person has to say what became of it."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if not turn.resumed:
            async for output in calling("refund", ARGS, bank.refund)(turn):
                yield output
            return
        for approved in turn.approved:

            async def unstorable(approved: Approved = approved) -> ToolResult:
                await bank.refund(approved.args)
                return ToolResult(call_id=approved.call_id, tool="refund", output=object())

            await turn.apply(approved, approved.args, unstorable)
        yield say("Done.")

    bot.script = script
    (request,) = await asked(desk)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert isinstance(await desk.respond(request.thread), Failed)
    assert await state(desk, request) is RequestState.IN_DOUBT
    await desk.run_due()
    settled = await desk.requests.settle(request.id, ran=True, value="refunded, says the bank", by=ANA)
    assert settled.state is RequestState.APPLIED
    await desk.run_due()
    assert len(bank.paid) == 1


@pytest.mark.parametrize("closed", ["rejected", "overtaken", "failed"])
async def test_parallel_siblings_are_neither_lost_nor_run_again(
    desk: Desk, other: Desk, bot: ScriptedAgent, bank: Bank, closed: str
) -> None:
    """One of three is approved, one is rejected or overtaken or fails: each ends by itself, and is told as what it came to."""
    bot.script = refunds(1, 2, 3)(bank)
    one, two, three = await asked(desk)
    await desk.requests.decide(one.id, APPROVE, by=ANA)
    if closed == "overtaken":
        bot.script = echo
        await desk.messages.post(one.thread, "Never mind.", author=ADA)
        await desk.run_due()
        ends = [RequestState.FAILED, RequestState.SUPERSEDED, RequestState.SUPERSEDED]
        ran: list[str] = []
    else:
        await desk.requests.decide(two.id, REJECT, by=BEN)
        if closed == "failed":
            bank.error = RuntimeError("the bank is closed")
        await other.requests.decide(three.id, APPROVE, by=BEN)
        ends = [RequestState.APPLIED] * 3
        if closed == "failed":
            ends = [RequestState.FAILED, RequestState.APPLIED, RequestState.FAILED]
        ran = ["1", "3"]
    await tried(desk.run_due(), other.run_due())
    assert [await state(desk, request) for request in (one, two, three)] == ends
    assert sorted(str(paid["order"]) for paid in bank.paid) == ran
    bot.script = echo
    await desk.messages.post(one.thread, "And?", author=ADA)
    await tried(desk.run_due(), other.run_due())
    assert sorted(str(paid["order"]) for paid in bank.paid) == ran
    stored = await history(desk, one.thread)
    told = [p.call_id for m in stored for p in m.parts if isinstance(p, ToolResult)]
    assert len(told) == len(set(told))
