"""Threads passed on to people: by a tool, an answer that is not sure, a failure, the customer; and how they come back."""

import math
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from tests.store.people import ADA, EVE

from deskmate import (
    Assessed,
    Desk,
    Escalate,
    Escalation,
    Failed,
    NewDecision,
    Operator,
    Overtaken,
    PydanticAgent,
    Replied,
    Request,
    Role,
    Thread,
)
from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.agents import Output, Turn
from deskmate.domain.escalations import assess
from deskmate.domain.requests import DecisionKind, RequestKind, RequestState
from deskmate.domain.threads import Mode
from deskmate.errors import Conflict, NotFound
from deskmate.testing import FakeClock, ScriptedAgent, echo, failing, pass_time, say

LEAD = Actor(kind=AuthorKind.OPERATOR, id="lead", name="Lea", role=Role.LEAD)


async def passing_on(turn: Turn) -> AsyncIterator[Output]:
    """Passes the customer on, and says goodbye."""
    came = await turn.escalate(Escalation(reason="wants a refund in person", urgency="high", summary="Ada wants 49 euros back."))
    yield say("A colleague will answer you here." if came.accepted else f"No: {came.why}")


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent(passing_on)


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@example.com")


async def thread_of(desk: Desk, words: str = "I want a person.", *, respond: bool | None = None) -> Thread:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, words, author=ADA, respond=respond)
    return thread


async def open_one(desk: Desk, thread: Thread) -> Request:
    [request] = await desk.requests.waiting(thread.id, by=LEAD)
    return request


async def shown(desk: Desk, thread: Thread) -> list[str]:
    """What the customer reads."""
    return [message.text for message in (await desk.messages.history(thread.id, by=ADA)).items]


async def test_a_run_that_passes_its_thread_on_still_says_its_last_words(desk: Desk) -> None:
    thread = await thread_of(desk)
    reply = await desk.respond(thread.id)
    assert isinstance(reply, Replied)
    assert await shown(desk, thread) == ["I want a person.", "A colleague will answer you here."]
    now = await desk.threads.get(thread.id)
    assert (now.assignment.to, now.assignment.reason, now.epoch) == ("queue", "wants a refund in person", 1)
    assert (now.summary, now.waiting_since is not None) == ("Ada wants 49 euros back.", True)
    request = await open_one(desk, thread)
    assert (request.kind, request.reason, request.priority) == (RequestKind.ESCALATION, "wants a refund in person", "high")
    assert (request.agent, request.on_expiry) == ("scripted", "reassign")


async def test_p4_the_ai_is_silent_while_the_thread_waits_for_people(desk: Desk, bot: ScriptedAgent) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    bot.script = echo
    await desk.messages.post(thread.id, "Hello?", author=ADA)
    await desk.run_due()
    assert (await shown(desk, thread))[-1] == "Hello?"
    with pytest.raises(Conflict):
        await desk.respond(thread.id)


async def test_who_takes_an_escalation_over_holds_the_thread_and_may_say_the_first_words(desk: Desk, ana: Operator) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    request = await open_one(desk, thread)
    taken = await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.TAKE_OVER, text="Ana here."), by=ana)
    assert taken.state is RequestState.APPLIED
    now = await desk.threads.get(thread.id)
    assert (now.assignment.to, now.assignment.name, now.waiting_since) == ("operator", "Ana", None)
    assert (await shown(desk, thread))[-1] == "Ana here."


