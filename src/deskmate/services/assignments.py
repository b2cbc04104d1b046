"""Assignments: takeover, transfer, hand-back, escalation, release. Each raises the epoch, and what the old one was doing ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM, Actor, Author, AuthorKind, Role
from deskmate.domain.assignments import Assignment, Cause, Holder, cause_of, parse_target
from deskmate.domain.events import EventType
from deskmate.domain.messages import NewMessage, Text, Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.requests import RequestState
from deskmate.domain.runs import Run
from deskmate.domain.threads import Status, Thread
from deskmate.errors import EpochMoved, Forbidden, Invalid
from deskmate.services import applying, feed, ledger, messages, offers, operators, queues, runs, threads, writer
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms, utc

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of a thread's history of hands."""

    epoch: int
    cause: Cause
    to: Holder
    id: str | None
    name: str | None
    reason: str
    note: str | None
    by: Author
    at: datetime


async def change(
    tx: Tx,
    thread: Thread,
    to: Assignment,
    cause: Cause,
    *,
    by: Actor,
    note: str | None = None,
    waiting: bool,
    spare: Run | None = None,
    keep: bool = False,
    lease_until: datetime | None = None,
) -> Thread:
    """Give the thread to another holder. The caller holds its lock. Runs of the old epoch end first, so that what they said
    stands before the event of the change; the run that makes the change itself is spared, and goes on in the new epoch. With
    `keep` what people were asked on the thread stays open. `lease_until` is when an operator has to have given a sign of life."""
    for run in await runs.live(tx, thread.id):
        if spare is not None and run.id == spare.id:
            continue
        await applying.cancel_run(tx, run, actor=by, reason=cause)
        if not run.pinned:
            # What it was asked stands unanswered again, also where it had paused and would have answered later.
            await tx.run("assignments.unanswered", thread=thread.id, order=run.prompt_order)
    if spare is None:
        await writer.fail_pending(tx, thread.id, "taken_over")
    if not keep:
        await ledger.close_all(tx, thread.id, RequestState.CANCELLED, by=by)
    # A call in doubt is for a person to settle, whoever holds the thread.
    waiting = waiting or bool(await ledger.waiting(tx, thread.id))
    waiting_since = (thread.waiting_since or tx.now) if waiting else None
    moved = await tx.run(
        "assignments.move",
        thread=thread.id, epoch=thread.epoch, to=to.to, holder=to.id, holder_name=to.name, reason=to.reason,
        queue=to.id if to.to is Holder.QUEUE else None, waiting_since=ms(waiting_since),
        lease_until=ms(lease_until), now=ms(tx.now),
    )  # fmt: skip
    if not moved:
        raise EpochMoved()
    was = thread.assignment
    taken = was.to is Holder.QUEUE and to.to is Holder.OPERATOR
    await tx.run(
        "assignments.insert",
        id=tx.id("assignment"), thread=thread.id, epoch=thread.epoch + 1, cause=cause, to=to.to, holder=to.id,
        holder_name=to.name, reason=to.reason, note=note, by_kind=by.kind, by_id=by.id, by_name=by.name,
        queue=was.id if taken else None, waited=(tx.now - was.since) // MILLISECOND if taken else None, now=ms(tx.now),
    )  # fmt: skip
    data: dict[str, object] = {
        "cause": cause,
        "from": {"to": was.to, "id": was.id, "name": was.name},
        "to": {"to": to.to, "id": to.id, "name": to.name},
        "reason": to.reason,
        "epoch": thread.epoch + 1,
    }
    if note:
        data["note"] = note
    await feed.emit(tx, EventType.THREAD_ASSIGNED, actor=by, thread=thread.id, data=data)
    if spare is not None:
        await runs.enter(tx, spare, thread.epoch + 1)
    if to.to is Holder.QUEUE:
        await offers.thread(tx, thread.id, await queues.ensure(tx, to.id or DEFAULT_QUEUE))
    if was.to is Holder.OPERATOR:
        if cause is Cause.RELEASE:
            await tx.run("choices.missed", thread=thread.id, request=None, operator=was.id, now=ms(tx.now))
        await offers.room(tx, was.id)
    return await threads.get(tx, thread.id)


async def to_queue(
    tx: Tx, thread: Thread, *, by: Actor, reason: str, cause: Cause = Cause.ESCALATION, keep: bool = False
) -> Thread:
    """Let the thread wait for whoever works its queue."""
    queue = thread.queue or DEFAULT_QUEUE
    holder = Assignment(to=Holder.QUEUE, id=queue, name=queue, since=tx.now, reason=reason)
    return await change(tx, thread, holder, cause, by=by, waiting=True, keep=keep)


async def history(tx: Tx, thread: str) -> list[Change]:
    """Every change of hands, oldest first."""
    return [
        Change(
            epoch=row["epoch"],
            cause=Cause(row["cause"]),
            to=Holder(row["to"]),
            id=row["holder"],
            name=row["holder_name"],
            reason=row["reason"],
            note=row["note"],
            by=Author(kind=AuthorKind(row["by_kind"]), id=row["by_id"], name=row["by_name"]),
            at=utc(row["created_at"]),
        )
        for row in await tx.all("assignments.history", thread=thread)
    ]


