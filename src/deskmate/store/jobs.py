"""The jobs port: background work as rows, enqueued in the transaction that needs it.

A job is short-lived, idempotent, and names a row. It may come twice, even at the same time: what must happen once is decided in
the row it names.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms

LEASE = timedelta(seconds=15)
LATE = timedelta(minutes=1)
"""What is overdue by more is reported, and seen to."""
LOOK = timedelta(seconds=5)  # engines look for due jobs at least this often, woken or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work that this process holds, under the lease that is named. `attempt` counts from 1."""

    id: str
    kind: str
    ref: str
    lane: str
    thread: str | None
    attempt: int
    lease: str


Handler = Callable[[Job], Awaitable[None]]


async def enqueue(
    tx: Tx, kind: str, ref: str, *, at: datetime | None = None, lane: str = "", thread: str | None = None, priority: int = 0
) -> None:
    """Have `kind` done to the row `ref`, at once or at a time; the higher priority first. A second call for the same row moves
    the first."""
    await tx.run(
        "jobs.enqueue",
        id=tx.id("job"), kind=kind, ref=ref, lane=lane, thread=thread, priority=priority, due_at=ms(at or tx.now), now=ms(tx.now),
    )  # fmt: skip
    _wake(tx, at or tx.now)


async def attend(tx: Tx, kind: str, ref: str, *, thread: str | None = None) -> None:
    """Have it done now where nobody will come for it; a job that is there already stays as it is."""
    if await tx.run("jobs.attend", id=tx.id("job"), kind=kind, ref=ref, thread=thread, now=ms(tx.now)):
        tx.touch("jobs")


async def catch_up(store: Store, overdue: str, kind: str, *, ref: str = "id", late: timedelta = LATE) -> int:
    """Have done now what should have been done longer ago than `late`, and nobody came for. Returns how much that is.

    `overdue` is a statement that takes `before`, `ref` the column of the row that the job names.
    """

    async def look(tx: Tx) -> list[Row]:
        return await tx.all(overdue, before=ms(tx.now - late))

    async def see_to(tx: Tx) -> int:
        rows = await look(tx)
        for row in rows:
            await attend(tx, kind, row[ref], thread=row.get("thread"))
        return len(rows)

    return await store.write(see_to) if await store.read(look) else 0


async def cancel(tx: Tx, kind: str, ref: str) -> None:
    """Withdraw a job that has not been done."""
    await tx.run("jobs.cancel", kind=kind, ref=ref)


async def hasten(tx: Tx, thread: str) -> None:
    """Let the runs that wait for their turn on this thread start now."""
    if await tx.run("jobs.hasten", thread=thread, now=ms(tx.now)):
        tx.touch("jobs")


async def postpone(tx: Tx, job: Job, at: datetime) -> None:
    """Give a job back because it cannot be done yet. In the transaction that found this out, so that nothing falls between."""
    await tx.run("jobs.postpone", id=job.id, lease_by=job.lease, due_at=ms(at))
    _wake(tx, at)


def _wake(tx: Tx, at: datetime) -> None:
    """Engines look at least this often by themselves: nobody has to be woken for what is due later."""
    if at < tx.now + LOOK:
        tx.touch("jobs")
