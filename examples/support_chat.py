"""A support chat: the AI answers from the shop's pages, asks the team what it does not know, has refunds approved by them, and
passes a customer who wants a person on to one.

As a program it plays a conversation. As a server it is the real thing, with a chat for customers and an inbox for the team:

    deskmate serve support_chat:desk
"""

import asyncio
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ToolCallPart

from deskmate import AskHuman, Desk, Escalate, FaqLibrary, NeedsApproval, Operator, Rule, customer
from deskmate.testing import scripted_model

PAGES = """# The shop

## Opening hours in Lyon

Monday to Saturday, 10:00 to 19:00.

## Returns

Within 60 days, unused, with the bill.
"""
pages = FaqLibrary([("shop.md", PAGES)])  # FaqLibrary.load("docs/") reads a folder


def search_pages(question: str) -> dict[str, Any]:
    """What the shop's own pages say about a question."""
    return {"question": question, "found": [passage.text for passage in pages.search(question, 1)]}


def refund(order: int, euros: int) -> dict[str, Any]:
    """Pay a customer their money back."""
    return {"paid": euros, "order": order}


def script(told: Any) -> str | ToolCallPart:
    """Does what the instructions below say, as far as this conversation goes."""
    match told:
        case {"question": question, "found": []}:
            return ToolCallPart("ask_human", {"question": question})
        case {"found": [text, *_]}:
            return f"Our pages say: {text}"
        case {"answer": answer, "by": name}:
            return f"{name} says: {answer}"
        case {"paid": euros} | {"result": {"paid": euros}}:
            return f"{euros} euros are on their way to you."
        case {"accepted": True}:
            return "I have passed you on. A colleague will write to you here."
        case str(words) if "money back" in words:
            return ToolCallPart("refund", {"order": 20817, "euros": 99})
        case str(words) if "a person" in words:
            return ToolCallPart("escalate", {"reason": "wants a person", "summary": "Has a refund, is not content."})
        case str(words) if words.startswith("Declined"):
            return f"I am sorry, that is not possible. ({words})"
        case words:
            return ToolCallPart("search_pages", {"question": words})


model = scripted_model(script)  # stands for a real model, such as "openai:gpt-5.2"
agent = Agent(
    model,
    name="Shop AI",
    instructions="Answer from search_pages. Ask a colleague what the pages do not say. Pass on who wants a person.",
    tools=[search_pages, refund],
    capabilities=[Escalate(), AskHuman(), NeedsApproval({"refund": Rule(reason="money leaves the house")})],
)
desk = Desk("sqlite:///support.db", agents=[agent])


async def conversation(desk: Desk, ana: Operator) -> None:
    ada = customer("ada", "Ada")
    thread = await desk.threads.open(customer="ada")
    seen: str | None = None

    async def show() -> None:
        nonlocal seen
        for message in (await desk.messages.history(thread.id, by=ada, after=seen)).items:
            print(f"{message.author.name}: {message.text}")
            seen = message.id

    async def says(text: str) -> None:
        await desk.messages.post(thread.id, text, author=ada)
        await desk.run_due()  # a server works by itself
        await show()

    await says("What are your opening hours in Lyon?")

    await says("Do you repair tent poles?")
    [question] = await desk.requests.waiting(thread.id, by=ana)
    print(f"  [Ana is asked: {question.question}]")
    await desk.requests.answer(question.id, "Yes, while you wait.", by=ana)
    await desk.run_due()
    await show()

    await says("It broke again. I want my money back!")
    [approval] = await desk.requests.waiting(thread.id, by=ana)
    print(f"  [Ana is asked about {approval.tool} {approval.args}, and makes it 49 euros]")
    await desk.requests.edit(approval.id, args={"order": 20817, "euros": 49}, by=ana)
    await desk.run_due()
    await show()

    await says("Only that? I want to talk to a person.")
    [escalation] = await desk.requests.waiting(thread.id, by=ana)
    print(f"  [Ana reads: {(await desk.threads.get(thread.id)).summary}]")
    await desk.requests.take_over(escalation.id, "Ana here. The other 50 are for the poles, which you keep.", by=ana)
    await show()


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as rehearsal:
        await conversation(rehearsal, await rehearsal.operators.add(name="Ana", email="ana@shop.example"))


if __name__ == "__main__":
    asyncio.run(main())
