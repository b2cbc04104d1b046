"""What escalation chains are for and whom they tell, on both engines."""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.store.chained import ADA, MINUTE, NOBODY_LEAVES, PAGE, WAIT, asked, chain, events, names, only, operator, waiting
from tests.store.told import looked_up, told

from deskmate import Desk, Operator, Role
from deskmate.domain.queues import Chooser
from deskmate.domain.threads import Status
from deskmate.errors import Forbidden, Invalid, NotFound
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
