"""Takeover: from the moment a person holds a thread, nothing the AI still had to say is shown or stored as said (P4)."""

import asyncio

import pytest
from tests.acceptance.doors import Front, Person, refused, soon
from tests.acceptance.machine_agents import speak
from tests.acceptance.takeovers import TAKEOVERS, behind_takeover, of_the_ai, takeovers

from deskmate.testing import Gate, ScriptedAgent, asking, echo, streaming


@pytest.fixture
async def thread(ada: Person) -> str:
    return await ada.thread()


async def test_p4_no_word_of_the_ai_is_heard_or_stored_behind_a_takeover(
    front: Front, agent: ScriptedAgent, ana: Person, engine: str
):
    agent.script = speak
    came = await takeovers(front.visitor, ana, seed=f"takeover {engine}", latest=0.4)
    assert came["cut off"] >= TAKEOVERS / 5, f"{came}: the instants were not random enough"


async def test_p4_a_takeover_while_the_ai_speaks_ends_its_message_and_its_task(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    gate = Gate()
    agent.script = streaming("one two three four five", gate)
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Count, please")
        gate.release(2)
        await hers.until(lambda e: e.type == "message.delta" and "two" in e.data["text"])
        run = agent.turns[0].run
        assert (await ana.get(f"/api/threads/{thread}"))["epoch"] == 0
        taken = await ana.assign(thread, f"operator:{ana.id}", epoch=0)
        assert (taken["assignment"]["to"], taken["assignment"]["id"], taken["epoch"]) == ("operator", ana.id, 1)
        assert taken["waiting_since"] is not None, "the customer's question has not been answered yet"
        await soon(agent.over(run))
        assert agent.stopped == [run]
        gate.open()
        cancelled = await theirs.type("run.cancelled")
        assert cancelled.data["data"]["run"] == run
        changed = await hers.until(lambda e: e.type == "message.changed")
        assert (changed.message["status"], changed.message["error"]) == ("failed", "taken_over")
        assert changed.message["text"] == "one two"
        await hers.type("thread.assigned")
        order = [event.type for event in hers.heard if event.type in ("message.changed", "thread.assigned")]
        assert order == ["message.changed", "thread.assigned"]
        await ada.say(thread, "Hello?")
        await ana.say(thread, "This is Ana.")
        await hers.reply("This is Ana.")
        assert not [event for event in theirs.heard if event.type == "run.queued"][1:]
    assert len(agent.turns) == 1
    assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is None


async def test_who_holds_a_thread_is_told_to_whoever_comes_too_late(ana: Person, ben: Person, thread: str):
    await ana.assign(thread, f"operator:{ana.id}", epoch=0)
    response = await ben.client.post(f"/api/threads/{thread}/assignment", json={"to": f"operator:{ben.id}", "epoch": 0})
    problem = refused(response, 409, "epoch_moved")
    assert problem["holder"] == {"to": "operator", "id": ana.id, "name": "Ana"}
    assert problem["epoch"] == 1
    assert (await ben.assign(thread, f"operator:{ben.id}", epoch=1))["assignment"]["id"] == ben.id


async def test_of_two_who_take_over_at_once_one_wins(ana: Person, ben: Person, ada: Person):
    for _ in range(10):
        thread = await ada.thread()
        answers = await asyncio.gather(*(
            person.client.post(f"/api/threads/{thread}/assignment", json={"to": f"operator:{person.id}", "epoch": 0})
            for person in (ana, ben)
        ))  # fmt: skip
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        changes = (await ana.get(f"/api/threads/{thread}/assignments"))["items"]
        assert [change["epoch"] for change in changes] == [0, 1]


async def test_hands_change_and_are_remembered(ana: Person, ben: Person, ada: Person, thread: str):
    async with ada.listening() as hers, ana.listening() as theirs:
        await ana.assign(thread, f"operator:{ana.id}")
        await ana.assign(thread, f"operator:{ana.id}")  # Once more changes nothing.
        await ana.assign(thread, f"operator:{ben.id}", note="you know about rings")
        await ben.assign(thread, "queue:rings")
        shown = await ben.assign(thread, "ai", note="all done")
        await theirs.type("thread.assigned", count=4)
        await hers.type("thread.assigned", count=4)
    assert shown["epoch"] == 4
    changes = (await ana.get(f"/api/threads/{thread}/assignments"))["items"]
    assert [(c["epoch"], c["cause"], c["to"]["to"]) for c in changes] == [
        (0, "opened", "ai"), (1, "takeover", "operator"), (2, "transfer", "operator"), (3, "release", "queue"),
        (4, "hand_back", "ai"),
    ]  # fmt: skip
    assert [change["note"] for change in changes][2] == "you know about rings"
    assert "you know about rings" not in str([event.data for event in hers.heard])
    assert "you know about rings" in str([event.data for event in theirs.heard])
    facts = theirs.of("thread.assigned")[1].data["data"]
    assert (facts["from"]["id"], facts["to"]["id"], facts["cause"]) == (ana.id, ben.id, "transfer")


async def test_a_holder_that_is_none_is_refused(ana: Person, thread: str):
    none = ("me", "operator:", "queue:", "ai:x", "AI", " ai", "queue:a\tb", "queue:" + "x" * 101)
    for to, status in (*((to, 422) for to in none), ("operator:nobody", 404), ("operator:me", 404)):
        response = await ana.client.post(f"/api/threads/{thread}/assignment", json={"to": to})
        assert refused(response, status)["field"] == "to"
    assert (await ana.get(f"/api/threads/{thread}"))["epoch"] == 0


async def test_an_operator_who_left_is_given_nothing(front: Front, ana: Person, thread: str):
    eve = await front.operator("Eve")
    await front.admin.client.delete(f"/api/operators/{eve.id}")
    refused(await ana.client.post(f"/api/threads/{thread}/assignment", json={"to": f"operator:{eve.id}"}), 403)


async def test_a_hand_back_tells_the_model_what_happened_and_the_customer_nothing(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    gate = Gate()
    agent.script = streaming("I had begun to say", gate)
    async with ada.listening() as hers:
        await ada.say(thread, "Can I have a refund?")
        gate.release(3)
        await hers.until(lambda e: e.type == "message.delta" and "begun" in e.data["text"])
        await ana.assign(thread, f"operator:{ana.id}")
        await ana.say(thread, "I have sent it.")
        await ada.say(thread, "Thank you. When will it come?")
        agent.script = echo
        await ana.assign(thread, "ai", note="refund 4711 sent, takes 3 days")
        await hers.reply("You said: Thank you. When will it come?")
        assert "4711" not in str([event.data for event in hers.heard])
    history = agent.turns[-1].history
    assert [message.role for message in history] == ["user", "assistant", "user", "system"]
    marker = history[-1].parts[0].text
    for words in ("Ana", "refund 4711 sent, takes 3 days", "I had begun"):
        assert words in marker
    assert "4711" not in str(await ada.messages(thread))
    stored = [message for message in await ana.messages(thread) if message["role"] == "system"]
    assert [message["visibility"] for message in stored] == ["note"]
    shown = await ana.get(f"/api/threads/{thread}")
    assert (shown["assignment"]["to"], shown["waiting_since"]) == ("ai", None)


async def test_the_note_of_a_hand_back_is_from_whoever_hands_back(
    agent: ScriptedAgent, ada: Person, ana: Person, ben: Person, thread: str
):
    async with ada.listening() as hers:
        await ben.assign(thread, f"operator:{ben.id}")
        await ada.say(thread, "Can I have a refund?")
        await ben.assign(thread, f"operator:{ana.id}")
        await ana.assign(thread, "ai", note="not without the bill")
        await hers.reply("You said: Can I have a refund?")
    marker = agent.turns[-1].history[-1].parts[0].text
    assert "Ana and Ben handled this conversation and handed it back" in marker
    assert "Note from Ana: not without the bill" in marker


async def test_a_hand_back_to_a_customer_who_waits_for_nothing_starts_no_run(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    async with ana.listening() as theirs:
        await ana.assign(thread, f"operator:{ana.id}")
        await ada.say(thread, "Hello?")
        await ana.say(thread, "Hello.")
        await ana.assign(thread, "ai", note="done")
        await theirs.type("thread.assigned", count=2)
        await ada.say(thread, "One more thing")
        await theirs.type("run.done")
    assert len(agent.turns) == 1
    assert agent.turns[0].prompt_text == "One more thing"
    assert "done" in str(agent.turns[0].history)


async def test_while_a_person_holds_the_thread_no_run_is_started(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    await ana.assign(thread, f"operator:{ana.id}")
    await ada.say(thread, "Hello?")
    problem = refused(await ana.client.post(f"/api/threads/{thread}/respond"), 409, "conflict")
    assert problem["holder"]["id"] == ana.id
    assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is not None
    assert [item["id"] for item in (await ana.get("/api/threads", assignment="mine"))["items"]] == [thread]
    assert agent.turns == []


async def test_a_takeover_cancels_what_was_asked_and_a_late_answer_is_refused(
    agent: ScriptedAgent, ada: Person, ana: Person, ben: Person, thread: str
):
    agent.script = asking("One?", "Two?")
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Hello?")
        await theirs.type("request.opened", count=2)
        one, two = [item["id"] for item in (await ana.get("/api/requests"))["items"]]
        await ben.post(f"/api/requests/{two}/claim")
        await ana.assign(thread, f"operator:{ana.id}")
        await theirs.type("request.cancelled", count=2)
        for request in (one, two):
            response = await ben.client.post(f"/api/requests/{request}/decision", json={"kind": "answer", "value": "late"})
            assert refused(response, 409, "closed")["state"] == "cancelled"
        assert (await ana.get("/api/requests"))["items"] == []
        assert (await ana.get(f"/api/threads/{thread}"))["requests"] == []
        agent.script = echo
        await ana.assign(thread, "ai")
        await hers.reply("You said: Hello?")
    assert len(agent.turns) == 2
    open_calls = [p for message in agent.turns[1].history for p in message.parts if hasattr(p, "call_id")]
    assert open_calls == [], "P6: a call that nobody answered is no context"


async def test_an_answer_and_a_takeover_at_once_leave_no_word_of_the_ai_behind(
    front: Front, agent: ScriptedAgent, ana: Person, ben: Person
):
    agent.script = asking(then=speak)
    for _ in range(15):
        ada = await front.visitor()
        thread = await ada.thread()
        async with ada.listening() as hers, ana.listening(thread=thread) as theirs:
            await ada.say(thread, "Hello?")
            request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
            answer, _ = await asyncio.gather(
                ben.client.post(f"/api/requests/{request}/decision", json={"kind": "answer", "value": "yes"}),
                ana.assign(thread, f"operator:{ana.id}"),
            )
            assert answer.status_code in (200, 409)
            await ana.say(thread, "This is Ana.")
            await hers.reply("This is Ana.")
            await ada.say(thread, "Thank you")
            await hers.reply("Thank you")
            assert [event for event in behind_takeover(hers.heard) if of_the_ai(event)] == []


async def test_a_run_that_was_queued_when_the_thread_was_taken_over_never_starts(agent: ScriptedAgent, front: Front, ana: Person):
    agent.script = speak
    for _ in range(15):
        ada = await front.visitor()
        thread = await ada.thread()
        async with ada.listening() as hers:
            await asyncio.gather(ada.say(thread, "Hello?"), ana.assign(thread, f"operator:{ana.id}"))
            await ana.say(thread, "This is Ana.")
            await hers.reply("This is Ana.")
            assert [event for event in behind_takeover(hers.heard) if of_the_ai(event)] == []
        assert (await ana.get(f"/api/threads/{thread}"))["assignment"]["id"] == ana.id
