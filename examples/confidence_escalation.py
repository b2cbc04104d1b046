"""The agent says how sure it is: from a floor on it answers alone, below it a person does, and sees what it would have said.

For agents that know a part of the truth. An answer with the output type `Assessed` carries a confidence from 0 to 1; where it
states none, or no sensible one, a person answers, too. `unsure="draft"` has a person approve the answer instead.
"""

import asyncio

from pydantic_ai import Agent

from deskmate import Assessed, Desk, PydanticAgent, customer
from deskmate.testing import scripted_model


def script(told: str) -> Assessed:
    if "Lyon" in told:
        return Assessed(response="The Lyon shop is open until seven.", confidence=0.95)
    return Assessed(response="It might hold a storm of force 8.", confidence=0.4)


model = scripted_model(script)  # stands for a real model, such as "openai:gpt-5.2"
agent = PydanticAgent(Agent(model, name="Shop AI", output_type=Assessed), floor=0.7)
ada = customer("ada", "Ada")


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")

        for question in ("Until when is the Lyon shop open?", "Which storm does the Fjord tent hold?"):
            thread = await desk.threads.open(customer="ada")
            await desk.messages.post(thread.id, question, author=ada)
            await desk.respond(thread.id)

            for request in await desk.requests.waiting(thread.id, by=ana):
                print(f"  Ana sees: {request.reason}")
                print(f"  Ana sees what it would have said: {request.suggestion}")
                await desk.requests.take_over(request.id, "Force 9, we have tried it. Ana", by=ana)

            for message in (await desk.messages.history(thread.id, by=ada)).items:
                print(f"{message.author.name}: {message.text}")
            print(f"Held by: {(await desk.threads.get(thread.id)).assignment.name or 'the AI'}\n")


if __name__ == "__main__":
    asyncio.run(main())
