"""Threads: opened, changed, listed, deleted. The row of a thread is its lock and its counter."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.assignments import Cause, Holder
from deskmate.domain.events import EventType
from deskmate.domain.messages import readable
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, redact_thread, require
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.states import move
from deskmate.domain.threads import STATUS_MOVES, Mode, Priority, Status, Thread, tagged
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services import customers, feed, findable, offers, queues
from deskmate.services.erasure import delete_thread as delete
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.rows import thread_of
from deskmate.store.times import ms

__all__ = ["SNOOZE", "Threads", "change", "delete", "find", "get", "lock", "open_", "set_status", "thread_of"]

SNOOZE = "snooze"
"""The kind of the job that opens a snoozed thread when its time has come."""


async def find(tx: Tx, id: str) -> Thread | None:
    """One thread, or None."""
    row = await tx.one("threads.get", id=id)
    return None if row is None else thread_of(row)


async def get(tx: Tx, id: str) -> Thread:
    """One thread. Raises NotFound."""
    thread = await find(tx, id)
    if thread is None:
        raise NotFound("there is no such thread", field="thread")
    return thread


async def find_locked(tx: Tx, id: str) -> Thread | None:
    """The thread, for the rest of this transaction: whoever else writes to it waits. None where there is none."""
    row = await tx.one("threads.lock", id=id)
    return None if row is None else thread_of(row)


async def lock(tx: Tx, id: str) -> Thread:
    """The same. Raises NotFound."""
    thread = await find_locked(tx, id)
    if thread is None:
        raise NotFound("there is no such thread", field="thread")
    return thread


async def open_(
    tx: Tx,
    *,
    customer: str | None = None,
    subject: str | None = None,
    summary: str | None = None,
    metadata: Mapping[str, object] | None = None,
    mode: Mode = Mode.AUTO,
    priority: Priority = Priority.NORMAL,
    queue: str | None = None,
    tags: Sequence[str] = (),
    language: str | None = None,
    imported: bool = False,
    actor: Actor,
) -> Thread:
    """A new thread, held by the AI; `imported` where it began elsewhere. A customer whom nobody has met yet is made known."""
    if customer is not None:
        await customers.ensure(tx, customer, name=actor.name if (actor.kind, actor.id) == (AuthorKind.CUSTOMER, customer) else "")
    id, now = tx.id("thread"), ms(tx.now)
    reason = "the thread was opened"
    subject = _text(subject)
    await tx.run(
        "threads.insert",
        id=id, customer=customer, subject=subject, summary=_text(summary), reason=reason, mode=mode, priority=priority,
        queue=queue, tags=_tags(tagged((), tags=tags)), language=language, metadata=json.dumps(dict(metadata or {})), now=now,
    )  # fmt: skip
    await findable.subject(tx, id, None, subject)
    await tx.run(
        "assignments.insert",
        id=tx.id("assignment"), thread=id, epoch=0, cause=Cause.OPENED, to=Holder.AI, holder=None, holder_name=None,
        reason=reason, note=None, by_kind=actor.kind, by_id=actor.id, by_name=actor.name,
        queue=None, waited=None, now=now,
    )  # fmt: skip
    data: dict[str, object] = {"customer": customer, "queue": queue, "priority": priority}
    if imported:
        data["imported"] = True
    await feed.emit(tx, EventType.THREAD_OPENED, actor=actor, thread=id, data=data)
    return await get(tx, id)


def _tags(tags: Sequence[str]) -> str:
    return json.dumps([readable(tag) for tag in tags])


def _text(text: str | None) -> str | None:
    return None if not text else readable(text)


async def change(
    tx: Tx,
    id: str,
    *,
    subject: str | None = None,
    summary: str | None = None,
    status: Status | None = None,
    snoozed_until: datetime | None = None,
    mode: Mode | None = None,
    priority: Priority | None = None,
    tags: Sequence[str] | None = None,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    language: str | None = None,
    metadata: Mapping[str, object] | None = None,
    actor: Actor,
) -> Thread:
    """Set facts of a thread; what is None stays, and an empty text is none. Raises NotFound, Conflict, Invalid.

    A thread that is snoozed without a time rests until its customer writes; with a time, at the longest until then.
    """
    was = await lock(tx, id)
    then = was.status if status is None else move(STATUS_MOVES, was.status, status)
    if snoozed_until is not None:
        _check_snooze(then, snoozed_until, tx.now)
    now = replace(
        was,
        subject=was.subject if subject is None else _text(subject),
        summary=was.summary if summary is None else _text(summary),
        status=then,
        snoozed_until=_until(was, status, snoozed_until) if then is Status.SNOOZED else None,
        mode=mode or was.mode,
        priority=priority or was.priority,
        tags=tagged(was.tags, tags=tags, add=add_tags, remove=remove_tags),
        language=was.language if language is None else _text(language),
        metadata=was.metadata if metadata is None else dict(metadata),
    )
    return was if now == was else await _store_change(tx, was, now, actor)


def _check_snooze(status: Status, until: datetime, now: datetime) -> None:
    if status is not Status.SNOOZED:
        raise Invalid("only a snoozed thread has a time at which it opens again", field="snoozed_until")
    if until.tzinfo is None:
        raise Invalid("snoozed_until needs a time zone", field="snoozed_until")
    if until <= now:
        raise Invalid("snoozed_until has passed already", field="snoozed_until")


def _until(was: Thread, status: Status | None, until: datetime | None) -> datetime | None:
    """Whoever snoozes says how long, also where it was snoozed before; any other change leaves that as it is."""
    return was.snoozed_until if status is None and until is None else until


async def _store_change(tx: Tx, was: Thread, now: Thread, actor: Actor) -> Thread:
    await tx.run(
        "threads.change",
        id=now.id, subject=now.subject, summary=now.summary, status=now.status, snoozed_until=ms(now.snoozed_until),
        mode=now.mode, priority=now.priority, tags=_tags(now.tags), language=now.language,
        metadata=json.dumps(dict(now.metadata)), now=ms(tx.now),
    )  # fmt: skip
    if was.status is not now.status and was.assignment.to is Holder.OPERATOR:
        await tx.run("assignments.end_lease", thread=now.id)
        await offers.room(tx, was.assignment.id)
    if was.status is not now.status and now.status is Status.OPEN and was.assignment.to is Holder.QUEUE:
        await offers.thread(tx, now.id, await queues.ensure(tx, was.assignment.id or DEFAULT_QUEUE))
    if now.snoozed_until != was.snoozed_until:
        await _set_timer(tx, now)
    if now.subject != was.subject:
        await findable.subject(tx, now.id, was.subject, now.subject)
    facts = ("subject", "summary", "status", "snoozed_until", "mode", "priority", "tags", "language", "metadata")
    changed = [fact for fact in facts if getattr(was, fact) != getattr(now, fact)]
    data = {"changed": changed, "status": now.status, "priority": now.priority}
    await feed.emit(tx, EventType.THREAD_CHANGED, actor=actor, thread=now.id, data=data)
    return await get(tx, now.id)


async def _set_timer(tx: Tx, thread: Thread) -> None:
    if thread.snoozed_until is None:
        await jobs.cancel(tx, SNOOZE, thread.id)
    else:
        await jobs.enqueue(tx, SNOOZE, thread.id, at=thread.snoozed_until, thread=thread.id)


async def set_status(tx: Tx, thread: Thread, status: Status, *, actor: Actor) -> Thread:
    """Open, snooze or resolve a thread."""
    return await change(tx, thread.id, status=status, actor=actor)


class Threads:
    """The threads of a desk. `by` is whoever does it; without it, the desk itself."""

    def __init__(self, store: Store, *, mode: Mode = Mode.AUTO) -> None:
        self._store = store
        self._mode = mode

    async def open(
        self,
        *,
        customer: str | None = None,
        subject: str | None = None,
        summary: str | None = None,
        metadata: Mapping[str, object] | None = None,
        mode: Mode | None = None,
        priority: Priority = Priority.NORMAL,
        queue: str | None = None,
        tags: Sequence[str] = (),
        language: str | None = None,
        by: By = SYSTEM,
    ) -> Thread:
        """Open a thread, for a customer of yours or for nobody. Customers open their own only. Without a mode it
        has that of the desk. Raises Forbidden, Invalid."""
        actor = actor_of(by)
        require(actor, Action.THREAD_OPEN)
        if actor.kind is AuthorKind.CUSTOMER and customer != actor.id:
            raise Forbidden("you can open threads of your own only", field="customer")
        opened = await self._store.write(
            lambda tx: open_(
                tx, customer=customer, subject=subject, summary=summary, metadata=metadata, mode=mode or self._mode,
                priority=priority, queue=queue, tags=tags, language=language, actor=actor,
            )
        )  # fmt: skip
        return redact_thread(opened, actor)

    async def get(self, thread: str, *, by: By = SYSTEM) -> Thread:
        """One thread, as far as the actor may see it. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Thread:
            found = await get(tx, thread)
            require(actor, Action.THREAD_READ, owner=found.customer)
            return redact_thread(found, actor)

        return await self._store.read(body)

    async def change(
        self,
        thread: str,
        *,
        subject: str | None = None,
        summary: str | None = None,
        status: Status | None = None,
        snoozed_until: datetime | None = None,
        mode: Mode | None = None,
        priority: Priority | None = None,
        tags: Sequence[str] | None = None,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        language: str | None = None,
        metadata: Mapping[str, object] | None = None,
        by: By = SYSTEM,
    ) -> Thread:
        """Set facts of a thread; what is None stays, and an empty text is none. Raises NotFound, Forbidden, Conflict, Invalid.

        A thread that is snoozed without a time rests until its customer writes; with a time, at the longest until then.
        `add_tags` and `remove_tags` leave what others tag meanwhile as it is.
        """
        actor = actor_of(by)

        async def body(tx: Tx) -> Thread:
            require(actor, Action.THREAD_CHANGE, owner=(await lock(tx, thread)).customer)
            return await change(
                tx, thread, subject=subject, summary=summary, status=status, snoozed_until=snoozed_until, mode=mode,
                priority=priority, tags=tags, add_tags=add_tags, remove_tags=remove_tags, language=language, metadata=metadata,
                actor=actor,
            )  # fmt: skip

        return await self._store.write(body)

    async def page(
        self,
        *,
        customer: str | None = None,
        status: Status | None = None,
        order: Literal["newest", "oldest"] = "newest",
        cursor: str | None = None,
        limit: int = 50,
        by: By = SYSTEM,
    ) -> Page[Thread]:
        """Threads by age, of one customer or of all. Raises Forbidden, BadCursor, Invalid."""
        actor = actor_of(by)
        require(actor, Action.THREAD_LIST)
        if actor.kind is AuthorKind.CUSTOMER and customer != actor.id:
            raise Forbidden("you can list threads of your own only", field="customer")
        check_limit(limit)
        name = f"threads.{order}"
        at, id = (2**62 if order == "newest" else -1, "") if cursor is None else place_of(cursor, name, int, str)

        async def body(tx: Tx) -> Page[Thread]:
            if customer is None:
                rows = await tx.all(name, status=status, at=at, id=id, limit=limit + 1)
            else:
                rows = await tx.all(f"{name}_of_customer", customer=customer, status=status, at=at, id=id, limit=limit + 1)
            kept, last = cut(rows, limit)
            return Page(
                items=tuple(redact_thread(thread_of(row), actor) for row in kept),
                cursor=None if last is None else cursor_of(name, last["created_at"], last["id"]),
            )

        return await self._store.read(body)

    async def of_customer(
        self, *, by: Actor, status: Status | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Thread]:
        """The customer's own threads, newest first. Raises BadCursor, Invalid."""
        if by.kind is not AuthorKind.CUSTOMER:
            raise Forbidden("only customers have threads of their own")
        return await self.page(customer=by.id, status=status, cursor=cursor, limit=limit, by=by)

    async def delete(self, thread: str, *, by: By = SYSTEM) -> None:
        """Remove a thread with all its messages. One that is gone already is no error. Raises Forbidden."""
        actor = actor_of(by)
        require(actor, Action.THREAD_DELETE)
        await self._store.write(lambda tx: delete(tx, thread, actor=actor))
