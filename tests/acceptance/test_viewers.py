"""Who is viewing, who is typing: told to those who follow the feed, kept from those who need not know, and gone by itself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tests.acceptance.doors import Front, Heard, Json, Listener, Person, refused, soon

from deskmate import Desk, Settings
from deskmate.domain.actors import SYSTEM
from deskmate.domain.operators import Operator
from deskmate.services import viewers, watching
from deskmate.services.live import There


@pytest.fixture
async def thread(ada: Person) -> str:
    return await ada.thread()


async def types(who: Person, thread: str, typing: bool = True, **more: object) -> None:
    await who.post(f"/api/threads/{thread}/typing", typing=typing, **more)


async def views(who: Person, thread: str, viewing: bool = True) -> None:
    await who.post(f"/api/threads/{thread}/viewing", viewing=viewing)


def told(listener: Listener, thread: str) -> list[list[Json]]:
    return [event.data["viewers"] for event in listener.of("thread.presence") if event.data["thread"] == thread]


async def shows(listener: Listener, thread: str, *names: str) -> Heard:
    """Wait until exactly these are said to be on a thread; those who type with a star, or a bar for a note."""
    marks = {None: "", "public": "*", "note": "|"}

    def is_it(event: Heard) -> bool:
        if event.type != "thread.presence" or event.data["thread"] != thread:
            return False
        found = [(one["name"] or one["kind"]) + marks[one["visibility"]] for one in event.data["viewers"]]
        return sorted(found) == sorted(names)

    return await listener.until(is_it)


async def test_the_team_sees_who_views_and_types_and_who_has_left(ada: Person, ana: Person, ben: Person, thread: str):
    async with ben.listening() as everywhere, ben.listening(thread=thread) as here:
        await views(ana, thread)
        for listener in (everywhere, here):
            first = await shows(listener, thread, "Ana")
            assert first.id is None
            assert first.data["viewers"] == [
                {"kind": "operator", "id": ana.id, "name": "Ana", "typing": False, "visibility": None}
            ]
        await types(ana, thread)
        await shows(here, thread, "Ana*")
        await types(ana, thread, visibility="note")
        await shows(here, thread, "Ana|")
        await views(ben, thread)
        await types(ada, thread)
        typing = await shows(here, thread, "Ana|", "Ben", "customer*")
        assert [one["typing"] for one in typing.data["viewers"] if one["kind"] == "customer"] == [True]
        await types(ada, thread, typing=False)
        await shows(here, thread, "Ana|", "Ben")
        await views(ana, thread, viewing=False)
        await shows(everywhere, thread, "Ben")
        await views(ben, thread, viewing=False)
        await shows(everywhere, thread)


async def test_p8_a_customer_is_told_that_a_person_types_and_nothing_else(
    front: Front, ada: Person, ana: Person, ben: Person, thread: str
):
    bob = await front.visitor()
    async with ada.listening() as all_of_hers, ada.listening(thread=thread) as hers, bob.listening() as other:
        await views(ben, thread)
        await types(ben, thread, visibility="note")
        await types(ada, thread)
        await types(ana, thread)
        for listener in (all_of_hers, hers):
            typing = await shows(listener, thread, "Ana*")
            assert typing.data["viewers"] == [
                {"kind": "operator", "id": None, "name": "Ana", "typing": True, "visibility": "public"}
            ]
        await types(ana, thread, visibility="note")
        for listener in (all_of_hers, hers):
            await shows(listener, thread)
        await bob.say(await bob.thread(), "Hello", respond=False)
        await other.type("message.posted")
        assert "Ben" not in str([event.data for event in [*hers.heard, *all_of_hers.heard]])
        assert ana.id not in str(told(hers, thread))
        assert not other.of("thread.presence")
        assert len(told(hers, thread)) == len(told(all_of_hers, thread)) == 2


async def test_a_key_that_may_not_read_hidden_things_sees_what_customers_see(front: Front, ana: Person, thread: str):
    reader = await front.program("threads:read")
    async with reader.listening() as heard:
        await views(ana, thread)
        await types(ana, thread, visibility="note")
        await types(ana, thread)
        await shows(heard, thread, "Ana*")
        assert len(told(heard, thread)) == 1


async def test_who_comes_later_is_told_at_once_who_is_there(ada: Person, ana: Person, ben: Person, thread: str):
    await views(ana, thread)
    async with ben.listening() as theirs:
        await shows(theirs, thread, "Ana")
    async with ada.listening() as hers:
        await ada.say(thread, "Hello", respond=False)
        await hers.type("message.posted")
        assert not hers.of("thread.presence")


async def test_who_is_gone_runs_out(ana: Person, ben: Person, thread: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewers, "TYPING", timedelta(milliseconds=200))
    monkeypatch.setattr(viewers, "VIEWING", timedelta(milliseconds=400))
    async with ben.listening(thread=thread) as heard:
        await types(ana, thread)
        await shows(heard, thread, "Ana*")
        await shows(heard, thread)
        await views(ana, thread)
        await shows(heard, thread, "Ana")
        await heard.until(lambda e: e.type == "thread.presence" and not e.data["viewers"], count=2)


async def test_who_renews_stays(ada: Person, ana: Person, ben: Person, thread: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewers, "VIEWING", timedelta(seconds=1.5))
    async with ben.listening(thread=thread) as heard:
        await views(ana, thread)
        monkeypatch.undo()
        await views(ana, thread)
        monkeypatch.setattr(viewers, "TYPING", timedelta(seconds=2))
        await types(ada, thread)
        await shows(heard, thread, "Ana", "customer*")
        await heard.until(lambda e: e.type == "thread.presence" and len(e.data["viewers"]) == 1, count=2)
        assert all("Ana" in str(viewers) for viewers in told(heard, thread))


async def test_a_sign_is_one_row_and_a_renewed_one_wakes_nobody(desk: Desk, ana: Person, ben: Person, thread: str):
    async with desk._store.waiter("viewers", f"thread:{thread}") as ears, ben.listening(thread=thread) as heard:  # pyright: ignore[reportPrivateUsage]
        await views(ana, thread)
        await shows(heard, thread, "Ana")
        while await ears.wait(0):
            pass
        await views(ana, thread)
        await views(ben, thread, viewing=False)
        assert not ears.touched
        rows = await desk._store.read(lambda tx: tx.all("viewers.now", now=0))  # pyright: ignore[reportPrivateUsage]
        assert [row["id"] for row in rows] == [ana.id]


async def test_streams_where_nobody_is_ask_nothing_about_who_is_there(
    ada: Person, ana: Person, thread: str, monkeypatch: pytest.MonkeyPatch
):
    looks: list[object] = []
    look = watching.Picture._look  # pyright: ignore[reportPrivateUsage]

    async def counted(picture: watching.Picture, waiter: watching.Waiter) -> None:
        looks.append(picture)
        await look(picture, waiter)

    monkeypatch.setattr(watching.Picture, "_look", counted)
    async with ana.listening() as theirs, ada.listening() as hers, ada.listening(thread=thread) as one:
        for listener in (theirs, hers, one):
            await ada.say(thread, "Hello", respond=False)
            await listener.type("message.posted")
        began = len(looks)
        for number in range(10):
            await ada.say(thread, f"{number}", respond=False)
            for listener in (theirs, hers, one):
                await listener.reply(f"{number}")
        assert len(looks) == began <= 3


async def test_who_may_not_write_cannot_be_seen_typing(front: Front, ada: Person, ana: Person, thread: str):
    bob, watcher, robot = await front.visitor(), await front.operator("Oz", role="observer"), await front.program(role="admin")
    for who, status in ((bob, 404), (watcher, 403), (robot, 403)):
        refused(await who.client.post(f"/api/threads/{thread}/typing", json={"typing": True}), status)
    for who, status in ((ada, 403), (bob, 404), (robot, 403)):
        refused(await who.client.post(f"/api/threads/{thread}/viewing", json={"viewing": True}), status)
    refused(await ada.client.post(f"/api/threads/{thread}/typing", json={"typing": True, "visibility": "note"}), 403)
    refused(await ana.client.post(f"/api/threads/{thread}/typing", json={"typing": True, "visibility": "draft"}), 422)
    refused(await ana.client.post("/api/threads/th_unknown/viewing", json={"viewing": True}), 404)
    await views(watcher, thread)
    async with ana.listening() as heard:
        await shows(heard, thread, "Oz")


# Two processes on one store


@asynccontextmanager
async def another(url: str) -> AsyncGenerator[Desk, None]:
    """A desk with a connection and readers of its own, as another process has it."""
    async with Desk.open(url, settings=Settings(), work=False) as desk:
        yield desk


async def seen_on(desk: Desk, by: Operator, thread: str) -> AsyncGenerator[tuple[str, ...], None]:
    async for item in desk.feed.follow(by=by, thread=thread):
        if isinstance(item, There):
            yield tuple(one.name + ("*" if one.typing else "") for one in item.viewers)


async def test_readers_of_another_process_are_told_and_it_forgets_who_is_gone(store_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(viewers, "TYPING", timedelta(milliseconds=300))
    async with another(store_url) as here, another(store_url) as there:
        ana = await here.operators.add(name="Ana", email="ana@shop.example")
        thread, elsewhere = [(await here.threads.open(customer="ada")).id for _ in range(2)]
        seen = seen_on(there, ana, thread)
        await here.viewers.viewing(thread, by=ana)
        assert await soon(seen.__anext__()) == ("Ana",)
        await here.viewers.viewing(elsewhere, by=ana)
        await here.viewers.typing(thread, by=ana)
        assert await soon(seen.__anext__()) == ("Ana*",)
        assert await soon(seen.__anext__()) == ("Ana",)
        assert [one.name for one in await there.viewers.of_thread(thread, by=ana)] == ["Ana"]
        await here.viewers.viewing(thread, viewing=False, by=ana)
        assert await soon(seen.__anext__()) == ()
        await seen.aclose()
        monkeypatch.setattr(viewers, "SWEPT", timedelta(0))
        await here.run_due()
        rows = await here._store.read(lambda tx: tx.all("viewers.now", now=0))  # pyright: ignore[reportPrivateUsage]
        assert [row["thread"] for row in rows] == [elsewhere]
        await here.threads.delete(elsewhere, by=SYSTEM)
        assert await here._store.read(lambda tx: tx.one("viewers.gone", before=2**62)) is None  # pyright: ignore[reportPrivateUsage]
