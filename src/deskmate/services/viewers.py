"""Viewers: the signs of life of people on threads. Nothing of this is an event: a sign is one row that runs out.

Only a sign that changes what others see wakes those who follow the feed; `watching` tells them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.messages import Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, redact_viewers, require
from deskmate.domain.viewers import TYPING, VIEWING, Viewer
from deskmate.services import leases, threads, work
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import EPOCH, ms, utc

TOPIC = "viewers"
"""What is touched when somebody comes, changes or goes, anywhere."""
SWEPT = timedelta(minutes=1)
"""How long who is gone is kept, so that every process hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """The last word of somebody on a thread: until when they view and type, and what they type."""

    viewing: datetime = EPOCH
    typing: datetime = EPOCH
    words: Visibility = Visibility.PUBLIC
    changed: datetime = EPOCH

    def seen(self, now: datetime) -> tuple[bool, Visibility | None]:
        """What others see of it: whether they are there, and what they type."""
        return max(self.viewing, self.typing) > now, self.words if self.typing > now else None


def sign_of(row: Row) -> Sign:
    """A stored row as a sign."""
    words = Visibility(row["typing"])
    return Sign(
        viewing=utc(row["viewing_until"]), typing=utc(row["typing_until"]), words=words, changed=utc(row["changed_at"])
    )  # fmt: skip


def viewer_of(row: Row, now: datetime) -> Viewer:
    """A stored row as somebody who is there."""
    return Viewer(kind=AuthorKind(row["kind"]), id=row["id"], name=row["name"], typing=sign_of(row).seen(now)[1])


class Viewers:
    """People say that they are there."""

    def __init__(self, store: Store, idle: timedelta) -> None:
        self._store = store
        self._idle = idle

    async def typing(self, thread: str, typing: bool = True, *, visibility: Visibility = Visibility.PUBLIC, by: By) -> None:
        """An operator, or the customer of the thread, types, for the next six seconds, or has stopped.

        Customers are told of nobody who types a note. Raises NotFound, Forbidden.
        """
        actor = actor_of(by)

        async def body(tx: Tx) -> None:
            customer = (await threads.get(tx, thread)).customer
            require(actor, Action.THREAD_TYPE, owner=customer)
            if visibility is not Visibility.PUBLIC:
                require(actor, Action.MESSAGE_POST_NOTE, owner=customer)
            was = await _last(tx, thread, actor)
            now = replace(was, typing=tx.now + TYPING if typing else EPOCH, words=visibility)
            await _say(tx, thread, customer, actor, was, now)
            if typing:
                await work.typed(tx, thread, actor, self._idle)
                await leases.renew(tx, thread, actor)

        await self._store.write(body, aside=True)

    async def viewing(self, thread: str, viewing: bool = True, *, by: By) -> None:
        """An operator has the thread before them, for the next 45 seconds, or has left it. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> None:
            customer = (await threads.get(tx, thread)).customer
            require(actor, Action.THREAD_VIEW, owner=customer)
            was = await _last(tx, thread, actor)
            now = replace(was, viewing=tx.now + VIEWING) if viewing else replace(was, viewing=EPOCH, typing=EPOCH)
            await _say(tx, thread, customer, actor, was, now)
            if viewing:
                await leases.renew(tx, thread, actor)

        await self._store.write(body, aside=True)

    async def of_thread(self, thread: str, *, by: By) -> tuple[Viewer, ...]:
        """Who is on a thread now, as far as the actor may know. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> tuple[Viewer, ...]:
            require(actor, Action.EVENT_READ, owner=(await threads.get(tx, thread)).customer)
            rows = await tx.all("viewers.now", now=ms(tx.now))
            return redact_viewers([viewer_of(row, tx.now) for row in rows if row["thread"] == thread], actor)

        return await self._store.read(body)

    async def sweep(self) -> None:
        """Forget who has been gone for a while."""

        async def look(tx: Tx) -> bool:
            return await tx.one("viewers.gone", before=ms(tx.now - SWEPT)) is not None

        if await self._store.read(look):
            await self._store.write(lambda tx: tx.run("viewers.sweep", before=ms(tx.now - SWEPT)))


async def _last(tx: Tx, thread: str, actor: Actor) -> Sign:
    row = await tx.one("viewers.get", thread=thread, kind=actor.kind, id=actor.id)
    return Sign() if row is None else sign_of(row)


async def _say(tx: Tx, thread: str, customer: str | None, actor: Actor, was: Sign, now: Sign) -> None:
    before, after = was.seen(tx.now), now.seen(tx.now)
    if before == after and not after[0]:
        return
    until = max(now.viewing, now.typing) if after[0] else tx.now
    await tx.run(
        "viewers.put",
        thread=thread, kind=actor.kind, id=actor.id, name=actor.name, viewing_until=ms(now.viewing), typing_until=ms(now.typing),
        typing=now.words, until=ms(until), changed_at=ms(was.changed if before == after else tx.now),
    )  # fmt: skip
    if before != after:
        # Who renews a sign wakes nobody: those who were told of it ask again when it would run out.
        tx.touch(TOPIC, f"thread:{thread}")
        if customer is not None and actor.kind is AuthorKind.OPERATOR and Visibility.PUBLIC in (before[1], after[1]):
            tx.touch(f"customer:{customer}")
