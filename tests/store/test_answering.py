"""Answering a message that a program names: `desk.respond(thread, agent, prompt=message)`."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from tests.store.people import ADA, ANA

from deskmate import Approval, Ask, Desk, Failed, Message, NewDecision, NewMessage, Paused, Replied, Request
from deskmate.domain.actors import customer
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.messages import MessageStatus, Text, ToolCall, ToolResult, Visibility
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.testing import FakeClock, Gate, ScriptedAgent, asking, calling, failing, say, streaming

APPROVE, REJECT = NewDecision(kind=DecisionKind.APPROVE), NewDecision(kind=DecisionKind.REJECT, reason="too much")


class Bank:
    def __init__(self) -> None:
        self.paid = 0

    async def refund(self, _: object) -> object:
        self.paid += 1
        return "refunded"


@pytest.fixture
async def thread(desk: Desk) -> str:
    return (await desk.threads.open(customer="ada")).id


async def saved(desk: Desk, thread: str, text: str) -> Message:
    """What Ada said, stored by a program that has asked nobody to answer it."""
    message = NewMessage(role="user", author=ADA.author, parts=(Text(text=text),))
    return (await desk.messages.save(thread, [message]))[0]


async def texts(desk: Desk, thread: str) -> list[tuple[int, int, str]]:
    return [(m.order, m.step, m.text) for m in (await desk.messages.page(thread)).items]


def words(outcome: object) -> str:
    assert isinstance(outcome, Replied)
    return outcome.message.text


async def paused(desk: Desk, thread: str, prompt: Message) -> Request:
    outcome = await desk.respond(thread, prompt=prompt.id)
    assert isinstance(outcome, Paused)
    return outcome.requests[0]


async def test_a_message_is_answered_that_nobody_asked_to_answer(desk: Desk, thread: str) -> None:
    prompt = await saved(desk, thread, "Hello")
    assert words(await desk.respond(thread, prompt=prompt.id)) == "You said: Hello"
    with pytest.raises(Conflict):
        await desk.respond(thread)
    assert await desk.run_due() == 0


async def test_an_answered_message_is_answered_again_on_its_own_order(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    first = await desk.messages.post(thread, "One", author=ADA)
    await desk.respond(thread)
    await desk.messages.post(thread, "Two", author=ADA)
    await desk.respond(thread)
    assert words(await desk.respond(thread, prompt=first.id)) == "You said: One"
    assert await texts(desk, thread) == [
        (0, 0, "One"), (0, 1, "You said: One"), (0, 2, "You said: One"), (1, 0, "Two"), (1, 1, "You said: Two"),
    ]  # fmt: skip
    given = [part.text for message in bot.turns[-1].history for part in message.parts if isinstance(part, Text)]
    assert given == ["One", "You said: One", "One"]
    assert await desk.run_due() == 0


async def test_the_newest_message_keeps_its_own_run_while_another_is_answered(desk: Desk, thread: str) -> None:
    other = await saved(desk, thread, "Before")
    await desk.messages.post(thread, "Now", author=ADA)
    assert words(await desk.respond(thread, prompt=other.id)) == "You said: Before"
    await desk.run_due()
    assert await texts(desk, thread) == [(0, 0, "Before"), (0, 1, "You said: Before"), (1, 0, "Now"), (1, 1, "You said: Now")]


async def test_a_message_that_waits_for_its_answer_is_answered_once(desk: Desk, thread: str) -> None:
    message = await desk.messages.post(thread, "Now", author=ADA)
    assert words(await desk.respond(thread, prompt=message.id)) == "You said: Now"
    await desk.run_due()
    assert await texts(desk, thread) == [(0, 0, "Now"), (0, 1, "You said: Now")]


async def test_who_asks_for_the_same_message_at_once_gets_the_same_answer(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    prompt = await saved(desk, thread, "Hello")
    gate = Gate()
    bot.script = streaming("only once", gate)
    callers = [asyncio.create_task(desk.respond(thread, prompt=prompt.id)) for _ in range(3)]
    await gate.reached()
    gate.open()
    answers = await asyncio.gather(*callers)
    assert {words(answer) for answer in answers} == {"only once"}
    assert len(await texts(desk, thread)) == 2
    assert words(await desk.respond(thread, prompt=prompt.id)) == "only once"
    assert len(await texts(desk, thread)) == 3


async def test_p3_an_approved_call_runs_once_whoever_goes_on_with_it_and_how_often(
    desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    bank = Bank()
    bot.script = calling("refund", {"cents": 5}, bank.refund)
    request = await paused(desk, thread, await saved(desk, thread, "My money back"))
    answer = (await desk.requests.decide(request.id, APPROVE, by=ANA)).outcome
    assert answer is not None
    outcomes = await asyncio.gather(*(desk.respond(thread, prompt=answer) for _ in range(3)))
    again = await desk.respond(thread, prompt=request.call_message)
    assert {words(outcome) for outcome in (*outcomes, again)} == {"Done: refunded"}
    assert bank.paid == 1
    assert len(bot.turns) == 2


async def test_a_run_goes_on_beside_its_call_though_the_conversation_has_gone_on(
    desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    bot.script = asking("May she?")
    request = await paused(desk, thread, await saved(desk, thread, "May I?"))
    await saved(desk, thread, "Hello?")
    answered = await desk.requests.answer(request.id, "She may.", by=ANA)
    reply = await desk.respond(thread, prompt=answered.outcome)
    assert words(reply) == "Ana says: She may."
    assert isinstance(reply, Replied)
    assert reply.message.order == 0


async def test_a_run_that_still_waits_says_so(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bot.script = asking("One?", "Two?")
    request = await paused(desk, thread, await saved(desk, thread, "May I?"))
    answered = await desk.requests.answer(request.id, "Yes.", by=ANA)
    outcome = await desk.respond(thread, prompt=answered.outcome)
    assert isinstance(outcome, Paused)
    assert [waiting.question for waiting in outcome.requests] == ["Two?"]


async def test_a_run_goes_on_with_the_agent_that_began_it(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bot.script = asking("May she?")
    request = await paused(desk, thread, await saved(desk, thread, "May I?"))
    answered = await desk.requests.answer(request.id, "Yes.", by=ANA)
    reply = await desk.respond(thread, ScriptedAgent(name="other"), prompt=answered.outcome)
    assert isinstance(reply, Replied)
    assert reply.message.agent_name == "scripted"


async def test_a_run_of_an_agent_that_is_not_here_is_left_as_it_is(
    store_url: str, desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    bot.script = asking("May she?")
    request = await paused(desk, thread, await saved(desk, thread, "May I?"))
    answered = await desk.requests.answer(request.id, "Yes.", by=ANA)
    async with Desk.open(store_url, clock=FakeClock(), agents=[ScriptedAgent(name="other")], work=False) as elsewhere:
        with pytest.raises(Invalid):
            await elsewhere.respond(thread, prompt=answered.outcome)
    assert isinstance(await desk.respond(thread, prompt=answered.outcome), Replied)


async def test_what_was_approved_is_done_before_another_message_is_answered(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bank = Bank()
    bot.script = calling("refund", {"cents": 5}, bank.refund)
    request = await paused(desk, thread, await saved(desk, thread, "My money back"))
    await desk.requests.decide(request.id, APPROVE, by=ANA)
    other = ScriptedAgent(name="other")
    assert words(await desk.respond(thread, other, prompt=(await saved(desk, thread, "Hello?")).id)) == "You said: Hello?"
    assert bank.paid == 1
    assert (0, 4, "Done: refunded") in await texts(desk, thread)


async def test_a_new_answer_supersedes_what_nobody_has_approved_and_stores_no_word_of_it(
    desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    bank = Bank()
    bot.script = calling("refund", {"cents": 5}, bank.refund)
    request = await paused(desk, thread, await saved(desk, thread, "My money back"))
    other = ScriptedAgent(name="other")
    await desk.respond(thread, other, prompt=(await saved(desk, thread, "Hello?")).id)
    assert (await desk.requests.get(request.id, by=ANA)).state is RequestState.SUPERSEDED
    assert [message.role for message in (await desk.messages.page(thread)).items] == ["user", "assistant", "user", "assistant"]
    shown = [part for message in other.turns[-1].history for part in message.parts if isinstance(part, ToolResult)]
    assert [result.denied for result in shown] == [True]
    with pytest.raises(Conflict):
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert bank.paid == 0


async def test_a_refused_call_gets_its_result_when_the_run_goes_on(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bot.script = calling("refund", {"cents": 5}, Bank().refund)
    request = await paused(desk, thread, await saved(desk, thread, "My money back"))
    answer = (await desk.requests.decide(request.id, REJECT, by=ANA)).outcome
    assert words(await desk.respond(thread, prompt=answer)) == "Not done: too much"
    result = (await desk.messages.page(thread)).items[-2]
    assert (result.role, result.agent_name) == ("tool", "scripted")
    [part] = result.parts
    assert isinstance(part, ToolResult)
    assert part.by is not None
    assert (part.denied, part.reason, part.request, part.by.name) == (True, "too much", request.id, "Ana")


async def test_calls_that_run_at_the_same_time_begin_in_their_order_and_their_results_stand_in_it(
    desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    begun: list[str] = []
    all_begun = asyncio.Event()

    async def run(call: str) -> ToolResult:
        begun.append(call)
        if len(begun) == 3:
            all_begun.set()
        await all_begun.wait()
        for _ in range(5 - int(call[1:])):
            await asyncio.sleep(0)  # The later calls end sooner.
        return ToolResult(call_id=call, tool="refund", output="done")

    async def at_once(turn: Turn) -> AsyncIterator[Output]:
        if not turn.resumed:
            calls = tuple(ToolCall(call_id=f"c{n}", tool="refund", input={"n": n}) for n in range(4))
            yield Ask(step=Step(role="assistant", parts=calls), requests=tuple(Approval(call_id=c.call_id) for c in calls))
            return
        await asyncio.gather(*(turn.apply(a, a.args, partial(run, a.call_id)) for a in turn.approved))
        yield say("All done.")

    bot.script = at_once
    await paused(desk, thread, await saved(desk, thread, "Four refunds"))
    for request in await desk.requests.waiting(thread, by=ANA):
        answer = (await desk.requests.decide(request.id, REJECT if request.call_id == "c0" else APPROVE, by=ANA)).outcome
    await desk.respond(thread, prompt=answer)
    assert begun == ["c1", "c2", "c3"]
    results = (await desk.messages.page(thread)).items[-2].parts
    assert [part.call_id for part in results if isinstance(part, ToolResult)] == ["c1", "c2", "c3", "c0"]


async def test_a_failure_that_no_customer_waits_for_is_told_to_the_program_only(
    desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    bot.script = failing(RuntimeError("model offline"))
    prompt = await saved(desk, thread, "Hello")
    assert isinstance(await desk.respond(thread, prompt=prompt.id), Failed)
    _, failed = (await desk.messages.page(thread)).items
    assert (failed.status, failed.order, failed.agent_name) == (MessageStatus.FAILED, 0, "scripted")
    assert (await desk.threads.get(thread)).waiting_since is None
    assert await desk.requests.waiting(thread, by=ANA) == ()


async def test_a_failure_that_a_customer_waits_for_is_told_to_them(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bot.script = failing(RuntimeError("model offline"))
    message = await desk.messages.post(thread, "Hello", author=ADA)
    assert isinstance(await desk.respond(thread, prompt=message.id), Failed)
    assert "Something went wrong" in (await texts(desk, thread))[-1][2]
    assert (await desk.threads.get(thread)).waiting_since is not None


async def test_a_run_that_failed_is_tried_again_with_the_answer_it_was_given(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bot.script = asking("May she?", then=failing(RuntimeError("model offline")))
    request = await paused(desk, thread, await saved(desk, thread, "May I?"))
    answered = await desk.requests.answer(request.id, "Yes.", by=ANA)
    assert isinstance(await desk.respond(thread, prompt=answered.outcome), Failed)
    bot.script = asking("May she?")
    assert words(await desk.respond(thread, prompt=answered.outcome)) == "Ana says: Yes."


async def test_p12_an_answer_given_again_survives_its_process(
    store_url: str, clock: FakeClock, desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    first = await desk.messages.post(thread, "One", author=ADA)
    await desk.respond(thread)
    await desk.messages.post(thread, "Two", author=ADA)
    await desk.respond(thread)
    gate = Gate()
    bot.script = streaming("never said", gate)
    caller = asyncio.create_task(desk.respond(thread, prompt=first.id))
    await gate.reached()
    caller.cancel()
    await asyncio.wait({caller})
    clock.advance(timedelta(hours=1))
    again = ScriptedAgent()
    async with Desk.open(store_url, clock=clock, agents=[again], work=False) as next_process:
        await next_process.run_due()
    assert (0, 2, "You said: One") in await texts(desk, thread)
    assert not again.turns[0].resumed


async def test_a_message_that_is_deleted_before_its_run_goes_on_ends_it(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    bot.script = asking("May she?")
    prompt = await saved(desk, thread, "May I?")
    request = await paused(desk, thread, prompt)
    await desk.messages.delete(prompt.id)
    await desk.requests.answer(request.id, "Yes.", by=ANA)
    await desk.run_due()
    assert await desk.run_due() == 0
    assert len(bot.turns) == 1


async def test_results_of_tools_may_end_a_run_and_a_customer_who_waits_is_passed_to_people(
    desk: Desk, thread: str, bot: ScriptedAgent
) -> None:
    async def silent(_: Turn) -> AsyncIterator[Output]:
        yield Step(role="assistant", parts=(ToolCall(call_id="c1", tool="look", input={}),))
        yield Step(role="tool", parts=(ToolResult(call_id="c1", tool="look", output="a chair"),), final=True)

    bot.script = silent
    prompt = await saved(desk, thread, "Look")
    outcome = await desk.respond(thread, prompt=prompt.id)
    assert isinstance(outcome, Replied)
    assert (outcome.message.role, outcome.message.text) == ("tool", "")
    assert (await desk.threads.get(thread)).waiting_since is None
    await desk.messages.post(thread, "And?", author=ADA)
    assert isinstance(await desk.respond(thread), Replied)
    assert (await desk.threads.get(thread)).waiting_since is not None


async def test_who_may_not_and_what_is_not_there_is_refused(desk: Desk, thread: str) -> None:
    prompt = await saved(desk, thread, "Hello")
    other = await desk.threads.open(customer="ben")
    with pytest.raises(NotFound) as missing:
        await desk.respond(other.id, prompt=prompt.id)
    assert missing.value.field == "prompt"
    note = await desk.messages.post(thread, "Look at this", author=ANA, visibility=Visibility.NOTE)
    for hidden, by in ((prompt.id, customer("ben")), (note.id, ADA)):
        with pytest.raises(NotFound):
            await desk.respond(thread, prompt=hidden, by=by)
    ana = await desk.operators.add(name="Ana", email="ana@shop.example")
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana.actor())
    with pytest.raises(Conflict):
        await desk.respond(thread, prompt=prompt.id)
    assert await texts(desk, thread) == [(0, 0, "Hello"), (0, 1, "Look at this")]


async def test_a_step_is_said_once_where_a_run_is_asked_for_while_it_works(desk: Desk, thread: str, bot: ScriptedAgent) -> None:
    gate = Gate()

    async def slow(_: Turn) -> AsyncIterator[Output]:
        await gate.passage()
        yield say("done")

    bot.script = slow
    message = await desk.messages.post(thread, "Hello", author=ADA)
    working = asyncio.create_task(desk.respond(thread))
    await gate.reached()
    asked = asyncio.create_task(desk.respond(thread, prompt=message.id))
    gate.open()
    assert words(await working) == words(await asked) == "done"
    assert len(await texts(desk, thread)) == 2
