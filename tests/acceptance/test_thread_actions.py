"""Bulk: the same done to many threads, each for itself; and what the inbox shows of read and unread over HTTP."""

import pytest
from tests.acceptance.doors import Front, Json, Person, refused

from deskmate.testing import ScriptedAgent

SOON = "2300-01-01T09:00:00Z"


@pytest.fixture
async def threads(ada: Person) -> list[str]:
    made = [await ada.thread() for _ in range(3)]
    for thread in made:
        await ada.say(thread, "Hello", respond=False)
    return made


async def test_each_thread_is_changed_for_itself_and_one_that_is_refused_holds_up_no_other(ana: Person, threads: list[str]):
    one, two, three = threads
    await ana.patch(f"/api/threads/{two}", status="resolved", tags=["old"])
    done = await ana.post(
        "/api/threads/actions", threads=[one, "th_unknown", two, three, one], status="snoozed", snoozed_until=SOON,
        priority="high", add_tags=["storm"], remove_tags=["old"], assign=f"operator:{ana.id}", note="The storm of Monday",
    )  # fmt: skip
    first, unknown, resolved, third = done["items"]
    assert (unknown["thread"], unknown["error"]["code"]) == ("th_unknown", "not_found")
    assert (resolved["thread"], resolved["error"]["code"]) == (two, "conflict")
    for item, id in ((first, one), (third, three)):
        thread = item["thread"]
        assert (thread["id"], thread["status"], thread["priority"], thread["tags"]) == (id, "snoozed", "high", ["storm"])
        assert (thread["snoozed_until"], thread["assignment"]["id"]) == ("2300-01-01T09:00:00.000Z", ana.id)
        assert [(m["text"], m["visibility"]) for m in await ana.messages(id)][1:] == [("The storm of Monday", "note")]
    untouched = await ana.get(f"/api/threads/{two}")
    assert (untouched["tags"], untouched["assignment"]["to"], len(await ana.messages(two))) == (["old"], "ai", 1)


async def test_what_could_be_done_to_no_thread_is_refused_as_a_whole(front: Front, ada: Person, ana: Person, threads: list[str]):
    wrong: list[tuple[Json, str]] = [
        ({}, "status"),
        ({"status": "closed"}, "status"),
        ({"add_tags": ["x" * 41]}, "add_tags"),
        ({"assign": "everybody"}, "assign"),
        ({"note": "  "}, "note"),
        ({"snoozed_until": "tomorrow"}, "snoozed_until"),
        ({"priority": "high", "threads": []}, "threads"),
        ({"priority": "high", "threads": ["th_x"] * 201}, "threads"),
    ]
    for body, field in wrong:
        response = await ana.client.post("/api/threads/actions", json={"threads": threads, **body})
        assert field in str(refused(response, 422, "invalid"))
    nobody = await ana.post("/api/threads/actions", threads=threads[:1], priority="high", assign="operator:op_unknown")
    assert nobody["items"][0]["error"] == {"code": "not_found", "detail": "there is no operator op_unknown", "field": "assign"}
    past = await ana.post("/api/threads/actions", threads=threads[:1], status="snoozed", snoozed_until="2020-01-01T00:00:00Z")
    assert past["items"][0]["error"]["field"] == "snoozed_until"
    refused(await ada.client.post("/api/threads/actions", json={"threads": threads, "priority": "high"}), 403)
    watcher = await front.operator("Oz", role="observer")
    for body in ({"priority": "high"}, {"note": "Hm"}, {"assign": "queue:x"}):
        refused(await watcher.client.post("/api/threads/actions", json={"threads": threads, **body}), 403)
    for thread in threads:
        found = await ana.get(f"/api/threads/{thread}")
        assert (found["status"], found["priority"], found["tags"]) == ("open", "normal", [])


async def test_threads_handed_back_together_are_answered_by_the_ai(
    agent: ScriptedAgent, ada: Person, ana: Person, threads: list[str]
):
    await ana.post("/api/threads/actions", threads=threads, assign="queue:support")
    async with ada.listening() as hers:
        for thread in threads:
            await ada.say(thread, f"Still waiting in {thread}")
        done = await ana.post("/api/threads/actions", threads=threads, assign="ai")
        assert [item["thread"]["assignment"]["to"] for item in done["items"]] == ["ai"] * 3
        await hers.until(lambda e: e.type == "message.posted" and e.message["author"]["kind"] == "agent", count=3)


async def test_the_inbox_and_its_events_say_what_is_unread(front: Front, ada: Person, ana: Person, threads: list[str]):
    shown = (await ana.get("/api/threads"))["items"]
    assert {thread["id"]: thread["unread"] for thread in shown} == dict.fromkeys(threads, 1)
    read = await ana.post(f"/api/threads/{threads[0]}/read")
    newest = (await ana.messages(threads[0]))[-1]
    assert (read["thread"], read["message"], read["unread"]) == (threads[0], newest["id"], 0)
    async with ana.listening() as heard:
        await ana.patch(f"/api/threads/{threads[0]}", add_tags=["seen"])
        changed = await heard.type("thread.changed")
        assert changed.data["data"]["thread"]["unread"] == 0
    assert (await ana.get(f"/api/threads/{threads[0]}"))["customer_read"] is None
    theirs = await ada.post(f"/api/threads/{threads[0]}/read", message=newest["id"])
    assert theirs.keys() == {"thread", "message", "order", "step", "at"}
    assert (await ana.get(f"/api/threads/{threads[0]}"))["customer_read"] == theirs
    assert not (await ada.get(f"/api/threads/{threads[0]}")).keys() & {"unread", "customer_read"}
    assert "unread" not in (await front.admin.get("/api/threads"))["items"][0], "a key without a person behind it reads nothing"


async def test_the_team_lists_all_threads_of_one_customer_and_a_customer_only_their_own(front: Front, ada: Person, ana: Person):
    bob = await front.visitor()
    first, second, other = await ada.thread(), await ada.thread(), await bob.thread()
    await ana.patch(f"/api/threads/{first}", status="resolved")
    found = await ana.get("/api/threads", customer=ada.id)
    assert [thread["id"] for thread in found["items"]] == [second, first]
    still = await ana.get("/api/threads", customer=ada.id, status="open")
    assert [thread["id"] for thread in still["items"]] == [second]
    own = await bob.get("/api/threads", customer=ada.id)
    assert [thread["id"] for thread in own["items"]] == [other]
