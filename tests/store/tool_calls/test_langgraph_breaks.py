"""Where langgraph 1.2 breaks: the sequences of verbs that broke it, with every execution of the tool counted.

The first lines of a test say what happened there.
"""

import pytest
from pydantic_ai import Tool
from tests.store.people import ADA, ANA, BEN, asked
from tests.store.tool_calls.bank import APPROVE, REJECT, ROUNDS, Bank, state, tried
from tests.store.tool_calls.models import Model, Shop, call
from tests.store.tool_calls.sizes import stored_bytes, words

from deskmate import AskHuman, Desk, NewDecision, Paused, Replied, Request
from deskmate.domain.actors import Actor
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import AlreadyDecided, Closed
from deskmate.testing import FakeClock, ScriptedAgent, asking, echo


async def test_langgraph_two_people_resume_at_once_one_approves_one_rejects(desk: Desk, other: Desk, bank: Bank) -> None:
    """There both resumed, the tool ran for both, and the last writer won."""
    for number in range(ROUNDS):
        bank.paid.clear()
        (request,) = await asked(desk)

        async def resume(desk: Desk, decision: NewDecision, by: Actor, request: Request = request) -> Request:
            decided = await desk.requests.decide(request.id, decision, by=by)
            await desk.respond(request.thread)
            return decided

        both = [resume(desk, APPROVE, ANA), resume(other, REJECT, BEN)]
        ends = await tried(*(both if number % 2 else reversed(both)))
        [won] = [end for end in ends if isinstance(end, Request)]
        [lost] = [end for end in ends if isinstance(end, AlreadyDecided)]
        assert won.decision is not None
        assert lost.facts["by"] == {"id": won.decision.by.id, "name": won.decision.by.name}
        assert len(bank.paid) == (1 if won.decision.kind is DecisionKind.APPROVE else 0)
        assert await state(desk, request) is RequestState.APPLIED


async def test_langgraph_code_before_the_wait_runs_again_at_every_resume(store_url: str, clock: FakeClock, shop: Shop) -> None:
    """There two waits made three executions of what stood before them."""
    model = Model(
        [call("look_up", "c1", order=1), call("ask_human", "c2", question="May we?")],
        [call("look_up", "c3", order=2), call("refund", "c4", order=2)],
        "Done.",
    )
    agent = model.agent(shop.look_up, Tool(shop.refund, requires_approval=True), capabilities=[AskHuman()])
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (question,) = await asked(desk)
        await desk.requests.answer(question.id, "Yes.", by=ANA)
        second = await desk.respond(question.thread)
        assert isinstance(second, Paused)
        await desk.requests.decide(second.requests[0].id, APPROVE, by=ANA)
        assert isinstance(await desk.respond(question.thread), Replied)
    assert shop.ran == ["look_up 1", "look_up 2", "refund 2"]
    assert len(model.shown) == 3, "nor is the model asked the same again"


async def test_langgraph_an_answer_to_the_old_id_after_new_input_is_not_ignored(desk: Desk, bot: ScriptedAgent) -> None:
    """There new input gave the wait another id, and an answer to the old one vanished."""
    bot.script = asking("May we?")
    (request,) = await asked(desk)
    first = bot.script
    bot.script = echo
    await desk.messages.post(request.thread, "Are you there?", author=ADA)
    await desk.respond(request.thread)
    bot.script = first
    assert [r.id for r in await desk.requests.waiting(request.thread, by=ANA)] == [request.id]
    answered = await desk.requests.answer(request.id, "Yes, gladly.", by=ANA)
    assert answered.state is RequestState.APPLIED
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Ana says: Yes, gladly."


async def test_langgraph_an_approval_of_the_old_call_after_new_input_is_refused_aloud(
    desk: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    """The same for an approval, which new input overtakes: whoever comes late is told so."""
    (request,) = await asked(desk)
    bot.script = echo
    await desk.messages.post(request.thread, "Are you there?", author=ADA)
    await desk.respond(request.thread)
    with pytest.raises(Closed) as late:
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert late.value.facts["state"] == "superseded"
    assert await desk.run_due() == 0
    assert bank.paid == []


@pytest.mark.parametrize(("size", "bound"), [(400, 20.0), (80_000, 4.0)])
async def test_langgraph_a_whole_state_checkpoint_each_step(
    untouched_url: str, clock: FakeClock, bot: ScriptedAgent, size: int, bound: float
) -> None:
    """There 200 turns with 160 kB of words became 97 MB, 600 times their size: each step stored all that was before it.

    Here the second half of the turns costs what the first did. Beside its words a turn has rows of a fixed size, which is some
    times words as short as those; long words are kept as they were written, as text, and as the search reads them.
    """
    bot.script = echo
    sizes = [stored_bytes(untouched_url)]
    turns = 200 if size < 1000 else 40
    async with Desk.open(untouched_url, clock=clock, agents=[bot], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
    for half in range(2):
        async with Desk.open(untouched_url, clock=clock, agents=[bot], work=False) as desk:
            for number in range(turns // 2):
                await desk.messages.post(thread.id, words(size, seed=half * turns + number), author=ADA)
                assert isinstance(await desk.respond(thread.id), Replied)
        sizes.append(stored_bytes(untouched_url))
    said = 2 * size * turns
    first, second = sizes[1] - sizes[0], sizes[2] - sizes[1]
    print(f"\n{turns} turns with {said} bytes of words: stored {first} + {second}, {(first + second) / said:.2f} times")
    assert first + second < bound * said
    assert second < 1.5 * first
