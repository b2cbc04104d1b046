"""Limits on both engines: what is past the budget, what is told of it, and what happens in the end."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.models.test import TestModel
from tests.store.people import ADA, EVE

from deskmate import (
    Assessed,
    Desk,
    Escalation,
    Failed,
    NewDecision,
    Operator,
    PydanticAgent,
    Replied,
    Role,
    Text,
    Thread,
    customer,
)
from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.limits import Bucket, Limit, Of, Per, State
from deskmate.domain.requests import DecisionKind
from deskmate.domain.threads import Status
from deskmate.errors import Forbidden, TooMany
from deskmate.services.budgets import BUCKET, FOREVER, Budget
from deskmate.store import Store
from deskmate.testing import FakeClock, Gate, ScriptedAgent, echo, pass_time, say

HOUR = {"count": 2, "seconds": 3600}
Rules = dict[str, Any]


async def passing_on(turn: Turn) -> AsyncIterator[Output]:
    """Passes the customer on, and says what came of it."""
    came = await turn.escalate(Escalation(reason=f"wants {turn.prompt_text}"))
    yield say("A colleague will answer you here." if came.accepted else f"Later: {came.why} ({came.retry_after})")


def using(tokens: int) -> Callable[[Turn], AsyncIterator[Output]]:
    """An agent that uses this many tokens for an answer."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        del turn
        yield Step(role="assistant", parts=(Text(text="Hello."),), input_tokens=tokens - 1, output_tokens=1, final=True)

    return script


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent(passing_on)


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


async def limit(desk: Desk, name: str = "people", **rules: Any) -> None:
    given: Rules = {"of": "escalations", "per": "agent", "window": HOUR} | rules
    await desk.policies.put("limit", name, {key: value for key, value in given.items() if value is not None})


async def said(desk: Desk, words: str = "a refund", *, by: Any = ADA) -> Thread:
    """A customer writes on a new thread, and the agent does what it does."""
    thread = await desk.threads.open(customer=by.id, by=by)
    await desk.messages.post(thread.id, words, author=by)
    await desk.run_due()
    return await desk.threads.get(thread.id)


async def reached(desk: Desk) -> list[Mapping[str, Any]]:
    return [seen.event.data for seen in await desk.feed.read(by=SYSTEM) if seen.event.type == "limit.reached"]


async def shown(desk: Desk, thread: Thread, by: Any = ADA) -> list[str]:
    return [message.text for message in (await desk.messages.history(thread.id, by=by)).items]


async def held(desk: Desk, *threads: Thread) -> list[str]:
    return [(await desk.threads.get(thread.id)).assignment.to.value for thread in threads]


async def state(desk: Desk, name: str = "people") -> State:
    return next(state for state in await desk.limits.state() if state.policy == name)


async def used(desk: Desk, name: str = "people") -> dict[str, int]:
    return {counter.subject: counter.used for counter in (await state(desk, name)).counters}


# Escalations.


async def test_p11_the_escalation_past_the_budget_is_deferred_and_recorded_and_the_model_is_told(
    desk: Desk, clock: FakeClock
) -> None:
    await limit(desk)
    clock.advance(seconds=-(clock().timestamp() % 3600) + 60)
    threads = [await said(desk, words) for words in ("order 17", "order 18", "order 19")]
    assert await held(desk, *threads) == ["queue", "queue", "ai"]
    [event] = await reached(desk)
    assert event == {
        "policy": "people", "of": "escalations", "per": "agent", "subject": "agent:scripted", "retry_after": 3540,
        "fallback": "defer",
        "reasons": [{"agent": "scripted", "reason": "wants order #", "count": 3, "refused": 1}],
    }  # fmt: skip
    assert "by itself then" in (last := (await shown(desk, threads[2]))[-1])
    assert "(0:59:00)" in last


async def test_p11_what_is_deferred_happens_by_itself_when_there_is_room(desk: Desk, clock: FakeClock) -> None:
    await limit(desk)
    threads = [await said(desk) for _ in range(3)]
    await pass_time(desk, clock, timedelta(hours=1))
    assert await held(desk, *threads) == ["queue"] * 3
    [request] = await desk.requests.waiting(threads[2].id, by=SYSTEM)
    assert (request.kind, request.reason, request.agent) == ("escalation", "wants a refund", "scripted")
    assert (await state(desk)).deferred == 0
    assert len(await reached(desk)) == 1


