"""What tests of feedback ask a desk, and what they have people do on it."""

import json
from typing import Any

from tests.store.people import ADA

from deskmate import Desk, Request
from deskmate.domain.actors import SYSTEM
from deskmate.domain.threads import Mode

OPEN = "Is the Lyon shop open on Monday?"
HOURS = "From 10:00 to 19:00."


async def kept(desk: Desk, thread: str | None = None) -> list[dict[str, Any]]:
    """All feedback there is once the followers have seen what happened."""
    await desk.run_due()
    found = [json.loads(line) async for line in desk.feedback.export("jsonl")]
    return [one for one in found if thread in (None, one["thread"])]


async def lines(desk: Desk, format: str) -> list[dict[str, Any]]:
    """An export, and nothing in it that is not for others."""
    await desk.run_due()
    written = [line async for line in desk.feedback.export(format)]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in written)
    assert not [line for line in written if "SECRET" in line]
    return [json.loads(line) for line in written]


async def drafted(desk: Desk, words: str = OPEN) -> tuple[str, Request]:
    """A thread on which the AI has drafted what the customer said, and the request to approve it."""
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.threads.change(thread, mode=Mode.REVIEW, by=SYSTEM)
    await desk.messages.post(thread, words, author=ADA)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread, by=SYSTEM)
    return thread, request


async def answered(desk: Desk, words: str = OPEN) -> tuple[str, str]:
    """A thread on which the AI has answered, and its message."""
    thread = (await desk.threads.open(customer="ada", by=ADA)).id
    await desk.messages.post(thread, words, author=ADA)
    await desk.run_due()
    return thread, (await desk.messages.history(thread, by=SYSTEM)).items[-1].id


async def events(desk: Desk, thread: str) -> list[tuple[str, object, object]]:
    """What the feed tells of feedback."""
    seen = [one.event for one in await desk.feed.read(by=SYSTEM, thread=thread)]
    return [(e.actor.name, e.data["kind"], e.data.get("message")) for e in seen if e.type == "feedback.recorded"]


# What the follower keeps
