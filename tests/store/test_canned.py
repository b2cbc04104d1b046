"""Canned replies on both engines: filled in once, for one thread and one person; kept by leads, read by those they are for."""

from collections.abc import AsyncIterator

import pytest

from deskmate import Desk, Operator, Role, customer
from deskmate.errors import Conflict, Forbidden, Invalid, NotFound

VARIABLES = "Hello {{ customer.name|there }}, {{operator.name}} here about {{thread.subject|your question}} ({{thread.id}})."


@pytest.fixture
async def desk(store_url: str) -> AsyncIterator[Desk]:
    desk = Desk(store_url)
    yield desk
    await desk.close()


@pytest.fixture
async def lea(desk: Desk) -> Operator:
    return await desk.operators.add(name="Lea", email="lea@shop.example", role=Role.LEAD)


async def test_a_text_is_filled_in_for_the_thread_and_whoever_answers(desk: Desk, lea: Operator) -> None:
    reply = await desk.canned.add(shortcut="hello", title="Hello", text=VARIABLES, by=lea)
    thread = await desk.threads.open(customer="ada", subject="a tent", by=customer("ada", "Ada Nowak"))
    nobody = await desk.threads.open()
    filled = await desk.canned.filled(reply.id, thread.id, by=lea)
    assert filled.filled == f"Hello Ada Nowak, Lea here about a tent ({thread.id})."
    [listed] = (await desk.canned.list(thread=nobody.id, by=lea)).items
    assert listed.filled == f"Hello there, Lea here about your question ({nobody.id})."
    assert [one.filled for one in (await desk.canned.list(by=lea)).items] == [None]


async def test_a_name_is_data_and_is_never_read_for_variables(desk: Desk, lea: Operator) -> None:
    reply = await desk.canned.add(shortcut="hi", title="Hi", text="{{customer.name}} {{customer.name}}", by=lea)
    name = r"{{operator.name}} \1 {{thread.id|x}}"
    thread = await desk.threads.open(customer="eve", by=customer("eve", name))
    assert (await desk.canned.filled(reply.id, thread.id, by=lea)).filled == f"{name} {name}"


@pytest.mark.parametrize("variable", ["customer.email", "", "customer", "Customer.name", "operator.name.x"])
async def test_an_unknown_variable_is_refused_by_name_and_nothing_is_stored(desk: Desk, lea: Operator, variable: str) -> None:
    kept = await desk.canned.add(shortcut="hi", title="Hi", text="Hi {{customer.name}} { } {{", by=lea)
    for fallback in ("", "|there"):
        with pytest.raises(Invalid) as refused:
            await desk.canned.add(shortcut="new", title="New", text=f"Hello {{{{{variable}{fallback}}}}}", by=lea)
        assert (refused.value.field, refused.value.facts["variable"]) == ("text", variable)
        with pytest.raises(Invalid):
            await desk.canned.change(kept.id, text=f"{{{{{variable}}}}}", by=lea)
    assert [one.reply for one in (await desk.canned.list(by=lea)).items] == [kept]


async def test_a_shortcut_is_there_once_whatever_its_case(desk: Desk, lea: Operator) -> None:
    first = await desk.canned.add(shortcut="Grüße-1_a", title="A", text="a", by=lea)
    other = await desk.canned.add(shortcut="b", title="B", text="b", by=lea)
    for shortcut in ("grüße-1_a", "GRÜSSE-1_A", "", "a b", "a/b", "x" * 41, "{{a}}"):
        with pytest.raises(Invalid) as refused:
            await desk.canned.add(shortcut=shortcut, title="C", text="c", by=lea)
        assert refused.value.field == "shortcut"
        with pytest.raises(Invalid):
            await desk.canned.change(other.id, shortcut=shortcut, by=lea)
    assert (await desk.canned.change(first.id, shortcut="GRÜßE-1_A", by=lea)).title == "A"
    assert [one.reply.shortcut for one in (await desk.canned.list(by=lea)).items] == ["b", "GRÜßE-1_A"]


async def test_what_is_for_a_queue_is_for_those_who_work_it(desk: Desk, lea: Operator) -> None:
    bills = await desk.operators.add(name="Bo", email="bo@shop.example", queues=["bills"])
    tents = await desk.operators.add(name="Ty", email="ty@shop.example", queues=["tents", "poles"])
    every = await desk.operators.add(name="Al", email="al@shop.example")
    reply = await desk.canned.add(shortcut="a", title="A", text="a", queue="bills", by=lea)
    for_all = await desk.canned.add(shortcut="b", title="B", text="b", by=lea)
    thread = await desk.threads.open()
    for who, sees in ((bills, [reply, for_all]), (tents, [for_all]), (every, [reply, for_all]), (lea, [reply, for_all])):
        assert [one.reply for one in (await desk.canned.list(by=who)).items] == sees
    for read in (desk.canned.get(reply.id, by=tents), desk.canned.filled(reply.id, thread.id, by=tents)):
        with pytest.raises(NotFound):
            await read
    changed = await desk.canned.change(reply.id, queue="", by=lea)
    assert changed.queue is None
    assert await desk.canned.get(reply.id, by=tents) == changed


async def test_canned_replies_are_found_by_their_words_page_by_page(desk: Desk, lea: Operator) -> None:
    for shortcut, text in (("c", "100% cotton"), ("a", "Ärger im Zelt"), ("b", "a_b")):
        await desk.canned.add(shortcut=shortcut, title=f"Title {shortcut}", text=text, by=lea)

    async def found(q: str) -> list[str]:
        return [one.reply.shortcut for one in (await desk.canned.list(q=q, by=lea)).items]

    assert [await found(q) for q in ("ÄRGER", "0%", "a_", "title", "%", "none")] == [
        ["a"],
        ["c"],
        ["b"],
        ["a", "b", "c"],
        ["c"],
        [],
    ]
    first = await desk.canned.list(limit=2, by=lea)
    rest = await desk.canned.list(limit=2, cursor=first.cursor, by=lea)
    assert [one.reply.shortcut for one in (*first.items, *rest.items)] == ["a", "b", "c"]
    assert rest.cursor is None


async def test_operators_read_and_leads_write(desk: Desk, lea: Operator) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@shop.example")
    reply = await desk.canned.add(shortcut="a", title="A", text="a", by=lea)
    for write in (
        desk.canned.add(shortcut="b", title="B", text="b", by=ana),
        desk.canned.change(reply.id, text="b", by=ana),
        desk.canned.delete(reply.id, by=ana),
        desk.canned.get(reply.id, by=customer("ada")),
    ):
        with pytest.raises(Forbidden):
            await write
    assert await desk.canned.get(reply.id, by=ana) == reply


async def test_what_a_macro_says_stays_until_the_macro_says_something_else(desk: Desk, lea: Operator) -> None:
    reply = await desk.canned.add(shortcut="a", title="A", text="a", by=lea)
    macro = await desk.macros.add(name="Bye", actions=[{"do": "reply", "canned": reply.id}], by=lea)
    with pytest.raises(Conflict) as refused:
        await desk.canned.delete(reply.id, by=lea)
    assert refused.value.facts["macro"] == macro.id
    await desk.macros.delete(macro.id, by=lea)
    await desk.canned.delete(reply.id, by=lea)
    with pytest.raises(NotFound):
        await desk.canned.get(reply.id, by=lea)