async def test_p11_what_is_deferred_comes_once_after_a_restart(
    store_url: str, desk: Desk, bot: ScriptedAgent, clock: FakeClock
) -> None:
    await limit(desk)
    threads = [await said(desk) for _ in range(3)]
    await desk.close()
    clock.advance(timedelta(hours=2))
    async with (
        Desk.open(store_url, clock=clock, agents=[bot], work=False) as one,
        Desk.open(store_url, clock=clock, agents=[bot], work=False) as other,
    ):
        await asyncio.gather(one.run_due(), other.run_due())
        assert await held(one, threads[2]) == ["queue"]
        assert len(await one.requests.waiting(threads[2].id, by=SYSTEM)) == 1
        events = [seen.event for seen in await one.feed.read(by=SYSTEM) if seen.event.thread == threads[2].id]
        assert [event.type for event in events].count("request.opened") == 1
    await desk.ensure_open()


async def test_p11_what_is_deferred_counts_when_it_comes_and_waits_again_but_not_for_ever(desk: Desk, clock: FakeClock) -> None:
    await limit(desk, window={"count": 1, "seconds": 12 * 3600})
    clock.advance(seconds=-(clock().timestamp() % (12 * 3600)))
    threads = [await said(desk) for _ in range(5)]
    seen: list[int] = []
    for _ in range(3):
        seen.append((await held(desk, *threads)).count("queue"))
        await pass_time(desk, clock, timedelta(hours=12))
    assert seen == [1, 2, 5]
    assert len(await reached(desk)) == 4


async def test_p11_a_timer_that_was_lost_is_found(desk: Desk, store: Store, clock: FakeClock) -> None:
    await limit(desk)
    threads = [await said(desk) for _ in range(3)]
    await store.write(lambda tx: tx.run("jobs.cancel", kind="deferral", ref=threads[2].id))
    clock.advance(timedelta(hours=1, minutes=2))
    await desk.run_due()
    assert await held(desk, threads[2]) == ["queue"]


async def test_what_people_have_dealt_with_meanwhile_does_not_come_again(desk: Desk, lea: Operator, clock: FakeClock) -> None:
    await limit(desk, window={"count": 1, "seconds": 3600})
    _, taken, answered, solved, deleted = [await said(desk) for _ in range(5)]
    await desk.assignments.assign(taken.id, f"operator:{lea.id}", by=lea)
    await desk.assignments.assign(taken.id, "ai", by=lea)
    await desk.messages.post(answered.id, "Done, Ada.", author=lea)
    await desk.threads.change(solved.id, status=Status.RESOLVED, by=lea)
    await desk.threads.delete(deleted.id)
    await pass_time(desk, clock, timedelta(days=2))
    assert await held(desk, taken, answered, solved) == ["ai"] * 3
    assert (await state(desk)).deferred == 0


async def test_who_asks_again_while_it_is_deferred_is_told_the_same_and_nothing_is_counted(desk: Desk) -> None:
    await limit(desk)
    threads = [await said(desk) for _ in range(3)]
    before = await state(desk)
    await desk.messages.post(threads[2].id, "Hello?", author=ADA)
    await desk.run_due()
    assert (await shown(desk, threads[2]))[-1].startswith("Later: ")
    assert await state(desk) == before
    assert len(await reached(desk)) == 1


async def test_p11_with_the_fallback_low_it_happens_at_once_with_low_priority(desk: Desk) -> None:
    await limit(desk, fallback="low")
    threads = [await said(desk) for _ in range(3)]
    assert await held(desk, *threads) == ["queue"] * 3
    priorities = [(await desk.requests.waiting(thread.id, by=SYSTEM))[0].priority for thread in threads]
    assert priorities == ["normal", "normal", "low"]
    assert [event["fallback"] for event in await reached(desk)] == ["low"]


