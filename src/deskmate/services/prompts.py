"""Prompts: the message a run answers, and what the run said."""

from deskmate.domain.messages import Message
from deskmate.store.base import Tx
from deskmate.store.rows import message_of


async def at(tx: Tx, thread: str, order: int) -> Message | None:
    """The message that opened an order, or None."""
    row = await tx.one("prompts.at", thread=thread, order=order, step=0)
    return None if row is None else message_of(row)


async def newest_of_customer(tx: Tx, thread: str) -> Message | None:
    """The customer's last message, or None."""
    row = await tx.one("prompts.newest_of_customer", thread=thread)
    return None if row is None else message_of(row)


async def last_of_run(tx: Tx, thread: str, run: str) -> Message | None:
    """The last message of a run, words or not, or None."""
    row = await tx.one("prompts.last_of_run", thread=thread, run=run)
    return None if row is None else message_of(row)


async def newest_of_run(tx: Tx, thread: str, run: str) -> Message | None:
    """The last public words of a run, or None."""
    row = await tx.one("prompts.newest_of_run", thread=thread, run=run)
    return None if row is None else message_of(row)
