"""Agents for desks in processes of their own: `deskmate serve --agent machine_agents:NAME`, in this folder.

Each run leaves lines in the file that AGENT_LOG names: only outside of the desk can be told how often an agent really worked.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from deskmate.domain.agents import Delta, Output, Turn
from deskmate.testing import ScriptedAgent, asking, say

WORDS = 40
SPEECH = " ".join(f"word{number}" for number in range(60))
PAUSE = 0.05  # seconds between two words: a run of two seconds


def leave(turn: Turn, **facts: object) -> None:
    """A line of this run for the test."""
    with Path(os.environ["AGENT_LOG"]).open("a") as log:
        log.write(json.dumps({"pid": os.getpid(), "thread": turn.thread, "resumed": turn.resumed, **facts}) + "\n")


async def talk(turn: Turn) -> AsyncIterator[Output]:
    """Says what it was told, word by word, for two seconds."""
    leave(turn, began=turn.prompt_text)
    for number in range(WORDS):
        yield Delta(text=f"{number} ")
        await asyncio.sleep(PAUSE)
    yield say(f"You said: {turn.prompt_text}")


async def mixed(turn: Turn) -> AsyncIterator[Output]:
    """Answers, asks a person about what ends with a question mark, and fails at what ends with an exclamation mark."""
    match turn.prompt_text[-1]:
        case "?":
            async for output in asking()(turn):
                yield output
        case "!":
            yield Delta(text="I will ")
            raise RuntimeError("this agent does not like to be shouted at")
        case _:
            yield Delta(text="You said: ")
            yield say(f"You said: {turn.prompt_text}")


async def speak(_: Turn) -> AsyncIterator[Output]:
    """Speaks about as fast as a model does."""
    for number, word in enumerate(SPEECH.split(" ")):
        await asyncio.sleep(0.001)
        yield Delta(text=word if number == 0 else f" {word}")
    yield say(SPEECH)


fluent = ScriptedAgent(speak, name="support")
talking = ScriptedAgent(talk, name="support")
mixing = ScriptedAgent(mixed, name="support")
