"""A desk, or a program with an agent, in a process of its own that a test can kill: `python desk_process.py WHAT STORE`.

It prints one JSON line when it is ready, and one for everything a test may want to wait for.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import uvicorn
from ports import open_port

from deskmate import Desk, Settings
from deskmate.domain.agents import Delta, Output, Turn
from deskmate.server.application import create_app
from deskmate.testing import ScriptedAgent, asking, echo, say

ADMIN_KEY = "the-admin-key-of-these-tests"
LEASE = 1.5  # seconds


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


async def halting(turn: Turn) -> AsyncIterator[Output]:
    """Says a first part, begins with a second one, and never comes to its end."""
    if not any(message.role == "assistant" for message in turn.history):
        yield say("The first part.", final=False)
    yield Delta(text="And the sec")
    tell(said="half")
    await asyncio.Event().wait()


async def finishing(turn: Turn) -> AsyncIterator[Output]:
    """Says what is left to say."""
    said = [message.parts[0].text for message in turn.history if message.role == "assistant"]
    tell(begins_with=said, resumed=turn.resumed)
    if not said:
        yield say("The first part.", final=False)
    for word in ["And", "the", "second", "part."]:
        yield Delta(text=f"{word} ")
    yield say("And the second part.")


SCRIPTS = {"asking": asking(notice="One moment."), "halting": halting, "finishing": finishing, "echo": echo}


async def serve(script: str, store: str) -> None:
    # A process that was killed is known by its leases; the tests do not want to wait long for them to run out.
    settings = Settings(admin_key=ADMIN_KEY, rate_limits=False, lease_seconds=LEASE)
    desk = Desk(store, agents=[ScriptedAgent(SCRIPTS[script])], settings=settings)
    listening = open_port()
    tell(url=f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = uvicorn.Config(create_app(desk), log_level="warning", ws="none", timeout_graceful_shutdown=1)
    await uvicorn.Server(config).serve(sockets=[listening])


async def ask(store: str) -> None:
    """A program of somebody's own, with an agent that asks people."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    from deskmate import AskHuman

    def model(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        answers = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
        if answers:
            return ModelResponse(parts=[TextPart(f"I was told: {answers[-1].content}")])
        return ModelResponse(parts=[ToolCallPart("ask_human", {"question": "Is the Lyon shop open?"})])

    desk = Desk(store, settings=Settings())
    agent = Agent(FunctionModel(model), name="shopkeeper", capabilities=[AskHuman(desk)])
    tell(asks=True)
    result = await agent.run("Is the Lyon shop open on Monday?")
    tell(output=result.output)
    await desk.close()


if __name__ == "__main__":
    what, url = sys.argv[1:]
    asyncio.run(ask(url) if what == "ask" else serve(what, url))
