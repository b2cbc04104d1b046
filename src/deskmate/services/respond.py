"""The respond loop: route, run the agent, store each step as it comes, then pause for people or end.

A run is a row. Whoever takes it (a job of the engine, or `desk.respond` in the caller's own task) holds a lease and writes
through the fence; when the process dies, the run's job falls due again and another process goes on from the last stored message.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, assert_never

from deskmate.domain.actors import SYSTEM, Actor, agent
from deskmate.domain.agents import Ask, Delta, Output, Runner, Step, Turn
from deskmate.domain.messages import Message, MessageStatus, NewMessage, Text, ToolCall, Visibility
from deskmate.domain.requests import Request
from deskmate.domain.routes import said_as
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, DeskmateError, Fenced, Invalid, SaidNothing
from deskmate.services import drafts, history, ledger, messages, posting, prompts, routing, runs, threads, usage, writer
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.respond")

RETRY = timedelta(milliseconds=250)
CONTEXT = 100  # messages of history a model is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """The run is done; `message` is its last public message."""

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


Outcome = Replied | Paused | Failed | Overtaken


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    run: Run
    thread: Thread
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class _Busy:
    """Another run of the thread, or another holder of this one, is at work until its lease ends."""

    until: datetime


class Responder:
    """Runs agents on threads, for this process."""

    def __init__(self, store: Store, agents: Mapping[str, Runner], *, owner: str) -> None:
        self._store = store
        self._agents = agents
        self._owner = owner

    async def work(self, job: jobs.Job) -> jobs.Later | None:
        """The handler of `run` jobs."""
        match await self._store.write(lambda tx: self._begin(tx, job.ref)):
            case _Busy(until=until):
                return jobs.Later(at=until)
            case _Begun() as begun:
                await self._execute(begun)
            case None:
                pass
        return None

    async def respond(self, thread_id: str, agent_name: str, *, by: Actor) -> Outcome:
        """Answer the newest unanswered message in this task, or go on with a run that is ready to; waits for one in progress."""
        async with self._store.waiter(f"thread:{thread_id}") as waiter:
            while True:
                run_id = await self._store.write(lambda tx: self._next_run(tx, thread_id, agent_name, by))
                if isinstance(run_id, Paused):
                    return run_id
                match await self._store.write(lambda tx, one=run_id: self._begin(tx, one)):
                    case _Begun() as begun:
                        await self._execute(begun)
                        return await self._store.read(lambda tx, run=begun.run: self._outcome(tx, run.id))
                    case _Busy():
                        await waiter.wait(1.0)
                    case None:
                        return await self._store.read(lambda tx, one=run_id: self._outcome(tx, one))

    async def _next_run(self, tx: Tx, thread_id: str, agent_name: str, by: Actor) -> "str | Paused":
        thread = await threads.lock(tx, thread_id)
        live = await runs.live(tx, thread_id)
        for state in (RunState.RUNNING, RunState.QUEUED):
            for run in live:
                if run.state is state and (state is RunState.RUNNING or run.agent == agent_name):
                    return run.id
        prompt = await prompts.newest_of_customer(tx, thread_id)
        if live and (prompt is None or prompt.order <= thread.answered_order):
            return Paused(requests=tuple(await ledger.waiting(tx, thread_id)))
        await posting.start(tx, thread, agent_name, actor=by)
        queued = [run for run in await runs.live(tx, thread_id) if run.state is RunState.QUEUED]
        if not queued:
            raise Conflict("people respond on this thread")
        return queued[-1].id

    async def _begin(self, tx: Tx, run_id: str) -> _Begun | _Busy | None:
        """Take the run and read what its agent is given. None when there is nothing to do any more."""
        found = await runs.get(tx, run_id)
        thread = await threads.lock(tx, found.thread)
        run = await runs.get(tx, run_id)
        if run.state not in (RunState.QUEUED, RunState.RUNNING):
            return None
        if run.epoch != thread.epoch:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the thread changed hands")
            return None
        for other in await runs.live(tx, thread.id):
            # Its own lease that ran out is no obstacle; another run's is: that run's own job takes it up first.
            if other.lease_until is not None and (other.id != run.id or other.lease_until >= tx.now):
                return _Busy(until=max(other.lease_until, tx.now + RETRY))
        if run.attempt == 0 and thread.prompt_order <= thread.answered_order:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the message has been answered")
            return None
        return await self._start(tx, run, thread)

    async def _start(self, tx: Tx, run: Run, thread: Thread) -> _Begun | None:
        prompt = await prompts.at(tx, thread.id, thread.prompt_order)
        taken = await runs.take(
            tx, run, owner=self._owner,
            prompt=prompt.id if prompt else run.prompt, prompt_order=prompt.order if prompt else run.prompt_order,
        )  # fmt: skip
        if taken is None:
            return None
        await routing.decide(tx, thread, run=run.id)
        await writer.drop_interrupted(tx, run)
        given = await history.context(tx, thread.id, prompt_message=taken.prompt, recent=CONTEXT)
        words = await prompts.newest_of_customer(tx, thread.id)
        turn = Turn(
            thread=thread.id,
            run=run.id,
            customer=thread.customer,
            prompt_text=words.text if words else (prompt.text if prompt else ""),
            history=given,
            news=await ledger.news(tx, run) if run.attempt else (),
            resumed=run.attempt > 0,
        )
        return _Begun(run=taken, thread=thread, turn=turn)

    async def _execute(self, begun: _Begun) -> None:
        """Run the agent to its end, its pause, its failure or its overtaking."""
        runner = self._agents.get(begun.run.agent)
        if runner is None:
            raise Invalid(f"no agent {begun.run.agent!r} is registered here", field="agent")
        work = _Work(self._store, begun.run, begun.thread)
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

    async def _watch(self, run: Run, consumer: asyncio.Task[None]) -> None:
        """Keep the lease, and stop the agent as soon as the run may not write any more."""

        async def running(tx: Tx) -> bool:
            now = await runs.get(tx, run.id)
            return now.state is RunState.RUNNING and now.attempt == run.attempt

        async with self._store.waiter(f"thread:{run.thread}") as waiter:
            while await self._store.read(running):
                if not await waiter.wait(jobs.HEARTBEAT.total_seconds()):
                    try:
                        await self._store.write(lambda tx: runs.hold(tx, run))
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
                message = await prompts.newest_of_run(tx, run.thread, run.id)
                return Replied(message=message) if message else Failed(error="the agent said nothing")
            case RunState.CANCELLED | RunState.QUEUED | RunState.RUNNING:
                return Overtaken(thread=await threads.get(tx, run.thread))


class _Work:
    """One attempt of one run: turns what the agent yields into stored messages."""

    def __init__(self, store: Store, run: Run, thread: Thread) -> None:
        self._store = store
        self._run = run
        self._writer = writer.Writer(store, run)
        self._spoke = False
        self._draft: Message | None = None

    async def consume(self, runner: Runner, turn: Turn) -> None:
        """Store everything the agent yields, then end or pause the run."""
        async with aclosing(_generator(runner, turn)) as outputs:
            async for output in outputs:
                match output:
                    case Delta(text=text):
                        self._writer.add(text)
                    case Step():
                        pending = await self._writer.settle()
                        self._spoke = self._spoke or _speaks(output)
                        if output.final and self._spoke:
                            await self._store.write(lambda tx, s=output, p=pending: self._finish(tx, s, p))
                            return
                        await self._store.write(lambda tx, s=output, p=pending: self._store_step(tx, s, p))
                    case Ask():
                        pending = await self._writer.settle()
                        await self._store.write(lambda tx, a=output, p=pending: self._pause(tx, a, p))
                        return
                    case _:
                        assert_never(output)
        pending = await self._writer.settle()
        if not self._spoke and pending is None and not _answered(turn):
            raise SaidNothing()
        await self._store.write(lambda tx: self._end(tx, pending))

    async def abandon(self) -> None:
        """Stop what is still being written in the background."""
        await self._writer.abandon()

    async def _store_step(self, tx: Tx, step: Step, pending: str | None) -> Message:
        """One step, whole: the message that was streamed takes it over, else it is a new one."""
        thread = await threads.lock(tx, self._run.thread)
        await runs.hold(tx, self._run)
        await usage.record_step(tx, self._run, step)
        actor = agent(self._run.agent)
        new = NewMessage(
            role=step.role,
            parts=step.parts,
            author=actor.author,
            visibility=said_as(thread) if _speaks(step) else Visibility.PUBLIC,
            agent_name=self._run.agent,
            model=step.model,
            provider=step.provider,
            provider_metadata=step.provider_metadata,
            usage={"input_tokens": step.input_tokens, "output_tokens": step.output_tokens} if step.output_tokens else None,
            run=self._run.id,
        )
        after = self._run.prompt if pending is None else None
        stored = (await messages.insert(tx, self._run.thread, [new], after=after, replaces=pending, actor=actor))[0]
        self._draft = stored if stored.visibility is Visibility.DRAFT else self._draft
        return stored

    async def _pause(self, tx: Tx, ask: Ask, pending: str | None) -> None:
        """The calls, what is asked, the line for the customer and the pause: one transaction."""
        call = await self._store_step(tx, ask.step, pending)
        for results in ask.results:
            await self._store_step(tx, results, None)
        thread = await threads.get(tx, self._run.thread)
        tools = {part.call_id: part.tool for part in ask.step.parts if isinstance(part, ToolCall)}
        for asked in ask.requests:
            await ledger.open_question(
                tx, thread, asked, actor=agent(self._run.agent), run=self._run.id, call=call, tool=tools.get(asked.call_id)
            )
        if ask.notice:
            await notice(tx, self._run, ask.notice)
        await runs.leave(tx, self._run, RunState.PAUSED)
        await _settle(tx, self._run)

    async def _finish(self, tx: Tx, step: Step, pending: str | None) -> None:
        """The last step and the end of the run: one transaction."""
        await self._store_step(tx, step, pending)
        await self._end(tx, None)

    async def _end(self, tx: Tx, pending: str | None) -> None:
        thread = await threads.lock(tx, self._run.thread)
        await runs.hold(tx, self._run)
        if pending is not None:
            await messages.finish(tx, pending, MessageStatus.SUCCESS, actor=agent(self._run.agent))
        await runs.leave(tx, self._run, RunState.DONE)
        if self._draft is not None:
            await drafts.open_(tx, thread, self._draft, actor=agent(self._run.agent))
        if not await ledger.waiting(tx, thread.id):
            await tx.run("assignments.served", thread=thread.id, now=ms(tx.now))
        await _settle(tx, self._run)


def _answered(turn: Turn) -> bool:
    """Whether an earlier attempt stored its last words and died before it could end the run."""
    last = turn.history[-1] if turn.resumed and turn.history else None
    return last is not None and last.role == "assistant" and not any(isinstance(part, ToolCall) for part in last.parts)


async def _generator(runner: Runner, turn: Turn) -> AsyncGenerator[Output, None]:
    """A runner may return any async iterator; a generator is closed with certainty, and what it has open with it."""
    outputs = runner.run(turn)
    try:
        async for output in outputs:
            yield output
    finally:
        if isinstance(outputs, AsyncGenerator):
            await outputs.aclose()


async def notice(tx: Tx, run: Run, text: str) -> None:
    """A line of the system for the customer; models are not given it."""
    line = NewMessage(role="system", parts=(Text(text=text),), author=SYSTEM.author, visibility=Visibility.PUBLIC, run=run.id)
    await messages.insert(tx, run.thread, [line], after=run.prompt, actor=SYSTEM)


async def _settle(tx: Tx, run: Run) -> None:
    """What the run was asked is dealt with; whatever the customer wrote meanwhile gets a run of its own."""
    await tx.run("assignments.answered", thread=run.thread, order=run.prompt_order)
    await posting.follow_up(tx, await threads.get(tx, run.thread), run.prompt_order, run.agent)


async def fail(tx: Tx, run: Run, error: BaseException) -> None:
    """End a run visibly: a failed message, a line for the customer, and a thread that waits for a person. Silent when fenced."""
    log.error("run %s of %s failed", run.id, run.agent, exc_info=error)
    await threads.lock(tx, run.thread)
    text = describe(error)
    try:
        await runs.leave(tx, run, RunState.FAILED, error=text)
    except Fenced:
        return
    if not await writer.fail_pending(tx, run.thread, text):
        actor = agent(run.agent)
        failed = NewMessage(
            role="assistant",
            parts=(),
            author=actor.author,
            status=MessageStatus.FAILED,
            error=text,
            agent_name=run.agent,
            run=run.id,
        )
        await messages.insert(tx, run.thread, [failed], after=run.prompt, actor=actor)
    await notice(tx, run, "Something went wrong while answering. A person will look at it.")
    await tx.run("assignments.waits", thread=run.thread, now=ms(tx.now))
    await posting.follow_up(tx, await threads.get(tx, run.thread), run.prompt_order, run.agent)


async def give_back(tx: Tx, run: Run) -> None:
    """A process that stops leaves its run to the next one, at once. Silent when the run is not its own any more."""
    try:
        await runs.leave(tx, run, RunState.QUEUED, error=None)
    except Fenced:
        return
    await jobs.enqueue(tx, "run", run.id, lane=run.agent, thread=run.thread)


def describe(error: BaseException) -> str:
    """An error in one line, without the insides of the program."""
    if isinstance(error, DeskmateError):
        return error.message[:500]
    return f"{type(error).__name__}: {error}".split("\n", 1)[0][:500]


def _speaks(step: Step) -> bool:
    return step.role == "assistant" and any(isinstance(part, Text) and part.text.strip() for part in step.parts)
