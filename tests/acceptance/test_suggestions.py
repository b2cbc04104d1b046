"""Suggestions through the public doors: what people answer again and again becomes an answer of the AI, with one click."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.acceptance.doors import Front, Json, Person, done, open_front, refused, serving, soon

from deskmate import Desk
from deskmate.config import Settings
from deskmate.runners.faq import FaqAgent, FaqLibrary

RETURNS = ("returns.md", "# Returns\nYou can return any unused item within 30 days. Print the label from your order page.")
WARRANTY = [
    ("How long is the warranty on lamps?", "Hi Carla, all our lamps have a warranty of two years, please keep the receipt."),
    ("do lamps come with a guarantee", "Yes, the guarantee on lamps is two years from the date on the receipt."),
    ("What warranty do you give for your lamps?", "We give two years of warranty on every lamp, with the receipt. Regards, Ana"),
]


def agent() -> FaqAgent:
    return FaqAgent(FaqLibrary([RETURNS]))


def desk_of(store_url: str) -> Desk:
    return Desk(store_url, agents=[agent()], settings=Settings(admin_key="the-admin-key-of-these-tests", rate_limits=False))


@pytest.fixture
async def front(store_url: str) -> AsyncIterator[Front]:
    async with serving(desk_of(store_url)) as url, open_front(url) as front:
        yield front


async def ask(front: Front, question: str) -> tuple[Person, str]:
    """Somebody new asks, and the AI, which does not know, asks people."""
    visitor = await front.visitor()
    thread = await visitor.thread()
    async with front.admin.listening(thread=thread) as heard:
        await visitor.say(thread, question)
        await heard.type("request.opened")
    return visitor, thread


async def told(front: Front, operator: Person, question: str, answer: str) -> str:
    """Somebody new asks, and a person answers what the AI does not know."""
    _, thread = await ask(front, question)
    await operator.answer((await front.admin.open_request(thread))["id"], answer)
    return thread


async def told_of_engraving(front: Front, operator: Person) -> None:
    """Something that is suggested in any case. Where it is seen, what came before it in the feed has been dealt with."""
    for _ in range(3):
        await told(
            front, operator, "do you engrave cutting boards?", "We engrave cutting boards for 12 EUR with up to 20 letters."
        )


async def suggested(front: Front, *, count: int = 1, state: str = "open") -> list[Json]:
    """The suggestions, once there are as many."""

    async def look() -> list[Json]:
        while True:
            items = (await front.admin.get("/api/suggestions", state=state))["items"]
            if len(items) >= count:
                return items
            await asyncio.sleep(0.02)

    return await soon(look())


async def replies(front: Front, question: str) -> str:
    """What the AI says to somebody new, or that it asks people."""
    visitor = await front.visitor()
    thread = await visitor.thread()
    async with front.admin.listening(thread=thread) as heard:
        await visitor.say(thread, question)
        await heard.until(lambda event: event.type in ("run.done", "run.paused"))
    return (await visitor.messages(thread))[-1]["text"]


async def test_what_people_answer_again_and_again_is_suggested_and_then_answered_by_the_ai(front: Front):
    ana, lea = await front.operator("Ana"), await front.operator("Lea", role="lead")
    threads = [await told(front, ana, question, answer) for question, answer in WARRANTY]
    [found] = await suggested(front)
    assert set(found) == {"id", "question", "answer", "times", "questions", "operators", "state", "first_at", "last_at"}
    assert (found["times"], found["operators"], found["state"]) == (3, ["Ana"], "open")
    assert {one["thread"] for one in found["questions"]} == set(threads)
    assert {one["text"] for one in found["questions"]} == {question for question, _ in WARRANTY}
    assert found["first_at"] <= found["last_at"]
    assert not [name for name in ("Carla", "Ana", "Regards") if name in found["answer"]]
    assert (await ana.get("/api/suggestions"))["items"] == [found]
    accepted = await lea.post(f"/api/suggestions/{found['id']}/accept")
    assert accepted == found | {"state": "accepted"}
    reply = await replies(front, "is there a guarantee for the lamps?")
    assert "two years" in reply
    assert f"Source: The team's answers › {found['question']}" in reply
    assert "colleague" in await replies(front, "Are the lamps dimmable?")
    assert "30 days" in await replies(front, "Can I return an unused item?")
    assert (await front.admin.get("/api/suggestions"))["items"] == []
    assert [one["id"] for one in (await front.admin.get("/api/suggestions", state="accepted"))["items"]] == [found["id"]]


async def test_a_lead_may_put_it_in_better_words_and_a_wrong_entry_is_taken_back(front: Front):
    ana, lea = await front.operator("Ana"), await front.operator("Lea", role="lead")
    for question, answer in WARRANTY:
        await told(front, ana, question, answer)
    [found] = await suggested(front)
    path = f"/api/suggestions/{found['id']}/accept"
    assert refused(await lea.client.post(path, json={"question": " "}), 422)["field"] == "question"
    assert refused(await lea.client.post(path, json={"answer": ""}), 422)["field"] == "answer"
    await lea.post(path, question="How long is the warranty of a lamp?", answer="Two years. **Keep the receipt.**")
    [entry] = (await ana.get("/api/faq"))["items"]
    assert (entry["question"], entry["answer"]) == ("How long is the warranty of a lamp?", "Two years. **Keep the receipt.**")
    assert (entry["suggestion"], entry["by"]["name"]) == (found["id"], "Lea")
    assert set(entry["wordings"]) == {question for question, _ in WARRANTY}
    assert "Keep the receipt" in await replies(front, "Does my lamp have warranty")
    refused(await ana.client.delete(f"/api/faq/{entry['id']}"), 403)
    done(await lea.client.delete(f"/api/faq/{entry['id']}"), 204)
    refused(await lea.client.delete(f"/api/faq/{entry['id']}"), 404)
    assert "colleague" in await replies(front, "Does my lamp have warranty")
    # The topic has been decided: it does not come again.
    for question, answer in WARRANTY:
        await told(front, ana, question, answer)
    await told_of_engraving(front, ana)
    [new] = await suggested(front)
    assert "engrave" in new["question"]


async def test_of_two_leads_who_accept_at_once_one_wins_and_the_other_is_told_who(front: Front):
    ana = await front.operator("Ana")
    leads = [await front.operator(name, role="lead") for name in ("Lea", "Max")]
    for question, answer in WARRANTY:
        await told(front, ana, question, answer)
    [found] = await suggested(front)
    path = f"/api/suggestions/{found['id']}"
    answers = await asyncio.gather(*(lead.client.post(f"{path}/accept", json={}) for lead in leads))
    [won] = [lead for lead, answer in zip(leads, answers, strict=True) if answer.is_success]
    [lost] = [answer for answer in answers if not answer.is_success]
    problem = refused(lost, 409, "already_decided")
    assert won.name in problem["detail"]
    assert (problem["by"]["id"], problem["state"]) == (won.id, "accepted")
    assert len((await front.admin.get("/api/faq"))["items"]) == 1
    refused(await leads[0].client.post(f"{path}/dismiss", json={}), 409, "already_decided")


async def test_what_was_dismissed_does_not_come_again(front: Front):
    ana, lea = await front.operator("Ana"), await front.operator("Lea", role="lead")
    for question, answer in WARRANTY:
        await told(front, ana, question, answer)
    [found] = await suggested(front)
    dismissed = await lea.post(f"/api/suggestions/{found['id']}/dismiss", reason="It changes next month.")
    assert dismissed["state"] == "dismissed"
    for question, answer in WARRANTY:
        await told(front, ana, question, answer)
    await told_of_engraving(front, ana)
    [new] = await suggested(front)
    assert "engrave" in new["question"]


async def test_people_who_take_over_and_reply_teach_as_well(front: Front):
    ana = await front.operator("Ana")
    for question, answer in WARRANTY:
        _, thread = await ask(front, question)
        await ana.assign(thread, f"operator:{ana.id}")
        await ana.say(thread, answer)
        await ana.say(thread, "Is there anything else that I can do for you?")
    [found] = await suggested(front)
    assert (found["times"], found["operators"]) == (3, ["Ana"])


@pytest.mark.parametrize(
    "answers",
    [
        ["Your order 20817 was sent to carla@shop.example, the lamp warranty is two years."] * 3,
        ["We have sent your new lamp with a warranty of two years."] * 3,
        ["The warranty on lamps is two years.", "The warranty on lamps is five years.", "The warranty on lamps is ten years."],
        ["Which lamp of ours do you have, with what warranty?"] * 3,
    ],
    ids=["numbers of orders", "what was done", "at odds", "questions in turn"],
)
async def test_answers_for_one_customer_or_at_odds_are_never_suggested(front: Front, answers: list[str]):
    ana = await front.operator("Ana")
    for (question, _), answer in zip(WARRANTY, answers, strict=True):
        await told(front, ana, question, answer)
    await told_of_engraving(front, ana)
    [found] = await suggested(front)
    assert "engrave" in found["question"]


async def test_one_customer_who_asks_three_times_is_one(front: Front):
    ana = await front.operator("Ana")
    visitor = await front.visitor()
    for question, answer in WARRANTY:
        thread = await visitor.thread()
        async with front.admin.listening(thread=thread) as heard:
            await visitor.say(thread, question)
            await heard.type("request.opened")
        await ana.answer((await front.admin.open_request(thread))["id"], answer)
    await told_of_engraving(front, ana)
    [found] = await suggested(front)
    assert "engrave" in found["question"]


async def test_bad_input_names_its_field(front: Front):
    for params, field in (({"state": "gathering"}, "state"), ({"cursor": "x"}, "cursor")):
        problem: Any = refused(await front.admin.client.get("/api/suggestions", params=params), 422 if field == "state" else 400)
        assert problem["field"] == field
    refused(await front.admin.client.post("/api/suggestions/none/accept", json={}), 404)
    refused(await front.admin.client.post("/api/suggestions/none/dismiss", json={}), 404)
    refused(await front.admin.client.get("/api/faq", params={"cursor": "x"}), 400)
