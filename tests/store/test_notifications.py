"""Notifications: who is told, once, over which channel; what is sent is sent by one process, and in the end it is sent."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deskmate import Desk, Visibility, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.notifications import DELAYS, Channel, NotificationState, Word
from deskmate.domain.operators import Operator
from deskmate.domain.threads import Status
from deskmate.errors import Conflict, Forbidden, NotFound
from deskmate.services.notifications import notify
from deskmate.services.notifying import AT_ONCE, LEASE
from deskmate.testing import FakeClock, ScriptedAgent, pass_time

ADA = customer("ada", "Ada")
HOUR = timedelta(hours=1)
MAIL = {"kinds": ["*"], "to": "queue", "channels": ["email"]}


class Pigeons:
    """A channel that keeps what it is given, and raises while it is `ill`."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.tries = 0
        self.at_once = self.most = 0
        self.ill = False
        self.hold: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def __call__(self, word: Word, /) -> None:
        self.tries += 1
        self.begun.set()
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await (self.hold.wait() if self.hold is not None else asyncio.sleep(0))
        finally:
            self.at_once -= 1
        if self.ill:
            raise OSError("no wind")
        self.words.append(word)

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(word.operator.name, word.notification.kind) for word in self.words]


@pytest.fixture
def pigeons() -> Pigeons:
    return Pigeons()


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, pigeons: Pigeons) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as desk:
        desk.notifier.register(Channel.EMAIL, pigeons)
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def ben(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ben", email="ben@shop.example", queues=["billing"])


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role="lead", queues=["billing"])


async def tell(desk: Desk, *operators: Operator, **more: Any) -> list[str]:
    facts = {"key": "k", "kind": "chain.page", "text": "Somebody waits"} | more
    return await desk._store.write(lambda tx: notify(tx, [one.id for one in operators], **facts))  # pyright: ignore[reportPrivateUsage]


async def sent(desk: Desk) -> list[str]:
    """The types of the events of notifications, in their order."""
    return [seen.event.type for seen in await desk.feed.read(by=SYSTEM) if seen.event.type.startswith("notification.")]


async def told(desk: Desk, operator: Operator) -> list[str]:
    return [one.kind for one in (await desk.notifications.list(by=operator)).page.items]


# Who


async def test_nobody_is_told_the_same_twice_over_one_channel(desk: Desk, ana: Operator, ben: Operator):
    assert await tell(desk, ana, ana) == [ana.id]
    assert await tell(desk, ana, ben) == [ben.id]
    assert await tell(desk, ana, channels=[Channel.INBOX, Channel.EMAIL]) == [ana.id]
    assert await tell(desk, ana, key="another") == [ana.id]
    assert len(await told(desk, ana)) == 2
    assert (await desk.notifications.list(by=ana)).unread == 2


async def test_two_who_tell_the_same_at_once_tell_it_once(store_url: str, desk: Desk, clock: FakeClock, ana: Operator):
    async with Desk.open(store_url, clock=clock, work=False) as other:
        results = await asyncio.gather(*(tell(one, ana) for one in (desk, other) * 5))
    assert sorted(results) == [[]] * 9 + [[ana.id]]
    assert await sent(desk) == ["notification.sent"]


async def test_who_has_left_is_told_nothing(desk: Desk, ana: Operator, ben: Operator, pigeons: Pigeons):
    await tell(desk, ben, channels=[Channel.EMAIL])
    for one in (ana, ben):
        await desk.operators.disable(one.id)
    assert await tell(desk, ana) == []
    await desk.run_due()
    assert pigeons.tries == 0


@pytest.mark.parametrize(
    ("to", "expected"),
    [("queue", ["Ana", "Ben", "Lea"]), ("leads", ["Lea"]), ("holder", []), ("ana", ["Ana"])],
)
async def test_a_request_is_told_to_those_whom_policies_name(
    desk: Desk, ana: Operator, ben: Operator, lea: Operator, pigeons: Pigeons, to: str, expected: list[str]
):
    await desk.operators.add(name="Obs", email="obs@shop.example", role="observer")
    await desk.operators.add(name="Zoe", email="zoe@shop.example", queues=["tents"])
    await desk.policies.put("notification", "mail", MAIL | {"to": [ana.id] if to == "ana" else to})
    await desk.requests.ask("Is it?", queue="billing")
    await desk.run_due()
    assert sorted(name for name, _ in pigeons.told) == expected


