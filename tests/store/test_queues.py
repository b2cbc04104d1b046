"""Queues on both engines: who is given what waits, by whom it is taken, and what those who wait are told."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from deskmate import Desk, Operator, Request, Role, Thread, customer
from deskmate.domain.calendars import DAYS
from deskmate.domain.queues import Chooser
from deskmate.domain.threads import Priority, Status
from deskmate.errors import AtCapacity, Conflict, Forbidden, Invalid, NotFound
from deskmate.services import offers
from deskmate.store.jobs import Job
from deskmate.testing import FakeClock, pass_time


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


async def operator(desk: Desk, name: str, *, here: bool = True, **facts: object) -> Operator:
    made = await desk.operators.add(name=name, email=f"{name}@shop.example", **facts)  # pyright: ignore[reportArgumentType]
    return await desk.operators.presence(made.id, "available", by=made.actor()) if here else made


async def queued(desk: Desk, *, queue: str = "support", language: str | None = None, **facts: object) -> Thread:
    """A thread of a customer who waits for a person."""
    thread = await desk.threads.open(customer="ada", language=language, **facts)  # pyright: ignore[reportArgumentType]
    await desk.messages.post(thread.id, "A person, please.", author=customer("ada"), respond=False)
    return await desk.assignments.assign(thread.id, f"queue:{queue}", by=(await lead(desk)).actor())


async def lead(desk: Desk) -> Operator:
    found = [one for one in (await desk.operators.list()).items if one.name == "Lea"]
    return found[0] if found else await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


async def holder(desk: Desk, thread: Thread) -> str | None:
    return (await desk.threads.get(thread.id)).assignment.name


async def loads(desk: Desk) -> dict[str, float]:
    return {one.name: one.load for one in (await desk.operators.list()).items if one.name != "Lea"}


async def claimed_by(desk: Desk, request: Request, by: Operator) -> str | None:
    found = (await desk.requests.get(request.id, by=by)).claimed_by
    return found.name if found else None


async def test_next_gives_the_most_urgent_first_then_what_waits_longest_threads_and_requests_alike(
    desk: Desk, clock: FakeClock
) -> None:
    ana = await operator(desk, "Ana")
    first = await queued(desk)
    clock.advance(timedelta(seconds=1))
    question = await desk.requests.ask("Open on Monday?")
    clock.advance(timedelta(seconds=1))
    urgent = await queued(desk, priority=Priority.URGENT)
    taken = [await desk.queues.next(by=ana) for _ in range(4)]
    assert [(one.request.id if one.request else one.thread.id) if one else None for one in taken] == [
        urgent.id, first.id, question.id, None,
    ]  # fmt: skip
    assert await holder(desk, urgent) == "Ana"
    assert await claimed_by(desk, question, ana) == "Ana"
    assert await loads(desk) == {"Ana": 2.3}


async def test_p10_nobody_takes_more_than_they_may_hold_and_there_is_room_again_when_they_are_done(desk: Desk) -> None:
    ana = await operator(desk, "Ana", capacity=1.2)
    thread, question = await queued(desk), await desk.requests.ask("Open on Monday?")
    assert (await desk.queues.next(by=ana)) is not None
    assert await desk.queues.next(by=ana) is None
    assert await desk.requests.next(by=ana) is None
    with pytest.raises(AtCapacity) as refused:
        await desk.requests.claim(question.id, by=ana)
    assert refused.value.facts == {"load": 1.0, "capacity": 1.2}
    await desk.threads.change(thread.id, status=Status.RESOLVED, by=ana)
    assert await loads(desk) == {"Ana": 0}
    assert (await desk.requests.claim(question.id, by=ana)).claimed_by is not None
    assert await loads(desk) == {"Ana": 0.3}
    await desk.requests.answer(question.id, "Yes.", by=ana)
    assert await loads(desk) == {"Ana": 0}


async def test_p10_whoever_is_full_may_still_stop_the_ai_and_decide_but_is_given_no_more(desk: Desk) -> None:
    ana, ben = await operator(desk, "Ana", capacity=0), await operator(desk, "Ben")
    question = await desk.requests.ask("Open on Monday?")
    await desk.requests.answer(question.id, "Yes.", by=ana)
    thread = await desk.threads.open(customer="ada")
    await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
    assert await holder(desk, thread) == "Ana"
    waiting = await queued(desk)
    for by in (ana, ben):
        with pytest.raises(AtCapacity):
            await desk.assignments.assign(waiting.id, f"operator:{ana.id}", by=by)
    await desk.assignments.assign(waiting.id, f"operator:{ana.id}", by=await lead(desk))
    assert await loads(desk) == {"Ana": 2, "Ben": 0}


async def test_an_operator_is_given_what_their_queues_skills_and_languages_allow(desk: Desk, clock: FakeClock) -> None:
    await desk.queues.add("billing", skills=["refunds"])
    ana = await operator(desk, "Ana", queues=["billing"], skills=["refunds"], languages=["fr"])
    ben = await operator(desk, "Ben", languages=["en"])
    refund, french = await queued(desk, queue="billing"), await queued(desk, language="fr")
    assert await desk.queues.next(by=ben) is None
    found = await desk.queues.next(by=ana)
    assert found is not None
    assert found.thread.id == refund.id
    assert await desk.queues.next(by=ana) is None
    skilled = await desk.requests.ask("Which customs form?", skills=["customs"])
    assert await desk.requests.next(by=ben) is None
    await desk.operators.change(ben.id, skills=["customs"])
    taken = await desk.requests.next(by=ben)
    assert taken is not None
    assert taken.id == skilled.id
    clock.advance(timedelta(minutes=2))
    late = await desk.queues.next(by=ben)
    assert late is not None
    assert late.thread.id == french.id


async def test_a_balanced_queue_gives_to_whoever_holds_the_least_and_keeps_why_and_why_not(desk: Desk, clock: FakeClock) -> None:
    await desk.queues.change("support", chooser=Chooser.BALANCED)
    await operator(desk, "Ana", capacity=2)
    ben = await operator(desk, "Ben", capacity=4)
    await operator(desk, "Cal", here=False)
    await operator(desk, "Dia", queues=["billing"])
    names: list[str | None] = []
    for _ in range(7):
        thread = await queued(desk)
        clock.advance(timedelta(seconds=1))
        await desk.run_due()
        names.append(await holder(desk, thread))
    assert names.count("Ana") == 2
    assert names.count("Ben") == 4
    assert names[6] == "support"
    assert await loads(desk) == {"Ana": 2, "Ben": 4, "Cal": 0, "Dia": 0}
    threads = (await desk.threads.page(order="oldest")).items
    (choice,) = await desk.queues.choices(threads[0].id, by=ben)
    assert (choice.operator_name, choice.reason) == ("Ana", "holds the least, 0 of 2, of 2")
    whys = {one.name: one.why for one in choice.candidates}
    assert whys["Ben"] == "fits, others come first"
    assert whys["Cal"] == "is offline"
    assert whys["Dia"] == "does not work support"


async def test_a_round_robin_queue_gives_to_one_after_the_other(desk: Desk, clock: FakeClock) -> None:
    await desk.queues.change("support", chooser=Chooser.ROUND_ROBIN)
    for name in ("Ana", "Ben", "Cal"):
        await operator(desk, name)
    names: list[str | None] = []
    for _ in range(6):
        thread = await queued(desk)
        clock.advance(timedelta(seconds=1))
        await desk.run_due()
        names.append(await holder(desk, thread))
    assert names[:3] == names[3:]
    assert set(names) == {"Ana", "Ben", "Cal"}


async def test_the_backlog_is_given_out_when_somebody_comes_and_when_a_queue_begins_to_push(desk: Desk) -> None:
    await desk.queues.change("support", chooser=Chooser.BALANCED)
    waiting = [await queued(desk) for _ in range(3)]
    question = await desk.requests.ask("Open on Monday?")
    await desk.run_due()
    assert [await holder(desk, one) for one in waiting] == ["support"] * 3
    ana = await operator(desk, "Ana", capacity=2.3)
    await desk.run_due()
    assert [await holder(desk, one) for one in waiting] == ["Ana", "Ana", "support"]
    assert await claimed_by(desk, question, ana) == "Ana"
    await desk.threads.change(waiting[0].id, status=Status.RESOLVED, by=ana)
    await desk.run_due()
    assert await holder(desk, waiting[2]) == "Ana"
    late = await queued(desk, queue="late")
    ben = await operator(desk, "Ben")
    await desk.run_due()
    assert await holder(desk, late) == "late"
    await desk.queues.change("late", chooser="round_robin", by=await lead(desk))
    await desk.run_due()
    assert await holder(desk, late) == ben.name


async def test_p5_an_ignored_assignment_goes_to_somebody_who_has_not_missed_it_yet_and_then_waits_for_all(
    desk: Desk, store_url: str, clock: FakeClock
) -> None:
    await desk.queues.change("support", chooser=Chooser.BALANCED, lease=timedelta(minutes=3))
    ana, ben = await operator(desk, "Ana"), await operator(desk, "Ben")
    thread, question = await queued(desk), await desk.requests.ask("Open on Monday?")
    await desk.run_due()
    first, asked = await holder(desk, thread), await claimed_by(desk, question, ana)
    for one in (ana, ben):
        await desk.operators.seen(one.id)
    await desk.close()
    desk = Desk(store_url, clock=clock)  # Another process: timers and leases are rows.
    await pass_time(desk, clock, timedelta(minutes=3, seconds=1))
    second, asked_next = await holder(desk, thread), await claimed_by(desk, question, ana)
    assert {first, second} == {"Ana", "Ben"}
    assert {asked, asked_next} == {"Ana", "Ben"}
    await pass_time(desk, clock, timedelta(minutes=3, seconds=1))
    assert await holder(desk, thread) == "support"
    assert await claimed_by(desk, question, ana) is None
    assert await loads(desk) == {"Ana": 0, "Ben": 0}
    choices = await desk.queues.choices(thread.id, by=ana)
    assert all(choice.missed_at for choice in choices)
    cal = await operator(desk, "Cal")
    await desk.run_due()
    assert await holder(desk, thread) == cal.name
    await desk.close()


async def test_a_sign_of_life_keeps_what_was_assigned_and_an_answer_ends_the_lease(desk: Desk, clock: FakeClock) -> None:
    await desk.queues.change("support", chooser=Chooser.BALANCED, lease=timedelta(minutes=3))
    ana = await operator(desk, "Ana")
    thread = await queued(desk)
    await desk.run_due()
    clock.advance(timedelta(minutes=2))
    await desk.messages.post(thread.id, "I look at it.", author=ana.actor(), visibility="note")
    await pass_time(desk, clock, timedelta(minutes=2))
    assert await holder(desk, thread) == "Ana"
    await desk.messages.post(thread.id, "Hello, I am Ana.", author=ana.actor())
    await desk.messages.post(thread.id, "Hello!", author=customer("ada"))
    await pass_time(desk, clock, timedelta(hours=1))
    assert await holder(desk, thread) == "Ana"


async def test_a_reopened_thread_goes_back_to_who_is_there_and_has_room_and_else_to_the_queue(
    desk: Desk, store_url: str, clock: FakeClock
) -> None:
    ana = await operator(desk, "Ana", capacity=1)
    thread = await desk.threads.open(customer="ada")

    async def reopened() -> str | None:
        await desk.threads.change(thread.id, status=Status.RESOLVED, by=ana)
        await desk.messages.post(thread.id, "One more thing.", author=customer("ada"))
        return await holder(desk, thread)

    await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
    assert await reopened() == "Ana"
    await desk.operators.presence(ana.id, "away", by=ana.actor())
    await desk.close()
    desk = Desk(store_url, clock=clock)
    assert await reopened() == "support"
    await desk.operators.presence(ana.id, "available", by=ana.actor())
    await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
    await desk.threads.change(thread.id, status=Status.RESOLVED, by=ana)
    other = await desk.threads.open(customer="ben")
    await desk.assignments.assign(other.id, f"operator:{ana.id}", by=ana)
    await desk.messages.post(thread.id, "And another.", author=customer("ada"))
    assert await holder(desk, thread) == "support"
    assert await loads(desk) == {"Ana": 1}
    await desk.close()


async def test_who_does_not_work_here_any_more_is_given_nothing(desk: Desk) -> None:
    ana = await operator(desk, "Ana")
    await queued(desk)
    await desk.requests.ask("Open on Monday?")
    await desk.operators.disable(ana.id)
    for taking in (desk.queues.next, desk.requests.next):
        with pytest.raises(Forbidden):
            await asyncio.wait_for(taking(by=ana), 20)


async def test_p5_a_claim_that_ran_out_holds_up_nothing_that_waits_behind_it(desk: Desk, clock: FakeClock) -> None:
    first = await desk.requests.ask("Open on Monday?")
    cal = await operator(desk, "Cal")
    await desk.requests.claim(first.id, by=cal)
    await desk.operators.presence(cal.id, "offline", by=cal.actor())
    second = await desk.requests.ask("Open on Tuesday?")
    clock.advance(timedelta(minutes=11))
    await desk.queues.change("support", chooser=Chooser.BALANCED)
    ana = await operator(desk, "Ana")
    # Another process gives Ana what waits before anybody has looked after the claim.
    job = Job(id="job_1", kind=offers.OPERATOR, ref=ana.id, lane="", thread=None, attempt=1, lease="")
    await desk._choosing.fill(job)  # pyright: ignore[reportPrivateUsage]
    assert [await claimed_by(desk, one, ana) for one in (first, second)] == ["Ana", "Ana"]


async def test_what_somebody_gives_back_is_given_to_somebody_else(desk: Desk) -> None:
    await desk.queues.change("support", chooser=Chooser.BALANCED)
    ana = await operator(desk, "Ana")
    thread, question = await queued(desk), await desk.requests.ask("Open on Monday?")
    await desk.run_due()
    await desk.assignments.assign(thread.id, "queue:support", by=ana)
    await desk.requests.release(question.id, by=ana)
    await desk.run_due()
    assert (await holder(desk, thread), await claimed_by(desk, question, ana)) == ("support", None)
    ben = await operator(desk, "Ben")
    await desk.run_due()
    assert (await holder(desk, thread), await claimed_by(desk, question, ana)) == ("Ben", "Ben")
    whys = {one.name: one.why for one in (await desk.queues.choices(thread.id, by=ben))[0].candidates}
    assert whys["Ana"] == "had it before"


async def test_what_an_operator_held_who_leaves_waits_in_its_queue_again(desk: Desk) -> None:
    ana = await operator(desk, "Ana")
    threads = [await queued(desk) for _ in range(2)]
    question = await desk.requests.ask("Open on Monday?")
    for _ in range(3):
        assert await desk.queues.next(by=ana) is not None
    await desk.operators.disable(ana.id)
    await desk.run_due()
    assert [await holder(desk, one) for one in threads] == ["support", "support"]
    assert await claimed_by(desk, question, ana) is None
    assert await loads(desk) == {}


async def test_who_gives_no_sign_of_life_is_away_and_back_with_the_next_one(desk: Desk, clock: FakeClock) -> None:
    ana = await operator(desk, "Ana")
    await pass_time(desk, clock, timedelta(minutes=9))
    await desk.operators.seen(ana.id)
    await pass_time(desk, clock, timedelta(minutes=9))
    assert (await desk.operators.get(ana.id)).presence == "available"
    await pass_time(desk, clock, timedelta(minutes=2))
    assert (await desk.operators.get(ana.id)).presence == "away"
    assert (await desk.operators.seen(ana.id)).presence == "available"
    await desk.operators.presence(ana.id, "away", by=ana.actor())
    clock.advance(timedelta(minutes=1))
    assert (await desk.operators.seen(ana.id)).presence == "away"


async def test_who_waits_is_told_their_place_how_long_others_waited_and_when_people_are_back(
    desk: Desk, clock: FakeClock
) -> None:
    ana = await operator(desk, "Ana")
    first = await queued(desk)
    clock.advance(timedelta(minutes=4))
    second = await queued(desk)
    ada = customer("ada")
    waits = await desk.queues.wait(second.id, by=ada)
    assert waits is not None
    assert (waits.position, waits.expected_wait, waits.opens_at) == (2, None, None)
    await desk.queues.next(by=ana)
    assert await desk.queues.wait(first.id, by=ada) is None
    waits = await desk.queues.wait(second.id, by=ada)
    assert waits is not None
    assert (waits.position, waits.expected_wait) == (1, timedelta(minutes=4))
    with pytest.raises(NotFound):
        await desk.queues.wait(second.id, by=customer("eve"))
    tomorrow = clock().astimezone(ZoneInfo("Europe/Paris")) + timedelta(days=1)
    hours = {"zone": "Europe/Paris", "hours": {DAYS[tomorrow.weekday()]: [["09:00", "17:00"]]}}
    await desk.queues.change("support", calendar=hours, by=await lead(desk))
    waits = await desk.queues.wait(second.id, by=ada)
    assert waits is not None
    assert waits.opens_at == tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
    assert waits.expected_wait is None


async def test_a_queue_is_refused_where_it_makes_no_sense_and_forgotten_only_when_nothing_waits(desk: Desk) -> None:
    boss = await lead(desk)
    await desk.queues.add("billing", by=boss)
    with pytest.raises(Conflict):
        await desk.queues.add("billing", by=boss)
    for facts, field in (
        ({"chooser": "magic"}, "chooser"), ({"calendar": {"zone": "Mars/Base"}}, "calendar.zone"),
        ({"calendar": {"zone": "UTC", "hours": {"mon": [["17:00", "09:00"]]}}}, "calendar.hours.mon"),
        ({"calendar": {"zone": "UTC", "hours": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}}, "calendar.hours.mon"),
        ({"lease": timedelta(seconds=1)}, "lease_seconds"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await desk.queues.change("billing", by=boss, **facts)  # pyright: ignore[reportArgumentType]
        assert refused.value.field == field
    thread = await queued(desk, queue="billing")
    with pytest.raises(Conflict):
        await desk.queues.delete("billing", by=boss)
    await desk.assignments.assign(thread.id, "ai" if desk.default_agent else f"operator:{boss.id}", by=boss)
    await desk.queues.delete("billing", by=boss)
    with pytest.raises(NotFound):
        await desk.queues.get("billing")
    with pytest.raises(Conflict):
        await desk.queues.delete("support", by=boss)
