"""P8: what is not for the customer reaches them by no door: drafts before they are approved, suggestions, copilot's notes, and
what the team writes with."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.acceptance.doors import Front, Person, soon

from deskmate import Desk, Escalation
from deskmate.domain.actors import customer
from deskmate.domain.agents import Delta, Output, Turn
from deskmate.domain.messages import File
from deskmate.testing import ScriptedAgent, ask, calling, say

CANARY = "CANARY-7f3a"


async def drafts(turn: Turn) -> AsyncIterator[Output]:
    """Streams its words, then says them as a whole."""
    for piece in ("The secret is ", CANARY, "."):
        yield Delta(text=piece)
    yield say(f"The secret is {CANARY}.")


async def passes_on(turn: Turn) -> AsyncIterator[Output]:
    """Has an answer, is not sure of it, and passes it on as a suggestion."""
    await turn.escalate(Escalation(reason=f"unsure of {CANARY}", suggestion=CANARY, summary=f"Says {CANARY}?", confidence=0.2))
    yield say("A colleague will answer you.")


async def asks(turn: Turn) -> AsyncIterator[Output]:
    """Asks people, with a suggestion."""
    from dataclasses import replace

    asking = ask(f"Is it {CANARY}?", turn=turn)
    yield replace(asking, requests=tuple(replace(one, suggestion=CANARY, reason=CANARY) for one in asking.requests))


async def runs_a_tool(turn: Turn) -> AsyncIterator[Output]:
    """Calls a tool that needs approval, with arguments that are nobody's business."""

    async def run(args: Any) -> str:
        return CANARY

    async for output in calling("look_up", {"what": CANARY}, run)(turn):
        yield output


async def everything_of(person: Person, thread: str, desk: Desk) -> str:
    """All that a customer can get by any door that they may open, and what they are told at those they may not."""
    paths = [
        f"/api/threads/{thread}", f"/api/threads/{thread}/messages?limit=200", "/api/threads?limit=200",
        f"/api/threads?q={CANARY}", f"/api/threads/{thread}/requests", f"/api/threads/{thread}/assignments",
        f"/api/threads/{thread}/usage", "/api/requests", "/api/requests?state=decided", "/api/usage", "/api/operators", "/api/me",
        "/api/me/mentions", f"/api/threads/{thread}/unsent", "/api/canned", f"/api/canned?thread={thread}&q={CANARY}",
        "/api/macros", "/api/views", "/api/queues", f"/api/threads/{thread}/choices", f"/api/threads/{thread}/wait",
        *(f"/api/threads/{thread}/transcript?format={form}" for form in ("text", "markdown", "json")),
    ]  # fmt: skip
    got = [(await person.client.get(path)).text for path in paths]
    for request in await desk.requests.waiting(thread, by=admin()):
        got.append((await person.client.get(f"/api/requests/{request.id}")).text)
        got += [(await person.client.post(f"/api/requests/{request.id}/{verb}", json={})).text for verb in ("claim", "cancel")]
    for message in (await desk.messages.history(thread, by=admin(), limit=200)).items:
        got.append((await person.client.get(f"/api/threads/{thread}/messages", params={"after": message.id})).text)
        got += [(await person.client.get(f"/api/files/{part.file}")).text for part in message.parts if isinstance(part, File)]
    found = await desk.search.messages(CANARY, thread=thread, by=customer(person.id))
    got += [message.text for message in found]
    return "\n".join(got)


def admin():
    from deskmate import service

    return service("a look at everything")


Script = Callable[[Turn], AsyncIterator[Output]]


