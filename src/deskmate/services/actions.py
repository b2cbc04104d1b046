"""Actions: the same done to many threads, each for itself. One that is refused does not hold up the others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.actors import Actor
from deskmate.domain.assignments import parse_target
from deskmate.domain.messages import Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.threads import Priority, Status, Thread, labels
from deskmate.errors import DeskmateError, Invalid
from deskmate.services import posting, threads
from deskmate.services.assignments import Assignments
from deskmate.services.posting import DefaultAgent
from deskmate.services.texts import clean
from deskmate.store.base import Store, Tx

MOST_THREADS = 200
AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What became of one thread: the thread as it is now, or why nothing was done to it."""

    id: str
    thread: Thread | None = None
    error: DeskmateError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadAction:
    """What to do to each thread: it changes hands first, then its facts are set, then the note is written."""

    status: Status | None = None
    snoozed_until: datetime | None = None
    priority: Priority | None = None
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    assign: str | None = None
    note: str | None = None

    @property
    def changes(self) -> bool:
        """Whether it sets facts of the thread."""
        return bool(self.status or self.snoozed_until or self.priority or self.add_tags or self.remove_tags)


class Actions:
    """The same done to many threads."""

    def __init__(self, store: Store, assignments: Assignments, default_agent: DefaultAgent) -> None:
        self._store = store
        self._assignments = assignments
        self._default_agent = default_agent

    async def apply(self, threads: Sequence[str], action: ThreadAction, *, by: By) -> list[Acted]:
        """Do it to each of at most 200 threads, in a transaction of its own: all of it, or nothing.

        A thread named twice comes once. Raises Forbidden, and Invalid where it could be done to none of them.
        """
        actor = actor_of(by)
        _check(threads, action, actor)
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(id: str) -> Acted:
            async with turn:
                try:
                    return Acted(id=id, thread=await self._store.write(lambda tx: self._act(tx, id, action, actor)))
                except DeskmateError as error:
                    # Where one thread is given to somebody, that is called `to`.
                    error.field = "assign" if error.field == "to" else error.field
                    return Acted(id=id, error=error)

        return await asyncio.gather(*(one(id) for id in dict.fromkeys(threads)))

    async def _act(self, tx: Tx, id: str, action: ThreadAction, actor: Actor) -> Thread:
        await threads.lock(tx, id)
        if action.assign is not None:
            await self._assignments.give(tx, id, action.assign, by=actor)
        if action.changes:
            await threads.change(
                tx, id, status=action.status, snoozed_until=action.snoozed_until, priority=action.priority,
                add_tags=action.add_tags, remove_tags=action.remove_tags, actor=actor,
            )  # fmt: skip
        if action.note is not None:
            await posting.post(tx, id, action.note, actor=actor, visibility=Visibility.NOTE, agent=self._default_agent())
        return await threads.get(tx, id)


def _check(threads: Sequence[str], action: ThreadAction, actor: Actor) -> None:
    if action.changes:
        require(actor, Action.THREAD_CHANGE)
    if action.assign is not None:
        require(actor, Action.THREAD_ASSIGN)
        parse_target(action.assign, "assign")
    if action.note is not None:
        require(actor, Action.MESSAGE_POST_NOTE)
        clean(action.note, "note")
    if not (action.changes or action.assign is not None or action.note is not None):
        require(actor, Action.THREAD_CHANGE)
        raise Invalid("name at least one thing to do: status, priority, add_tags, remove_tags, assign or note", field="status")
    if not 1 <= len(threads) <= MOST_THREADS:
        raise Invalid(f"name 1 to {MOST_THREADS} threads", field="threads")
    labels(action.add_tags, "add_tags")
    labels(action.remove_tags, "remove_tags")
