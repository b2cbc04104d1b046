"""What SLA clocks say afterwards, on both engines: phases, reports, who is measured, and rules that make no sense."""

from datetime import timedelta

import pytest
from tests.store.clocked import ADA, GOLD, HOUR, MINUTE, opened, row, told, with_people

from deskmate import Desk, Operator, Role, customer
from deskmate.domain.clocks import Phase
from deskmate.domain.sla import Target
from deskmate.domain.threads import Status
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.testing import FakeClock, pass_time


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


async def test_without_a_policy_the_phases_are_kept_all_the_same(
    desk: Desk, clock: FakeClock, ana: Operator, lea: Operator
) -> None:
    await desk.queues.change("support", sla="", by=lea)
    await desk.policies.delete("sla", "gold", by=lea)
    thread = await with_people(desk, ana)
    await pass_time(desk, clock, 5 * MINUTE)
    assert (await desk.sla.clock(thread)).phases[Phase.HUMAN] == 5 * MINUTE
    kept = await row(desk, thread)
    assert (kept["phase"], kept["running"], kept["next_at"]) == ("human", "", None)
    assert (await desk.threads.get(thread)).due_target is None
    assert await told(desk, thread) == []


async def test_the_report_counts_what_ended_in_its_time_and_how_long_it_took(
    desk: Desk, clock: FakeClock, ana: Operator, lea: Operator
) -> None:
    begun = clock()
    await desk.queues.add("billing", by=lea)
    for seconds in (10, 20, 30, 70):
        thread = await with_people(desk, ana)
        await pass_time(desk, clock, seconds=seconds)
        await desk.messages.post(thread, "Hello.", author=ana)
    await with_people(desk, ana)
    kept = {one.target: one for one in (await desk.sla.report(begun, clock() + HOUR)).targets}
    first = kept[Target.FIRST_RESPONSE]
    assert (first.met, first.missed, first.running) == (3, 1, 1)
    assert (first.median, first.p90) == (timedelta(seconds=20), timedelta(seconds=70))
    assert kept[Target.RESOLUTION].running == 5
    assert (kept[Target.NEXT_RESPONSE].median, kept[Target.NEXT_RESPONSE].met) == (None, 0)
    for nothing in (await desk.sla.report(begun, clock() + HOUR, queue="billing"), await desk.sla.report(begun - HOUR, begun)):
        assert [(one.met, one.missed) for one in nothing.targets] == [(0, 0)] * 4


async def test_nobody_is_measured_by_what_was_imported_and_all_are_by_what_comes_then(desk: Desk) -> None:
    said = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "Here."}]
    [report] = [one async for one in desk.imports.conversations([{"id": "1", "messages": said}])]
    assert report.thread is not None
    await desk.run_due()
    before = await desk.sla.clock(report.thread)
    assert (before.phase, before.running, before.ended) == (Phase.CLOSED, {}, {})
    customer_of = (await desk.threads.get(report.thread)).customer
    assert customer_of is not None
    await desk.messages.post(report.thread, "And now?", author=customer(customer_of), respond=False)
    await desk.run_due()
    assert {*(await desk.sla.clock(report.thread)).running} == {Target.NEXT_RESPONSE, Target.RESOLUTION}


async def test_a_thread_that_is_reopened_for_somebody_who_is_away_is_handed_off(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    thread = await with_people(desk, ana)
    await desk.messages.post(thread, "Done.", author=ana)
    await desk.threads.change(thread, status=Status.RESOLVED, by=ana)
    await desk.operators.presence(ana.id, "offline")
    await pass_time(desk, clock, HOUR)
    await desk.messages.post(thread, "Not at all.", author=ADA)
    await desk.run_due()
    shown = await desk.sla.clock(thread)
    assert (shown.phase, shown.running[Target.TIME_TO_HUMAN].started) == (Phase.QUEUE, clock())


async def test_reports_are_for_the_team_and_for_times_that_make_sense(desk: Desk, clock: FakeClock) -> None:
    thread = await opened(desk)
    with pytest.raises(Forbidden):
        await desk.sla.clock(thread, by=ADA)
    with pytest.raises(Forbidden):
        await desk.sla.report(clock() - HOUR, clock(), by=ADA)
    with pytest.raises(NotFound):
        await desk.sla.clock("th_nowhere")
    for since, until, field in (
        (clock(), clock(), "until"),
        (clock().replace(tzinfo=None), clock(), "since"),
        (clock(), clock().replace(tzinfo=None), "until"),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.sla.report(since, until)
        assert refused.value.field == field


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"targets": {"resolution": {"seconds": 0}}}, "rules.targets.resolution.seconds"),
        ({"targets": {"resolution": {"seconds": 10**9}}}, "rules.targets.resolution.seconds"),
        ({"targets": {"resolution": 60}}, "rules.targets.resolution"),
        ({"targets": {"lunch": {"seconds": 60}}}, "rules.targets.lunch"),
        ({"warn": [0]}, "rules.warn.0"),
        ({"warn": [101]}, "rules.warn.0"),
        ({"priorities": {"extreme": {}}}, "rules.priorities.extreme.[key]"),
        ({"sometimes": True}, "rules.sometimes"),
    ],
)
async def test_rules_that_make_no_sense_are_refused_naming_the_place(
    desk: Desk, lea: Operator, rules: object, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.policies.put("sla", "wrong", rules, by=lea)
    assert refused.value.field == field
