"""Escalations: the agent passes a customer on, and whoever takes over holds the thread."""

from collections.abc import AsyncIterator
from dataclasses import replace

from tests.acceptance.doors import Front, Person, done, refused

from deskmate import Escalation
from deskmate.domain.agents import Output, Turn
from deskmate.domain.requests import RequestKind
from deskmate.testing import ScriptedAgent, ask, echo, say


async def decide(person: Person, request: str, **body: object):
    return await person.client.post(f"/api/requests/{request}/decision", json=body)


async def escalating(turn: Turn) -> AsyncIterator[Output]:
    """Passes the customer on."""
    asking_now = ask("The customer wants a person.", turn=turn)
    yield replace(asking_now, requests=tuple(replace(asked, kind=RequestKind.ESCALATION) for asked in asking_now.requests))


async def test_taking_over_an_escalation_gives_the_thread_to_who_decided(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person
):
    agent.script = escalating
    thread = await ada.thread()
    async with ana.listening(thread=thread) as theirs:
        await ada.say(thread, "Give me a person")
        request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
    refused(await decide(ana, request, kind="approve"), 422)
    robot = await front.program("requests:decide")
    for program in (robot, front.admin):
        assert refused(await decide(program, request, kind="take_over"), 403, "forbidden")["field"] == "kind"
    assert (await ana.get(f"/api/requests/{request}"))["state"] == "open"
    done(await decide(ana, request, kind="take_over"))
    shown = await ana.get(f"/api/threads/{thread}")
    assert (shown["assignment"]["to"], shown["assignment"]["id"]) == ("operator", ana.id)
    assert shown["waiting_since"] is not None
    assert refused(await decide(ana, request, kind="take_over"), 409, "already_decided")["by"]["id"] == ana.id
    await ana.say(thread, "I am here.")
    assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is None
    assert len(agent.turns) == 1


async def passing_on(turn: Turn) -> AsyncIterator[Output]:
    """Gives the thread to people, and says goodbye."""
    await turn.escalate(Escalation(reason="wants a person", summary="Ada is upset."))
    yield say("A colleague comes.")


async def test_an_answer_to_what_was_passed_on_reaches_the_customer_through_the_ai(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person
):
    agent.script = passing_on
    thread = await ada.thread()
    async with ada.listening(thread=thread) as theirs:
        await ada.say(thread, "A person, please")
        await theirs.reply("A colleague comes.")
        shown = await ana.get(f"/api/threads/{thread}")
        assert (shown["assignment"]["to"], shown["assignment"]["reason"]) == ("queue", "wants a person")
        request = await ana.open_request(thread)
        assert (request["kind"], request["question"], request["reason"]) == ("escalation", "Ada is upset.", "wants a person")
        agent.script = echo
        decided = await ana.answer(request["id"], "We open at nine.")
        assert (decided["state"], decided["decision"]["by"]["name"]) == ("applied", "Ana")
        await theirs.until(lambda e: e.type == "message.posted" and e.message["author"]["kind"] == "agent", count=2)
    assert (await ana.get(f"/api/threads/{thread}"))["assignment"]["to"] == "ai"
    marker = next(message for message in await ana.messages(thread) if message["id"] == decided["outcome"])
    assert "Ana answered" in marker["text"]
    assert "We open at nine." in marker["text"]


async def test_a_customer_asks_for_a_person_over_http(front: Front, ada: Person, ana: Person):
    thread = await ada.thread()
    changed = await ada.post(f"/api/threads/{thread}/escalation")
    assert changed["assignment"]["to"] == "queue"
    request = await ana.open_request(thread)
    await ana.post(f"/api/requests/{request['id']}/decision", kind="take_over", text="Ana here.")
    assert (await ada.messages(thread))[-1]["text"] == "Ana here."
    eve = await front.visitor()
    refused(await eve.client.post(f"/api/threads/{thread}/escalation", json={}), 404)
    refused(await ada.client.post(f"/api/threads/{thread}/escalation", json={"reason": ""}), 422)
