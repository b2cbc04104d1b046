"""Search on both engines: what is found, what is not for the reader's eyes, and what no query can break."""

import math
from collections.abc import AsyncIterator

import pytest
from tests.store.test_streams import rows_of

from deskmate import Desk
from deskmate.domain.actors import SYSTEM, Actor, Author, AuthorKind, agent, customer
from deskmate.domain.messages import Message, MessageStatus, ModelRole, NewMessage, Text, ToolResult, Visibility
from deskmate.domain.search import Embedding, fused, indexed, wanted
from deskmate.domain.threads import Thread
from deskmate.errors import Forbidden, Invalid, NotFound

ADA, BEN, BOT = customer("ada", "Ada"), customer("ben", "Ben"), agent("bot")
HOSTILE = [
    "", " ", "\x00", '"', "'", "''", "*", "a*", "(", ")", "((", "AND", "OR NOT", "NEAR(a b)", "words:", "thread : x", "^a", "-a",
    "a:*", "& | !", "<->", "\\", "%", "_", "🦔", "\ud800", "a" * 100_000, "a " * 50_000, "ａｐｐｌｅ'; DROP TABLE messages; --",
]  # fmt: skip


@pytest.fixture
async def desk(store_url: str) -> AsyncIterator[Desk]:
    desk = Desk(store_url)
    yield desk
    await desk.close()


@pytest.fixture
async def thread(desk: Desk) -> Thread:
    return await desk.threads.open(customer="ada")


def says(
    text: str,
    role: ModelRole = "user",
    *,
    kind: AuthorKind = AuthorKind.AGENT,
    visibility: Visibility = Visibility.PUBLIC,
    status: MessageStatus = MessageStatus.SUCCESS,
) -> NewMessage:
    return NewMessage(role=role, parts=(Text(text=text),), author=Author(kind=kind), visibility=visibility, status=status)


def toward(*hot: int, model: str = "emb", dim: int = 8) -> Embedding:
    return Embedding(model=model, dim=dim, values=dict.fromkeys(hot, 1.0))


async def found(desk: Desk, text: str, thread: Thread, by: Actor = SYSTEM) -> list[str]:
    return [message.text for message in await desk.search.messages(text, thread=thread.id, by=by)]


async def test_people_find_what_they_type_carelessly(desk: Desk, thread: Thread) -> None:
    texts = ["Das Café in LYON öffnet", "order-number AB1234, see example.com/returns", "返品したい", "x" * 500]
    await desk.messages.save(thread.id, [says(text) for text in texts])
    for query, expected in (
        ("cafe", 0), ("CAFÉ lyon!", 0), ("Offnet", 0), ("ab1234", 1), ("number", 1), ("example", 1), ("returns?", 1), ("返品", 2),
        ("ｃａｆｅ", 0), ("x" * 500, 3),
    ):  # fmt: skip
        assert await found(desk, query, thread) == [texts[expected]], query
    assert await found(desk, "caf", thread) == []


async def test_the_best_match_comes_first(desk: Desk, thread: Thread) -> None:
    texts = ["the tent", "a tent with poles and many other things that are not at all about shelter", "tent poles"]
    await desk.messages.save(thread.id, [says(text) for text in texts])
    assert (await found(desk, "tent poles", thread))[0] == "tent poles"
    assert len(await desk.search.messages("tent poles", thread=thread.id, limit=2)) == 2


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: repr(query)[:20])
async def test_no_query_raises_and_none_finds_what_it_does_not_say(desk: Desk, thread: Thread, query: str) -> None:
    await desk.messages.save(thread.id, [says("plums, pears")])
    assert await found(desk, query, thread) == []
    assert await desk.search.messages(query, customer=query or "'") == []
    assert await found(desk, f"{query} plums", thread) in (["plums, pears"], [])


