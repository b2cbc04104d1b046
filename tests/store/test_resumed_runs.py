"""A run that goes on is shown its own calls and what came of them, whoever may see those and however long ago they were made."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.store.people import ADA, ANA

from deskmate import (
    AskHuman,
    Desk,
    NeedsApproval,
    NewDecision,
    OnExpiry,
    PydanticAgent,
    Rule,
    Settings,
    TalkOver,
    Thread,
    Visibility,
)
from deskmate.domain.requests import DecisionKind
from deskmate.testing import FakeClock, pass_time

APPROVE = NewDecision(kind=DecisionKind.APPROVE)
ANSWER = NewDecision(kind=DecisionKind.ANSWER, value="Yes.")
REFUND = ToolCallPart("refund", {"order": 17}, tool_call_id="c1")
QUESTION = ToolCallPart("ask_human", {"question": "May we?"}, tool_call_id="c1")


class Bot:
    """A model that calls a tool until it is shown a result of it, as models do; on its first turn only, with `once`."""

    def __init__(self, *first: Any, rule: Rule | None = None, once: bool = False) -> None:
        self.paid: list[int] = []
        self.shown: list[list[ModelMessage]] = []
        self.first = first
        self.once = once
        kept = NeedsApproval({"refund": rule or Rule()})
        agent = Agent(FunctionModel(self._answer), name="support", tools=[self.refund], capabilities=[kept, AskHuman()])
        self.agent = PydanticAgent(agent, stream=False, notice=None)

    async def refund(self, order: int) -> str:
        """Pay money back."""
        self.paid.append(order)
        return f"refunded {order}"

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.shown.append(messages)
        done = len(self.shown) > 1 if self.once else bool(results(messages))
        return ModelResponse(parts=[TextPart("Well.")] if done else list(self.first))


def results(messages: list[ModelMessage]) -> list[object]:
    return [part.content for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, work=False) as desk:
        yield desk


async def decided(desk: Desk, thread: Thread, decision: NewDecision) -> None:
    """Whatever waits on the thread is decided so, and the run goes on, some times over."""
    for _ in range(3):
        for request in await desk.requests.waiting(thread.id, by=ANA):
            if request.draft is None:
                await desk.requests.decide(request.id, decision, by=ANA)
        await desk.run_due()


@pytest.mark.parametrize(
    ("first", "decision", "told"),
    [(REFUND, APPROVE, ["refunded 17"]), (QUESTION, ANSWER, [{"answer": "Yes.", "by": "Ana"}])],
)
async def test_p3_what_a_colleague_asked_for_in_a_note_is_done_once_and_told_in_notes(
    desk: Desk, first: ToolCallPart, decision: NewDecision, told: list[object]
) -> None:
    bot = Bot(first)
    desk.register(bot.agent)
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "My money back, please.", author=ADA, respond=False)
    await desk.messages.post(thread.id, "@ai do it", author=ANA, visibility=Visibility.NOTE)
    await desk.run_due()
    await decided(desk, thread, decision)
    assert bot.paid == ([17] if first is REFUND else [])
    assert results(bot.shown[-1]) == told
    assert len(bot.shown) == 2
    said = (await desk.messages.history(thread.id, by=ANA)).items[1:]
    assert {message.visibility for message in said} == {Visibility.NOTE}


async def test_p3_words_beside_a_call_are_held_back_and_the_call_is_not_made_again(store_url: str, clock: FakeClock) -> None:
    bot = Bot(TextPart("Let me see."), REFUND)
    async with Desk.open(store_url, clock=clock, agents=[bot.agent], settings=Settings(mode="review"), work=False) as desk:
        thread = await desk.threads.open(customer="ada")
        await desk.messages.post(thread.id, "My money back, please.", author=ADA)
        await desk.run_due()
        await decided(desk, thread, APPROVE)
        assert bot.paid == [17]
        assert [(m.text, m.visibility) for m in (await desk.messages.history(thread.id, by=ANA)).items if m.text] == [
            ("My money back, please.", "public"),
            ("Let me see.", "draft"),
            ("Well.", "draft"),
        ]
        assert [m.text for m in (await desk.messages.history(thread.id, by=ADA)).items] == ["My money back, please."]
        await desk.messages.post(thread.id, "And?", author=ADA)
        await desk.run_due()
        assert bot.paid == [17]
        assert results(bot.shown[-1]) == ["refunded 17"], "the next run knows what has been done"


@pytest.mark.parametrize(
    ("first", "decision", "told"),
    [(REFUND, APPROVE, ["refunded 17"]), (QUESTION, ANSWER, [{"answer": "Yes.", "by": "Ana"}])],
)
async def test_p6_what_was_decided_a_hundred_messages_ago_is_shown_though_a_newer_message_is_answered(
    desk: Desk, first: ToolCallPart, decision: NewDecision, told: list[object]
) -> None:
    bot = Bot(first, rule=Rule(talk_over=TalkOver.KEEP), once=True)
    desk.register(bot.agent)
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "My money back, please.", author=ADA)
    await desk.run_due()
    for number in range(60):
        await desk.messages.post(thread.id, f"Still there? {number}", author=ADA)
        await desk.run_due()
    await desk.messages.post(thread.id, "Anybody?", author=ADA)
    [request] = await desk.requests.waiting(thread.id, by=ANA)
    await desk.requests.decide(request.id, decision, by=ANA)
    await desk.run_due()
    assert bot.paid == ([17] if first is REFUND else [])
    assert results(bot.shown[-1]) == told


async def test_p5_what_the_clock_denied_is_told_though_the_conversation_went_on(desk: Desk, clock: FakeClock) -> None:
    rule = Rule(talk_over=TalkOver.KEEP, expires_in=timedelta(hours=1), on_expiry=OnExpiry.DENY)
    bot = Bot(REFUND, rule=rule, once=True)
    desk.register(bot.agent)
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "My money back, please.", author=ADA)
    await desk.run_due()
    await desk.messages.post(thread.id, "And?", author=ADA)
    await desk.run_due()
    await pass_time(desk, clock, timedelta(hours=2))
    assert bot.paid == []
    assert len(bot.shown) == 3, "the customer is told, not left waiting"
    assert results(bot.shown[-1]) == ["Declined: nobody decided in time"]
    assert "nobody decided in time" in str(bot.shown[-1][-1].parts[-1])
