"""Escalation chains on both engines: who is told next while nobody acts, once for each step, until somebody does (P5)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from tests.store.chained import (
    MINUTE,
    NOBODY_LEAVES,
    PAGE,
    WAIT,
    asked,
    chain,
    events,
    names,
    only,
    operator,
    waiting,
)
from tests.store.told import told

from deskmate import Desk, NewDecision, Operator, Request, Role, Thread
from deskmate.domain.actors import SYSTEM
from deskmate.domain.requests import DecisionKind
from deskmate.domain.threads import Status
from deskmate.services import chaining
from deskmate.store.jobs import Job
from deskmate.testing import FakeClock, pass_time


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


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await operator(desk, "Ana")


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
