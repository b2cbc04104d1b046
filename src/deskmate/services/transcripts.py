"""Transcripts: a whole conversation to keep, as far as whoever asks may see it."""

from dataclasses import dataclass

from deskmate.domain.downloads import written
from deskmate.domain.messages import Message
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, redact, redact_thread, require
from deskmate.domain.threads import Thread
from deskmate.services import history, threads
from deskmate.store.base import Store, Tx

PIECE = 500
"""Messages that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A thread with all its messages by position, both as their reader may see them."""

    thread: Thread
    messages: tuple[Message, ...]

    def text(self, *, markdown: bool = False) -> str:
        """It as text, or as Markdown: who said what, when, and who of them is an AI."""
        return written(self.thread, self.messages, markdown=markdown)


class Transcripts:
    """Conversations to keep."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_thread(self, thread: str, *, by: By) -> Transcript:
        """The whole conversation in one look. Customers are given what is public. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Transcript:
            found = await threads.get(tx, thread)
            require(actor, Action.MESSAGE_READ, owner=found.customer)
            messages: list[Message] = []
            cursor: str | None = None
            while True:
                page = await history.page(tx, thread, history.Wanted(after=cursor, limit=PIECE), actor)
                messages += [redact(message, actor) for message in page.items]
                if (cursor := page.cursor) is None:
                    return Transcript(thread=redact_thread(found, actor), messages=tuple(messages))

        return await self._store.read(body)