@pytest.mark.parametrize("script", [drafts, passes_on, asks, runs_a_tool], ids=lambda script: script.__name__)
async def test_p8_a_customer_gets_what_is_for_the_team_by_no_door(
    desk: Desk, front: Front, agent: ScriptedAgent, ada: Person, ana: Person, script: Script
):
    agent.script = script
    thread = await ada.thread()
    await ana.patch(f"/api/threads/{thread}", mode="review" if script is drafts else "auto")
    async with ada.listening(after=0) as theirs, ana.listening(thread=thread) as ours:
        await ada.say(thread, "What is the secret?")
        await ours.type("request.opened")
        await ours.type("run.done" if script in (drafts, passes_on) else "run.paused")
        [request] = (await ana.get("/api/requests", thread=thread))["items"]
        assert CANARY in json.dumps(request), "there is something to hide"
        assert CANARY not in await everything_of(ada, thread, desk)
        if script is drafts:
            rejected = {"kind": "reject", "review": f"never say {CANARY}", "retry": True}
            await ana.post(f"/api/requests/{request['id']}/decision", **rejected)
            await ours.type("request.opened", count=2)
        await ana.say(thread, f"Note to all: {CANARY}", visibility="note")
        await ana.say(thread, f"@ai is it {CANARY}?", visibility="note")
        await ours.type("run.queued", count=2)
        assert CANARY not in await everything_of(ada, thread, desk)
        last = await ana.say(thread, "We will see.")
        await soon(theirs.until(lambda event: event.type == "message.posted" and event.message["id"] == last["id"]))
    assert CANARY not in str([(event.type, event.data) for event in theirs.heard])
    assert CANARY not in await everything_of(ada, thread, desk)


async def test_p8_what_the_team_writes_with_reaches_the_customer_by_no_door(
    desk: Desk, front: Front, ada: Person, ana: Person, ben: Person, lea: Person
):
    thread = await ada.thread()
    async with ada.listening(after=0) as theirs, ben.listening(thread=thread) as ours:
        await ada.say(thread, "What is the secret?", respond=False)
        words = f"Never tell: {CANARY}"
        canned = await lea.post("/api/canned", shortcut=CANARY, title=CANARY, text=words)
        macro = await lea.post("/api/macros", name=CANARY, actions=[{"do": "note", "canned": canned["id"]}])
        await lea.post("/api/views", name=CANARY, filters={"q": CANARY}, shared=True)
        await ana.post(f"/api/threads/{thread}/macro", macro=macro["id"])
        given = await ana.client.post(
            f"/api/threads/{thread}/files", params={"filename": f"{CANARY}.txt"}, content=CANARY.encode()
        )
        file = given.json()["id"]
        for visibility in ("public", "note"):
            await ana.client.put(f"/api/threads/{thread}/unsent", json={"text": words, "visibility": visibility})
        assert CANARY not in await everything_of(ada, thread, desk)
        assert CANARY not in (await ada.client.get(f"/api/files/{file}")).text, "a file that nobody has said yet"
        note = await ana.say(thread, f"@Ben {words}", visibility="note", files=[file])
        await ours.type("message.posted", count=3)
        assert CANARY in json.dumps([(await ben.get("/api/me/mentions")), (await ana.get(f"/api/threads/{thread}/unsent"))])
        assert (await ben.client.get(f"/api/files/{file}")).text == CANARY, "there is something to hide"
        same = await ada.client.post(
            f"/api/threads/{thread}/files", params={"filename": f"{CANARY}.txt"}, content=CANARY.encode()
        )
        assert same.json()["id"] != file, "who guesses a content learns nothing of whether it is there"
        assert CANARY not in await everything_of(ada, thread, desk)
        last = await ana.say(thread, "We will see.")
        await soon(theirs.until(lambda event: event.type == "message.posted" and event.message["id"] == last["id"]))
    heard = json.dumps([event.data for event in theirs.heard])
    for hidden in (CANARY, note["id"], file, ben.id, "mentions"):
        assert hidden not in heard
    assert CANARY not in await everything_of(ada, thread, desk)
    for person in (ben, lea, front.admin):
        typed = (await person.client.get(f"/api/threads/{thread}/unsent")).text
        assert CANARY not in typed, "nobody reads what another has typed"


async def test_an_approved_draft_reaches_the_customer_as_it_was_approved(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person
):
    agent.script = drafts
    thread = await ada.thread()
    await ana.patch(f"/api/threads/{thread}", mode="review")
    async with ada.listening(thread=thread) as theirs, ana.listening(thread=thread) as ours:
        await ada.say(thread, "What is the secret?")
        request = (await ours.type("request.opened")).data["data"]["request"]
        await ana.post(f"/api/requests/{request['id']}/decision", kind="edit", text="It is no secret.")
        await theirs.reply("It is no secret.")
    assert CANARY not in str([event.data for event in theirs.heard])
