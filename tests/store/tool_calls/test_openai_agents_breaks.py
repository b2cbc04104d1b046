"""Where openai-agents 0.24 breaks, once together with pydantic-ai 2.68: the sequences of verbs that broke it, played here.

The first lines of a test say what happened there.
"""

import pytest
from pydantic_ai import Tool
from tests.store.people import ADA, ANA, BEN, asked
from tests.store.tool_calls.bank import APPROVE, ROUNDS, Bank, history, tried
from tests.store.tool_calls.models import Model, Shop, call
from tests.store.tool_calls.sizes import stored_bytes, words

from deskmate import Desk, NewDecision, NewMessage, Paused, Replied, Text
from deskmate.domain.requests import DecisionKind
from deskmate.errors import Closed, Conflict
from deskmate.testing import FakeClock, ScriptedAgent


async def test_openai_agents_and_pydantic_ai_resuming_twice_from_the_same_saved_state(
    desk: Desk, other: Desk, bank: Bank
) -> None:
    """There the saved state could be loaded twice, and the refund ran twice."""
    for _ in range(ROUNDS):
        bank.paid.clear()
        (request,) = await asked(desk)
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        await tried(desk.respond(request.thread), other.respond(request.thread), desk.run_due(), other.run_due())
        await tried(desk.respond(request.thread), other.respond(request.thread), other.run_due())
        assert len(bank.paid) == 1
        assert [m.text for m in await history(desk, request.thread) if m.text][1:] == ["Done: refunded 4900"]


async def test_openai_agents_the_old_approval_after_never_mind_does_not_refund(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """There the run had ended with "never mind", and the old approval still refunded."""
    model = Model([call("refund", "c1", order=17)], "As you wish.", "Hello again.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        await desk.messages.post(request.thread, "Never mind.", author=ADA)
        reply = await desk.respond(request.thread)
        assert isinstance(reply, Replied)
        assert reply.message.text == "As you wish."
        assert "Declined" in model.results()["c1"], "the model is told that its call did not happen"
        for by in (ANA, BEN):
            with pytest.raises(Closed):
                await desk.requests.decide(request.id, APPROVE, by=by)
        with pytest.raises(Conflict):
            await desk.respond(request.thread)
        await desk.messages.post(request.thread, "Hello?", author=ADA)
        await desk.run_due()
        assert "Declined" in model.results()["c1"]
    assert shop.ran == []


async def test_openai_agents_arguments_are_edited_and_a_person_answers_as_the_tool(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """There neither was possible."""
    model = Model([call("refund", "c1", order=17), call("refund", "c2", order=18)], "Done.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        first, second = await asked(desk)
        await desk.requests.decide(first.id, NewDecision(kind=DecisionKind.EDIT, args={"order": 71}), by=ANA)
        await desk.requests.decide(second.id, NewDecision(kind=DecisionKind.RESPOND, value="a voucher instead"), by=BEN)
        assert isinstance(await desk.respond(first.thread), Replied)
    assert shop.ran == ["refund 71"]
    assert model.results() == {
        "c1": {"result": "refunded 71", "ran_with": {"order": 71}, "arguments_changed_by": "Ana"},
        "c2": {"answer": "a voucher instead", "by": "Ben"},
    }


@pytest.mark.parametrize("earlier", [20, 400])
async def test_openai_agents_the_saved_state_is_a_multiple_of_the_conversation(
    untouched_url: str, clock: FakeClock, bot: ScriptedAgent, earlier: int
) -> None:
    """There what a waiting run stored was 5.5 times its conversation. Here it is the same for any: a call and a request."""
    async with Desk.open(untouched_url, clock=clock, agents=[bot], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
        said = [NewMessage(role="user", author=ADA.author, parts=(Text(text=words(500, seed=n)),)) for n in range(earlier)]
        await desk.messages.save(thread.id, said)
    before = stored_bytes(untouched_url)
    waiting = 10
    async with Desk.open(untouched_url, clock=clock, agents=[bot], work=False) as desk:
        for _ in range(waiting):
            await desk.messages.post(thread.id, "My money back, please.", author=ADA)
            assert isinstance(await desk.respond(thread.id), Paused)
    each = (stored_bytes(untouched_url) - before) / waiting
    print(f"\nbehind {earlier} messages of 500 bytes: {each:.0f} bytes for each wait")
    assert each < 40_000
