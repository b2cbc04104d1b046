"""Tools of a Pydantic AI agent that people approve, on a desk: which calls ask, what runs, what the model is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic_ai import Agent, ModelRetry, Tool
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.store.people import ADA, ANA

from deskmate import (
    AskHuman,
    Desk,
    NeedsApproval,
    NewDecision,
    OnExpiry,
    Overtaken,
    Paused,
    PydanticAgent,
    Replied,
    Request,
    Risk,
    Rule,
)
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import Invalid
from deskmate.testing import FakeClock

APPROVE = NewDecision(kind=DecisionKind.APPROVE)
Model = Callable[[list[ModelMessage]], ModelResponse]


class Shop:
    """The tools, and what they did."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Any]] = []

    async def refund(self, order: int, amount: int) -> str:
        """Pay money back."""
        self.done.append(("refund", (order, amount)))
        if amount == 13:
            raise ModelRetry("13 brings bad luck")
        return f"refunded {amount}"

    def look_up(self, order: int) -> str:
        """See what was ordered."""
        self.done.append(("look_up", order))
        return "a chair"


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, work=False) as desk:
        yield desk


class Bot:
    """An agent whose model says what it is told to, one answer after the other, and keeps what it was shown."""

    def __init__(self, *answers: Any, tools: list[Any], capabilities: list[Any] | None = None) -> None:
        self.answers = list(answers)
        self.shown: list[list[ModelMessage]] = []
        model = FunctionModel(self._answer)
        self.agent = PydanticAgent(
            Agent(model, name="support", tools=tools, capabilities=capabilities or []), stream=False, notice=None
        )

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.shown.append(messages)
        given = self.answers.pop(0)
        parts = [TextPart(given)] if isinstance(given, str) else given
        return ModelResponse(parts=parts)

    def results(self) -> dict[str, Any]:
        """The results that the model was shown last, by call id."""
        parts = [part for message in self.shown[-1] for part in message.parts]
        return {part.tool_call_id: part.content for part in parts if isinstance(part, ToolReturnPart)}


def call(tool: str, id: str, **args: Any) -> ToolCallPart:
    return ToolCallPart(tool, args, tool_call_id=id)


async def asked(desk: Desk, bot: Bot) -> tuple[Request, ...]:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "My money back, please.", author=ADA)
    match await desk.respond(thread.id, bot.agent):
        case Paused(requests=requests):
            return requests
        case other:
            raise AssertionError(other)


async def test_a_tool_that_requires_approval_waits_with_its_arguments_and_its_schema(desk: Desk, shop: Shop) -> None:
    bot = Bot([call("refund", "c1", order=17, amount=4900)], "Done.", tools=[Tool(shop.refund, requires_approval=True)])
    (request,) = await asked(desk, bot)
    assert (request.tool, request.args, request.risk) == ("refund", {"order": 17, "amount": 4900}, Risk.HIGH)
    assert request.args_schema is not None
    assert request.args_schema["required"] == ["order", "amount"]
    assert shop.done == []
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    reply = await desk.respond(request.thread, bot.agent)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Done."
    assert shop.done == [("refund", (17, 4900))]
    assert bot.results() == {"c1": "refunded 4900"}
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.APPLIED


async def test_edited_arguments_are_checked_against_the_tool_and_the_model_is_told_who_changed_them(
    desk: Desk, shop: Shop
) -> None:
    bot = Bot([call("refund", "c1", order=17, amount=4900)], "Done.", tools=[Tool(shop.refund, requires_approval=True)])
    (request,) = await asked(desk, bot)
    with pytest.raises(Invalid) as refused:
        await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args={"order": 17, "amount": "much"}), by=ANA)
    assert refused.value.field == "args.amount"
    less = {"order": 17, "amount": 1000}
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.EDIT, args=less), by=ANA)
    await desk.respond(request.thread, bot.agent)
    assert shop.done == [("refund", (17, 1000))]
    assert bot.results()["c1"] == {"result": "refunded 1000", "ran_with": less, "arguments_changed_by": "Ana"}
    done = await desk.requests.get(request.id, by=ANA)
    assert (done.args, done.executed_args) == ({"order": 17, "amount": 4900}, less)


async def test_a_rejected_call_does_not_run_and_the_model_is_told_why(desk: Desk, shop: Shop) -> None:
    bot = Bot([call("refund", "c1", order=17, amount=1)], "Sorry.", tools=[Tool(shop.refund, requires_approval=True)])
    (request,) = await asked(desk, bot)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.REJECT, reason="too late"), by=ANA)
    await desk.respond(request.thread, bot.agent)
    assert shop.done == []
    assert bot.results()["c1"] == "Declined by Ana: too late"


async def test_a_rule_asks_only_for_the_calls_it_is_about(desk: Desk, shop: Shop) -> None:
    large = Rule(when=lambda args: args["amount"] > 1000, reason="large sums", risk=Risk.MEDIUM, approvers=2)
    bot = Bot(
        [call("refund", "c1", order=1, amount=10), call("refund", "c2", order=2, amount=5000)],
        "Done.",
        tools=[shop.refund],
        capabilities=[NeedsApproval({"refund": large})],
    )
    (request,) = await asked(desk, bot)
    assert shop.done == [("refund", (1, 10))]
    assert (request.call_id, request.reason, request.risk, request.approvers) == ("c2", "large sums", Risk.MEDIUM, 2)


