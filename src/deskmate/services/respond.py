"""The respond loop: route, run the agent, store each step as it comes, then pause for people or end.

A run is a row. Whoever takes it (a job of the engine, or `desk.respond` in the caller's own task) holds a lease and writes
through the fence; when the process dies, the run's job falls due again and another process goes on from the last stored message.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from deskmate.domain.actors import Actor
from deskmate.domain.agents import Runner
from deskmate.domain.messages import Message
from deskmate.domain.requests import Request
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, Fenced, GivenUp, Invalid
from deskmate.services import answering, ledger, posting, prompts, runs, threads
from deskmate.services.attempt import Attempt, fail, give_back
from deskmate.services.course import Courses, PassOn
from deskmate.services.taking import RETRY, Begun, Busy, Taker
from deskmate.store import jobs
from deskmate.store.base import Body, Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.respond")

BLINK = 0.02  # seconds an agent works unwatched: most of what happens on its thread meanwhile is its own doing
DEATHS = 10  # processes that may die while they work on a run, before it is given up, visibly


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """The run is done; `message` is its last public message: words, or where it came to its limit of steps, results of tools."""

    __match_args__: ClassVar = ("message",)
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The run waits for people. It goes on when the last of these requests is closed."""

    __match_args__: ClassVar = ("requests",)
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The run failed, visibly; `respond` tries again."""

    __match_args__: ClassVar = ("error",)
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """People hold the thread; nothing more of this run is shown."""

    __match_args__: ClassVar = ("thread",)
    thread: Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The run is done, and the customer sees nothing yet: a person has to approve what it wrote."""

    __match_args__: ClassVar = ("request",)
    request: Request


Outcome = Replied | Paused | Drafted | Failed | Overtaken


