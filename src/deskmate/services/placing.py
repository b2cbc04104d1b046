"""Placing: messages stored, finished, changed, deleted. Whoever writes to a thread holds its lock, so positions never collide."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from deskmate.domain import placement
from deskmate.domain.actors import Actor
from deskmate.domain.events import EventType
from deskmate.domain.messages import (
    ApprovalRequest,
    Message,
    MessageStatus,
    NewMessage,
    Part,
    Position,
    ToolResult,
    Visibility,
    readable_parts,
)
from deskmate.domain.placement import Order
from deskmate.domain.threads import Thread
from deskmate.errors import Conflict, Invalid
from deskmate.services import attachments, feed, findable, gathering, mentioning, opening, previews, prompts, streams, threads
from deskmate.services.history import find, get, latest
from deskmate.store.base import Tx
from deskmate.store.rows import content_of, message_of, placed
from deskmate.store.times import ms

INTERRUPTED = "interrupted by a newer message"


async def insert(
    tx: Tx,
    thread: str | Thread,
    new: Sequence[NewMessage],
    *,
    after: str | None = None,
    order: Order | None = None,
    replaces: str | None = None,
    fail_pending: bool = False,
    actor: Actor,
) -> list[Message]:
    """Store a batch; a Thread, in place of its id, says that the caller holds its lock.

    Without a placement a user message opens the next order, and others take the next step of the latest. `after` places it on the
    order of that message, `order` on that order or the next. The first message takes the id and the position of the pending
    message that it `replaces`. What answers a failed message is failed itself. `fail_pending` ends what is unfinished on the
    thread, or on the order of `after`. Raises NotFound, Invalid, and Conflict where `replaces` is finished.
    """
    placement.check(after=after, order=order, replaces=replaces)
    thread = (thread if isinstance(thread, Thread) else await threads.lock(tx, thread)).id
    prompt = None if after is None else await get(tx, after, thread=thread, field="after")
    replaced = None if replaces is None else await _replaceable(tx, replaces, thread)
    if fail_pending:
        await _fail_pending(tx, thread, prompt, replaced, actor)
    if not new:
        return []
    batch = [replace(message, parts=readable_parts(message.parts)) for message in new]
    if (error := _inherited_error(prompt, replaced)) is not None:
        batch = [replace(message, status=MessageStatus.FAILED, error=error) for message in batch]
    stored: list[Message] = []
    if replaced is not None:
        stored.append(_in_place_of(replaced, batch[0], tx))
    rest = batch[len(stored) :]
    for message, at in zip(rest, await _positions(tx, thread, rest, prompt, order), strict=True):
        stored.append(placed(message, id=tx.id("message"), thread=thread, at=at, created_at=tx.now, now=tx.now))
    for message, written in zip(stored, batch, strict=True):
        if replaced is not None and message.id == replaced.id:
            await _rewrite(tx, replaced, message, written.files, actor)
        else:
            await _add(tx, message, written, actor)
    await opening.heed(tx, stored, actor=actor)
    return stored


def _in_place_of(message: Message, new: NewMessage, tx: Tx) -> Message:
    return placed(new, id=message.id, thread=message.thread, at=message.position, created_at=message.created_at, now=tx.now)


async def _replaceable(tx: Tx, id: str, thread: str) -> Message:
    message = await get(tx, id, thread=thread, field="replaces")
    if message.status is MessageStatus.SUCCESS:
        raise Conflict(f"message {id} is finished; it cannot be replaced", field="replaces")
    return message


async def _fail_pending(tx: Tx, thread: str, prompt: Message | None, spared: Message | None, actor: Actor) -> None:
    pending = [message_of(row) for row in await tx.all("messages.pending", thread=thread)]
    for message in sorted(pending, key=lambda message: message.position):
        if (prompt is None or message.order == prompt.order) and (spared is None or message.id != spared.id):
            await finish(tx, message.id, MessageStatus.FAILED, error=INTERRUPTED, actor=actor)


def _inherited_error(prompt: Message | None, replaced: Message | None) -> str | None:
    """Why a batch is failed from the start, or None."""
    for message in (replaced, prompt):
        if message is not None and message.status is MessageStatus.FAILED:
            return message.error or "the message it answers has failed"
    return None


async def _positions(
    tx: Tx, thread: str, new: Sequence[NewMessage], prompt: Message | None, order: Order | None
) -> list[Position]:
    if not new:
        return []
    newest = await latest(tx, thread)
    if prompt is not None:
        on_newest = newest if newest is not None and newest.order == prompt.order else None
        last = on_newest.step if on_newest else await _last_step(tx, thread, prompt.order)
        anchor = placement.behind(prompt.position, last or prompt.step)
    elif order is None:
        anchor = placement.at_end(newest)
    elif order == "next":
        anchor = placement.at_next_order(newest)
    else:
        anchor = placement.at_order(order, await _last_step(tx, thread, order))
    return placement.positions([message.role for message in new], anchor, newest)


async def _last_step(tx: Tx, thread: str, order: int) -> int | None:
    row = await tx.one("messages.last_of_order", thread=thread, order=order)
    return None if row is None else row["step"]


async def _add(tx: Tx, message: Message, written: NewMessage, actor: Actor) -> None:
    at = message.position
    await tx.run(
        "messages.insert", **content_of(message), thread=message.thread, order=at.order, step=at.step, now=ms(message.created_at)
    )
    await attachments.attach(tx, message, written.files)
    await findable.put(tx, message)
    data: dict[str, object] = {
        "message": message.id, "visibility": message.visibility, "author": message.author.kind, "said": message.said,
    }  # fmt: skip
    if written.mentions and message.visibility is Visibility.NOTE:
        await mentioning.put(tx, message, written.mentions)
        data["mentions"] = written.mentions
    await feed.emit(tx, EventType.MESSAGE_POSTED, actor=actor, thread=message.thread, data=data)
    await previews.show(tx, message)


async def _rewrite(tx: Tx, before: Message, message: Message, files: Sequence[str] | None, actor: Actor) -> Message:
    await tx.run("messages.replace", **content_of(message), now=ms(message.updated_at))
    await attachments.reattach(tx, before.parts, message, files)
    await findable.changed(tx, before, message)
    if before.status is MessageStatus.PENDING and message.status is not MessageStatus.PENDING:
        await streams.end_with(tx, message)
    data = {
        "message": message.id, "status": message.status, "visibility": message.visibility, "author": message.author.kind,
        "said": message.said and not before.said,
    }  # fmt: skip
    await feed.emit(tx, EventType.MESSAGE_CHANGED, actor=actor, thread=message.thread, data=data)
    await previews.changed(tx, before, message)
    return message


async def _locked(tx: Tx, id: str) -> Message:
    """The message as it is once its thread is locked."""
    await threads.lock(tx, (await get(tx, id)).thread)
    return await get(tx, id)


async def finish(
    tx: Tx, id: str, status: MessageStatus, *, parts: Sequence[Part] | None = None, error: str | None = None, actor: Actor
) -> Message:
    """End a pending message; one that is finished stays as it is. Without content it takes over what was streamed."""
    if status is MessageStatus.PENDING:
        raise Invalid("a message is finished as success or failed", field="status")
    message = await _locked(tx, id)
    if message.status is not MessageStatus.PENDING:
        return message
    content = message.parts if parts is None else readable_parts(parts)
    if not content:
        content = await streams.said(tx, message)
    finished = replace(message, parts=content, status=status, error=error, updated_at=tx.now)
    await _rewrite(tx, message, finished, None, actor)
    await opening.heed(tx, [finished], actor=actor)
    return finished


async def change(
    tx: Tx,
    id: str,
    *,
    parts: Sequence[Part] | None = None,
    status: MessageStatus | None = None,
    error: str | None = None,
    visibility: Visibility | None = None,
    files: Sequence[str] | None = None,
    actor: Actor,
) -> Message:
    """Other content, or the end of a pending message. Raises NotFound, and Conflict where a finished status would change."""
    message = await _locked(tx, id)
    if status not in (None, message.status) and message.status is not MessageStatus.PENDING:
        raise Conflict(f"message {id} is finished as {message.status}", field="status", status=str(message.status))
    changed = replace(
        message,
        parts=message.parts if parts is None else readable_parts(parts),
        status=status or message.status,
        error=message.error if error is None else error,
        visibility=visibility or message.visibility,
        updated_at=tx.now,
    )
    await _rewrite(tx, message, changed, files, actor)
    await opening.heed(tx, [changed], actor=actor)
    return changed


async def delete(tx: Tx, ids: Iterable[str], *, actor: Actor) -> list[str]:
    """Remove messages. Returns those that existed."""
    found = [message for id in dict.fromkeys(ids) if (message := await find(tx, id)) is not None]
    for thread in sorted({message.thread for message in found}):
        await threads.lock(tx, thread)
    deleted = [message for message in found if await _remove(tx, message, actor)]
    for thread in sorted({message.thread for message in deleted}):
        await previews.forget(tx, thread, {message.id for message in deleted})
        await prompts.forget(tx, thread)
    return [message.id for message in deleted]


async def _remove(tx: Tx, message: Message, actor: Actor) -> bool:
    await attachments.detach(tx, message)
    await tx.run("mentions.forget", message=message.id)
    await tx.run("routes.forget", message=message.id)
    await gathering.forget(tx, message)
    await findable.forget(tx, message)
    await opening.forget(tx, message, actor=actor)
    if not await tx.run("messages.delete", id=message.id):
        return False
    await streams.forget_at(tx, message)
    data = {"message": message.id, "visibility": message.visibility}
    await feed.emit(tx, EventType.MESSAGE_DELETED, actor=actor, thread=message.thread, data=data)
    for part in message.parts:
        if isinstance(part, ToolResult) and part.request is not None:
            await _leave_out(tx, part.request, actor)
    return True


async def _leave_out(tx: Tx, request: str, actor: Actor) -> None:
    """A call whose result is gone is shown to no model any more: without this it would look like one that nobody answered."""
    row = await tx.one("requests.get", id=request)
    call = None if row is None or row["call_message"] is None else await find(tx, row["call_message"])
    if row is None or call is None:
        return
    parts = tuple(
        replace(part, left_out=True) if isinstance(part, ApprovalRequest) and part.approval_id == row["approval"] else part
        for part in call.parts
    )
    if parts != call.parts:
        await _rewrite(tx, call, replace(call, parts=parts, updated_at=tx.now), None, actor)


async def delete_range(tx: Tx, thread: str, start: Position, end: Position, *, actor: Actor) -> list[str]:
    """Remove the messages from a position up to another, which is excluded. Returns their ids."""
    await threads.lock(tx, thread)
    rows = await tx.all(
        "messages.ids_between",
        thread=thread, from_order=start.order, from_step=start.step, to_order=end.order, to_step=end.step,
    )  # fmt: skip
    return await delete(tx, [row["id"] for row in rows], actor=actor)
