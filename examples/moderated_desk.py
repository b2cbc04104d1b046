"""A moderation model looks at what customers write before the AI reads it, and at what the AI answers before customers do.

What it calls unsafe goes to people, with the reason. Where it gives no verdict, the policy says what happens: `closed`, people
decide; `open`, the AI goes on. Set DESKMATE_MODERATION_URL and DESKMATE_MODERATION_MODEL, and a real one is asked.
"""

import asyncio
from collections.abc import Sequence

from pydantic_ai import Agent

from deskmate import Desk, Operator, PydanticAgent, customer
from deskmate.domain.safety import Judgement, On, Said, Verdict, verdict_of
from deskmate.testing import scripted_model


class Guard:
    """Stands for Llama Guard: it is given the conversation, judges the last words of it, and writes one or two lines."""

    is_down = False

    async def judge(self, messages: Sequence[Said], on: On) -> Judgement:
        if self.is_down:
            return Judgement(verdict=Verdict.UNKNOWN, on=on, model="guard", reason="it cannot be reached")
        written = "\n\nunsafe\nS2" if "steal" in messages[-1][1].lower() else "\n\nsafe"
        verdict, categories = verdict_of(written)
        return Judgement(verdict=verdict, on=on, model="guard", categories=categories, raw=written)


def script(told: str) -> str:
    return "Steal one from the zoo!" if "llama" in told else "Until seven."


guard = Guard()
agent = PydanticAgent(Agent(scripted_model(script)), name="Shop AI")  # stands for a real agent
ada = customer("ada", "Ada")


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], moderator=guard, work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        await set_gate(desk, unavailable="closed")
        await asks(desk, ana, "Until when are you open?")
        await asks(desk, ana, "How do I steal a tent?")
        await asks(desk, ana, "How do I get a llama?")

        guard.is_down = True
        await asks(desk, ana, "Until when are you open on Monday?")
        await set_gate(desk, unavailable="open")
        await asks(desk, ana, "Until when are you open on Monday?")


async def set_gate(desk: Desk, *, unavailable: str) -> None:
    await desk.policies.put("route", "default", {"safety": {"input": True, "output": True, "unavailable": unavailable}})
    print(f"Without a verdict the gate is {unavailable}.")


async def asks(desk: Desk, ana: Operator, question: str) -> None:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, question, author=ada)
    await desk.respond(thread.id)
    for message in (await desk.messages.history(thread.id, by=ada)).items:
        print(f"  {message.author.name}: {message.text}")
    for request in await desk.requests.waiting(thread.id, by=ana):
        print(f"    [Ana sees: {request.reason}]")
        if request.suggestion:
            print(f"    [Ana sees what the AI wanted to say: {request.suggestion}]")


if __name__ == "__main__":
    asyncio.run(main())
