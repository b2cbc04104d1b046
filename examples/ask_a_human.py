"""The agent needs a fact that only a person has: its run pauses, an operator answers, and another process goes on with it.

For agents that answer most of what they are asked. A run that waits is a row of the store, not a process: the answer may come
days later, and whichever process is up then carries on.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ToolCallPart

from deskmate import AskHuman, Desk, Paused, Replied, customer
from deskmate.testing import scripted_model


def script(told: Any) -> str | ToolCallPart:
    match told:
        case {"answer": answer, "by": name}:
            return f"I have asked {name}: {answer}"
        case _:
            return ToolCallPart("ask_human", {"question": "May a tent be returned that was slept in?", "suggestion": "No."})


model = scripted_model(script)  # stands for a real model, such as "openai:gpt-5.2"
agent = Agent(model, name="Shop AI", capabilities=[AskHuman()])


async def ask(store: str) -> str:
    async with Desk.open(store, agents=[agent], work=False) as desk:
        thread = await desk.threads.open(customer="ada")
        said = await desk.messages.post(thread.id, "Can I return a tent I slept in?", author=customer("ada", "Ada"))
        print(f"{said.author.name}: {said.text}")
        outcome = await desk.respond(thread.id)
        assert isinstance(outcome, Paused)
        print(f"The run is paused. Shop AI asks: {outcome.requests[0].question}")
        return thread.id


async def answer(store: str) -> None:
    """What the inbox does when an operator types the answer; it runs no agents."""
    async with Desk.open(store, work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        asked = await desk.requests.list(by=ana)
        print(f"Ana sees one question, and what the AI would answer: {asked.items[0].suggestion}")
        await desk.requests.answer(asked.items[0].id, "Yes, within 60 days, if it is clean.", by=ana)


async def go_on(store: str, thread: str) -> None:
    async with Desk.open(store, agents=[agent], work=False) as desk:
        outcome = await desk.respond(thread)
        assert isinstance(outcome, Replied)
        print(f"{outcome.message.author.name}: {outcome.message.text}")


def main() -> None:
    with TemporaryDirectory() as folder:
        store = f"sqlite:///{Path(folder) / 'support.db'}"
        thread = asyncio.run(ask(store))  # each of the three may be a process of its own, on a machine of its own
        asyncio.run(answer(store))
        asyncio.run(go_on(store, thread))


if __name__ == "__main__":
    main()
