"""Results that a program stores for calls of the desk's own runs: they settle what people were asked, and the run goes on."""

from collections.abc import AsyncIterator

import pytest
from tests.store.people import ADA, ANA

from deskmate import Approval, Ask, Desk, NewMessage, Paused, Question, Replied, Request, Step, ToolCall, ToolResult
from deskmate.domain.actors import service
from deskmate.domain.agents import Output, Turn
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import AlreadyDecided, Invalid
from deskmate.testing import ScriptedAgent, say

BACK_OFFICE = service("back-office")
NUMBER = {"type": "integer"}


async def asking(turn: Turn) -> AsyncIterator[Output]:
    """Ask one question and one approval, then tell what came of them."""
    if not turn.resumed:
        calls = (
            ToolCall(call_id="c1", tool="stock", input={"shop": 4}),
            ToolCall(call_id="c2", tool="refund", input={"cents": 5}),
        )
        question = Question(call_id="c1", question="How many are left?", response_schema=NUMBER)
        yield Ask(step=Step(role="assistant", parts=calls), requests=(question, Approval(call_id="c2")))
        return
    results = [part for message in turn.history for part in message.parts if isinstance(part, ToolResult)]
    yield say(", ".join(f"{result.call_id}: {'no' if result.denied else result.output}" for result in results))


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent(asking)


@pytest.fixture
async def requests(desk: Desk) -> dict[str, Request]:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "My money back, please.", author=ADA)
    outcome = await desk.respond(thread.id)
    assert isinstance(outcome, Paused)
    return {request.call_id or "": request for request in outcome.requests}


def result(call: str, output: object, *, denied: bool = False) -> NewMessage:
    part = ToolResult(call_id=call, tool="any", output=None if denied else output, denied=denied, reason="no" if denied else None)
    return NewMessage(role="tool", author=BACK_OFFICE.author, parts=(part,))


async def save(desk: Desk, request: Request, message: NewMessage) -> str:
    stored = await desk.messages.save(request.thread, [message], after=request.call_message, by=BACK_OFFICE)
    return stored[0].id


async def test_a_stored_result_answers_the_question_in_the_name_of_the_program(desk: Desk, requests: dict[str, Request]) -> None:
    message = await save(desk, requests["c1"], result("c1", 3))
    answered = await desk.requests.get(requests["c1"].id, by=ANA)
    assert answered.decision is not None
    assert (answered.state, answered.outcome) == (RequestState.APPLIED, message)
    assert (answered.decision.kind, answered.decision.value, answered.decision.by.name) == (DecisionKind.ANSWER, 3, "back-office")
    with pytest.raises(AlreadyDecided):
        await desk.requests.answer(requests["c1"].id, 4, by=ANA)


async def test_the_run_goes_on_when_the_last_result_is_stored(desk: Desk, requests: dict[str, Request]) -> None:
    await save(desk, requests["c2"], result("c2", "paid back"))
    assert isinstance(await desk.respond(requests["c1"].thread), Paused)
    await save(desk, requests["c1"], result("c1", 3))
    reply = await desk.respond(requests["c1"].thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "c2: paid back, c1: 3"
    assert (await desk.requests.get(requests["c2"].id, by=ANA)).state is RequestState.APPLIED


async def test_a_denied_result_declines(desk: Desk, requests: dict[str, Request]) -> None:
    for call, kind in (("c1", DecisionKind.DECLINE), ("c2", DecisionKind.REJECT)):
        await save(desk, requests[call], result(call, None, denied=True))
        settled = await desk.requests.get(requests[call].id, by=ANA)
        assert settled.decision is not None
        assert (settled.decision.kind, settled.decision.reason) == (kind, "no")


async def test_a_result_that_is_no_answer_to_the_question_is_refused_and_changes_nothing(
    desk: Desk, requests: dict[str, Request]
) -> None:
    before = await desk.messages.page(requests["c1"].thread)
    with pytest.raises(Invalid):
        await save(desk, requests["c1"], result("c1", "many"))
    assert (await desk.requests.get(requests["c1"].id, by=ANA)).state is RequestState.OPEN
    assert await desk.messages.page(requests["c1"].thread) == before
