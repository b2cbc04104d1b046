"""Takeovers at random instants, many at once: what the customer heard, and what is stored, is held against each other (P4)."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.acceptance.doors import Heard, Json, Person, is_message
from tests.acceptance.machine_agents import SPEECH

GREETING = "This is Ana."
LANES = 8
"""How many threads work at once."""
TAKEOVERS = int(os.environ.get("DESKMATE_TAKEOVERS", "40"))
"""How many takeovers; 200 before a release."""


def of_the_ai(event: Heard) -> bool:
    return event.type == "message.delta" or (is_message(event) and event.message["author"]["kind"] == "agent")


def behind_takeover(heard: list[Heard]) -> list[Heard]:
    [at] = [n for n, event in enumerate(heard) if event.type == "thread.assigned" and event.data["data"]["cause"] == "takeover"]
    return heard[at + 1 :]


async def said_by_the_ai(reader: Person, thread: str) -> list[Json]:
    return [message for message in await reader.messages(thread) if message["author"]["kind"] == "agent"]


async def takeovers(visitor: Callable[[], Awaitable[Person]], ana: Person, *, seed: str, latest: float) -> Counter[str]:
    """Take threads over, each up to `latest` seconds after its customer has spoken. Counts how far the AI had come.

    Nothing of the AI may be heard or stored behind a takeover, also when all of them are over.
    """
    chance = random.Random(seed)
    instants = [chance.uniform(0, latest) for _ in range(TAKEOVERS)]
    kept: dict[str, tuple[Person, list[Json]]] = {}
    came: Counter[str] = Counter()

    async def lane(mine: list[float]) -> None:
        for instant in mine:
            ada = await visitor()
            thread = await ada.thread()
            async with ada.listening() as hers:
                await ada.say(thread, "Hello?")
                await asyncio.sleep(instant)
                await ana.assign(thread, f"operator:{ana.id}")
                await ana.say(thread, GREETING)
                await hers.reply(GREETING)
                assert [event for event in behind_takeover(hers.heard) if of_the_ai(event)] == []
                said = await said_by_the_ai(ana, thread)
                came[_held_against(said, hers.streamed)] += 1
                kept[thread] = (ada, said)
            await ana.patch(f"/api/threads/{thread}", status="resolved")

    await asyncio.gather(*(lane(instants[number::LANES]) for number in range(LANES)))
    for thread, (ada, said) in kept.items():
        assert await said_by_the_ai(ana, thread) == said, "the AI wrote after it had been taken over"
        assert (await ada.messages(thread))[-1]["text"] == GREETING
    return came


def _held_against(said: list[Json], streamed: Callable[[str], str]) -> str:
    """How far the AI had come, by what is stored; what was shown of it has to be a part of that."""
    assert len(said) <= 1
    for message in said:
        assert SPEECH.startswith(message["text"])
        assert message["text"].startswith(streamed(message["id"])), "something was shown that is not stored"
        if message["status"] == "failed":
            assert message["error"] == "taken_over"
            return "cut off"
        assert message["text"] == SPEECH
        return "finished"
    return "silent"
