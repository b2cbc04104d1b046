"""An operator replies in their own words, as a turn of its own; the AI knows of it when it speaks next.

For people and an AI in one conversation. The message says that a person wrote it, and who (its provider is "human"); it costs
no tokens. For the model it is what has been said before, so it neither contradicts nor repeats it.
"""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from deskmate import Desk, PydanticAgent, Replied, customer


def recall(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """Says what it has been given as its own side of the conversation."""
    said = [part.content for message in messages for part in message.parts if isinstance(part, TextPart)]
    return ModelResponse(parts=[TextPart(f"As we said: {said[-1]} Can I do anything else for you?")])


model = FunctionModel(recall)  # stands for a real model, such as "openai:gpt-5.2"
agent = PydanticAgent(Agent(model, name="Shop AI"), stream=False)
ada = customer("ada", "Ada")


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        thread = await desk.threads.open(customer="ada")

        await desk.messages.post(thread.id, "Is the Lyon shop open on Monday?", author=ada, respond=False)
        reply = await desk.messages.post(thread.id, "It is, until seven.", author=ana)
        print(f"Ana's reply is turn {reply.order}, from {reply.provider}: {reply.provider_metadata}")

        await desk.messages.post(thread.id, "Sorry, until when?", author=ada)
        assert isinstance(await desk.respond(thread.id), Replied)

        for message in (await desk.messages.history(thread.id, by=ana)).items:
            print(f"{message.author.kind:>8}  {message.author.name}: {message.text}")


if __name__ == "__main__":
    asyncio.run(main())
