"""Chaos: customers post while machines are killed at random and started again. Then the books are checked (P1)."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
from tests.acceptance.doors import Json, Person
from tests.acceptance.machines import Machines

MARKS = (*"........", "?", "!")
"""How messages end: most are answered, one in ten asks a person, one in ten makes the agent fail."""
CALM = 90.0  # seconds that the machines are given to deal with everything once nobody is killed any more


@dataclass
class Customer:
    """Somebody who writes one message after the other, to whichever server answers, until each has been acknowledged."""

    at: list[Person]
    thread: str
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    """Id and text of each message, in the order in which they were acknowledged."""
    tries: int = 0

    async def write(self, messages: int, breath: float, chance: random.Random) -> None:
        for number in range(messages):
            text = f"{number}{chance.choice(MARKS)}"
            self.acknowledged.append(((await self._post(text, f"{self.thread}/{number}", chance))["id"], text))
            await asyncio.sleep(chance.random() * breath)

    async def _post(self, text: str, key: str, chance: random.Random) -> Json:
        body = {"text": text, "idempotency_key": key}
        while True:
            self.tries += 1
            try:
                response = await chance.choice(self.at).client.post(f"/api/threads/{self.thread}/messages", json=body)
                if response.status_code == 201:
                    return response.json()
                # A store that is busy or away says so; nothing else is an answer to a proper message.
                assert response.status_code == 503, response.text
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


@dataclass
class Books:
    """What came of it."""

    messages: int = 0
    tries: int = 0
    kills: Counter[str] = field(default_factory=Counter[str])
    ends: Counter[str] = field(default_factory=Counter[str])
    seconds: float = 0.0


async def rage(them: Machines, *, customers: int, each: int, pause: float, breath: float, seed: int) -> Books:
    """Play it, and check the books. At most `pause` seconds between two kills, `breath` seconds between two messages."""
    chance = random.Random(seed)
    people: list[Customer] = []
    for number in range(customers):
        ada = await them.visitor(number % len(them.servers))
        people.append(Customer([them.at(ada, server) for server in range(len(them.servers))], await ada.thread()))
    books, began, over = Books(), time.monotonic(), asyncio.Event()
    killing = asyncio.create_task(_kill(them, chance, pause, books, over))
    await asyncio.gather(*(one.write(each, breath, random.Random(f"{seed}/{one.thread}")) for one in people))
    books.seconds = time.monotonic() - began
    over.set()
    await killing
    admin = them.admin()
    for one in people:
        await _check(admin, one, books)
    return books


async def _kill(them: Machines, chance: random.Random, pause: float, books: Books, over: asyncio.Event) -> None:
    """Kill one machine after the other, and start each again. At most one is away at a time, so that the rest goes on."""
    while not over.is_set():
        await asyncio.sleep(chance.random() * pause)
        machine = chance.choice(them.all)
        await machine.end()
        books.kills["server" if machine in them.servers else "worker"] += 1
        await machine.start()


async def _check(admin: Person, one: Customer, books: Books) -> None:
    """Each acknowledged message is there once and in order; the thread ends with a reply, a request or a visible failure."""
    end = await _settled(admin, one.thread)
    stored = await _all(admin, one.thread)
    theirs = [(m["id"], m["text"]) for m in stored if m["author"]["kind"] == "customer"]
    lost, more = set(one.acknowledged) - set(theirs), set(theirs) - set(one.acknowledged)
    assert theirs == one.acknowledged, f"lost {lost}, not acknowledged {more}"
    places = [(m["order"], m["step"]) for m in stored]
    assert all(earlier < later for earlier, later in pairwise(places))
    assert not [m for m in stored if m["status"] == "pending"]
    answers = Counter(m["text"] for m in stored if m["author"]["kind"] == "agent" and m["status"] == "success" and m["text"])
    assert max(answers.values(), default=1) == 1, "something was answered twice"
    books.messages += len(theirs)
    books.tries += one.tries
    books.ends[end] += 1


async def _settled(admin: Person, thread: str) -> str:
    """What came of the newest message, once something has."""
    async with asyncio.timeout(CALM):
        while True:
            stored = await _all(admin, thread)
            asked = [request["question"] for request in (await admin.get("/api/requests", thread=thread))["items"]]
            newest = [m for m in stored if m["author"]["kind"] == "customer"][-1]
            said = [m for m in stored if m["author"]["kind"] == "agent" and m["order"] >= newest["order"]]
            if any(m["status"] == "success" and m["text"] == f"You said: {newest['text']}" for m in said):
                return "reply"
            if newest["text"] in asked:
                return "request"
            if any(m["status"] == "failed" for m in said):
                return "failure"
            await asyncio.sleep(0.1)


async def _all(admin: Person, thread: str) -> list[Json]:
    """Every message of a thread, in order. Pages go back from the newest."""
    found: list[Json] = []
    before: Json = {}
    while page := (await admin.get(f"/api/threads/{thread}/messages", limit=200, **before))["items"]:
        found = page + found
        before = {"before": page[0]["id"]}
    return found
