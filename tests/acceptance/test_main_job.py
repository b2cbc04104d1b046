"""The main job: a customer asks, the agent cannot answer, a person does, and the reply comes, once, with their name."""

import asyncio

import pytest
from tests.acceptance.doors import Front, Person, done, is_message, refused

from deskmate import Desk
from deskmate.testing import Gate, ScriptedAgent, asking, echo, failing, streaming

MESSAGE_OF_A_CUSTOMER = {
    "id", "thread", "order", "step", "role", "author", "text", "parts", "visibility", "status", "error", "agent_name",
    "created_at", "model", "provider", "provider_metadata", "run",
}  # fmt: skip


@pytest.fixture
async def thread(ada: Person) -> str:
    return await ada.thread(subject="Opening hours")


async def test_an_operators_answer_reaches_the_customer_once_and_names_them(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    agent.script = asking(notice="One moment, I am asking a colleague.")
    async with ada.listening() as hers, ana.listening() as theirs:
        posted = await ada.say(thread, "Is the Lyon shop open on Monday?")
        opened = await theirs.type("request.opened")
        request = opened.data["data"]["request"]
        assert request["question"] == "Is the Lyon shop open on Monday?"
        assert (await hers.reply("One moment, I am asking a colleague.")).message["author"]["kind"] == "system"
        waiting = await ana.open_request(thread)
        assert waiting["id"] == request["id"]
        assert [message["id"] for message in waiting["context"]["messages"]] == [posted["id"]]
        decided = await ana.answer(request["id"], "Yes, until 19:00.")
        assert decided["decision"]["by"] == {"id": ana.id, "name": "Ana"}
        assert decided["state"] == "applied"
        told = await hers.reply("Ana says: Yes, until 19:00.")
        assert told.message["author"] == {"kind": "agent", "id": agent.name, "name": agent.name}
        await theirs.type("run.done")
        assert hers.texts().count("Ana says: Yes, until 19:00.") == 1
    stored = await ada.messages(thread)
    assert [message["text"] for message in stored] == [
        "Is the Lyon shop open on Monday?",
        "One moment, I am asking a colleague.",
        "Ana says: Yes, until 19:00.",
    ]
    assert decided["outcome"] in [message["id"] for message in await ana.messages(thread)]
    assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is None


async def test_a_declined_question_tells_the_customer_so(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    agent.script = asking()
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "What is the manager's phone number?")
        request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
        decided = await ana.post(f"/api/requests/{request}/decision", kind="decline", reason="we do not give that away")
        assert decided["decision"]["kind"] == "decline"
        await hers.reply("Ana cannot say: we do not give that away")


async def test_a_thread_with_an_open_question_waits_until_it_is_answered(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    agent.script = asking()
    async with ana.listening() as theirs:
        await ada.say(thread, "Do you repair watches?")
        request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
        page = await ana.get("/api/threads", assignment="unassigned")
        assert [item["id"] for item in page["items"]] == [thread]
        assert page["counts"]["unassigned"] == 1
        assert (await ada.get(f"/api/threads/{thread}"))["waiting_since"] is not None
        await ana.post(f"/api/requests/{request}/claim")
        assert (await ana.get("/api/threads", assignment="unassigned"))["counts"] == {"mine": 1, "unassigned": 0, "all": 1}
        await ana.answer(request, "Yes.")
        await theirs.type("run.done")
    assert (await ana.get("/api/threads", assignment="all"))["counts"] == {"mine": 0, "unassigned": 0, "all": 1}


async def test_what_the_customer_writes_meanwhile_is_answered_and_the_question_stays_open(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    agent.script = asking()
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Can you engrave a ring?")
        question = (await theirs.type("request.opened")).data["data"]["request"]["id"]
        agent.script = echo
        await ada.say(thread, "And what does it cost?")
        await hers.reply("You said: And what does it cost?")
        assert (await ana.get(f"/api/requests/{question}"))["state"] == "open"
        assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is not None
        agent.script = asking()
        await ana.answer(question, "Yes, we can.")
        await hers.reply("Ana says: Yes, we can.")
        await theirs.type("run.done", count=2)
    texts = [message["text"] for message in await ada.messages(thread)]
    assert sorted(texts) == sorted([
        "Can you engrave a ring?", "And what does it cost?", "You said: And what does it cost?", "Ana says: Yes, we can.",
    ])  # fmt: skip
    asked = agent.turns[1].history
    assert not [part for message in asked for part in message.parts if hasattr(part, "call_id")], "an open call is no context"


async def test_two_open_questions_are_answered_in_any_order(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    agent.script = asking()
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "First?")
        await theirs.type("request.opened")
        await ada.say(thread, "Second?")
        await theirs.type("request.opened", count=2)
        by_question = {item["question"]: item["id"] for item in (await ana.get("/api/requests", thread=thread))["items"]}
        await ana.answer(by_question["Second?"], "two")
        await hers.reply("Ana says: two")
        await ana.answer(by_question["First?"], "one")
        await hers.reply("Ana says: one")
        await theirs.type("run.done", count=2)
    texts = [message["text"] for message in await ada.messages(thread)]
    assert (texts.count("Ana says: one"), texts.count("Ana says: two")) == (1, 1)


async def test_messages_written_while_the_agent_speaks_get_one_further_run(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    gate = Gate()
    agent.script = streaming("Good morning to you", gate)
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Hello")
        await agent.given(1)
        agent.script = echo
        await ada.say(thread, "Are you there?")
        await ada.say(thread, "Please?")
        gate.open()
        await hers.reply("Good morning to you")
        await hers.reply("You said: Please?")
        await theirs.type("run.done", count=2)
    assert len(agent.turns) == 2
    assert [m.parts[0].text for m in agent.turns[1].history if m.role == "user"] == ["Hello", "Are you there?", "Please?"]


async def test_without_respond_a_message_is_stored_and_answered_on_demand(
    agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Hello?", respond=False)
        await theirs.type("message.posted")
        assert [event.type for event in theirs.heard if event.type.startswith("run.")] == []
        await ana.post(f"/api/threads/{thread}/respond")
        await hers.reply("You said: Hello?")
        await theirs.type("run.done")
        refused(await ana.client.post(f"/api/threads/{thread}/respond"), 409, "conflict")
    assert len(agent.turns) == 1


async def test_a_customer_does_not_choose_the_agent(agent: ScriptedAgent, desk: Desk, ada: Person, ana: Person, thread: str):
    internal = ScriptedAgent(name="internal")
    desk.register(internal)
    await ada.say(thread, "Hello?", respond=False)
    refused(await ada.client.post(f"/api/threads/{thread}/respond", json={"agent": "internal"}), 403, "forbidden")
    async with ada.listening() as hers:
        await ana.post(f"/api/threads/{thread}/respond", agent="internal")
        told = await hers.reply("You said: Hello?")
    assert told.message["author"]["name"] == "internal"
    assert agent.turns == []


async def test_nothing_to_answer_is_a_conflict(front: Front, ada: Person, ana: Person, thread: str):
    refused(await ana.client.post(f"/api/threads/{thread}/respond", json={}), 409, "conflict")
    refused(await ada.client.post(f"/api/threads/{thread}/respond", json={}), 409, "conflict")
    problem = refused(await ana.client.post(f"/api/threads/{thread}/respond", json={"agent": "nobody"}), 422, "invalid")
    assert problem["field"] == "agent"


async def test_a_failed_run_is_visible_and_can_be_tried_again(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    agent.script = failing(RuntimeError("the model is down"))
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Hello?")
        failed = await theirs.type("run.failed")
        assert "the model is down" in failed.data["data"]["error"]
        line = await hers.until(lambda e: is_message(e) and e.message["role"] == "system")
        assert line.message["author"]["kind"] == "system"
        assert "the model is down" not in str([event.data for event in hers.heard])
        assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is not None
        [broken] = [message for message in await ana.messages(thread) if message["status"] == "failed"]
        assert "the model is down" in broken["error"]
        agent.script = echo
        await ana.post(f"/api/threads/{thread}/respond")
        await hers.reply("You said: Hello?")
        await theirs.type("run.done")
    assert "the model is down" not in str(await ada.messages(thread))
    assert (await ana.get(f"/api/threads/{thread}"))["waiting_since"] is None


async def test_an_agent_that_says_nothing_has_failed(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    async def silent(_):
        return
        yield

    agent.script = silent
    async with ana.listening() as theirs:
        await ada.say(thread, "Hello?")
        await theirs.type("run.failed")


async def test_the_customer_sees_public_things_only(agent: ScriptedAgent, ada: Person, ana: Person, thread: str):
    agent.script = asking(notice="One moment.")
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Is it raining?")
        request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
        await ana.say(thread, "SECRET note about this customer", visibility="note")
        await ana.patch(f"/api/threads/{thread}", tags=["SECRET"], summary="SECRET", metadata={"a": "SECRET"}, priority="high")
        await ana.post(f"/api/requests/{request}/decision", kind="answer", value="It is.", review="SECRET review")
        await hers.reply("Ana says: It is.")
        await theirs.type("run.done")
        await ana.say(thread, "Goodbye")
        await hers.reply("Goodbye")
        said = str([event.data for event in hers.heard])
    assert "SECRET" not in said
    assert {event.type.split(".")[0] for event in hers.heard} <= {":", "thread", "message"}
    assert [event for event in hers.heard if event.type.startswith(("run.", "request."))] == []
    everything = str(
        [
            await ada.messages(thread),
            await ada.get(f"/api/threads/{thread}"),
            await ada.get("/api/threads"),
            await ada.get("/api/me"),
        ]
    )
    assert "SECRET" not in everything
    shown = await ada.get(f"/api/threads/{thread}")
    assert not shown.keys() & {"epoch", "mode", "priority", "queue", "tags", "metadata", "requests", "summary"}
    for message in await ada.messages(thread):
        assert message.keys() == MESSAGE_OF_A_CUSTOMER
        assert message["visibility"] == "public"
        assert message["role"] != "tool"
        assert {part["type"] for part in message["parts"]} == {"text"}
        assert (message["model"], message["provider"], message["run"]) == (None, None, None)
    assert any(message["visibility"] == "note" for message in await ana.messages(thread))


async def test_an_operators_own_message_reaches_the_customer_as_theirs(ada: Person, ana: Person, thread: str):
    async with ada.listening() as hers:
        posted = await ana.say(thread, "This is Ana, how can I help?")
        assert posted["provider"] == "human"
        assert posted["provider_metadata"] == {"human": {"id": ana.id, "name": "Ana"}}
        told = await hers.reply("This is Ana, how can I help?")
    assert told.message["author"] == {"kind": "operator", "id": ana.id, "name": "Ana"}


async def test_a_customer_lists_their_own_threads_only(front: Front, ada: Person, thread: str):
    bob = await front.visitor()
    his = await bob.thread()
    assert [item["id"] for item in (await ada.get("/api/threads"))["items"]] == [thread]
    assert [item["id"] for item in (await bob.get("/api/threads"))["items"]] == [his]


async def test_a_program_speaks_for_the_customer_of_a_thread(front: Front, agent: ScriptedAgent, ana: Person):
    site = await front.program("messages:customer")
    thread = await site.thread(customer="cust-7")
    async with site.listening(thread=thread) as heard:
        posted = await site.say(thread, "Hello from the site", author="customer")
        assert posted["author"] == {"kind": "customer", "id": "cust-7", "name": "cust-7"}
        await heard.reply("You said: Hello from the site")
    refused(await site.client.post(f"/api/threads/{thread}/messages", json={"text": "as myself"}), 403, "forbidden")
    await agent.given(1)


@pytest.mark.parametrize("body", [{"text": "hi", "author": "customer"}, {"text": "hi", "visibility": "note"}])
async def test_a_customer_speaks_as_themselves_and_in_public(ada: Person, thread: str, body: dict[str, str]):
    refused(await ada.client.post(f"/api/threads/{thread}/messages", json=body), 403, "forbidden")
    assert await ada.messages(thread) == []


async def test_many_customers_are_answered_at_once(front: Front, agent: ScriptedAgent, ana: Person):
    async def one(number: int) -> None:
        customer = await front.visitor()
        thread = await customer.thread()
        async with customer.listening() as heard:
            await customer.say(thread, f"Hello {number}")
            await heard.reply(f"You said: Hello {number}")
        assert len(await customer.messages(thread)) == 2

    await asyncio.gather(*(one(number) for number in range(20)))
    done(await ana.client.get("/readyz"))
