"""Search: messages by their words, by what they mean, or by both, as far as the reader may see them."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.messages import Message, readable
from deskmate.domain.pages import check_limit
from deskmate.domain.permissions import Action, allowed, redact, require, visible
from deskmate.domain.placement import LARGEST_ORDER
from deskmate.domain.search import Embedding, Sort, Unit, fused, wanted
from deskmate.errors import Invalid, NotFound
from deskmate.services import findable, history, threads
from deskmate.store.base import Row, Store, Tx
from deskmate.store.rows import message_of

CANDIDATES = 5000
"""How many embeddings are compared at most: those of the newest messages."""
WIDEST = 100  # orders on either side
AROUND = 500  # messages around one that was found, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """Where one reader searches."""

    by: Actor
    thread: str | None
    customer: str | None
    before: Message | None

    def conditions(self) -> dict[str, object]:
        """The scope as parameters of the statements."""
        before, hidden = self.before, allowed(self.by, Action.MESSAGE_READ_HIDDEN)
        return {
            "thread": self.thread,
            "customer": self.customer,
            "before": before.thread if before else None,
            "order": before.order if before else 0,
            "step": before.step if before else 0,
            "hidden": int(hidden),
            "spoken": int(not hidden and self.by.kind is not AuthorKind.AGENT),
        }


class Search:
    """Finds messages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def messages(
        self,
        text: str | None = None,
        *,
        embedding: Embedding | None = None,
        thread: str | None = None,
        customer: str | None = None,
        everywhere: bool = False,
        before: str | None = None,
        limit: int = 20,
        min_score: float = 0.0,
        neighbours: tuple[int, int] = (0, 0),
        sort: Sort = "best",
        by: Actor = SYSTEM,
    ) -> list[Message]:
        """Finished messages with any word of `text`, and those near `embedding`: of a thread, a customer, or everywhere.

        `before` is a message: of its thread only what stands before it is found. `limit` counts what is found; `neighbours` adds
        the messages on so many orders before and after each of them. `min_score` is the cosine that an embedding must exceed.
        `sort` is the best match first, neighbours behind, or by thread and position. A text without a word finds nothing.
        Raises Invalid, NotFound, Forbidden.
        """
        check_limit(limit)
        if text is None and embedding is None:
            raise Invalid("give a text or an embedding to search for", field="text")
        if any(not 0 <= count <= WIDEST for count in neighbours):
            raise Invalid(f"neighbours are two numbers from 0 to {WIDEST}", field="neighbours")
        unit = None if embedding is None else embedding.unit()

        async def look(tx: Tx) -> tuple[_Scope, list[str], list[Row]]:
            scope = await _scope(tx, thread, customer, everywhere, before, by)
            return scope, await _by_words(tx, scope, text, limit), await _embedded(tx, scope, unit)

        scope, worded, embedded = await self._store.read(look)
        near: list[str] = []
        if unit is not None and embedded:
            near = await asyncio.to_thread(_nearest, unit, embedded, limit, min_score)
        found = fused(worded, near)[:limit]
        if not found:
            return []
        return await self._store.read(lambda tx: _collect(tx, scope, found, neighbours, sort))

    async def embed(self, message: str, embedding: Embedding) -> None:
        """Let a message be found by what it means to a model. Other words for the message undo it. Raises NotFound, Invalid."""

        async def body(tx: Tx) -> None:
            found = await history.get(tx, message)
            await threads.lock(tx, found.thread)
            await findable.embed(tx, await history.get(tx, message), embedding)

        await self._store.write(body)


async def _scope(tx: Tx, thread: str | None, customer: str | None, everywhere: bool, before: str | None, by: Actor) -> _Scope:
    target = None if before is None else await history.get(tx, before, thread=thread, field="before")
    if thread is not None:
        require(by, Action.MESSAGE_READ, owner=(await threads.get(tx, thread)).customer)
    elif customer is not None:
        customer = readable(customer)
        require(by, Action.MESSAGE_READ, owner=customer)
    elif not everywhere:
        raise Invalid("say where to search: in a thread, for a customer, or everywhere", field="thread")
    else:
        require(by, Action.THREAD_LIST)
        require(by, Action.MESSAGE_READ)
    if target is not None and thread is None and not await _may_see(tx, target, by):
        raise NotFound("there is no such message", field="before")
    return _Scope(by=by, thread=thread, customer=customer, before=target)


async def _may_see(tx: Tx, message: Message, by: Actor) -> bool:
    owner = (await threads.get(tx, message.thread)).customer
    return allowed(by, Action.MESSAGE_READ, owner=owner) and visible(message, by)


async def _by_words(tx: Tx, scope: _Scope, text: str | None, limit: int) -> list[str]:
    words = wanted(text or "")
    if not words:
        return []
    rows = await tx.all("search.by_words", **scope.conditions(), words=json.dumps(words, ensure_ascii=False), limit=limit)
    return [message.id for message in _seen(rows, scope.by)]


async def _embedded(tx: Tx, scope: _Scope, unit: Unit | None) -> list[Row]:
    if unit is None:
        return []
    return await tx.all("search.embedded", **scope.conditions(), model=unit.model, dim=unit.dim, limit=CANDIDATES)


def _nearest(unit: Unit, rows: list[Row], limit: int, min_score: float) -> list[str]:
    """The ids of the nearest, nearest first; equally near ones newest first, as they come."""
    scored = [(unit.cosine(row["vector"]), row["message"]) for row in rows]
    near = [(score, id) for score, id in scored if score > max(min_score, 0.0)]
    return [id for _, id in sorted(near, key=lambda one: -one[0])[:limit]]


async def _collect(tx: Tx, scope: _Scope, found: list[str], neighbours: tuple[int, int], sort: Sort) -> list[Message]:
    """The messages that were found, as they are now, and those around them."""
    hits = [message for id in found if (message := await history.find(tx, id)) is not None and visible(message, scope.by)]
    kept = {message.id: message for message in hits}
    if any(neighbours):
        for hit in hits:
            for message in await _around(tx, scope, hit, *neighbours):
                kept.setdefault(message.id, message)
    messages = [redact(message, scope.by) for message in kept.values()]
    return messages if sort == "best" else sorted(messages, key=lambda one: (one.thread, one.position))


async def _around(tx: Tx, scope: _Scope, hit: Message, before: int, after: int) -> list[Message]:
    conditions = scope.conditions() | {"thread": hit.thread}
    del conditions["customer"]
    rows = await tx.all(
        "search.around",
        **conditions, from_order=hit.order - before, to_order=min(hit.order + after, LARGEST_ORDER), limit=AROUND,
    )  # fmt: skip
    return list(_seen(rows, scope.by))


def _seen(rows: Iterable[Row], by: Actor) -> Iterable[Message]:
    return (message for row in rows if visible(message := message_of(row), by))