async def test_hostile_text_is_stored_and_found(desk: Desk, thread: Thread) -> None:
    await desk.messages.save(thread.id, [says(text) for text in HOSTILE])
    unlike = " ".join(f"{number:x}" for number in range(300_000))
    await desk.messages.save(thread.id, [says(f"needle {unlike}")])
    assert len(await found(desk, "needle", thread)) == 1
    assert len(await found(desk, "near", thread)) == 1


async def test_p8_nobody_finds_what_is_not_for_their_eyes(desk: Desk, thread: Thread) -> None:
    await desk.messages.save(
        thread.id,
        [
            says("secret plan A", kind=AuthorKind.CUSTOMER),
            says("secret note", "assistant", visibility=Visibility.NOTE),
            says("secret draft", "assistant", visibility=Visibility.DRAFT),
            says("secret instruction", "system", kind=AuthorKind.SERVICE),
            says("secret line", "system", kind=AuthorKind.SYSTEM),
        ],
    )
    assert len(await found(desk, "secret", thread)) == 5
    assert set(await found(desk, "secret", thread, ADA)) == {"secret plan A", "secret line"}
    assert set(await found(desk, "secret", thread, BOT)) == {"secret plan A", "secret instruction", "secret line"}
    for message in (await desk.messages.page(thread.id)).items:
        await desk.search.embed(message.id, toward(1))
    near = await desk.search.messages(embedding=toward(1), thread=thread.id, neighbours=(3, 3), by=ADA)
    assert {message.text for message in near} == {"secret plan A", "secret line"}


async def test_customers_search_their_own_threads_and_nobody_elses(desk: Desk, thread: Thread) -> None:
    elsewhere = await desk.threads.open(customer="ben")
    mine = (await desk.messages.save(thread.id, [says("my tent", kind=AuthorKind.CUSTOMER)]))[0]
    await desk.messages.save(elsewhere.id, [says("his tent", kind=AuthorKind.CUSTOMER)])
    assert [one.id for one in await desk.search.messages("tent", customer="ada", by=ADA)] == [mine.id]
    assert len(await desk.search.messages("tent", everywhere=True)) == 2
    for wrong in ({"thread": elsewhere.id}, {"customer": "ben"}, {"thread": "th_none"}):
        with pytest.raises(NotFound):
            await desk.search.messages("tent", by=ADA, **wrong)
    with pytest.raises(NotFound):
        await desk.search.messages("tent", customer="ben", before=mine.id, by=BEN)
    with pytest.raises(Forbidden):
        await desk.search.messages("tent", everywhere=True, by=ADA)
    with pytest.raises(Invalid):
        await desk.search.messages("tent")


async def test_a_message_is_found_by_the_words_it_has_now_and_only_when_it_is_finished(desk: Desk, thread: Thread) -> None:
    pending = (await desk.messages.save(thread.id, [says("apple", "assistant", status=MessageStatus.PENDING)]))[0]
    assert await found(desk, "apple", thread) == []
    await desk.messages.finish(pending.id)
    assert await found(desk, "apple", thread) == ["apple"]
    await desk.search.embed(pending.id, toward(1))
    await desk.messages.change(pending.id, parts=(Text(text="pear"),))
    assert (await found(desk, "apple", thread), await found(desk, "pear", thread)) == ([], ["pear"])
    assert await desk.search.messages(embedding=toward(1), thread=thread.id) == []
    await desk.messages.change(pending.id, parts=())
    assert await found(desk, "pear", thread) == []


async def test_deleting_messages_threads_and_customers_leaves_nothing_to_find(desk: Desk, store_url: str, thread: Thread) -> None:
    save = desk.messages.save
    first = (await save(thread.id, [says("a plum"), says("the plum")], embeddings=[toward(1), toward(2)]))[0]
    await desk.messages.delete(first.id)
    assert await found(desk, "plum", thread) == ["the plum"]
    assert await desk.search.messages(embedding=toward(1), thread=thread.id) == []
    await desk.customers.delete("ada")
    assert await desk.search.messages("plum", everywhere=True) == []
    await desk.close()
    assert await rows_of(store_url, "searchable") == await rows_of(store_url, "embeddings") == 0


