"""Questions of the desk's own runs: what becomes of them when programs delete or answer their messages."""

from collections.abc import AsyncIterator

import pytest
from tests.store.people import ADA, ANA, asked

from deskmate import Ask, Desk, Message, NewMessage, Question, Replied, Request, Step, ToolCall, ToolResult
from deskmate.domain.actors import service
from deskmate.domain.agents import Output, Turn
from deskmate.domain.messages import Visibility
from deskmate.domain.requests import DecisionKind, NewDecision, RequestState
from deskmate.domain.threads import Mode
from deskmate.errors import Closed, Invalid
from deskmate.testing import ScriptedAgent, answers_to, echo, say

SHOP = service("shop")


async def asks(turn: Turn) -> AsyncIterator[Output]:
    """Asks for a number, and says what it was told."""
    if turn.resumed:
        told = answers_to(turn)
        yield say(f"They say {told[0].output}." if told else "Nobody says.")
        return
    call = ToolCall(call_id=f"{turn.run}/1", tool="ask_human", input={})
    asked = Question(call_id=call.call_id, question="How many?", response_schema={"type": "integer"})
    yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,))


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent(asks)


async def store(desk: Desk, request: Request, output: object) -> Message:
    """A program stores the result of the call that the question belongs to."""
    result = ToolResult(call_id=request.call_id or "", tool="ask_human", output=output)
    new = NewMessage(role="tool", author=SHOP.author, parts=(result,))
    return (await desk.messages.save(request.thread, [new], after=request.call_message, by=SHOP))[0]


async def test_p7_a_question_whose_message_is_deleted_is_cancelled_and_its_run_goes_on(desk: Desk) -> None:
    (request,) = await asked(desk)
    await desk.messages.delete(request.call_message or "")
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.CANCELLED
    assert (await desk.threads.get(request.thread)).waiting_since is None
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Nobody says."


async def test_p7_a_program_that_stores_the_answer_to_a_question_has_answered_it_and_the_run_goes_on(desk: Desk) -> None:
    (request,) = await asked(desk)
    stored = await store(desk, request, 17)
    answered = await desk.requests.get(request.id, by=ANA)
    assert answered.decision is not None
    assert (answered.state, answered.outcome) == (RequestState.APPLIED, stored.id)
    assert (answered.decision.kind, answered.decision.value, answered.decision.by.name) == ("answer", 17, "shop")
    reply = await desk.respond(request.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "They say 17."


async def test_p2_an_answer_that_a_program_stores_has_to_fit_as_well(desk: Desk) -> None:
    (request,) = await asked(desk)
    with pytest.raises(Invalid, match="integer"):
        await store(desk, request, "many")
    assert await desk.requests.get(request.id, by=ANA) == request


async def test_a_draft_that_is_deleted_waits_for_nobody(desk: Desk) -> None:
    desk.register(ScriptedAgent(echo))
    thread = await desk.threads.open(customer="ada", mode=Mode.REVIEW)
    await desk.messages.post(thread.id, "Hello", author=ADA)
    await desk.respond(thread.id)
    [request] = (await desk.requests.list(by=ANA)).items
    assert (await desk.messages.get(request.draft or "", by=ANA)).visibility is Visibility.DRAFT
    await desk.messages.delete(request.draft or "")
    with pytest.raises(Closed):
        await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ANA)
    assert (await desk.threads.get(thread.id)).waiting_since is None
