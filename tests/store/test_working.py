"""A desk that works in the background, used as it is: without being opened first."""

import asyncio

from deskmate import Desk
from deskmate.domain.actors import customer
from deskmate.testing import ScriptedAgent


async def test_a_desk_that_is_told_to_work_before_anything_else_opens_its_store_and_works(store_url: str) -> None:
    async with Desk.open(store_url, agents=[ScriptedAgent()], work=False) as other:
        thread = await other.threads.open(customer="ada")
        await other.messages.post(thread.id, "Hello", author=customer("ada", "Ada"))
    bot = ScriptedAgent()
    desk = Desk(store_url, agents=[bot])
    desk.work()
    try:
        turn = await asyncio.wait_for(bot.given(1), 20)
        assert turn.thread == thread.id
    finally:
        await desk.close()


async def test_a_desk_that_is_closed_before_it_has_begun_to_work_ends(store_url: str) -> None:
    desk = Desk(store_url, agents=[ScriptedAgent()])
    desk.work()
    await asyncio.wait_for(desk.close(), 20)
