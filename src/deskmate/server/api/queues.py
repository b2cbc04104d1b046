"""Queues over HTTP: the lines, the next thing for me, and why it came to me."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path

from deskmate.server.api.bodies import AddQueue, ChangeQueue
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.requests import with_context
from deskmate.server.records import Json, choice_json, depth_json, queue_json, thread_json, wait_json

router = APIRouter(prefix="/api", tags=["queues"])
Name = Annotated[str, Path(max_length=100)]


@router.get("/queues")
async def list_queues(desk: TheDesk, who: Who) -> Json:
    """Every queue, with what waits in it."""
    return {"items": [depth_json(depth) for depth in await desk.queues.list(by=who)], "cursor": None}


@router.post("/queues", status_code=201)
async def add_queue(body: AddQueue, desk: TheDesk, who: Who) -> Json:
    """A new queue."""
    facts = body.model_dump(exclude_unset=True, exclude={"lease_seconds"}, exclude_none=True)
    return queue_json(await desk.queues.add(**facts, lease=_lease(body.lease_seconds), by=who))


@router.post("/queues/next")
async def next_item(desk: TheDesk, who: Who) -> Json | None:
    """Take the next thread or request for me; null when there is none that I may be given and have room for."""
    found = await desk.queues.next(by=who)
    if found is None:
        return None
    thread = thread_json(found.thread, who, await desk.requests.waiting(found.thread.id, by=who))
    request = None if found.request is None else await with_context(desk, found.request, who)
    return {"thread": thread, "request": request}


@router.get("/queues/{name}")
async def get_queue(name: Name, desk: TheDesk, who: Who) -> Json:
    """One queue."""
    return queue_json(await desk.queues.get(name, by=who))


@router.patch("/queues/{name}")
async def change_queue(name: Name, body: ChangeQueue, desk: TheDesk, who: Who) -> Json:
    """Change a queue; a calendar of null is always open, a policy of null is none."""
    facts = body.model_dump(exclude_unset=True, exclude={"lease_seconds"}, exclude_none=True)
    facts |= {name: "" for name in ("sla", "response", "chain") if name in body.model_fields_set - facts.keys()}
    always_open = "calendar" in body.model_fields_set and body.calendar is None
    changed = await desk.queues.change(name, **facts, always_open=always_open, lease=_lease(body.lease_seconds), by=who)
    return queue_json(changed)


@router.delete("/queues/{name}", status_code=204)
async def delete_queue(name: Name, desk: TheDesk, who: Who) -> None:
    """Forget a queue in which nothing waits."""
    await desk.queues.delete(name, by=who)


@router.get("/threads/{thread}/wait")
async def wait(thread: str, desk: TheDesk, who: Who) -> Json | None:
    """What somebody who waits can be told: position, expected wait, when people are back. Null where nobody waits in a queue."""
    found = await desk.queues.wait(thread, by=who)
    return None if found is None else wait_json(found)


@router.get("/threads/{thread}/choices")
async def choices(thread: str, desk: TheDesk, who: Who) -> Json:
    """Who was chosen for this thread and its requests, from whom, and why."""
    return {"items": [choice_json(choice) for choice in await desk.queues.choices(thread, by=who)], "cursor": None}


def _lease(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
