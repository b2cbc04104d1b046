"""Who answers the customer: the mode of a thread says how far its AI may go, and an operator who holds it comes first.

`auto` answers, `review` drafts what a person sends, `off` leaves everything to people. While an operator holds the thread no AI
says a word on it, not even one that had begun to write: that is the fence. Handed back, the AI goes on.
"""

import asyncio
from collections.abc import AsyncIterator

from deskmate import Delta, Desk, Mode, Operator, Overtaken, Replied, Step, Turn, customer
from deskmate.errors import Conflict
from deskmate.testing import ScriptedAgent, say

agent = ScriptedAgent(name="Shop AI")  # stands for a real agent, such as pydantic_ai.Agent("openai:gpt-5.2")
ada = customer("ada", "Ada")


async def modes(desk: Desk, ana: Operator) -> None:
    for mode in Mode:
        thread = await desk.threads.open(customer="ada", mode=mode)
        await desk.messages.post(thread.id, "Hello?", author=ada)
        await desk.run_due()  # the work that a server does in the background
        held = (await desk.threads.get(thread.id)).assignment
        last = (await desk.messages.history(thread.id, by=ana)).items[-1]
        print(f"{mode:>6}: held by the {held.to}; the last word is {last.author.name}'s, {last.visibility}")


async def takeover(desk: Desk, ana: Operator) -> None:
    thread = await desk.threads.open(customer="ada")

    async def interrupted(turn: Turn) -> AsyncIterator[Delta | Step]:
        yield Delta(text="I believe we are")
        await desk.assignments.assign(turn.thread, f"operator:{ana.id}", by=ana)
        yield say("I believe we are closed on Mondays.")

    agent.script = interrupted
    await desk.messages.post(thread.id, "Are you open on Monday?", author=ada)
    outcome = await desk.respond(thread.id)
    assert isinstance(outcome, Overtaken)
    print(f"While the AI writes, {outcome.thread.assignment.reason}. Nothing more of it is shown.")

    await desk.messages.post(thread.id, "Yes, we are. Ana here.", author=ana)
    await desk.messages.post(thread.id, "And on Tuesday?", author=ada)
    try:
        await desk.respond(thread.id)
    except Conflict as refused:
        print(f"The AI may not answer now: {refused}.")

    async def knows(turn: Turn) -> AsyncIterator[Step]:
        yield say("On Tuesday, too.")

    agent.script = knows
    await desk.assignments.assign(thread.id, "ai", by=ana, note="We are open every day.")
    assert isinstance(await desk.respond(thread.id), Replied)
    for message in (await desk.messages.history(thread.id, by=ada)).items:
        print(f"  {message.author.name}: {message.text}" + ("" if message.status == "success" else f"  [{message.error}]"))


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        await modes(desk, ana)
        await takeover(desk, ana)


if __name__ == "__main__":
    asyncio.run(main())
