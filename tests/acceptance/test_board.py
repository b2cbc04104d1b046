"""The board through the public door: who may look, and what they see."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from tests.acceptance.doors import Front, Person, refused
from tests.store.board_day import SHOP, agents, plant

from deskmate import Desk
from deskmate.server.records import moment
from deskmate.testing import FakeClock

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Planted:
    """The day that was planted: it ended just now."""

    since: datetime

    @property
    def span(self) -> dict[str, str]:
        return {"since": self.since.isoformat(), "until": (self.since + 4 * HOUR).isoformat()}


@pytest.fixture
async def planted(store_url: str) -> Planted:
    since = datetime.now(UTC).replace(microsecond=0) - 4 * HOUR
    clock = FakeClock(since)
    async with Desk.open(store_url, agents=agents(), clock=clock, work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        await plant(desk, clock, ana)
    return Planted(since)


async def test_the_team_sees_which_agents_tool_makes_half_of_all_escalations(front: Front, planted: Planted, lea: Person) -> None:
    observer, operator = await front.operator("Oda", role="observer"), await front.operator("Ben")
    for person in (lea, observer, operator, front.admin):
        period = (await person.get("/api/board", **planted.span))["period"]
        cause = period["escalations"]["causes"][0]
        assert (cause["agent"], cause["tool"], cause["count"], cause["share"]) == (SHOP, "refund_order", 6, 0.5)
        assert len(cause["threads"]) == 6
        assert cause["threads"][0]["subject"] == "Refund"
    assert (period["since"], period["step_seconds"], len(period["threads"]["steps"])) == (moment(planted.since), 3600, 4)
    whole = period["threads"]
    assert (whole["count"], whole["ai"], whole["people"], whole["escalated"]) == (20, 8, 4, 12)
    assert (period["waits"]["median_seconds"], period["waits"]["p90_seconds"]) == (1500.0, 2400.0)
    assert [step["count"] for step in period["waits"]["steps"]] == [1, 1, 1, 1]
    assert period["failures"]["causes"][0]["agent"] == "faq-agent"


async def test_now_says_what_waits_and_who_is_there(front: Front, planted: Planted) -> None:
    now = (await front.admin.get("/api/board"))["now"]
    assert now["threads"] == {"waiting": 12, "waiting_since": moment(planted.since)}
    [queue] = now["queues"]
    assert (queue["name"], queue["open"], queue["opens_at"], queue["waiting"]) == ("support", True, None, 6)
    assert queue["waiting_since"] == moment(planted.since)
    assert [(one["kind"], one["waiting"]) for one in now["requests"]] == [("escalation", 8)]
    assert [one["under"] for one in now["approvals"]] == [300, 1800, 7200, 86400, None]
    assert [(one["name"], one["threads"]) for one in now["operators"]] == [("Ana", 4)]


async def test_customers_are_refused_and_a_program_that_reads_usage_learns_of_no_thread(front: Front, planted: Planted) -> None:
    customer, program, other = await front.visitor(), await front.program("usage:read"), await front.program("requests:ask")
    refused(await front.client().get("/api/board"), 401)
    for person in (customer, other):
        assert "refund" not in str(refused(await person.client.get("/api/board"), 403, "forbidden"))
    board = await program.get("/api/board", **planted.span)
    assert board["period"]["escalations"]["count"] == 12
    assert "Ada Lund" not in str(board)
    assert board["period"]["escalations"]["causes"][0]["threads"] == []


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"since": "yesterday"}, 422, "since"),
        ({"since": "2026-01-05T09:00:00"}, 422, "since"),
        ({"since": "2026-01-06T00:00:00Z", "until": "2026-01-05T00:00:00Z"}, 422, "until"),
        ({"since": "2020-01-01T00:00:00Z"}, 422, "since"),
        ({"since": "9999-12-31T23:59:59Z"}, 422, "until"),
        ({"until": "0001-01-01T00:00:00Z"}, 422, "until"),
        ({"queue": "nowhere"}, 404, "queue"),
        ({"queue": "x" * 101}, 422, "queue"),
        ({"queue": ""}, 422, "queue"),
    ],
)
async def test_a_period_or_a_queue_that_is_none_is_refused(front: Front, query: dict[str, str], status: int, field: str) -> None:
    problem = refused(await front.admin.client.get("/api/board", params=query), status)
    assert problem.get("field", field) == field
