"""Agents inside the tools of agents: a call below a tool, and a question below a tool."""

import asyncio

import pytest
from pydantic_ai import DeferredToolRequests, Tool
from tests.store.people import ADA, ANA, asked
from tests.store.tool_calls.bank import APPROVE, state
from tests.store.tool_calls.models import Model, Shop, call

from deskmate import AskHuman, Desk, Failed, Paused, Replied
from deskmate.domain.requests import RequestState
from deskmate.testing import FakeClock


@pytest.mark.parametrize("outer_approved", [False, True], ids=["free", "approved"])
async def test_nested_agents_a_call_below_a_tool_that_needs_approval_does_not_run_and_fails_visibly(
    store_url: str, clock: FakeClock, shop: Shop, outer_approved: bool
) -> None:
    """A run of an agent inside a tool cannot pause: nobody could resume it. What it may not do alone it does not do, though its
    calls carry the id of a call that was approved outside."""
    inner = Model([call("refund", "c1", order=17)], "never said").plain("inner", Tool(shop.refund, requires_approval=True))

    async def delegate(task: str) -> str:
        """Let another agent do it."""
        shop.ran.append("delegate")
        return str((await inner.run(task)).output)

    model = Model([call("delegate", "c1", task="refund order 17")], "Sorry.")
    agent = model.agent(Tool(delegate, requires_approval=outer_approved))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
        await desk.messages.post(thread.id, "My money back, please.", author=ADA)
        outcome = await desk.respond(thread.id)
        if outer_approved:
            assert isinstance(outcome, Paused)
            await desk.requests.decide(outcome.requests[0].id, APPROVE, by=ANA)
            outcome = await desk.respond(thread.id)
            assert await state(desk, (await desk.requests.list(by=ANA, state=None)).items[0]) is RequestState.FAILED
        assert isinstance(outcome, Failed)
        assert "DeferredToolRequests" in outcome.error, "whoever set the agents up reads what is missing"
        assert (await desk.threads.get(thread.id)).waiting_since is not None, "a person looks at it"
        await desk.run_due()
    assert shop.ran == ["delegate"]


async def test_nested_agents_a_call_that_the_inner_agent_hands_back_is_the_tools_to_deal_with(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """An inner agent that declares `DeferredToolRequests` returns its calls, unrun; the tool makes them calls of its own."""
    inner = Model([call("refund", "c1", order=17)]).plain(
        "inner", Tool(shop.refund, requires_approval=True), output_type=[str, DeferredToolRequests]
    )

    async def delegate(task: str) -> str:
        """Let another agent think about it."""
        output = (await inner.run(task)).output
        return output if isinstance(output, str) else f"It would call {[c.tool_name for c in output.approvals]}."

    model = Model([call("delegate", "c1", task="refund order 17")], [call("refund", "c1", order=17)], "Done.")
    agent = model.agent(delegate, Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        assert shop.ran == []
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        assert isinstance(await desk.respond(request.thread), Replied)
        await desk.run_due()
    assert shop.ran == ["refund 17"]


async def test_nested_agents_a_question_below_a_tool_waits_inline_and_the_outer_run_goes_on_once(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    desk = Desk(store_url, clock=clock)
    inner = Model([call("ask_human", "c1", question="May we?")], "They say yes.").plain("inner", capabilities=[AskHuman(desk)])

    async def delegate(task: str) -> str:
        """Let another agent ask around."""
        shop.ran.append("delegate")
        return str((await inner.run(task)).output)

    model = Model([call("delegate", "c1", task="ask")], "We may.")
    desk.register(model.agent(delegate))
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "May you?", author=ADA)
    running = asyncio.create_task(desk.respond(thread.id))
    while not (waiting := await desk.requests.waiting(thread.id, by=ANA)):  # noqa: ASYNC110 - no event says it to a program
        await asyncio.sleep(0.01)
    await desk.requests.answer(waiting[0].id, "Yes.", by=ANA)
    reply = await running
    await desk.close()
    assert isinstance(reply, Replied)
    assert reply.message.text == "We may."
    assert shop.ran == ["delegate"]
