"""Limits through the doors: leads decide them, customers are asked to wait, and everybody who asks for a person gets one."""

from collections.abc import AsyncIterator

from tests.acceptance.doors import Front, Person, done, refused

from deskmate import Escalation
from deskmate.domain.agents import Output, Turn
from deskmate.testing import ScriptedAgent, say

HOUR = {"count": 1, "seconds": 31 * 24 * 3600}


async def passing_on(turn: Turn) -> AsyncIterator[Output]:
    """Passes the customer on, and says what came of it."""
    came = await turn.escalate(Escalation(reason=f"wants {turn.prompt_text}"))
    yield say("A colleague comes." if came.accepted else "A colleague comes later.")


async def test_a_customers_message_past_the_limit_is_refused_with_the_time_to_wait(front: Front, ada: Person):
    lea = await front.operator("Lea", role="lead")
    rules = {"of": "messages", "per": "customer", "window": HOUR, "text": "One question a month, please."}
    await lea.put("/api/policies/limit/calm", rules=rules)
    thread = await ada.thread()
    await ada.say(thread, "One", respond=False)
    response = await ada.client.post(f"/api/threads/{thread}/messages", json={"text": "Two", "respond": False})
    problem = refused(response, 429, "rate_limited")
    assert response.headers["retry-after"] == str(problem["retry_after"])
    assert 0 < problem["retry_after"] <= HOUR["seconds"]
    assert set(problem) == {"type", "title", "status", "detail", "code", "retry_after"}
    assert problem["detail"] == "One question a month, please."
    assert [message["text"] for message in (await ada.get(f"/api/threads/{thread}/messages"))["items"]] == ["One"]
    await lea.say(thread, "Hello, Ada.")
    await lea.say(thread, "I am here.")
    [limit] = (await lea.get("/api/limits"))["items"]
    assert (limit["policy"], limit["rules"]["of"]) == ("calm", "messages")
    [counter] = limit["counters"]
    assert (counter["used"], counter["left"], counter["refused"]) == (1, 0, 1)


async def test_p11_an_escalation_past_the_limit_is_kept_and_its_reason_is_shown(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person
):
    agent.script = passing_on
    lea = await front.operator("Lea", role="lead")
    await lea.put("/api/policies/limit/people", rules={"of": "escalations", "per": "agent", "window": HOUR, "fallback": "defer"})
    for number, answer in ((1, "A colleague comes."), (2, "A colleague comes later.")):
        thread = await ada.thread()
        async with ada.listening(thread=thread) as theirs:
            await ada.say(thread, f"order {number}")
            await theirs.reply(answer)
    assert (await ana.get(f"/api/threads/{thread}"))["assignment"]["to"] == "ai"
    [limit] = (await ana.get("/api/limits"))["items"]
    assert limit["deferred"] == 1
    assert limit["counters"][0]["reasons"] == [{"agent": agent.name, "reason": "wants order #", "count": 2, "refused": 1}]
    program = await front.program("usage:read")
    assert (await program.get("/api/limits"))["items"][0]["counters"][0]["reasons"] == []
    refused(await ada.client.get("/api/limits"), 403, "forbidden")


async def test_p8_customers_hear_nothing_of_limits(front: Front, agent: ScriptedAgent, ada: Person):
    agent.script = passing_on
    lea = await front.operator("Lea", role="lead")
    await lea.put("/api/policies/limit/people", rules={"of": "escalations", "per": "customer", "window": HOUR})
    for _ in range(2):
        thread = await ada.thread()
        async with ada.listening(thread=thread) as theirs, lea.listening(thread=thread) as ours:
            done(await ada.client.post(f"/api/threads/{thread}/escalation", json={}))
            await ours.type("message.posted")
            await theirs.type("message.posted")
    assert "limit.reached" in [event.type for event in ours.heard]
    assert "limit.reached" not in [event.type for event in theirs.heard]
    assert (await ada.get(f"/api/threads/{thread}/messages"))["items"][-1]["text"].endswith("in about 24 hours.")
