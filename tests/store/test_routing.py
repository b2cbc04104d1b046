"""Who responds next: the chain, step by step, what becomes of the agent's words, and what is written down of it."""

from collections.abc import AsyncIterator

import pytest
from tests.store.people import ADA, ADMIN
from tests.store.routed import BOT, Moderator, ask, rules, says, shown, sure, why

from deskmate import DecisionKind, Desk, NewDecision, Operator, Question
from deskmate.domain.agents import Ask, Output, Step, Turn
from deskmate.domain.assignments import Holder
from deskmate.domain.messages import ToolCall
from deskmate.errors import Invalid
from deskmate.testing import FakeClock, ScriptedAgent


@pytest.fixture
def moderator() -> Moderator:
    return Moderator()


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, bot: ScriptedAgent, moderator: Moderator) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[bot], moderator=moderator, work=False) as desk:
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)


async def test_without_a_policy_the_thread_decides_and_its_route_is_kept(desk: Desk) -> None:
    thread = await ask(desk)
    await desk.run_due()
    [route] = await desk.routing.routes(thread)
    assert (route.route.responder, route.route.reason, route.agent) == ("ai", "the AI holds the thread", BOT)
    assert route.message is not None


async def test_a_thread_that_people_hold_is_theirs_and_that_is_kept(desk: Desk, ana: Operator) -> None:
    thread = await desk.threads.open(customer="ada")
    await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
    await desk.messages.post(thread.id, "Hello?", author=ADA)
    [route] = await desk.routing.routes(thread.id)
    assert (route.route.responder, route.route.reason) == ("human", "Ana holds the thread")


async def test_a_rule_gives_a_message_to_people_before_the_agent_reads_it(desk: Desk, bot: ScriptedAgent) -> None:
    await rules(desk, {"rules": [{"name": "Refunds", "when": {"words": ["refund"]}, "to": "human", "queue": "money"}]})
    thread = await ask(desk, "I want a REFUND.")
    await desk.run_due()
    assert bot.turns == []
    found = await desk.threads.get(thread)
    assert (found.assignment.to, found.assignment.id) == (Holder.QUEUE, "money")
    assert await shown(desk, thread) == ["A person from the team will answer you here."]
    assert await why(desk, thread) == ("human", "rules")
    other = await ask(desk, "What are refundable tickets?")
    await desk.run_due()
    assert await why(desk, other) == ("ai", "default")


async def test_a_customer_who_asks_for_a_person_gets_one_where_a_rule_says_so(desk: Desk) -> None:
    await rules(desk, {"rules": [{"name": "People", "when": {"asks_for_person": True}, "to": "human"}]}, "default")
    thread = await ask(desk, "Can I talk to a human please?")
    await desk.run_due()
    assert (await desk.threads.get(thread)).assignment.to is Holder.QUEUE


@pytest.mark.parametrize(
    ("when", "facts", "holds"),
    [
        ({"tags": ["vip"]}, {"tags": ["vip", "new"]}, True),
        ({"tags": ["vip"]}, {"tags": ["new"]}, False),
        ({"customers": ["ada"]}, {}, True),
        ({"languages": ["fr"]}, {"language": "fr"}, True),
        ({"languages": ["fr"], "tags": ["vip"]}, {"language": "fr"}, False),
        ({"priorities": ["urgent"]}, {}, False),
        ({"closed": True}, {}, False),
        ({"closed": False}, {}, True),
    ],
)
async def test_a_rule_holds_when_all_it_asks_for_does(desk: Desk, when: object, facts: dict[str, object], holds: bool) -> None:
    await rules(desk, {"rules": [{"name": "One", "when": when, "to": "human"}]})
    thread = await ask(desk, **facts)
    await desk.run_due()
    assert (await desk.threads.get(thread)).assignment.to is (Holder.QUEUE if holds else Holder.AI)


