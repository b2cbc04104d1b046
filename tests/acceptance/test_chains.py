"""Timers of operators and escalation chains through the public doors: leads set them, operators see them, customers do not."""

import pytest
from tests.acceptance.doors import Front, Person, refused

PAGE = {"page": "next"}


@pytest.fixture
async def waiting(front: Front, ada: Person, ana: Person, lea: Person) -> str:
    """A thread that waits in a queue whose chain pages Ana at once, and Lea after a day."""
    steps = [PAGE, {"wait": 86400}, {"notify": "leads"}]
    await lea.put("/api/policies/chain/slow", rules={"on": ["thread"], "steps": steps})
    await lea.put("/api/policies/response/quick", rules={"seconds": 1, "actions": ["remind", "queue"]})
    await lea.patch("/api/queues/support", chain="slow", response="quick")
    await ana.patch("/api/me", presence="available")
    return await ada.thread()


async def test_who_waits_in_a_queue_has_somebody_paged_until_somebody_acts(waiting: str, ada: Person, ana: Person):
    async with ana.listening() as theirs, ada.listening() as hers:
        await ada.post(f"/api/threads/{waiting}/escalation")
        started = (await theirs.type("chain.started")).data["data"]
        stepped = (await theirs.type("chain.stepped")).data["data"]
        assert (started["policy"], stepped["step"], stepped["round"], stepped["told"]) == ("slow", 0, 1, [ana.id])
        assert (await theirs.type("notification.sent")).data["data"]["kind"] == "chain.page"
        [running] = (await ana.get(f"/api/threads/{waiting}/chains"))["items"]
        assert (running["id"], running["state"], running["step"]) == (started["chain"], "running", 2)
        assert running["due_at"] is not None
        await ana.assign(waiting, f"operator:{ana.id}")
        stopped = await theirs.type("chain.stopped")
        assert (stopped.data["data"]["reason"], stopped.data["actor"]["id"]) == ("taken", ana.id)
        await ana.say(waiting, "This is Ana.")
        await hers.reply("This is Ana.")
        assert {event.type.partition(".")[0] for event in hers.heard} <= {":", "thread", "message"}
    [over] = (await ana.get(f"/api/threads/{waiting}/chains"))["items"]
    assert (over["state"], over["reason"], over["ended_by"]["name"], over["due_at"]) == ("stopped", "taken", "Ana", None)


async def test_an_operator_stops_a_chain(waiting: str, ada: Person, ana: Person):
    async with ana.listening() as theirs:
        await ada.post(f"/api/threads/{waiting}/escalation")
        chain = (await theirs.type("chain.started")).data["data"]["chain"]
        refused(await ada.client.post(f"/api/chains/{chain}/stop"), 403)
        stopped = await ana.post(f"/api/chains/{chain}/stop")
        assert (stopped["state"], stopped["reason"], stopped["ended_by"]["id"]) == ("stopped", "stopped", ana.id)
        assert await ana.post(f"/api/chains/{chain}/stop") == stopped
    refused(await ana.client.post("/api/chains/cha_none/stop"), 404, "not_found")


async def test_an_operator_who_does_not_answer_is_reminded_and_loses_the_thread(waiting: str, ada: Person, ana: Person):
    async with ana.listening() as theirs, ada.listening() as hers:
        await ada.post(f"/api/threads/{waiting}/escalation")
        await ana.assign(waiting, f"operator:{ana.id}")
        missed = [(await theirs.type("response.missed", count=count)).data["data"] for count in (1, 2)]
        assert [(one["operator"], one["action"], one["step"]) for one in missed] == [(ana.id, "remind", 0), (ana.id, "queue", 1)]
        await theirs.until(lambda e: e.type == "thread.assigned" and e.data["data"]["cause"] == "release")
        assert (await ana.get(f"/api/threads/{waiting}"))["assignment"]["to"] == "queue"
        await hers.type("thread.assigned", count=3)
        assert "in time" not in str([event.data for event in hers.heard])


async def test_rules_that_make_no_sense_are_refused_with_their_place(lea: Person):
    wrong = (
        ("chain", {"on": ["thread"], "steps": [PAGE, {"repeat": 9}]}, "rules.steps.1.repeat"),
        ("chain", {"on": ["thread"], "steps": [{"wait": 5, "page": "next"}]}, "rules.steps.0"),
        ("response", {"seconds": 5, "actions": ["shout"]}, "rules.actions.0"),
    )
    for kind, rules, field in wrong:
        response = await lea.client.put(f"/api/policies/{kind}/wrong", json={"rules": rules})
        assert refused(response, 422, "invalid")["field"] == field
        listed = await lea.get(f"/api/policies/{kind}")
        assert listed["items"] == []
        assert listed["schema"]["properties"]
