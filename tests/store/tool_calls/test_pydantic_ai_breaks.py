"""Where pydantic-ai 2.68 breaks: the sequences of verbs that broke it, with every execution of the tool counted.

The first lines of a test say what happened there.
"""

from pydantic_ai import Tool
from tests.store.people import ANA, BEN, asked
from tests.store.tool_calls.bank import REJECT
from tests.store.tool_calls.models import Model, Shop, call

from deskmate import AskHuman, Desk, NewDecision, Paused, Replied
from deskmate.domain.requests import DecisionKind
from deskmate.testing import FakeClock


async def test_pydantic_ai_partial_answers_raise_and_who_answered_is_not_in_the_history(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    """There answers had to come all at once, and the model never learned who gave them and what they had changed."""
    model = Model(
        [call("refund", "c1", order=1), call("refund", "c2", order=2), call("ask_human", "c3", question="May we?")], "Done."
    )
    agent = model.agent(Tool(shop.refund, requires_approval=True), capabilities=[AskHuman()])
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        requests = {request.call_id: request for request in await asked(desk)}
        thread = requests["c1"].thread
        await desk.requests.answer(requests["c3"].id, "Yes.", by=BEN)
        waits = await desk.respond(thread)
        assert isinstance(waits, Paused)
        assert {request.call_id for request in waits.requests} == {"c1", "c2"}
        await desk.requests.decide(requests["c2"].id, REJECT, by=BEN)
        assert await desk.run_due() == 0
        assert shop.ran == []
        await desk.requests.decide(requests["c1"].id, NewDecision(kind=DecisionKind.EDIT, args={"order": 3}), by=ANA)
        assert isinstance(await desk.respond(thread), Replied)
    assert shop.ran == ["refund 3"]
    assert model.results() == {
        "c1": {"result": "refunded 3", "ran_with": {"order": 3}, "arguments_changed_by": "Ana"},
        "c2": "Declined by Ben: too much",
        "c3": {"answer": "Yes.", "by": "Ben"},
    }
