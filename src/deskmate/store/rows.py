"""Rows as records, and messages as rows: the one place that knows both the columns and the words of the domain."""

import json
from datetime import datetime

from deskmate.domain import parts
from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.assignments import Assignment, Holder
from deskmate.domain.customers import Customer
from deskmate.domain.files import StoredFile
from deskmate.domain.messages import Message, MessageStatus, NewMessage, Position, Visibility, readable, text_of
from deskmate.domain.threads import Mode, Preview, Priority, Status, Thread
from deskmate.store.base import Row
from deskmate.store.times import utc, utc_or_none


def _time(at: int) -> datetime:
    return utc(at)


def _time_or_none(at: int | None) -> datetime | None:
    return utc_or_none(at)


def customer_of(row: Row) -> Customer:
    """A stored row as a customer."""
    return Customer(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        anonymous=bool(row["anonymous"]),
        metadata=json.loads(row["metadata"]),
        created_at=_time(row["created_at"]),
    )


def thread_of(row: Row) -> Thread:
    """A stored row, with the name of the customer, as a thread."""
    return Thread(
        id=row["id"],
        customer=row["customer"],
        customer_name=row["customer_name"] or None,
        subject=row["subject"],
        summary=row["summary"],
        status=Status(row["status"]),
        snoozed_until=_time_or_none(row["snoozed_until"]),
        assignment=Assignment(
            to=Holder(row["assignment"]),
            id=row["holder"],
            name=row["holder_name"],
            since=_time(row["assigned_at"]),
            reason=row["assignment_reason"],
        ),
        epoch=row["epoch"],
        mode=Mode(row["mode"]),
        priority=Priority(row["priority"]),
        queue=row["queue"],
        weight=row["weight"],
        tags=tuple(json.loads(row["tags"])),
        language=row["language"],
        waiting_since=_time_or_none(row["waiting_since"]),
        metadata=json.loads(row["metadata"]),
        prompt_order=row["prompt_order"],
        answered_order=row["answered_order"],
        limited=bool(row.get("limited", False)),
        preview=_preview_of(row),
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
    )


def _preview_of(row: Row) -> Preview | None:
    if row["preview_message"] is None:
        return None
    return Preview(
        text=row["preview_text"],
        author=Author(kind=AuthorKind(row["preview_author_kind"]), name=row["preview_author_name"]),
        visibility=row["preview_visibility"],
        at=_time(row["preview_at"]),
    )


def message_of(row: Row) -> Message:
    """A stored row as a message."""
    return Message(
        id=row["id"],
        thread=row["thread"],
        order=row["order"],
        step=row["step"],
        role=row["role"],
        parts=parts.load(row["parts"]),
        author=Author(kind=AuthorKind(row["author_kind"]), id=row["author_id"], name=row["author_name"]),
        visibility=Visibility(row["visibility"]),
        status=MessageStatus(row["status"]),
        agent_name=row["agent_name"],
        model=row["model"],
        provider=row["provider"],
        provider_metadata=json.loads(row["provider_metadata"]) if row["provider_metadata"] else None,
        usage=json.loads(row["usage"]) if row["usage"] else None,
        error=row["error"],
        run=row["run"],
        created_at=_time(row["created_at"]),
        updated_at=_time(row["updated_at"]),
    )


def file_of(row: Row) -> StoredFile:
    """A stored row, with the number of messages that name it, as a file."""
    kind = row["added_by_kind"]
    return StoredFile(
        id=row["id"],
        hash=row["hash"],
        storage=row["storage"],
        filename=row["filename"] or None,
        media_type=row["media_type"],
        size=row["size"],
        messages=row["messages"],
        thread=row["thread"],
        added_by=None if kind is None else Author(kind=AuthorKind(kind), id=row["added_by"]),
        touched_at=_time(row["touched_at"]),
        created_at=_time(row["created_at"]),
    )


def placed(new: NewMessage, *, id: str, thread: str, at: Position, created_at: datetime, now: datetime) -> Message:
    """A new message that has got its id and its position."""
    return Message(
        id=id,
        thread=thread,
        order=at.order,
        step=at.step,
        role=new.role,
        parts=new.parts,
        author=new.author,
        visibility=new.visibility,
        status=new.status,
        agent_name=new.agent_name,
        model=new.model,
        provider=new.provider,
        provider_metadata=new.provider_metadata,
        usage=new.usage,
        error=new.error,
        run=new.run,
        created_at=created_at,
        updated_at=now,
    )


def content_of(message: Message) -> dict[str, object]:
    """The columns of a message that can change, as parameters of a statement."""
    return {
        "id": message.id,
        "role": message.role,
        "author_kind": message.author.kind,
        "author_id": message.author.id,
        "author_name": message.author.name,
        "parts": parts.dump(message.parts),
        "text": readable(text_of(message.role, message.parts)),
        "visibility": message.visibility,
        "status": message.status,
        "agent_name": message.agent_name,
        "model": message.model,
        "provider": message.provider,
        "provider_metadata": json.dumps(dict(message.provider_metadata)) if message.provider_metadata else None,
        "usage": json.dumps(dict(message.usage)) if message.usage else None,
        "error": None if message.error is None else readable(message.error),
        "run": message.run,
    }