@pytest.mark.parametrize("text", [None, "We are sailing; write to us on Monday."])
async def test_p11_with_the_fallback_answer_the_customer_is_told_and_it_happens_later(
    desk: Desk, clock: FakeClock, text: str | None
) -> None:
    await limit(desk, fallback="answer", text=text)
    clock.advance(seconds=-(clock().timestamp() % 3600) + 60)
    threads = [await said(desk) for _ in range(3)]
    told = text or "A person from the team will be here for you in about 59 minutes."
    words = await shown(desk, threads[2])
    assert words[1] == told
    assert f"The customer has been told: {told}" in words[2]
    await pass_time(desk, clock, timedelta(hours=1))
    assert await held(desk, threads[2]) == ["queue"]


async def test_p11_a_customer_who_asks_for_a_person_is_told_when_and_gets_one(
    desk: Desk, bot: ScriptedAgent, clock: FakeClock
) -> None:
    bot.script = echo
    await limit(desk, per="global", window={"count": 1, "seconds": 3600})
    clock.advance(seconds=-(clock().timestamp() % 3600))
    first, second = [await said(desk) for _ in range(2)]
    for thread in (first, second, second):
        await desk.escalations.escalate(thread.id, by=ADA)
    assert await held(desk, first, second) == ["queue", "ai"]
    assert (await shown(desk, second))[2:] == ["A person from the team will be here for you in about 60 minutes."]
    await pass_time(desk, clock, timedelta(hours=1))
    assert await held(desk, second) == ["queue"]
    assert (await shown(desk, second))[3:] == ["A person from the team will answer you here."]
    [event] = await reached(desk)
    assert event["reasons"][0]["reason"] == "ada wants a person to answer"


async def test_p11_a_customer_is_not_put_off_with_what_the_agent_had_asked(desk: Desk, clock: FakeClock) -> None:
    """What the customer asks takes the place of what the agent asked; it comes no later."""
    await limit(desk, per="customer", window={"count": 1, "seconds": 3600})
    _, thread = [await said(desk) for _ in range(2)]
    await desk.escalations.escalate(thread.id, by=ADA)
    assert len(await reached(desk)) == 2
    await pass_time(desk, clock, timedelta(hours=1))
    [request] = await desk.requests.waiting(thread.id, by=SYSTEM)
    assert request.reason == "Ada wants a person to answer"


async def test_p11_an_agent_that_is_not_sure_says_that_a_person_comes_later(desk: Desk, clock: FakeClock) -> None:
    words = {"response": "Perhaps until six.", "confidence": 0.4}
    unsure = PydanticAgent(
        Agent(TestModel(custom_output_args=words, call_tools=[]), output_type=Assessed), name="unsure", floor=0.7
    )
    await limit(desk, window={"count": 1, "seconds": 3600})
    desk.register(unsure)
    threads = [await desk.threads.open(customer="ada") for _ in range(2)]
    for thread in threads:
        await desk.messages.post(thread.id, "Until when are you open?", author=ADA, respond=False)
        await desk.respond(thread.id, "unsure")
    assert "A person will look at it" in (await shown(desk, threads[1]))[-1]
    await pass_time(desk, clock, timedelta(hours=1))
    [request] = await desk.requests.waiting(threads[1].id, by=SYSTEM)
    assert (request.suggestion, request.confidence, request.floor) == ("Perhaps until six.", 0.4, 0.7)


async def test_operators_pass_on_what_they_want_and_failures_are_not_limited(
    desk: Desk, bot: ScriptedAgent, lea: Operator
) -> None:
    await limit(desk, per="global", window={"count": 1, "seconds": 3600})
    await said(desk)
    bot.script = echo
    thread = await said(desk)
    await desk.escalations.escalate(thread.id, "a tricky one", by=lea)
    assert await held(desk, thread) == ["queue"]
    assert await reached(desk) == []