async def test_without_a_policy_nobody_is_told_of_requests_but_who_wants_to_be(
    desk: Desk, ana: Operator, ben: Operator, pigeons: Pigeons
):
    await desk.notifications.prefer({"channels": {"request.opened": ["email"]}}, by=ana)
    await desk.notifications.prefer({"channels": {"request.opened": ["email"]}}, by=ben)
    await desk.requests.ask("Is it?")
    await desk.run_due()
    assert pigeons.told == [("Ana", "request.opened")]  # Ben does not work this queue


async def test_nobody_is_told_of_what_they_did_themselves(desk: Desk, ana: Operator, pigeons: Pigeons):
    other = await desk.operators.add(name="Eve", email="eve@shop.example")
    await desk.policies.put("notification", "mail", MAIL)
    await desk.requests.ask("Is it?", by=ana.actor())
    await desk.run_due()
    assert pigeons.told == [(other.name, "request.opened")]


async def test_a_thread_that_waits_is_told_once_with_the_request_by_which_it_was_escalated(
    desk: Desk, ana: Operator, pigeons: Pigeons
):
    await desk.policies.put("notification", "mail", MAIL)
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "A person, please", author=ADA, respond=False)
    await desk.escalations.escalate(thread, by=ADA)
    await desk.run_due()
    assert len(pigeons.told) == 1
    lea = await desk.operators.add(name="Lea", email="l@shop.example", role="lead")
    await desk.assignments.assign(thread, f"operator:{lea.id}", by=lea)
    await desk.run_due()
    assert len(pigeons.told) == 1
    await desk.assignments.assign(thread, "queue:support", by=lea)
    await desk.run_due()
    assert pigeons.told[1:] == [("Ana", "thread.waiting")]


async def test_what_is_over_before_it_is_told_is_not_told(desk: Desk, ana: Operator, pigeons: Pigeons):
    await desk.policies.put("notification", "mail", MAIL | {"channels": ["inbox", "email"]})
    request = await desk.requests.ask("Is it?")
    await desk.requests.answer(request.id, "Yes", by=ana)
    await desk.run_due()
    assert (pigeons.tries, await told(desk, ana)) == (0, [])


# When


@pytest.mark.parametrize("ends", ["the request is answered", "the thread is resolved", "somebody answers", "it is deleted"])
async def test_a_word_whose_matter_is_over_is_dropped(desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons, ends: str):
    await desk.notifications.prefer({"quiet": {"zone": "UTC", "from": "08:00", "until": "12:00"}}, by=ana)
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "Hello", author=ADA, respond=False)
    await desk.assignments.assign(thread, "queue:support", by=SYSTEM)
    request = await desk.requests.ask("Is it?", thread=thread)
    about = {"thread": thread, "request": request.id if ends == "the request is answered" else None}
    await tell(desk, ana, channels=[Channel.EMAIL], **about)
    await pass_time(desk, clock, HOUR)
    match ends:
        case "the request is answered":
            await desk.requests.answer(request.id, "Yes", by=ana)
        case "the thread is resolved":
            await desk.threads.change(thread, status=Status.RESOLVED, by=ana)
        case "somebody answers":
            await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
            await desk.messages.post(thread, "Here I am", author=ana.actor())
        case _:
            await desk.threads.delete(thread)
    await pass_time(desk, clock, 3 * HOUR)
    assert pigeons.tries == 0
    assert "notification.failed" not in await sent(desk)


async def test_a_process_that_wakes_in_quiet_hours_waits_for_their_end(
    desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons
):
    await tell(desk, ana, channels=[Channel.EMAIL])
    await desk.notifications.prefer({"quiet": {"zone": "UTC", "from": "09:00", "until": "12:00"}}, by=ana)
    await pass_time(desk, clock, 3 * HOUR - timedelta(seconds=1))
    assert pigeons.tries == 0
    await pass_time(desk, clock, seconds=1)
    assert len(pigeons.words) == 1


