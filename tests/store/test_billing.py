"""Billing: tokens at their prices, operators' time as they worked it, and invoices that can be made again from the feed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from deskmate import Desk, Settings, Visibility, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.invoices import People, Period, invoice, invoices
from deskmate.domain.messages import Text
from deskmate.domain.operators import Operator
from deskmate.domain.usage import UsageEntry
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services.usage import metered_of
from deskmate.testing import FakeClock, ScriptedAgent, asking, pass_time

ADA, EVE = customer("ada", "Ada"), customer("eve", "Eve")
SINCE, UNTIL = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role="lead")


def using(input_tokens: int, output_tokens: int, model: str = "gpt-5.2", provider: str = "openai") -> Callable[[Turn], Any]:
    """A script of an agent whose model takes so many tokens."""

    async def script(_: Turn) -> AsyncIterator[Output]:
        yield Step(
            role="assistant", parts=(Text(text="Yes."),), provider=provider, model=model,
            input_tokens=input_tokens, output_tokens=output_tokens, final=True,
        )  # fmt: skip

    return script


async def answered(desk: Desk, by: Any = ADA) -> str:
    """A thread on which the agent has answered."""
    thread = (await desk.threads.open(customer=by.id, by=by)).id
    await desk.messages.post(thread, "Is it?", author=by)
    await desk.respond(thread)
    return thread


async def people(desk: Desk) -> list[UsageEntry]:
    """The work of people, oldest first."""
    page = await desk.usage.list(limit=200)
    return [entry for entry in reversed(page.items) if entry.operator is not None]


async def seconds(desk: Desk, thread: str) -> list[float]:
    return [entry.seconds for entry in await desk.usage.of_thread(thread) if entry.operator is not None]


async def opened(desk: Desk, by: Any = ADA) -> str:
    return (await desk.threads.open(customer=by.id, by=by)).id


async def types(desk: Desk, clock: FakeClock, thread: str, ana: Operator, lasting: float) -> None:
    """An operator types for so long; the screen says so about every three seconds."""
    end = clock() + timedelta(seconds=lasting)
    while clock() < end:
        await desk.viewers.typing(thread, by=ana)
        await pass_time(desk, clock, min(timedelta(seconds=3), end - clock()))
    await desk.viewers.typing(thread, by=ana)


async def test_tokens_cost_what_the_price_of_their_model_says(desk: Desk, lea: Operator, bot: ScriptedAgent):
    price = {"currency": "EUR", "models": ["gpt-5*"], "input": "1.25", "output": "10.00"}
    await desk.policies.put("price", "ours", price, by=lea)
    await desk.policies.put("price", "all", {**price, "models": ["openai:*"], "input": "99", "output": "99"}, by=lea)
    bot.script = using(1_234, 567)
    thread = await answered(desk)
    [entry] = await desk.usage.of_thread(thread)
    # 1,234 times 1.25 EUR and 567 times 10 EUR, by the million: 0.0072125 EUR, which are 0.72125 cents.
    assert (entry.cost_nanos, entry.currency, entry.metered.customer) == (721_250_000, "EUR", "ada")
    await desk.policies.put("price", "ours", {**price, "input": "2.50"}, by=lea)
    await desk.messages.post(thread, "And this?", author=ADA)
    await desk.respond(thread)
    assert [one.cost_nanos for one in await desk.usage.of_thread(thread)] == [721_250_000, 875_500_000]


async def test_without_a_price_of_ones_own_it_is_the_list_price(desk: Desk, bot: ScriptedAgent):
    bot.script = using(1_000_000, 0)
    [entry] = await desk.usage.of_thread(await answered(desk))
    assert entry.currency == "USD"
    assert entry.cost_nanos is not None
    assert entry.cost_nanos > 0
    bot.script = using(1_000_000, 0, model="nobody-knows")
    [entry] = await desk.usage.of_thread(await answered(desk))
    assert (entry.currency, entry.cost_nanos) == (None, None)


async def test_human_seconds_agree_with_a_scripted_shift(
    desk: Desk, other: Desk, ana: Operator, lea: Operator, clock: FakeClock, bot: ScriptedAgent, store_url: str
):
    """Ana claims, reads, types, decides; is away from her keyboard; changes threads; a process ends in the middle, two count."""
    await desk.policies.put("rate", "all", {"currency": "EUR", "per_hour": 3600}, by=lea)
    bot.script = asking("Open on Monday?")
    first = await answered(desk)
    [request] = (await desk.requests.list(by=ana, thread=first)).items
    second, third = await opened(desk), await opened(desk, EVE)
    await pass_time(desk, clock, timedelta(minutes=10))
    assert await people(desk) == []

    await desk.requests.claim(request.id, by=ana)  # 0
    await pass_time(desk, clock, seconds=47)  # She reads.
    await types(desk, clock, first, ana, 25)
    await pass_time(desk, clock, seconds=8)
    await other.requests.answer(request.id, "Yes", by=ana)  # 80, through another process
    await pass_time(other, clock, seconds=30)
    assert await seconds(desk, first) == [80]

    await desk.assignments.assign(second, f"operator:{ana.id}", by=ana)  # A new span
    await types(desk, clock, second, ana, 31.25)
    await pass_time(desk, clock, timedelta(minutes=20))  # Lunch: nothing of it counts.
    await types(other, clock, second, ana, 12)
    await pass_time(desk, clock, seconds=5)
    await types(desk, clock, third, ana, 9)  # She changes threads without finishing: the second ended with its last sign.
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as later:  # A restart in the middle of a span
        await pass_time(later, clock, seconds=20)
        await later.messages.post(third, "Here you are.", author=ana)  # 29
        await asyncio.gather(desk.run_due(), other.run_due(), later.run_due())
    await pass_time(desk, clock, timedelta(minutes=5))
    await asyncio.gather(desk.run_due(), other.run_due())
    assert await seconds(desk, second) == [31.25, 12]
    assert await seconds(desk, third) == [29]
    entries = await people(desk)
    assert sum(entry.seconds for entry in entries) == 80 + 31.25 + 12 + 29
    assert [entry.cost_nanos for entry in entries] == [seconds * 10**9 for seconds in (80, 31.25, 12, 29)]
    assert entries[0].request == request.id
    assert await made_again(desk, "ada", People.OPERATOR) == await desk.usage.invoice("ada", SINCE, UNTIL)


async def test_looking_at_a_thread_is_no_work_and_neither_is_what_others_do(desk: Desk, ana: Operator, clock: FakeClock):
    thread = await opened(desk)
    await desk.viewers.viewing(thread, by=ana)
    await desk.viewers.typing(thread, by=ADA)
    await desk.messages.post(thread, "Hello?", author=ADA, respond=False)
    await pass_time(desk, clock, timedelta(minutes=5))
    assert await people(desk) == []


async def test_how_far_behind_the_counting_is_makes_no_difference(desk: Desk, ana: Operator, clock: FakeClock):
    """A desk that was not worked on for an hour counts as if it had been."""
    thread, elsewhere = await opened(desk), await opened(desk)
    await desk.messages.post(thread, "Let me see.", author=ana, visibility=Visibility.NOTE)
    for _ in range(10):
        clock.advance(seconds=3)
        await desk.viewers.typing(thread, by=ana)
    await desk.messages.post(thread, "Yes.", author=ana)  # 30
    clock.advance(seconds=10)
    await desk.viewers.typing(elsewhere, by=ana)
    clock.advance(seconds=4)
    await desk.viewers.typing(elsewhere, by=ana)
    clock.advance(timedelta(hours=1))
    await pass_time(desk, clock, timedelta(minutes=5))
    assert (await seconds(desk, thread), await seconds(desk, elsewhere)) == ([30], [4])


async def test_what_two_processes_count_at_once_is_counted_once(desk: Desk, other: Desk, ana: Operator, clock: FakeClock):
    thread = await opened(desk)
    await desk.viewers.typing(thread, by=ana)
    for _ in range(20):
        clock.advance(seconds=2)
        await desk.viewers.typing(thread, by=ana)
        await asyncio.gather(desk.run_due(), other.run_due())
    clock.advance(seconds=61)
    await asyncio.gather(*(one.run_due() for one in (desk, other) * 4))
    assert await seconds(desk, thread) == [40]


async def test_work_on_a_thread_that_is_deleted_is_gone_and_the_counting_goes_on(desk: Desk, ana: Operator, clock: FakeClock):
    thread, elsewhere = await opened(desk), await opened(desk)
    await types(desk, clock, thread, ana, 9)
    await desk.threads.delete(thread)
    await types(desk, clock, elsewhere, ana, 12)
    await pass_time(desk, clock, timedelta(minutes=5))
    assert [(entry.thread, entry.seconds) for entry in await people(desk)] == [(elsewhere, 12)]
    assert await made_again(desk, "ada", People.OPERATOR) == await desk.usage.invoice("ada", SINCE, UNTIL)


async def test_a_lead_puts_time_right_by_a_difference(desk: Desk, ana: Operator, lea: Operator, clock: FakeClock):
    await desk.policies.put("rate", "all", {"currency": "EUR", "per_hour": 3600}, by=lea)
    thread = await opened(desk)
    await types(desk, clock, thread, ana, 100)
    await pass_time(desk, clock, timedelta(minutes=5))
    await desk.policies.put("rate", "all", {"currency": "EUR", "per_hour": 7200}, by=lea)
    [entry] = await people(desk)
    less = await desk.usage.correct(entry.id, 60, "The cat was on the keyboard", by=lea)
    assert (less.seconds, less.cost_nanos, less.corrects, less.reason) == (
        -40, -40 * 10**9, entry.id, "The cat was on the keyboard",
    )  # fmt: skip
    again = await desk.usage.correct(less.id, 61.5, "Not all of it", by=lea)
    assert (again.seconds, again.corrects) == (1.5, entry.id)
    assert (await desk.usage.invoice("ada", SINCE, UNTIL)).totals == {"EUR": 62}  # 61.5: half to even
    for seconds_, field in ((61.5, "seconds"), (-1, "seconds"), (float("nan"), "seconds"), (90_000, "seconds")):
        with pytest.raises(Invalid) as refused:
            await desk.usage.correct(entry.id, seconds_, "Why not", by=lea)
        assert refused.value.field == field
    with pytest.raises(Invalid):
        await desk.usage.correct(entry.id, 1, " ", by=lea)
    with pytest.raises(NotFound):
        await desk.usage.correct("use_none", 1, "Why", by=lea)
    with pytest.raises(Forbidden):
        await desk.usage.correct(entry.id, 1, "Mine", by=ana)
    assert await made_again(desk, "ada", People.OPERATOR) == await desk.usage.invoice("ada", SINCE, UNTIL)


async def test_corrections_at_once_are_made_one_after_the_other(
    desk: Desk, other: Desk, ana: Operator, lea: Operator, clock: FakeClock
):
    thread = await opened(desk)
    await types(desk, clock, thread, ana, 100)
    await pass_time(desk, clock, timedelta(minutes=5))
    [entry] = await people(desk)
    made = await asyncio.gather(
        *(
            one.usage.correct(entry.id, wanted, "Right", by=lea)
            for one, wanted in ((desk, 10), (other, 20), (desk, 30), (other, 40))
        )
    )
    assert 100 + sum(one.seconds for one in made) in (10, 20, 30, 40)


async def made_again(desk: Desk, owner: str | None, by: People) -> Any:
    """The invoice of January, from the events of the feed and nothing else."""
    when = Period(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC))
    work, after = [], 0
    while found := await desk.feed.read(by=SYSTEM, after=after):
        after = found[-1].event.seq
        told = [seen.event for seen in found if seen.event.type == "usage.recorded"]
        work += [metered_of(event.data) for event in told if when.since <= event.at < when.until]
    if owner == "*":
        return invoices(when, by, work)
    return invoice(owner, when, by, [piece for piece in work if piece.customer == owner])


async def test_invoices_are_made_again_to_the_cent_from_the_event_log_alone(
    desk: Desk, ana: Operator, lea: Operator, clock: FakeClock, bot: ScriptedAgent
):
    price = {"currency": "EUR", "models": ["gpt-5*"], "input": "1.234567", "output": "9.87"}
    await desk.policies.put("price", "ours", price, by=lea)
    await desk.policies.put("rate", "all", {"currency": "JPY", "per_hour": 3511}, by=lea)
    await desk.policies.put("rate", "ana", {"currency": "EUR", "per_hour": 3177, "operators": [ana.id]}, by=lea)
    for number in range(12):
        bot.script = using(1_001 + 977 * number, 300 + number, model=("gpt-5.2", "nobody-knows", "gpt-4o")[number % 3])
        thread = await answered(desk, (ADA, EVE)[number % 2])
        await types(desk, clock, thread, (ana, lea)[number % 2], 5 + 1.7 * number)
        await pass_time(desk, clock, timedelta(minutes=3))
        if number == 5:
            await desk.policies.put("price", "ours", {**price, "input": "0.999999"}, by=lea)
            await desk.policies.put("rate", "ana", {"currency": "EUR", "per_hour": 4001, "operators": [ana.id]}, by=lea)
    await types(desk, clock, (await desk.threads.open(by=ana)).id, ana, 7)
    await pass_time(desk, clock, timedelta(minutes=3))
    await desk.usage.correct((await people(desk))[3].id, 3.333, "Too much", by=lea)
    for by in People:
        every = await desk.usage.invoices(SINCE, UNTIL, by=by)
        assert [one.customer for one in every] == ["ada", "eve", None]
        assert every == await made_again(desk, "*", by)
        for one in every:
            assert one == await desk.usage.invoice(one.customer, SINCE, UNTIL, by=by) == await made_again(desk, one.customer, by)
    assert {currency for one in every for currency in one.totals} == {"EUR", "JPY", "USD"}
    assert sum(line.millis for one in every for line in one.lines) == sum(entry.metered.millis for entry in await people(desk))


async def test_the_edges_of_a_period_are_midnight_where_it_says(desk: Desk, clock: FakeClock, bot: ScriptedAgent):
    bot.script = using(1000, 0)
    clock.set(datetime(2026, 1, 31, 15, 30, tzinfo=UTC))  # In Tokyo it is February.
    await answered(desk)
    assert len((await desk.usage.invoice("ada", "2026-01-01", "2026-02-01")).lines) == 1
    assert (await desk.usage.invoice("ada", "2026-01-01", "2026-02-01", zone="Asia/Tokyo")).lines == ()
    assert len((await desk.usage.invoice("ada", "2026-02-01", "2026-03-01", zone="Asia/Tokyo")).lines) == 1
    for since, until, zone, field in (
        ("2026-02-01", "2026-02-01", "UTC", "until"),
        ("soon", "2026-02-01", "UTC", "since"),
        ("2026-02-01", "2026-13-01", "UTC", "until"),
        ("2026-02-01", "2026-03-01", "Mars/Base", "zone"),
        ("2026-02-01", "2026-03-01", "../../etc/passwd", "zone"),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.usage.invoice("ada", since, until, zone=zone)
        assert refused.value.field == field


async def test_a_summary_tells_who_used_what(desk: Desk, ana: Operator, lea: Operator, clock: FakeClock, bot: ScriptedAgent):
    await desk.policies.put("rate", "all", {"currency": "EUR", "per_hour": 1}, by=lea)
    bot.script = using(10, 5, model="nobody-knows")
    thread = await answered(desk)
    await types(desk, clock, thread, ana, 1800)
    await pass_time(desk, clock, timedelta(minutes=3))
    [one] = await desk.usage.summary(by="agent")
    assert (one.key, one.entries, one.unpriced, one.input_tokens, one.output_tokens, one.millis) == ("scripted", 1, 1, 10, 5, 0)
    [one] = await desk.usage.summary(by="operator")
    assert (one.key, one.millis, dict(one.costs)) == (ana.id, 1_800_000, {"EUR": 0})
    [one] = await desk.usage.summary(by="customer")
    assert (one.key, one.entries) == ("ada", 2)
    assert await desk.usage.summary("2027-01-01") == ()


async def test_work_whose_timer_was_lost_is_reported_and_counted(
    desk: Desk, store_url: str, ana: Operator, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    thread = await opened(desk)
    await types(desk, clock, thread, ana, 9)
    await desk._store.write(lambda tx: tx.run("jobs.cancel", kind="work", ref=ana.id))  # pyright: ignore[reportPrivateUsage]
    clock.advance(timedelta(hours=1))
    async with Desk.open(store_url, clock=clock, work=False) as later:
        with caplog.at_level(logging.WARNING, "deskmate.work"):
            await later.run_due()
        assert "the work of 1 operators had no timer and has got one" in caplog.text
        assert await seconds(later, thread) == [9]


async def test_long_typing_is_no_alarm(desk: Desk, ana: Operator, clock: FakeClock, caplog: pytest.LogCaptureFixture):
    thread = await opened(desk)
    with caplog.at_level(logging.WARNING, "deskmate.work"):
        await types(desk, clock, thread, ana, 600)
        await pass_time(desk, clock, timedelta(minutes=3))
    assert caplog.text == ""
    assert await seconds(desk, thread) == [600]


async def test_list_prices_can_be_switched_off(store_url: str, clock: FakeClock):
    agent = ScriptedAgent(using(1_000_000, 0))
    settings = Settings(list_prices=False)
    async with Desk.open(store_url, clock=clock, agents=[agent], settings=settings, work=False) as desk:
        [entry] = await desk.usage.of_thread(await answered(desk))
        assert (entry.currency, entry.cost_nanos) == (None, None)


async def test_how_long_idle_is_can_be_set(store_url: str, clock: FakeClock):
    async with Desk.open(store_url, clock=clock, settings=Settings(idle_seconds=300), work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        thread = await opened(desk)
        await desk.viewers.typing(thread, by=ana)
        await pass_time(desk, clock, seconds=299)
        await desk.messages.post(thread, "Yes.", author=ana)
        await desk.run_due()
        assert await seconds(desk, thread) == [299]


async def test_a_call_with_a_long_input_costs_what_its_provider_asks_for_long_inputs(desk: Desk, bot: ScriptedAgent):
    """Claude Sonnet 4.5 asks twice as much once the input is longer than 200,000 tokens."""
    costs = list[int]()
    for tokens in (100_000, 200_000, 200_001, 400_000):
        bot.script = using(tokens, 0, model="claude-sonnet-4-5", provider="anthropic")
        [entry] = await desk.usage.of_thread(await answered(desk))
        costs.append((entry.cost_nanos or 0) // tokens)
    assert costs[0] == costs[1]
    assert costs[2] == costs[3] == 2 * costs[0]
