"""Mentions: whom the notes of a thread call on, and what of it each has read. They are the team's, like the notes (P8)."""

from collections.abc import Sequence
from dataclasses import dataclass

from deskmate.domain.actors import Actor
from deskmate.domain.mentions import Mention
from deskmate.domain.messages import Message
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, person, require
from deskmate.domain.threads import Thread
from deskmate.services import history, threads
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

END = 2**62  # behind every time


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """A mention with the note and its thread."""

    mention: Mention
    thread: Thread
    message: Message


def mention_of(row: Row) -> Mention:
    """A stored row as a mention."""
    return Mention(
        id=row["id"],
        message=row["message"],
        thread=row["thread"],
        operator=row["operator"],
        at=utc(row["at"]),
        read_at=utc_or_none(row["read_at"]),
    )


class Mentions:
    """What calls on an operator."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, *, unread: bool = False, cursor: str | None = None, limit: int = 50, by: By) -> Page[Mentioned]:
        """One's own mentions, newest first. Raises Forbidden, BadCursor, Invalid."""
        operator = _reader(actor_of(by))
        check_limit(limit, 200)
        at, id = (END, "") if cursor is None else place_of(cursor, "mentions", int, str)

        async def body(tx: Tx) -> Page[Mentioned]:
            rows = await tx.all("mentions.page", operator=operator, at=at, id=id, unread=int(unread), limit=limit + 1)
            kept, last = cut(rows, limit)
            items = [
                Mentioned(
                    mention=mention_of(row),
                    thread=await threads.get(tx, row["thread"]),
                    message=await history.get(tx, row["message"]),
                )
                for row in kept
            ]
            return Page(items=tuple(items), cursor=None if last is None else cursor_of("mentions", last["at"], last["id"]))

        return await self._store.read(body)

    async def unread(self, *, by: By) -> int:
        """How many of one's own mentions are not read yet. Raises Forbidden."""
        operator = _reader(actor_of(by))

        async def body(tx: Tx) -> int:
            row = await tx.one("mentions.unread", operator=operator)
            return row["count"] if row else 0

        return await self._store.read(body)

    async def read(self, mentions: Sequence[str] | None = None, *, by: By) -> int:
        """Say that one has read these mentions, or all; others' stay as they are. Returns how many are left. Raises Forbidden."""
        operator = _reader(actor_of(by))

        async def body(tx: Tx) -> int:
            if mentions is None:
                await tx.run("mentions.read_all", operator=operator, now=ms(tx.now))
            else:
                for id in dict.fromkeys(mentions):
                    await tx.run("mentions.read", id=id, operator=operator, now=ms(tx.now))
            row = await tx.one("mentions.unread", operator=operator)
            return row["count"] if row else 0

        return await self._store.write(body)


def _reader(by: Actor) -> str:
    require(by, Action.MESSAGE_READ_HIDDEN)
    return person(by)
