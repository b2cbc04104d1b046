"""Escalations: the agent passes a customer on, and whoever takes over holds the thread."""

from collections.abc import AsyncIterator
from dataclasses import replace

from tests.acceptance.doors import Front, Person, done, refused

from deskmate.domain.agents import Output, Turn
from deskmate.domain.requests import RequestKind
from deskmate.testing import ScriptedAgent, ask


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