async def test_a_try_that_falls_into_quiet_hours_is_made_when_they_end(
    desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons
):
    await desk.notifications.prefer({"quiet": {"zone": "UTC", "from": "09:10", "until": "12:00"}}, by=ana)
    pigeons.ill = True
    await tell(desk, ana, channels=[Channel.EMAIL])
    await pass_time(desk, clock, timedelta(minutes=10))
    assert pigeons.tries == 3
    pigeons.ill = False
    await pass_time(desk, clock, timedelta(hours=2, minutes=49))
    assert pigeons.tries == 3
    await pass_time(desk, clock, timedelta(minutes=1))
    assert len(pigeons.words) == 1


@pytest.mark.parametrize(
    ("night", "morning"), [("2026-03-28T22:00", "2026-03-29T06:00"), ("2026-10-24T22:00", "2026-10-25T07:00")]
)
async def test_quiet_ends_at_eight_in_the_morning_after_the_night_in_which_clocks_change(
    desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons, night: str, morning: str
):
    quiet = {"zone": "Europe/Paris", "from": "20:00", "until": "08:00"}
    await desk.policies.put("notification", "nights", MAIL | {"quiet": quiet})
    clock.set(datetime.fromisoformat(night).replace(tzinfo=UTC))
    ends = datetime.fromisoformat(morning).replace(tzinfo=UTC)
    await tell(desk, ana)
    await tell(desk, ana, key="now", urgent=True)
    await pass_time(desk, clock, ends - clock() - timedelta(milliseconds=1))
    assert [word.notification.key for word in pigeons.words] == ["now"]
    await pass_time(desk, clock, timedelta(milliseconds=1))
    assert [word.notification.key for word in pigeons.words] == ["now", "k"]


# Once, and in the end


async def test_tries_come_farther_apart_and_the_last_one_is_visible(
    desk: Desk, ana: Operator, lea: Operator, clock: FakeClock, pigeons: Pigeons
):
    pigeons.ill = True
    await tell(desk, ana, channels=[Channel.EMAIL])
    for number, delay in enumerate(DELAYS, 1):
        await desk.run_due()
        assert pigeons.tries == number
        await pass_time(desk, clock, delay - timedelta(milliseconds=1))
        assert pigeons.tries == number
        clock.advance(timedelta(milliseconds=1))
    await desk.run_due()
    await pass_time(desk, clock, timedelta(days=7))
    assert pigeons.tries == len(DELAYS) + 1
    assert await sent(desk) == ["notification.failed"]
    [dead] = (await desk.notifications.list(failed=True, by=lea)).page.items
    assert (dead.state, dead.error) == (NotificationState.DEAD, "OSError: no wind")
    with pytest.raises(Forbidden):
        await desk.notifications.retry(dead.id, by=ana)
    with pytest.raises(NotFound):
        await desk.notifications.retry("ntf_unknown", by=lea)
    pigeons.ill = False
    await desk.notifications.retry(dead.id, by=lea)
    with pytest.raises(Conflict):
        await desk.notifications.retry(dead.id, by=lea)
    await desk.run_due()
    assert [word.notification.id for word in pigeons.words] == [dead.id]
    assert await sent(desk) == ["notification.failed", "notification.sent"]


async def test_two_processes_send_one_word_once(store_url: str, desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons):
    async with Desk.open(store_url, clock=clock, work=False) as other:
        other.notifier.register(Channel.EMAIL, pigeons)
        for number in range(20):
            await tell(desk, ana, key=str(number), channels=[Channel.EMAIL])
        await asyncio.gather(*(one.run_due() for one in (desk, other) * 2))
        await pass_time(desk, clock, timedelta(minutes=1))  # Those for which there was no room at that moment.
    assert sorted(word.notification.key for word in pigeons.words) == sorted(map(str, range(20)))
    assert (await sent(desk)).count("notification.sent") == 20


async def test_what_a_process_was_sending_when_it_ended_is_sent_by_another_when_its_time_is_over(
    store_url: str, desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons
):
    pigeons.hold = asyncio.Event()
    await tell(desk, ana, channels=[Channel.EMAIL])
    sending = asyncio.create_task(desk.run_due())
    await asyncio.wait_for(pigeons.begun.wait(), 10)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    second = Pigeons()
    async with Desk.open(store_url, clock=clock, work=False) as other:
        other.notifier.register(Channel.EMAIL, second)
        await pass_time(other, clock, LEASE - timedelta(seconds=1))
        assert second.tries == 0
        await pass_time(other, clock, seconds=20)
        assert [word.notification.attempts for word in second.words] == [2]
    assert await sent(desk) == ["notification.sent"]


