"""The message memory on both engines: events, previews, pages, windows and erasure. The vectors test placement and contexts."""

import json

import pytest
from tests.store.people import ADA

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind, agent, customer
from deskmate.domain.messages import MessageStatus, NewMessage, Part, Position, Text, ToolCall, ToolResult, Visibility
from deskmate.domain.streams import TextDelta, TextStart
from deskmate.errors import BadCursor, Conflict, Forbidden, NotFound
from deskmate.services.customers import Customers
from deskmate.services.messages import MessageVerbs
from deskmate.services.streaming import Streams
from deskmate.services.threads import Threads
from deskmate.store import Store
from deskmate.store.base import Row, Tx

BOT = agent("bot")


def said(text: str, by: Actor = ADA, visibility: Visibility = Visibility.PUBLIC) -> NewMessage:
    role = "user" if by.kind is AuthorKind.CUSTOMER else "assistant"
    return NewMessage(role=role, parts=(Text(text=text),), author=by.author, visibility=visibility)


def did(*parts: Part, role: str = "assistant", status: MessageStatus = MessageStatus.SUCCESS) -> NewMessage:
    return NewMessage(role=role, parts=parts, author=BOT.author, status=status)  # pyright: ignore[reportArgumentType]


def lookup(id: str) -> tuple[NewMessage, NewMessage]:
    call = did(ToolCall(call_id=id, tool="lookup", input={}))
    return call, did(ToolResult(call_id=id, tool="lookup", output="7"), role="tool")


@pytest.fixture
def threads(store: Store) -> Threads:
    return Threads(store)


@pytest.fixture
def messages(store: Store) -> MessageVerbs:
    return MessageVerbs(store)


async def events_of(store: Store, thread: str) -> list[Row]:
    async def body(tx: Tx) -> list[Row]:
        return await tx.all("events.after_in_thread", thread=thread, after=0, limit=1000)

    return await store.read(body)


async def test_every_verb_emits_its_events_and_a_thread_counts_its_own(
    store: Store, threads: Threads, messages: MessageVerbs
) -> None:
    thread = await threads.open(customer="ada", by=ADA)
    pending = (await messages.save(thread.id, [said("hi"), did(status=MessageStatus.PENDING)], by=ADA))[1]
    await messages.finish(pending.id, parts=(Text(text="hello"),), by=BOT)
    await messages.finish(pending.id, MessageStatus.FAILED, error="too late", by=BOT)
    await messages.delete(pending.id)
    events = await events_of(store, thread.id)
    assert [event["type"] for event in events] == [
        "thread.opened", "message.posted", "message.posted", "message.changed", "message.deleted",
    ]  # fmt: skip
    assert [event["thread_seq"] for event in events] == [1, 2, 3, 4, 5]
    assert json.loads(events[3]["data"])["message"] == pending.id
    assert [event["actor_name"] for event in events] == ["Ada", "Ada", "Ada", "bot", SYSTEM.name]


async def test_a_batch_that_is_refused_leaves_nothing_behind(store: Store, threads: Threads, messages: MessageVerbs) -> None:
    thread, other = await threads.open(), await threads.open()
    elsewhere = (await messages.save(other.id, [said("hi")]))[0]
    with pytest.raises(NotFound):
        await messages.save(thread.id, [said("one")], after=elsewhere.id)
    with pytest.raises(Conflict):
        await messages.save(other.id, [said("one")], replaces=elsewhere.id)
    assert not (await messages.page(thread.id)).items
    assert len(await events_of(store, thread.id)) == 1


async def test_a_pending_message_without_content_takes_over_what_was_streamed(
    store: Store, threads: Threads, messages: MessageVerbs
) -> None:
    thread = await threads.open()
    pending = (await messages.save(thread.id, [did(status=MessageStatus.PENDING)]))[0]

    streams = Streams(store)
    stream = await streams.start(thread.id, pending.position)
    await streams.append(stream.id, 0, [TextStart(id="1"), TextDelta(id="1", text="Until ")])
    await streams.append(stream.id, 2, [TextDelta(id="1", text="19:00.")])
    finished = await messages.finish(pending.id, MessageStatus.FAILED, error="taken_over")
    assert (finished.text, finished.status, finished.error) == ("Until 19:00.", "failed", "taken_over")


async def test_the_preview_is_the_newest_finished_words_and_never_a_draft(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open(customer="ada")).id

    async def preview() -> tuple[str, str] | None:
        shown = (await threads.get(thread)).preview
        return None if shown is None else (shown.text, shown.visibility)

    assert await preview() is None
    first = (await messages.save(thread, [said("hi"), *lookup("c1"), did(status=MessageStatus.PENDING)]))[0]
    assert await preview() == ("hi", "public")
    note, draft = await messages.save(thread, [said("angry", BOT, Visibility.NOTE), said("Sorry!", BOT, Visibility.DRAFT)])
    assert await preview() == ("angry", "note")
    await messages.change(first.id, parts=(Text(text="hi!"),))
    assert await preview() == ("angry", "note")
    await messages.change(note.id, parts=(Text(text="calm"),))
    assert await preview() == ("calm", "note")
    await messages.delete(note.id)
    assert await preview() == ("hi!", "public")
    await messages.delete(first.id, draft.id)
    assert await preview() is None