async def test_a_rule_may_ask_for_a_draft(desk: Desk, ana: Operator) -> None:
    await rules(desk, {"rules": [{"name": "Money", "when": {"words": ["price"]}, "to": "draft"}]})
    thread = await ask(desk, "What is the price?")
    await desk.run_due()
    assert await shown(desk, thread) == []
    [request] = await desk.requests.waiting(thread, by=ana)
    assert (request.draft is not None, request.reason) == (True, "the rule “Money” says so")
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
    assert await shown(desk, thread) == ["You said: What is the price?"]


async def test_what_a_person_gave_back_to_the_ai_does_not_come_back_by_a_rule(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    await rules(desk, {"rules": [{"name": "Refunds", "when": {"words": ["refund"]}, "to": "human"}]})
    thread = await ask(desk, "A refund, please.")
    await desk.run_due()
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    await desk.assignments.assign(thread, "ai", by=ana, note="Tell them how.")
    await desk.run_due()
    assert len(bot.turns) == 1
    assert (await desk.threads.get(thread)).assignment.to is Holder.AI
    assert await why(desk, thread) == ("ai", "assignment")


async def test_unsafe_words_of_a_customer_go_to_people_and_the_agent_never_reads_them(
    desk: Desk, bot: ScriptedAgent, moderator: Moderator
) -> None:
    await rules(desk, {"safety": {}})
    thread = await ask(desk, "How do I make a bomb?")
    await desk.run_due()
    assert bot.turns == []
    assert moderator.asked == [("user", "How do I make a bomb?")]
    [*_, newest] = await desk.routing.routes(thread)
    assert newest.route.reason == "the safety model calls the customer's words unsafe: S9 Indiscriminate Weapons"


async def test_unsafe_words_of_the_ai_are_never_shown_not_even_while_they_stream(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    await rules(desk, {"safety": {}})
    says(bot, None, "A bomb is made of")
    thread = await ask(desk)
    events = await desk.feed.read(by=ADA)
    await desk.run_due()
    assert await shown(desk, thread) == ["A person from the team will answer you here."]
    assert (await desk.threads.get(thread)).assignment.to is Holder.QUEUE
    told = [seen.event for seen in await desk.feed.read(after=events[-1].event.seq, by=ADA)]
    assert not [event for event in told if "bomb" in str(event.data)]
    [request] = await desk.requests.waiting(thread, by=ana)
    assert (request.suggestion, request.reason) == (
        "A bomb is made of",
        "the safety model calls the AI's answer unsafe: S9 Indiscriminate Weapons",
    )


@pytest.mark.parametrize(("unavailable", "holder"), [("closed", Holder.QUEUE), ("open", Holder.AI)])
async def test_without_a_verdict_the_gate_is_open_or_closed_as_set(
    desk: Desk, moderator: Moderator, unavailable: str, holder: Holder
) -> None:
    moderator.away = True
    await rules(desk, {"safety": {"unavailable": unavailable}})
    thread = await ask(desk)
    await desk.run_due()
    assert (await desk.threads.get(thread)).assignment.to is holder


async def test_safe_words_pass_the_gate_both_ways(desk: Desk, moderator: Moderator) -> None:
    await rules(desk, {"safety": {}})
    thread = await ask(desk)
    await desk.run_due()
    assert await shown(desk, thread) == ["You said: How long are you open?"]
    assert [role for role, _ in moderator.asked] == ["user", "assistant"]
    assert [step.step for step in (await desk.routing.routes(thread))[0].route.steps] == ["safety", "safety", "default"]


async def test_a_question_of_the_agent_is_its_route(desk: Desk, bot: ScriptedAgent) -> None:
    await rules(desk, {"floor": {"fixed": 0.5, "below": "human"}})

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if turn.news:
            yield sure(None, f"They say: {turn.news[0].output}")
            return
        call = ToolCall(call_id="c1", tool="ask_human", input={})
        asked = Question(call_id="c1", question="Open?", reason="The FAQ has nothing on this.", confidence=0.2, floor=turn.floor)
        yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,))

    bot.script = script
    thread = await ask(desk)
    await desk.run_due()
    [route] = await desk.routing.routes(thread)
    assert (route.route.responder, route.route.reason, route.route.score) == ("human", "The FAQ has nothing on this.", 0.2)
    ana = await desk.operators.add(name="Ana", email="ana@example.com", by=ADMIN)
    [request] = await desk.requests.waiting(thread, by=ana)
    await desk.requests.answer(request.id, "yes", by=ana)
    await desk.run_due()
    # What a person has said is passed on, though the agent does not say how sure it is of it.
    assert (await shown(desk, thread))[-1] == "They say: yes"


