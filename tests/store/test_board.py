"""The board on both engines: exact numbers for a day that was planted, bounds, and who may look."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.store.board_day import FAQ, SHOP, agents, plant
from tests.store.people import ADA

from deskmate import Desk, Operator, Role, customer
from deskmate.domain.board import Cost, Now, Period
from deskmate.domain.calendars import calendar_of
from deskmate.domain.requests import RequestKind
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services import board
from deskmate.testing import START, FakeClock, pass_time

HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=agents(), work=False) as desk:
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example", capacity=6)


async def test_an_empty_desk_has_an_empty_board(desk: Desk) -> None:
    now, period = await desk.board.now(), await desk.board.period()
    assert [(line.queue, line.open, line.waiting, line.since) for line in now.queues] == [("support", True, 0, None)]
    assert (now.threads, now.since, now.waiting, now.more, now.operators) == (0, None, (), False, ())
    assert (period.threads.threads, period.escalations.count, period.failures.count, period.waits.count) == (0, 0, 0, 0)
    assert (period.escalations.causes, period.waits.median, period.waits.p90, period.worked) == ((), None, None, timedelta())
    assert (period.until - period.since, period.step, len(period.shares)) == (timedelta(days=1), HOUR, 24)


async def test_one_broken_tool_is_the_first_cause_with_its_agent_and_its_share(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    day = await plant(desk, clock, ana)
    found = (await desk.board.period()).escalations
    assert [(one.agent, one.tool, one.reason, one.count, one.of) for one in found.causes] == [
        (SHOP, "refund_order", "I could not refund order …: the payment service answered …", 6, 12),
        (None, None, "a person was asked for", 2, 12),
        (FAQ, None, "RuntimeError: the model is overloaded, request …", 2, 12),
        (SHOP, None, "The customer is angry about order …", 2, 12),
    ]
    first = found.causes[0]
    assert (first.share, first.first_at, first.last_at) == (0.5, START, START + 3 * HOUR)
    assert {place.thread for place in first.places} == {thread.id for thread in day.refunds}
    assert first.places[0].subject == "Refund"
    assert first.example == "I could not refund order 2083: the payment service answered 'no 2083'"


async def test_who_answered_how_long_it_took_and_what_failed(desk: Desk, clock: FakeClock, ana: Operator) -> None:
    await plant(desk, clock, ana)
    period = await desk.board.period(START, START + 4 * HOUR)
    whole = period.threads
    assert (whole.threads, whole.ai, whole.people, whole.escalated) == (20, 8, 4, 12)
    assert [(one.threads, one.ai, one.people, one.escalated) for one in period.shares] == [(5, 2, 1, 3)] * 4
    assert [one.at for one in period.shares] == [START + hour * HOUR for hour in range(4)]
    minutes = [(one.count, one.median, one.p90) for one in period.waits_by_step]
    assert minutes == [(1, wait, wait) for wait in (timedelta(minutes=m) for m in (10, 20, 30, 40))]
    assert (period.waits.median, period.waits.p90) == (timedelta(minutes=25), timedelta(minutes=40))
    [failure] = period.failures.causes
    assert (failure.agent, failure.reason, failure.count) == (FAQ, "RuntimeError: the model is overloaded, request …", 2)


async def test_a_period_ends_before_its_end_and_a_queue_has_its_own_board(desk: Desk, clock: FakeClock, ana: Operator) -> None:
    await plant(desk, clock, ana)
    first = await desk.board.period(START, START + HOUR)
    assert (first.threads.threads, first.escalations.count) == (5, 3)
    assert (await desk.board.period(START + HOUR, START + 2 * HOUR)).escalations.count == 3
    await desk.queues.add("billing")
    other = await desk.board.period(queue="billing")
    assert (other.threads.threads, other.escalations.count, other.waits.count, other.failures.count) == (0, 0, 0, 0)
    support = await desk.board.period(queue="support")
    assert (support.threads.threads, support.escalations.count, support.waits.count, support.failures.count) == (20, 12, 4, 2)
    assert [line.queue for line in (await desk.board.now(queue="billing")).queues] == ["billing"]


async def test_now_has_lines_with_their_hours_kinds_with_their_age_and_people_with_what_they_hold(
    desk: Desk, clock: FakeClock, ana: Operator
) -> None:
    closed = calendar_of({"zone": "UTC", "hours": {"tue": [["09:00", "17:00"]]}})
    await desk.queues.add("billing", calendar=closed)
    await desk.operators.add(name="Ben", email="ben@shop.example")
    await desk.operators.presence(ana.id, "available")
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "Hello", author=ADA, respond=False)
    await desk.assignments.assign(thread, "queue:billing", by=ana)
    for age in (timedelta(days=2), timedelta(hours=3), timedelta(minutes=10), timedelta(minutes=1)):
        await asked_ago(desk, clock, age)
    now = await desk.board.now()
    billing, support = now.queues
    assert (billing.queue, billing.open, billing.waiting, billing.since) == ("billing", False, 1, START)
    assert billing.opens_at is not None
    assert (support.queue, support.open) == ("support", True)
    assert (now.threads, now.since) == (5, START)
    [questions] = now.waiting
    assert (questions.kind, questions.waiting, questions.ages) == (RequestKind.QUESTION, 4, (1, 1, 0, 1, 1))
    assert questions.since == START
    assert [(one.name, one.presence, one.threads, one.load) for one in now.operators] == [
        ("Ana", "available", 0, 0.0),
        ("Ben", "offline", 0, 0.0),
    ]
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    request = await desk.requests.next(by=ana)
    assert request is not None
    held = (await desk.board.now()).operators[0]
    assert (held.threads, held.requests, held.load, held.capacity, held.since) == (1, 1, 1.3, 6.0, START)


async def asked_ago(desk: Desk, clock: FakeClock, age: timedelta) -> None:
    """A question that is this old when the clock stands two days after the start."""
    clock.set(START + timedelta(days=2) - age)
    await desk.requests.ask("May I?", expires_in=timedelta(days=9))
    clock.set(START + timedelta(days=2))


async def test_counting_stops_and_says_so(desk: Desk, clock: FakeClock, ana: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    await plant(desk, clock, ana)
    for limit in ("MOST_TROUBLES", "MOST_THREADS", "MOST_WAITING"):
        monkeypatch.setattr(board, limit, 3)
    now, period = await desk.board.now(), await desk.board.period()
    assert (period.escalations.count, period.escalations.more) == (3, True)
    assert {one.first_at for one in period.escalations.causes} == {START + 3 * HOUR}
    assert (period.threads.threads, period.more) == (3, True)
    assert (sum(one.waiting for one in now.waiting), now.more) == (3, True)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [
        (START, START, "until"),
        (START + HOUR, START, "until"),
        (START, START + timedelta(days=93), "since"),
        (START.replace(tzinfo=None), START, "since"),
        (START, (START + HOUR).replace(tzinfo=None), "until"),
    ],
)
async def test_a_period_that_is_none_is_refused(desk: Desk, since: datetime, until: datetime, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.board.period(since, until)
    assert refused.value.field == field


async def test_a_period_before_everything_is_empty_and_an_unknown_queue_is_told(desk: Desk) -> None:
    long_ago = datetime(1971, 1, 1, tzinfo=UTC)
    assert (await desk.board.period(long_ago, long_ago + timedelta(days=92))).threads.threads == 0
    for ask in (desk.board.now(queue="nowhere"), desk.board.period(queue="nowhere")):
        with pytest.raises(NotFound):
            await ask


async def look(desk: Desk, by: object) -> tuple[Now, Period]:
    return await desk.board.now(by=by), await desk.board.period(by=by)  # pyright: ignore[reportArgumentType]


async def test_the_team_may_look_and_customers_may_not(desk: Desk, ana: Operator) -> None:
    observer = await desk.operators.add(name="Oda", email="oda@shop.example", role=Role.OBSERVER)
    for person in (ana, observer):
        assert await look(desk, person)
    assert [one.name for one in (await desk.board.now(by=observer)).operators] == ["Ana"]
    with pytest.raises(Forbidden):
        await desk.board.now(by=customer("ada"))
    with pytest.raises(Forbidden):
        await desk.board.period(by=customer("ada"))


async def test_what_people_worked_what_it_cost_and_what_is_late_are_on_the_board(desk: Desk, clock: FakeClock) -> None:
    await desk.policies.put("rate", "everybody", {"currency": "EUR", "per_hour": 3600})
    await desk.policies.put("sla", "quick", {"targets": {"next_response": {"seconds": 600}, "first_response": {"seconds": 600}}})
    await desk.queues.change("support", sla="quick")
    ana = await desk.operators.add(name="Ana", email="ana@shop.example")
    opened = await desk.threads.open(customer="ada", by=ADA)
    await desk.messages.post(opened.id, "Hello?", author=ADA, respond=False)
    await desk.run_due()
    assert (await desk.board.now()).due == board.Due(late=0, soon=1, since=clock() + timedelta(minutes=10))
    await pass_time(desk, clock, timedelta(minutes=11))
    assert (await desk.board.now()).due.late == 1
    for _ in range(4):
        await desk.viewers.typing(opened.id, by=ana)
        await pass_time(desk, clock, seconds=5)
    await desk.messages.post(opened.id, "Yes?", author=ana)
    await pass_time(desk, clock, timedelta(minutes=2))
    period = await desk.board.period()
    assert (period.worked, period.costs) == (timedelta(seconds=20), (Cost(currency="EUR", people=20),))
    assert (await desk.board.now()).due == board.Due(late=0, soon=0, since=None)
