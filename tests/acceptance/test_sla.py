"""SLA through the public doors: a lead decides the targets, the team sees the clocks, and a customer sees none."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from tests.acceptance.doors import PATIENCE, Front, Person, refused

RULES = {"targets": {"first_response": {"seconds": 3600}, "resolution": {"seconds": 86400}}, "warn": [80, 100]}
SECRETS = ("first_response", "resolution", "gold", "breached", "due_at", '"clock"', "priority")


async def test_a_lead_decides_the_targets_and_the_team_sees_the_clocks(
    front: Front, ada: Person, ana: Person, lea: Person
) -> None:
    made = await lea.put("/api/policies/sla/gold", rules=RULES)
    assert made["rules"]["targets"]["first_response"] == {"seconds": 3600}
    schema = (await ana.get("/api/policies/sla"))["schema"]
    assert {"targets", "warn", "priorities", "always"} == set(schema["properties"])
    refused(await ana.client.put("/api/policies/sla/gold", json={"rules": RULES}), 403)
    wrong = await lea.client.put("/api/policies/sla/gold", json={"rules": {"targets": {"resolution": {"seconds": -1}}}})
    assert refused(wrong, 422)["field"] == "rules.targets.resolution.seconds"
    calendar: dict[str, Any] = {"zone": "Europe/Berlin", "hours": {}, "holidays": "DE-XX"}
    wrong = await lea.client.patch("/api/queues/support", json={"calendar": calendar})
    assert refused(wrong, 422)["field"] == "calendar.holidays"
    await lea.patch("/api/queues/support", sla="gold")

    thread = await ada.thread()
    await ana.assign(thread, f"operator:{ana.id}")
    async with front.admin.listening(thread=thread) as heard:
        await ada.say(thread, "Where is my parcel?")
        await heard.type("message.posted")
    shown = await clock_of(ana, thread, "first_response")
    assert shown["breached"] is shown["paused"] is False
    assert datetime.fromisoformat(shown["due_at"]) - now_of(shown) < timedelta(hours=1, minutes=1)
    whole = await ana.get(f"/api/threads/{thread}/clock")
    assert whole["phase"] == "human"
    assert whole["targets"]["first_response"]["state"] == "running"
    spans = whole["intervals"]
    assert [one["end"] for one in spans[:-1]] == [one["begin"] for one in spans[1:]]

    await ana.say(thread, "On its way.")
    shown = await clock_of(ana, thread, "resolution")
    assert (shown["due_at"], shown["paused"]) == (None, True)
    whole = await ana.get(f"/api/threads/{thread}/clock")
    assert (whole["phase"], whole["targets"]["first_response"]["state"]) == ("customer", "met")
    assert abs(sum(whole["phases"].values()) - seconds_of(whole["intervals"])) < 0.01

    begin = whole["intervals"][0]["begin"]
    end = (datetime.fromisoformat(begin) + timedelta(hours=1)).isoformat()
    report = await ana.get("/api/sla", since=begin, until=end, queue="support")
    assert report["targets"]["first_response"]["met"] == 0, "it stood in no queue"
    report = await ana.get("/api/sla", since=begin, until=end)
    assert (report["targets"]["first_response"]["met"], report["targets"]["resolution"]["running"]) == (1, 1)
    assert report["targets"]["first_response"]["median_seconds"] >= 0
    refused(await ana.client.get("/api/sla", params={"since": end, "until": begin}), 422)
    refused(await ana.client.get("/api/sla", params={"since": "2026-01-01T00:00:00", "until": end}), 422)
    refused(await ana.client.get("/api/threads/th_nowhere/clock"), 404)


async def test_a_customer_sees_no_clock(front: Front, ada: Person, ana: Person, lea: Person) -> None:
    rules = RULES | {"targets": {"first_response": {"seconds": 1}, "resolution": {"seconds": 1}}}
    await lea.put("/api/policies/sla/gold", rules=rules)
    await lea.patch("/api/queues/support", sla="gold")
    thread = await ada.thread()
    await ana.assign(thread, f"operator:{ana.id}")
    async with ada.listening() as hers, front.admin.listening(thread=thread) as theirs:
        await ada.say(thread, "Where is my parcel?")
        await theirs.type("clock.breached", count=2)
        await ana.say(thread, "On its way.")
        await hers.reply("On its way.")
    assert not [event for event in hers.heard if event.type.startswith("clock.")]
    assert (await ana.get(f"/api/threads/{thread}"))["clock"]["breached"] is True
    seen: list[Any] = [event.data for event in hers.heard]
    for path in ("", "/messages", "/transcript", "/wait"):
        response = await ada.client.get(f"/api/threads/{thread}{path}")
        assert response.is_success
        seen.append(response.text)
    seen.append(await ada.get("/api/threads"))
    for words in (json.dumps(one) for one in seen):
        assert not [secret for secret in SECRETS if secret in words], words
    refused(await ada.client.get(f"/api/threads/{thread}/clock"), 403)
    refused(await ada.client.get("/api/sla"), 403)


async def clock_of(who: Person, thread: str, target: str) -> Any:
    """The clock on a thread, once it shows this target. The follower is a moment behind the verb."""
    async with asyncio.timeout(PATIENCE):
        while True:
            clock = (await who.get(f"/api/threads/{thread}"))["clock"]
            if clock is not None and clock["target"] == target:
                return clock


def now_of(shown: Any) -> datetime:
    return datetime.now(datetime.fromisoformat(shown["due_at"]).tzinfo)


def seconds_of(spans: list[Any]) -> float:
    return sum((datetime.fromisoformat(one["end"]) - datetime.fromisoformat(one["begin"])).total_seconds() for one in spans)
