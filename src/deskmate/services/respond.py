"""The respond loop: route, run the agent, store each step as it comes, then pause for people or end.

A run is a row. Whoever takes it (a job of the engine, or `desk.respond` in the caller's own task) holds a lease and writes
through the fence; when the process dies, the run's job falls due again and another process goes on from the last stored message.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.agents import Runner, Turn
from deskmate.domain.messages import ApprovalResponse, ContextMessage, Message, ToolResult
from deskmate.domain.permissions import Action, require, visible
from deskmate.domain.requests import Request
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, Fenced, GivenUp, Invalid, NotFound
from deskmate.services import applying, escalations, history, ledger, posting, prompts, routing, runs, talking, threads, writer
from deskmate.services.attempt import Attempt, fail, give_back
from deskmate.store import jobs
from deskmate.store.base import Body, Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.respond")

RETRY = timedelta(milliseconds=250)
BLINK = 0.02  # seconds an agent works unwatched: most of what happens on its thread meanwhile is its own doing
DEATHS = 10  # processes that may die while they work on a run, before it is given up, visibly
CONTEXT = 100  # messages of history a model is given


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    run: Run
    thread: Thread
    turn: Turn
    before: bool = False
    """It is not the run that was asked for: that one begins when this one has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Busy:
    """Another run of the thread, or another holder of this one, is at work until its lease ends."""

    until: datetime
    run: str | None = None
    """The run that is waited for, where that is known."""


