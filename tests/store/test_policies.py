"""Policies and followers on both engines: what leads decide, and who acts on what happens, once."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from deskmate import Desk, Operator, Role, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import Event
from deskmate.domain.rates import Rate
from deskmate.errors import Conflict, Forbidden, Invalid, NotFound
from deskmate.services.following import Following, Reaction
from deskmate.store.base import Tx
from deskmate.testing import FakeClock

HOUR = {"currency": "EUR", "per_hour": 4200}


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


async def test_a_policy_is_kept_by_kind_and_name_and_its_rules_are_checked(desk: Desk, lea: Operator) -> None:
    made = await desk.policies.put("rate", "people", HOUR, by=lea)
    assert isinstance(made.rules, Rate)
    await desk.policies.put("rate", "people", HOUR | {"per_hour": 5000}, by=lea)
    assert [policy.rules for policy in await desk.policies.list("rate")] == [Rate(currency="EUR", per_hour=5000)]
    for wrong, field in (({"currency": "euro", "per_hour": 1}, "rules.currency"), (HOUR | {"per_day": 1}, "rules.per_day")):
        with pytest.raises(Invalid) as refused:
            await desk.policies.put("rate", "people", wrong, by=lea)
        assert refused.value.field == field
    with pytest.raises(NotFound):
        await desk.policies.list("weather")
    await desk.policies.delete("rate", "people", by=lea)
    with pytest.raises(NotFound):
        await desk.policies.get("rate", "people")


async def test_each_change_is_an_event_that_says_what_was_decided(desk: Desk, lea: Operator) -> None:
    await desk.policies.put("rate", "people", HOUR, by=lea)
    await desk.policies.delete("rate", "people", by=lea)
    changes = [seen.event for seen in await desk.feed.read(by=SYSTEM) if seen.event.type == "policy.changed"]
    assert [change.data for change in changes] == [
        {"kind": "rate", "name": "people", "rules": HOUR | {"operators": [], "queues": []}},
        {"kind": "rate", "name": "people", "deleted": True},
    ]
    assert changes[0].actor.id == lea.id


async def test_operators_read_policies_and_leads_decide_them(desk: Desk, lea: Operator) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@shop.example")
    with pytest.raises(Forbidden):
        await desk.policies.put("rate", "people", HOUR, by=ana)
    assert await desk.policies.list("rate", by=ana) == ()


async def test_a_queue_goes_by_policies_that_exist(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.queues.change("support", chain="nobody")
    assert refused.value.field == "chain"
    assert (await desk.queues.get("support")).chain is None


class Counting:
    """A follower that counts what it was shown, in its transaction."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.fails = False

    async def react(self, tx: Tx, events: Sequence[Event]) -> None:
        if self.fails:
            raise Conflict("not now")
        self.seen += [event.seq for event in events]


async def test_each_event_is_followed_once_in_its_order_by_whichever_process_is_faster(desk: Desk) -> None:
    mine, yours = Counting(), Counting()
    both = [Following(desk._store, {"clocks": one.react}) for one in (mine, yours)]
    threads = [await desk.threads.open(customer=f"c{number}", by=customer(f"c{number}")) for number in range(20)]
    await asyncio.gather(*(one.catch_up() for one in both for _ in range(3)))
    assert not await both[0].behind()
    events = [seen.event.seq for seen in await desk.feed.read(by=SYSTEM)]
    assert len(events) >= len(threads)
    assert sorted(set(mine.seen + yours.seen)) == events


async def test_a_follower_that_fails_holds_up_no_other_and_loses_nothing(desk: Desk) -> None:
    bad, good = Counting(), Counting()
    bad.fails = True
    reactions: dict[str, Reaction] = {"clocks": bad.react, "webhooks": good.react}
    following = Following(desk._store, reactions)
    await desk.threads.open(customer="ada", by=customer("ada"))
    await following.catch_up()
    assert good.seen
    assert bad.seen == []
    bad.fails = False
    await following.catch_up()
    assert bad.seen == good.seen
