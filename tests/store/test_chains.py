"""Escalation chains on both engines: who is told next while nobody acts, once for each step, until somebody does (P5)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from tests.store.told import looked_up, told

from deskmate import Desk, NewDecision, Operator, Request, Role, Settings, Thread, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.chains import RunningChain
from deskmate.domain.events import Event
from deskmate.domain.queues import Chooser
from deskmate.domain.requests import DecisionKind
from deskmate.domain.threads import Status
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services import chaining
from deskmate.store.jobs import Job
from deskmate.testing import FakeClock, pass_time

ADA = customer("ada", "Ada")
MINUTE = timedelta(minutes=1)
NOBODY_LEAVES = Settings(away_seconds=0)
EVERYTHING = ["thread", "question", "approval", "escalation"]
WAIT = {"wait": 300}
PAGE = {"page": "next"}


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as desk:
        yield desk


@pytest.fixture
async def other(store_url: str, desk: Desk, clock: FakeClock) -> AsyncIterator[Desk]:
    """Another process, as far as the store can tell."""
    del desk  # It is there first.
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as other:
        yield other


async def operator(desk: Desk, name: str, *, here: bool = True, **facts: object) -> Operator:
    made = await desk.operators.add(name=name, email=f"{name}@shop.example", **facts)  # pyright: ignore[reportArgumentType]
    return await desk.operators.presence(made.id, "available", by=made.actor()) if here else made


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await operator(desk, "Ana")


async def chain(desk: Desk, *steps: object, on: list[str] = EVERYTHING, queue: str = "support") -> None:
    """What waits in support, or another queue, goes by these steps."""
    await desk.policies.put("chain", "slow", {"on": on, "steps": steps})
    await desk.queues.change(queue, chain="slow")


async def waiting(desk: Desk, *, queue: str = "support") -> Thread:
    """A thread whose customer waits in a queue."""
    thread = await desk.threads.open(customer="ada", by=ADA)
    await desk.messages.post(thread.id, "Hello?", author=ADA, respond=False)
    await desk.assignments.assign(thread.id, f"queue:{queue}", by=SYSTEM)
    await desk.run_due()
    return await desk.threads.get(thread.id)


async def asked(desk: Desk) -> Request:
    """A question that waits in support."""
    request = await desk.requests.ask("Is the Lyon shop open?")
    await desk.run_due()
    return request


async def only(desk: Desk, thread: str) -> RunningChain:
    [found] = await desk.chains.of_thread(thread)
    return found


async def events(desk: Desk, thread: str, kind: str) -> list[Event]:
    seen = [one.event for one in await desk.feed.read(by=SYSTEM, thread=thread, limit=200)]
    return [event for event in seen if event.type == kind]


def names(desk: Desk, *people: Operator) -> list[tuple[str, str]]:
    """Who was told, and whether they were paged."""
    known = {one.id: one.name for one in people}
    return [(known[row["operator"]], row["kind"]) for row in told(desk._store.url)]  # pyright: ignore[reportPrivateUsage]


async def engine_only(desk: Desk) -> None:
    """Timers go off; the followers have seen nothing new."""
    await desk._background.engine.run_due()  # pyright: ignore[reportPrivateUsage]


async def test_the_steps_come_in_their_order_each_at_its_time(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    ben, lea = await operator(desk, "Ben", here=False), await operator(desk, "Lea", here=False, role=Role.LEAD)
    eve = await operator(desk, "Eve", here=False, role=Role.OBSERVER)
    await desk.queues.add("billing")
    steps = ({"notify": "queue"}, WAIT, PAGE, WAIT, PAGE, PAGE, WAIT, {"notify": "leads"}, {"reassign": "queue:billing"})
    await chain(desk, *steps)
    thread = await waiting(desk)
    people = (ana, ben, lea, eve)
    assert names(desk, *people) == [("Ana", "chain.notify"), ("Ben", "chain.notify"), ("Lea", "chain.notify")]
    await pass_time(desk, clock, seconds=299)
    assert len(names(desk, *people)) == 3
    await pass_time(desk, clock, seconds=1)
    assert names(desk, *people)[3:] == [("Ana", "chain.page")], "who is there comes first"
    await pass_time(desk, clock, seconds=300)
    assert names(desk, *people)[4:] == [("Ben", "chain.page"), ("Lea", "chain.page")]
    assert [row["urgent"] for row in told(desk._store.url)] == [0, 0, 0, 1, 1, 1]  # pyright: ignore[reportPrivateUsage]
    await pass_time(desk, clock, seconds=300)
    assert names(desk, *people)[6:] == [("Lea", "chain.notify")]
    found = await desk.threads.get(thread.id)
    assert (found.assignment.to, found.assignment.id) == ("queue", "billing")
    over = await only(desk, thread.id)
    assert (over.state, over.reason, over.about, over.policy) == ("done", "done", "thread", "slow")
    stepped = [(e.data["step"], e.data["round"]) for e in await events(desk, thread.id, "chain.stepped")]
    assert stepped == [(0, 1), (2, 1), (4, 1), (5, 1), (7, 1), (8, 1)]
    assert [e.data["reason"] for e in await events(desk, thread.id, "chain.stopped")] == ["done"]


async def test_it_goes_round_as_often_as_it_says_and_pages_everybody_before_anybody_twice(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    ben = await operator(desk, "Ben")
    await chain(desk, PAGE, WAIT, {"repeat": 5})
    thread = await waiting(desk)
    await pass_time(desk, clock, timedelta(days=1))
    assert [name for name, _ in names(desk, ana, ben)] == ["Ana", "Ben", "Ana", "Ben", "Ana", "Ben"]
    at = [event.at for event in await events(desk, thread.id, "chain.stepped")]
    assert [(later - at[0]) / MINUTE for later in at] == [0, 5, 10, 15, 20, 25]
    assert (await only(desk, thread.id)).state == "done"


Deed = Callable[[Desk, Thread, Operator], Awaitable[object]]
DEEDS: dict[str, tuple[str, Deed]] = {
    "claimed": ("taken", lambda desk, _, ana: desk.queues.next(by=ana)),
    "taken over": ("taken", lambda desk, thread, ana: desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)),
    "answered": ("answered", lambda desk, thread, ana: desk.messages.post(thread.id, "Hello, Ada.", author=ana)),
    "moved": ("moved", lambda desk, thread, ana: desk.assignments.assign(thread.id, "queue:billing", by=ana)),
    "snoozed": ("snoozed", lambda desk, thread, ana: desk.threads.change(thread.id, status=Status.SNOOZED, by=ana)),
    "resolved": ("resolved", lambda desk, thread, ana: desk.threads.change(thread.id, status=Status.RESOLVED, by=ana)),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "in the last moment"])
async def test_the_first_action_on_a_thread_stops_its_chain(
    desk: Desk, ana: Operator, clock: FakeClock, deed: str, late: bool
) -> None:
    """In the last moment: the step is due, and the follower has not seen yet what was done."""
    await chain(desk, WAIT, PAGE)
    thread = await waiting(desk)
    clock.advance(seconds=300 if late else 299)
    reason, act = DEEDS[deed]
    await act(desk, thread, ana)
    await (engine_only(desk) if late else desk.run_due())
    stopped = await only(desk, thread.id)
    assert (stopped.state, stopped.reason, stopped.ended_by and stopped.ended_by.name) == ("stopped", reason, "Ana")
    await pass_time(desk, clock, timedelta(hours=1))
    assert told(desk._store.url) == []  # pyright: ignore[reportPrivateUsage]
    [event] = await events(desk, thread.id, "chain.stopped")
    assert (event.actor.name, event.data["reason"]) == ("Ana", reason)


async def test_a_hand_back_to_the_ai_stops_it_as_well(store_url: str, clock: FakeClock, bot: object) -> None:
    async with Desk.open(store_url, clock=clock, agents=[bot], settings=NOBODY_LEAVES, work=False) as desk:  # pyright: ignore[reportArgumentType]
        ana = await operator(desk, "Ana")
        await chain(desk, WAIT, PAGE)
        thread = await waiting(desk)
        await desk.assignments.assign(thread.id, "ai", by=ana)
        await pass_time(desk, clock, timedelta(hours=1))
        assert (await only(desk, thread.id)).reason == "handed_back"
        assert told(store_url) == []


ON_REQUESTS: dict[str, tuple[str, Callable[[Desk, Request, Operator], Awaitable[object]]]] = {
    "claimed": ("claimed", lambda desk, request, ana: desk.requests.claim(request.id, by=ana)),
    "answered": ("decided", lambda desk, request, ana: desk.requests.answer(request.id, "Yes.", by=ana)),
    "declined": (
        "decided",
        lambda desk, request, ana: desk.requests.decide(request.id, NewDecision(kind=DecisionKind.DECLINE), by=ana),
    ),
    "cancelled": ("closed", lambda desk, request, ana: desk.requests.cancel(request.id, by=ana)),
}


@pytest.mark.parametrize("deed", ON_REQUESTS)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "in the last moment"])
async def test_the_first_action_on_a_request_stops_its_chain(
    desk: Desk, ana: Operator, clock: FakeClock, deed: str, late: bool
) -> None:
    await chain(desk, WAIT, PAGE)
    request = await asked(desk)
    clock.advance(seconds=300 if late else 299)
    reason, act = ON_REQUESTS[deed]
    await act(desk, request, ana)
    await (engine_only(desk) if late else desk.run_due())
    stopped = await only(desk, request.thread)
    assert (stopped.state, stopped.reason, stopped.ended_by and stopped.ended_by.name) == ("stopped", reason, "Ana")
    await pass_time(desk, clock, MINUTE)
    assert told(desk._store.url) == []  # pyright: ignore[reportPrivateUsage]


async def test_a_request_that_is_given_back_waits_again_and_has_a_chain_again(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    await chain(desk, WAIT, PAGE)
    request = await asked(desk)
    await desk.requests.claim(request.id, by=ana)
    await pass_time(desk, clock, MINUTE)
    await desk.requests.release(request.id, by=ana)
    await pass_time(desk, clock, 5 * MINUTE)
    newer, older = await desk.chains.of_thread(request.thread)
    assert [(one.state, one.reason, one.request) for one in (older, newer)] == [
        ("stopped", "claimed", request.id), ("done", "done", request.id),
    ]  # fmt: skip
    assert names(desk, ana) == [("Ana", "chain.page")]


async def test_two_processes_page_nobody_twice_for_a_step(desk: Desk, other: Desk, ana: Operator, clock: FakeClock) -> None:
    people = [ana, *[await operator(desk, name) for name in ("Ben", "Cem", "Dan")]]
    await chain(desk, WAIT, PAGE, {"notify": "queue"}, WAIT, {"repeat": 2})
    all_of_them = [await waiting(desk) for _ in range(6)]
    for _ in range(6):
        clock.advance(seconds=300)
        await asyncio.gather(desk.run_due(), other.run_due(), desk.run_due(), other.run_due())
    rows = told(desk._store.url)  # pyright: ignore[reportPrivateUsage]
    assert len(rows) == 6 * 3 * (1 + len(people))
    assert len({(row["key"], row["operator"]) for row in rows}) == len(rows)
    pages = [row["key"] for row in rows if row["kind"] == "chain.page"]
    assert len(set(pages)) == len(pages) == 6 * 3
    for thread in all_of_them:
        steps = [(e.data["step"], e.data["round"]) for e in await events(desk, thread.id, "chain.stepped")]
        assert steps == [(step, round) for round in (1, 2, 3) for step in (1, 2)]
        assert (await only(desk, thread.id)).state == "done"


async def test_nobody_is_paged_behind_an_action_that_comes_with_the_step(
    desk: Desk, other: Desk, ana: Operator, clock: FakeClock
) -> None:
    await desk.operators.change(ana.id, capacity=100)
    await chain(desk, WAIT, PAGE, WAIT, PAGE)
    all_of_them = [await waiting(desk) for _ in range(20)]
    clock.advance(seconds=300)
    takes = [desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana) for thread in all_of_them]
    await asyncio.gather(desk.run_due(), other.run_due(), *takes)
    await pass_time(desk, clock, timedelta(hours=1))
    for thread in all_of_them:
        seen = [one.event for one in await desk.feed.read(by=SYSTEM, thread=thread.id, limit=200)]
        [taken] = [e.seq for e in seen if e.type == "thread.assigned" and e.data["cause"] == "takeover"]
        assert [e.type for e in seen if e.seq > taken and e.type in ("chain.stepped", "notification.sent")] == []
        assert (await only(desk, thread.id)).reason == "taken"


async def test_a_timer_that_comes_twice_or_too_early_does_nothing_twice(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await chain(desk, PAGE, WAIT, PAGE)
    thread = await waiting(desk)
    running = await only(desk, thread.id)
    job = Job(id="job_x", kind=chaining.STEP, ref=running.id, lane="", thread=thread.id, attempt=1, lease="x")
    for _ in range(3):
        await desk.chains.step(job)
        await desk.chains.look(
            Job(id="job_y", kind=chaining.LOOK, ref=str(running.seq), lane="", thread=None, attempt=1, lease="x")
        )
    assert names(desk, ana) == [("Ana", "chain.page")]
    assert len(await desk.chains.of_thread(thread.id)) == 1
    await pass_time(desk, clock, 5 * MINUTE)
    assert len(names(desk, ana)) == 2


async def test_a_chain_goes_by_the_steps_it_began_with_also_after_a_restart(store_url: str, clock: FakeClock) -> None:
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as first:
        ana = await operator(first, "Ana")
        await chain(first, PAGE, WAIT, PAGE, WAIT, {"notify": [ana.id]})
        thread = await waiting(first)
        await pass_time(first, clock, 5 * MINUTE)
        await chain(first, {"notify": "leads"})
        await first.queues.change("support", chain="")
        await first.policies.delete("chain", "slow")
    clock.advance(2 * MINUTE)
    async with Desk.open(store_url, clock=clock, settings=NOBODY_LEAVES, work=False) as second:
        await pass_time(second, clock, 3 * MINUTE)
        assert [kind for _, kind in names(second, ana)] == ["chain.page", "chain.page", "chain.notify"]
        assert (await only(second, thread.id)).state == "done"


async def test_whoever_has_left_is_passed_over(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    ben = await operator(desk, "Ben")
    await chain(
        desk, WAIT, PAGE, {"page": ana.id}, {"notify": [ana.id, "op_nobody", ben.id]}, {"notify": "holder"},
        {"reassign": f"operator:{ana.id}"}, {"reassign": "queue:nowhere"},
    )  # fmt: skip
    thread = await waiting(desk)
    await desk.operators.disable(ana.id)
    await pass_time(desk, clock, 5 * MINUTE)
    assert names(desk, ana, ben) == [("Ben", "chain.page"), ("Ben", "chain.notify")]
    assert [e.data["told"] for e in await events(desk, thread.id, "chain.stepped")] == [[ben.id], [], [ben.id], [], [], []]
    assert (await desk.threads.get(thread.id)).assignment.id == "support"


async def test_a_thread_given_to_an_operator_has_a_chain_until_they_act(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    """The queue gives its work to people: who was given it has not acted by that."""
    await desk.queues.change("support", chooser=Chooser.BALANCED, lease=timedelta(hours=1))
    await chain(desk, WAIT, {"notify": "holder"}, WAIT, PAGE)
    thread = await waiting(desk)
    assert (await desk.threads.get(thread.id)).assignment.id == ana.id
    await pass_time(desk, clock, 5 * MINUTE)
    assert names(desk, ana) == [("Ana", "chain.notify")]
    await desk.messages.post(thread.id, "Hello, Ada.", author=ana)
    await pass_time(desk, clock, timedelta(hours=1))
    assert len(names(desk, ana)) == 1
    assert [one.reason for one in await desk.chains.of_thread(thread.id)] in (["answered"], ["answered", "taken"])


async def test_a_chain_gives_a_thread_to_an_operator_who_has_room_and_goes_on(
    desk: Desk, ana: Operator, clock: FakeClock
) -> None:
    ben = await operator(desk, "Ben", capacity=0)
    await chain(desk, WAIT, {"reassign": f"operator:{ben.id}"}, {"reassign": f"operator:{ana.id}"}, WAIT, {"notify": "holder"})
    thread = await waiting(desk)
    await pass_time(desk, clock, 5 * MINUTE)
    assert (await desk.threads.get(thread.id)).assignment.id == ana.id
    assert [(await desk.operators.get(one.id)).load for one in (ana, ben)] == [1, 0]
    await pass_time(desk, clock, 5 * MINUTE)
    assert names(desk, ana) == [("Ana", "chain.notify")]
    assert len(await desk.chains.of_thread(thread.id)) == 1


async def test_a_chain_moves_a_request_to_a_queue_or_to_an_operator(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await desk.queues.add("billing")
    steps = ({"reassign": "queue:billing"}, WAIT, {"reassign": f"operator:{ana.id}"}, WAIT, {"notify": "holder"}, WAIT, PAGE)
    await chain(desk, WAIT, *steps)
    request = await asked(desk)
    await pass_time(desk, clock, 5 * MINUTE)
    assert (await desk.requests.get(request.id, by=ana)).queue == "billing"
    await pass_time(desk, clock, 5 * MINUTE)
    claimed = await desk.requests.get(request.id, by=ana)
    assert claimed.claimed_by is not None
    assert claimed.claimed_by.id == ana.id
    assert (await desk.operators.get(ana.id)).load == 0.3
    await pass_time(desk, clock, 5 * MINUTE)
    assert names(desk, ana) == [("Ana", "chain.notify")], "who was given it has not acted by that"
    await desk.requests.answer(request.id, "Yes.", by=ana)
    await pass_time(desk, clock, 5 * MINUTE)
    stopped = await only(desk, request.thread)
    assert (stopped.reason, len(names(desk, ana))) == ("decided", 1)


async def test_a_chain_is_for_what_its_policy_names_only(desk: Desk, ana: Operator) -> None:
    await chain(desk, PAGE, on=["question"])
    thread = await waiting(desk)
    assert await desk.chains.of_thread(thread.id) == ()
    request = await asked(desk)
    assert (await only(desk, request.thread)).about == "question"


@pytest.mark.parametrize("on", ["thread", "escalation"])
async def test_what_is_passed_on_with_its_thread_has_one_chain(desk: Desk, ana: Operator, clock: FakeClock, on: str) -> None:
    await chain(desk, WAIT, PAGE, on=["thread", "escalation"] if on == "thread" else ["escalation"])
    thread = await desk.threads.open(customer="ada", by=ADA)
    await desk.escalations.escalate(thread.id, by=ADA)
    await desk.run_due()
    assert (await only(desk, thread.id)).about == on
    await desk.queues.next(by=ana)
    await desk.run_due()
    stopped = await only(desk, thread.id)
    assert (stopped.state, stopped.reason) == ("stopped", "taken")


async def test_a_customer_who_waits_again_has_a_chain_again(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await chain(desk, WAIT, PAGE)
    thread = await waiting(desk)
    await desk.messages.post(thread.id, "A moment, please.", author=ana)
    await pass_time(desk, clock, 5 * MINUTE)
    await desk.messages.post(thread.id, "Yes?", author=ADA)
    await pass_time(desk, clock, 4 * MINUTE)
    await desk.messages.post(thread.id, "Hello?", author=ADA)
    await pass_time(desk, clock, MINUTE)
    assert names(desk, ana) == [("Ana", "chain.page")], "who writes twice waits no longer for that"
    await desk.threads.change(thread.id, status=Status.SNOOZED, snoozed_until=clock() + MINUTE, by=ana)
    await pass_time(desk, clock, 6 * MINUTE)
    assert [one.reason for one in await desk.chains.of_thread(thread.id)] == ["done", "done", "answered"]


async def test_an_operator_stops_a_chain_and_that_is_told(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    eve = await operator(desk, "Eve", role=Role.OBSERVER)
    await chain(desk, WAIT, PAGE)
    thread = await waiting(desk)
    [running] = await desk.chains.running(by=ana)
    for nobody in (eve, ADA):
        with pytest.raises((Forbidden, NotFound)):
            await desk.chains.stop(running.id, by=nobody)
    stopped = await desk.chains.stop(running.id, by=ana)
    assert (stopped.state, stopped.reason, stopped.ended_by and stopped.ended_by.id) == ("stopped", "stopped", ana.id)
    ben = await operator(desk, "Ben")
    assert await desk.chains.stop(running.id, by=ben) == stopped
    await pass_time(desk, clock, timedelta(hours=1))
    assert told(desk._store.url) == []  # pyright: ignore[reportPrivateUsage]
    assert [(e.actor.name, e.data["reason"]) for e in await events(desk, thread.id, "chain.stopped")] == [("Ana", "stopped")]
    assert await desk.chains.running(by=ana) == ()
    with pytest.raises(NotFound):
        await desk.chains.stop("cha_none", by=ana)
    with pytest.raises(Forbidden):
        await desk.chains.running(by=ADA)


async def test_p5_a_step_that_nobody_came_for_is_reported_and_done(
    desk: Desk, ana: Operator, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    await chain(desk, WAIT, PAGE)
    thread = await waiting(desk)
    lost = (await only(desk, thread.id)).id
    await desk._store.write(lambda tx: tx.run("jobs.cancel", kind="chain", ref=lost))  # pyright: ignore[reportPrivateUsage]
    clock.advance(seconds=361)
    with caplog.at_level(logging.WARNING, "deskmate.chains"):
        await desk.run_due()
    assert "1 steps of chains were overdue by more than a minute" in caplog.text
    assert names(desk, ana) == [("Ana", "chain.page")]


async def test_a_deleted_thread_takes_its_chains_with_it(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await chain(desk, PAGE, WAIT, PAGE)
    thread = await waiting(desk)
    await desk.threads.delete(thread.id)
    assert looked_up(desk._store.url, "SELECT * FROM chains") == []  # pyright: ignore[reportPrivateUsage]
    await pass_time(desk, clock, timedelta(hours=1))
    assert await desk.next_due() is None


async def test_customers_are_told_nothing_of_it(desk: Desk, ana: Operator, clock: FakeClock) -> None:
    await chain(desk, PAGE, WAIT, {"notify": "queue"})
    thread = await waiting(desk)
    await pass_time(desk, clock, timedelta(hours=1))
    heard = {seen.event.type for seen in await desk.feed.read(by=ADA, thread=thread.id)}
    assert heard <= {"thread.opened", "thread.changed", "thread.assigned", "message.posted"}
    with pytest.raises(Forbidden):
        await desk.chains.of_thread(thread.id, by=ADA)


async def test_steps_that_make_no_sense_are_refused(desk: Desk) -> None:
    page: object = PAGE
    wrong: list[tuple[list[object], str]] = [
        ([], "rules.steps"),
        ([{}], "rules.steps.0"),
        ([{"wait": 60, "page": "next"}], "rules.steps.0"),
        ([page, {"wait": 0}], "rules.steps.1.wait"),
        ([page, {"wait": 10**9}], "rules.steps.1.wait"),
        ([page, {"shout": "loud"}], "rules.steps.1.shout"),
        ([{"reassign": "billing"}], "rules.steps.0"),
        ([{"reassign": "ai"}], "rules.steps.0"),
        ([{"wait": 60}], "rules"),
        ([page, {"repeat": 2}], "rules"),
        ([page, {"wait": 60}, {"repeat": 6}], "rules.steps.2.repeat"),
        ([page, {"repeat": 2}, {"wait": 60}], "rules"),
        ([page, *[{"wait": 7 * 24 * 3600}] * 5], "rules"),
        ([page] * 21, "rules.steps"),
        ([{"page": ""}], "rules.steps.0.page"),
    ]
    for steps, field in wrong:
        with pytest.raises(Invalid) as refused:
            await desk.policies.put("chain", "wrong", {"on": ["thread"], "steps": steps})
        assert refused.value.field == field, steps
    for on in ([], ["tickets"]):
        with pytest.raises(Invalid) as refused:
            await desk.policies.put("chain", "wrong", {"on": on, "steps": [page]})
        assert str(refused.value.field).startswith("rules.on")
    assert await desk.policies.list("chain") == ()
