"""Deferrals: escalations past their budget, kept until there is room for them. One for each thread (P11: never dropped)."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.escalations import Escalation
from deskmate.domain.limits import Refusal
from deskmate.domain.threads import Thread
from deskmate.store import jobs
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms, utc

TIMER = "deferral"
"""The kind of the job that has an escalation happen when its time has come. It names the thread."""
PATIENCE = timedelta(hours=24)
"""How long there may be no room for an escalation. Then it happens all the same: nobody waits for ever (P5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """What was asked, by whom, and when it happens. It is about the thread as it was held at `epoch`."""

    thread: str
    epoch: int
    asked: Escalation
    by: Actor
    due_at: datetime
    created_at: datetime


def deferral_of(row: Row) -> Deferral:
    """A stored row as a deferral."""
    return Deferral(
        thread=row["thread"],
        epoch=row["epoch"],
        asked=Escalation(**json.loads(row["asked"])),
        by=Actor(kind=AuthorKind(row["by_kind"]), id=row["by_id"], name=row["by_name"]),
        due_at=utc(row["due_at"]),
        created_at=utc(row["created_at"]),
    )


async def find(tx: Tx, thread: str) -> Deferral | None:
    """The escalation that a thread waits for."""
    row = await tx.one("deferrals.get", thread=thread)
    return None if row is None else deferral_of(row)


async def standing(tx: Tx, thread: Thread, *, by: Actor) -> Deferral | None:
    """The one that whoever asks now has to wait for as well. A customer who asks themselves is not put off with an agent's."""
    found = await find(tx, thread.id) if thread.limited else None
    if found is None or found.epoch != thread.epoch:
        return None
    customer = AuthorKind.CUSTOMER
    return None if by.kind is customer and found.by.kind is not customer else found


async def put(tx: Tx, thread: Thread, asked: Escalation, refusal: Refusal, *, by: Actor) -> Deferral:
    """Keep an escalation until there is room again, if that is soon, and no longer than the one it takes the place of."""
    earlier = await find(tx, thread.id)
    due = min(refusal.until, tx.now + PATIENCE)
    if earlier is not None and earlier.epoch == thread.epoch:
        due = min(due, earlier.due_at)
    await tx.run(
        "deferrals.put",
        thread=thread.id, epoch=thread.epoch, policy=refusal.policy, asked=json.dumps(asdict(asked)), by_kind=by.kind,
        by_id=by.id, by_name=by.name, due_at=ms(due), now=ms(tx.now),
    )  # fmt: skip
    await jobs.enqueue(tx, TIMER, thread.id, at=due, thread=thread.id)
    return Deferral(thread=thread.id, epoch=thread.epoch, asked=asked, by=by, due_at=due, created_at=tx.now)


async def postpone(tx: Tx, found: Deferral, refusal: Refusal) -> None:
    """There is no room for it yet: others were faster."""
    due = min(refusal.until, found.created_at + PATIENCE)
    await tx.run("deferrals.postpone", thread=found.thread, due_at=ms(due), policy=refusal.policy)
    await jobs.enqueue(tx, TIMER, found.thread, at=due, thread=found.thread)


async def settled(tx: Tx, thread: Thread, found: Deferral) -> bool:
    """Whether people have had the thread since, or have answered the customer."""
    if thread.epoch != found.epoch:
        return True
    return await tx.one("deferrals.spoken", thread=thread.id, since=ms(found.created_at)) is not None
