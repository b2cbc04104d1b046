"""SLA clocks on both engines: what is measured, who is warned, and that each breach is told once."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.store.clocked import ADA, GOLD, HOUR, MINUTE, WEEK, all_of, opened, row, told, with_people
from tests.store.test_inbox import differences

from deskmate import Desk, Operator, Role
from deskmate.domain.actors import SYSTEM, agent
from deskmate.domain.clocks import Phase
from deskmate.domain.messages import MessageStatus, NewMessage, Text, Visibility
from deskmate.domain.sla import Target
from deskmate.domain.threads import Priority, Status
from deskmate.services.inbox import Sort
from deskmate.testing import FakeClock, ScriptedAgent, pass_time


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture(autouse=True)
async def gold(desk: Desk, lea: Operator) -> None:
    """The policy of the queue `support`, which has no calendar: it is always open."""
    await desk.policies.put("sla", "gold", GOLD, by=lea)
    await desk.queues.change("support", sla="gold", by=lea)


async def test_a_hand_off_late_in_a_conversation_starts_the_time_to_a_human_then(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    thread = await opened(desk)
    await pass_time(desk, clock, HOUR)
    assert (await desk.sla.clock(thread)).ended[Target.FIRST_RESPONSE].met
    await desk.escalations.escalate(thread, by=ADA)
    handed = clock()
    await pass_time(desk, clock, seconds=299)
    shown = await desk.threads.get(thread)
    assert (shown.due_target, shown.due_at, shown.due_breached) == ("time_to_human", handed + timedelta(seconds=300), False)
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    await desk.run_due()
    assert Target.TIME_TO_HUMAN in (await desk.sla.clock(thread)).running, "to take a thread is not to speak"
    await desk.messages.post(thread, "Here I am.", author=ana)
    await desk.run_due()
    outcome = (await desk.sla.clock(thread)).ended[Target.TIME_TO_HUMAN]
    assert (outcome.started, outcome.spent, outcome.met) == (handed, timedelta(seconds=299), True)
    assert (await desk.threads.get(thread)).due_target == "resolution"


async def test_each_share_of_the_time_is_told_once_to_whom_it_concerns(
    desk: Desk, clock: FakeClock, ana: Operator, lea: Operator
) -> None:
    thread = await with_people(desk, ana)
    begun = clock()
    await pass_time(desk, clock, seconds=30)
    assert await told(desk, thread) == all_of("first_response")[:1]
    await pass_time(desk, clock, HOUR)
    assert [one for one in await told(desk, thread) if one[1] == "first_response"] == all_of("first_response")
    shown = await desk.threads.get(thread)
    assert (shown.due_target, shown.due_at, shown.due_breached) == ("first_response", begun + MINUTE, True)
    said = [
        (seen.event.data["kind"], seen.event.data["operator"])
        for seen in await desk.feed.read(by=SYSTEM, thread=thread)
        if seen.event.type == "notification.sent"
    ]
    warned, breached = "clock.warned", "clock.breached"
    assert said[:4] == [(warned, ana.id), (warned, ana.id), (breached, ana.id), (breached, lea.id)]


async def test_breaches_are_told_once_by_two_processes_and_across_a_restart(
    desk: Desk, other: Desk, store_url: str, clock: FakeClock, ana: Operator, bot: ScriptedAgent
) -> None:
    threads = [await with_people(desk, ana) for _ in range(3)]
    for _ in range(6):
        clock.advance(seconds=13)
        await asyncio.gather(desk.run_due(), other.run_due())
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as third:
        for _ in range(6):
            clock.advance(seconds=13)
            await asyncio.gather(third.run_due(), other.run_due(), desk.run_due())
    for thread in threads:
        assert await told(desk, thread) == all_of("first_response")


async def test_an_answer_that_nobody_has_taken_note_of_yet_was_in_time_all_the_same(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    thread = await with_people(desk, ana)
    clock.advance(seconds=25)
    await desk.messages.post(thread, "At once.", author=ana)
    clock.advance(seconds=300)
    await desk._background.engine.run_due()  # pyright: ignore[reportPrivateUsage]
    await desk.run_due()
    assert await told(desk, thread) == []
    assert (await desk.sla.clock(thread)).ended[Target.FIRST_RESPONSE].met


async def test_an_answer_that_came_too_late_is_missed_though_no_timer_went_off_before(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    thread = await with_people(desk, ana)
    clock.advance(seconds=60)
    await desk.messages.post(thread, "Too late.", author=ana)
    await desk.run_due()
    outcome = (await desk.sla.clock(thread)).ended[Target.FIRST_RESPONSE]
    assert (outcome.met, outcome.spent) == (False, MINUTE)
    assert await told(desk, thread) == all_of("first_response")
    kept = {one.target: one for one in (await desk.sla.report(clock() - HOUR, clock() + HOUR)).targets}
    assert (kept[Target.FIRST_RESPONSE].met, kept[Target.FIRST_RESPONSE].missed) == (0, 1)


async def test_what_would_be_over_in_the_night_is_over_in_the_morning(
    desk: Desk, clock: FakeClock, ana: Operator, lea: Operator
) -> None:
    await desk.queues.change("support", calendar=WEEK | {"holidays": "FR"}, by=lea)
    clock.set(datetime(2026, 4, 30, 14, 58, tzinfo=UTC))  # Two minutes before they close; then a holiday, then a week-end.
    thread = await with_people(desk, ana)
    await desk.messages.post(thread, "One moment.", author=ana)
    await desk.messages.post(thread, "Yes?", author=ADA)
    await desk.run_due()
    due = datetime(2026, 5, 4, 7, 8, tzinfo=UTC)
    assert (await desk.threads.get(thread)).due_at == due
    await pass_time(desk, clock, due - clock() - timedelta(seconds=1))
    assert ("clock.breached", "next_response", None) not in await told(desk, thread)
    await pass_time(desk, clock, seconds=1)
    assert await told(desk, thread) == all_of("next_response")


async def test_what_runs_goes_on_as_it_began_and_what_starts_then_goes_by_the_new_rules(
    desk: Desk, clock: FakeClock, ana: Operator, lea: Operator
) -> None:
    thread = await with_people(desk, ana)
    due = (await desk.threads.get(thread)).due_at
    await desk.policies.put("sla", "gold", {"targets": {"next_response": {"seconds": 7}}, "always": True}, by=lea)
    await desk.queues.change("support", calendar={"zone": "UTC", "hours": {"sun": [["00:00", "00:01"]]}}, by=lea)
    await desk.threads.change(thread, priority=Priority.URGENT, by=ana)
    await desk.run_due()
    assert (await desk.threads.get(thread)).due_at == due
    await desk.messages.post(thread, "Hello.", author=ana)
    await desk.messages.post(thread, "And?", author=ADA)
    await desk.run_due()
    assert (await desk.threads.get(thread)).due_at == clock() + timedelta(seconds=7)


async def test_priorities_and_queues_have_their_own_targets_and_support_is_for_those_that_have_none(
    desk: Desk, clock: FakeClock, lea: Operator
) -> None:
    urgent = {"targets": {"first_response": {"seconds": 90}}, "priorities": {"urgent": {"first_response": {"seconds": 10}}}}
    await desk.policies.put("sla", "silver", urgent, by=lea)
    await desk.queues.add("billing", sla="silver", by=lea)
    await desk.queues.add("returns", by=lea)
    seconds: list[float] = []
    for queue, priority in (("billing", Priority.NORMAL), ("billing", Priority.URGENT), ("returns", Priority.URGENT)):
        thread = await opened(desk, words=None, queue=queue, priority=priority, by=SYSTEM)
        await desk.messages.post(thread, "Hello?", author=ADA, respond=False)
        await desk._background.following.catch_up()  # pyright: ignore[reportPrivateUsage]
        due = (await desk.threads.get(thread)).due_at
        assert due is not None
        seconds.append((due - clock()).total_seconds())
    assert seconds == [90, 10, 60]


async def test_the_resolution_waits_while_the_customer_owes_a_word_and_begins_anew_when_reopened(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    thread = await with_people(desk, ana)
    await pass_time(desk, clock, 30 * MINUTE)
    await desk.messages.post(thread, "Which one?", author=ana)
    await desk.run_due()
    shown = await desk.threads.get(thread)
    assert (shown.due_target, shown.due_at) == ("resolution", None)
    await pass_time(desk, clock, 10 * HOUR)
    await desk.messages.post(thread, "The blue one.", author=ADA)
    await desk.run_due()
    begun = clock()
    clock_ = await desk.sla.clock(thread)
    assert clock_.running[Target.RESOLUTION].due_at == begun + timedelta(hours=1, minutes=30)
    await desk.threads.change(thread, status=Status.SNOOZED, snoozed_until=clock() + HOUR, by=ana)
    await pass_time(desk, clock, HOUR)
    await pass_time(desk, clock, 5 * MINUTE)
    await desk.threads.change(thread, status=Status.RESOLVED, by=ana)
    await desk.run_due()
    resolved = await desk.sla.clock(thread)
    assert (resolved.ended[Target.RESOLUTION].spent, resolved.ended[Target.RESOLUTION].met) == (35 * MINUTE, True)
    assert not resolved.running
    assert (await desk.threads.get(thread)).due_target is None
    assert [(one.phase, one.end - one.begin) for one in resolved.intervals] == [
        (Phase.HUMAN, 30 * MINUTE), (Phase.CUSTOMER, 10 * HOUR), (Phase.PAUSED, HOUR), (Phase.HUMAN, 5 * MINUTE),
    ]  # fmt: skip
    await pass_time(desk, clock, 3 * HOUR)
    assert (await desk.sla.clock(thread)).phases[Phase.CLOSED] == timedelta(), "what is over is over"
    await desk.messages.post(thread, "Still broken.", author=ADA)
    await desk.run_due()
    again = await desk.sla.clock(thread)
    assert again.phases[Phase.CLOSED] == 3 * HOUR
    assert again.running[Target.RESOLUTION].started == clock()
    assert again.running[Target.RESOLUTION].spent == timedelta()
    assert await desk.next_due() is not None


async def test_only_whole_public_words_of_the_team_are_an_answer(desk: Desk, clock: FakeClock, ana: Operator) -> None:
    thread = await with_people(desk, ana)
    await desk.messages.post(thread, "Who knows?", author=ana, visibility=Visibility.NOTE)
    bot = agent("bot").author
    [pending] = await desk.messages.save(
        thread, [NewMessage(role="assistant", author=bot, status=MessageStatus.PENDING, parts=(Text(text="Wel"),))]
    )
    await desk.messages.save(
        thread,
        [
            NewMessage(role="assistant", author=bot, visibility=Visibility.DRAFT, parts=(Text(text="A draft"),)),
            NewMessage(role="assistant", author=bot, status=MessageStatus.FAILED, error="x", parts=(Text(text="Failed"),)),
            NewMessage(role="system", author=SYSTEM.author, parts=(Text(text="A line"),)),
        ],
    )
    await desk.run_due()
    assert Target.FIRST_RESPONSE in (await desk.sla.clock(thread)).running
    clock.advance(seconds=20)
    await desk.messages.change(pending.id, parts=(Text(text="Well."),), status=MessageStatus.SUCCESS)
    await desk.run_due()
    outcome = (await desk.sla.clock(thread)).ended[Target.FIRST_RESPONSE]
    assert (outcome.spent, outcome.met) == (timedelta(seconds=20), True)


async def test_the_answer_of_an_agent_is_one_and_gives_the_word_back_to_the_customer(desk: Desk, clock: FakeClock) -> None:
    thread = await opened(desk)
    clock.advance(seconds=4)
    await desk.run_due()
    clock.advance(seconds=6)
    shown = await desk.sla.clock(thread)
    assert shown.ended[Target.FIRST_RESPONSE].spent == timedelta(seconds=4)
    assert shown.phases[Phase.AI] == timedelta(seconds=4)
    assert shown.phases[Phase.CUSTOMER] == timedelta(seconds=6)


async def test_a_timer_that_was_lost_is_found_and_reported(
    desk: Desk, clock: FakeClock, ana: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    thread = await with_people(desk, ana)

    async def lose(tx: Any) -> None:
        await tx.run("jobs.cancel", kind="clock", ref=thread)

    await desk._store.write(lose)  # pyright: ignore[reportPrivateUsage]
    clock.advance(seconds=95)
    with caplog.at_level(logging.WARNING, "deskmate.clocks"):
        await desk._clocks.audit()  # pyright: ignore[reportPrivateUsage]
    assert "1 clocks were overdue" in caplog.text
    await desk.run_due()
    assert await told(desk, thread) == all_of("first_response")
    caplog.clear()
    await desk._clocks.audit()  # pyright: ignore[reportPrivateUsage]
    assert caplog.text == ""


async def test_clocks_that_are_missing_are_told_from_the_beginning(desk: Desk, clock: FakeClock, ana: Operator) -> None:
    thread = await with_people(desk, ana)
    await pass_time(desk, clock, seconds=10)
    before = await desk.sla.clock(thread)
    kept = await row(desk, thread)

    async def forget(tx: Any) -> None:
        await tx.run("threads.delete_clocks", id=thread)

    await desk._store.write(forget)  # pyright: ignore[reportPrivateUsage]
    assert await desk.sla.clock(thread) == before
    await desk.messages.post(thread, "A note", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    assert (await row(desk, thread))["seq"] > kept["seq"]
    assert await desk.sla.clock(thread) == before


async def test_the_inbox_sorts_by_what_is_due_first_be_it_a_target_or_a_request(
    desk: Desk, store_url: str, ana: Operator
) -> None:
    first, asked, never = [await opened(desk, words=None, subject=name) for name in ("first", "asked", "never")]
    await desk.assignments.assign(first, f"operator:{ana.id}", by=ana)
    await desk.messages.post(first, "Hello?", author=ADA)
    await desk.requests.ask("Is it?", thread=asked, expires_in=timedelta(seconds=90))

    async def listed() -> list[str]:
        await desk.run_due()
        assert differences(store_url) == [], "the lists are as they would be made anew"
        return [thread.id for thread in (await desk.inbox.page(by=ana.actor(), sort=Sort.DUE)).items]

    assert await listed() == [first, asked, never]
    nearer = await desk.requests.ask("And is it?", thread=asked, expires_in=timedelta(seconds=30))
    assert await listed() == [asked, first, never]
    await desk.requests.cancel(nearer.id, by=ana)
    assert await listed() == [first, asked, never]
    await desk.messages.post(first, "Hello.", author=ana)
    assert (await listed())[0] == asked, "what stands still is not due"


async def test_a_deleted_thread_leaves_no_clock_behind(desk: Desk, clock: FakeClock, ana: Operator) -> None:
    thread = await with_people(desk, ana)
    await desk.messages.post(thread, "Hello.", author=ana)
    await desk.run_due()
    await desk.messages.post(thread, "And?", author=ADA)
    await desk.threads.delete(thread)
    await pass_time(desk, clock, timedelta(minutes=2))  # what Ana did has been counted
    assert await row(desk, thread) is None
    assert await desk.next_due() is None
    assert all(
        one.met == one.missed == one.running == 0 for one in (await desk.sla.report(clock() - HOUR, clock() + HOUR)).targets
    )
