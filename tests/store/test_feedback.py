"""Feedback: what people decide, say and rate is kept once, with the words it is about; and what an export makes of it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.store.fed_back import HOURS, OPEN, answered, drafted, events, kept, lines
from tests.store.people import ADA, EVE

from deskmate import Desk, NewMessage, Text, Visibility
from deskmate.domain.actors import SYSTEM, agent
from deskmate.domain.feedback import FeedbackKind
from deskmate.domain.operators import Operator
from deskmate.domain.threads import Mode
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.testing import FakeClock, ScriptedAgent, asking, calling


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana Lopez", email="ana@shop.example")


@pytest.mark.parametrize("kind", ["approve", "edit", "reject"])
async def test_what_a_person_makes_of_a_draft_is_kept_with_the_words_before_it(desk: Desk, ana: Operator, kind: str):
    thread, request = await drafted(desk)
    match kind:
        case "approve":
            await desk.requests.approve(request.id, by=ana, review="Good")
        case "edit":
            await desk.requests.edit(request.id, text=HOURS, by=ana, review="Good")
        case _:
            await desk.requests.reject(request.id, by=ana, review="Good")
    [one] = await kept(desk)
    assert (one["kind"], one["about"], one["message"], one["request"]) == (kind, "draft", request.draft, request.id)
    assert (one["agent"], one["run"]) == ("scripted", request.run)
    assert (one["prompt"], [said["text"] for said in one["context"]]) == (OPEN, [OPEN])
    said = {"approve": one["draft"], "edit": HOURS, "reject": None}[kind]
    assert (one["draft"], one["final"], one["review"]) == (request.suggestion, said, "Good")
    assert one["by"] == {"kind": "operator", "id": ana.id, "name": "Ana Lopez"}
    assert await events(desk, thread) == [("Deskmate", kind, request.draft)]


async def test_the_answer_to_a_question_is_kept_with_how_sure_the_ai_was(desk: Desk, ana: Operator, bot: ScriptedAgent):
    bot.script = asking()
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, OPEN, author=ADA)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread, by=SYSTEM)
    await desk.requests.answer(request.id, HOURS, by=ana)
    [one] = await kept(desk)
    assert (one["kind"], one["about"], one["question"], one["prompt"], one["final"]) == ("answer", "question", OPEN, OPEN, HOURS)


async def test_what_people_make_of_a_call_of_a_tool_is_kept(desk: Desk, ana: Operator, bot: ScriptedAgent):
    async def refund(args: object) -> str:
        return "refunded"

    bot.script = calling("refund", {"euro": 20}, refund)
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, "My money back, please.", author=ADA)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread, by=SYSTEM)
    await desk.requests.edit(request.id, args={"euro": 10}, by=ana)
    [one] = await kept(desk)
    assert (one["kind"], one["about"]) == ("edit", "tool")
    assert json.loads(one["draft"]) == {"tool": "refund", "args": {"euro": 20}}
    assert json.loads(one["final"]) == {"tool": "refund", "args": {"euro": 10}}
    assert await lines(desk, "openai") == []


async def test_a_takeover_from_the_ai_is_kept_with_its_last_words_and_what_the_person_says_is_an_answer(
    desk: Desk, ana: Operator, clock: FakeClock
):
    thread, said = await answered(desk)
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    clock.advance(seconds=1)
    await desk.messages.post(thread, "SECRET of the team", author=ana, visibility=Visibility.NOTE)
    await desk.messages.post(thread, HOURS, author=ana)
    await desk.assignments.assign(thread, "queue:support", by=ana)
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    over, answer = await kept(desk)
    assert (over["kind"], over["message"], over["agent"], over["draft"]) == ("take_over", said, "scripted", over["draft"])
    assert over["draft"] == over["context"][-1]["text"]
    assert (answer["kind"], answer["about"], answer["final"], answer["prompt"]) == ("answer", "message", HOURS, OPEN)
    assert "SECRET" not in json.dumps([over, answer])


async def test_a_takeover_by_a_decision_counts_once_and_its_first_words_are_an_answer(desk: Desk, ana: Operator):
    thread, _ = await answered(desk)
    await desk.escalations.escalate(thread, by=ADA)
    [request] = await desk.requests.waiting(thread, by=SYSTEM)
    await desk.requests.take_over(request.id, HOURS, by=ana)
    found = await kept(desk)
    assert sorted((one["kind"], one["about"], one["final"]) for one in found if one["kind"] != "rating") == [
        ("answer", "message", HOURS),
        ("take_over", "escalation", None),
    ]


async def test_two_desks_that_follow_at_once_keep_it_once(desk: Desk, other: Desk, ana: Operator):
    threads: list[str] = []
    for number in range(6):
        thread, request = await drafted(desk, f"Question {number}?")
        await desk.requests.edit(request.id, text=f"Answer {number}", by=ana)
        threads.append(thread)
    await asyncio.gather(*[one.run_due() for one in (desk, other) for _ in range(3)])
    assert len(await kept(desk)) == 6
    for thread in threads:
        assert len(await events(desk, thread)) == 1


async def test_a_follower_that_is_late_finds_what_a_quick_one_finds(
    store_url: str, desk: Desk, ana: Operator, clock: FakeClock, bot: ScriptedAgent
):
    thread, request = await drafted(desk)
    await desk.requests.edit(request.id, text=HOURS, by=ana)
    clock.advance(timedelta(hours=1))
    await desk.threads.change(thread, mode=Mode.AUTO, by=SYSTEM)
    await desk.messages.post(thread, "SECRET of later", author=ADA, respond=False)
    await desk.close()
    # Another process, after a restart, sees the decision only now.
    async with Desk.open(store_url, clock=clock, agents=[bot], work=False) as second:
        [one] = await kept(second)
        assert ([said["text"] for said in one["context"]], one["final"]) == ([OPEN], HOURS)
        assert one["created_at"].startswith("2026-01-05T09:00")
        assert await kept(second) == [one]


async def test_what_happened_twice_counts_once_also_where_the_follower_begins_again(desk: Desk, ana: Operator):
    thread, request = await drafted(desk)
    await desk.requests.approve(request.id, by=ana)
    before = await kept(desk)

    async def again(tx: Any) -> None:
        row = await tx.one("followers.get", name="feedback")
        await tx.run("followers.advance", name="feedback", seq=0, was=row["seq"])

    await desk._store.write(again)  # pyright: ignore[reportPrivateUsage]
    assert await kept(desk) == before
    assert len(await events(desk, thread)) == 1


async def test_p8_what_the_team_and_its_ai_tell_each_other_is_not_kept(desk: Desk, ana: Operator, bot: ScriptedAgent):
    thread, _ = await answered(desk)
    await desk.run_due()
    bot.script = asking(OPEN)
    await desk.messages.post(thread, "@ai SECRET", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread, by=SYSTEM)
    await desk.requests.answer(request.id, "SECRET of the team", by=ana)
    assert await kept(desk) == []


async def test_an_answer_that_no_column_holds_does_not_stop_the_follower(desk: Desk, ana: Operator, bot: ScriptedAgent):
    bot.script = asking()
    for value in ("Ten\x00 to \ud800seven\u2028 or\x85so", {"hours": ["\x00"]}):
        thread = (await desk.threads.open(customer="ada", by=ADA)).id
        await desk.messages.post(thread, OPEN, author=ADA)
        await desk.run_due()
        [request] = await desk.requests.waiting(thread, by=SYSTEM)
        await desk.requests.answer(request.id, value, by=ana)
    assert [one["final"] for one in await kept(desk)] == ["Ten to ?seven\u2028 or\x85so", '{"hours": ["\\u0000"]}']
    for format in ("jsonl", "openai", "lm-eval"):
        assert len("".join([line async for line in desk.feedback.export(format)]).splitlines()) == 2


# Ratings


async def test_a_second_rating_takes_the_place_of_the_first(desk: Desk, ana: Operator):
    thread, message = await answered(desk)
    first = await desk.feedback.rate(thread, "up", message=message, by=ADA)
    second = await desk.feedback.rate(thread, "down", message=message, comment="It is wrong", by=ADA)
    stars = await desk.feedback.rate(thread, 4, by=ADA)
    assert (first.id, first.rating) == (second.id, "up")
    found = await desk.feedback.of_thread(thread, by=ADA)
    assert [(one.kind, one.message, one.rating, one.review) for one in found] == [
        (FeedbackKind.RATING, message, "down", "It is wrong"),
        (FeedbackKind.RATING, None, 4, None),
    ]
    assert (second.prompt, second.draft, second.agent, stars.draft) == (OPEN, second.final, "scripted", None)
    assert await desk.feedback.of_thread(thread, by=ana) == found
    await desk.run_due()
    assert [event[:2] for event in await events(desk, thread)] == [("Ada", "rating")] * 3


async def test_two_ratings_of_one_customer_at_once_are_one(desk: Desk, other: Desk):
    thread, message = await answered(desk)
    await asyncio.gather(*[one.feedback.rate(thread, "up", message=message, by=ADA) for one in (desk, other) for _ in range(4)])
    assert len(await desk.feedback.of_thread(thread, by=ADA)) == 1


async def test_a_rating_that_nobody_can_mean_is_refused_and_changes_nothing(desk: Desk, ana: Operator):
    thread, message = await answered(desk)
    [own, *_] = (await desk.messages.history(thread, by=ADA)).items
    [note] = await desk.messages.save(
        thread,
        [NewMessage(role="assistant", author=agent("bot").author, parts=(Text(text="SECRET"),), visibility=Visibility.NOTE)],
    )
    wrong: list[tuple[type[Exception], str | None, dict[str, Any]]] = [
        *[(Invalid, "rating", {"rating": value}) for value in (0, 6, True, "yes", "", "5", 2.5, None)],
        (Invalid, "message", {"rating": 5, "message": own.id}),
        (NotFound, "message", {"rating": 5, "message": note.id}),
        (NotFound, "message", {"rating": 5, "message": "msg_nobody"}),
        (Invalid, "comment", {"rating": 5, "comment": "x" * 2001}),
        (Invalid, "comment", {"rating": 5, "comment": "\x00"}),
        (Forbidden, "correction", {"rating": 5, "message": message, "correction": "Mine"}),
        (NotFound, "thread", {"rating": 5, "by": EVE}),
        (Forbidden, None, {"rating": "up", "message": message, "by": agent("bot")}),
        (Forbidden, None, {"rating": "up", "message": message, "by": SYSTEM}),
        (Invalid, "message", {"rating": "up", "by": ana}),
        (Invalid, "rating", {"rating": 5, "message": message, "by": ana}),
        (Invalid, "message", {"rating": "up", "message": own.id, "by": ana}),
        (Invalid, "message", {"rating": "up", "message": note.id, "by": ana}),
        (Invalid, "correction", {"rating": "down", "message": message, "correction": " ", "by": ana}),
    ]
    for error, field, given in wrong:
        with pytest.raises(error) as refused:
            await desk.feedback.rate(thread, **{"by": ADA} | given)
        assert getattr(refused.value, "field", None) == field, given
    assert await desk.feedback.of_thread(thread, by=ana) == ()


async def test_customers_see_their_own_ratings_and_no_corrections(desk: Desk, ana: Operator):
    thread, message = await answered(desk)
    await desk.feedback.rate(thread, "down", message=message, correction=HOURS, by=ana)
    await desk.feedback.rate(thread, "up", message=message, by=ADA)
    assert [one.kind for one in await desk.feedback.of_thread(thread, by=ADA)] == ["rating"]
    assert [one.kind for one in await desk.feedback.of_thread(thread, by=ana)] == ["correction", "rating"]
    with pytest.raises(NotFound):
        await desk.feedback.of_thread(thread, by=EVE)
    seen = [one.event.type for one in await desk.feed.read(by=ADA, thread=thread)]
    assert "feedback.recorded" not in seen


# What is deleted


async def test_a_deleted_thread_takes_its_feedback_with_it_also_what_the_follower_has_not_seen(desk: Desk, ana: Operator):
    thread, request = await drafted(desk)
    await desk.feedback.rate(thread, 5, by=ADA)
    await desk.requests.approve(request.id, by=ana)
    await desk.threads.delete(thread)
    assert await kept(desk) == []
    again, request = await drafted(desk)
    await desk.requests.approve(request.id, by=ana)
    await desk.run_due()
    await desk.threads.delete(again)
    for format in ("jsonl", "openai", "openai-preference", "lm-eval"):
        assert await lines(desk, format) == []


async def test_the_words_of_a_deleted_message_go_from_all_feedback(desk: Desk, ana: Operator):
    thread, message = await answered(desk, "SECRET first words")
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    await desk.messages.post(thread, OPEN, author=ADA)
    await desk.messages.post(thread, HOURS, author=ana)
    await desk.feedback.rate(thread, "down", message=message, by=ADA)
    await desk.run_due()
    first = (await desk.messages.history(thread, by=SYSTEM)).items[0]
    await desk.messages.delete(first.id, message)
    [one] = await kept(desk)
    assert (one["final"], [said["text"] for said in one["context"]]) == (HOURS, [OPEN])
    assert "SECRET" not in json.dumps(one)


async def test_a_draft_that_was_deleted_before_the_follower_came_is_not_kept(desk: Desk, ana: Operator):
    _, request = await drafted(desk)
    await desk.requests.approve(request.id, by=ana)
    assert request.draft is not None
    await desk.messages.delete(request.draft)
    assert await kept(desk) == []


# Exports