class Responder:
    """Runs agents on threads, for this process."""

    def __init__(self, store: Store, agents: Mapping[str, Runner], *, owner: str, lease: timedelta = jobs.LEASE) -> None:
        self._store = store
        self._agents = agents
        self._owner = owner
        self._lease = lease

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

        async def begin(tx: Tx) -> _Begun | _Busy | Outcome:
            return await self._begin_next(tx, thread_id, agent_name, by)

        begun = await self._unless_busy(thread_id, begin)
        return await self._ended(begun) if isinstance(begun, _Begun) else begun

    async def answer(self, thread_id: str, message: str, agent_name: str | None, *, by: Actor) -> Outcome:
        """Answer this very message in this task, or go on with the run that asked or was answered with it; see Desk.respond."""
        run: str | None = None

        async def begin(tx: Tx) -> _Begun | _Busy | Outcome:
            nonlocal run
            found = await self._begin_answer(tx, thread_id, message, agent_name, by, run)
            if isinstance(found, _Busy):
                run = run or found.run
            return found

        while isinstance(begun := await self._unless_busy(thread_id, begin), _Begun):
            outcome = await self._ended(begun)
            if not begun.before:
                return outcome
        return begun

    async def _unless_busy(self, thread_id: str, begin: Body[_Begun | _Busy | Outcome]) -> _Begun | Outcome:
        """What there is to do, once nobody else is at work."""
        begun = await self._store.write(begin)
        if isinstance(begun, _Busy):
            async with self._store.waiter(f"thread:{thread_id}") as waiter:
                while isinstance(begun := await self._store.write(begin), _Busy):
                    await waiter.wait(1.0)
        return begun

    async def _ended(self, begun: _Begun) -> Outcome:
        return await self._execute(begun) or await self._store.read(lambda tx: self._outcome(tx, begun.run.id))

    async def _begin_answer(
        self, tx: Tx, thread_id: str, message_id: str, agent_name: str | None, by: Actor, joined: str | None
    ) -> _Begun | _Busy | Outcome:
        """Take the run of a message, or a new one for it. The outcome where that has ended, or waits for people.

        What people have approved meanwhile is done before a new run begins, and what a dead process left behind: by this task
        too, since there may be nobody else. `joined` is the run that this caller has been waiting for.
        """
        thread = await threads.lock(tx, thread_id)
        require(by, Action.THREAD_RESPOND, owner=thread.customer)
        message = await history.get(tx, message_id, thread=thread_id, field="prompt")
        if not visible(message, by):
            raise NotFound(f"there is no message {message_id} in this thread", field="prompt")
        live = await runs.live(tx, thread_id)
        run = await runs.get(tx, joined) if joined is not None else await self._run_of(tx, thread, message, agent_name)
        if run is None:
            for other in live:
                if other.agent in self._agents and _left_behind(other, tx.now):
                    begun = await self._begin(tx, thread, live, other)
                    if begun is None:
                        return await self._begin_answer(tx, thread_id, message_id, agent_name, by, joined)
                    return replace(begun, before=True) if isinstance(begun, _Begun) else begun
            if agent_name is None:
                raise Conflict("no agent is registered")
            run = await posting.answer(tx, thread, message, agent_name, actor=by)
        elif run.state is RunState.FAILED and joined is None:
            await runs.resume(tx, run, actor=by)
        elif run.state not in (RunState.QUEUED, RunState.RUNNING):
            return await self._outcome(tx, run.id)
        if run.agent not in self._agents:
            raise Invalid(f"no agent {run.agent!r} is registered here", field="agent")
        begun = await self._begin(tx, thread, await runs.live(tx, thread_id), await runs.get(tx, run.id))
        if isinstance(begun, _Busy):
            return replace(begun, run=run.id)
        return begun or await self._outcome(tx, run.id)

    async def _run_of(self, tx: Tx, thread: Thread, message: Message, agent_name: str | None) -> Run | None:
        """The run that goes on with a message: it asked people about its calls, or was answered with it, or works on it now."""
        asked = await runs.of_message(tx, thread.id, message.id)
        for part in message.parts:
            if isinstance(part, ApprovalResponse | ToolResult) and part.request is not None:
                row = await tx.one("requests.get", id=part.request)
                if row is not None and row["thread"] == thread.id and row["run"] is not None:
                    asked.append(await runs.get(tx, row["run"]))
        for run in asked:
            if run.state is not RunState.CANCELLED and (run.state is not RunState.FAILED or run.epoch == thread.epoch):
                return run
        at_work = [run for run in await runs.live(tx, thread.id) if run.state is not RunState.PAUSED and not run.aside]
        return next((run for run in at_work if (run.prompt, run.agent) == (message.id, agent_name)), None)

    async def _begin_next(self, tx: Tx, thread_id: str, agent_name: str, by: Actor) -> _Begun | _Busy | Outcome:
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
        return await self._begin(tx, thread, live, ready[0]) or await self._outcome(tx, ready[0].id)

    async def _begin_job(self, tx: Tx, job: jobs.Job) -> _Begun | None:
        """Take the run of a job. None when there is nothing to do any more, or not yet: then the job is given back."""
        thread = await threads.lock(tx, (await runs.get(tx, job.ref)).thread)
        live = await runs.live(tx, thread.id)
        run = next((run for run in live if run.id == job.ref and run.state is not RunState.PAUSED), None)
        if run is None:
            return None
        if job.attempt > DEATHS and run.state is RunState.RUNNING and run.lease_until is not None and run.lease_until < tx.now:
            await fail(tx, run, GivenUp())
            return None
        match await self._begin(tx, thread, live, run):
            case _Busy(until=until):
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

    async def _begin(self, tx: Tx, thread: Thread, live: Sequence[Run], run: Run) -> _Begun | _Busy | None:
        """Take the run and read what its agent is given. The caller holds the thread's lock, and read its live runs under it."""
        if run.epoch != thread.epoch:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the thread changed hands")
            return None
        for other in live:
            # Its own lease that ran out is no obstacle; another run's is: that run's own job takes it up first.
            if other.lease_until is not None and (other.id != run.id or other.lease_until >= tx.now):
                return _Busy(until=max(other.lease_until, tx.now + RETRY))
            if self._goes_first(other, run):
                return _Busy(until=tx.now + RETRY)
        if not run.awaited and await history.find(tx, run.prompt or "") is None:
            await applying.cancel_run(tx, run, actor=SYSTEM, reason="the message it answers is gone")
            return None
        if run.attempt == 0 and thread.prompt_order <= thread.answered_order and run.awaited:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the message has been answered")
            return None
        if run.attempt == 0 and run.awaited and await prompts.unanswered(tx, thread) is None:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the message was deleted")
            await tx.run("assignments.answered", thread=thread.id, order=thread.prompt_order)
            return None
        return await self._start(tx, run, thread)

    def _goes_first(self, other: Run, run: Run) -> bool:
        """A run that people have just answered ends before a new one begins: what they approved has been done when it speaks."""
        return run.attempt == 0 and other.attempt > 0 and other.state is RunState.QUEUED and other.agent in self._agents

    async def _start(self, tx: Tx, run: Run, thread: Thread) -> _Begun | _Busy | None:
        prompt = None
        if run.awaited:
            prompt = await (
                prompts.unanswered(tx, thread) if run.attempt == 0 else prompts.at(tx, thread.id, thread.prompt_order)
            )
        taken = await runs.take(
            tx, run, owner=self._owner, lease=self._lease,
            prompt=prompt.id if prompt else await prompts.behind(tx, run),
            prompt_order=thread.prompt_order if prompt else run.prompt_order,
        )  # fmt: skip
        if taken is None:
            # Somebody holds it after all. Whoever came for it comes again: a job that is given up here would leave it lying.
            return _Busy(until=tx.now + RETRY)
        if run.attempt == 0 and thread.waiting_since is not None and not run.aside:
            await talking.over(tx, thread, taken)
        elif run.attempt and await applying.doubt(tx, run, again=True):
            # Whether a call took effect is for a person to say; until then the run has nothing it could go on with.
            await runs.leave(tx, taken, RunState.PAUSED)
            await tx.run("assignments.waits", thread=thread.id, now=ms(tx.now))
            return None
        await routing.decide(tx, thread, run=run.id)
        if run.attempt:
            await writer.drop_interrupted(tx, run)
            await applying.tell_refused(tx, run)
        approved = await applying.approved_of(tx, run) if run.attempt else ()
        asked = await ledger.asked(tx, run) if run.attempt else []
        given = await history.context(
            tx, thread.id, prompt_message=prompt or taken.prompt, recent=CONTEXT, keep_approved={one.request for one in approved},
            run=run.id, calls=[request.call_message for request in asked if request.call_message is not None],
        )  # fmt: skip
        pin = None if run.awaited else await history.find(tx, run.prompt or "")
        words = pin if pin is not None and (run.aside or pin.role == "user") else None
        resumed = run.attempt > 0 and (run.awaited or await prompts.last_of_run(tx, thread.id, run.id) is not None)
        if run.pinned and not resumed and words is not None and given and given[-1].role == "assistant":
            # It has been answered before. An agent answers what its history ends with.
            given = (*given, ContextMessage(role="user", parts=words.parts))
        words = words or await prompts.newest_of_customer(tx, thread.id)
        turn = Turn(
            thread=thread.id,
            run=run.id,
            customer=thread.customer,
            prompt_text=words.text if words else (prompt.text if prompt else ""),
            history=given,
            news=ledger.news(asked),
            aside=run.aside,
            approved=approved,
            apply=applying.Applier(self._store, taken, self._lease),
            escalate=escalations.Escalator(self._store, taken, self._lease),
            resumed=resumed,
        )
        return _Begun(run=taken, thread=thread, turn=turn)

    async def _execute(self, begun: _Begun) -> Outcome | None:
        """Run the agent to its end, its pause, its failure or its overtaking. The outcome, where it is known."""
        runner = self._agents.get(begun.run.agent)
        if runner is None:
            raise Invalid(f"no agent {begun.run.agent!r} is registered here", field="agent")
        work = Attempt(self._store, begun.run, self._lease)
        consumer = asyncio.create_task(work.consume(runner, begun.turn), name=f"deskmate {begun.run.id}")
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


def _left_behind(run: Run, now: datetime) -> bool:
    """Whether a run has begun, is to go on, and nobody is at work on it."""
    if run.state is RunState.RUNNING:
        return run.lease_until is not None and run.lease_until < now
    return run.state is RunState.QUEUED and run.attempt > 0
