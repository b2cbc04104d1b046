"""Queues as records: one, all, and how long those wait who stand in one."""

import json
from datetime import timedelta
from statistics import median

from deskmate.domain.calendars import calendar_of
from deskmate.domain.queues import DEFAULT_QUEUE, Chooser, Queue, Wait, queue_name
from deskmate.domain.threads import Priority, Thread
from deskmate.errors import NotFound
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc


def queue_of(row: Row) -> Queue:
    """A stored row as a queue."""
    return Queue(
        name=row["name"],
        skills=tuple(json.loads(row["skills"])),
        chooser=Chooser(row["chooser"]),
        calendar=None if row["calendar"] is None else calendar_of(json.loads(row["calendar"])),
        lease=timedelta(seconds=row["lease_seconds"]),
        sla=row["sla"],
        response=row["response"],
        chain=row["chain"],
        created_at=utc(row["created_at"]),
    )


async def find(tx: Tx, name: str) -> Queue | None:
    """One queue, or None."""
    row = await tx.one("queues.get", name=name)
    return None if row is None else queue_of(row)


async def get(tx: Tx, name: str) -> Queue:
    """One queue. Raises NotFound."""
    found = await find(tx, name)
    if found is None:
        raise NotFound(f"there is no queue {name}", field="queue")
    return found


async def ensure(tx: Tx, name: str) -> Queue:
    """The queue of this name, which may be new: then operators take from it themselves. Raises Invalid."""
    found = await find(tx, name)
    if found is None:
        await tx.run("queues.ensure", name=queue_name(name), now=ms(tx.now))
        found = await get(tx, queue_name(name))
    return found


async def every(tx: Tx) -> list[Queue]:
    """All queues, by name."""
    return [queue_of(row) for row in await tx.all("queues.all")]


async def wait(tx: Tx, thread: Thread) -> Wait:
    """What can be said to whoever waits on a thread that stands in a queue."""
    name = thread.assignment.id or DEFAULT_QUEUE
    queue = await find(tx, name)
    rank = list(Priority)[::-1].index(thread.priority)
    ahead = await tx.one("queues.ahead", queue=name, thread=thread.id, rank=rank, since=ms(thread.waiting_since or tx.now))
    assert ahead is not None
    if queue is not None and not queue.open(tx.now):
        opens_at = queue.calendar.opens_at(tx.now) if queue.calendar is not None else None
        return Wait(queue=name, position=ahead["number"] + 1, opens_at=opens_at)
    waits = [row["waited"] for row in await tx.all("queues.waits", queue=name)]
    expected = timedelta(milliseconds=int(median(waits))) if waits else None
    return Wait(queue=name, position=ahead["number"] + 1, expected_wait=expected)