async def test_each_subject_has_a_budget_of_its_own_and_a_refused_use_counts_nowhere(desk: Desk) -> None:
    await limit(desk, "a of all", per="global", window={"count": 5, "seconds": 3600})
    await limit(desk, "each", per="customer", window={"count": 1, "seconds": 3600})
    await limit(desk, "z bucket", per="queue", window=None, bucket={"capacity": 5, "refill": 1, "seconds": 3600})
    for who in (ADA, ADA, ADA, EVE):
        await said(desk, by=who)
    assert await used(desk, "each") == {"customer:ada": 1, "customer:eve": 1}
    assert await used(desk, "a of all") == {"global": 2}
    assert await used(desk, "z bucket") == {"queue:support": 2}
    refused = {counter.subject: counter.refused for counter in (await state(desk, "each")).counters}
    assert refused == {"customer:ada": 2, "customer:eve": 0}


async def test_p11_too_many_escalations_show_their_reasons(desk: Desk, lea: Operator, clock: FakeClock) -> None:
    await limit(desk)
    begin = clock()
    for words in ("a refund for order 12", "a refund for order 13", "Ana", "a refund for order 14"):
        await said(desk, words)
    [counter] = (await state(desk)).counters
    assert (counter.used, counter.left, counter.refused, counter.retry_after is not None) == (2, 0, 2, True)
    assert [(one.agent, one.reason, one.count, one.refused) for one in counter.reasons] == [
        ("scripted", "wants a refund for order #", 3, 1),
        ("scripted", "wants ana", 1, 1),
    ]
    assert list(await desk.limits.reasons(begin, by=lea)) == [("people", "agent:scripted")]
    assert await desk.limits.reasons(begin + timedelta(seconds=1)) == {}
    with pytest.raises(Forbidden):
        await desk.limits.state(by=ADA)


async def test_p11_exactly_so_many_of_32_at_once_are_accepted_over_two_desks(desk: Desk, other: Desk) -> None:
    await limit(desk, per="global", window={"count": 10, "seconds": 3600})
    await limit(desk, "bucket", per="global", window=None, bucket={"capacity": 10, "refill": 1, "seconds": 3600})
    actors = [customer(f"c{number}") for number in range(32)]
    threads = [await desk.threads.open(customer=actor.id, by=actor) for actor in actors]
    at_once = zip(threads, actors, [desk, other] * 16, strict=True)
    await asyncio.gather(*(one.escalations.escalate(thread.id, by=actor) for thread, actor, one in at_once))
    assert sorted(await held(desk, *threads)) == ["ai"] * 22 + ["queue"] * 10
    assert await used(desk) == await used(desk, "bucket") == {"global": 10}
    assert len(await reached(desk)) == 22
    assert sum(state.deferred for state in await desk.limits.state()) == 22


async def test_p11_exactly_so_many_are_accepted_over_two_processes(store_url: str) -> None:
    async with Desk.open(store_url, work=False) as desk:
        for name, measure in (
            ("bucket", {"bucket": {"capacity": 10, "refill": 1, "seconds": 10**6}}),
            ("window", {"window": {"count": 10, "seconds": 10**6}}),
        ):
            rules = {"of": "escalations", "per": "global", **measure}
            await desk.policies.put("limit", name, rules)
        threads = [(await desk.threads.open(customer=f"c{number}")).id for number in range(32)]
        command = [sys.executable, str(Path(__file__).with_name("limits_process.py")), store_url]
        started = [
            await asyncio.create_subprocess_exec(*command, *threads[part::2], stdin=PIPE, stdout=PIPE) for part in range(2)
        ]
        for process in started:
            assert process.stdout is not None
            assert await asyncio.wait_for(process.stdout.readline(), 60) == b"ready\n"
        outputs = await asyncio.wait_for(asyncio.gather(*(process.communicate(b"go\n") for process in started)), 60)
        holders = [line for output, _ in outputs for line in output.split()]
        assert sorted(holders) == [b"ai"] * 22 + [b"queue"] * 10
        assert await used(desk, "window") == await used(desk, "bucket") == {"global": 10}


# Messages of customers.


