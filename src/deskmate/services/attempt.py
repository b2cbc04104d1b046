"""An attempt: one execution of an agent on a thread, from what it yields to what is stored, and how it ends."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from deskmate.domain.actors import SYSTEM, AuthorKind, agent
from deskmate.domain.agents import Approval, Ask, Delta, Output, Question, Runner, Step, Turn
from deskmate.domain.messages import ApprovalRequest, Message, MessageStatus, NewMessage, Text, ToolCall, Visibility
from deskmate.domain.requests import Request, TalkOver
from deskmate.domain.routes import said_as
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.errors import DeskmateError, Fenced, Invalid, SaidNothing
from deskmate.services import (
    applying,
    drafts,
    escalations,
    history,
    ledger,
    limits,
    messages,
    posting,
    prompts,
    runs,
    threads,
    usage,
    writer,
)
from deskmate.services.course import Course
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.respond")

WENT_WRONG = "Something went wrong while answering. A person will look at it."


class Attempt:
    """One attempt of one run: turns what the agent yields into stored messages."""

    def __init__(self, store: Store, run: Run, lease: timedelta, *, list_prices: bool = True) -> None:
        self._store = store
        self._run = run
        self._lease = lease
        self._list_prices = list_prices
        self._writer = writer.Writer(store, run, lease)
        self._course: Course | None = None
        self._spoke = False
        self._draft: Message | None = None
        self._calls: dict[str, Message] = {}  # the message that holds each call of this attempt, by call id
        self.asked: tuple[Request, ...] = ()
        """What the run has paused for."""
        self.drafted: Request | None = None
        """The approval that its last words wait for, where they are a draft."""
        self.answer: Message | None = None
        """The last words of a run that has ended, where the step that ended it holds them."""

    async def consume(self, runner: Runner, turn: Turn, course: Course | None = None) -> None:
        """Store everything the agent yields, then end or pause the run. With a course, its words as that lets them."""
        self._course = course
        async with aclosing(_generator(runner, turn)) as outputs:
            async for output in outputs:
                match output:
                    case Delta():
                        if course is None or course.shows(output):
                            self._writer.add(output.text)
                    case Step():
                        output = output if course is None else await course.words(output)
                        pending = await self._writer.settle()
                        self._spoke = self._spoke or _speaks(output)
                        if output.final and (self._spoke or output.role == "tool"):
                            self.answer = await self._store.write(lambda tx, s=output, p=pending: self._finish(tx, s, p))
                            return
                        await self._store.write(lambda tx, s=output, p=pending: self._write(tx, s, p))
                    case Ask():
                        pending = await self._writer.settle()
                        self.asked = await self._store.write(lambda tx, a=output, p=pending: self._pause(tx, a, p))
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

    async def _held(self, tx: Tx) -> Thread:
        """The thread, locked; and the fence: whatever this transaction writes, the run still may. Raises Fenced."""
        thread = await threads.lock(tx, self._run.thread)
        await runs.hold(tx, self._run, self._lease)
        return thread

    async def _write(self, tx: Tx, step: Step, pending: str | None) -> None:
        """A step that is not the last."""
        await self._store_step(tx, await self._held(tx), step, pending)

    async def _store_step(self, tx: Tx, thread: Thread, step: Step, pending: str | None) -> Message:
        """One step, whole: the message that was streamed takes it over, else it is a new one.

        Words that are held back stand apart from the calls beside them: those happen, and the model has to know of them, whatever
        becomes of the draft.
        """
        calls = tuple(part for part in step.parts if isinstance(part, ToolCall | ApprovalRequest))
        if calls and _speaks(step) and said_as(thread, self._run, held=step.held) is Visibility.DRAFT:
            words = tuple(part for part in step.parts if part not in calls)
            await self._store_step(tx, thread, replace(step, parts=words), pending)
            step, pending = replace(step, parts=calls, input_tokens=0, output_tokens=0), None
        await usage.record_step(tx, thread, self._run, step, list_prices=self._list_prices)
        await limits.spend(tx, thread, self._run, step.input_tokens + step.output_tokens)
        actor = agent(self._run.agent)
        new = NewMessage(
            role=step.role,
            parts=step.parts,
            author=actor.author,
            visibility=said_as(thread, self._run, held=step.held) if _speaks(step) or self._run.aside else Visibility.PUBLIC,
            agent_name=self._run.agent,
            model=step.model,
            provider=step.provider,
            provider_metadata=step.provider_metadata,
            usage={"input_tokens": step.input_tokens, "output_tokens": step.output_tokens} if step.output_tokens else None,
            run=self._run.id,
        )
        after = await prompts.behind(tx, self._run) if pending is None else None
        stored = (await messages.insert(tx, thread, [new], after=after, replaces=pending, actor=actor))[0]
        self._draft = stored if stored.visibility is Visibility.DRAFT else self._draft
        self._remember(stored)
        return stored

    def _remember(self, stored: Message) -> None:
        self._calls |= {part.call_id: stored for part in stored.parts if isinstance(part, ToolCall)}

    async def _pause(self, tx: Tx, ask: Ask, pending: str | None) -> tuple[Request, ...]:
        """The calls, what is asked, the line for the customer and the pause: one transaction."""
        thread = await self._held(tx)
        wanted = {asked.call_id: _wanted(asked, tx.id("request")) for asked in ask.requests if isinstance(asked, Approval)}
        here = [wanted[part.call_id] for part in ask.step.parts if isinstance(part, ToolCall) and part.call_id in wanted]
        step = replace(ask.step, parts=(*ask.step.parts, *here))
        if step.parts or pending is not None:
            await self._store_step(tx, thread, step, pending)
        for results in ask.results:
            await self._store_step(tx, thread, results, None)
        opened = [await self._open(tx, thread, asked, wanted.get(asked.call_id)) for asked in ask.requests]
        if ask.notice and self._run.awaited:
            await notice(tx, thread, self._run, ask.notice)
        if self._course is not None:
            await self._course.asks(ask)(tx)
        await runs.leave(tx, self._run, RunState.PAUSED)
        await _settle(tx, thread, self._run)
        return tuple(opened)

    async def _open(self, tx: Tx, thread: Thread, asked: Question | Approval, wanted: ApprovalRequest | None) -> Request:
        """Open one request, beside the message that holds its call."""
        if asked.call_id not in self._calls:
            raise Invalid(f"{asked.call_id!r} is no call of this run", field="call_id")
        call, actor = self._calls[asked.call_id], agent(self._run.agent)
        if isinstance(asked, Question):
            return await ledger.open_question(tx, thread, asked, actor=actor, run=self._run.id, call=call)
        assert wanted is not None
        if wanted not in call.parts:
            # The call was stored before its siblings ran, and before it was known that it needs people.
            call = await messages.change(tx, call.id, parts=(*call.parts, wanted), actor=actor)
            self._remember(call)
        caused_by = await self._caused_by(tx)
        return await ledger.open_approval(
            tx, thread, asked, id=wanted.approval_id, actor=actor, run=self._run.id, call=call, caused_by=caused_by
        )

    async def _caused_by(self, tx: Tx) -> str | None:
        """The operator whose words the run answers, if it was one."""
        prompt = await history.find(tx, self._run.prompt) if self._run.prompt is not None else None
        return prompt.author.id if prompt is not None and prompt.author.kind is AuthorKind.OPERATOR else None

    async def _finish(self, tx: Tx, step: Step, pending: str | None) -> Message | None:
        """The last step and the end of the run: one transaction."""
        thread = await self._held(tx)
        said = await self._store_step(tx, thread, step, pending)
        await self._leave(tx, thread)
        if not self._spoke and self._run.awaited:
            # It has reached its limit, and the customer has not been answered.
            await tx.run("assignments.waits", thread=thread.id, now=ms(tx.now))
        return said if said.text and said.role == "assistant" and said.status is MessageStatus.SUCCESS else None

    async def _end(self, tx: Tx, pending: str | None) -> None:
        thread = await self._held(tx)
        if pending is not None:
            await messages.finish(tx, pending, MessageStatus.SUCCESS, actor=agent(self._run.agent))
        await self._leave(tx, thread)

    async def _leave(self, tx: Tx, thread: Thread) -> None:
        """The end of the run. `thread` is as it was when this transaction locked it."""
        await runs.leave(tx, self._run, RunState.DONE)
        if self._draft is not None:
            why = self._course.why_a_draft if self._course is not None else None
            self.drafted = await drafts.open_(tx, thread, self._draft, actor=agent(self._run.agent), why=why)
        if thread.waiting_since is not None and self._run.awaited and not await ledger.waiting(tx, thread.id):
            await tx.run("assignments.served", thread=thread.id, now=ms(tx.now))
        await _settle(tx, thread, self._run)


def _wanted(asked: Approval, id: str) -> ApprovalRequest:
    """The part that says that a call waits for people. Without an answer one to be superseded counts as refused."""
    superseded = asked.talk_over in (None, TalkOver.SUPERSEDE)
    return ApprovalRequest(approval_id=id, call_id=asked.call_id, left_out=not superseded)


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


async def notice(tx: Tx, thread: Thread, run: Run, text: str) -> None:
    """A line of the system for the customer; models are not given it."""
    line = NewMessage(role="system", parts=(Text(text=text),), author=SYSTEM.author, visibility=Visibility.PUBLIC, run=run.id)
    await messages.insert(tx, thread, [line], after=await prompts.behind(tx, run), actor=SYSTEM)


async def _settle(tx: Tx, thread: Thread, run: Run) -> None:
    """What the run was asked is dealt with; whatever the customer wrote meanwhile gets a run of its own."""
    await limits.release(tx, thread, run.id)
    if run.aside:
        return
    # An answer to another message than the newest leaves that one to its own run.
    if run.awaited or thread.prompt_order <= max(thread.answered_order, run.prompt_order):
        await tx.run("assignments.answered", thread=run.thread, order=run.prompt_order)
    await posting.follow_up(tx, thread, run.prompt_order, run.agent)


async def fail(tx: Tx, run: Run, error: BaseException) -> None:
    """End a run visibly: a failed message, a line for the customer, and a thread that waits for a person. Silent when fenced."""
    log.error("run %s of %s failed", run.id, run.agent, exc_info=error)
    await _give_up(tx, run, describe(error))


async def refuse(tx: Tx, run: Run, error: DeskmateError, *, told: str) -> None:
    """The same for a run that has just been taken and is not to start."""
    log.warning("run %s of %s does not start: %s", run.id, run.agent, error)
    await _give_up(tx, run, describe(error), told=told, reason=describe(error))


async def _give_up(tx: Tx, run: Run, text: str, *, told: str = WENT_WRONG, reason: str | None = None) -> None:
    thread = await threads.lock(tx, run.thread)
    try:
        await runs.leave(tx, run, RunState.FAILED, error=text)
    except Fenced:
        return
    await limits.release(tx, thread, run.id)
    await applying.doubt(tx, run, again=False)
    await applying.give_up(tx, run, "the run failed")
    if not await writer.fail_pending(tx, run.thread, text):
        actor = agent(run.agent)
        failed = NewMessage(
            role="assistant",
            parts=(),
            author=actor.author,
            status=MessageStatus.FAILED,
            visibility=run.visibility,
            error=text,
            agent_name=run.agent,
            run=run.id,
        )
        await messages.insert(tx, thread, [failed], after=await prompts.behind(tx, run), actor=actor)
    if not run.awaited:
        # Whoever wanted it is told: the team by the note, a program by the outcome.
        if run.pinned:
            await posting.follow_up(tx, thread, run.prompt_order, run.agent)
        return
    await notice(tx, thread, run, told)
    await tx.run("assignments.waits", thread=run.thread, now=ms(tx.now))
    await escalations.by_failure(tx, thread, run, reason or f"{run.agent} failed: {text}")
    await posting.follow_up(tx, thread, run.prompt_order, run.agent)


async def give_back(tx: Tx, run: Run) -> None:
    """A process that stops leaves its run to the next one, at once. Silent when the run is not its own any more."""
    try:
        await runs.leave(tx, run, RunState.QUEUED, error=None)
    except Fenced:
        return
    await runs.have_done(tx, run)


def describe(error: BaseException) -> str:
    """An error in one line, without the insides of the program."""
    if isinstance(error, DeskmateError):
        return error.message[:500]
    return f"{type(error).__name__}: {error}".split("\n", 1)[0][:500]


def _speaks(step: Step) -> bool:
    return step.role == "assistant" and any(isinstance(part, Text) and part.text.strip() for part in step.parts)