async def test_embeddings_of_other_models_and_dimensions_are_not_compared(desk: Desk, thread: Thread) -> None:
    embeddings = [toward(1), toward(1, model="other"), toward(1, dim=9), toward(2)]
    stored = await desk.messages.save(thread.id, [says(f"{n}") for n in range(4)], embeddings=embeddings)
    near = await desk.search.messages(embedding=Embedding(model="emb", values=[0, 5.0, 0.1, 0, 0, 0, 0, 0]), thread=thread.id)
    assert [one.id for one in near] == [stored[0].id, stored[3].id]
    surely = await desk.search.messages(embedding=toward(1), thread=thread.id, min_score=0.9)
    assert [one.id for one in surely] == [stored[0].id]


async def test_words_and_meaning_together_put_first_what_both_find(desk: Desk, thread: Thread) -> None:
    texts = ["returns of tents", "the boots", "tents in winter"]
    await desk.messages.save(thread.id, [says(text) for text in texts], embeddings=[toward(1, 3), toward(3), None])
    together = await desk.search.messages("tents", embedding=toward(1, 3), thread=thread.id)
    assert together[0].text == "returns of tents"
    assert {message.text for message in together} == set(texts)
    assert fused(["a", "b"], ["b", "c"])[0] == "b"


async def test_neighbours_are_whole_orders_around_what_was_found(desk: Desk, thread: Thread) -> None:
    stored: list[Message] = []
    for turn in range(5):
        stored += await desk.messages.save(thread.id, [says(f"about {turn}"), says(f"re {turn}", "assistant")])
    around = await desk.search.messages("2", thread=thread.id, neighbours=(1, 0), sort="position")
    assert [message.order for message in around] == [1, 1, 2, 2]
    earlier = await desk.search.messages("2", thread=thread.id, before=stored[5].id, neighbours=(9, 9), sort="position")
    assert [message.id for message in earlier] == [message.id for message in stored[:5]]


async def test_embeddings_that_cannot_be_are_refused_and_nothing_is_stored(desk: Desk, thread: Thread) -> None:
    wrong = [
        Embedding(model="emb", values=[]),
        Embedding(model="", values=[1.0]),
        Embedding(model="emb", values={8: 1.0}, dim=8),
        Embedding(model="emb", values={-1: 1.0}, dim=8),
        Embedding(model="emb", values=[math.nan]),
        Embedding(model="emb", values=[math.inf]),
        Embedding(model="emb", values=[1.0] * 20_000),
    ]
    for embedding in wrong:
        with pytest.raises(Invalid):
            await desk.messages.save(thread.id, [says("x")], embeddings=[embedding])
    with pytest.raises(Invalid):
        await desk.messages.save(thread.id, [says("x")], embeddings=[toward(1), toward(2)])
    assert not (await desk.messages.page(thread.id)).items
    await desk.messages.save(thread.id, [says("zero")], embeddings=[Embedding(model="emb", values=[0.0, 0.0])])
    assert await desk.search.messages(embedding=Embedding(model="emb", values=[0.0, 0.0]), thread=thread.id) == []


async def test_tool_results_are_not_words(desk: Desk, thread: Thread) -> None:
    result = NewMessage(role="tool", parts=(ToolResult(call_id="1", tool="t", output="needle"),), author=BOT.author)
    await desk.messages.save(thread.id, [result])
    assert await found(desk, "needle", thread) == []


def test_what_is_kept_of_a_text_has_an_end() -> None:
    assert len(indexed("wort " * 1_000_000)) <= 200_000
    assert max(len(word) for word in indexed("x" * 10_000).split()) == 64
    assert len(wanted(" ".join(map(str, range(1000))))) == 32