async def test_a_message_past_the_limit_stores_nothing_and_says_when_to_come_again(desk: Desk, clock: FakeClock) -> None:
    await limit(desk, of="messages", per="customer", window={"count": 2, "seconds": 60})
    clock.advance(seconds=-(clock().timestamp() % 60) + 10)
    thread = await desk.threads.open(customer="ada", by=ADA)
    for words in ("one", "two"):
        await desk.messages.post(thread.id, words, author=ADA, respond=False)
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            await desk.messages.post(thread.id, "three", author=ADA, respond=False)
        assert refused.value.facts == {"retry_after": 50}
    assert await shown(desk, thread) == ["one", "two"]
    [event] = await reached(desk)
    assert event == {"policy": "people", "of": "messages", "per": "customer", "subject": "customer:ada", "retry_after": 50}
    assert [counter.refused for counter in (await state(desk)).counters] == [3]
    clock.advance(seconds=50)
    await desk.messages.post(thread.id, "three", author=ADA, respond=False)
    assert await used(desk) == {"customer:ada": 1}


async def test_the_team_and_programs_and_a_repeated_message_are_not_limited(desk: Desk, lea: Operator) -> None:
    await limit(desk, of="messages", per="customer", window={"count": 1, "seconds": 60})
    thread = await desk.threads.open(customer="ada", by=ADA)
    for _ in range(2):
        await desk.messages.post(thread.id, "one", author=ADA, respond=False, idempotency_key="1")
    for _ in range(2):
        await desk.messages.post(thread.id, "Hello.", author=lea)
    assert await used(desk) == {"customer:ada": 1}


async def test_of_32_messages_at_once_over_two_desks_exactly_so_many_are_stored(desk: Desk, other: Desk) -> None:
    await limit(desk, of="messages", per="customer", window=None, bucket={"capacity": 7, "refill": 1, "seconds": 60})
    thread = await desk.threads.open(customer="ada", by=ADA)
    posts = [one.messages.post(thread.id, f"{n}", author=ADA, respond=False) for n, one in enumerate([desk, other] * 16)]
    came = await asyncio.gather(*posts, return_exceptions=True)
    assert sum(isinstance(one, TooMany) for one in came) == 25
    assert len(await shown(desk, thread)) == 7
    assert len(await reached(desk)) == 1


# Tokens of agents.


async def test_a_run_past_the_budget_does_not_start_and_people_are_told_until_when(
    desk: Desk, bot: ScriptedAgent, clock: FakeClock
) -> None:
    bot.script = using(700)
    clock.advance(seconds=-(clock().timestamp() % 86400) + 12 * 3600)
    await limit(desk, of="tokens", window={"count": 1000, "seconds": 3600})
    first, second, third = [await said(desk) for _ in range(3)]
    assert len(bot.turns) == 2
    assert (await used(desk)) == {"agent:scripted": 1400}
    assert (await shown(desk, third))[-1] == "A person from the team will answer you here."
    [request] = await desk.requests.waiting(third.id, by=SYSTEM)
    assert (request.kind, request.reason) == ("escalation", "the token budget of scripted is used up until 13:00 UTC")
    assert await held(desk, first, second, third) == ["ai"] * 3
    assert [event["retry_after"] for event in await reached(desk)] == [3600]
    clock.advance(timedelta(hours=1))
    await desk.messages.post(third.id, "Hello?", author=ADA)
    assert isinstance(await desk.respond(third.id), Replied)
    assert await desk.requests.waiting(third.id, by=SYSTEM) == ()


async def test_whoever_runs_an_agent_themselves_is_told_that_it_has_failed(desk: Desk, bot: ScriptedAgent) -> None:
    bot.script = using(700)
    await limit(desk, of="tokens", per="customer", window={"count": 1, "seconds": 3600})
    await said(desk)
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "Hello?", author=ADA)
    outcome = await desk.respond(thread.id)
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith("the token budget of customer ada is used up until ")


async def test_a_debt_is_paid_before_the_next_run_starts(desk: Desk, bot: ScriptedAgent, clock: FakeClock) -> None:
    bot.script = using(5000)
    await limit(desk, of="tokens", window=None, bucket={"capacity": 1000, "refill": 100, "seconds": 1, "reserve": 500})
    await said(desk)
    [counter] = (await state(desk)).counters
    assert (counter.left, counter.retry_after) == (-4000, 45)
    await said(desk)
    clock.advance(seconds=44.999)
    await said(desk)
    assert len(bot.turns) == 1
    clock.advance(seconds=0.001)
    await said(desk)
    assert len(bot.turns) == 2


