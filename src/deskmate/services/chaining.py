"""Chaining: how escalation chains begin, step and end. Each is a row and a job, so they go on in whichever process is there.

The follower only asks for a look at what may begin a chain or end one; a look, and a step, are made under the lock of the thread,
by the thread as it is then. So nothing is done for somebody who has been served, also where a look comes late or a timer twice.
"""

import json
from collections.abc import Collection, Sequence

from deskmate.domain.actors import SYSTEM, Actor, Author, AuthorKind
from deskmate.domain.assignments import Holder
from deskmate.domain.chains import About, Chain, ChainState, ChainStep, Reason, RunningChain, upcoming
from deskmate.domain.events import Event, EventType
from deskmate.domain.policies import Kind
from deskmate.domain.queues import DEFAULT_QUEUE, Queue
from deskmate.domain.requests import Request, RequestState
from deskmate.domain.threads import Status, Thread
from deskmate.services import deeds, feed, ledger, paging, policies, queues, stopping, threads
from deskmate.services.live import event_of
from deskmate.store import jobs
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc, utc_or_none

STEP = "chain"
"""The kind of the job that does the next step of a chain."""
LOOK = "chain.look"
"""The kind of the job that looks whether an event begins a chain, or ends one."""
_ASKED = frozenset({EventType.REQUEST_OPENED, EventType.REQUEST_RELEASED, EventType.REQUEST_OVERDUE})
_ON_THREADS = frozenset({EventType.THREAD_ASSIGNED, EventType.THREAD_CHANGED, EventType.MESSAGE_POSTED})
_ENDING = frozenset({
    EventType.REQUEST_CLAIMED, EventType.REQUEST_DECIDED, EventType.REQUEST_CANCELLED, EventType.REQUEST_SUPERSEDED,
    EventType.REQUEST_EXPIRED,
})  # fmt: skip
HEARD = _ASKED | _ON_THREADS | _ENDING


def chain_of(row: Row) -> RunningChain:
    """A stored row as a chain."""
    by = row["ended_by_kind"]
    return RunningChain(
        id=row["id"],
        thread=row["thread"],
        request=row["request"],
        about=About(row["about"]),
        queue=row["queue"],
        policy=row["policy"],
        steps=tuple(ChainStep.model_validate(step) for step in json.loads(row["steps"])),
        step=row["step"],
        round=row["round"],
        due_at=utc(row["due_at"]),
        state=ChainState(row["state"]),
        epoch=row["epoch"],
        seq=row["seq"],
        paged=tuple(json.loads(row["paged"])),
        given=row["given"],
        ended_by=None if by is None else Author(kind=AuthorKind(by), id=row["ended_by"], name=row["ended_by_name"]),
        reason=None if row["reason"] is None else Reason(row["reason"]),
        created_at=utc(row["created_at"]),
        ended_at=utc_or_none(row["ended_at"]),
    )


async def find(tx: Tx, id: str) -> RunningChain | None:
    """One chain, or None."""
    row = await tx.one("chains.get", id=id)
    return None if row is None else chain_of(row)


async def running_on(tx: Tx, thread: str) -> list[RunningChain]:
    """The chains that run on a thread and on its requests."""
    return [chain_of(row) for row in await tx.all("chains.running_of_thread", thread=thread)]


async def follow(tx: Tx, events: Sequence[Event]) -> None:
    """Have a look taken at what may begin a chain, and at what may end one that runs."""
    heard = [(event, event.thread) for event in events if event.type in HEARD and event.thread is not None]
    queues_with = {row["name"] for row in await tx.all("chains.queues")} if heard else set[str]()
    running = bool(heard) and await tx.one("chains.any_running") is not None
    for event, thread in heard if queues_with or running else ():
        # What ends a chain that this batch has asked for is seen when that begins.
        if await _may_begin(tx, event, thread, queues_with) or (running and await _may_end(tx, event, thread)):
            await jobs.enqueue(tx, LOOK, str(event.seq), thread=thread)


