"""Limits on both engines: messages past the budget, tokens past it, and the rows that count both."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from fractions import Fraction

import pytest
from tests.store.limited import held, limit, passing_on, reached, said, shown, state, used, using
from tests.store.people import ADA

from deskmate import Desk, Failed, Operator, Replied, Role, Text
from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.limits import Bucket, Limit, Of, Per
from deskmate.errors import TooMany
from deskmate.services.budgets import BUCKET, FOREVER, Budget
from deskmate.store import Store
from deskmate.testing import FakeClock, Gate, ScriptedAgent, say


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent(passing_on)


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


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
