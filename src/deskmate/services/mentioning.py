"""Mentioning: whom a note calls on, found and kept inside the transaction that stores it."""

from collections.abc import Sequence

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.mentions import mentioned_in
from deskmate.domain.messages import Message
from deskmate.store.base import Tx
from deskmate.store.times import ms


async def meant(tx: Tx, text: str, by: Actor) -> tuple[str, ...]:
    """Whom a note of this author calls on; not themselves, nor those who have left."""
    if "@" not in text and "\uff20" not in text:
        return ()
    people = [(row["id"], row["name"]) for row in await tx.all("mentions.people")]
    oneself = by.id if by.kind is AuthorKind.OPERATOR else None
    return tuple(id for id in mentioned_in(text, people) if id != oneself)


async def put(tx: Tx, message: Message, operators: Sequence[str]) -> None:
    """A new note calls on these operators."""
    for operator in operators:
        await tx.run(
            "mentions.insert", id=tx.id("mention"), message=message.id, thread=message.thread, operator=operator, now=ms(tx.now)
        )