async def test_a_tool_asks_by_the_risk_that_it_declares(desk: Desk, shop: Shop) -> None:
    tools = [Tool(shop.refund, metadata={"risk": "high"}), Tool(shop.look_up, metadata={"risk": "low"})]
    bot = Bot(
        [call("look_up", "c1", order=1), call("refund", "c2", order=2, amount=5)],
        "Done.",
        tools=tools,
        capabilities=[NeedsApproval(from_risk=Risk.MEDIUM)],
    )
    (request,) = await asked(desk, bot)
    assert request.call_id == "c2"
    assert shop.done == [("look_up", 1)]


async def test_p7_siblings_that_needed_nobody_are_not_run_again(desk: Desk, shop: Shop) -> None:
    calls = [call("look_up", "c1", order=17), call("refund", "c2", order=17, amount=2), call("refund", "c3", order=18, amount=3)]
    bot = Bot(calls, "Done.", tools=[shop.look_up, Tool(shop.refund, requires_approval=True)])
    one, two = await asked(desk, bot)
    assert shop.done == [("look_up", 17)]
    await desk.requests.decide(two.id, APPROVE, by=ANA)
    await desk.requests.decide(one.id, NewDecision(kind=DecisionKind.REJECT), by=ANA)
    reply = await desk.respond(one.thread, bot.agent)
    assert isinstance(reply, Replied)
    assert shop.done == [("look_up", 17), ("refund", (18, 3))]
    assert bot.results()["c1"] == "a chair"
    assert bot.results()["c3"] == "refunded 3"
    assert set(bot.results()) == {"c1", "c2", "c3"}


async def test_p7_questions_and_approvals_of_one_response_are_answered_in_any_order(desk: Desk, shop: Shop) -> None:
    calls = [call("ask_human", "c1", question="Which account?"), call("refund", "c2", order=17, amount=2)]
    bot = Bot(calls, "Done.", tools=[Tool(shop.refund, requires_approval=True)], capabilities=[AskHuman()])
    requests = {request.kind: request for request in await asked(desk, bot)}
    await desk.requests.decide(requests["approval"].id, APPROVE, by=ANA)
    assert shop.done == []
    await desk.requests.answer(requests["question"].id, "Hers.", by=ANA)
    reply = await desk.respond(requests["question"].thread, bot.agent)
    assert isinstance(reply, Replied)
    assert shop.done == [("refund", (17, 2))]
    assert bot.results() == {"c1": {"answer": "Hers.", "by": "Ana"}, "c2": "refunded 2"}


async def test_what_a_tool_tells_the_model_is_its_result_though_it_failed(desk: Desk, shop: Shop) -> None:
    bot = Bot([call("refund", "c1", order=17, amount=13)], "Sorry.", tools=[Tool(shop.refund, requires_approval=True)])
    (request,) = await asked(desk, bot)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    reply = await desk.respond(request.thread, bot.agent)
    assert isinstance(reply, Replied)
    assert "bad luck" in json.dumps(bot.results()["c1"])
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.FAILED
    assert len(shop.done) == 1


async def test_a_call_of_a_tool_that_is_gone_has_failed(desk: Desk, shop: Shop) -> None:
    bot = Bot([call("refund", "c1", order=17, amount=2)], tools=[Tool(shop.refund, requires_approval=True)])
    (request,) = await asked(desk, bot)
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    newer = Bot("Sorry, I cannot do that any more.", tools=[shop.look_up])
    reply = await desk.respond(request.thread, newer.agent)
    assert isinstance(reply, Replied)
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.FAILED
    assert shop.done == []


async def test_the_clock_approves_what_a_rule_lets_it(desk: Desk, shop: Shop) -> None:
    rule = Rule(risk=Risk.LOW, on_expiry=OnExpiry.APPROVE)
    bot = Bot(
        [call("refund", "c1", order=17, amount=2)], "Done.", tools=[shop.refund], capabilities=[NeedsApproval({"refund": rule})]
    )
    (request,) = await asked(desk, bot)
    assert (request.on_expiry, request.risk) == (OnExpiry.APPROVE, Risk.LOW)


async def test_p3_a_tool_that_runs_while_the_thread_is_taken_over_comes_to_its_end_and_is_recorded(desk: Desk) -> None:
    begun, go, ends = asyncio.Event(), asyncio.Event(), list[str]()

    async def slow(order: int) -> str:
        begun.set()
        await go.wait()
        ends.append("done")
        return "done"

    ana = await desk.operators.add(name="Ana", email="ana@example.com")
    bot = Bot([call("slow", "c1", order=17)], "Never said.", tools=[Tool(slow, requires_approval=True)])
    (request,) = await asked(desk, bot)
    await desk.requests.decide(request.id, APPROVE, by=ana)
    going_on = asyncio.create_task(desk.respond(request.thread, bot.agent))
    await begun.wait()
    await desk.assignments.assign(request.thread, f"operator:{ana.id}", by=ana.actor())
    go.set()
    assert isinstance(await going_on, Overtaken)
    recorded = await desk.requests.get(request.id, by=ANA)
    assert (recorded.state, ends) == (RequestState.APPLIED, ["done"])
    assert "Never said." not in [m.text for m in (await desk.messages.history(request.thread, by=ANA)).items]
