"""A desk with an embedder: its agents learn by meaning, examples decide by nearness, and a server that fails leaves the rest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.fakes.embeddings import MODEL
from tests.fakes.openai_server import Failure, OpenAIServer
from tests.store.people import ADA

from deskmate import Desk, Settings
from deskmate.domain.scoring import Example
from deskmate.testing import FakeClock, ScriptedAgent

BOT = "scripted"
MINE = (
    "Where is my parcel?",
    "My parcel has not come",
    "When will the parcel arrive?",
    "Track my parcel",
    "Is my order on its way?",
)
THEIRS = ("I will call my lawyer", "This is fraud", "You hear from my attorney", "I go to the police", "I want compensation")
EXAMPLES = [
    Example(text=f"{text}{end}", intent=None if by == "human" else "delivery", responder=by)
    for by, texts in (("ai", MINE), ("human", THEIRS))
    for text in texts
    for end in ("", " Thank you.")
]


async def route_of(desk: Desk, text: str) -> tuple[str, list[str]]:
    """(who responds, what the steps said)."""
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, text, author=ADA)
    await desk.run_due()
    route = (await desk.routing.routes(thread.id))[0].route
    return route.responder, [f"{step.step}: {step.reason}" for step in route.steps]


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(models=[MODEL]) as server:
        yield server


async def test_the_nearest_examples_give_a_message_to_people(desk: Desk) -> None:
    await desk.routing.learn(BOT, EXAMPLES)
    await desk.policies.put("route", BOT, {"examples": {"most": 3}})
    responder, steps = await route_of(desk, "My attorney will write to you")
    assert (responder, steps[-1]) == ("human", "examples: the nearest examples: people answered")
    responder, steps = await route_of(desk, "has the package been sent")
    assert (responder, steps[0]) == ("ai", "examples: the nearest examples: the AI answered")


async def test_a_desk_learns_by_an_endpoint_and_goes_on_without_it(
    store_url: str, clock: FakeClock, bot: ScriptedAgent, server: OpenAIServer
) -> None:
    settings = Settings(embeddings=f"{server.base_url}#{MODEL}", embeddings_key=server.key)
    async with Desk.open(store_url, clock=clock, agents=[bot], settings=settings, work=False) as desk:
        await desk.policies.put("route", BOT, {"classifier": {"by": "learned"}, "examples": {"most": 3}})
        await desk.routing.learn(BOT, EXAMPLES)
        await desk.run_due()
        assert (await desk.routing.status())[0].classifier is not None
        assert (await route_of(desk, "Where is my parcel? Thanks"))[0] == "ai"
        assert {seen.path for seen in server.seen} == {"/v1/embeddings"}
        server.script(*[Failure(400)] * 2)
        responder, steps = await route_of(desk, "Where is the parcel that I sent?")
        assert (responder, [step.partition(":")[0] for step in steps]) == ("ai", ["default"])
    without = replace(settings, embeddings="off")
    async with Desk.open(store_url, clock=clock, agents=[bot], settings=without, work=False) as desk:
        responder, steps = await route_of(desk, "Where is the parcel?")
        assert (responder, [step.partition(":")[0] for step in steps]) == ("ai", ["default"])


async def test_reading_many_examples_does_not_hold_up_the_desk(desk: Desk) -> None:
    await desk.policies.put("route", BOT, {"examples": {"most": 3}})
    await desk.routing.learn(BOT, [replace(each, text=f"{each.text} {number}") for number in range(20) for each in EXAMPLES])
    asked = asyncio.create_task(route_of(desk, "My attorney will write to you"))
    turns = 0
    while not asked.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await asked)[0] == "human"
    assert turns > 100
