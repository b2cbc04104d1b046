"""Snoozing: a thread rests until a time, or until its customer writes, and comes back to whoever held it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from deskmate import Desk, Visibility, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.operators import Operator
from deskmate.domain.queues import Chooser
from deskmate.domain.threads import Status, Thread
from deskmate.errors import Conflict, Invalid
from deskmate.testing import FakeClock, ScriptedAgent, pass_time

ADA = customer("ada", "Ada")
HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as desk:
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


async def snoozed(desk: Desk, ana: Operator, until: datetime | None = None) -> str:
    """A thread that Ana holds and has snoozed."""
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    await desk.threads.change(thread, status=Status.SNOOZED, snoozed_until=until, by=ana)
    return thread


async def told(desk: Desk, thread: str) -> list[tuple[object, ...]]:
    """Who changed what, as the feed tells it."""
    events = [seen.event for seen in await desk.feed.read(by=SYSTEM, thread=thread)]
    return [(e.actor.name, e.data["status"], e.data["changed"]) for e in events if e.type == "thread.changed"]


async def test_a_snoozed_thread_opens_at_its_time_for_the_operator_who_holds_it(desk: Desk, ana: Operator, clock: FakeClock):
    until = clock() + HOUR
    thread = await snoozed(desk, ana, until)
    await desk.operators.presence(ana.id, "away")
    await pass_time(desk, clock, HOUR - timedelta(seconds=1))
    resting = await desk.threads.get(thread)
    assert (resting.status, resting.snoozed_until) == (Status.SNOOZED, until)
    await pass_time(desk, clock, seconds=1)
    woken = await desk.threads.get(thread)
    assert (woken.status, woken.snoozed_until) == (Status.OPEN, None)
    assert (woken.assignment.id, woken.epoch) == (ana.id, resting.epoch)
    assert await told(desk, thread) == [
        ("Ana", "snoozed", ["status", "snoozed_until"]),
        ("Deskmate", "open", ["status", "snoozed_until"]),
    ]
    await desk.run_due()  # the followers have seen what happened
    assert await desk.next_due() is None


async def test_without_a_time_it_rests_until_the_customer_writes(desk: Desk, ana: Operator, clock: FakeClock):
    thread = await snoozed(desk, ana)
    await pass_time(desk, clock, timedelta(days=400))
    await desk.operators.presence(ana.id, "available")
    assert (await desk.threads.get(thread)).status is Status.SNOOZED
    await desk.messages.post(thread, "Hello again", author=ADA)
    woken = await desk.threads.get(thread)
    assert (woken.status, woken.assignment.id) == (Status.OPEN, ana.id)


async def test_a_note_lets_it_rest(desk: Desk, ana: Operator, clock: FakeClock):
    thread = await snoozed(desk, ana, clock() + HOUR)
    await desk.messages.post(thread, "Ask the warehouse", author=ana, visibility=Visibility.NOTE)
    await desk.threads.change(thread, subject="Tent", add_tags=["tents"], by=ana)
    assert (await desk.threads.get(thread)).snoozed_until == clock() + HOUR


@pytest.mark.parametrize("how", ["the customer writes", "it is opened", "it is resolved", "it is snoozed without a time"])
async def test_the_timer_is_gone_when(desk: Desk, ana: Operator, clock: FakeClock, how: str):
    thread = await snoozed(desk, ana, clock() + HOUR)
    match how:
        case "the customer writes":
            await desk.messages.post(thread, "Hello again", author=ADA)
        case "it is opened":
            await desk.threads.change(thread, status=Status.OPEN, by=ana)
        case "it is resolved":
            await desk.threads.change(thread, status=Status.RESOLVED, by=ana)
        case _:
            await desk.threads.change(thread, status=Status.SNOOZED, by=ana)
    await desk.run_due()  # the followers have seen what happened
    assert await desk.next_due() is None
    before = await told(desk, thread)
    await pass_time(desk, clock, 2 * HOUR)
    assert await told(desk, thread) == before


async def test_a_timer_that_is_moved_goes_off_at_the_new_time_only(desk: Desk, ana: Operator, clock: FakeClock):
    thread = await snoozed(desk, ana, clock() + HOUR)
    await desk.threads.change(thread, snoozed_until=clock() + 3 * HOUR, by=ana)
    await pass_time(desk, clock, 2 * HOUR)
    assert (await desk.threads.get(thread)).status is Status.SNOOZED
    await pass_time(desk, clock, HOUR)
    assert (await desk.threads.get(thread)).status is Status.OPEN


async def test_a_time_that_cannot_be_kept_is_refused_and_changes_nothing(desk: Desk, ana: Operator, clock: FakeClock):
    thread = (await desk.threads.open(customer="ada")).id
    wrong = [
        (Status.SNOOZED, clock()),
        (Status.SNOOZED, clock() - HOUR),
        (Status.SNOOZED, (clock() + HOUR).replace(tzinfo=None)),
        (None, clock() + HOUR),
        (Status.RESOLVED, clock() + HOUR),
    ]
    for status, until in wrong:
        with pytest.raises(Invalid) as refused:
            await desk.threads.change(thread, status=status, snoozed_until=until, subject="never", by=ana)
        assert refused.value.field == "snoozed_until"
    await desk.threads.change(thread, status=Status.RESOLVED, by=ana)
    with pytest.raises(Conflict):
        await desk.threads.change(thread, status=Status.SNOOZED, snoozed_until=clock() + HOUR, by=ana)
    assert (await desk.threads.get(thread)).subject is None
    await desk.run_due()  # the followers have seen what happened
    assert await desk.next_due() is None


@pytest.mark.parametrize("why", ["has left", "has no room any more"])
async def test_p10_a_thread_whose_operator_cannot_have_it_waits_in_its_queue(
    desk: Desk, ana: Operator, clock: FakeClock, why: str
):
    thread = await snoozed(desk, ana, clock() + HOUR)
    if why == "has left":
        await desk.operators.disable(ana.id)
    else:
        await desk.operators.change(ana.id, capacity=1)
        other = (await desk.threads.open(customer="bob")).id
        await desk.assignments.assign(other, f"operator:{ana.id}", by=ana)
    await pass_time(desk, clock, HOUR)
    woken = await desk.threads.get(thread)
    assert (woken.status, woken.assignment.to, woken.waiting_since) == (Status.OPEN, "queue", clock())
    assert (await desk.operators.get(ana.id)).load <= 1


@pytest.mark.parametrize("wakes", ["its time has come", "the customer writes"])
async def test_p5_a_thread_that_wakes_in_a_queue_is_given_to_whoever_has_room(
    desk: Desk, ana: Operator, clock: FakeClock, wakes: str
):
    await desk.queues.change("support", chooser=Chooser.BALANCED)
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "Hello", author=ADA, respond=False)
    await desk.assignments.assign(thread, "queue:support", by=ana)
    soon = timedelta(seconds=30)
    await desk.threads.change(thread, status=Status.SNOOZED, snoozed_until=clock() + soon, by=ana)
    await desk.operators.presence(ana.id, "available")
    await desk.run_due()
    assert (await desk.threads.get(thread)).assignment.to == "queue"
    if wakes == "the customer writes":
        await desk.messages.post(thread, "Hello again", author=ADA)
    await pass_time(desk, clock, soon if wakes == "its time has come" else timedelta(0))
    assert (await desk.threads.get(thread)).assignment.id == ana.id


async def test_p5_a_snooze_survives_a_restart_and_a_lost_timer_is_reported(
    store_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture
):
    async with Desk.open(store_url, clock=clock, work=False) as first:
        ana = await first.operators.add(name="Ana", email="ana@shop.example")
        kept, lost = await snoozed(first, ana, clock() + HOUR), await snoozed(first, ana, clock() + HOUR)
        await first._store.write(lambda tx: tx.run("jobs.cancel", kind="snooze", ref=lost))  # pyright: ignore[reportPrivateUsage]
    clock.advance(HOUR)
    async with Desk.open(store_url, clock=clock, work=False) as second:
        await second.run_due()
        assert [(await second.threads.get(one)).status for one in (kept, lost)] == [Status.OPEN, Status.SNOOZED]
        clock.advance(seconds=61)
        with caplog.at_level(logging.WARNING, "deskmate.snoozing"):
            await second.run_due()
        assert "1 snoozed threads were overdue by more than a minute" in caplog.text
        assert (await second.threads.get(lost)).status is Status.OPEN


async def test_a_deleted_thread_takes_its_timer_with_it(desk: Desk, ana: Operator, clock: FakeClock):
    thread = await snoozed(desk, ana, clock() + HOUR)
    await desk.threads.delete(thread)
    await desk.run_due()  # the followers have seen what happened
    assert await desk.next_due() is None


# Tags


async def test_two_people_who_tag_at_once_do_not_overwrite_each_other(desk: Desk, ana: Operator):
    thread = (await desk.threads.open(customer="ada", tags=["old"])).id
    await asyncio.gather(
        desk.threads.change(thread, add_tags=["tents"], by=ana),
        desk.threads.change(thread, add_tags=[" vip ", "tents"], remove_tags=["old", "never there"], by=ana),
    )
    changed: Thread = await desk.threads.get(thread)
    assert sorted(changed.tags) == ["tents", "vip"]


async def test_tags_that_nobody_could_read_are_refused(desk: Desk, ana: Operator):
    thread = (await desk.threads.open(customer="ada", tags=[str(number) for number in range(20)])).id
    wrong: list[tuple[str, dict[str, list[str]]]] = [
        ("tags", {"tags": [""]}),
        ("tags", {"tags": ["x" * 41]}),
        ("tags", {"tags": ["two\nlines"]}),
        ("tags", {"tags": [str(number) for number in range(21)]}),
        ("add_tags", {"add_tags": ["one more"]}),
        ("remove_tags", {"add_tags": ["a"], "remove_tags": ["a"]}),
    ]
    for field, tags in wrong:
        with pytest.raises(Invalid) as refused:
            await desk.threads.change(thread, by=ana, **tags)  # pyright: ignore[reportArgumentType]
        assert refused.value.field == field
    with pytest.raises(Invalid):
        await desk.threads.open(customer="ada", tags=["x" * 41])
    assert len((await desk.threads.get(thread)).tags) == 20
    swapped = await desk.threads.change(thread, add_tags=["twenty"], remove_tags=["0"], by=ana)
    assert swapped.tags[-1] == "twenty"