async def test_a_stored_route_replays_to_the_same_decision(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    await rules(
        desk, {"safety": {}, "rules": [{"name": "M", "when": {"words": ["money"]}, "to": "human"}], "floor": {"fixed": 0.5}}
    )
    for text, confidence in (("money", 0.9), ("A bomb", 0.9), ("Hello", 0.9), ("Hello", 0.1)):
        says(bot, confidence)
        await ask(desk, text)
        await desk.run_due()
    await rules(desk, {})
    for route in await every(desk):
        stored, again = await desk.routing.replay(route)
        assert (again.responder, again.reason, again.score, again.floor, again.steps) == (
            stored.route.responder, stored.route.reason, stored.route.score, stored.route.floor, stored.route.steps,
        )  # fmt: skip


async def every(desk: Desk) -> list[str]:
    """Every route there is."""
    threads = (await desk.inbox.page(by=ADMIN)).items
    return [route.id for one in threads for route in await desk.routing.routes(one.id)]


async def test_a_dry_run_tells_what_other_rules_would_have_done_and_changes_nothing(desk: Desk, bot: ScriptedAgent) -> None:
    for text in ("A refund", "Hello", "Another refund"):
        await ask(desk, text)
        await desk.run_due()
    with_words = {"rules": [{"name": "R", "when": {"words": ["refund"]}, "to": "human"}]}
    await rules(desk, {"floor": {"fixed": 0.5}})
    for text in ("A refund", "Hello"):
        says(bot, 0.9)
        await ask(desk, text)
        await desk.run_due()
    found = await desk.routing.rehearse(BOT, with_words)
    assert (found.routes, found.now["ai"], found.then["human"]) == (5, 5, 3)
    assert {one.would for one in found.changed} == {"human"}
    with pytest.raises(Invalid, match="condition") as refused:
        await desk.routing.rehearse(BOT, {"rules": [{"name": "all", "when": {}, "to": "human"}]})
    assert refused.value.field is not None
    assert refused.value.field.startswith("rules.rules.0.when")


async def test_shares_say_who_responded_and_why_it_was_not_the_ai_alone(desk: Desk, bot: ScriptedAgent, clock: FakeClock) -> None:
    await rules(desk, {"floor": {"fixed": 0.5}})
    for confidence in (0.9, 0.8, 0.1):
        says(bot, confidence)
        await ask(desk)
        await desk.run_due()
    clock.advance(seconds=1)
    found = await desk.routing.shares()
    [counts] = found.buckets.values()
    assert counts == {"ai": 2, "draft": 1}
    assert found.reasons == (("the agent was not sure enough", "draft", 1),)


async def test_a_deleted_message_is_not_kept_in_its_route(desk: Desk, bot: ScriptedAgent) -> None:
    words = {"rules": [{"name": "Cards", "when": {"words": ["card"]}, "to": "draft"}]}
    await rules(desk, words)
    thread = await ask(desk, "My card number is 4711.")
    await desk.run_due()
    [route] = await desk.routing.routes(thread)
    assert route.message is not None
    await desk.messages.delete(route.message, by=ADMIN)
    found = await desk.routing.rehearse(BOT, words)
    assert (found.now["draft"], found.then["ai"]) == (1, 1), "its words are gone, so no rule finds them any more"


async def test_a_curve_shows_the_floor_in_force_where_it_is(desk: Desk, bot: ScriptedAgent) -> None:
    await rules(desk, {"floor": {"fixed": 0.5}})
    for confidence in (0.9, 0.2):
        says(bot, confidence)
        await ask(desk)
        await desk.run_due()
    found = await desk.routing.curve(BOT)
    assert [(point.floor, point.coverage) for point in found.points] == [(0.9, 0.5), (0.5, 0.5), (0.2, 1.0)]
