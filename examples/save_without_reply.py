"""A customer's message is stored, and nobody replies to it: no agent runs, no model is asked.

For programs that decide themselves when an AI speaks, and for keeping what was said elsewhere. `post` is somebody speaking;
`save` stores a batch of messages as it is, all or nothing.
"""

import asyncio

from deskmate import Desk, NewMessage, Text, customer, service

ada = customer("ada", "Ada")  # your own id of the customer
phone = service("phone")  # a program of yours: it stores what was said on the telephone


async def main() -> None:
    async with Desk.open("sqlite://", work=False) as desk:  # in memory; "sqlite:///support.db" is a file
        thread = await desk.threads.open(customer="ada", subject="A broken pole")
        await desk.messages.post(thread.id, "A pole of my tent broke.", author=ada, respond=False)

        asked = NewMessage(role="user", parts=(Text(text="Can it be mended by Friday?"),), author=ada.author)
        noted = NewMessage(role="assistant", parts=(Text(text="We will look for a pole."),), author=phone.author)
        await desk.messages.save(thread.id, [asked, noted], by=phone)

        for message in (await desk.messages.history(thread.id, by=ada)).items:
            print(f"{message.order}.{message.step}  {message.author.name}: {message.text}")

        thread = await desk.threads.get(thread.id)
        print(f"Tokens spent: {sum(entry.output_tokens for entry in await desk.usage.of_thread(thread.id))}")
        print(f"Held by: {thread.assignment.to}. Waiting since: {thread.waiting_since}.")


if __name__ == "__main__":
    asyncio.run(main())
