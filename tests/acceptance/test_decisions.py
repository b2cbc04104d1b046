"""Decisions: a request is decided once, whoever tries at whatever moment, and the run goes on once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.acceptance.doors import Front, Json, Person, done, open_front, refused, serving, soon

from deskmate import Desk, Settings
from deskmate.domain.agents import Output, Turn
from deskmate.testing import ScriptedAgent, answers_to, ask, asking, say


@pytest.fixture
async def thread(ada: Person) -> str:
    return await ada.thread()


@pytest.fixture
async def request_id(agent: ScriptedAgent, front: Front, ada: Person, thread: str) -> str:
    """A question that waits; its id."""
    agent.script = asking()
    return await asked(front.admin, ada, thread)


async def asked(watcher: Person, customer: Person, thread: str, text: str = "Is it?") -> str:
    async with watcher.listening(thread=thread) as heard:
        await customer.say(thread, text)
        return (await heard.type("request.opened")).data["data"]["request"]["id"]


async def decide(person: Person, request: str, **body: object):
    return await person.client.post(f"/api/requests/{request}/decision", json=body)


async def settled(front: Front, thread: str, done_runs: int = 1) -> None:
    """Wait until runs have ended."""
    async with front.admin.listening(after=0, thread=thread) as heard:
        await heard.type("run.done", count=done_runs)


async def test_the_loser_is_told_who_won_and_when_before_anything_else_is_looked_at(
    front: Front, ana: Person, ben: Person, thread: str, request_id: str
):
    won = await ana.answer(request_id, "yes")
    by, at = {"id": ana.id, "name": "Ana"}, won["decision"]["at"]
    for body in (
        {"kind": "answer", "value": "no"},
        {"kind": "answer"},  # without a value
        {"kind": "approve"},  # not of this kind
        {"kind": "decline", "reason": "late"},
    ):
        for person in (ben, ana, front.admin):
            problem = refused(await decide(person, request_id, **body), 409, "already_decided")
            assert problem["by"] == by
            assert problem["at"][:19] == at[:19]
    for verb in ("claim", "release", "cancel"):
        problem = refused(await ben.client.post(f"/api/requests/{request_id}/{verb}"), 409, "already_decided")
        assert problem["by"] == by
    assert (await ana.get(f"/api/requests/{request_id}"))["decision"] == won["decision"]
    await settled(front, thread)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "answer"}, "value"),
        ({"kind": "answer", "value": None}, "value"),
        ({"kind": "answer", "value": "  "}, "value"),
        ({"kind": "approve"}, "kind"),
        ({"kind": "edit", "args": {}}, "kind"),
        ({"kind": "take_over"}, "kind"),
        ({"kind": "perhaps"}, "kind"),
        ({}, "kind"),
        ({"kind": "answer", "value": "x", "by": {"id": "op_1"}}, "by"),
        ({"kind": "answer", "value": "x", "stale_ok": "perhaps"}, "stale_ok"),
    ],
)
async def test_a_decision_that_does_not_fit_changes_nothing(ana: Person, request_id: str, body: Json, field: str):
    before = await ana.get(f"/api/requests/{request_id}")
    assert refused(await decide(ana, request_id, **body), 422, "invalid")["field"] == field
    assert await ana.get(f"/api/requests/{request_id}") == before
    assert before["state"] == "open"


async def test_an_answer_has_to_fit_its_schema(front: Front, ana: Person):
    schema = {"type": "object", "properties": {"open": {"type": "boolean"}}, "required": ["open"], "additionalProperties": False}
    made = await front.admin.post("/api/requests", question="Is it open?", response_schema=schema)
    for value, field in (("yes", "value"), ({}, "value"), ({"open": "yes"}, "value.open"), ({"open": True, "x": 1}, "value")):
        problem = refused(await decide(ana, made["id"], kind="answer", value=value), 422, "invalid")
        assert problem["field"] == field
    assert (await ana.get(f"/api/requests/{made['id']}"))["state"] == "open"
    decided = await ana.answer(made["id"], {"open": False})
    assert decided["decision"]["value"] == {"open": False}


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"properties": []}, {"required": "x"}, {"minimum": "1"}, {"pattern": "("}]
)
async def test_a_schema_that_is_none_is_refused(front: Front, schema: Json):
    response = await front.admin.client.post("/api/requests", json={"question": "q", "response_schema": schema})
    assert refused(response, 422, "invalid")["field"] == "response_schema"
    assert (await front.admin.get("/api/requests"))["items"] == []


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/$defs/missing"}, {"$ref": "http://127.0.0.1:9/schema.json"}, {"$ref": "#"}, {"pattern": "^(a+)+$"}]
)
async def test_a_schema_that_leads_nowhere_refuses_or_takes_answers(front: Front, ana: Person, schema: Json):
    response = await front.admin.client.post("/api/requests", json={"question": "q", "response_schema": schema})
    if response.status_code != 201:
        refused(response, 422, "invalid")
        return
    answer = await soon(decide(ana, response.json()["id"], kind="answer", value="a" * 20))
    assert answer.status_code in (200, 422), answer.text


async def test_a_cancelled_request_is_closed_and_the_run_is_told(
    front: Front, ada: Person, ana: Person, thread: str, request_id: str
):
    async with ada.listening() as hers:
        cancelled = await ana.post(f"/api/requests/{request_id}/cancel")
        assert cancelled["state"] == "cancelled"
        assert refused(await decide(ana, request_id, kind="answer", value="x"), 409, "closed")["state"] == "cancelled"
        assert refused(await decide(ana, request_id, kind="nonsense_is_422"), 422)["field"] == "kind"
        assert refused(await ana.client.post(f"/api/requests/{request_id}/cancel"), 409, "closed")["state"] == "cancelled"
        assert refused(await ana.client.post(f"/api/requests/{request_id}/claim"), 409, "closed")["state"] == "cancelled"
        await hers.reply("Nobody cannot say: the question was withdrawn")
    await settled(front, thread)


# Claims


async def test_a_claim_keeps_others_out_and_leads_override(
    front: Front, ana: Person, ben: Person, lea: Person, thread: str, request_id: str
):
    claimed = await ana.post(f"/api/requests/{request_id}/claim")
    assert claimed["state"] == "claimed"
    assert claimed["claimed_by"] == {"id": ana.id, "name": "Ana"}
    assert (await ana.post(f"/api/requests/{request_id}/claim"))["claimed_by"]["id"] == ana.id
    for response in (
        await ben.client.post(f"/api/requests/{request_id}/claim"),
        await ben.client.post(f"/api/requests/{request_id}/release"),
        await decide(ben, request_id, kind="answer", value="no"),
        await decide(ben, request_id, kind="answer"),
    ):
        assert refused(response, 409, "claimed")["by"] == {"id": ana.id, "name": "Ana"}
    assert [item["id"] for item in (await ana.get("/api/requests", mine=True))["items"]] == [request_id]
    assert (await ben.get("/api/requests", mine=True))["items"] == []
    assert (await lea.answer(request_id, "the lead says so"))["decision"]["by"]["id"] == lea.id
    assert refused(await decide(ana, request_id, kind="answer", value="x"), 409, "already_decided")["by"]["id"] == lea.id
    await settled(front, thread)


async def test_a_claim_without_a_sign_of_life_keeps_nobody_out(store_url: str, agent: ScriptedAgent, settings: Settings):
    late = timedelta()
    desk = Desk(store_url, agents=[agent], settings=settings, clock=lambda: datetime.now(UTC) + late)
    async with serving(desk) as url, open_front(url) as front:
        ana, ben = await front.operator("Ana"), await front.operator("Ben")
        one, two = [(await front.admin.post("/api/requests", question=f"{n}?"))["id"] for n in range(2)]
        for request in (one, two):
            await ana.post(f"/api/requests/{request}/claim")
            refused(await decide(ben, request, kind="answer", value="x"), 409, "claimed")
        late = timedelta(minutes=11)
        assert (await ben.answer(one, "yes"))["decision"]["by"]["id"] == ben.id
        assert (await ben.post(f"/api/requests/{two}/claim"))["claimed_by"]["id"] == ben.id
        refused(await decide(ana, two, kind="answer", value="x"), 409, "claimed")


async def test_a_released_request_is_there_for_everybody(front: Front, ana: Person, ben: Person, thread: str, request_id: str):
    await ana.post(f"/api/requests/{request_id}/claim")
    released = await ana.post(f"/api/requests/{request_id}/release")
    assert (released["state"], released["claimed_by"]) == ("open", None)
    assert (await ana.post(f"/api/requests/{request_id}/release"))["state"] == "open"
    assert (await ben.answer(request_id, "yes"))["decision"]["by"]["id"] == ben.id
    await settled(front, thread)


async def test_next_gives_the_longest_waiting_one_that_nobody_has(front: Front, ana: Person, ben: Person):
    made = [(await front.admin.post("/api/requests", question=f"Question {n}?"))["id"] for n in range(3)]
    assert (await ana.post("/api/requests/next"))["id"] == made[0]
    assert (await ben.post("/api/requests/next"))["id"] == made[1]
    assert (await ana.post("/api/requests/next"))["id"] == made[2]
    assert await ben.post("/api/requests/next") is None


async def test_next_finds_a_request_behind_many_that_are_claimed(front: Front, ana: Person, ben: Person):
    made = [(await front.admin.post("/api/requests", question=f"Question {n}?"))["id"] for n in range(61)]
    await front.admin.patch(f"/api/operators/{ana.id}", capacity=100)
    for request in made[:-1]:
        await ana.post(f"/api/requests/{request}/claim")
    assert (await ben.post("/api/requests/next"))["id"] == made[-1]


async def test_many_who_take_the_next_one_never_share_it(front: Front, ana: Person, ben: Person, lea: Person):
    made = {(await front.admin.post("/api/requests", question=f"Question {n}?"))["id"] for n in range(12)}
    people = [ana, ben, lea] * 5
    taken = [item["id"] for item in await asyncio.gather(*(person.post("/api/requests/next") for person in people)) if item]
    assert len(taken) == len(set(taken))
    assert set(taken) <= made
    for person in people:
        while (one := await person.post("/api/requests/next")) is not None:
            taken.append(one["id"])
    assert sorted(taken) == sorted(made)


# Waiting for the outcome


async def test_a_program_waits_for_the_answer(front: Front, ana: Person):
    robot = await front.program("requests:ask")
    made = await robot.post("/api/requests", question="May I?", suggestion="yes", reason="the deploy")
    assert (made["suggestion"], made["reason"]) == ("yes", "the deploy")
    early = await robot.get(f"/api/requests/{made['id']}", wait=0.05)
    assert early["state"] == "open"
    waiting = asyncio.create_task(robot.get(f"/api/requests/{made['id']}", wait=30))
    async with front.admin.listening(thread=made["thread"]):
        await ana.answer(made["id"], {"go": True})
    decided = await soon(waiting)
    assert decided["decision"]["value"] == {"go": True}
    assert decided["decision"]["by"]["name"] == "Ana"
    assert (await robot.get(f"/api/requests/{made['id']}", wait=30))["state"] == "applied"


async def test_other_things_on_the_thread_do_not_make_the_wait_longer(front: Front, ana: Person):
    made = await front.admin.post("/api/requests", question="May I?")
    waiting = asyncio.create_task(ana.get(f"/api/requests/{made['id']}", wait=1))
    notes = 0
    while not waiting.done():
        await front.admin.say(made["thread"], "busy", visibility="note")
        notes += 1
        assert notes < 5000, "the wait of a second did not end"
    assert (await waiting)["state"] == "open"


async def test_a_program_withdraws_what_it_asked(front: Front, ana: Person):
    robot = await front.program("requests:ask")
    made = await robot.post("/api/requests", question="May I?")
    assert (await robot.post(f"/api/requests/{made['id']}/cancel"))["state"] == "cancelled"
    assert refused(await decide(ana, made["id"], kind="answer", value="x"), 409, "closed")["state"] == "cancelled"
    refused(await decide(robot, made["id"], kind="answer", value="x"), 403)


# Many at once


async def test_p2_of_two_operators_who_answer_at_once_one_wins_and_the_run_goes_on_once(
    front: Front, agent: ScriptedAgent, ana: Person, ben: Person
):
    agent.script = asking()
    for number in range(20):
        ada = await front.visitor()
        thread = await ada.thread()
        async with ada.listening() as hers, ana.listening(thread=thread) as theirs:
            await ada.say(thread, f"Question {number}?")
            request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
            people = [ana, ben] if number % 2 else [ben, ana]
            answers = await asyncio.gather(*(decide(p, request, kind="answer", value=f"{p.name} {number}") for p in people))
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            [winner] = [person for person, answer in zip(people, answers, strict=True) if answer.status_code == 200]
            [lost] = [answer for answer in answers if answer.status_code == 409]
            assert refused(lost, 409, "already_decided")["by"] == {"id": winner.id, "name": winner.name}
            await hers.reply(f"{winner.name} says: {winner.name} {number}")
            await theirs.type("run.done")
            assert len(theirs.of("request.decided")) == len(theirs.of("request.applied")) == 1
            assert len(theirs.of("run.started")) == 2, "once to ask and once to go on"
        assert [m["text"] for m in await ada.messages(thread)][1:] == [f"{winner.name} says: {winner.name} {number}"]
    assert len(agent.turns) == 40


async def test_p2_thirty_two_at_once_have_one_winner(front: Front, ana: Person, ben: Person, request_id: str, thread: str):
    answers = await asyncio.gather(*(decide([ana, ben][n % 2], request_id, kind="answer", value=n) for n in range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 31
    await settled(front, thread)
    assert len([m for m in await ana.messages(thread) if m["role"] == "tool"]) == 1


async def test_p2_an_answer_and_a_withdrawal_at_once_have_one_winner(
    front: Front, agent: ScriptedAgent, ana: Person, ben: Person
):
    agent.script = asking()
    for _ in range(10):
        ada = await front.visitor()
        thread = await ada.thread()
        request = await asked(front.admin, ada, thread)
        answers = await asyncio.gather(
            decide(ana, request, kind="answer", value="yes"), ben.client.post(f"/api/requests/{request}/cancel")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        refused(*((a, 409) for a in answers if a.status_code == 409).__next__())
        await settled(front, thread)
        assert len(await ada.messages(thread)) == 2


async def test_p7_several_questions_of_one_run_are_answered_by_different_people_in_any_order(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person, ben: Person, thread: str
):
    agent.script = asking("Red?", "Green?", "Blue?")
    async with ada.listening() as hers, ana.listening() as theirs:
        await ada.say(thread, "Which colours?")
        await theirs.type("request.opened", count=3)
        by_question = {item["question"]: item["id"] for item in (await ana.get("/api/requests"))["items"]}
        await ben.answer(by_question["Blue?"], "no")
        await ana.answer(by_question["Red?"], "yes")
        assert len(agent.turns) == 1
        done(await decide(ben, by_question["Green?"], kind="decline", reason="ask later"))
        await hers.until(lambda e: e.type.startswith("message") and "Green" not in str(e.data) and "Ben says: no" in str(e.data))
        await theirs.type("run.done")
    assert len(agent.turns) == 2
    results = answers_to(agent.turns[1])
    assert {(r.by.name, r.output, r.denied) for r in results if r.by} == {
        ("Ben", "no", False), ("Ana", "yes", False), ("Ben", None, True),
    }  # fmt: skip
    assert len([m for m in await ana.messages(thread) if m["role"] == "tool"]) == 1


async def test_p7_several_answers_at_once_let_the_run_go_on_once(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person, ben: Person
):
    agent.script = asking("One?", "Two?", "Three?", "Four?")
    for number in range(1, 6):
        thread = await ada.thread()
        async with ana.listening(thread=thread) as theirs:
            await ada.say(thread, "Which?")
            await theirs.type("request.opened", count=4)
            waiting = (await ana.get("/api/requests", thread=thread))["items"]
            await asyncio.gather(*([ana, ben][n % 2].answer(item["id"], n) for n, item in enumerate(waiting)))
            await theirs.type("run.done")
            assert len(theirs.of("run.queued")) == 2
        assert len(agent.turns) == 2 * number
        assert len(answers_to(agent.turns[-1])) == 4


async def test_a_batch_decides_each_for_itself(front: Front, ana: Person):
    made = [(await front.admin.post("/api/requests", question=f"Question {n}?"))["id"] for n in range(4)]
    await ana.answer(made[1], "first")
    answer = await ana.post(
        "/api/requests/decisions",
        decisions=[
            {"request": made[0], "kind": "answer", "value": "yes"},
            {"request": made[1], "kind": "answer", "value": "late"},
            {"request": "not_there", "kind": "answer", "value": "x"},
            {"request": made[2], "kind": "answer"},
            {"request": made[0], "kind": "answer", "value": "twice"},
            {"request": made[3], "kind": "decline", "reason": "no"},
        ],
    )
    items = answer["items"]
    codes = [item.get("error", {}).get("code") for item in items]
    assert codes == [None, "already_decided", "not_found", "invalid", "already_decided", None]
    assert items[1]["error"]["by"] == {"id": ana.id, "name": "Ana"}
    assert items[3]["error"]["field"] == "value"
    assert items[0]["request"]["decision"]["value"] == "yes"
    assert (await ana.get(f"/api/requests/{made[2]}"))["state"] == "open"


async def test_a_long_thread_of_questions_keeps_each_answer_with_its_question(
    front: Front, agent: ScriptedAgent, ada: Person, ana: Person, thread: str
):
    async def script(turn: Turn) -> AsyncIterator[Output]:
        answers = answers_to(turn)
        yield say(f"{answers[0].output}") if answers else ask(turn.prompt_text, turn=turn)

    agent.script = script
    async with ada.listening() as hers, ana.listening() as theirs:
        for number in range(1, 8):
            await ada.say(thread, f"Question {number}?")
            request = (await theirs.type("request.opened", count=number)).data["data"]["request"]
            assert request["question"] == f"Question {number}?"
            await ana.answer(request["id"], f"Answer {number}")
            await hers.reply(f"Answer {number}")
            await theirs.type("run.done", count=number)
    texts = [message["text"] for message in await ada.messages(thread)]
    assert texts == [text for number in range(1, 8) for text in (f"Question {number}?", f"Answer {number}")]
