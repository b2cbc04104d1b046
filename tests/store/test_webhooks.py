"""The outbox of webhooks on both engines: nothing is lost or doubled, whoever follows, sends, dies or deletes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from deskmate import Desk, Settings, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.webhooks import Attempt
from deskmate.services import deliveries
from deskmate.services.sending import Outgoing
from deskmate.store.jobs import Job
from deskmate.testing import FakeClock, pass_time

URL = "https://shop.example/hook"


class Wire:
    """Where the messages of a desk go in these tests, instead of to other machines."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.status = 204

    async def send(self, outgoing: Outgoing) -> Attempt:
        self.sent.append(outgoing)
        await asyncio.sleep(0)
        return Attempt(at=outgoing.at, ms=1, status=self.status, error=None if self.status < 300 else f"answered {self.status}")

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.sent]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def desks(store_url: str, clock: FakeClock, wire: Wire) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two processes, as far as the store can tell, on the same wire."""
    async with (
        Desk.open(store_url, clock=clock, settings=Settings(), work=False) as one,
        Desk.open(store_url, clock=clock, settings=Settings(), work=False) as other,
    ):
        for desk in (one, other):
            desk._outbox._sender = wire  # pyright: ignore[reportAttributeAccessIssue]
        yield one, other


async def test_two_processes_owe_and_send_each_event_once(desks: tuple[Desk, Desk], wire: Wire) -> None:
    one, other = desks
    webhooks = [(await one.webhooks.add(f"{URL}/{number}", events=["thread.opened"])).webhook for number in range(3)]
    threads = [await one.threads.open(customer=f"c{number}") for number in range(30)]
    await asyncio.gather(*(desk.run_due() for desk in (one, other) for _ in range(3)))
    await one.run_due()
    assert len(wire.ids) == len(set(wire.ids)) == len(threads) * len(webhooks)
    for webhook in webhooks:
        page = await other.webhooks.deliveries(webhook.id, limit=100)
        assert {delivery.thread for delivery in page.items} == {thread.id for thread in threads}
        assert {delivery.state for delivery in page.items} == {"delivered"}


async def test_a_delivery_that_comes_twice_is_sent_once(desks: tuple[Desk, Desk], wire: Wire) -> None:
    one, other = desks
    webhook = (await one.webhooks.add(URL, events=["thread.opened"])).webhook
    await one.threads.open(customer="ada")
    await one._background.following.catch_up()
    [delivery] = (await one.webhooks.deliveries(webhook.id)).items
    assert delivery.state == "ready"
    jobs = [Job(id="job_1", kind="delivery", ref=delivery.id, lane="", thread=None, attempt=1, lease=name) for name in "ab"]
    await asyncio.gather(one._outbox.send(jobs[0]), other._outbox.send(jobs[1]), one._outbox.send(jobs[0]))
    assert wire.ids == [delivery.id]
    await one.run_due()
    assert wire.ids == [delivery.id]


async def test_what_a_sender_says_after_its_lease_ran_out_changes_nothing(
    desks: tuple[Desk, Desk], clock: FakeClock, wire: Wire
) -> None:
    one, other = desks
    webhook = (await one.webhooks.add(URL, events=["thread.opened"])).webhook
    await one.threads.open(customer="ada")
    await one._background.following.catch_up()
    [delivery] = (await one.webhooks.deliveries(webhook.id)).items
    job = Job(id="job_1", kind="delivery", ref=delivery.id, lane="", thread=None, attempt=1, lease="one")
    outgoing = await one._store.write(lambda tx: one._outbox._take(tx, job))
    assert outgoing is not None
    clock.advance(deliveries.LEASE)
    await other.run_due()
    failed = Attempt(at=clock(), ms=1, error="late")
    await one._store.write(lambda tx: deliveries._record(tx, job, failed))
    [delivery] = (await one.webhooks.deliveries(webhook.id)).items
    assert (delivery.state, [attempt.status for attempt in delivery.attempts]) == ("delivered", [204])
    assert (await one.webhooks.get(webhook.id)).failing_since is None


async def test_a_delivery_whose_job_is_gone_is_found_again(desks: tuple[Desk, Desk], clock: FakeClock, wire: Wire) -> None:
    one, _ = desks
    await one.webhooks.add(URL, events=["thread.opened"])
    for number in range(6):
        await one.threads.open(customer=f"c{number}")
    await one._background.following.catch_up()
    for delivery in (await one.webhooks.deliveries((await one.webhooks.list()).items[0].id)).items:
        await one._store.write(lambda tx, ref=delivery.id: tx.run("jobs.cancel", kind="delivery", ref=ref))
    await one.run_due()
    assert wire.sent == []
    clock.advance(timedelta(minutes=2))
    await one.run_due()
    assert len(set(wire.ids)) == 6


async def test_few_are_on_their_way_at_once_and_a_single_one_while_all_fails(
    desks: tuple[Desk, Desk], clock: FakeClock, wire: Wire
) -> None:
    one, _ = desks
    webhook = (await one.webhooks.add(URL, events=["thread.opened"])).webhook
    for number in range(10):
        await one.threads.open(customer=f"c{number}")
    await one._background.following.catch_up()

    async def ready() -> int:
        return len((await one.webhooks.deliveries(webhook.id, state="ready")).items)

    assert await ready() == 4
    wire.status = 500
    await one.run_due()
    assert len(wire.sent) == 10
    clock.advance(seconds=60)
    await one._background.engine.run_due()
    await one._store.write(lambda tx: deliveries.give_turns(tx, webhook.id))
    assert await ready() == 1
    wire.status = 204
    await one.run_due()
    await pass_time(one, clock, timedelta(minutes=1))
    assert {delivery.state for delivery in (await one.webhooks.deliveries(webhook.id)).items} == {"delivered"}


async def test_what_happened_before_a_webhook_was_made_it_is_not_told(
    desks: tuple[Desk, Desk], clock: FakeClock, wire: Wire
) -> None:
    one, _ = desks
    await one.threads.open(customer="before")
    clock.advance(seconds=1)
    await one.webhooks.add(URL, events=["thread.opened"])
    await one.threads.open(customer="after")
    await one.run_due()
    assert len(wire.sent) == 1
    assert '"customer":"after"' in wire.sent[0].body


async def test_what_belongs_to_a_deleted_thread_is_not_sent_and_that_it_was_deleted_is(
    desks: tuple[Desk, Desk], wire: Wire
) -> None:
    one, _ = desks
    webhook = (await one.webhooks.add(URL, events=["thread.*", "message.*"])).webhook
    thread = await one.threads.open(customer="ada")
    await one.messages.post(thread.id, "SECRET", author=customer("ada"))
    await one._background.following.catch_up()
    assert len((await one.webhooks.deliveries(webhook.id)).items) > 1
    await one.threads.delete(thread.id, by=SYSTEM)
    await one.run_due()
    assert [one.body.count("thread.deleted") > 0 for one in wire.sent] == [True]
    assert "SECRET" not in wire.sent[0].body


async def test_a_webhook_that_is_deleted_while_it_is_sent_to_is_gone(desks: tuple[Desk, Desk], wire: Wire) -> None:
    one, other = desks
    webhook = (await one.webhooks.add(URL, events=["thread.opened"])).webhook
    for number in range(9):
        await one.threads.open(customer=f"c{number}")
    await one._background.following.catch_up()
    await asyncio.gather(one.run_due(), other.webhooks.delete(webhook.id))
    before = len(wire.sent)
    await other.run_due()
    assert len(wire.sent) == before
    assert (await one.webhooks.list()).items == ()


async def test_what_is_long_over_is_forgotten_and_what_is_owed_is_not(
    desks: tuple[Desk, Desk], clock: FakeClock, wire: Wire
) -> None:
    one, _ = desks
    webhook = (await one.webhooks.add(URL, events=["thread.opened"])).webhook
    await one.threads.open(customer="ada")
    await one.run_due()
    await one.webhooks.change(webhook.id, state="enabled")
    clock.advance(timedelta(days=31))
    await one.threads.open(customer="bob")
    await one.run_due()
    assert len((await one.webhooks.deliveries(webhook.id)).items) == 1


async def test_each_change_is_an_event_that_names_no_secret(desks: tuple[Desk, Desk]) -> None:
    one, _ = desks
    made = await one.webhooks.add(URL)
    rotated = await one.webhooks.rotate(made.webhook.id)
    await one.webhooks.change(made.webhook.id, description="The shop")
    await one.webhooks.change(made.webhook.id, state="disabled")
    await one.webhooks.delete(made.webhook.id)
    changes = [seen.event for seen in await one.feed.read(by=SYSTEM) if seen.event.type == "webhook.changed"]
    assert [change.data["changed"] for change in changes] == ["added", "rotated", "changed", "disabled", "deleted"]
    assert "whsec_" not in str(changes)
    assert "whsec_" not in repr((made, rotated, replace(made.webhook, description="")))
