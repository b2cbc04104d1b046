"""P1, P7: a message that a run answers may be deleted at any time; the run comes to an end all the same."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.store.people import ADA, ANA

from deskmate import Desk, Message, NewMessage, Paused, Replied, Text
from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Delta, Output, Turn
from deskmate.errors import Conflict
from deskmate.testing import Gate, ScriptedAgent, asking, echo, failing, say


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent(echo)


async def posted(desk: Desk) -> Message:
    thread = await desk.threads.open(customer="ada")
    return await desk.messages.post(thread.id, "Where is it?", author=ADA)


async def words(desk: Desk, message: Message) -> list[str]:
    return [said.text for said in (await desk.messages.history(message.thread, by=ANA)).items]


async def test_a_message_that_is_deleted_before_its_run_begins_needs_no_answer(desk: Desk) -> None:
    message = await posted(desk)
    await desk.messages.delete(message.id)
    await desk.run_due()
    assert await desk.next_due() is None
    assert await words(desk, message) == []
    with pytest.raises(Conflict, match="no unanswered message"):
        await desk.respond(message.thread)
    await desk.messages.post(message.thread, "Hello?", author=ADA)
    await desk.run_due()
    assert await words(desk, message) == ["Hello?", "You said: Hello?"]


async def test_p1_when_the_newest_message_is_deleted_the_one_before_is_answered(desk: Desk) -> None:
    message = await posted(desk)
    second = await desk.messages.post(message.thread, "Never mind.", author=ADA)
    await desk.messages.delete(second.id)
    await desk.run_due()
    assert await words(desk, message) == ["Where is it?", "You said: Where is it?"]
    assert await desk.next_due() is None


@pytest.mark.parametrize("streams", [False, True])
async def test_a_run_whose_message_is_deleted_while_it_thinks_answers_all_the_same(
    desk: Desk, bot: ScriptedAgent, streams: bool
) -> None:
    gate = Gate()

    async def script(turn: Turn) -> AsyncIterator[Output]:
        await gate.passage()
        if streams:
            yield Delta(text="It is ")
        yield say("It is here.")

    bot.script = script
    message = await posted(desk)
    working = asyncio.create_task(desk.run_due())
    await gate.reached()
    await desk.messages.delete(message.id)
    gate.open()
    await working
    assert await words(desk, message) == ["It is here."]


async def test_a_run_that_fails_after_its_message_was_deleted_fails_visibly(desk: Desk, bot: ScriptedAgent) -> None:
    gate = Gate()

    async def script(turn: Turn) -> AsyncIterator[Output]:
        await gate.passage()
        async for output in failing(RuntimeError("ill"))(turn):
            yield output

    bot.script = script
    message = await posted(desk)
    working = asyncio.create_task(desk.run_due())
    await gate.reached()
    await desk.messages.delete(message.id)
    gate.open()
    await working
    assert (await desk.threads.get(message.thread)).waiting_since is not None
    [shown] = await desk.requests.waiting(message.thread, by=SYSTEM)
    assert (shown.kind, await desk.next_due()) == ("escalation", shown.expires_at), "only the clock of that is left"


async def test_p7_a_run_whose_message_is_deleted_while_it_waits_goes_on_with_the_answer(desk: Desk, bot: ScriptedAgent) -> None:
    bot.script = asking("Where?")
    message = await posted(desk)
    paused = await desk.respond(message.thread)
    assert isinstance(paused, Paused)
    await desk.messages.delete(message.id)
    await desk.requests.answer(paused.requests[0].id, "In Lyon.", by=ANA)
    reply = await desk.respond(message.thread)
    assert isinstance(reply, Replied)
    assert reply.message.text == "Ana says: In Lyon."


async def test_p1_a_message_that_takes_the_place_of_one_that_was_answered_and_deleted_is_answered_as_well(desk: Desk) -> None:
    message = await posted(desk)
    await desk.run_due()
    await desk.messages.delete(*[said.id for said in (await desk.messages.page(message.thread)).items])
    [again] = await desk.messages.save(message.thread, [NewMessage(role="user", author=ADA.author, parts=(Text(text="Again"),))])
    assert again.position == message.position
    assert isinstance(await desk.respond(message.thread), Replied)
    await desk.messages.post(message.thread, "And again", author=ADA)
    await desk.run_due()
    assert (await words(desk, message))[1:] == ["You said: Again", "And again", "You said: And again"]


async def test_p1_what_a_customer_says_after_a_message_was_deleted_that_a_run_still_answers_gets_an_answer_of_its_own(
    desk: Desk, bot: ScriptedAgent
) -> None:
    gate = Gate()

    async def script(turn: Turn) -> AsyncIterator[Output]:
        await gate.passage()
        yield say(f"You said: {turn.prompt_text}")

    bot.script = script
    message = await posted(desk)
    working = asyncio.create_task(desk.run_due())
    await gate.reached()
    await desk.messages.delete(message.id)
    await desk.messages.post(message.thread, "Hello?", author=ADA)
    gate.open()
    await working
    assert (await words(desk, message))[-1] == "You said: Hello?"