async def test_what_is_put_aside_for_a_run_comes_back_when_it_ends(desk: Desk, bot: ScriptedAgent, lea: Operator) -> None:
    await limit(desk, of="tokens", window=None, bucket={"capacity": 1000, "refill": 1, "seconds": 10**6, "reserve": 400})
    seen: list[int] = []

    async def looking(turn: Turn) -> AsyncIterator[Output]:
        seen.append((await state(desk)).counters[0].left)
        async for output in using(100)(turn):
            yield output

    async def failing(turn: Turn) -> AsyncIterator[Output]:
        raise RuntimeError(turn.run)
        yield

    async def taken(turn: Turn) -> AsyncIterator[Output]:
        await desk.assignments.assign(turn.thread, f"operator:{lea.id}", by=lea)
        yield say("too late")

    for script in (looking, failing, taken):
        bot.script = script
        await said(desk)
    await desk.run_due()
    assert seen == [600]
    assert [counter.left for counter in (await state(desk)).counters] == [900]


async def test_tokens_of_a_run_in_the_middle_are_counted_and_it_is_not_cut_off(desk: Desk, bot: ScriptedAgent) -> None:
    async def long(turn: Turn) -> AsyncIterator[Output]:
        del turn
        for _ in range(5):
            yield Step(role="assistant", parts=(Text(text="On."),), input_tokens=300, output_tokens=0)

    bot.script = long
    await limit(desk, of="tokens", per="queue", window={"count": 1000, "seconds": 3600})
    thread = await said(desk)
    assert len(await shown(desk, thread)) == 6
    assert await used(desk) == {"queue:support": 1500}


async def test_runs_that_start_at_once_over_two_desks_do_not_use_the_same_last_tokens(
    desk: Desk, other: Desk, bot: ScriptedAgent
) -> None:
    bot.script = using(300)
    await limit(desk, of="tokens", window=None, bucket={"capacity": 1000, "refill": 1, "seconds": 10**6, "reserve": 300})
    threads = [await desk.threads.open(customer="ada", by=ADA) for _ in range(8)]
    for thread in threads:
        await desk.messages.post(thread.id, "Hello?", author=ADA)
    outcomes = await asyncio.gather(*(one.respond(t.id) for t, one in zip(threads, [desk, other] * 4, strict=True)))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Failed"] * 5 + ["Replied"] * 3
    assert [counter.left for counter in (await state(desk)).counters] == [100]
    assert len(await reached(desk)) == 1


async def test_what_is_put_aside_stays_with_a_run_whose_process_stops(
    store_url: str, desk: Desk, bot: ScriptedAgent, clock: FakeClock
) -> None:
    gate = Gate()

    async def held_back(turn: Turn) -> AsyncIterator[Output]:
        await gate.passage()
        async for output in using(100)(turn):
            yield output

    bot.script = held_back
    await limit(desk, of="tokens", window=None, bucket={"capacity": 500, "refill": 1, "seconds": 10**6, "reserve": 400})
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "Hello?", author=ADA)
    responding = asyncio.create_task(desk.respond(thread.id))
    await gate.reached()
    responding.cancel()
    await asyncio.gather(responding, return_exceptions=True)
    assert [counter.left for counter in (await state(desk)).counters] == [100]
    gate.open()
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as later:
        await later.run_due()
        assert (await shown(later, thread))[-1] == "Hello."
        assert [counter.left for counter in (await state(later)).counters] == [400]


# The rows.


