"""Reads: how far people have read a thread, and what is new to an operator behind that."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.messages import Message, Position
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, allowed, require, visible
from deskmate.errors import Forbidden, NotFound
from deskmate.services import history, threads
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms, utc

MOST_UNREAD = 100
"""More are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The newest message of a thread that somebody has read, and when they said so. It may have been deleted since."""

    thread: str
    message: str
    position: Position
    at: datetime


async def advance(tx: Tx, actor: Actor, message: Message) -> None:
    """This person has read its thread up to this message. Never back."""
    await tx.run(
        "reads.advance",
        thread=message.thread, kind=actor.kind, reader=actor.id, message=message.id, order=message.order, step=message.step,
        now=ms(tx.now),
    )  # fmt: skip


async def find(tx: Tx, thread: str, kind: AuthorKind, reader: str | None) -> Read | None:
    """How far somebody has read a thread; None where they have not begun."""
    row = await tx.one("reads.get", thread=thread, kind=kind, reader=reader)
    if row is None:
        return None
    return Read(thread=thread, message=row["message"], position=Position(row["order"], row["step"]), at=utc(row["at"]))


async def unread_of(tx: Tx, operator: str, thread_ids: Collection[str]) -> dict[str, int]:
    """How many messages of each thread are new to an operator, at most 100: public ones of customers, and notes of others.

    A thread that they never opened is new from its beginning, or from when they joined the team.
    """
    if not thread_ids:
        return {}
    rows = await tx.all("reads.unread", reader=operator, threads=json.dumps(list(thread_ids)), most=MOST_UNREAD)
    return {row["thread"]: row["unread"] for row in rows}


class Reads:
    """How far people have read."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def mark(self, thread: str, message: str | None = None, *, by: By) -> Read | None:
        """An operator, or the customer of the thread, has read up to this message; without one, up to the newest they may see.

        Returns how far they have read now, which is never less than before; None on an empty thread. Raises NotFound, Forbidden.
        """
        actor = actor_of(by)

        async def body(tx: Tx) -> Read | None:
            found = await threads.lock(tx, thread)
            require(actor, Action.THREAD_MARK_READ, owner=found.customer)
            upto = await self._newest(tx, thread, actor) if message is None else await history.get(tx, message, thread=thread)
            if upto is not None and not visible(upto, actor):
                raise NotFound(f"there is no message {message} in this thread", field="message")
            if upto is not None:
                await advance(tx, actor, upto)
            return await find(tx, thread, actor.kind, actor.id)

        return await self._store.write(body)

    async def unread(self, threads: Collection[str], *, by: By) -> dict[str, int]:
        """What is new to an operator on each of these threads, in one look; nothing for those who are no operators."""
        actor = actor_of(by)
        if actor.kind is not AuthorKind.OPERATOR or actor.id is None:
            return {}
        require(actor, Action.MESSAGE_READ_HIDDEN)
        me = actor.id
        return await self._store.read(lambda tx: unread_of(tx, me, threads))

    async def of_customer(self, thread: str, *, by: By) -> Read | None:
        """How far the customer of a thread has read it. Raises NotFound, Forbidden."""
        if not allowed(actor_of(by), Action.MESSAGE_READ_HIDDEN):
            raise Forbidden("what others have read is for the team")

        async def body(tx: Tx) -> Read | None:
            return await find(tx, thread, AuthorKind.CUSTOMER, (await threads.get(tx, thread)).customer)

        return await self._store.read(body)

    async def _newest(self, tx: Tx, thread: str, actor: Actor) -> Message | None:
        newest = await history.page(tx, thread, history.Wanted(order="newest", limit=1), actor)
        return newest.items[0] if newest.items else None
