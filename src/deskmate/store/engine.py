"""The engine: works on the `jobs` table of any store, in this process.

It takes due jobs under a lease, renews the leases of all it holds, and gives a job back with a growing delay when its handler
fails. A job whose holder died is taken again when its lease has run out.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Set
from contextlib import suppress
from datetime import datetime, timedelta

from deskmate.store.base import Store, Tx, Waiter
from deskmate.store.jobs import LEASE, LOOK, Handler, Job
from deskmate.store.times import ms, utc

log = logging.getLogger("deskmate.jobs")

AUDIT = timedelta(seconds=30)  # between two looks for rows that should have a job and have none
LONGEST_DELAY = timedelta(minutes=5)
TIMERS = 16
"""How many jobs without a lane an engine works on beside the others: runs that take long do not hold up the clocks."""
STOPPING = 5.0
"""Seconds that an engine waits for the answer of its store when it stops; jobs that it was just given it gives back."""
AGAIN = 1.0
"""Seconds after which an interruption that was not heard is repeated."""


async def end(*tasks: asyncio.Task[None]) -> None:
    """Interrupt these until they have ended. A driver that is interrupted may say that its connection failed, and whoever tries
    again after a failure goes on: then it is told once more."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN)


class Engine:
    """Works on the jobs of the given kinds and lanes in this process: in the background, or when it is told to."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        lanes: Set[str],
        owner: str,
        lease: timedelta = LEASE,
        parallel: int = 64,
        timers: int = TIMERS,
        audit: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._lanes = lanes  # shared with the desk: agents registered later are served as well
        self._owner = owner
        self._lease = lease
        self._parallel = parallel
        self._timers = timers
        self._audit = audit  # looks after rows that should have a job and have none
        self._audited_at = float("-inf")
        self._working: dict[asyncio.Task[None], Job] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._freed = asyncio.Event()
        self._claims = 0

    def start(self) -> None:
        """Begin to work, in the background."""
        if not self._tasks:
            self._stopping.clear()
            self._tasks = [
                asyncio.create_task(self._serve(), name="deskmate jobs"),
                asyncio.create_task(self._live(), name="deskmate jobs' leases"),
            ]

    async def stop(self) -> None:
        """Stop taking jobs; what is being worked on is interrupted and given back at once."""
        tasks, self._tasks = self._tasks, []
        if tasks:
            self._stopping.set()
            self._freed.set()
            # Cut off in the middle of a claim it would leave jobs that nobody holds and nobody may take.
            await asyncio.wait(tasks[:1], timeout=STOPPING)
        await end(*tasks, *self._working)

    async def run_due(self) -> int:
        """Do everything that is due now, and what becomes due by doing it; returns how many jobs that were.

        For tests, and for programs that would rather call this from time to time than have an engine in the background. Works
        beside engines of this and other processes: what they hold is theirs.
        """
        if self._audit is not None:
            await self._audit()
        done = 0
        while jobs := await self._claim(self._lanes, self._parallel):
            tasks = [self._begin(job) for job in jobs]
            living = asyncio.create_task(self._live())
            try:
                await asyncio.gather(*tasks)
            finally:
                await end(living)
            done += len(jobs)
        return done

    async def next_due(self) -> datetime | None:
        """When the next job of these lanes can be taken; None when there is none."""

        async def look(tx: Tx) -> datetime | None:
            return await self._next(tx, self._lanes)

        return await self._store.read(look)

    async def _serve(self) -> None:
        await self._open()
        if self._stopping.is_set():
            return
        async with self._store.waiter("jobs") as waiter:
            while not self._stopping.is_set():
                self._freed.clear()
                try:
                    pause = await self._take()
                except Exception:
                    log.exception("the store did not give out jobs; trying again")
                    pause = 1.0
                if pause > 0:
                    await self._rest(waiter, pause)

    async def _open(self) -> None:
        """Open the store, where nobody has done so yet: what is not open cannot be listened to."""
        while not self._stopping.is_set():
            try:
                await self._store.open()
                return
            except Exception:
                log.exception("the store cannot be opened; trying again")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1.0)

    async def _rest(self, waiter: Waiter, pause: float) -> None:
        """Wait until there may be something to take, or room for it, or the engine stops."""
        waiting: list[asyncio.Task[object]] = [
            asyncio.create_task(waiter.wait(pause)),
            asyncio.create_task(self._freed.wait()),
        ]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _take(self) -> float:
        """Start what is due. Returns after how many seconds to look again."""
        runs = sum(job.lane != "" for job in self._working.values())
        lanes = self._lanes if runs < self._parallel else frozenset[str]()
        room = self._parallel - runs if lanes else self._timers - (len(self._working) - runs)
        longest = min(LOOK, self._lease / 3).total_seconds()
        if room <= 0:
            return longest  # or as soon as something is done
        wait = await self._wait(lanes, longest)
        # Looking is cheap and claiming is a write: write only when something is due.
        if wait > 0:
            return wait
        jobs = await self._claim(lanes, room)
        for job in jobs:
            self._begin(job)
        return 0.0 if jobs else 0.05

    async def _wait(self, lanes: Collection[str], longest: float) -> float:
        """Seconds until something is due, at most until the next look that is made in any case."""

        async def idle(tx: Tx) -> float:
            at = await self._next(tx, lanes)
            return longest if at is None else min(max((at - tx.now).total_seconds(), 0.0), longest)

        return await self._store.read(idle)

    async def _next(self, tx: Tx, lanes: Collection[str]) -> datetime | None:
        row = await tx.one("jobs.next_due", lanes=_listed(lanes), kinds=_listed(self._handlers))
        return None if row is None or row["at"] is None else utc(row["at"])

    async def _claim(self, lanes: Collection[str], room: int) -> list[Job]:
        """Take due jobs under a lease of their own."""
        self._claims += 1
        lease = f"{self._owner}/{self._claims}"

        async def claim(tx: Tx) -> list[Job]:
            rows = await tx.all(
                "jobs.claim",
                lease_by=lease, lease_until=ms(tx.now + self._lease), now=ms(tx.now), lanes=_listed(lanes),
                kinds=_listed(self._handlers), limit=room,
            )  # fmt: skip
            return [Job(**row, lease=lease) for row in rows]

        return await self._store.write(claim)

    def _begin(self, job: Job) -> asyncio.Task[None]:
        task = asyncio.create_task(self._work(job), name=f"deskmate {job.kind} {job.ref}")
        self._working[task] = job
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._working[task]
        self._freed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the store did not take a job back; its lease will run out", exc_info=error)

    async def _work(self, job: Job) -> None:
        try:
            await self._handlers[job.kind](job)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(job, timedelta(0), "interrupted"))
            raise
        except Exception as error:
            log.exception("%s %s failed", job.kind, job.ref)
            delay = min(timedelta(seconds=2 ** min(job.attempt, 10)), LONGEST_DELAY)
            await self._give_back(job, delay, f"{type(error).__name__}: {error}")
        else:
            await self._store.write(lambda tx: tx.run("jobs.finish", id=job.id, lease_by=job.lease))

    async def _live(self) -> None:
        """Renew the leases of all that is being worked on, and look after rows without a job, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self._tasks and self._audit is not None and loop.time() >= self._audited_at + AUDIT.total_seconds():
                    self._audited_at = loop.time()
                    await self._audit()
                await asyncio.sleep(self._lease.total_seconds() / 3)
                await self._renew(dict(self._working))
            except Exception:
                log.exception("the leases of jobs were not renewed; trying again")

    async def _renew(self, working: Mapping[asyncio.Task[None], Job]) -> None:
        """One statement for all of them. What is somebody else's by now, this process stops working on."""
        if not working:
            return
        leases = _listed({job.lease for job in working.values()})

        async def renew(tx: Tx) -> set[tuple[str, str]]:
            rows = await tx.all("jobs.renew", leases=leases, lease_until=ms(tx.now + self._lease))
            return {(row["id"], row["lease_by"]) for row in rows}

        held = await self._store.write(renew, aside=True)
        lost = {job.id: task for task, job in working.items() if (job.id, job.lease) not in held}
        for id in await self._store.read(lambda tx: _taken(tx, lost)) if lost else ():
            lost[id].cancel()

    async def _give_back(self, job: Job, delay: timedelta, error: str) -> None:
        async def give(tx: Tx) -> None:
            await tx.run("jobs.give_back", id=job.id, lease_by=job.lease, due_at=ms(tx.now + delay), error=error[:500])
            tx.touch("jobs")

        await self._store.write(give)


async def _taken(tx: Tx, ids: Collection[str]) -> list[str]:
    """The jobs that somebody else holds. One that is gone, or was enqueued again, is no reason to stop."""
    rows = [(id, await tx.one("jobs.holder", id=id)) for id in ids]
    return [id for id, row in rows if row is not None and row["lease_by"] is not None]


def _listed(names: Collection[str]) -> str:
    return json.dumps(sorted(names))