async def _may_begin(tx: Tx, event: Event, thread: str, queues_with: Collection[str]) -> bool:
    """Whether somebody may begin to wait with this event in a queue that has a chain, by what can be seen without a lock."""
    if not queues_with or not _begins(event):
        return False
    if event.type in _ASKED:
        request = await tx.one("requests.get", id=event.data["request"])
        return request is not None and (request["queue"] or DEFAULT_QUEUE) in queues_with
    # Customers write all day long to the AI and to operators: only who stands in a queue begins to wait there.
    found = await threads.find(tx, thread)
    if found is None or (event.type is not EventType.THREAD_ASSIGNED and found.assignment.to is not Holder.QUEUE):
        return False
    said = event.type is not EventType.MESSAGE_POSTED or await deeds.speaker(tx, event) is AuthorKind.CUSTOMER
    return said and (found.queue or DEFAULT_QUEUE) in queues_with


async def _may_end(tx: Tx, event: Event, thread: str) -> bool:
    return any([await stopping.reason_of(tx, chain, event) for chain in await running_on(tx, thread)])


def _begins(event: Event) -> bool:
    """Whether somebody may begin to wait with this event."""
    if event.type in (EventType.THREAD_ASSIGNED, EventType.MESSAGE_POSTED):
        return True
    return event.type in _ASKED or deeds.status_of(event) == Status.OPEN


async def look(tx: Tx, seq: int) -> None:
    """What an event has ended goes on no more, and what it begins, begins. It may come twice."""
    row = await tx.one("events.get", seq=seq)
    event = None if row is None else event_of(row)
    thread = None if event is None or event.thread is None else await threads.find_locked(tx, event.thread)
    if event is None or thread is None:
        return
    for chain in await running_on(tx, thread.id):
        await _stop(tx, thread, chain)
    if _begins(event):
        await _begin(tx, thread, event)


async def _stop(tx: Tx, thread: Thread, chain: RunningChain) -> bool:
    end = await stopping.end_of(tx, thread, chain)
    if end is not None:
        reason, by = end
        await finish(tx, chain, reason, by=Actor(kind=by.kind, id=by.id, name=by.name))
    return end is not None


async def finish(tx: Tx, chain: RunningChain, reason: Reason, *, by: Actor) -> None:
    """A chain goes on no more. The caller holds the thread's lock."""
    state = ChainState.DONE if reason is Reason.DONE else ChainState.STOPPED
    ended = await tx.run(
        "chains.end",
        id=chain.id, state=state, reason=reason, by_kind=by.kind, by=by.id, by_name=by.name, now=ms(tx.now),
    )  # fmt: skip
    if ended:
        await jobs.cancel(tx, STEP, chain.id)
        await _tell(tx, chain, EventType.CHAIN_STOPPED, by=by, reason=reason)


async def _begin(tx: Tx, thread: Thread, event: Event) -> None:
    request = None
    if event.type in _ASKED:
        request = await ledger.get(tx, str(event.data["request"]))
        queue = await queues.find(tx, request.queue or DEFAULT_QUEUE) if request.state is RequestState.OPEN else None
    else:
        queue = await _waits_in(tx, thread, event)
    rules = await policies.find(tx, Chain, Kind.CHAIN, queue.chain) if queue is not None else None
    if queue is None or rules is None or not _is_for(rules, thread, request):
        return
    first = upcoming(rules.steps, 0, 1)
    assert first is not None
    chain = RunningChain(
        id=tx.id("chain"), thread=thread.id, request=None if request is None else request.id,
        about=About.THREAD if request is None else About(request.kind), queue=queue.name, policy=queue.chain or "",
        steps=rules.steps, step=first.step, round=first.round, due_at=event.at + first.wait, state=ChainState.RUNNING,
        epoch=thread.epoch, seq=event.seq, created_at=tx.now,
    )  # fmt: skip
    if await stopping.end_of(tx, thread, chain) is None and await _insert(tx, chain):
        await jobs.enqueue(tx, STEP, chain.id, at=chain.due_at, thread=thread.id)
        await _tell(tx, chain, EventType.CHAIN_STARTED, by=SYSTEM, policy=chain.policy)


