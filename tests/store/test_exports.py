"""Exports of feedback: examples, preferences and an evaluation, with nothing in them that is not for others."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.openai_forms import check_example, check_preference
from tests.store.fed_back import answered, drafted, lines
from tests.store.people import ADA

from deskmate import Desk, Visibility
from deskmate.domain.operators import Operator
from deskmate.errors import Forbidden, Invalid
from deskmate.services.feedback import BATCH
from deskmate.testing import FakeClock


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana Lopez", email="ana@shop.example")


@pytest.fixture
async def much(desk: Desk, ana: Operator) -> Desk:
    """A desk with one of everything, and with much that is not for others."""
    _, request = await drafted(desk, "One. Call me: +33 6 12 34 56 78, ada@home.example")
    await desk.requests.approve(request.id, by=ana)
    thread, request = await drafted(desk, "Two?")
    await desk.messages.post(thread, "SECRET note", author=ana, visibility=Visibility.NOTE)
    await desk.requests.edit(request.id, text="No. Best wishes, Ana", by=ana, review="SECRET review")
    _, request = await drafted(desk, "Three?")
    await desk.requests.reject(request.id, by=ana, review="SECRET review")
    thread, message = await answered(desk, "Four?")
    await desk.feedback.rate(thread, "down", message=message, correction="Four is right", comment="SECRET", by=ana)
    thread, message = await answered(desk, "Five?")
    await desk.feedback.rate(thread, "up", message=message, by=ana)
    await desk.feedback.rate(thread, "down", message=message, comment="SECRET of Ada", by=ADA)
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    await desk.messages.post(thread, "Six?", author=ADA)
    await desk.messages.post(thread, "Six it is", author=ana)
    return desk


async def test_examples_hold_what_a_person_stands_for_and_only_that_is_learned(much: Desk):
    found = await lines(much, "openai")
    for one in found:
        check_example(one)
    assert [one["messages"][-1]["content"] for one in found] == [
        found[0]["messages"][-1]["content"], "No. Best wishes, [name]", "Four is right", found[3]["messages"][-1]["content"],
        "Six it is",
    ]  # fmt: skip
    assert found[0]["messages"][0]["content"] == "One. Call me: [number], [e-mail]"
    asked = [one["messages"][-2]["content"] for one in found]
    assert asked[1:] == ["Two?", "Four?", "Five?", "Six?"]
    assert [m.get("weight") for m in found[-1]["messages"]] == [None, 0, None, None]


async def test_preferences_are_the_ais_words_against_a_persons(much: Desk):
    found = await lines(much, "openai-preference")
    for one in found:
        check_preference(one)
    assert [one["preferred_output"][0]["content"] for one in found] == ["No. Best wishes, [name]", "Four is right"]
    assert [one["input"]["messages"][-1]["content"] for one in found] == ["Two?", "Four?"]


async def test_an_evaluation_asks_what_was_asked_and_knows_what_a_person_stands_for(much: Desk):
    found = await lines(much, "lm-eval")
    assert [one["reference"] for one in found][1:3] == ["No. Best wishes, [name]", "Four is right"]
    assert found[1]["conversation"] == "Customer: Two?"
    assert len({one["id"] for one in found}) == len(found) == 5


async def test_an_export_is_narrowed_and_refused(much: Desk, ana: Operator, clock: FakeClock):
    await much.run_due()
    later = clock() + timedelta(seconds=1)
    assert [one async for one in much.feedback.export("jsonl", since=later)] == []
    assert [one async for one in much.feedback.export("jsonl", agent="nobody")] == []
    assert [one async for one in much.feedback.export("openai", agent="scripted", since=clock() - timedelta(hours=1))]
    for field, given in [
        ("format", {"format": "csv"}),
        ("format", {"format": None}),
        ("since", {"format": "jsonl", "since": later.replace(tzinfo=None)}),
    ]:
        with pytest.raises(Invalid) as refused:
            await anext(aiter(much.feedback.export(**given)))  # pyright: ignore[reportArgumentType]
        assert refused.value.field == field
    with pytest.raises(Forbidden):
        await anext(aiter(much.feedback.export("jsonl", by=ana)))


async def test_an_export_longer_than_a_page_is_whole(desk: Desk):
    thread, message = await answered(desk)
    await desk.feedback.rate(thread, 5, by=ADA)

    async def many(tx: Any) -> None:
        row = dict(await tx.one("feedback.page", at=0, after="", agent=None, limit=1))
        for number in range(2 * BATCH):
            await tx.run("feedback.insert", **{**row, "id": f"fb_{number:04}", "key": f"test/{number}", "message": message})

    await desk._store.write(many)  # pyright: ignore[reportPrivateUsage]
    found = [json.loads(line)["id"] async for line in desk.feedback.export("jsonl")]
    assert len(found) == len(set(found)) == 2 * BATCH + 1
