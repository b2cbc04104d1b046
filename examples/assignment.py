"""Who holds a thread: an operator takes it over, passes it to a queue, another one takes it, and hands it back with a note.

For conversations that change hands. Every change is kept with its reason; the AI is silent meanwhile, and when it gets the thread
back it reads who handled it, and the note, which the customer never sees.
"""

import asyncio

from deskmate import Desk, Replied, Text, customer
from deskmate.errors import EpochMoved
from deskmate.testing import ScriptedAgent, echo

agent = ScriptedAgent(echo, name="Shop AI")  # stands for a real agent, such as pydantic_ai.Agent("openai:gpt-5.2")
ada = customer("ada", "Ada")


async def main() -> None:
    async with Desk.open("sqlite://", agents=[agent], work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")
        ben = await desk.operators.add(name="Ben", email="ben@shop.example")
        thread = await desk.threads.open(customer="ada")
        await desk.messages.post(thread.id, "My order was charged twice.", author=ada)

        taken = await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
        print(f"Waits for a person: {taken.waiting_since is not None}")
        await desk.messages.post(thread.id, "I am asking our accountants.", author=ana)
        await desk.assignments.assign(thread.id, "queue:accounts", by=ana)

        seen = await desk.threads.get(thread.id)
        await desk.assignments.assign(thread.id, f"operator:{ben.id}", by=ben, epoch=seen.epoch)
        try:  # Ana looked at the same moment, and was slower
            await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana, epoch=seen.epoch)
        except EpochMoved as moved:
            print(f"Ana is too late: {moved}")

        await desk.messages.post(thread.id, "You have your money back.", author=ben)
        await desk.assignments.assign(thread.id, "ai", by=ben, note="She gets a voucher with her next order.")
        await desk.messages.post(thread.id, "Thank you. Anything else I should know?", author=ada)
        assert isinstance(await desk.respond(thread.id), Replied)

        print("\nThrough which hands it went:")
        for change in await desk.assignments.history(thread.id, by=ana):
            print(f"  {change.epoch}  {change.cause:<9}  to {change.name or change.to}: {change.reason}")

        print("\nWhat the AI read when it had the thread back:")
        for message in agent.turns[-1].history:
            print(f"  {message.role}: {' '.join(part.text for part in message.parts if isinstance(part, Text))}")

        print("\nWhat Ada has read:")
        for message in (await desk.messages.history(thread.id, by=ada)).items:
            print(f"  {message.author.name}: {message.text}")


if __name__ == "__main__":
    asyncio.run(main())
