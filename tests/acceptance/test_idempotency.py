"""Idempotency keys: a write that is repeated is done once, and rate limits tell when to come back."""

import asyncio
from dataclasses import replace

from tests.acceptance.doors import Front, Person, done, open_front, refused, serving

from deskmate import Desk, Settings
from deskmate.testing import ScriptedAgent


async def test_the_same_key_gives_the_same_message_and_another_body_is_refused(front: Front, ada: Person):
    thread = await ada.thread()
    first = await ada.say(thread, "Hello", idempotency_key="k1", respond=False)
    assert await ada.say(thread, "Hello", idempotency_key="k1", respond=False) == first
    by_header = await ada.client.post(
        f"/api/threads/{thread}/messages", json={"text": "Hello", "respond": False}, headers={"Idempotency-Key": "k1"}
    )
    assert done(by_header, 201) == first
    other = await ada.client.post(f"/api/threads/{thread}/messages", json={"text": "Bye", "idempotency_key": "k1"})
    assert refused(other, 409, "key_reused")["field"] == "idempotency_key"
    both = await ada.client.post(
        f"/api/threads/{thread}/messages", json={"text": "Hello", "idempotency_key": "k1"}, headers={"Idempotency-Key": "k2"}
    )
    refused(both, 422, "invalid")
    assert [message["text"] for message in await ada.messages(thread)] == ["Hello"]


async def test_a_key_belongs_to_its_actor(front: Front, ada: Person, ana: Person):
    bob = await front.visitor()
    hers, his = await ada.thread(), await bob.thread()
    one = await ada.say(hers, "Hello", idempotency_key="k", respond=False)
    two = await bob.say(his, "Hi", idempotency_key="k", respond=False)
    three = await ana.say(hers, "Hey", idempotency_key="k")
    assert len({one["id"], two["id"], three["id"]}) == 3


async def test_twenty_repetitions_at_once_store_one_message(front: Front, agent: ScriptedAgent, ada: Person):
    thread = await ada.thread()
    async with ada.listening() as heard:
        posted = await asyncio.gather(*(ada.say(thread, "Hello", idempotency_key="k") for _ in range(20)))
        assert len({message["id"] for message in posted}) == 1
        await heard.reply("You said: Hello")
    assert len(await ada.messages(thread)) == 2
    assert len(agent.turns) == 1


async def test_one_key_on_two_threads_at_once_is_taken_once(front: Front, ada: Person):
    for number in range(10):
        threads = [await ada.thread(), await ada.thread()]
        body = {"text": "Hello", "idempotency_key": f"k{number}", "respond": False}
        answers = await asyncio.gather(*(ada.client.post(f"/api/threads/{thread}/messages", json=body) for thread in threads))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        refused(next(answer for answer in answers if answer.status_code == 409), 409, "key_reused")


async def test_a_key_that_is_no_key_is_refused(front: Front, ada: Person):
    for key in ["x" * 201, "a\tb", "\u00e9".encode("latin-1"), ""]:
        thread = await ada.thread()
        response = await ada.client.post(
            f"/api/threads/{thread}/messages", json={"text": "Hello", "respond": False}, headers={"Idempotency-Key": key}
        )
        assert response.status_code in (422, 201 if isinstance(key, bytes) else 422)
        if response.status_code == 422:
            refused(response, 422, "invalid")
            assert await ada.messages(thread) == []


async def test_above_the_limit_is_429_with_the_time_to_wait(store_url: str, agent: ScriptedAgent, settings: Settings):

    async with (
        serving(Desk(store_url, agents=[agent], settings=replace(settings, rate_limits=True))) as url,
        open_front(url) as front,
    ):
        answers = [await front.client().post("/api/chat/sessions") for _ in range(3)]
        assert {answer.status_code for answer in answers} == {201}
        ada = Person(front.client(answers[0].json()["token"]))
        thread = await ada.thread()
        for _ in range(400):
            response = await ada.client.post(f"/api/threads/{thread}/messages", json={"text": "Hello", "respond": False})
            if response.status_code != 201:
                break
        refused(response, 429, "rate_limited")
        assert int(response.headers["Retry-After"]) >= 1
