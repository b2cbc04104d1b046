"""Queueing: the verbs on queues: make, change, read them, and take the next thing that waits in them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM
from deskmate.domain.assignments import Holder
from deskmate.domain.calendars import Calendar, calendar_json, calendar_of
from deskmate.domain.events import EventType
from deskmate.domain.operators import By, actor_of, chosen, labels
from deskmate.domain.permissions import Action, require
from deskmate.domain.policies import Kind
from deskmate.domain.queues import DEFAULT_QUEUE, Candidate, Choice, Chooser, Queue, Wait, queue_name
from deskmate.errors import Conflict, Invalid
from deskmate.services import choosing, feed, offers, policies, queues, threads
from deskmate.services.choosing import Found
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

SHORTEST_LEASE, LONGEST_LEASE = timedelta(seconds=10), timedelta(days=1)
MOST_CHOICES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """What waits in a queue: how many threads (counted up to a thousand), and since when the oldest."""

    queue: Queue
    waiting: int
    since: datetime | None


def _choice_of(row: Row) -> Choice:
    return Choice(
        id=row["id"],
        thread=row["thread"],
        request=row["request"],
        queue=row["queue"],
        operator=row["operator"],
        operator_name=row["operator_name"],
        reason=row["reason"],
        candidates=tuple(Candidate(**candidate) for candidate in json.loads(row["candidates"])),
        missed_at=utc_or_none(row["missed_at"]),
        created_at=utc(row["created_at"]),
    )


class Queues:
    """The lines people work. `by` is who asks; a program that embeds the desk acts as the desk itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(
        self,
        name: str,
        *,
        skills: Sequence[str] = (),
        chooser: Chooser | str = Chooser.PULL,
        calendar: Calendar | object | None = None,
        lease: timedelta | None = None,
        sla: str | None = None,
        response: str | None = None,
        chain: str | None = None,
        by: By = SYSTEM,
    ) -> Queue:
        """A new queue. `calendar` may be written as `calendar_of` reads it; `sla`, `response` and `chain` name policies.

        Raises Conflict, Invalid, Forbidden.
        """
        actor = actor_of(by)
        require(actor, Action.QUEUE_MANAGE)
        tidy = queue_name(name, "name")
        facts = _facts(skills, chooser, calendar, lease) | _policies(sla, response, chain)

        async def body(tx: Tx) -> Queue:
            if not await tx.run("queues.ensure", name=tidy, now=ms(tx.now)):
                raise Conflict(f"there is a queue {tidy} already", field="name")
            return await _change(tx, await queues.get(tx, tidy), facts, by=by, added=True)

        return await self._store.write(body)

    async def change(
        self,
        name: str,
        *,
        skills: Sequence[str] | None = None,
        chooser: Chooser | str | None = None,
        calendar: Calendar | object | None = None,
        always_open: bool = False,
        lease: timedelta | None = None,
        sla: str | None = None,
        response: str | None = None,
        chain: str | None = None,
        by: By = SYSTEM,
    ) -> Queue:
        """Change what is given; `always_open` takes the calendar away, an empty name a policy.

        Raises NotFound, Invalid, Forbidden.
        """
        require(actor_of(by), Action.QUEUE_MANAGE)
        facts = _facts(skills, chooser, calendar, lease) | _policies(sla, response, chain)
        if always_open:
            facts["calendar"] = None
        return await self._store.write(lambda tx: _named(tx, name, by, facts))

    async def get(self, name: str, *, by: By = SYSTEM) -> Queue:
        """One queue. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.QUEUE_READ)
        return await self._store.read(lambda tx: queues.get(tx, name))

    async def list(self, *, by: By = SYSTEM) -> tuple[Depth, ...]:
        """Every queue, by name, with what waits in it. Raises Forbidden."""
        require(actor_of(by), Action.QUEUE_READ)

        async def body(tx: Tx) -> tuple[Depth, ...]:
            known = {queue.name: queue for queue in await queues.every(tx)}
            return tuple(
                Depth(queue=known[row["name"]], waiting=row["waiting"], since=utc_or_none(row["since"]))
                for row in await tx.all("queues.depths")
            )

        return await self._store.read(body)

    async def delete(self, name: str, *, by: By = SYSTEM) -> None:
        """Forget a queue. Raises Conflict while something waits in it, and for the one of those without a queue; NotFound."""
        actor = actor_of(by)
        require(actor, Action.QUEUE_MANAGE)
        if name == DEFAULT_QUEUE:
            raise Conflict(f"what is in no queue waits in {DEFAULT_QUEUE}", field="queue")

        async def body(tx: Tx) -> None:
            await queues.get(tx, name)
            if not await tx.run("queues.delete", name=name):
                raise Conflict(f"something waits in {name}: move it first", field="queue")
            await feed.emit(tx, EventType.QUEUE_CHANGED, actor=actor, thread=None, data={"queue": name, "changed": ["deleted"]})

        await self._store.write(body)

    async def wait(self, thread: str, *, by: By) -> Wait | None:
        """What somebody who waits on this thread can be told; None where it does not stand in a queue. Raises NotFound."""

        async def body(tx: Tx) -> Wait | None:
            found = await threads.get(tx, thread)
            require(actor_of(by), Action.THREAD_READ, owner=found.customer)
            return await queues.wait(tx, found) if found.assignment.to is Holder.QUEUE else None

        return await self._store.read(body)

    async def next(self, *, by: By) -> Found | None:
        """The next thread or request for an operator, claimed: the most urgent, then the longest waiting, of what they may be
        given and have room for. None where there is none. Raises Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Found | None:
            require(actor, Action.REQUEST_CLAIM)
            require(actor, Action.THREAD_ASSIGN)
            return await choosing.claim_next(tx, actor)

        return await choosing.claim(self._store, body)

    async def choices(self, thread: str, *, by: By) -> tuple[Choice, ...]:
        """Who was chosen for a thread and the requests on it, newest first, from whom and why. Raises NotFound, Forbidden."""

        async def body(tx: Tx) -> tuple[Choice, ...]:
            found = await threads.get(tx, thread)
            require(actor_of(by), Action.MESSAGE_READ_HIDDEN, owner=found.customer)
            return tuple(_choice_of(row) for row in await tx.all("choices.of_thread", thread=thread, limit=MOST_CHOICES))

        return await self._store.read(body)


