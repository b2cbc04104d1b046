"""Review mode: the AI writes, a person approves, edits, or rejects with a review and has it written again; then it is sent.

For the first weeks with an AI, and for threads on which every word counts. The customer sees nothing of a draft until a person
has sent it; what the AI wrote, what was sent, and the review stay on the request.
"""

import asyncio

from pydantic_ai import Agent

from deskmate import Desk, Mode, Operator, Request, customer
from deskmate.testing import scripted_model


def script(told: str) -> str:
    if "Say it more kindly" in told:  # the review of the person who rejected the first draft
        return "I am sorry to hear that. A new pole is on its way to you."
    return "Poles are not covered."


model = scripted_model(script)  # stands for a real model, such as "openai:gpt-5.2"
agent = Agent(model, name="Shop AI")
ada = customer("ada", "Ada")


async def drafted(desk: Desk, ana: Operator) -> Request:
    """Ada writes, the AI drafts, and Ana is asked about the draft."""
    thread = await desk.threads.open(customer="ada", mode=Mode.REVIEW)  # DESKMATE_MODE=review does it for all threads
    await desk.messages.post(thread.id, "A pole of my tent broke.", author=ada)
    await desk.respond(thread.id)
    [request] = await desk.requests.waiting(thread.id, by=ana)
    return request


async def tell(desk: Desk, done: str, request: Request) -> None:
    read = [message.text for message in (await desk.messages.history(request.thread, by=ada)).items[1:]]
    print(f"{done}: {request.suggestion}\n    Ada reads: {' '.join(read) or '(nothing)'}")


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")

        request = await drafted(desk, ana)
        await tell(desk, "Drafted", request)
        await desk.requests.approve(request.id, by=ana)
        await tell(desk, "Approved", request)

        request = await drafted(desk, ana)
        await desk.requests.edit(request.id, text="Poles are not covered, but we mend them for 5 euros.", by=ana)
        await tell(desk, "Edited", request)

        request = await drafted(desk, ana)
        await desk.requests.reject(request.id, review="Say it more kindly, and send her a pole.", retry=True, by=ana)
        await tell(desk, "Rejected", request)
        await desk.respond(request.thread)
        [better] = await desk.requests.waiting(request.thread, by=ana)
        await tell(desk, "Written again", better)
        await desk.requests.approve(better.id, by=ana)
        await tell(desk, "Approved", better)


if __name__ == "__main__":
    asyncio.run(main())
