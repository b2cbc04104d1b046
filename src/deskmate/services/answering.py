"""Answering one given message: the run that goes on with it, or a new one, once what was begun before is done."""

from dataclasses import replace
from datetime import datetime

from deskmate.domain.actors import Actor
from deskmate.domain.messages import ApprovalResponse, Message, ToolResult
from deskmate.domain.permissions import Action, require, visible
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.services import history, posting, runs, threads
from deskmate.services.taking import Begun, Busy, Taker
from deskmate.store.base import Tx


async def begin(
    tx: Tx, taker: Taker, thread_id: str, message_id: str, agent_name: str | None, *, actor: Actor, joined: str | None
) -> Begun | Busy | Run:
    """Take the run of a message, or a new one for it. Just the run, where it has ended or waits for people.

    What people have approved meanwhile is done before a new run begins, and what a dead process left behind: by this task
    too, since there may be nobody else. `joined` is the run that this caller has been waiting for.
    Raises NotFound, Forbidden, Conflict without an agent, Invalid for an agent that is not registered here.
    """
    thread = await threads.lock(tx, thread_id)
    require(actor, Action.THREAD_RESPOND, owner=thread.customer)
    message = await history.get(tx, message_id, thread=thread_id, field="prompt")
    if not visible(message, actor):
        raise NotFound(f"there is no message {message_id} in this thread", field="prompt")
    live = await runs.live(tx, thread_id)
    run = await runs.get(tx, joined) if joined is not None else await _run_of(tx, thread, message, agent_name)
    if run is None:
        for other in live:
            if taker.knows(other.agent) and _left_behind(other, tx.now):
                begun = await taker.begin(tx, thread, live, other)
                if begun is None:
                    return await begin(tx, taker, thread_id, message_id, agent_name, actor=actor, joined=joined)
                return replace(begun, before=True) if isinstance(begun, Begun) else begun
        if agent_name is None:
            raise Conflict("no agent is registered")
        run = await posting.answer(tx, thread, message, agent_name, actor=actor)
    elif run.state is RunState.FAILED and joined is None:
        await runs.resume(tx, run, actor=actor)
    elif run.state not in (RunState.QUEUED, RunState.RUNNING):
        return run
    if not taker.knows(run.agent):
        raise Invalid(f"no agent {run.agent!r} is registered here", field="agent")
    begun = await taker.begin(tx, thread, await runs.live(tx, thread_id), await runs.get(tx, run.id))
    if isinstance(begun, Busy):
        return replace(begun, run=run.id)
    return begun or run


async def _run_of(tx: Tx, thread: Thread, message: Message, agent_name: str | None) -> Run | None:
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


def _left_behind(run: Run, now: datetime) -> bool:
    """Whether a run has begun, is to go on, and nobody is at work on it."""
    if run.state is RunState.RUNNING:
        return run.lease_until is not None and run.lease_until < now
    return run.state is RunState.QUEUED and run.attempt > 0
