"""What the tests of SLA clocks share: the targets of a queue, and threads that are measured by them."""

from datetime import timedelta
from typing import Any

from deskmate import Desk, Operator, customer
from deskmate.domain.actors import SYSTEM

ADA = customer("ada", "Ada")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GOLD = {
    "targets": {
        "time_to_human": {"seconds": 300},
        "first_response": {"seconds": 60},
        "next_response": {"seconds": 600},
        "resolution": {"seconds": 7200},
    }
}
WEEK = {"zone": "Europe/Paris", "hours": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


async def opened(desk: Desk, *, words: str | None = "Hello?", **facts: Any) -> str:
    thread = (await desk.threads.open(customer="ada", by=facts.pop("by", ADA), **facts)).id
    if words is not None:
        await desk.messages.post(thread, words, author=ADA)
    return thread


async def with_people(desk: Desk, ana: Operator) -> str:
    """A thread that Ana holds, whose customer waits for her."""
    thread = await opened(desk, words=None)
    await desk.assignments.assign(thread, f"operator:{ana.id}", by=ana)
    await desk.messages.post(thread, "Hello?", author=ADA)
    await desk.run_due()
    return thread


async def told(desk: Desk, thread: str) -> list[tuple[str, object, object]]:
    """What was warned of and breached: type, target, percent."""
    return [
        (seen.event.type, seen.event.data["target"], seen.event.data.get("percent"))
        for seen in await desk.feed.read(by=SYSTEM, thread=thread)
        if seen.event.type.startswith("clock.")
    ]


def all_of(target: str) -> list[tuple[str, object, object]]:
    return [
        ("clock.warned", target, 50),
        ("clock.warned", target, 80),
        ("clock.warned", target, 100),
        ("clock.breached", target, None),
    ]


async def row(desk: Desk, thread: str) -> Any:
    return await desk._store.read(lambda tx: tx.one("clocks.get", thread=thread))  # pyright: ignore[reportPrivateUsage]
