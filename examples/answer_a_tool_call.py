"""A tool call that people decide about before it runs: approved, edited, rejected, or answered in the place of the tool.

For tools that spend money, write to customers or cannot be undone. The approved call runs once, with the very arguments that
were approved; and the model is told what a person changed, refused or did instead.
"""

import asyncio
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ToolCallPart

from deskmate import Desk, NeedsApproval, Paused, Replied, Request, Rule, customer
from deskmate.testing import scripted_model

paid: list[int] = []


def refund(order: int, cents: int) -> str:
    """Pay money back."""
    paid.append(cents)
    return f"{cents / 100:.2f} euros are on their way"


def script(told: Any) -> str | ToolCallPart:
    if told == "My money back, please.":
        return ToolCallPart("refund", {"order": 20817, "cents": 9900})
    return f"The model was told: {told}"


model = scripted_model(script)  # stands for a real model, such as "openai:gpt-5.2"
large = Rule(when=lambda args: args["cents"] > 1000, reason="more than 10 euros")
agent = Agent(model, name="Shop AI", tools=[refund], capabilities=[NeedsApproval({"refund": large})])


async def asked(desk: Desk) -> Request:
    """A customer wants their money back, the agent wants to pay, and the run waits."""
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "My money back, please.", author=customer("ada", "Ada"))
    outcome = await desk.respond(thread.id)
    assert isinstance(outcome, Paused)
    return outcome.requests[0]


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")

        async def tell(done: str, request: Request) -> None:
            outcome = await desk.respond(request.thread)
            assert isinstance(outcome, Replied)
            print(f"{done}. Paid: {paid}. {outcome.message.text}")
            paid.clear()

        request = await asked(desk)
        print(f"Ana is asked about {request.tool} {request.args}: {request.reason}. Paid: {paid}.")
        await desk.requests.approve(request.id, by=ana)
        await tell("Approved", request)

        request = await asked(desk)
        await desk.requests.edit(request.id, args={"order": 20817, "cents": 4900}, by=ana)
        await tell("Edited", request)

        request = await asked(desk)
        await desk.requests.reject(request.id, "the tent was used", by=ana)
        await tell("Rejected", request)

        request = await asked(desk)
        await desk.requests.respond(request.id, "I paid it in cash", by=ana)
        await tell("Answered in its place", request)


if __name__ == "__main__":
    asyncio.run(main())
