"""AskHuman in any program: the call waits for a person, over a desk."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from tests.fakes.turns import ANA, ask_of, outputs_of, steps_of, turn

from deskmate.domain.messages import ToolResult
from deskmate.domain.requests import Decision, DecisionKind, Request, RequestKind, RequestState
from deskmate.errors import Misconfigured
from deskmate.runners.pydantic_ai import AskHuman, PydanticAgent

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class FakeRequests:
    """`desk.requests`, as far as AskHuman uses it."""

    decisions: dict[str, Decision | RequestState]
    opened: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    all_open: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, question: str, **facts: Any) -> Request:
        self.opened[question] = facts
        if len(self.opened) == len(self.decisions):
            self.all_open.set()
        return self._request(question)

    async def wait(self, id: str, *, timeout: float | None = None) -> Request:
        await self.all_open.wait()
        return self._request(id)

    def _request(self, question: str) -> Request:
        match self.decisions[question]:
            case Decision() as decision:
                state = RequestState.APPLIED
            case RequestState() as state:
                decision = None
        facts = {"kind": RequestKind.QUESTION, "state": state, "decision": decision}
        return Request(id=question, thread="th_9", run=None, created_at=NOW, updated_at=NOW, **facts)


@dataclass
class FakeDesk:
    requests: FakeRequests
    opened: int = 0

    async def ensure_open(self) -> None:
        self.opened += 1


def decided(kind: DecisionKind, value: object = None, reason: str | None = None) -> Decision:
    return Decision(kind=kind, value=value, reason=reason, by=ANA, at=NOW, channel="inbox")


def asking(*questions: str) -> FunctionModel:
    """A model that asks these at once, and then says what came back."""

    def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        returned = [part.content for part in messages[-1].parts if isinstance(part, ToolReturnPart)]
        if returned:
            return ModelResponse(parts=[TextPart(json.dumps(returned))])
        return ModelResponse(parts=[ToolCallPart("ask_human", {"question": question}) for question in questions])

    return FunctionModel(respond)


async def test_in_a_plain_run_questions_are_opened_together_and_the_answers_come_back() -> None:
    answers = {"Open?": decided(DecisionKind.ANSWER, "Yes, until 19:00."), "Seats?": decided(DecisionKind.ANSWER, 12)}
    desk = FakeDesk(FakeRequests(dict(answers)))
    agent = Agent(
        asking("Open?", "Seats?"), name="hotel", capabilities=[AskHuman(desk, queue="lyon", expires_in=timedelta(hours=1))]
    )
    outcome = await agent.run("Lyon on Monday?")
    assert json.loads(outcome.output) == ["Yes, until 19:00.", 12]
    assert desk.opened == 1
    assert desk.requests.opened["Open?"] == {
        "thread": None, "agent_name": "hotel", "reason": None, "suggestion": None, "queue": "lyon", "urgency": "normal",
        "expires_in": timedelta(hours=1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (decided(DecisionKind.DECLINE, reason="not our business"), "Declined by Ana: not our business"),
        (RequestState.EXPIRED, "Declined: nobody answered in time"),
        (RequestState.CANCELLED, "Declined: the question was withdrawn"),
    ],
)
async def test_in_a_plain_run_no_answer_comes_back_as_words(decision: Decision | RequestState, words: str) -> None:
    agent = Agent(asking("Open?"), capabilities=[AskHuman(FakeDesk(FakeRequests({"Open?": decision})))])
    assert json.loads((await agent.run("Lyon?")).output) == [words]


async def test_outside_of_a_desk_an_asker_without_a_desk_is_refused_before_the_model_is_asked() -> None:
    with pytest.raises(Misconfigured, match=r"AskHuman\(desk\)") as raised:
        await Agent(asking("Open?"), capabilities=[AskHuman()]).run("Lyon?")
    assert raised.value.field == "desk"


async def test_an_agent_with_a_desk_pauses_when_it_runs_on_a_desk() -> None:
    desk = FakeDesk(FakeRequests({}))
    runner = PydanticAgent(Agent(asking("Open?"), capabilities=[AskHuman(desk, queue="lyon")]), stream=False)
    (question,) = ask_of(await outputs_of(runner, turn())).requests
    assert (question.question, question.queue, desk.opened) == ("Open?", "lyon", 0)


async def test_an_agent_called_by_a_tool_of_a_desk_run_waits_inline_on_the_thread_of_that_run() -> None:
    desk = FakeDesk(FakeRequests({"Open?": decided(DecisionKind.ANSWER, "Yes")}))
    expert = Agent(asking("Open?"), capabilities=[AskHuman(desk)])

    async def consult() -> str:
        return (await expert.run("Is it?")).output

    outputs = await outputs_of(
        PydanticAgent(Agent(TestModel(), tools=[consult], capabilities=[AskHuman(name="other")]), stream=False), turn()
    )
    assert desk.requests.opened["Open?"]["thread"] == "th_1"
    results = [part for step in steps_of(outputs) for part in step.parts if isinstance(part, ToolResult)]
    assert '["Yes"]' in [part.output for part in results]
