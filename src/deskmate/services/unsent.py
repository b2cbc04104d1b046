"""Unsent words: an operator's own, kept while they type. There are no events of them, and nobody else is told."""

from deskmate.domain.actors import Actor
from deskmate.domain.messages import Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, person, require
from deskmate.domain.unsent import Unsent, check_visibility
from deskmate.services import threads
from deskmate.services.texts import seen, storable
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms, utc


async def clear(tx: Tx, operator: str, thread: str, visibility: Visibility | None = None) -> None:
    """What was typed has been sent, or thrown away."""
    await tx.run("unsent.clear", operator=operator, thread=thread, visibility=visibility)


class UnsentWords:
    """What operators have typed and not sent, each their own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def put(self, thread: str, text: str, *, visibility: Visibility = Visibility.PUBLIC, by: By) -> Unsent:
        """Keep what one has typed; an empty text removes it. Raises NotFound, Forbidden, Invalid."""
        actor = actor_of(by)
        storable(text)
        check_visibility(visibility)

        async def body(tx: Tx) -> Unsent:
            operator = await _writer(tx, thread, actor)
            if seen(text):
                await tx.run("unsent.put", operator=operator, thread=thread, visibility=visibility, text=text, now=ms(tx.now))
                return Unsent(thread=thread, visibility=visibility, text=text, updated_at=tx.now)
            await clear(tx, operator, thread, visibility)
            return Unsent(thread=thread, visibility=visibility, text="", updated_at=None)

        return await self._store.write(body)

    async def get(self, thread: str, *, by: By) -> tuple[Unsent, ...]:
        """What one has typed on a thread: at most a reply and a note. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> tuple[Unsent, ...]:
            rows = await tx.all("unsent.of_thread", operator=await _reader(tx, thread, actor), thread=thread)
            return tuple(
                Unsent(
                    thread=thread, visibility=Visibility(row["visibility"]), text=row["text"], updated_at=utc(row["updated_at"])
                )
                for row in rows
            )

        return await self._store.read(body)

    async def delete(self, thread: str, *, visibility: Visibility | None = None, by: By) -> None:
        """Throw away what one has typed; without a visibility, all of it on this thread. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> None:
            await clear(tx, await _writer(tx, thread, actor), thread, visibility)

        await self._store.write(body)


async def _reader(tx: Tx, thread: str, by: Actor) -> str:
    require(by, Action.MESSAGE_POST_NOTE)
    operator = person(by)
    await threads.get(tx, thread)
    return operator


async def _writer(tx: Tx, thread: str, by: Actor) -> str:
    """The same, with the thread locked: it may be about to be deleted."""
    operator = await _reader(tx, thread, by)
    await threads.lock(tx, thread)
    return operator