async def test_an_answer_goes_to_the_customer_through_the_ai(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    request = await open_one(desk, thread)

    async def pass_on(turn: Turn) -> AsyncIterator[Output]:
        yield say(f"I was told: {turn.history[-1].parts[0]}")

    bot.script = pass_on
    answered = await desk.requests.answer(request.id, "The refund is on its way.", by=ana)
    assert answered.state is RequestState.APPLIED
    await desk.run_due()
    now = await desk.threads.get(thread.id)
    assert (now.assignment.to, now.waiting_since) == ("ai", None)
    last = (await shown(desk, thread))[-1]
    assert "Ana answered what was passed on to the team (wants a refund in person): The refund is on its way." in last


async def test_what_is_declined_comes_back_with_the_reason_and_is_not_passed_on_again(
    desk: Desk, bot: ScriptedAgent, ana: Operator, clock: FakeClock
) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    request = await open_one(desk, thread)
    clock.advance(seconds=1)
    await desk.requests.decline(request.id, "we do not refund tents", by=ana)
    await desk.run_due()
    assert (await shown(desk, thread))[-1] == "No: Ana has declined this: we do not refund tents"
    assert (await desk.threads.get(thread.id)).assignment.to == "ai"
    assert await desk.requests.waiting(thread.id, by=LEAD) == ()
    clock.advance(seconds=1)
    await desk.messages.post(thread.id, "It is another matter.", author=ADA)
    await desk.respond(thread.id)
    assert (await desk.threads.get(thread.id)).assignment.to == "queue"


async def test_what_is_handed_back_is_not_passed_on_again_before_the_customer_has_written(
    desk: Desk, bot: ScriptedAgent, ana: Operator, clock: FakeClock
) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    clock.advance(seconds=1)
    await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
    await desk.assignments.assign(thread.id, "ai", by=ana, note="refunds take three days")
    await desk.run_due()
    assert (await shown(desk, thread))[-1] == "No: Ana has handed this back: refunds take three days"
    assert (await desk.threads.get(thread.id)).assignment.to == "ai"
    clock.advance(seconds=1)
    await desk.messages.post(thread.id, "It has been four.", author=ADA)
    await desk.respond(thread.id)
    assert (await desk.threads.get(thread.id)).assignment.to == "queue"


async def test_passing_on_twice_in_one_run_opens_one_request(desk: Desk, bot: ScriptedAgent) -> None:
    async def twice(turn: Turn) -> AsyncIterator[Output]:
        for _ in range(2):
            assert (await turn.escalate(Escalation(reason="again"))).accepted
        yield say("Twice.")

    bot.script = twice
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    assert len(await desk.requests.waiting(thread.id, by=LEAD)) == 1
    assert (await desk.threads.get(thread.id)).epoch == 1


async def test_p5_an_escalation_nobody_takes_is_asked_again(desk: Desk, clock: FakeClock) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    await pass_time(desk, clock, timedelta(hours=24))
    request = await open_one(desk, thread)
    assert (request.state, request.missed) == (RequestState.OPEN, 1)


async def test_no_answer_goes_through_an_ai_that_is_switched_off(desk: Desk, ana: Operator) -> None:
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    request = await open_one(desk, thread)
    await desk.threads.change(thread.id, mode=Mode.OFF, by=LEAD)
    with pytest.raises(Conflict) as refused:
        await desk.requests.answer(request.id, "Yes", by=ana)
    assert refused.value.field == "kind"
    assert (await open_one(desk, thread)).state is RequestState.OPEN


# By a failure


async def test_a_run_that_fails_is_shown_to_people_and_a_newer_run_closes_that(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    bot.script = failing(RuntimeError("no model"))
    thread = await thread_of(desk)
    assert isinstance(await desk.respond(thread.id), Failed)
    request = await open_one(desk, thread)
    assert (request.kind, request.state) == (RequestKind.ESCALATION, RequestState.OPEN)
    assert "scripted failed" in (request.reason or "")
    assert (await desk.threads.get(thread.id)).assignment.to == "ai"
    bot.script = echo
    assert isinstance(await desk.respond(thread.id), Replied)
    assert (await desk.requests.get(request.id, by=LEAD)).state is RequestState.CANCELLED
    assert (await desk.threads.get(thread.id)).waiting_since is None


async def test_a_person_may_take_over_what_failed(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    bot.script = failing(RuntimeError("no model"))
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    request = await open_one(desk, thread)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.TAKE_OVER), by=ana)
    assert (await desk.threads.get(thread.id)).assignment.name == "Ana"


async def test_a_reply_of_a_person_deals_with_what_failed(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    bot.script = failing(RuntimeError("no model"))
    thread = await thread_of(desk)
    await desk.respond(thread.id)
    await desk.messages.post(thread.id, "Sorry, this is Ana.", author=ana)
    assert await desk.requests.waiting(thread.id, by=LEAD) == ()
    assert (await desk.threads.get(thread.id)).waiting_since is None


# By the customer


async def test_a_customer_may_ask_for_a_person_at_any_time(desk: Desk, bot: ScriptedAgent) -> None:
    bot.script = echo
    thread = await thread_of(desk, "Hello")
    await desk.respond(thread.id)
    now = await desk.escalations.escalate(thread.id, by=ADA)
    assert now.assignment.to == "queue"
    assert (await shown(desk, thread))[-1] == "A person from the team will answer you here."
    request = await open_one(desk, thread)
    assert request.reason == "Ada wants a person to answer"
    again = await desk.escalations.escalate(thread.id, by=ADA)
    assert again.epoch == now.epoch
    with pytest.raises(NotFound):
        await desk.escalations.escalate(thread.id, by=EVE)


async def test_p4_an_ai_that_writes_while_its_customer_asks_for_a_person_is_cut_off(desk: Desk, bot: ScriptedAgent) -> None:
    async def asked_for_meanwhile(turn: Turn) -> AsyncIterator[Output]:
        await desk.escalations.escalate(turn.thread, by=ADA)
        yield say("Never seen.")

    bot.script = asked_for_meanwhile
    thread = await thread_of(desk)
    assert isinstance(await desk.respond(thread.id), Overtaken)
    assert "Never seen." not in await shown(desk, thread)


async def test_an_answer_to_a_customer_who_asked_for_a_person_goes_through_the_default_agent(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    thread = await thread_of(desk)
    await desk.escalations.escalate(thread.id, by=ADA)
    bot.script = echo
    await desk.requests.answer((await open_one(desk, thread)).id, "Monday.", by=ana)
    await desk.run_due()
    assert (await shown(desk, thread))[-1].startswith("You said")


# By the tool of a Pydantic AI agent


async def test_the_tool_tells_the_model_that_it_was_accepted_and_its_place_in_the_queue(desk: Desk) -> None:
    seen: list[Any] = []

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        results = [part.content for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
        if not results:
            return ModelResponse(parts=[ToolCallPart("escalate", {"reason": "upset", "urgency": "urgent"}, tool_call_id="c1")])
        seen.extend(results)
        return ModelResponse(parts=[TextPart("Ana's team has you.")])

    agent = PydanticAgent(Agent(FunctionModel(model), name="support", capabilities=[Escalate()]), stream=False)
    thread = await thread_of(desk, respond=False)
    reply = await desk.respond(thread.id, agent)
    assert isinstance(reply, Replied)
    assert seen == [{"accepted": True, "position": 1, "expected_wait_seconds": None, "opens_at": None}]
    assert (await shown(desk, thread))[-1] == "Ana's team has you."
    assert (await open_one(desk, thread)).priority == "urgent"


# By an answer that says how sure it is


@pytest.mark.parametrize(
    ("confidence", "answers", "why"),
    [
        (0.9, True, None),
        (0.7, True, None),
        (1, True, None),
        (0.69, False, "the agent is not sure: 0.69 of 0.70"),
        (None, False, "the agent did not say how sure it is"),
        (math.nan, False, "the agent did not say how sure it is"),
        (math.inf, False, "the agent did not say how sure it is"),
        ("very", False, "the agent did not say how sure it is"),
        (True, False, "the agent did not say how sure it is"),
        (1.2, False, "a confidence of 1.2 means nothing"),
        (-0.1, False, "a confidence of -0.1 means nothing"),
    ],
)
def test_an_agent_answers_alone_from_the_floor_on_and_only_when_it_says_how_sure_it_is(
    confidence: object, answers: bool, why: str | None
) -> None:
    came = assess(confidence, floor=0.7)
    assert (came.answers, came.why) == (answers, why)


def test_an_agent_that_wants_a_person_does_not_answer_however_sure_it_is() -> None:
    assert not assess(0.99, floor=0.7, requires_human=True).answers


def assessing(**answer: Any) -> PydanticAgent:
    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        (tool,) = info.output_tools
        return ModelResponse(parts=[TextPart("Let me think: 42?"), ToolCallPart(tool.name, answer)])

    return PydanticAgent(Agent(FunctionModel(model), name="sure", output_type=Assessed), stream=False, floor=0.7)


async def test_an_answer_above_the_floor_is_given(desk: Desk) -> None:
    thread = await thread_of(desk, "Are you open?", respond=False)
    reply = await desk.respond(thread.id, assessing(response="Until 19:00.", confidence=0.7))
    assert isinstance(reply, Replied)
    assert await shown(desk, thread) == ["Are you open?", "Until 19:00."]
    assert (await desk.threads.get(thread.id)).assignment.to == "ai"


@pytest.mark.parametrize("confidence", [0.6999, None, "NaN", "very", 7])
async def test_an_answer_below_the_floor_is_shown_to_people_only_as_a_suggestion(desk: Desk, confidence: object) -> None:
    thread = await thread_of(desk, "Are you open?", respond=False)
    await desk.respond(thread.id, assessing(response="Perhaps until 19:00.", confidence=confidence))
    request = await open_one(desk, thread)
    assert (request.kind, request.suggestion, request.floor) == (RequestKind.ESCALATION, "Perhaps until 19:00.", 0.7)
    seen = await shown(desk, thread)
    assert len(seen) == 2
    assert "passed it on" in seen[1]
    everything = str([(m.text, m.parts) for m in (await desk.messages.history(thread.id, by=ADA)).items])
    assert "Perhaps" not in everything
    assert "42" not in everything
    assert (await desk.threads.get(thread.id)).assignment.to == "queue"


async def test_an_answer_that_cannot_be_read_fails_visibly_and_people_see_it(desk: Desk) -> None:
    thread = await thread_of(desk, "Are you open?", respond=False)
    outcome = await desk.respond(thread.id, assessing(confidence=0.9))
    assert isinstance(outcome, Failed)
    request = await open_one(desk, thread)
    assert (request.kind, request.agent) == (RequestKind.ESCALATION, "sure")
