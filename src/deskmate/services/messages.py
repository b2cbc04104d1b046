"""Messages: the entries of threads. These are the verbs for programs; inside a transaction `placing` writes, `history` reads."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.messages import ContextMessage, Message, MessageStatus, NewMessage, Part, Position, Visibility
from deskmate.domain.pages import Page
from deskmate.domain.permissions import Action, redact, require
from deskmate.domain.placement import Order
from deskmate.domain.search import Embedding
from deskmate.domain.streams import StreamStatus
from deskmate.domain.turns import Turn, turns
from deskmate.errors import Invalid
from deskmate.services import findable, streams, threads
from deskmate.services.history import Wanted, context, cut_off, find, get, latest, page
from deskmate.services.placing import change, delete, delete_range, finish, insert
from deskmate.store.base import Store, Tx

__all__ = [
    "HIDDEN",
    "MessageVerbs",
    "Wanted",
    "change",
    "context",
    "cut_off",
    "delete",
    "delete_range",
    "find",
    "finish",
    "get",
    "insert",
    "latest",
    "page",
]

HIDDEN = Visibility.NOTE
"""The visibility of markers: a system message of the desk that no customer reads, and that a model is given all the same."""


class MessageVerbs:
    """The messages of threads. `by` is whoever does it; without it, the desk itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def save(
        self,
        thread: str,
        messages: Sequence[NewMessage],
        *,
        after: str | None = None,
        order: Order | None = None,
        replaces: str | None = None,
        fail_pending: bool = False,
        finish_stream: str | None = None,
        embeddings: Sequence[Embedding | None] = (),
        by: Actor = SYSTEM,
    ) -> list[Message]:
        """Store a batch as it is, all or nothing, and start no run. See `insert` for the placements.

        `finish_stream` is the stream whose words these are: it ends with them. `embeddings` are one for each message, or none.
        """
        if embeddings and len(embeddings) != len(messages):
            raise Invalid("give one embedding for each message, None for those without", field="embeddings")

        async def body(tx: Tx) -> list[Message]:
            stored = await insert(
                tx, thread, messages, after=after, order=order, replaces=replaces, fail_pending=fail_pending, actor=by
            )
            for message, embedding in zip(stored, embeddings, strict=False):
                if embedding is not None:
                    await findable.embed(tx, message, embedding)
            if finish_stream is not None:
                stream = await streams.get(tx, finish_stream, thread=thread)
                await streams.end(tx, stream, StreamStatus.FINISHED)
            return stored

        return await self._store.write(body)

    async def finish(
        self,
        message: str,
        status: MessageStatus = MessageStatus.SUCCESS,
        *,
        parts: Sequence[Part] | None = None,
        error: str | None = None,
        by: Actor = SYSTEM,
    ) -> Message:
        """End a pending message; one that is finished stays as it is. Raises NotFound."""
        return await self._store.write(lambda tx: finish(tx, message, status, parts=parts, error=error, actor=by))

    async def change(
        self,
        message: str,
        *,
        parts: Sequence[Part] | None = None,
        status: MessageStatus | None = None,
        error: str | None = None,
        files: Sequence[str] | None = None,
        by: Actor = SYSTEM,
    ) -> Message:
        """Give a message other content. Raises NotFound, and Conflict where a finished status would change."""
        return await self._store.write(
            lambda tx: change(tx, message, parts=parts, status=status, error=error, files=files, actor=by)
        )

    async def delete(self, *messages: str, by: Actor = SYSTEM) -> list[str]:
        """Remove messages. Returns the ids of those that existed."""
        return await self._store.write(lambda tx: delete(tx, messages, actor=by))

    async def delete_range(self, thread: str, start: Position, end: Position, *, by: Actor = SYSTEM) -> list[str]:
        """Remove the messages of a thread from `start` up to `end`, which is excluded. Returns their ids."""
        return await self._store.write(lambda tx: delete_range(tx, thread, start, end, actor=by))

    async def find(self, *messages: str) -> list[Message | None]:
        """Messages by their ids, None for those that are gone, as they are stored: for programs, not for people."""

        async def body(tx: Tx) -> list[Message | None]:
            return [await find(tx, message) for message in messages]

        return await self._store.read(body)

    async def page(
        self,
        thread: str,
        *,
        order: Literal["oldest", "newest"] = "oldest",
        after: str | None = None,
        before: str | None = None,
        up_to: str | None = None,
        statuses: Iterable[MessageStatus] = tuple(MessageStatus),
        exclude_tool: bool = False,
        limit: int = 50,
        by: Actor = SYSTEM,
    ) -> Page[Message]:
        """A page of a thread's messages by position, `oldest` or `newest` first; a thread that is gone has none.

        `after` and `before` are messages, or cursors: that of a page goes on where the page ended, behind it with `oldest` and
        before it with `newest`. `up_to` ends with the order of that message. Raises NotFound, BadCursor, Invalid, Forbidden.
        """
        wanted = Wanted(
            order=order, after=after, before=before, up_to=up_to, statuses=tuple(statuses), exclude_tool=exclude_tool, limit=limit
        )

        async def body(tx: Tx) -> Page[Message]:
            if await tx.one("threads.get", id=thread) is None:
                return Page(items=())
            await _check_reader(tx, thread, by)
            found = await page(tx, thread, wanted, by)
            return replace(found, items=tuple(redact(message, by) for message in found.items))

        return await self._store.read(body)

    async def turns(self, thread: str, *, limit: int = 1000, by: Actor = SYSTEM) -> tuple[Turn, ...]:
        """The newest messages of a thread, grouped as a screen shows them, oldest first. Raises NotFound, Forbidden."""

        async def body(tx: Tx) -> tuple[Turn, ...]:
            await _check_reader(tx, thread, by)
            newest = await page(tx, thread, Wanted(order="newest", limit=limit), by)
            return turns([redact(message, by) for message in reversed(newest.items)])

        return await self._store.read(body)

    async def context(
        self,
        thread: str,
        *,
        prompt: str | None = None,
        prompt_message: str | None = None,
        messages: Sequence[ContextMessage] = (),
        exclude_tool: bool = False,
        recent: int = 100,
        keep_approved: bool = False,
    ) -> tuple[ContextMessage, ...]:
        """What a model would be given to answer a prompt on this thread. Raises NotFound.

        `prompt` is new text, `prompt_message` a stored message; with both, the text stands in the place of the message. `recent`
        counts the messages before the prompt. `keep_approved` keeps calls that were approved and have not run yet.
        """

        async def body(tx: Tx) -> tuple[ContextMessage, ...]:
            await threads.get(tx, thread)
            return await context(
                tx, thread, prompt=prompt, prompt_message=prompt_message, messages=messages,
                exclude_tool=exclude_tool, recent=recent, keep_approved=keep_approved,
            )  # fmt: skip

        return await self._store.read(body)


async def _check_reader(tx: Tx, thread: str, by: Actor) -> None:
    require(by, Action.MESSAGE_READ, owner=(await threads.get(tx, thread)).customer)