async def test_the_bucket_of_the_store_counts_as_fractions_do(desk: Desk, store: Store, clock: FakeClock) -> None:
    del desk
    chance = random.Random(11)
    for round_ in range(6):
        bucket = Bucket(capacity=chance.randint(1, 50), refill=chance.randint(1, 40), seconds=chance.choice([1, 7, 86_400]))
        if round_ == 5:
            bucket = Bucket(capacity=10**9, refill=7, seconds=31 * 24 * 3600)
        rules = Limit(of=Of.TOKENS, per=Per.GLOBAL, bucket=bucket)
        budget = Budget(policy=f"p{round_}", limit=rules, subject="global")
        left, rate = Fraction(bucket.capacity), Fraction(bucket.refill, bucket.period)
        for _ in range(40):
            passed = chance.randint(0, 4 * bucket.period // bucket.refill)
            clock.advance(timedelta(milliseconds=passed))
            left = min(Fraction(bucket.capacity), left + rate * passed)
            asked, more = chance.randint(1, bucket.capacity), chance.randint(-bucket.capacity, bucket.capacity)
            refusal = await store.write(lambda tx, b=budget, a=asked: b.take(tx, a, a))
            assert (refusal is None) == (left >= asked)
            if refusal is not None:
                wait = min((asked - left) / rate, Fraction(FOREVER // timedelta(milliseconds=1)))
                assert refusal.until - clock() == timedelta(milliseconds=-(-wait.numerator // wait.denominator))
                continue
            await store.write(lambda tx, b=budget, m=more: b.charge(tx, m))
            left = min(Fraction(bucket.capacity), left - asked - more)
            key = {"policy": budget.policy, "counted": "tokens", "period": bucket.period, "start": BUCKET}
            [row] = await store.read(lambda tx, k=key: tx.all("limits.counters", **k))
            assert row["level"] == left * bucket.period


async def test_counters_that_say_nothing_any_more_are_forgotten_and_debts_are_not(
    desk: Desk, store: Store, bot: ScriptedAgent, clock: FakeClock
) -> None:
    await limit(desk, "window")
    await limit(desk, "full", window=None, bucket={"capacity": 5, "refill": 1, "seconds": 60})
    await limit(desk, "debt", of="tokens", window=None, bucket={"capacity": 10, "refill": 1, "seconds": 3600})
    await said(desk)
    bot.script = using(60)
    await said(desk)

    async def rows() -> set[str]:
        found: set[str] = set()
        for counted, period, start in (("escalations", 3_600_000, begin), ("escalations", 60_000, -1), ("tokens", 3_600_000, -1)):
            for policy in ("window", "full", "debt"):
                key = {"policy": policy, "counted": counted, "period": period, "start": start}
                found |= {row["policy"] for row in await store.read(lambda tx, k=key: tx.all("limits.counters", **k))}
        return found

    begin = int(clock().timestamp() * 1000) // 3_600_000 * 3_600_000
    assert await rows() == {"window", "full", "debt"}
    clock.advance(timedelta(hours=3))
    await desk.run_due()
    assert await rows() == {"debt"}
    clock.advance(timedelta(hours=60))
    await desk.run_due()
    assert await rows() == set()


async def test_a_policy_that_is_changed_or_deleted_holds_from_then_on_in_every_process(desk: Desk, other: Desk) -> None:
    await limit(desk, of="messages", per="customer", window={"count": 1, "seconds": 3600})
    thread = await desk.threads.open(customer="ada", by=ADA)
    await other.messages.post(thread.id, "one", author=ADA, respond=False)
    with pytest.raises(TooMany):
        await other.messages.post(thread.id, "two", author=ADA, respond=False)
    await limit(desk, of="messages", per="customer", window={"count": 2, "seconds": 3600})
    await other.messages.post(thread.id, "two", author=ADA, respond=False)
    await desk.policies.delete("limit", "people")
    await other.messages.post(thread.id, "three", author=ADA, respond=False)


async def test_what_was_deferred_on_a_deleted_thread_leaves_nothing(desk: Desk, store: Store, clock: FakeClock) -> None:
    await limit(desk, window={"count": 1, "seconds": 3600})
    threads = [await said(desk) for _ in range(2)]
    for thread in threads:
        await desk.threads.delete(thread.id)
    assert await desk.limits.reasons(clock() - timedelta(days=1)) == {}
    assert await store.read(lambda tx: tx.one("deferrals.get", thread=threads[1].id)) is None


async def test_an_escalation_that_was_deferred_can_be_taken_over(desk: Desk, lea: Operator, clock: FakeClock) -> None:
    await limit(desk, window={"count": 1, "seconds": 3600})
    _, thread = [await said(desk) for _ in range(2)]
    await pass_time(desk, clock, timedelta(hours=1))
    [request] = await desk.requests.waiting(thread.id, by=SYSTEM)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.TAKE_OVER), by=lea)
    assert await held(desk, thread) == ["operator"]
