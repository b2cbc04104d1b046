"""Floors: what is said, held back and checked, and what checks make of the floor."""

from collections.abc import AsyncIterator

import pytest
from tests.store.people import ADA, ADMIN
from tests.store.routed import BOT, ask, checks, rules, says, shown, sure, why

from deskmate import DecisionKind, Desk, NewDecision, Operator, Question
from deskmate.domain.agents import Ask, Delta, Output, Step, Turn
from deskmate.domain.assignments import Holder
from deskmate.domain.messages import ToolCall
from deskmate.testing import ScriptedAgent


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)


@pytest.mark.parametrize(("confidence", "said"), [(0.8, True), (0.79, False), (None, False)])
async def test_a_fixed_floor_parts_what_is_said_from_what_is_held_back(
    desk: Desk, bot: ScriptedAgent, ana: Operator, confidence: float | None, said: bool
) -> None:
    await rules(desk, {"floor": {"fixed": 0.8}})
    says(bot, confidence)
    thread = await ask(desk)
    await desk.run_due()
    assert await shown(desk, thread) == (["Until seven."] if said else [])
    assert await why(desk, thread) == ("ai" if said else "draft", "default" if said else "confidence")
    waiting = await desk.requests.waiting(thread, by=ana)
    assert [request.confidence for request in waiting] == ([] if said else [confidence])


async def test_nothing_that_may_be_held_back_is_streamed(desk: Desk, bot: ScriptedAgent) -> None:
    await rules(desk, {"floor": {"fixed": 0.8}})
    says(bot, 0.1, "Half a secret")
    thread = await ask(desk)
    before = (await desk.feed.read(by=ADA))[-1].event.seq
    await desk.run_due()
    assert not [one for one in await desk.feed.read(after=before, by=ADA) if one.event.type.startswith("message")]
    assert await shown(desk, thread) == []


async def test_below_the_floor_people_respond_where_the_policy_says_so(desk: Desk, bot: ScriptedAgent) -> None:
    await rules(desk, {"floor": {"fixed": 0.8, "below": "human"}})

    async def script(turn: Turn) -> AsyncIterator[Output]:
        assert turn.floor == 0.8
        yield sure(0.5)

    bot.script = script
    thread = await ask(desk)
    await desk.run_due()
    assert (await desk.threads.get(thread)).assignment.to is Holder.QUEUE
    assert await why(desk, thread) == ("human", "confidence")


async def test_before_anything_is_known_people_check_every_answer(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    await rules(desk, {"floor": {"audit_rate": 0.0}})
    says(bot, 1.0)
    thread = await ask(desk)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread, by=ana)
    assert request.reason == "too few answers have been checked yet for the AI to answer alone"


async def test_a_check_is_a_draft_whatever_the_score_and_what_comes_of_it_is_a_label(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    await rules(desk, {"floor": {"audit_rate": 1.0}})
    for confidence, kind in ((0.9, DecisionKind.APPROVE), (0.2, DecisionKind.REJECT), (0.6, DecisionKind.EDIT)):
        says(bot, confidence)
        thread = await ask(desk)
        await desk.run_due()
        assert await why(desk, thread) == ("draft", "audit")
        [request] = await desk.requests.waiting(thread, by=ana)
        text = "Until eight." if kind is DecisionKind.EDIT else None
        await desk.requests.decide(request.id, NewDecision(kind=kind, text=text, review="No."), by=ana)
    await desk.run_due()
    found = await desk.routing.curve(BOT)
    assert found.labels == 3
    lowest = found.points[-1]
    assert (lowest.floor, lowest.labels, lowest.errors) == (0.2, 3, 2)


async def test_clean_checks_let_the_ai_answer_alone_and_the_screen_counts_down(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    await rules(desk, {"floor": {"audit_rate": 1.0, "max_error": 0.2, "delta": 0.2}})
    left = (await desk.routing.status())[0].needed
    assert left > 8, "eight clean checks prove an error of a fifth at the least"
    await checks(desk, bot, ana, 5)
    assert (await desk.routing.status())[0].needed == left - 5
    await checks(desk, bot, ana, left - 5)
    [standing] = await desk.routing.status()
    assert standing.floor is not None
    assert standing.floor.value is not None
    assert standing.needed == 0
    await rules(desk, {"floor": {"audit_rate": 0.0, "max_error": 0.2, "delta": 0.2}})
    says(bot, 0.95)
    thread = await ask(desk)
    await desk.run_due()
    assert await shown(desk, thread) == ["Until seven."]
    newest = (await desk.routing.routes(thread))[0].route
    assert (newest.responder, newest.version) == ("ai", standing.floor.version)


async def test_a_decision_is_one_label_however_many_desks_follow(
    desk: Desk, other: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    await rules(desk, {"floor": {"audit_rate": 1.0}})
    await checks(desk, bot, ana, 2)
    await other.run_due()
    assert (await other.routing.curve(BOT)).labels == 2


async def test_a_deleted_thread_takes_its_routes_with_it_and_leaves_the_bare_label(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    await rules(desk, {"floor": {"audit_rate": 1.0}})
    says(bot, 0.9)
    thread = await ask(desk)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread, by=ana)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
    await desk.run_due()
    await desk.threads.delete(thread, by=ADMIN)
    assert (await desk.routing.curve(BOT)).labels == 1


@pytest.mark.parametrize(("confidence", "shown_early"), [(0.9, True), (0.5, False), (None, False)])
async def test_words_are_shown_while_they_are_written_only_where_the_agent_is_sure_of_them(
    desk: Desk, bot: ScriptedAgent, confidence: float | None, shown_early: bool
) -> None:
    await rules(desk, {"floor": {"fixed": 0.8, "below": "human"}})

    async def script(_: Turn) -> AsyncIterator[Output]:
        yield Delta(text="Until seven.", confidence=confidence)
        yield sure(confidence)

    bot.script = script
    thread = await ask(desk)
    before = (await desk.feed.read(by=ADA))[-1].event.seq
    await desk.run_due()
    told = [seen.event.type for seen in await desk.feed.read(after=before, by=ADA, thread=thread)]
    assert ("message.changed" in told) is shown_early, "what was begun before the end is finished by a change"


async def test_a_check_of_an_agent_that_asks_people_itself_is_none(desk: Desk, bot: ScriptedAgent) -> None:
    await rules(desk, {"floor": {"audit_rate": 1.0}})

    async def script(turn: Turn) -> AsyncIterator[Output]:
        call = ToolCall(call_id="c1", tool="ask_human", input={})
        asked = Question(call_id="c1", question="Open?", reason="The FAQ has nothing on this.", confidence=0.0)
        yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,))

    bot.script = script
    thread = await ask(desk)
    await desk.run_due()
    assert await why(desk, thread) == ("human", "tool")
    assert (await desk.routing.curve(BOT)).labels == 0
