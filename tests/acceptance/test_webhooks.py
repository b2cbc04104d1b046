"""Webhooks through the public doors, against a receiver that is in a bad mood: at least once, signed, with a stable id."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError
from tests.acceptance.doors import ADMIN_KEY, Front, Person, refused
from tests.acceptance.receiver import OK, Receiver, receiving

from deskmate import Desk, Settings, customer
from deskmate.domain.actors import SYSTEM
from deskmate.testing import FakeClock, ScriptedAgent, asking, pass_time

Json = dict[str, Any]
PRIVATE = Settings(admin_key=ADMIN_KEY, rate_limits=False, webhooks_private=True, public_url="https://desk.shop.example")


@pytest.fixture
def settings() -> Settings:
    return PRIVATE


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def still(store_url: str, agent: ScriptedAgent, clock: FakeClock) -> AsyncIterator[Desk]:
    """A desk whose time stands still: nothing is sent unless the test says so."""
    async with Desk.open(store_url, agents=[agent], settings=PRIVATE, clock=clock, work=False) as desk:
        yield desk


async def made(front: Front, receiver: Receiver, **facts: Any) -> Json:
    return await front.admin.post("/api/webhooks", url=receiver.url, allow_private=True, **facts)


async def test_an_event_arrives_signed_with_its_records_and_a_link(
    front: Front, receiver: Receiver, agent: ScriptedAgent, ada: Person
) -> None:
    webhook = await made(front, receiver, events=["request.*"], description="The shop's own program")
    assert webhook["secret"].startswith("whsec_")
    assert "secret" not in await front.admin.get(f"/api/webhooks/{webhook['id']}")
    agent.script = asking("Is the Lyon shop open on Monday?")
    thread = await ada.thread(subject="Hours")
    await ada.say(thread, "Are you open?")
    [one] = await receiver.got(1)
    message = one.verify(webhook["secret"])
    with pytest.raises(WebhookVerificationError):
        one.verify("whsec_" + "A" * 43 + "=")
    data = message["data"]
    assert message["type"] == data["event"]["type"] == "request.opened"
    assert message["timestamp"] == data["event"]["at"]
    assert (data["event"]["thread"], data["event"]["thread_seq"] > 0, data["event"]["seq"] > 0) == (thread, True, True)
    assert (data["request"]["question"], data["request"]["agent"]) == ("Is the Lyon shop open on Monday?", "scripted")
    assert data["thread"]["subject"] == "Hours"
    assert [said["text"] for said in data["messages"]] == ["Are you open?"]
    assert data["link"] == f"https://desk.shop.example/inbox/threads/{thread}"
    assert one.headers["content-type"] == "application/json"
    assert one.headers["host"] == receiver.url.split("/")[2]


async def test_each_event_arrives_once_where_all_is_well(front: Front, receiver: Receiver, ada: Person) -> None:
    await made(front, receiver, events=["message.posted"])
    thread = await ada.thread()
    for number in range(20):
        await ada.say(thread, f"Word {number}", respond=False)
    came = await receiver.got(20)
    assert len({one.id for one in came}) == len(came) == 20
    texts = {one.json["data"]["event"]["data"]["message"]["text"] for one in came}
    assert texts == {f"Word {number}" for number in range(20)}
    assert receiver.most_at_once <= 4


MOODS = {
    "an error": b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    "nothing": "close",
    "half an answer": "half",
    "no HTTP": b"SSH-2.0-OpenSSH_9.7\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000,
}


@pytest.mark.parametrize("bad", MOODS)
async def test_what_fails_is_tried_again_with_the_same_id_until_it_arrives(
    still: Desk, clock: FakeClock, receiver: Receiver, bad: str
) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: MOODS[bad] if len(receiver.received) <= 2 else OK
    await still.threads.open(customer="ada")
    await pass_time(still, clock, timedelta(minutes=1))
    assert len(receiver.received) == 3
    assert len({one.id for one in receiver.received}) == 1
    for one in receiver.received:
        assert one.verify(new.secret)["type"] == "thread.opened"
    [delivery] = (await still.webhooks.deliveries(new.webhook.id)).items
    assert (delivery.state, delivery.id) == ("delivered", receiver.received[0].id)
    assert [attempt.error is None for attempt in delivery.attempts] == [False, False, True]
    assert delivery.attempts[1].at - delivery.attempts[0].at < timedelta(seconds=6)
    assert (await still.webhooks.get(new.webhook.id)).failing_since is None


async def test_a_huge_answer_is_left_in_the_middle_and_counts(still: Desk, receiver: Receiver) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: "huge"
    await still.threads.open(customer="ada")
    await asyncio.wait_for(still.run_due(), 10)
    [delivery] = (await still.webhooks.deliveries(new.webhook.id)).items
    assert (delivery.state, delivery.attempts[0].status) == ("delivered", 200)


async def test_a_silent_receiver_is_given_up_after_a_while_and_holds_up_no_other(
    still: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(still._outbox._sender, "_total", 0.3)
    slow = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: "silent"
    async with receiving() as quick:
        await still.webhooks.add(quick.url, events=["thread.opened"], allow_private=True)
        for number in range(12):
            await still.threads.open(customer=f"c{number}")
        working = asyncio.create_task(still.run_due())
        await quick.got(4)
        assert not receiver.released.is_set()
        await working
        assert len(quick.received) == 12
    assert receiver.most_at_once == 4
    # Once it has failed there is one message at a time, not four, that keep a place while it is silent.
    states = [one.state for one in (await still.webhooks.deliveries(slow.webhook.id)).items]
    assert set(states) == {"queued"}
    assert "no answer within" in str((await still.webhooks.deliveries(slow.webhook.id)).items[-1].attempts[0].error)


async def test_what_never_arrives_is_dead_is_listed_and_is_replayed(still: Desk, clock: FakeClock, receiver: Receiver) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: MOODS["an error"]
    for number in range(2):
        await still.threads.open(customer=f"c{number}")
    await pass_time(still, clock, timedelta(days=4))
    dead = (await still.webhooks.deliveries(new.webhook.id, state="dead")).items
    assert [len(one.attempts) for one in dead] == [9, 9]
    assert dead[0].attempts[-1].at - dead[0].attempts[0].at > timedelta(hours=22)
    assert len(receiver.received) == 18
    receiver.mood = lambda _: OK
    assert (await still.webhooks.replay(new.webhook.id, dead[0].id)).state in ("queued", "ready")
    await still.run_due()
    assert await still.webhooks.replay_all(new.webhook.id) == 1
    await still.run_due()
    assert {one.id for one in receiver.received[18:]} == {one.id for one in dead}
    assert {one.state for one in (await still.webhooks.deliveries(new.webhook.id)).items} == {"delivered"}
    assert await still.webhooks.replay_all(new.webhook.id) == 0
    assert await still.webhooks.replay_all(new.webhook.id, state=None, since=clock() - timedelta(days=5), until=clock()) == 2


async def test_replay_and_the_state_of_deliveries_over_http(front: Front, receiver: Receiver) -> None:
    webhook = await made(front, receiver)
    path = f"/api/webhooks/{webhook['id']}"
    test = await front.admin.post(f"{path}/test")
    assert (test["type"], test["seq"]) == ("webhook.test", None)
    [tried] = [one for one in await receiver.got(1) if one.json["type"] == "webhook.test"]
    assert tried.verify(webhook["secret"])["data"] == {"webhook": webhook["id"], "description": ""}
    await front.admin.post(f"{path}/replay", state="delivered", since="2026-01-01T00:00:00Z")
    assert refused(await front.admin.client.post(f"{path}/replay", json={"since": "soon"}), 422)["field"] == "since"
    assert refused(await front.admin.client.get(f"{path}/deliveries", params={"state": "lost"}), 422)["field"] == "state"
    refused(await front.admin.client.get(f"{path}/deliveries/msg_none"), 404)
    await front.admin.patch(path, state="disabled", events=["thread.opened"])
    assert (await front.admin.get(path))["reason"] == "an admin has disabled it"
    refused(await front.admin.client.post(f"{path}/test"), 409)
    assert (await front.admin.client.delete(path)).status_code == 204
    refused(await front.admin.client.get(path), 404)


async def test_410_disables_at_once_and_enabled_again_it_gets_what_it_was_owed(still: Desk, receiver: Receiver) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"
    for number in range(10):
        await still.threads.open(customer=f"c{number}")
    await still.run_due()
    found = await still.webhooks.get(new.webhook.id)
    assert (found.state, found.reason) == ("disabled", "it answered 410: it is gone")
    assert len(receiver.received) <= 4
    await still.threads.open(customer="nobody hears of this")
    await still.run_due()
    receiver.mood = lambda _: OK
    before = len(receiver.received)
    await still.webhooks.change(new.webhook.id, state="enabled")
    await still.run_due()
    await still.webhooks.replay_all(new.webhook.id)
    await still.run_due()
    assert len({one.id for one in receiver.received[before:]}) == 10


async def test_days_of_nothing_but_failures_disable_it_with_the_reason(still: Desk, clock: FakeClock, receiver: Receiver) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: MOODS["an error"]
    for _ in range(7):
        await still.threads.open(customer="ada")
        await pass_time(still, clock, timedelta(days=1))
    found = await still.webhooks.get(new.webhook.id)
    assert found.state == "disabled"
    assert found.reason == "every attempt of 5 days has failed, the last one: answered 500"


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(still: Desk, clock: FakeClock, receiver: Receiver) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    rotated = await still.webhooks.rotate(new.webhook.id)
    await still.threads.open(customer="ada")
    await still.run_due()
    [one] = receiver.received
    assert one.verify(new.secret) == one.verify(rotated.secret)
    await pass_time(still, clock, timedelta(hours=24))
    await still.threads.open(customer="ada")
    await still.run_due()
    assert len(receiver.received[1].headers["webhook-signature"].split(" ")) == 1


async def test_a_sender_that_is_killed_is_followed_by_another(
    store_url: str, still: Desk, clock: FakeClock, receiver: Receiver
) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: "silent" if len(receiver.received) == 1 else OK
    await still.threads.open(customer="ada")
    working = asyncio.create_task(still.run_due())
    [first] = await receiver.got(1)
    # It dies in the middle of sending: nothing is written down, nothing is given back.
    async with Desk.open(store_url, settings=PRIVATE, clock=clock, work=False) as second:
        await second.run_due()
        assert len(receiver.received) == 1
        await pass_time(second, clock, timedelta(minutes=1))
        assert [one.id for one in receiver.received] == [first.id] * 2
        [delivery] = (await second.webhooks.deliveries(new.webhook.id)).items
        assert delivery.state == "delivered"
    receiver.released.set()
    await working
    [delivery] = (await still.webhooks.deliveries(new.webhook.id)).items
    assert (delivery.state, len(delivery.attempts)) == ("delivered", 1)


async def test_a_sender_that_is_stopped_gives_back_what_it_was_sending(store_url: str, still: Desk, receiver: Receiver) -> None:
    await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    receiver.mood = lambda _: "silent" if len(receiver.received) == 1 else OK
    async with Desk.open(store_url, settings=PRIVATE) as working:
        await working.threads.open(customer="ada")
        await receiver.got(1)
    async with Desk.open(store_url, settings=PRIVATE):
        assert len({one.id for one in await receiver.got(2)}) == 1


async def test_notes_drafts_and_words_of_the_team_leave_only_to_those_who_are_meant_to_have_them(
    front: Front, receiver: Receiver, agent: ScriptedAgent, ada: Person, ana: Person
) -> None:
    agent.script = asking("Is it?")
    await made(front, receiver)
    async with receiving() as trusted:
        await made(front, trusted, hidden=True)
        thread = await ada.thread()
        await ada.say(thread, "Hello")
        await receiver.got(1)
        await ana.say(thread, "SECRET note", visibility="note")
        await ana.client.put(f"/api/threads/{thread}/unsent", json={"text": "UNSENT words", "visibility": "public"})
        await ana.patch(f"/api/threads/{thread}", tags=["SECRET"], summary="SECRET summary", metadata={"SECRET": 1})
        request = await ana.open_request(thread)
        await ana.answer(request["id"], "No.", review="SECRET review")
        await ana.assign(thread, f"operator:{ana.id}", note="SECRET reason")
        await ana.patch(f"/api/threads/{thread}", mode="review")
        await ana.assign(thread, "ai", note="SECRET hand-back")
        await ada.say(thread, "And now?")
        await ada.say(thread, "The last word", respond=False)

        async def last(of: Receiver) -> None:
            while not any("The last word" in one.body and one.json["type"] == "message.posted" for one in of.received):
                await of.got(len(of.received) + 1)

        await asyncio.wait_for(asyncio.gather(last(receiver), last(trusted)), 20)
        for one in receiver.received:
            assert "SECRET" not in one.body, one.json["type"]
            assert "UNSENT" not in one.body
        assert any("SECRET note" in one.body for one in trusted.received)
        for one in trusted.received:
            said = one.json["data"].get("messages", [])
            assert all(message["visibility"] == "public" and "SECRET" not in message["text"] for message in said)
            assert "UNSENT" not in one.body


async def test_a_draft_stays_here_until_it_is_sent(still: Desk, receiver: Receiver, agent: ScriptedAgent) -> None:
    new = await still.webhooks.add(receiver.url, allow_private=True)
    ana = await still.operators.add(name="Ana", email="ana@shop.example")
    thread = await still.threads.open(customer="ada", mode="review")
    await still.messages.post(thread.id, "Draft this", author=customer("ada"))
    await still.run_due()
    drafts = [one for one in receiver.received if "You said" in one.body]
    assert drafts == []
    asked = [one.json["data"]["request"] for one in receiver.of("request.opened")]
    assert [(one["kind"], "draft" in one) for one in asked] == [("approval", False)]
    await still.requests.approve(asked[0]["id"], by=ana)
    await still.run_due()
    assert any("You said: Draft this" in one.body for one in receiver.received)
    states = {one.state for one in (await still.webhooks.deliveries(new.webhook.id, limit=200)).items}
    assert states <= {"delivered", "withheld"}


async def test_a_webhook_hears_of_its_queues_and_types_only(still: Desk, receiver: Receiver) -> None:
    await still.queues.add(name="billing")
    await still.webhooks.add(receiver.url, events=["thread.*"], queues=["billing"], allow_private=True)
    for queue in ("billing", "support"):
        thread = await still.threads.open(customer=queue)
        await still.assignments.assign(thread.id, f"queue:{queue}", by=SYSTEM)
    await still.run_due()
    assert {one.json["data"]["thread"]["customer"] for one in receiver.received} == {"billing"}
    assert {one.json["type"] for one in receiver.received} <= {"thread.opened", "thread.assigned", "thread.changed"}


async def test_only_admins_have_webhooks_and_bad_ones_are_refused_by_field(front: Front, lea: Person) -> None:
    refused(await lea.client.get("/api/webhooks"), 403)
    url = "https://shop.example/hook"
    bad: list[tuple[Json, str]] = [
        ({"url": "ftp://shop.example"}, "url"),
        ({"url": "https://me:secret@shop.example"}, "url"),
        ({"url": "http://shop.example"}, "url"),
        ({"url": url, "events": ["weather.*"]}, "events"),
        ({"url": url, "queues": [""]}, "queues.0"),
        ({"url": url, "color": "red"}, "color"),
    ]
    for body, field in bad:
        assert refused(await front.admin.client.post("/api/webhooks", json=body), 422)["field"] == field
    assert (await front.admin.get("/api/webhooks"))["items"] == []
