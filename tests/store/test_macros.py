"""Macros on both engines: what one call does in one transaction, or not at all, and what they may not be made of."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from deskmate import Desk, Operator, Role, Visibility, customer, service
from deskmate.domain.actors import SYSTEM
from deskmate.errors import DeskmateError, Forbidden, Invalid, NotFound
from deskmate.testing import FakeClock

Actions = list[dict[str, Any]]


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def thread(desk: Desk) -> str:
    opened = await desk.threads.open(customer="ada", tags=["new", "tent"], by=customer("ada", "Ada"))
    await desk.messages.post(opened.id, "Hello?", author=customer("ada", "Ada"), respond=False)
    return opened.id


async def said(desk: Desk, thread: str) -> list[tuple[str, str]]:
    page = await desk.messages.history(thread, by=SYSTEM)
    return [(message.visibility, message.text) for message in page.items]


async def state(desk: Desk, thread: str) -> tuple[object, ...]:
    """All that a macro could have changed."""
    events = [(seen.event.seq, seen.event.type) for seen in await desk.feed.read(by=SYSTEM, thread=thread)]
    changes = await desk.assignments.history(thread, by=SYSTEM)
    return (await desk.threads.get(thread), await said(desk, thread), len(changes), events)


async def test_one_call_does_all_that_a_macro_says_in_its_order(
    desk: Desk, lea: Operator, ana: Operator, thread: str, clock: FakeClock
) -> None:
    canned = await desk.canned.add(shortcut="bye", title="Bye", text="Goodbye {{customer.name|you}}. {{operator.name}}", by=lea)
    actions: Actions = [
        {"do": "assign", "to": "me"},
        {"do": "note", "text": "Closed by {{operator.name}}"},
        {"do": "reply", "canned": canned.id},
        {"do": "tag", "add": ["done", "tent"], "remove": ["new", "none"]},
        {"do": "priority", "to": "high"},
        {"do": "status", "to": "snoozed", "snoozed_until_in": 3600},
    ]
    macro = await desk.macros.add(name="Close", actions=actions, by=lea)
    done = await desk.macros.use(macro.id, thread, by=ana)
    assert (done.assignment.to, done.assignment.id) == ("operator", ana.id)
    assert (done.tags, done.priority, done.status) == (("tent", "done"), "high", "snoozed")
    assert done.snoozed_until == clock() + timedelta(hours=1)
    assert (await said(desk, thread))[1:] == [("note", "Closed by Ana"), ("public", "Goodbye Ada. Ana")]
    assert done == await desk.threads.get(thread)


@pytest.mark.parametrize(
    ("last", "field"),
    [
        ({"do": "assign", "to": "ai"}, "actions.5.to"),  # nobody is registered that could answer
        ({"do": "tag", "add": [f"t{number}" for number in range(50)]}, "actions.5.add"),
        ({"do": "note", "text": "{{thread.subject}}"}, "actions.5.text"),  # says nothing on a thread without a subject
    ],
)
async def test_what_one_action_refuses_undoes_all(
    desk: Desk, lea: Operator, ana: Operator, last: dict[str, Any], field: str
) -> None:
    thread = (await desk.threads.open(tags=["new", "old"])).id
    actions: Actions = [
        {"do": "assign", "to": f"operator:{ana.id}"},
        {"do": "reply", "text": "Hello"},
        {"do": "tag", "remove": ["new"]},
        {"do": "priority", "to": "urgent"},
        {"do": "status", "to": "resolved"},
        last,
    ]
    macro = await desk.macros.add(name="All", actions=actions, by=lea)
    before = await state(desk, thread)
    with pytest.raises(Invalid) as refused:
        await desk.macros.use(macro.id, thread, by=ana)
    assert refused.value.field == field
    assert await state(desk, thread) == before


async def test_a_macro_lets_nobody_do_what_they_may_not_do_one_by_one(desk: Desk, lea: Operator, thread: str) -> None:
    observer = await desk.operators.add(name="Obi", email="obi@shop.example", role=Role.OBSERVER)
    robot = service("robot", role=Role.OPERATOR)
    before = await state(desk, thread)
    every: Actions = [
        {"do": "reply", "text": "a"}, {"do": "note", "text": "a"}, {"do": "tag", "add": ["a"]}, {"do": "priority", "to": "low"},
        {"do": "status", "to": "resolved"}, {"do": "assign", "to": "queue:x"},
    ]  # fmt: skip
    for action in every:
        macro = await desk.macros.add(name="One", actions=[action], by=lea)
        for who in (observer, customer("ada")):
            with pytest.raises(Forbidden):
                await desk.macros.use(macro.id, thread, by=who)
    mine = await desk.macros.add(name="Mine", actions=[{"do": "assign", "to": "me"}], by=lea)
    with pytest.raises(Forbidden):
        await desk.macros.use(mine.id, thread, by=robot)
    with pytest.raises(NotFound):
        await desk.macros.use(mine.id, "th_none", by=lea)
    assert await state(desk, thread) == before


WRONG: list[tuple[Any, str]] = [
    ({"do": "dance"}, "actions.1.do"),
    ({}, "actions.1.do"),
    ("reply", "actions.1"),
    ({"do": "reply"}, "actions.1.text"),
    ({"do": "reply", "text": "a", "canned": "can_1"}, "actions.1.text"),
    ({"do": "reply", "text": 1}, "actions.1.text"),
    ({"do": "reply", "text": " "}, "actions.1.text"),
    ({"do": "reply", "text": "x" * 10_001}, "actions.1.text"),
    ({"do": "note", "text": "{{customer.secret}}"}, "actions.1.text"),
    ({"do": "note", "canned": "can_none"}, "actions.1.canned"),
    ({"do": "reply", "text": "a", "visibility": "note"}, "actions.1.visibility"),
    ({"do": "tag"}, "actions.1.add"),
    ({"do": "tag", "add": "a"}, "actions.1.add"),
    ({"do": "tag", "add": ["a"], "remove": [" "]}, "actions.1.remove"),
    ({"do": "priority", "to": "highest"}, "actions.1.to"),
    ({"do": "priority"}, "actions.1.to"),
    ({"do": "status", "to": "closed"}, "actions.1.to"),
    ({"do": "status", "to": "open", "snoozed_until_in": 60}, "actions.1.snoozed_until_in"),
    ({"do": "status", "to": "snoozed", "snoozed_until_in": 0}, "actions.1.snoozed_until_in"),
    ({"do": "status", "to": "snoozed", "snoozed_until_in": True}, "actions.1.snoozed_until_in"),
    ({"do": "status", "to": "snoozed", "snoozed_until_in": float("nan")}, "actions.1.snoozed_until_in"),
    ({"do": "assign", "to": "everybody"}, "actions.1.to"),
    ({"do": "assign", "to": "operator:op_none"}, "actions.1.to"),
    ({"do": "assign", "to": "ai", "note": "x"}, "actions.1.note"),
]


async def test_what_no_macro_can_do_is_refused_at_its_place_and_changes_nothing(desk: Desk, lea: Operator) -> None:
    good = {"do": "note", "text": "a"}
    kept = await desk.macros.add(name="Kept", actions=[good], by=lea)
    for wrong, field in WRONG:
        for write in (
            lambda wrong=wrong: desk.macros.add(name="New", actions=[good, wrong], by=lea),
            lambda wrong=wrong: desk.macros.change(kept.id, actions=[good, wrong], by=lea),
        ):
            with pytest.raises(DeskmateError) as refused:
                await write()
            assert (refused.value.code, refused.value.field) == ("invalid", field), wrong
    for actions in ([], [good] * 21):
        with pytest.raises(Invalid) as refused:
            await desk.macros.add(name="New", actions=actions, by=lea)
        assert refused.value.field == "actions"
    assert (await desk.macros.list(by=lea)).items == (kept,)


async def test_leads_keep_macros_and_operators_use_them(desk: Desk, lea: Operator, ana: Operator) -> None:
    macro = await desk.macros.add(name="A", actions=[{"do": "note", "text": "a"}], by=lea)
    changed = await desk.macros.change(macro.id, name="B", by=lea)
    assert (changed.name, changed.actions) == ("B", macro.actions)
    for write in (
        desk.macros.add(name="C", actions=[{"do": "note", "text": "a"}], by=ana),
        desk.macros.change(macro.id, name="C", by=ana),
        desk.macros.delete(macro.id, by=ana),
    ):
        with pytest.raises(Forbidden):
            await write
    assert await desk.macros.get(macro.id, by=ana) == changed
    await desk.macros.delete(macro.id, by=lea)
    with pytest.raises(NotFound):
        await desk.macros.get(macro.id, by=ana)


async def test_what_an_operator_types_stays_when_a_macro_speaks(desk: Desk, lea: Operator, ana: Operator, thread: str) -> None:
    macro = await desk.macros.add(name="A", actions=[{"do": "reply", "text": "One moment."}], by=lea)
    await desk.unsent.put(thread, "I have looked, and", visibility=Visibility.PUBLIC, by=ana)
    await desk.macros.use(macro.id, thread, by=ana)
    assert [unsent.text for unsent in await desk.unsent.get(thread, by=ana)] == ["I have looked, and"]
