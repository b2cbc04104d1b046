"""The jobs port, and the engine that works on the `jobs` table of any store.

A job is short-lived, idempotent, and names a row. It is enqueued in the transaction that needs it. An engine takes due jobs under
a lease, renews the lease while the handler works, and gives a job back with a growing delay when the handler fails. A job whose
holder died is taken again when its lease has run out.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.store.base import Store, Tx
from deskmate.store.times import ms, utc

log = logging.getLogger("deskmate.jobs")

LEASE = timedelta(seconds=15)
LOOK = timedelta(seconds=5)  # engines look for due jobs at least this often, woken or not
AUDIT = timedelta(seconds=30)  # between two looks for rows that should have a job and have none
LONGEST_DELAY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work that this process holds. `attempt` counts from 1."""

    id: str
    kind: str
    ref: str
    thread: str | None
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What a handler returns when the job cannot be done yet; it is tried again then."""

    at: datetime


Handler = Callable[[Job], Awaitable[Later | None]]


async def enqueue(
    tx: Tx, kind: str, ref: str, *, at: datetime | None = None, lane: str = "", thread: str | None = None, priority: int = 0
) -> None:
    """Have `kind` done to the row `ref`, at once or at a time; a second call for the same row moves the first."""
    due_at = ms(at or tx.now)
    await tx.run(
        "jobs.enqueue",
        id=tx.id("job"), kind=kind, ref=ref, lane=lane, thread=thread, priority=priority, due_at=due_at, now=ms(tx.now),
    )  # fmt: skip
    _wake(tx, at or tx.now)


def _wake(tx: Tx, at: datetime) -> None:
    """Engines look at least this often by themselves: nobody has to be woken for what is due later."""
    if at < tx.now + LOOK:
        tx.touch("jobs")


async def cancel(tx: Tx, kind: str, ref: str) -> None:
    """Withdraw a job that has not been done."""
    await tx.run("jobs.cancel", kind=kind, ref=ref)


async def hasten(tx: Tx, thread: str) -> None:
    """Let the runs that wait for their turn on this thread start now."""
    if await tx.run("jobs.hasten", thread=thread, now=ms(tx.now)):
        tx.touch("jobs")


class Engine:
    """Works on the jobs of the given lanes in this process: in the background until it is stopped, or when it is told to."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        lanes: Set[str],
        owner: str,
        lease: timedelta = LEASE,
        parallel: int = 64,
        audit: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._lanes = lanes  # shared with the desk: agents registered later are served as well
        self._owner = owner
        self._lease = lease
        self._parallel = parallel
        self._audit = audit  # looks after rows that should have a job and have none
        self._audit_at = 0.0
        self._working: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._claims = 0

    def start(self) -> None:
        """Begin to work, in the background."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._serve(), name="deskmate jobs")

    async def stop(self) -> None:
        """Stop taking jobs; what is being worked on is interrupted and given back at once."""
        tasks = [task for task in (self._loop, *self._working) if task is not None]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self) -> None:
        async with self._store.waiter("jobs") as waiter:
            while True:
                try:
                    await self._look_after()
                    pause = await self._take()
                except Exception:
                    log.exception("the store did not give out jobs; trying again")
                    pause = 1.0
                if pause > 0:
                    await waiter.wait(pause)

    async def run_due(self) -> int:
        """Do everything that is due now, and what becomes due by doing it; returns how many jobs that were.

        For tests, and for programs that would rather call this from time to time than have an engine in the background. Works
        beside engines of this and other processes: what they hold is theirs.
        """
        if self._audit is not None:
            await self._audit()
        done = 0
        while True:
            jobs, lease_by = await self._claim(self._parallel)
            if not jobs:
                return done
            await asyncio.gather(*(self._work(job, lease_by) for job in jobs))
            done += len(jobs)

    async def next_due(self) -> datetime | None:
        """When the next job of these lanes can be taken; None when there is none."""
        lanes = self._lanes_text()

        async def look(tx: Tx) -> datetime | None:
            row = await tx.one("jobs.next_due", lanes=lanes)
            return None if row is None or row["at"] is None else utc(row["at"])

        return await self._store.read(look)

    async def _look_after(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._audit is not None and now >= self._audit_at:
            self._audit_at = now + AUDIT.total_seconds()
            await self._audit()

    def _lanes_text(self) -> str:
        return json.dumps(sorted(self._lanes))

    async def _take(self) -> float:
        """Start what is due. Returns after how many seconds to look again."""
        room = self._parallel - len(self._working)
        if room <= 0:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
            return 0.0
        wait = await self._wait()
        # Looking is cheap and claiming is a write: write only when something is due.
        if wait > 0:
            return wait
        jobs, lease_by = await self._claim(room)
        for job in jobs:
            task = asyncio.create_task(self._work(job, lease_by), name=f"deskmate {job.kind} {job.ref}")
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return 0.0 if jobs else 0.05

    async def _wait(self) -> float:
        """Seconds until something is due, at most until the next look that is made in any case."""
        lanes = self._lanes_text()

        async def idle(tx: Tx) -> float:
            row = await tx.one("jobs.next_due", lanes=lanes)
            longest = min(LOOK, self._lease / 3).total_seconds()
            if row is None or row["at"] is None:
                return longest
            return min(max((utc(row["at"]) - tx.now).total_seconds(), 0.0), longest)

        return await self._store.read(idle)

    async def _claim(self, room: int) -> tuple[list[Job], str]:
        """Take due jobs under a lease of their own."""
        self._claims += 1
        lease_by = f"{self._owner}/{self._claims}"
        lanes = self._lanes_text()

        async def claim(tx: Tx) -> list[Job]:
            rows = await tx.all(
                "jobs.claim", lease_by=lease_by, lease_until=ms(tx.now + self._lease), now=ms(tx.now), lanes=lanes, limit=room
            )
            return [Job(id=r["id"], kind=r["kind"], ref=r["ref"], thread=r["thread"], attempt=r["attempt"]) for r in rows]

        return await self._store.write(claim), lease_by

    async def _work(self, job: Job, lease_by: str) -> None:
        heart = asyncio.create_task(self._beat(job, lease_by))
        try:
            later = await self._handlers[job.kind](job)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(job, lease_by, timedelta(0), "interrupted"))
            raise
        except Exception as error:
            log.exception("%s %s failed", job.kind, job.ref)
            delay = min(timedelta(seconds=2 ** min(job.attempt, 10)), LONGEST_DELAY)
            await self._give_back(job, lease_by, delay, f"{type(error).__name__}: {error}")
        else:
            await self._end(job, lease_by, later)
        finally:
            heart.cancel()

    async def _beat(self, job: Job, lease_by: str) -> None:
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)

            async def renew(tx: Tx) -> None:
                await tx.run("jobs.renew", id=job.id, lease_by=lease_by, lease_until=ms(tx.now + self._lease))

            await self._store.write(renew)

    async def _end(self, job: Job, lease_by: str, later: Later | None) -> None:
        async def end(tx: Tx) -> None:
            if later is None:
                await tx.run("jobs.finish", id=job.id, lease_by=lease_by)
            else:
                await tx.run("jobs.postpone", id=job.id, lease_by=lease_by, due_at=ms(later.at), error=None)
                _wake(tx, later.at)

        await self._store.write(end)

    async def _give_back(self, job: Job, lease_by: str, delay: timedelta, error: str) -> None:
        async def postpone(tx: Tx) -> None:
            await tx.run("jobs.postpone", id=job.id, lease_by=lease_by, due_at=ms(tx.now + delay), error=error[:500])
            tx.touch("jobs")

        await self._store.write(postpone)