async def _waits_in(tx: Tx, thread: Thread, event: Event) -> Queue | None:
    """The queue in which somebody waits since this event: where the thread stands, or of an operator who was given it.

    Whoever takes a thread has acted. Where it has changed hands again, the event of that says what begins."""
    holder = thread.assignment
    if thread.status is not Status.OPEN or thread.waiting_since is None or holder.since > event.at:
        return None
    assigned = event.type is EventType.THREAD_ASSIGNED
    if assigned and deeds.epoch_of(event) != thread.epoch:
        return None
    if holder.to is Holder.QUEUE:
        return await queues.find(tx, holder.id or DEFAULT_QUEUE)
    given = assigned and holder.to is Holder.OPERATOR and event.actor.id != holder.id
    return await queues.find(tx, thread.queue or DEFAULT_QUEUE) if given else None


def _is_for(rules: Chain, thread: Thread, request: Request | None) -> bool:
    """Whether a chain is for this. What was passed on together with its thread is seen to by the chain of the thread."""
    if request is None:
        return About.THREAD in rules.on
    with_thread = ledger.goes_with_thread(request, thread) and About.THREAD in rules.on
    return About(request.kind) in rules.on and not with_thread


async def _insert(tx: Tx, chain: RunningChain) -> int:
    return await tx.run(
        "chains.insert",
        id=chain.id, thread=chain.thread, request=chain.request, about=chain.about, queue=chain.queue, policy=chain.policy,
        steps=json.dumps([step.model_dump(exclude_none=True) for step in chain.steps]), step=chain.step, round=chain.round,
        due_at=ms(chain.due_at), epoch=chain.epoch, seq=chain.seq, now=ms(tx.now),
    )  # fmt: skip


async def step(tx: Tx, id: str) -> None:
    """Do the step of a chain that is due, unless somebody has acted. It may come twice, and too early."""
    found = await find(tx, id)
    thread = None if found is None else await threads.find_locked(tx, found.thread)
    chain = await find(tx, id)
    if thread is None or chain is None or chain.state is not ChainState.RUNNING or await _stop(tx, thread, chain):
        return
    if chain.due_at > tx.now:
        await jobs.enqueue(tx, STEP, id, at=chain.due_at, thread=chain.thread)
    else:
        await _step(tx, thread, chain)


async def _step(tx: Tx, thread: Thread, chain: RunningChain) -> None:
    then = upcoming(chain.steps, chain.step + 1, chain.round)
    due = tx.now if then is None else tx.now + then.wait
    taken = await tx.run(
        "chains.take",
        id=chain.id, step=chain.step, round=chain.round, due_at=ms(due),
        next=len(chain.steps) if then is None else then.step, next_round=chain.round if then is None else then.round,
    )  # fmt: skip
    if not taken:
        return
    after, told = await paging.act(tx, thread, chain)
    await tx.run(
        "chains.keep", id=chain.id, paged=json.dumps(after.paged), queue=after.queue, epoch=after.epoch, given=after.given
    )
    await _tell(tx, chain, EventType.CHAIN_STEPPED, by=SYSTEM, step=chain.step, round=chain.round, told=told)
    if then is None:
        await finish(tx, chain, Reason.DONE, by=SYSTEM)
    else:
        await jobs.enqueue(tx, STEP, chain.id, at=due, thread=chain.thread)


async def _tell(tx: Tx, chain: RunningChain, type: EventType, *, by: Actor, **facts: object) -> None:
    data = {"chain": chain.id, **facts}
    if chain.request is not None:
        data["request"] = chain.request
    await feed.emit(tx, type, actor=by, thread=chain.thread, data=data)
