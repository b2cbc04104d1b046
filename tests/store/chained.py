"""What the tests of escalation chains share: a queue that goes by a chain, and what waits in it."""

from datetime import timedelta

from tests.store.told import told

from deskmate import Desk, Operator, Request, Settings, Thread, customer
from deskmate.domain.actors import SYSTEM
from deskmate.domain.chains import RunningChain
from deskmate.domain.events import Event

ADA = customer("ada", "Ada")
MINUTE = timedelta(minutes=1)
NOBODY_LEAVES = Settings(away_seconds=0)
EVERYTHING = ["thread", "question", "approval", "escalation"]
WAIT = {"wait": 300}
PAGE = {"page": "next"}


async def operator(desk: Desk, name: str, *, here: bool = True, **facts: object) -> Operator:
    made = await desk.operators.add(name=name, email=f"{name}@shop.example", **facts)  # pyright: ignore[reportArgumentType]
    return await desk.operators.presence(made.id, "available", by=made.actor()) if here else made


async def chain(desk: Desk, *steps: object, on: list[str] = EVERYTHING, queue: str = "support") -> None:
    """What waits in support, or another queue, goes by these steps."""
    await desk.policies.put("chain", "slow", {"on": on, "steps": steps})
    await desk.queues.change(queue, chain="slow")


async def waiting(desk: Desk, *, queue: str = "support") -> Thread:
    """A thread whose customer waits in a queue."""
    thread = await desk.threads.open(customer="ada", by=ADA)
    await desk.messages.post(thread.id, "Hello?", author=ADA, respond=False)
    await desk.assignments.assign(thread.id, f"queue:{queue}", by=SYSTEM)
    await desk.run_due()
    return await desk.threads.get(thread.id)


async def asked(desk: Desk) -> Request:
    """A question that waits in support."""
    request = await desk.requests.ask("Is the Lyon shop open?")
    await desk.run_due()
    return request


async def only(desk: Desk, thread: str) -> RunningChain:
    [found] = await desk.chains.of_thread(thread)
    return found


async def events(desk: Desk, thread: str, kind: str) -> list[Event]:
    seen = [one.event for one in await desk.feed.read(by=SYSTEM, thread=thread, limit=200)]
    return [event for event in seen if event.type == kind]


def names(desk: Desk, *people: Operator) -> list[tuple[str, str]]:
    """Who was told, and whether they were paged."""
    known = {one.id: one.name for one in people}
    return [(known[row["operator"]], row["kind"]) for row in told(desk._store.url)]  # pyright: ignore[reportPrivateUsage]