async def test_p8_a_customer_is_not_told_of_notes_in_the_preview(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open(customer="ada")).id
    await messages.save(thread, [said("angry", BOT, Visibility.NOTE)])
    assert (await threads.get(thread, by=ADA)).preview is None


async def test_p8_customers_are_given_public_words_only_and_pages_stay_full(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open(customer="ada")).id
    for number in range(6):
        await messages.save(thread, [said(f"q{number}"), *lookup("c"), said("hidden", BOT, Visibility.NOTE)], by=ADA)
        await messages.save(thread, [said("draft", BOT, Visibility.DRAFT), said(f"a{number}", BOT)])
    texts: list[str] = []
    cursor = None
    while True:
        page = await messages.page(thread, after=cursor, limit=4, by=ADA)
        assert len(page.items) <= 4
        texts += [message.text for message in page.items]
        if (cursor := page.cursor) is None:
            break
    assert texts == [text for number in range(6) for text in (f"q{number}", f"a{number}")]
    with pytest.raises(NotFound):
        await messages.page(thread, by=customer("eve"))


async def test_a_page_goes_on_from_a_message_or_a_cursor(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open()).id
    stored = await messages.save(thread, [said(str(number)) for number in range(5)])
    newest = await messages.page(thread, order="newest", limit=2)
    assert [message.text for message in newest.items] == ["4", "3"]
    older = await messages.page(thread, order="newest", limit=2, before=newest.cursor)
    assert [message.text for message in older.items] == ["2", "1"]
    between = await messages.page(thread, after=stored[0].id, before=stored[3].id)
    assert ([message.text for message in between.items], between.cursor) == (["1", "2"], None)
    with pytest.raises(BadCursor):
        await messages.page(thread, after="nonsense")


async def test_p6_a_window_is_never_cut_between_a_call_and_its_result(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open()).id
    await messages.save(thread, [said("old"), said("q"), *lookup("c1"), said("seven", BOT)])
    given = await messages.context(thread, prompt="and now?", recent=2)
    assert [message.role for message in given] == ["assistant", "tool", "assistant", "user"]
    shorter = await messages.context(thread, prompt="and now?", recent=1)
    assert [message.role for message in shorter] == ["assistant", "user"]


async def test_an_orphaned_result_does_not_widen_the_window(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open()).id
    await messages.save(thread, [*(said(str(number)) for number in range(10)), lookup("gone")[1]])
    given = await messages.context(thread, prompt="and now?", recent=2)
    assert [message.parts for message in given] == [(Text(text="9"),), (Text(text="and now?"),)]


async def test_a_prompt_is_part_of_its_context_with_what_stands_behind_it(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open()).id
    prompt = (await messages.save(thread, [said("q")]))[0]
    await messages.save(thread, [said("later")])
    await messages.save(thread, [*lookup("c1")], after=prompt.id)
    given = await messages.context(thread, prompt_message=prompt.id, recent=0)
    assert [message.role for message in given] == ["user", "assistant", "tool"]


async def test_text_that_no_wire_carries_is_cleaned(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open(subject="a\x00b\ud800")).id
    stored = (await messages.save(thread, [said("x\x00y\udfff"), did(ToolCall(call_id="c", tool="t", input="\ud83d"))]))[0]
    assert stored.text == "xy?"
    assert [found and found.text for found in await messages.find(stored.id)] == [stored.text]
    assert (await threads.get(thread)).subject == "ab?"


async def test_deleting_a_range_leaves_its_end(threads: Threads, messages: MessageVerbs) -> None:
    thread = (await threads.open()).id
    await messages.save(thread, [said("0"), said("a", BOT), said("1"), said("b", BOT), said("2")])
    await messages.delete_range(thread, Position(0, 1), Position(1, 1))
    assert [message.text for message in (await messages.page(thread)).items] == ["0", "b", "2"]


async def test_a_deleted_customer_leaves_nothing_but_the_news_of_it(
    store: Store, threads: Threads, messages: MessageVerbs
) -> None:
    customers = Customers(store)
    mine, yours = await threads.open(customer="ada", by=ADA), await threads.open(customer="bob")
    await messages.save(mine.id, [said("hi"), did(status=MessageStatus.PENDING)], by=ADA)
    with pytest.raises(Forbidden):
        await customers.delete("ada", by=ADA)
    await customers.delete("ada")
    await customers.delete("ada")
    assert [event["type"] for event in await events_of(store, mine.id)] == ["thread.deleted"]
    assert [thread.id for thread in (await threads.page()).items] == [yours.id]
    assert [found.id for found in (await customers.page()).items] == ["bob"]
    assert not (await messages.page(mine.id)).items
    with pytest.raises(NotFound):
        await messages.save(mine.id, [said("still there?")])


async def test_threads_are_listed_in_the_order_they_were_opened(threads: Threads) -> None:
    opened = [(await threads.open(customer="ada" if number % 2 else "bob")).id for number in range(6)]
    first = await threads.page(limit=4)
    rest = await threads.page(limit=4, cursor=first.cursor)
    assert [thread.id for thread in (*first.items, *rest.items)] == opened[::-1]
    assert [thread.id for thread in (await threads.of_customer(by=ADA)).items] == opened[5::-2]
    with pytest.raises(Forbidden):
        await threads.page(customer="bob", by=ADA)
    with pytest.raises(BadCursor):
        await threads.page(order="oldest", cursor=first.cursor)