async def marker_text(tx: Tx, thread: Thread, note: str | None, *, by: Actor) -> str:
    """What the model is told when people give a thread back: who handled what, and the note."""
    changes = await history(tx, thread.id)
    people = [c for c in changes if c.to is Holder.OPERATOR]
    since = next((c for c in reversed(changes[:-1] if changes else []) if c.to is Holder.AI), None)
    names = sorted({c.name or "an operator" for c in people if since is None or c.epoch > since.epoch})
    lines = [f"{' and '.join(names) or 'The team'} handled this conversation and handed it back to the AI."]
    unfinished = await messages.cut_off(tx, thread.id, since=ms(since.at) if since else 0)
    lines += [f'The AI had begun to write, and was stopped: "{text}"' for text in unfinished]
    if note:
        lines.append(f"Note from {by.name or 'the team'}: {note}")
    lines.append("Go on from here; do not repeat what has been said.")
    return "\n".join(lines)


class Assignments:
    """Who holds which thread."""

    def __init__(self, store: Store, default_agent: Callable[[], str | None]) -> None:
        self._store = store
        self._default_agent = default_agent

    async def assign(self, thread: str, to: str, *, by: By, note: str | None = None, epoch: int | None = None) -> Thread:
        """Take over, transfer, release or hand back: `to` is `ai`, `queue:NAME` or `operator:ID`.

        With `epoch` the change happens only if nobody was faster. Raises EpochMoved naming the holder, Invalid, NotFound.
        """
        actor = actor_of(by)
        return await self._store.write(lambda tx: self.give(tx, thread, to, by=actor, note=note, epoch=epoch))

    async def give(self, tx: Tx, thread: str, to: str, *, by: Actor, note: str | None = None, epoch: int | None = None) -> Thread:
        """The same, in a transaction that does more."""
        holder, holder_id = parse_target(to)
        found = await threads.lock(tx, thread)
        require(by, Action.THREAD_ASSIGN, owner=found.customer)
        check_epoch(found, epoch)
        if (found.assignment.to, found.assignment.id) == (holder, holder_id):
            return found
        target = await self._target(tx, found, holder, holder_id, by)
        cause = cause_of(found.assignment.to, holder)
        if holder is Holder.OPERATOR:
            await _check_room(tx, found, holder_id, by)
        unanswered = found.waiting_since is not None or found.prompt_order > found.answered_order
        # A run that people have just answered was about to speak: it will not, so somebody else has to.
        unanswered = unanswered or bool(await runs.live(tx, thread))
        waiting = holder is not Holder.AI and (holder is Holder.QUEUE or unanswered)
        changed = await change(tx, found, target, cause, by=by, note=note, waiting=waiting)
        if holder is not Holder.AI:
            return changed
        return await self._hand_back(tx, changed, by, note, owed=found.waiting_since is not None)

    async def history(self, thread: str, *, by: By) -> list[Change]:
        """Every change of hands of a thread, oldest first."""

        async def body(tx: Tx) -> list[Change]:
            found = await threads.get(tx, thread)
            require(actor_of(by), Action.MESSAGE_READ_HIDDEN, owner=found.customer)
            return await history(tx, thread)

        return await self._store.read(body)

    async def _target(self, tx: Tx, thread: Thread, to: Holder, id: str | None, by: Actor) -> Assignment:
        match to:
            case Holder.AI:
                name = self._default_agent()
                if name is None:
                    raise Invalid("no agent is registered that could answer", field="to")
                return Assignment(to=to, since=tx.now, reason=f"{by.name} handed back")
            case Holder.QUEUE:
                if id is None or len(id) > 100 or not id.isprintable():
                    raise Invalid("a queue has a name of at most 100 printable characters", field="to")
                return Assignment(to=to, id=id, name=id, since=tx.now, reason=f"{by.name} gave it to the queue {id}")
            case Holder.OPERATOR:
                operator = await operators.get(tx, id or "", field="to")
                if operator.disabled:
                    raise Forbidden(f"{operator.name} does not work here any more", field="to")
                verb = "took over" if operator.id == by.id else f"gave it to {operator.name}"
                return Assignment(to=to, id=operator.id, name=operator.name, since=tx.now, reason=f"{by.name} {verb}")

    async def _hand_back(self, tx: Tx, thread: Thread, by: Actor, note: str | None, *, owed: bool) -> Thread:
        """Write the marker on the next order. It is the prompt of the next run, which starts now if the customer still waits: for
        an answer of the AI, or (`owed`) for the person whom the AI had promised."""
        marker = NewMessage(
            role="system",
            parts=(Text(text=await marker_text(tx, thread, note, by=by)),),
            author=SYSTEM.author,
            visibility=Visibility.NOTE,
        )
        stored = (await messages.insert(tx, thread.id, [marker], order="next", actor=by))[0]
        agent = self._default_agent()
        if agent is not None and (owed or thread.prompt_order > thread.answered_order):
            await tx.run("assignments.asks", thread=thread.id, order=stored.order)
            await runs.queue(tx, thread, agent, prompt=stored.id, prompt_order=stored.order, actor=by)
        return await threads.get(tx, thread.id)


async def _check_room(tx: Tx, thread: Thread, operator: str | None, by: Actor) -> None:
    """Whoever stops the AI, and leads, need no room; what is taken from a queue, or given to somebody else, does. Raises
    AtCapacity."""
    stops_ai = thread.assignment.to is Holder.AI and operator == by.id
    if not stops_ai and by.role not in (Role.LEAD, Role.ADMIN) and by.kind is AuthorKind.OPERATOR:
        await operators.check_room(tx, operator, 0 if thread.status is not Status.OPEN else thread.weight)


def check_epoch(thread: Thread, epoch: int | None) -> None:
    """Raise EpochMoved, naming the holder, when the thread changed hands since the caller looked."""
    if epoch is not None and epoch != thread.epoch:
        holder = thread.assignment
        raise EpochMoved(
            f"{holder.name or holder.to} holds the thread since {holder.since.isoformat()}",
            holder={"to": holder.to, "id": holder.id, "name": holder.name},
            epoch=thread.epoch,
        )
