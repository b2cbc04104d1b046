"""Recovery: a process may be killed at any instant; what was acknowledged stays, and what was begun goes on (P1, P12)."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.acceptance.doors import PATIENCE, Front, Json, Person, done, is_message, open_front, soon

PROGRAM = Path(__file__).with_name("desk_process.py")


@dataclass
class Program:
    """Another process, and what it has said."""

    process: Process
    lines: list[Json] = field(default_factory=list)

    async def says(self, key: str) -> Any:
        """The next thing it says under this key."""
        assert self.process.stdout is not None
        while line := await asyncio.wait_for(self.process.stdout.readline(), PATIENCE * 2):
            self.lines.append(json.loads(line))
            if key in self.lines[-1]:
                return self.lines[-1][key]
        raise AssertionError(f"it ended without saying {key}: {self.lines}")

    async def kill(self) -> None:
        """As the system does it when memory is short: without a word."""
        if self.process.returncode is None:
            os.kill(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def program(what: str, store_url: str) -> AsyncIterator[Program]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESKMATE_")}
    process = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), what, store_url, stdout=PIPE, env=environment)
    running = Program(process)
    try:
        yield running
    finally:
        await running.kill()


@asynccontextmanager
async def running(script: str, store_url: str) -> AsyncIterator[tuple[Program, Front]]:
    """A desk in another process, and its doors."""
    async with program(script, store_url) as one:
        async with open_front(await one.says("url")) as front:
            yield one, front


def again(front: Front, person: Person) -> Person:
    """The same person at the doors of another process: credentials are in the store."""
    token = person.client.headers["Authorization"].removeprefix("Bearer ")
    return Person(front.client(token), person.id, person.name)


async def test_a_run_that_waits_for_a_person_goes_on_in_another_process(store_url: str):
    async with running("asking", store_url) as (first, front):
        ada, ana = await front.visitor(), await front.operator()
        thread = await ada.thread()
        async with ana.listening() as theirs:
            await ada.say(thread, "Is it?")
            request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
            await theirs.type("run.paused")
        await first.kill()
        with pytest.raises(httpx.TransportError):
            await ada.client.get("/api/me")
    async with running("asking", store_url) as (_, front):
        ada, ana = again(front, ada), again(front, ana)
        async with ada.listening() as hers:
            assert (await ana.open_request(thread))["id"] == request
            await ana.answer(request, "It is.")
            await hers.reply("Ana says: It is.")
        assert [m["text"] for m in await ada.messages(thread)] == ["Is it?", "One moment.", "Ana says: It is."]


async def test_an_answer_acknowledged_right_before_the_end_still_reaches_the_customer(store_url: str):
    async with running("asking", store_url) as (first, front):
        ada, ana = await front.visitor(), await front.operator()
        thread = await ada.thread()
        async with ana.listening() as theirs:
            await ada.say(thread, "Is it?")
            request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
        await ana.answer(request, "It is.")
        await first.kill()
    async with running("asking", store_url) as (_, front):
        ada = again(front, ada)
        async with ada.listening(after=0) as hers:
            await hers.reply("Ana says: It is.")
            assert hers.texts().count("Ana says: It is.") == 1


async def test_p12_a_run_killed_while_it_speaks_goes_on_from_the_last_stored_message(store_url: str):
    async with running("halting", store_url) as (first, front):
        ada = await front.visitor()
        thread = await ada.thread()
        async with ada.listening() as hers:
            await ada.say(thread, "Tell me")
            await hers.reply("The first part.")
            await hers.until(lambda event: event.type == "message.delta" and "And the sec" in event.data["text"])
            last = [event.id for event in hers.heard if event.id][-1]
        await first.kill()
    async with running("finishing", store_url) as (second, front):
        ada = again(front, ada)
        async with ada.listening(last_event_id=last) as hers:
            assert await second.says("begins_with") == ["The first part."]
            await hers.reply("And the second part.")
            assert hers.texts() == ["And the second part."]
            unfinished = [event for event in hers.heard if is_message(event) and event.message["status"] == "pending"]
            assert len({event.message["id"] for event in unfinished}) <= 1
        assert [m["text"] for m in await ada.messages(thread)] == ["Tell me", "The first part.", "And the second part."]
        stored = await front.admin.messages(thread)
        assert [message["status"] for message in stored].count("pending") == 0
        assert second.lines[-1]["resumed"] is True


async def test_a_server_that_stops_gives_its_runs_to_the_next_one_at_once(store_url: str):
    async with running("halting", store_url) as (first, front):
        ada = await front.visitor()
        thread = await ada.thread()
        await ada.say(thread, "Tell me")
        await first.says("said")
        first.process.send_signal(signal.SIGTERM)
        await soon(first.process.wait())
    async with running("finishing", store_url) as (_, front):
        ada = again(front, ada)
        async with ada.listening(after=0) as hers:
            await hers.reply("And the second part.")
        assert [m["text"] for m in await ada.messages(thread)] == ["Tell me", "The first part.", "And the second part."]


async def test_two_processes_on_one_store_never_run_a_thread_twice(store_url: str):
    async with running("echo", store_url) as (_, one), running("echo", store_url) as (_, other):
        ana = await one.operator()
        elsewhere = again(other, ana)
        people = [(await one.visitor(), n) for n in range(12)]
        async with elsewhere.listening() as theirs:

            async def talk(ada: Person, number: int) -> str:
                thread = await ada.thread()
                async with again(other, ada).listening() as hers:
                    await ada.say(thread, f"Hello {number}")
                    await hers.reply(f"You said: Hello {number}")
                return thread

            threads = await asyncio.gather(*(talk(ada, number) for ada, number in people))
            await theirs.type("run.done", count=len(people))
        for (ada, number), thread in zip(people, threads, strict=True):
            assert [m["text"] for m in await ada.messages(thread)] == [f"Hello {number}", f"You said: Hello {number}"]


@pytest.mark.parametrize("acknowledged", [1, 7, 23])
async def test_p1_what_was_acknowledged_is_there_and_answered_after_a_kill(store_url: str, acknowledged: int):
    people: dict[str, Person] = {}
    stored: dict[str, str] = {}
    enough = asyncio.Event()

    async def write(person: Person, thread: str) -> None:
        for number in range(20):
            try:
                posted = done(await person.client.post(f"/api/threads/{thread}/messages", json={"text": f"{number}"}), 201)
            except httpx.TransportError:
                return
            stored[posted["id"]] = thread
            if len(stored) >= acknowledged:
                enough.set()

    async with running("echo", store_url) as (first, front):
        for _ in range(6):
            ada = await front.visitor()
            people[await ada.thread()] = ada
        writing = [asyncio.create_task(write(person, thread)) for thread, person in people.items()]
        await soon(enough.wait())
        await first.kill()
        await asyncio.gather(*writing)
    assert len(stored) >= acknowledged
    async with running("echo", store_url) as (_, front):
        for thread in set(stored.values()):
            ada = again(front, people[thread])
            there = {message["id"]: message for message in await ada.messages(thread)}
            mine = [id for id, where in stored.items() if where == thread]
            assert all(id in there for id in mine), "an acknowledged message is gone"
            newest = max((m for m in there.values() if m["role"] == "user"), key=lambda m: m["order"])
            async with ada.listening(after=0) as hers:
                await hers.reply(f"You said: {newest['text']}")
            texts = [message["text"] for message in await ada.messages(thread) if message["role"] == "assistant"]
            assert texts.count(f"You said: {newest['text']}") == 1


async def test_an_inline_question_of_one_program_is_answered_through_the_server_of_another(store_url: str):
    async with running("echo", store_url) as (_, front):
        ana = await front.operator()
        async with ana.listening() as theirs, program("ask", store_url) as asker:
            opened = await theirs.type("request.opened")
            request = opened.data["data"]["request"]
            assert (request["question"], request["agent"]) == ("Is the Lyon shop open?", "shopkeeper")
            await ana.answer(request["id"], "Yes, until 19:00.")
            assert await asker.says("output") == "I was told: Yes, until 19:00."
            assert await soon(asker.process.wait()) == 0


@pytest.mark.parametrize(("verb", "body"), [("decision", {"kind": "decline", "reason": "we do not know"}), ("cancel", None)])
async def test_an_inline_question_that_gets_no_answer_ends_in_words(store_url: str, verb: str, body: Json | None):
    async with running("echo", store_url) as (_, front):
        ana = await front.operator()
        async with ana.listening() as theirs, program("ask", store_url) as asker:
            request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
            done(await ana.client.post(f"/api/requests/{request}/{verb}", json=body))
            words = await asker.says("output")
            assert words.startswith("I was told: ")
            assert ("we do not know" if body else "withdrawn") in words


async def test_a_program_killed_while_it_waits_leaves_a_question_that_can_still_be_answered(store_url: str):
    async with running("echo", store_url) as (_, front):
        ana = await front.operator()
        async with ana.listening() as theirs, program("ask", store_url) as asker:
            request = (await theirs.type("request.opened")).data["data"]["request"]["id"]
            await asker.kill()
            assert (await ana.answer(request, "Yes"))["decision"]["value"] == "Yes"
        assert (await ana.get("/api/requests"))["items"] == []
