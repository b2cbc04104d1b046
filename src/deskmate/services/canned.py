"""Canned replies: kept by leads and admins, filled in for one thread and whoever answers there."""

import json
from dataclasses import dataclass, replace

from deskmate.domain import macros
from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.canned import (
    LONGEST_TEXT,
    CannedReply,
    check_queue,
    check_shortcut,
    check_title,
    check_variables,
    fill,
    key_of,
)
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, allowed, require
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.services import operators, threads
from deskmate.services.texts import clean
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledReply:
    """A canned reply, and where it was asked for a thread, its text filled in for it."""

    reply: CannedReply
    filled: str | None = None


def canned_of(row: Row) -> CannedReply:
    """A stored row as a canned reply."""
    return CannedReply(
        id=row["id"],
        shortcut=row["shortcut"],
        title=row["title"],
        text=row["text"],
        queue=row["queue"],
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


def checked_text(text: str, field: str = "text") -> str:
    """A text that can be kept ready: of bearable length, with known variables only. Raises Invalid, naming the field."""
    if len(clean(text, field)) > LONGEST_TEXT:
        raise Invalid(f"{field} is longer than {LONGEST_TEXT} characters", field=field)
    return check_variables(text, field)


async def get(tx: Tx, id: str, by: Actor) -> CannedReply:
    """One canned reply that is for this person. Raises NotFound."""
    row = await tx.one("canned.get", id=id)
    if row is not None:
        queues = await _queues_of(tx, by)
        if row["queue"] is None or queues is None or row["queue"] in queues:
            return canned_of(row)
    raise NotFound(f"there is no canned reply {id}", field="canned")


def filled(text: str, thread: Thread, by: Actor) -> str:
    """A text with its variables filled in for this thread and person."""
    values = {
        "customer.name": thread.customer_name,
        "operator.name": by.name,
        "thread.id": thread.id,
        "thread.subject": thread.subject,
    }
    return fill(text, values)


async def _queues_of(tx: Tx, by: Actor) -> tuple[str, ...] | None:
    """The queues this person works; None for those who see what is for any queue."""
    if by.kind is not AuthorKind.OPERATOR or by.id is None or allowed(by, Action.CANNED_MANAGE):
        return None
    return (await operators.get(tx, by.id)).queues or None


class CannedReplies:
    """The texts a team keeps ready. Operators see those for everybody and for their queues; who works all queues, all."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, *, shortcut: str, title: str, text: str, queue: str | None = None, by: By = SYSTEM) -> CannedReply:
        """A new canned reply. Raises Forbidden, and Invalid naming the field, also for a shortcut that is taken."""
        actor = actor_of(by)
        require(actor, Action.CANNED_MANAGE)

        async def body(tx: Tx) -> CannedReply:
            new = _checked(CannedReply(
                id=tx.id("canned"), shortcut=shortcut, title=title, text=text, queue=queue, created_at=tx.now, updated_at=tx.now
            ))  # fmt: skip
            return await _stored(tx, "canned.insert", new)

        return await self._store.write(body)

    async def get(self, canned: str, *, by: By = SYSTEM) -> CannedReply:
        """One canned reply. Raises NotFound, Forbidden."""
        actor = actor_of(by)
        require(actor, Action.CANNED_READ)
        return await self._store.read(lambda tx: get(tx, canned, actor))

    async def list(
        self, *, q: str | None = None, thread: str | None = None, cursor: str | None = None, limit: int = 50, by: By = SYSTEM
    ) -> Page[FilledReply]:
        """Canned replies by shortcut; `q` is looked for in shortcut, title and text. With a thread each is filled in for it.

        Raises NotFound, Forbidden, BadCursor, Invalid.
        """
        actor = actor_of(by)
        require(actor, Action.CANNED_READ)
        check_limit(limit, 200)
        after = "" if cursor is None else place_of(cursor, "canned", str)[0]
        like = None if not q else "%" + key_of(q).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"

        async def body(tx: Tx) -> Page[FilledReply]:
            found = None if thread is None else await _readable(tx, thread, actor)
            queues = await _queues_of(tx, actor)
            rows = await tx.all(
                "canned.page", after=after, q=like, queues=None if queues is None else json.dumps(queues), limit=limit + 1
            )
            kept, last = cut(rows, limit)
            items = tuple(
                FilledReply(reply=canned_of(row), filled=None if found is None else filled(row["text"], found, actor))
                for row in kept
            )
            return Page(items=items, cursor=None if last is None else cursor_of("canned", last["shortcut_key"]))

        return await self._store.read(body)

    async def filled(self, canned: str, thread: str, *, by: By) -> FilledReply:
        """A canned reply, filled in for this thread and whoever asks. Raises NotFound, Forbidden."""
        actor = actor_of(by)
        require(actor, Action.CANNED_READ)

        async def body(tx: Tx) -> FilledReply:
            reply = await get(tx, canned, actor)
            return FilledReply(reply=reply, filled=filled(reply.text, await _readable(tx, thread, actor), actor))

        return await self._store.read(body)

    async def change(
        self,
        canned: str,
        *,
        shortcut: str | None = None,
        title: str | None = None,
        text: str | None = None,
        queue: str | None = None,
        by: By = SYSTEM,
    ) -> CannedReply:
        """Change what is given; an empty `queue` is everybody. Raises Forbidden, NotFound, Invalid."""
        actor = actor_of(by)
        require(actor, Action.CANNED_MANAGE)

        async def body(tx: Tx) -> CannedReply:
            was = await get(tx, canned, actor)
            new = _checked(replace(
                was,
                shortcut=was.shortcut if shortcut is None else shortcut,
                title=was.title if title is None else title,
                text=was.text if text is None else text,
                queue=was.queue if queue is None else queue,
                updated_at=tx.now,
            ))  # fmt: skip
            return await _stored(tx, "canned.change", new)

        return await self._store.write(body)

    async def delete(self, canned: str, *, by: By = SYSTEM) -> None:
        """Remove a canned reply. Raises Forbidden, NotFound, and Conflict naming a macro that says it."""
        actor = actor_of(by)
        require(actor, Action.CANNED_MANAGE)

        async def body(tx: Tx) -> None:
            await get(tx, canned, actor)
            for row in await tx.all("macros.all"):
                if canned in macros.canned_in(macros.load(row["actions"])):
                    raise Conflict(f"the macro {row['name']} says this; change it first", field="canned", macro=row["id"])
            await tx.run("canned.delete", id=canned)

        await self._store.write(body)


async def _readable(tx: Tx, thread: str, by: Actor) -> Thread:
    found = await threads.get(tx, thread)
    require(by, Action.THREAD_READ, owner=found.customer)
    return found


def _checked(reply: CannedReply) -> CannedReply:
    return replace(
        reply,
        shortcut=check_shortcut(reply.shortcut),
        title=check_title(reply.title),
        text=checked_text(reply.text),
        queue=check_queue(reply.queue),
    )


async def _stored(tx: Tx, statement: str, reply: CannedReply) -> CannedReply:
    stored = await tx.run(
        statement,
        id=reply.id, shortcut=reply.shortcut, shortcut_key=key_of(reply.shortcut), title=reply.title, text=reply.text,
        words=key_of(f"{reply.shortcut}\n{reply.title}\n{reply.text}"), queue=reply.queue, now=ms(reply.updated_at),
    )  # fmt: skip
    if not stored:
        raise Invalid(f"the shortcut {reply.shortcut} is taken", field="shortcut")
    return reply
