"""Previews: the newest message of a thread, kept on the thread for the lists that show it. Drafts are never previewed (P8)."""

from collections.abc import Set

from deskmate.domain.messages import File, Message, MessageStatus, Visibility
from deskmate.store.base import Tx
from deskmate.store.rows import message_of
from deskmate.store.times import ms

LENGTH = 200


def can_show(message: Message) -> bool:
    """Whether a list shows this message: words or files of a person or an agent, finished and no draft."""
    spoken = message.role in ("user", "assistant") and bool(words_of(message))
    return spoken and message.status is MessageStatus.SUCCESS and message.visibility is not Visibility.DRAFT


def words_of(message: Message) -> str:
    """What a list shows of a message: its words, or the names of its files where it has none."""
    if message.text.strip():
        return message.text
    return ", ".join(part.filename or part.media_type for part in message.parts if isinstance(part, File))


async def show(tx: Tx, message: Message) -> None:
    """Make a message the preview of its thread, where it is one to show."""
    if can_show(message):
        await tx.run(
            "threads.preview",
            id=message.thread, message=message.id, text=words_of(message)[:LENGTH], author_kind=message.author.kind,
            author_name=message.author.name, visibility=message.visibility, at=ms(message.updated_at),
        )  # fmt: skip


async def changed(tx: Tx, before: Message, after: Message) -> None:
    """A message that was shown already stays in its place; one that can be shown from now on is the newest."""
    if not can_show(before):
        await show(tx, after)
        return
    row = await tx.one("threads.get", id=after.thread)
    if row is not None and row["preview_message"] == after.id:
        await (show(tx, after) if can_show(after) else forget(tx, after.thread, {after.id}))


async def forget(tx: Tx, thread: str, deleted: Set[str]) -> None:
    """Take deleted words off the thread; the newest ones left take their place."""
    row = await tx.one("threads.get", id=thread)
    if row is None or row["preview_message"] not in deleted:
        return
    newest = await tx.one("messages.newest_readable", thread=thread)
    if newest is not None:
        await show(tx, message_of(newest))
        return
    await tx.run(
        "threads.preview", id=thread, message=None, text=None, author_kind=None, author_name=None, visibility=None, at=None
    )
