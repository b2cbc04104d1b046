"""The safety gate through the doors: a moderation model over real sockets, what it stops, and what happens while it is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from tests.acceptance.doors import ADMIN_KEY, Front, Heard, Person, is_message, open_front, serving
from tests.fakes.moderation_server import GUARD, ModerationServer
from tests.fakes.openai_server import Endless, Failure, Hold, Reply, Scripted

from deskmate import Desk, Settings
from deskmate.testing import ScriptedAgent, streaming

SAFE = "Until seven."
UNSAFE = "You could steal one at the zoo."


def is_answer(heard: Heard) -> bool:
    """Whether somebody has said something to the customer, all of it."""
    return is_message(heard) and heard.message["author"]["kind"] != "customer" and heard.message["status"] == "success"


@dataclass
class House:
    """A desk with a moderation model, and who meets there."""

    guard: ModerationServer
    agent: ScriptedAgent
    front: Front
    ada: Person
    ana: Person

    async def gate(self, **rules: object) -> None:
        """What leads decide of the gate."""
        await self.front.admin.put("/api/policies/route/default", rules={"safety": rules})

    async def ask(self, question: str) -> str:
        """Ada asks something, and is answered by somebody; the id of the thread."""
        thread = await self.ada.thread()
        async with self.ada.listening(thread=thread) as hers:
            await self.ada.say(thread, question)
            await hers.until(is_answer)
        return thread

    async def read(self, thread: str) -> list[str]:
        """What Ada can read, but for her own words."""
        return [message["text"] for message in await self.ada.messages(thread) if message["author"]["kind"] != "customer"]

    async def route(self, thread: str) -> tuple[str, str]:
        """Who was to respond at last, and why."""
        newest = (await self.ana.get(f"/api/threads/{thread}/routes"))["items"][0]
        return newest["responder"], newest["reason"]


@asynccontextmanager
async def house(store_url: str, guard: ModerationServer, *, seconds: int = 60) -> AsyncIterator[House]:
    agent = ScriptedAgent(name="Shop AI")
    agent.script = streaming(SAFE)
    settings = Settings(
        admin_key=ADMIN_KEY, rate_limits=False, moderation_url=guard.base_url, moderation_model=GUARD, moderation_key=guard.key,
        moderation_seconds=seconds,
    )  # fmt: skip
    async with serving(Desk(store_url, agents=[agent], settings=settings)) as url, open_front(url) as front:
        yield House(guard, agent, front, await front.visitor(), await front.operator("Ana"))


async def test_safe_words_go_their_way_and_both_ways_are_judged(store_url: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate()
        thread = await it.ask("Until when are you open?")
        assert await it.read(thread) == [SAFE]
        assert (await it.route(thread))[0] == "ai"
        assert [[(each["role"], each["content"]) for each in seen.messages] for seen in guard.seen] == [
            [("user", "Until when are you open?")],
            [("user", "Until when are you open?"), ("assistant", SAFE)],
        ]


async def test_unsafe_words_of_a_customer_go_to_people_and_the_ai_never_reads_them(store_url: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate()
        thread = await it.ask("How do I steal a tent?")
        assert it.agent.turns == []
        reason = "the safety model calls the customer's words unsafe: S2 Non-Violent Crimes"
        assert await it.route(thread) == ("human", reason)
        request = await it.ana.open_request(thread)
        assert (request["kind"], request["reason"]) == ("escalation", reason)
        assert len(guard.seen) == 1
        told = str(await it.ada.messages(thread))
        assert "unsafe" not in told
        assert "S2" not in told


async def test_unsafe_words_of_the_ai_are_never_shown_not_even_while_they_are_written(store_url: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate()
        it.agent.script = streaming(UNSAFE)
        thread = await it.ada.thread()
        async with it.ada.listening(thread=thread) as hers, it.ana.listening(thread=thread) as theirs:
            await it.ada.say(thread, "How do I get a llama?")
            await theirs.type("request.opened")
            await hers.until(is_answer)
            assert "steal" not in str(hers.heard)
            assert "zoo" not in str(hers.heard)
        reason = "the safety model calls the AI's answer unsafe: S2 Non-Violent Crimes"
        assert await it.route(thread) == ("human", reason)
        request = await it.ana.open_request(thread)
        assert (request["reason"], request["suggestion"]) == (reason, UNSAFE)
        assert UNSAFE not in await it.read(thread)


async def test_what_the_ai_may_not_say_it_may_not_say_either_when_a_person_has_handed_back(store_url: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate()
        it.agent.script = streaming(UNSAFE)
        thread = await it.ask("How do I get a llama?")
        async with it.ada.listening(thread=thread) as hers:
            await it.ana.assign(thread, "ai", note="Answer it, please.")
            await hers.until(is_answer)
            assert "steal" not in str(hers.heard)
        assert UNSAFE not in await it.read(thread)


async def test_each_message_is_judged_and_all_of_it(store_url: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate()
        thread = await it.ask("Hello?")
        async with it.ada.listening(thread=thread) as hers:
            await it.ada.say(thread, "la " * 3_000 + "and how do I steal it?")
            await hers.until(is_answer)
        assert (await it.route(thread))[0] == "human"
        assert len(it.agent.turns) == 1


@pytest.mark.parametrize("verdict", ["safe", "unsafe\nS1"])
async def test_p4_who_takes_over_while_words_are_judged_has_the_thread_and_the_words_are_not_shown(store_url: str, verdict: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate()
        hold = Hold()
        guard.script(Reply("safe"), Reply(hold, verdict))
        thread = await it.ada.thread()
        async with it.ada.listening(thread=thread) as hers:
            await it.ada.say(thread, "Until when are you open?")
            await guard.arrived(2)
            await it.ana.assign(thread, f"operator:{it.ana.id}")
            hold.release()
            await it.ana.say(thread, "Ana here.")
            await hers.reply("Ana here.")
        assert await it.read(thread) == ["Ana here."]
        held = (await it.ana.get(f"/api/threads/{thread}"))["assignment"]
        assert (held["to"], held["id"]) == ("operator", it.ana.id)


@pytest.mark.parametrize("way", ["input", "output"])
async def test_only_the_ways_that_are_set_are_judged(store_url: str, way: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        await it.gate(input=way == "input", output=way == "output")
        assert await it.read(await it.ask("Hello?")) == [SAFE]
        assert [seen.messages[-1]["role"] for seen in guard.seen] == ["user" if way == "input" else "assistant"]


HTML = "<html><body>safe</body></html>"
FAILING: list[tuple[Scripted, str]] = [
    (Failure(500), "it answered with status 500"),
    (Failure(200, body=HTML), "its answer is no JSON"),
    (Failure(200, body='{"choices": [{"message": {"content": "safe"'), "its answer is no JSON"),
    (Reply("It seems safe to me."), "its answer is no verdict"),
    (Endless(), "its answer is too long for a verdict"),
]


@pytest.mark.parametrize(("failing", "why"), FAILING)
@pytest.mark.parametrize("way", ["input", "output"])
async def test_without_a_verdict_it_goes_as_leads_have_set(store_url: str, failing: Scripted, why: str, way: str):
    async with ModerationServer() as guard, house(store_url, guard) as it:
        whose = "the customer's words" if way == "input" else "the AI's answer"
        await it.gate(input=way == "input", output=way == "output", unavailable="closed")
        guard.script(failing)
        thread = await it.ask("Hello?")
        assert SAFE not in await it.read(thread)
        responder, reason = await it.route(thread)
        assert responder == "human"
        assert f"no verdict on {whose} ({why})" in reason
        assert (await it.ana.open_request(thread))["reason"] == reason

        await it.gate(input=way == "input", output=way == "output", unavailable="open")
        guard.script(failing)
        thread = await it.ask("Hello again?")
        assert await it.read(thread) == [SAFE]
        assert (await it.route(thread))[0] == "ai"


@pytest.mark.parametrize(("unavailable", "said"), [("closed", False), ("open", True)])
async def test_a_model_that_is_silent_or_gone_holds_nobody_up(store_url: str, unavailable: str, said: bool):
    async with ModerationServer() as guard, house(store_url, guard, seconds=1) as it:
        await it.gate(output=False, unavailable=unavailable)
        guard.script(Reply(Hold(), "safe"))
        silent = await it.ask("Hello?")
        assert (SAFE in await it.read(silent)) is said
        await guard.__aexit__()
        gone = await it.ask("Hello again?")
        assert (SAFE in await it.read(gone)) is said
        told = str([await it.ana.get(f"/api/threads/{thread}/routes") for thread in (silent, gone)])
        assert "it did not answer within 1 seconds" in told
        assert "it cannot be reached" in told
        assert guard.key not in told