def _facts(
    skills: Sequence[str] | None, chooser: Chooser | str | None, calendar: Calendar | object | None, lease: timedelta | None
) -> dict[str, object]:
    """What is given, checked. Raises Invalid, naming the field."""
    facts: dict[str, object] = {}
    if skills is not None:
        facts["skills"] = labels(skills, "skills")
    if chooser is not None:
        facts["chooser"] = chosen(Chooser, chooser, "chooser")
    if calendar is not None:
        facts["calendar"] = calendar if isinstance(calendar, Calendar) else calendar_of(calendar)
    if lease is not None:
        if not SHORTEST_LEASE <= lease <= LONGEST_LEASE:
            raise Invalid("a lease is from ten seconds to a day", field="lease_seconds")
        facts["lease"] = lease
    return facts


def _policies(sla: str | None, response: str | None, chain: str | None) -> dict[str, object]:
    """The policies that are named; an empty name is none."""
    named = {Kind.SLA: sla, Kind.RESPONSE: response, Kind.CHAIN: chain}
    return {str(kind): name or None for kind, name in named.items() if name is not None}


async def _named(tx: Tx, name: str, by: By, facts: dict[str, object]) -> Queue:
    return await _change(tx, await queues.get(tx, name), facts, by=by)


async def _change(tx: Tx, was: Queue, facts: dict[str, object], *, by: By, added: bool = False) -> Queue:
    now = replace(was, **facts)  # pyright: ignore[reportArgumentType]
    changed = [name for name in facts if getattr(was, name) != getattr(now, name)]
    if not changed and not added:
        return was
    for kind in (Kind.SLA, Kind.RESPONSE, Kind.CHAIN):
        if kind in changed:
            await policies.check_name(tx, kind, getattr(now, kind), kind)
    await tx.run(
        "queues.change",
        name=now.name, skills=json.dumps(now.skills, ensure_ascii=False), chooser=now.chooser,
        calendar=None if now.calendar is None else json.dumps(calendar_json(now.calendar)),
        lease_seconds=int(now.lease.total_seconds()), sla=now.sla, response=now.response, chain=now.chain,
    )  # fmt: skip
    data = {"queue": now.name, "changed": ["added"] if added else changed}
    await feed.emit(tx, EventType.QUEUE_CHANGED, actor=actor_of(by), thread=None, data=data)
    if now.chooser is not Chooser.PULL:
        await offers.backlog(tx)
    return now
