"""Prompts: the message a run answers, and what the run said."""

from deskmate.domain.messages import Message
from deskmate.domain.runs import Run
from deskmate.domain.threads import Thread
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


async def unanswered(tx: Tx, thread: Thread) -> Message | None:
    """What a new run on this thread answers: the newest prompt; where that was deleted, what the customer said before it, if
    nobody has answered it yet."""
    newest = await at(tx, thread.id, thread.prompt_order)
    if newest is None:
        newest = await newest_of_customer(tx, thread.id)
    return newest if newest is not None and newest.order > thread.answered_order else None


async def behind(tx: Tx, run: Run) -> str | None:
    """The message that the words of a run are placed behind: its prompt, unless that was deleted meanwhile."""
    return run.prompt if run.prompt is not None and await tx.one("messages.get", id=run.prompt) is not None else None


async def forget(tx: Tx, thread: str) -> None:
    """After messages were deleted: their orders may be used again, so what is said there next is not answered yet.

    A run that lives still counts with the old ones. The caller holds the thread's lock.
    """
    newest = await newest_of_customer(tx, thread)
    await tx.run("prompts.forget", thread=thread, order=-1 if newest is None else newest.order)


async def next_order(tx: Tx, thread: Thread) -> int | None:
    """Where the customer's next message goes, when it would take an order that a deleted message had; else None."""
    row = await tx.one("messages.latest", thread=thread.id)
    used = max(thread.prompt_order, thread.answered_order)
    return used + 1 if used > (-1 if row is None else row["order"]) else None