class Responder:
    """Runs agents on threads, for this process."""

    def __init__(
        self,
        store: Store,
        agents: Mapping[str, Runner],
        *,
        owner: str,
        lease: timedelta = jobs.LEASE,
        list_prices: bool = True,
        courses: Courses | None = None,
    ) -> None:
        self._courses = courses
        self._store = store
        self._agents = agents
        self._lease = lease
        self._list_prices = list_prices
        self._taker = Taker(store, agents, owner=owner, lease=lease)

    async def work(self, job: jobs.Job) -> None:
        """The handler of `run` jobs."""
        begun = await self._store.write(lambda tx: self._begin_job(tx, job))
        if begun is not None and await self._execute(begun) is None:
            await self._store.write(lambda tx: self._keep(tx, job))

    async def audit(self) -> None:
        """Find runs that nobody would come for, and have them worked on. There should be none: it is logged when there is one."""
        if await self._store.read(lambda tx: tx.one("runs.unattended", now=ms(tx.now))):
            log.warning("%d runs had no job and have got one", await self._store.write(runs.attend))

    async def respond(self, thread_id: str, agent_name: str, *, by: Actor) -> Outcome:
        """Answer the newest unanswered message in this task, or go on with a run that is ready to; waits for one in progress."""

        async def begin(tx: Tx) -> Begun | Busy | Outcome:
            return await self._begin_next(tx, thread_id, agent_name, by)

        begun = await self._unless_busy(thread_id, begin)
        return await self._ended(begun) if isinstance(begun, Begun) else begun

    async def answer(self, thread_id: str, message: str, agent_name: str | None, *, by: Actor) -> Outcome:
        """Answer this very message in this task, or go on with the run that asked or was answered with it; see Desk.respond."""
        run: str | None = None

        async def begin(tx: Tx) -> Begun | Busy | Outcome:
            nonlocal run
            found = await answering.begin(tx, self._taker, thread_id, message, agent_name, actor=by, joined=run)
            if isinstance(found, Run):
                return await self._outcome(tx, found.id)
            if isinstance(found, Busy):
                run = run or found.run
            return found

        while isinstance(begun := await self._unless_busy(thread_id, begin), Begun):
            outcome = await self._ended(begun)
            if not begun.before:
                return outcome
        return begun

    async def _unless_busy(self, thread_id: str, begin: Body[Begun | Busy | Outcome]) -> Begun | Outcome:
        """What there is to do, once nobody else is at work."""
        begun = await self._store.write(begin)
        if isinstance(begun, Busy):
            async with self._store.waiter(f"thread:{thread_id}") as waiter:
                while isinstance(begun := await self._store.write(begin), Busy):
                    await waiter.wait(1.0)
        return begun

    async def _ended(self, begun: Begun) -> Outcome:
        return await self._execute(begun) or await self._store.read(lambda tx: self._outcome(tx, begun.run.id))

    async def _begin_next(self, tx: Tx, thread_id: str, agent_name: str, by: Actor) -> Begun | Busy | Outcome:
        """Take the thread's run, or a new one. The outcome where there is nothing to do."""
        thread = await threads.lock(tx, thread_id)
        live = await runs.live(tx, thread_id)
        ready = [run for run in live if run.state is RunState.RUNNING]
        queued = [run for run in live if run.state is RunState.QUEUED and run.agent == agent_name and _next(run)]
        # What goes first is taken first: whoever came for another would wait here for somebody to do it.
        ready += sorted(queued, key=lambda run: run.attempt == 0)
        if not ready:
            prompt = await prompts.newest_of_customer(tx, thread_id)
            if live and (prompt is None or prompt.order <= thread.answered_order):
                return Paused(requests=tuple(await ledger.waiting(tx, thread_id)))
            await posting.start(tx, thread, agent_name, actor=by)
            thread, live = await threads.get(tx, thread_id), await runs.live(tx, thread_id)
            ready = [run for run in reversed(live) if run.state is RunState.QUEUED and _next(run)]
            if not ready:
                raise Conflict("people respond on this thread")
        return await self._taker.begin(tx, thread, live, ready[0]) or await self._outcome(tx, ready[0].id)

    async def _begin_job(self, tx: Tx, job: jobs.Job) -> Begun | None:
        """Take the run of a job. None when there is nothing to do any more, or not yet: then the job is given back."""
        thread = await threads.lock(tx, (await runs.get(tx, job.ref)).thread)
        live = await runs.live(tx, thread.id)
        run = next((run for run in live if run.id == job.ref and run.state is not RunState.PAUSED), None)
        if run is None:
            return None
        if job.attempt > DEATHS and run.state is RunState.RUNNING and run.lease_until is not None and run.lease_until < tx.now:
            await fail(tx, run, GivenUp())
            return None
        match await self._taker.begin(tx, thread, live, run):
            case Busy(until=until):
                await jobs.postpone(tx, job, until)
                return None
            case begun:
                return begun

    async def _keep(self, tx: Tx, job: jobs.Job) -> None:
        """Whoever overtook this attempt may have come without a job: as long as the run lives, its job is not ended."""
        row = await tx.one("runs.get", id=job.ref)
        run = runs.run_of(row) if row is not None else None
        if run is not None and run.state in (RunState.QUEUED, RunState.RUNNING):
            await jobs.postpone(tx, job, max(run.lease_until or tx.now, tx.now + RETRY))

    async def _execute(self, begun: Begun) -> Outcome | None:
        """Run the agent to its end, its pause, its failure or its overtaking. The outcome, where it is known."""
        runner = self._agents.get(begun.run.agent)
        if runner is None:
            raise Invalid(f"no agent {begun.run.agent!r} is registered here", field="agent")
        work = Attempt(self._store, begun.run, self._lease, list_prices=self._list_prices)
        consumer = asyncio.create_task(self._speak(work, runner, begun), name=f"deskmate {begun.run.id}")
        watcher = asyncio.create_task(self._watch(begun.run, consumer), name=f"deskmate watch {begun.run.id}")
        try:
            await asyncio.wait({consumer})
        finally:
            watcher.cancel()
            consumer.cancel()
            await asyncio.gather(watcher, consumer, return_exceptions=True)
            await work.abandon()
            if not consumer.done() or consumer.cancelled():
                await asyncio.shield(self._store.write(lambda tx: give_back(tx, begun.run)))
        if not consumer.cancelled() and (error := consumer.exception()) and not isinstance(error, Fenced):
            await self._store.write(lambda tx: fail(tx, begun.run, error))
        if work.asked:
            return Paused(requests=work.asked)
        if work.drafted is not None:
            return Drafted(request=work.drafted)
        return Replied(message=work.answer) if work.answer else None

    async def _speak(self, work: Attempt, runner: Runner, begun: Begun) -> None:
        """Let the agent speak, or pass the thread on in its place where people respond."""
        if begun.routed is None or self._courses is None:
            await work.consume(runner, begun.turn)
            return
        course = await self._courses.of(begun.routed, begun.turn, begun.run, begun.thread)
        if course.for_people:
            await work.consume(PassOn(begun.run.agent, course.routed), begun.turn)
        else:
            await work.consume(runner, course.turn(), course)

    async def _watch(self, run: Run, consumer: asyncio.Task[None]) -> None:
        """Keep the lease, and stop the agent as soon as the run may not write any more."""

        async def running(tx: Tx) -> bool:
            now = await runs.get(tx, run.id)
            return now.state is RunState.RUNNING and now.attempt == run.attempt

        beat = self._lease.total_seconds() / 3
        loop = asyncio.get_running_loop()
        held = loop.time()
        await asyncio.sleep(BLINK)
        async with self._store.waiter(f"thread:{run.thread}") as waiter:
            while await self._store.read(running):
                # A busy thread wakes this often: the lease is renewed by time, not by silence.
                if await waiter.wait(max(held + beat - loop.time(), 0.0)):
                    await asyncio.sleep(BLINK)
                if loop.time() >= held + beat:
                    held = loop.time()
                    try:
                        await self._store.write(lambda tx: runs.hold(tx, run, self._lease))
                    except Fenced:
                        break
        consumer.cancel()

    async def _outcome(self, tx: Tx, run_id: str) -> Outcome:
        run = await runs.get(tx, run_id)
        match run.state:
            case RunState.PAUSED:
                return Paused(requests=tuple(r for r in await ledger.waiting(tx, run.thread) if r.run == run.id))
            case RunState.FAILED:
                return Failed(error=run.error or "")
            case RunState.DONE:
                for request in await ledger.waiting(tx, run.thread):
                    if request.run == run.id and request.draft is not None:
                        return Drafted(request=request)
                message = await prompts.newest_of_run(tx, run.thread, run.id) or await prompts.last_of_run(tx, run.thread, run.id)
                return Replied(message=message) if message else Failed(error="the agent said nothing")
            case RunState.CANCELLED | RunState.QUEUED | RunState.RUNNING:
                return Overtaken(thread=await threads.get(tx, run.thread))


def _next(run: Run) -> bool:
    """Whether a queued run is one to go on with when no message is named: it answers the customer, or people have answered it."""
    return run.awaited or (run.pinned and run.attempt > 0)
