"""Saved views on both engines: one's own are nobody else's, shared ones belong to leads."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deskmate import Desk, Operator, Role, customer, service
from deskmate.domain.views import CHOICES
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services.inbox import Sort, Tab

FILTERS = {
    "assignment": "unassigned", "status": "all", "queue": "bills", "kind": "approval", "priority": "urgent", "tag": "late",
    "q": "tent", "sort": "due",
}  # fmt: skip


@pytest.fixture
async def desk(store_url: str) -> AsyncIterator[Desk]:
    desk = Desk(store_url)
    yield desk
    await desk.close()


@pytest.fixture
async def people(desk: Desk) -> tuple[Operator, Operator, Operator]:
    ana = await desk.operators.add(name="Ana", email="ana@shop.example", role=Role.OBSERVER)
    ben = await desk.operators.add(name="Ben", email="ben@shop.example")
    return ana, ben, await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


async def test_a_view_of_ones_own_is_nobody_elses(desk: Desk, people: tuple[Operator, Operator, Operator]) -> None:
    ana, ben, lea = people
    mine = await desk.views.add(name="Late", filters={**FILTERS, "tag": None}, by=ana)
    assert (mine.owner, mine.shared, mine.filters) == (ana.id, False, {k: v for k, v in FILTERS.items() if k != "tag"})
    changed = await desk.views.change(mine.id, filters=FILTERS, by=ana)
    assert (await desk.views.list(by=ana)).items == (changed,)
    for other in (ben, lea, service("robot")):
        assert (await desk.views.list(by=other)).items == ()
        for write in (desk.views.change(mine.id, name="Mine", by=other), desk.views.delete(mine.id, by=other)):
            with pytest.raises(NotFound):
                await write
    await desk.views.delete(mine.id, by=ana)
    assert (await desk.views.list(by=ana)).items == ()


async def test_leads_share_views_and_everybody_reads_them(desk: Desk, people: tuple[Operator, Operator, Operator]) -> None:
    ana, ben, lea = people
    own = await desk.views.add(name="Own", filters={}, by=lea)
    shared = await desk.views.change(own.id, shared=True, by=lea)
    programs = await desk.views.add(name="From a program", filters={}, shared=True, by=service("robot"))
    assert (await desk.views.list(by=ben)).items == (shared, programs)
    mine = await desk.views.add(name="Mine", filters={}, by=ben)
    for write in (
        desk.views.add(name="For all", filters={}, shared=True, by=ben),
        desk.views.change(mine.id, shared=True, by=ben),
        desk.views.change(shared.id, name="Ben's", by=ben),
        desk.views.delete(shared.id, by=ana),
        desk.views.add(name="Nobody's", filters={}, by=service("robot")),
        desk.views.change(programs.id, shared=False, by=lea),
        desk.views.list(by=customer("ada")),
    ):
        with pytest.raises(Forbidden):
            await write
    assert (await desk.views.change(shared.id, shared=False, by=lea)).shared is False
    assert (await desk.views.list(by=ben)).items == (programs, mine)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, "nothing") for name in CHOICES]
    + [("status", 1), ("queue", ""), ("q", "x" * 201), ("tag", ["a"]), ("q", "a\x00"), ("colour", "red"), ("cursor", "x")],
)
async def test_a_filter_that_the_inbox_does_not_have_is_refused(
    desk: Desk, people: tuple[Operator, Operator, Operator], name: str, value: Any
) -> None:
    ana = people[0]
    kept = await desk.views.add(name="Kept", filters=FILTERS, by=ana)
    for write in (
        desk.views.add(name="New", filters={"status": "open", name: value}, by=ana),
        desk.views.change(kept.id, filters={name: value}, by=ana),
    ):
        with pytest.raises(Invalid) as refused:
            await write
        assert refused.value.field == f"filters.{name}"
    assert (await desk.views.list(by=ana)).items == (kept,)


def test_a_view_can_have_every_tab_and_order_of_the_inbox() -> None:
    assert set(CHOICES["assignment"]) == set(Tab)
    assert set(CHOICES["sort"]) >= set(Sort)
