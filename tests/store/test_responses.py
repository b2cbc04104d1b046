"""Response timers on both engines: an operator has to answer in time, and what happens where they do not (P5)."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.store.told import told

from deskmate import Desk, Operator, Role, Settings, Thread, Visibility, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.queues import Chooser
from deskmate.domain.threads import Mode, Status
from deskmate.errors import Invalid
from deskmate.store.base import Row
from deskmate.testing import FakeClock, ScriptedAgent, pass_time

ADA = customer("ada", "Ada")
MINUTE = timedelta(minutes=1)
NOBODY_LEAVES = Settings(away_seconds=0)
HOLD = "Thank you for waiting. We are looking for somebody."


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[bot], settings=NOBODY_LEAVES, work=False) as desk:
        yield desk


async def operator(desk: Desk, name: str, *, here: bool = True, **facts: object) -> Operator:
    made = await desk.operators.add(name=name, email=f"{name}@shop.example", **facts)  # pyright: ignore[reportArgumentType]
    return await desk.operators.presence(made.id, "available", by=made.actor()) if here else made


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await operator(desk, "Ana")


async def rules(desk: Desk, *actions: str, **more: object) -> None:
    """Whoever holds a thread of support has ten minutes."""
    await desk.policies.put("response", "ten minutes", {"seconds": 600, "actions": actions, **more})
    await desk.queues.change("support", response="ten minutes")


async def held(desk: Desk, by: Operator, *, says: str = "Hello?") -> Thread:
    """A thread whose customer waits for this operator."""
    thread = await desk.threads.open(customer="ada", by=ADA)
    await desk.messages.post(thread.id, says, author=ADA, respond=False)
    await desk.assignments.assign(thread.id, "queue:support", by=SYSTEM)
    await desk.assignments.assign(thread.id, f"operator:{by.id}", by=by)
    await desk.run_due()
    return await desk.threads.get(thread.id)


async def missed(desk: Desk, thread: Thread) -> list[tuple[object, ...]]:
    """What happened, as the feed tells it."""
    events = [seen.event for seen in await desk.feed.read(by=SYSTEM, thread=thread.id, limit=200)]
    return [
        (e.data["operator"], e.data["action"], e.data["step"], e.data["misses"]) for e in events if e.type == "response.missed"
    ]


async def word(desk: Desk) -> list[Row]:
    """Who was told what."""
    return told(desk._store.url)  # pyright: ignore[reportPrivateUsage]


async def running(desk: Desk, thread: Thread) -> Row | None:
    return await desk._store.read(lambda tx: tx.one("responses.get", thread=thread.id))  # pyright: ignore[reportPrivateUsage]


async def holder(desk: Desk, thread: Thread) -> tuple[str, str | None]:
    found = (await desk.threads.get(thread.id)).assignment
    return found.to, found.name


async def test_the_holder_is_reminded_when_the_time_is_over_and_not_before(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await rules(desk, "remind")
    thread = await held(desk, ana)
    await pass_time(desk, clock, seconds=599)
    assert await missed(desk, thread) == []
    await pass_time(desk, clock, seconds=1)
    assert await missed(desk, thread) == [(ana.id, "remind", 0, 1)]
    [one] = await word(desk)
    assert (one["operator"], one["kind"], one["text"]) == (ana.id, "response.remind", "Ada waits for your answer.")
    assert await holder(desk, thread) == ("operator", "Ana")
    await pass_time(desk, clock, timedelta(days=1))
    assert len(await word(desk)) == 1


async def test_the_actions_come_one_after_the_other_until_the_ai_goes_on_with_a_word_to_the_customer(
    desk: Desk, ana: Operator, clock: FakeClock, bot: ScriptedAgent
) -> None:
    ben, lea = await operator(desk, "Ben"), await operator(desk, "Lea", here=False, role=Role.LEAD)
    await rules(
        desk, "remind", "reassign", "queue", "notify_lead", "ai", every_seconds=300, holding_message=HOLD
    )  # fmt: skip
    thread = await held(desk, ana)
    seen: list[tuple[str, str | None]] = []
    for seconds in (600, 300, 300, 300, 300):
        await pass_time(desk, clock, seconds=seconds)
        seen.append(await holder(desk, thread))
    assert seen == [("operator", "Ana"), ("operator", "Ben"), ("queue", "support"), ("queue", "support"), ("ai", None)]
    assert await missed(desk, thread) == [
        (ana.id, "remind", 0, 1), (ana.id, "reassign", 1, 1), (ben.id, "queue", 2, 1), (ben.id, "notify_lead", 3, 1),
        (ben.id, "ai", 4, 1),
    ]  # fmt: skip
    assert [(row["operator"], row["kind"]) for row in await word(desk)] == [
        (ana.id, "response.remind"),
        (lea.id, "response.notify_lead"),
    ]
    hers = [(m.author.kind, m.text) for m in (await desk.messages.history(thread.id, by=ADA)).items]
    assert hers == [("customer", "Hello?"), ("system", HOLD), ("agent", "You said: Hello?")]
    assert "Nobody answered in time" in str(bot.turns[-1].history)
    assert await running(desk, thread) is None


async def test_a_public_reply_ends_the_timer_and_the_next_word_of_the_customer_begins_another(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    await rules(desk, "remind")
    thread = await held(desk, ana)
    await pass_time(desk, clock, seconds=300)
    await desk.messages.post(thread.id, "Where is Ben?", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    assert await running(desk, thread) is not None
    await desk.messages.post(thread.id, "Hello, Ada.", author=ana)
    await pass_time(desk, clock, seconds=900)
    assert await running(desk, thread) is None
    await desk.messages.post(thread.id, "One more thing.", author=ADA)
    await pass_time(desk, clock, seconds=300)
    await desk.messages.post(thread.id, "Are you there?", author=ADA)
    await pass_time(desk, clock, seconds=299)
    assert await missed(desk, thread) == []
    await pass_time(desk, clock, seconds=1)
    assert await missed(desk, thread) == [(ana.id, "remind", 0, 1)], "who writes twice waits no longer for that"


@pytest.mark.parametrize("how", ["reply", "snooze", "resolve", "queue", "other", "ai"])
@pytest.mark.parametrize("late", [False, True], ids=["in time", "in the last moment"])
async def test_nobody_is_reminded_of_what_they_have_dealt_with(
    desk: Desk, ana: Operator, clock: FakeClock, how: str, late: bool
) -> None:
    """In the last moment: the timer is due, and the follower has not seen yet what was done."""
    ben = await operator(desk, "Ben")
    await rules(desk, "remind", "queue")
    thread = await held(desk, ana)
    clock.advance(seconds=600 if late else 599)
    match how:
        case "reply":
            await desk.messages.post(thread.id, "Hello, Ada.", author=ana)
        case "snooze":
            await desk.threads.change(thread.id, status=Status.SNOOZED, by=ana)
        case "resolve":
            await desk.threads.change(thread.id, status=Status.RESOLVED, by=ana)
        case "queue":
            await desk.assignments.assign(thread.id, "queue:support", by=ana)
        case "other":
            await desk.assignments.assign(thread.id, f"operator:{ben.id}", by=ana)
        case _:
            await desk.assignments.assign(thread.id, "ai", by=ana)
    before = await holder(desk, thread)
    if late:
        await desk._background.engine.run_due()  # pyright: ignore[reportPrivateUsage]
    await pass_time(desk, clock, seconds=590)
    assert await word(desk) == []
    assert await missed(desk, thread) == []
    assert await holder(desk, thread) == before
    if how == "other":
        await pass_time(desk, clock, seconds=10)
        assert await missed(desk, thread) == [(ben.id, "remind", 0, 1)]


async def test_the_time_pauses_while_the_queue_is_closed(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await rules(desk, "remind", "queue")
    hours = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu")}
    await desk.queues.change("support", calendar={"zone": "UTC", "hours": hours, "closed": ["2026-01-06"]})
    clock.advance(timedelta(hours=2, minutes=55))
    thread = await held(desk, ana)  # Monday, five minutes before lunch
    await pass_time(desk, clock, timedelta(hours=1, minutes=9))
    assert await missed(desk, thread) == []
    await pass_time(desk, clock, MINUTE)
    assert await missed(desk, thread) == [(ana.id, "remind", 0, 1)]
    await desk.messages.post(thread.id, "Hello.", author=ana)
    clock.advance(timedelta(hours=3, minutes=51))
    await desk.messages.post(thread.id, "Thanks. And now?", author=ADA)  # five to five; nobody works on Tuesday
    await pass_time(desk, clock, timedelta(days=1, hours=16, minutes=8))
    assert len(await missed(desk, thread)) == 1
    await pass_time(desk, clock, timedelta(minutes=2))
    assert len(await missed(desk, thread)) == 2


async def test_a_thread_is_not_reassigned_to_those_who_have_let_it_lie(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    ben, full = await operator(desk, "Ben"), await operator(desk, "Full", capacity=0)
    away = await operator(desk, "Away", here=False)
    await rules(desk, "reassign", "reassign", "notify_lead")
    thread = await held(desk, ana)
    await pass_time(desk, clock, 10 * MINUTE)
    assert await holder(desk, thread) == ("operator", "Ben")
    await pass_time(desk, clock, 10 * MINUTE)
    assert await holder(desk, thread) == ("queue", "support"), f"neither {full.name} nor {away.name} may have it"
    assert [entry[:2] for entry in await missed(desk, thread)] == [(ana.id, "reassign"), (ben.id, "queue")]
    assert [(await desk.operators.get(one.id)).load for one in (ana, ben)] == [0, 0]


async def test_a_queue_that_gives_its_work_does_not_give_it_to_whoever_has_let_it_lie(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    await rules(desk, "queue")
    thread = await held(desk, ana)
    await desk.queues.change("support", chooser=Chooser.BALANCED)
    await pass_time(desk, clock, timedelta(hours=1))
    assert await holder(desk, thread) == ("queue", "support")
    await operator(desk, "Ben")
    await desk.run_due()
    assert await holder(desk, thread) == ("operator", "Ben")


@pytest.mark.parametrize("why", ["the AI may only draft", "nobody answers for the AI"])
async def test_where_no_ai_may_answer_the_thread_waits_in_its_queue(store_url: str, clock: FakeClock, why: str) -> None:
    agents = [ScriptedAgent()] if why == "the AI may only draft" else []
    async with Desk.open(store_url, clock=clock, agents=agents, settings=NOBODY_LEAVES, work=False) as desk:
        ana = await operator(desk, "Ana")
        await rules(desk, "ai", holding_message=HOLD)
        thread = await held(desk, ana)
        await desk.threads.change(thread.id, mode=Mode.REVIEW if agents else Mode.AUTO)
        await pass_time(desk, clock, 10 * MINUTE)
        assert await holder(desk, thread) == ("queue", "support")
        assert await missed(desk, thread) == [(ana.id, "queue", 0, 1)]
        assert HOLD not in [m.text for m in (await desk.messages.history(thread.id, by=ADA)).items]


async def test_whoever_misses_so_many_in_a_row_is_away_until_they_say_otherwise(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    await rules(desk, "remind", misses_until_away=2)
    first = await held(desk, ana)
    await pass_time(desk, clock, 10 * MINUTE)
    await desk.messages.post(first.id, "Hello, Ada.", author=ana)
    second = await held(desk, ana)
    await pass_time(desk, clock, 10 * MINUTE)
    assert await missed(desk, second) == [(ana.id, "remind", 0, 1)], "a public reply sets it back"
    assert (await desk.operators.get(ana.id)).presence == "available"
    third = await held(desk, ana)
    await pass_time(desk, clock, 10 * MINUTE)
    assert await missed(desk, third) == [(ana.id, "remind", 0, 2)]
    clock.advance(MINUTE)
    assert (await desk.operators.seen(ana.id)).presence == "away", "a browser that is open is not enough"
    events = [seen.event for seen in await desk.feed.read(by=SYSTEM, limit=200)]
    left = [e.data for e in events if e.type == "operator.changed" and e.data["presence"] == "away"]
    assert [(data["operator"], data["changed"]) for data in left] == [(ana.id, ["presence"])]
    await desk.operators.presence(ana.id, "available", by=ana.actor())
    fourth = await held(desk, ana)
    await pass_time(desk, clock, 10 * MINUTE)
    assert await missed(desk, fourth) == [(ana.id, "remind", 0, 1)], "counting has begun again"


async def test_p5_a_timer_goes_by_the_rules_it_began_with_also_after_a_restart(store_url: str, clock: FakeClock) -> None:
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as first:
        ana = await operator(first, "Ana")
        await rules(first, "remind", "queue")
        thread = await held(first, ana)
        await pass_time(first, clock, 10 * MINUTE)
        await rules(first, "notify_lead")
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as second:
        await pass_time(second, clock, 10 * MINUTE)
        assert [entry[1] for entry in await missed(second, thread)] == ["remind", "queue"]


async def test_p5_a_timer_that_nobody_came_for_is_reported_and_goes_off(
    desk: Desk, ana: Operator, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    await rules(desk, "remind")
    thread = await held(desk, ana)
    await desk._store.write(lambda tx: tx.run("jobs.cancel", kind="response", ref=thread.id))  # pyright: ignore[reportPrivateUsage]
    clock.advance(seconds=661)
    with caplog.at_level(logging.WARNING, "deskmate.responses"):
        await desk.run_due()
    assert "1 response timers were overdue by more than a minute" in caplog.text
    assert len(await missed(desk, thread)) == 1


@pytest.fixture
async def other(store_url: str, desk: Desk, clock: FakeClock) -> AsyncIterator[Desk]:
    """Another process, as far as the store can tell."""
    del desk  # It is there first.
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as other:
        yield other


async def test_two_processes_do_each_action_once(desk: Desk, other: Desk, ana: Operator, clock: FakeClock) -> None:
    await rules(desk, "remind", "remind", "queue")
    all_of_them = [await held(desk, ana, says=f"Hello {number}?") for number in range(5)]
    for _ in range(3):
        clock.advance(10 * MINUTE)
        await asyncio.gather(desk.run_due(), other.run_due(), desk.run_due(), other.run_due())
    for thread in all_of_them:
        assert [entry[1:3] for entry in await missed(desk, thread)] == [("remind", 0), ("remind", 1), ("queue", 2)]
    assert len(await word(desk)) == 10
    counts = [(await missed(desk, thread))[0][3] for thread in all_of_them]
    assert sorted(map(str, counts)) == list("12345")


async def test_nothing_happens_behind_a_reply_that_comes_with_the_timer(
    desk: Desk, other: Desk, ana: Operator, clock: FakeClock
) -> None:
    await desk.operators.change(ana.id, capacity=100)
    await rules(desk, "remind", "queue", misses_until_away=100)
    all_of_them = [await held(desk, ana, says=f"Hello {number}?") for number in range(20)]
    clock.advance(10 * MINUTE)
    replies = [desk.messages.post(thread.id, "Hello, Ada.", author=ana) for thread in all_of_them]
    await asyncio.gather(desk.run_due(), other.run_due(), *replies)
    await pass_time(desk, clock, timedelta(hours=1))
    for thread in all_of_them:
        seen = [one.event for one in await desk.feed.read(by=SYSTEM, thread=thread.id, limit=200)]
        [replied] = [e.seq for e in seen if e.type == "message.posted" and e.actor.id == ana.id]
        assert [e.type for e in seen if e.seq > replied and e.type not in ("usage.recorded", "feedback.recorded")] == []
        assert await running(desk, thread) is None


async def test_a_deleted_thread_takes_its_timer_with_it(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await rules(desk, "remind")
    thread = await held(desk, ana)
    await desk.threads.delete(thread.id)
    assert await running(desk, thread) is None
    await pass_time(desk, clock, timedelta(hours=1))
    assert await desk.next_due() is None


async def test_customers_are_told_nothing_of_it(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await rules(desk, "remind", misses_until_away=1)
    thread = await held(desk, ana)
    await pass_time(desk, clock, 10 * MINUTE)
    heard = [seen.event.type for seen in await desk.feed.read(by=ADA, thread=thread.id)]
    assert "thread.assigned" in heard
    assert not [type for type in heard if not type.startswith(("thread.", "message."))]


async def test_rules_that_make_no_sense_are_refused(desk: Desk) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"seconds": 0, "actions": ["remind"]}, "rules.seconds"),
        ({"seconds": 60, "actions": []}, "rules.actions"),
        ({"seconds": 60, "actions": ["shout"]}, "rules.actions.0"),
        ({"seconds": 60, "actions": ["remind"] * 11}, "rules.actions"),
        ({"seconds": 60, "actions": ["ai"], "holding_message": "  "}, "rules.holding_message"),
        ({"seconds": 60, "actions": ["ai"], "misses_until_away": 0}, "rules.misses_until_away"),
        ({"seconds": 60, "actions": ["ai"], "seconds_more": 1}, "rules.seconds_more"),
        ({"seconds": 10**9, "actions": ["ai"]}, "rules.seconds"),
    ]
    for given, field in wrong:
        with pytest.raises(Invalid) as refused:
            await desk.policies.put("response", "wrong", given)
        assert refused.value.field == field