async def test_a_word_whose_job_was_lost_is_reported_and_sent(
    desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons, caplog: pytest.LogCaptureFixture
):
    await tell(desk, ana, channels=[Channel.EMAIL])
    [word] = await desk._store.read(lambda tx: tx.all("notifications.overdue", before=2**62))  # pyright: ignore[reportPrivateUsage]
    await desk._store.write(lambda tx: tx.run("jobs.cancel", kind="notification", ref=word["id"]))  # pyright: ignore[reportPrivateUsage]
    clock.advance(seconds=61)
    with caplog.at_level(logging.WARNING, "deskmate.notifications"):
        await desk.run_due()
    assert "1 notifications were overdue by more than a minute" in caplog.text
    assert len(pigeons.words) == 1


async def test_a_channel_that_nobody_has_set_up_is_no_secret(desk: Desk, ana: Operator, clock: FakeClock, lea: Operator):
    await tell(desk, ana, channels=[Channel.SLACK])
    await pass_time(desk, clock, timedelta(days=1))
    [dead] = (await desk.notifications.list(failed=True, by=lea)).page.items
    assert dead.error == "Misconfigured: nothing is set up here that sends slack"


async def test_a_crowd_of_words_is_sent_a_few_at_a_time(desk: Desk, ana: Operator, clock: FakeClock, pigeons: Pigeons):
    for number in range(60):
        await tell(desk, ana, key=str(number), channels=[Channel.EMAIL])
    pigeons.hold = asyncio.Event()
    sending = asyncio.create_task(desk.run_due())
    await asyncio.wait_for(pigeons.begun.wait(), 10)
    pigeons.hold.set()
    await sending
    assert AT_ONCE <= len(pigeons.words) < 60
    await pass_time(desk, clock, timedelta(seconds=30))
    assert len(pigeons.words) == 60
    assert pigeons.most <= AT_ONCE


# What belongs to a thread


async def test_notes_and_drafts_are_in_no_word(desk: Desk, ana: Operator, pigeons: Pigeons):
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "Hello", author=ADA, respond=False)
    await desk.messages.post(thread, "SECRET", author=ana.actor(), visibility=Visibility.NOTE)
    await tell(desk, ana, channels=[Channel.EMAIL], thread=thread, kind="mention")
    await desk.run_due()
    [word] = pigeons.words
    assert [message.text for message in word.messages] == ["Hello"]
    assert (word.link, word.answers) == (None, ())  # no address of the desk is set


async def test_a_deleted_thread_takes_its_words_and_links_with_it(store_url: str, clock: FakeClock, pigeons: Pigeons):
    async with Desk.open(store_url, clock=clock, work=False) as desk:
        desk.notifier._public_url = "https://desk.example"  # pyright: ignore[reportPrivateUsage]
        desk.notifier.register(Channel.EMAIL, pigeons)
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        await desk.policies.put("notification", "mail", MAIL | {"channels": ["inbox", "email"]})
        request = await desk.requests.ask("Is it?")
        await desk.run_due()
        [word] = pigeons.words
        token = word.answers[0].url.rpartition("/")[2]
        assert (await desk.answer_links.look(token)).request.id == request.id
        await desk.threads.delete(request.thread)
        with pytest.raises(NotFound):
            await desk.answer_links.look(token)
        assert (await desk.notifications.list(by=ana)).page.items == ()


async def test_the_list_comes_in_pages_newest_first_and_everybody_reads_their_own(
    desk: Desk, ana: Operator, ben: Operator, clock: FakeClock
):
    for number in range(5):
        clock.advance(seconds=1)
        await tell(desk, ana, key=str(number), text=str(number))
    first = await desk.notifications.list(limit=3, by=ana)
    second = await desk.notifications.list(limit=3, cursor=first.page.cursor, by=ana)
    assert [one.text for one in (*first.page.items, *second.page.items)] == ["4", "3", "2", "1", "0"]
    assert (first.unread, second.page.cursor) == (5, None)
    assert await desk.notifications.read([first.page.items[0].id], by=ben) == 0
    assert await desk.notifications.read([first.page.items[0].id], by=ana) == 4
    assert await desk.notifications.read(by=ana) == 0
    with pytest.raises(Forbidden):
        await desk.notifications.list(by=ADA)
