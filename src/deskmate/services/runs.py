"""Runs: queue, take, hold, pause, end. One run of a thread runs at a time; all its writes pass `hold`, the fence."""

from datetime import timedelta

from deskmate.domain.actors import SYSTEM, Actor, agent
from deskmate.domain.events import EventType
from deskmate.domain.messages import Visibility
from deskmate.domain.runs import RUN_MOVES, Run, RunState
from deskmate.domain.states import move
from deskmate.domain.threads import Priority, Thread
from deskmate.errors import Fenced, NotFound
from deskmate.services import feed
from deskmate.store import jobs
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc, utc_or_none

EVENTS = {
    RunState.QUEUED: EventType.RUN_QUEUED,
    RunState.RUNNING: EventType.RUN_STARTED,
    RunState.PAUSED: EventType.RUN_PAUSED,
    RunState.DONE: EventType.RUN_DONE,
    RunState.FAILED: EventType.RUN_FAILED,
    RunState.CANCELLED: EventType.RUN_CANCELLED,
}


def run_of(row: Row) -> Run:
    """A stored row as a run."""
    return Run(
        id=row["id"],
        thread=row["thread"],
        agent=row["agent"],
        epoch=row["epoch"],
        prompt=row["prompt"],
        prompt_order=row["prompt_order"],
        visibility=Visibility(row["visibility"]),
        pinned=bool(row["pinned"]),
        state=RunState(row["state"]),
        attempt=row["attempt"],
        lease_by=row["lease_by"],
        lease_until=utc_or_none(row["lease_until"]),
        error=row["error"],
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


async def get(tx: Tx, id: str) -> Run:
    """One run. Raises NotFound."""
    row = await tx.one("runs.get", id=id)
    if row is None:
        raise NotFound(f"there is no run {id}", field="run")
    return run_of(row)


async def of_message(tx: Tx, thread: str, message: str) -> list[Run]:
    """The runs that asked people about the calls of a message, or were answered with it, newest first."""
    return [run_of(row) for row in await tx.all("runs.of_message", thread=thread, message=message)]


async def live(tx: Tx, thread: str) -> list[Run]:
    """The runs of a thread that have not ended, oldest first."""
    return [run_of(row) for row in await tx.all("runs.live", thread=thread)]


async def queue(
    tx: Tx,
    thread: Thread,
    agent_name: str,
    *,
    prompt: str | None,
    prompt_order: int,
    visibility: Visibility = Visibility.PUBLIC,
    pinned: bool = False,
    actor: Actor,
) -> Run:
    """A new run for the newest message, and the job that starts it. The caller holds the thread's lock."""
    run_id = tx.id("run")
    row = await tx.one(
        "runs.insert",
        id=run_id, thread=thread.id, agent=agent_name, epoch=thread.epoch, prompt=prompt, prompt_order=prompt_order,
        visibility=visibility, pinned=int(pinned), now=ms(tx.now),
    )  # fmt: skip
    assert row is not None
    run = run_of(row)
    await jobs.enqueue(tx, "run", run_id, lane=agent_name, thread=thread.id, priority=thread.priority.rank)
    await announce(tx, run, RunState.QUEUED, actor=actor)
    return run


async def attend(tx: Tx) -> int:
    """Give a job to every run that should be worked on and has none; returns how many there were.

    Every verb that leaves a run to be worked on enqueues its job. This is the net below them: a run never waits for ever.
    """
    found = await tx.all("runs.unattended", now=ms(tx.now))
    for row in found:
        await have_done(tx, await get(tx, row["id"]))
    return len(found)


async def have_done(tx: Tx, run: Run) -> None:
    """Have a run that is there already worked on."""
    row = await tx.one("threads.get", id=run.thread)
    priority = Priority(row["priority"]).rank if row else 0
    await jobs.enqueue(tx, "run", run.id, lane=run.agent, thread=run.thread, priority=priority)


async def take(tx: Tx, run: Run, *, owner: str, lease: timedelta, prompt: str | None, prompt_order: int) -> Run | None:
    """Begin an attempt under a lease, or None when somebody else did. The caller holds the thread's lock."""
    row = await tx.one(
        "runs.take",
        id=run.id, attempt=run.attempt, lease_by=owner, lease_until=ms(tx.now + lease),
        prompt=prompt, prompt_order=prompt_order, now=ms(tx.now),
    )  # fmt: skip
    if row is None:
        return None
    started = run_of(row)
    await announce(tx, started, RunState.RUNNING)
    return started


async def hold(tx: Tx, run: Run, lease: timedelta) -> None:
    """Raise Fenced unless this attempt still runs, in the epoch it began with. Renews the lease."""
    if not await tx.run("runs.hold", id=run.id, attempt=run.attempt, lease_until=ms(tx.now + lease)):
        raise Fenced()


async def enter(tx: Tx, run: Run, epoch: int) -> None:
    """The run itself has changed the assignment: it goes on in the new epoch."""
    if not await tx.run("runs.enter", id=run.id, attempt=run.attempt, epoch=epoch):
        raise Fenced()


async def leave(tx: Tx, run: Run, state: RunState, *, error: str | None = None) -> None:
    """Pause or end the attempt. Raises Fenced when it is not running any more."""
    move(RUN_MOVES, RunState.RUNNING, state)
    if not await tx.run("runs.leave", id=run.id, attempt=run.attempt, state=state, error=error, now=ms(tx.now)):
        raise Fenced()
    await announce(tx, run, state, error=error)
    if state is not RunState.QUEUED:
        # Also where `respond` did the work: a job that nobody took would stay for ever in a store without a worker.
        await jobs.cancel(tx, "run", run.id)
    if state is not RunState.PAUSED:
        await jobs.hasten(tx, run.thread)


async def resume(tx: Tx, run: Run, *, actor: Actor) -> None:
    """Queue a paused or failed run again: its history holds what it waited for."""
    move(RUN_MOVES, run.state, RunState.QUEUED)
    if await tx.run("runs.requeue", id=run.id, state=run.state, now=ms(tx.now)):
        await have_done(tx, run)
        await announce(tx, run, RunState.QUEUED, actor=actor)


async def cancel(tx: Tx, run: Run, *, actor: Actor, reason: str) -> None:
    """End a run from outside; a process that works on it is refused its next write."""
    move(RUN_MOVES, run.state, RunState.CANCELLED)
    if await tx.run("runs.cancel", id=run.id, reason=reason, now=ms(tx.now)):
        await jobs.cancel(tx, "run", run.id)
        await jobs.hasten(tx, run.thread)
        await announce(tx, run, RunState.CANCELLED, actor=actor, error=reason)


async def announce(tx: Tx, run: Run, state: RunState, *, actor: Actor | None = None, error: str | None = None) -> None:
    """The event of a move."""
    data: dict[str, object] = {"run": run.id, "agent": run.agent, "prompt": run.prompt, "attempt": run.attempt}
    if error is not None:
        data["error"] = error
    who = actor or (agent(run.agent) if state is not RunState.CANCELLED else SYSTEM)
    await feed.emit(tx, EVENTS[state], actor=who, thread=run.thread, data=data)
