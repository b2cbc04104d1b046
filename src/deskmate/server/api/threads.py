"""Threads and their messages over HTTP."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.invoice_forms import sum_json
from deskmate.domain.messages import Visibility
from deskmate.domain.permissions import Action, allowed
from deskmate.domain.requests import RequestKind
from deskmate.domain.threads import Priority, Status, Thread
from deskmate.errors import Forbidden, Invalid
from deskmate.server.api.bodies import (
    ActOnThreads,
    Assign,
    ChangeThread,
    Escalate,
    MarkRead,
    OpenThread,
    PostMessage,
    Respond,
    Typing,
    Viewing,
    read_moment,
)
from deskmate.server.api.doors import TheDesk, Who, counted
from deskmate.server.api.routing import route_json
from deskmate.server.limits import Door
from deskmate.server.records import (
    Json,
    error_json,
    message_json,
    moment,
    read_json,
    request_json,
    thread_json,
    transcript_json,
    usage_json,
)
from deskmate.services.actions import ThreadAction
from deskmate.services.inbox import Sort, Tab
from deskmate.services.usage import labour

router = APIRouter(prefix="/api/threads", tags=["threads"])
Limit = Annotated[int, Query(ge=1, le=200)]
CursorText = Annotated[str | None, Query(max_length=500)]


class Format(StrEnum):
    """What a transcript is written as."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


DOWNLOADS: Mapping[Format, tuple[str, str]] = {
    Format.TEXT: ("text/plain; charset=utf-8", "txt"),
    Format.MARKDOWN: ("text/markdown; charset=utf-8", "md"),
    Format.JSON: ("application/json", "json"),
}
"""What browsers are told a transcript is, and how its file ends."""


@router.post("", status_code=201)
async def open_thread(body: OpenThread, desk: TheDesk, who: Who) -> Json:
    """Open a thread: a customer for themselves, a program or an operator for the customer they name."""
    if who.kind is AuthorKind.CUSTOMER and "customer" in body.model_fields_set:
        raise Forbidden("a customer opens threads for themselves", field="customer")
    thread = await desk.threads.open(
        customer=who.id if who.kind is AuthorKind.CUSTOMER else body.customer,
        subject=body.subject,
        metadata=body.metadata,
        by=who,
    )
    return thread_json(thread, who)


@router.get("")
async def list_threads(
    desk: TheDesk,
    who: Who,
    assignment: Tab = Tab.ALL,
    status: Literal["open", "snoozed", "resolved", "all"] | None = None,
    queue: Annotated[str | None, Query(max_length=200)] = None,
    kind: RequestKind | None = None,
    priority: Priority | None = None,
    tag: Annotated[str | None, Query(max_length=200)] = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    customer: Annotated[str | None, Query(max_length=200)] = None,
    sort: Sort = Sort.NEWEST,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Json:
    """The inbox: a page of threads with the counts of its tabs; with a customer all of theirs, newest first. A customer gets
    their own threads."""
    wanted = Status.OPEN if status is None else None if status == "all" else Status(status)
    if who.kind is AuthorKind.CUSTOMER:
        own = await desk.threads.of_customer(by=who, status=None if status is None else wanted, cursor=cursor, limit=limit)
        return {"items": [thread_json(thread, who) for thread in own.items], "cursor": own.cursor}
    if customer is not None:
        asked = None if status is None else wanted
        theirs = await desk.threads.page(customer=customer, status=asked, cursor=cursor, limit=limit, by=who)
        return {"items": [thread_json(thread, who) for thread in theirs.items], "cursor": theirs.cursor}
    page = await desk.inbox.page(
        by=who, tab=assignment, status=wanted, queue=queue, kind=kind, priority=priority, tag=tag, q=q, sort=sort, cursor=cursor,
        limit=limit,
    )  # fmt: skip
    new = await desk.reads.unread([thread.id for thread in page.items], by=who)
    return {
        "items": [thread_json(thread, who, page.requests.get(thread.id, ()), unread=new.get(thread.id)) for thread in page.items],
        "cursor": page.cursor,
        "counts": dict(page.counts),
        "counts_more": dict(page.more),
        "queues": dict(page.queues),
    }


@router.post("/actions")
async def act(body: ActOnThreads, desk: TheDesk, who: Who) -> Json:
    """Do the same to many threads, each for itself: one that is refused does not hold up the others."""
    facts = {name: getattr(body, name) for name in body.model_fields_set - {"threads"}}
    if body.snoozed_until is not None:
        facts["snoozed_until"] = read_moment(body.snoozed_until, "snoozed_until")
    acted = await desk.actions.apply(body.threads, ThreadAction(**facts), by=who)
    new = await desk.reads.unread([one.id for one in acted if one.thread is not None], by=who)
    items: list[Json] = []
    for one in acted:
        if one.error is not None:
            items.append({"thread": one.id, "error": error_json(one.error)})
        elif one.thread is not None:
            waiting = await desk.requests.waiting(one.id, by=who)
            items.append({"thread": thread_json(one.thread, who, waiting, unread=new.get(one.id))})
    return {"items": items}


@router.get("/{thread}")
async def get_thread(thread: str, desk: TheDesk, who: Who) -> Json:
    """One thread; for the team with its newest route."""
    record = await shown(desk, await desk.threads.get(thread, by=who), who)
    if allowed(who, Action.MESSAGE_READ_HIDDEN):
        newest = await desk.routing.routes(thread, limit=1, by=who)
        record["route"] = route_json(newest[0]) if newest else None
    return record


@router.patch("/{thread}")
async def change_thread(thread: str, body: ChangeThread, desk: TheDesk, who: Who) -> Json:
    """Change what people set: subject, status, snooze, mode, priority, tags."""
    facts = {name: getattr(body, name) for name in body.model_fields_set}
    if "snoozed_until" in facts and facts["snoozed_until"] is not None:
        facts["snoozed_until"] = read_moment(facts["snoozed_until"], "snoozed_until")
    return await shown(desk, await desk.threads.change(thread, by=who, **facts), who)


@router.delete("/{thread}", status_code=204)
async def delete_thread(thread: str, desk: TheDesk, who: Who) -> None:
    """Delete a thread and everything on it."""
    await desk.threads.delete(thread, by=who)


@router.get("/{thread}/messages")
async def list_messages(
    thread: str,
    desk: TheDesk,
    who: Who,
    after: Annotated[str | None, Query(max_length=100)] = None,
    before: Annotated[str | None, Query(max_length=500)] = None,
    limit: Limit = 50,
) -> Json:
    """The history by position, as the actor may see it. `cursor` goes on: pass it as `before`, or as `after`."""
    page = await desk.messages.history(thread, by=who, after=after, before=before, limit=limit)
    return {"items": [message_json(message) for message in page.items], "cursor": page.cursor}


@router.post("/{thread}/messages", status_code=201, dependencies=[counted(Door.POST)])
async def post_message(
    thread: str,
    body: PostMessage,
    desk: TheDesk,
    who: Who,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> JSONResponse:
    """Post as the authenticated actor. With `author: "customer"` a key with the scope may speak for the thread's customer."""
    if who.kind is AuthorKind.CUSTOMER and "author" in body.model_fields_set:
        raise Forbidden("a customer speaks as themselves", field="author")
    if body.idempotency_key and idempotency_key and body.idempotency_key != idempotency_key:
        raise Invalid("the header Idempotency-Key says something else", field="idempotency_key")
    message = await desk.messages.post(
        thread,
        body.text,
        author=who,
        as_customer=body.author == "customer",
        visibility=Visibility(body.visibility),
        files=body.files,
        respond=body.respond,
        idempotency_key=body.idempotency_key or idempotency_key,
    )
    return JSONResponse(message_json(message), 201)


@router.get("/{thread}/transcript", response_class=Response)
async def transcript(thread: str, desk: TheDesk, who: Who, format: Format = Format.TEXT) -> Response:
    """The whole conversation to keep, as far as the actor may see it: who said what, when, and who is an AI."""
    found = await desk.transcripts.of_thread(thread, by=who)
    if format is Format.JSON:
        text = json.dumps(transcript_json(found, who), ensure_ascii=False, default=str)
    else:
        text = found.text(markdown=format is Format.MARKDOWN)
    media, ending = DOWNLOADS[format]
    headers = {
        "Content-Disposition": f'attachment; filename="transcript-{found.thread.id}.{ending}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(text, media_type=media, headers=headers)


@router.post("/{thread}/read")
async def mark_read(thread: str, desk: TheDesk, who: Who, body: MarkRead | None = None) -> Json | None:
    """Say how far one has read; without a message, up to the newest. It only moves on."""
    read = await desk.reads.mark(thread, body.message if body else None, by=who)
    if read is None or who.kind is AuthorKind.CUSTOMER:
        return None if read is None else read_json(read)
    return read_json(read) | {"unread": (await desk.reads.unread([thread], by=who)).get(thread)}


@router.post("/{thread}/typing", status_code=204, dependencies=[counted(Door.TYPING)])
async def typing(thread: str, body: Typing, desk: TheDesk, who: Who) -> None:
    """Show for six seconds that one types, or that one has stopped. Renew it every few seconds."""
    await desk.viewers.typing(thread, body.typing, visibility=Visibility(body.visibility), by=who)


@router.post("/{thread}/viewing", status_code=204, dependencies=[counted(Door.TYPING)])
async def viewing(thread: str, body: Viewing, desk: TheDesk, who: Who) -> None:
    """Show the team for 45 seconds that one has the thread before them, or has left it. Renew it every half minute."""
    await desk.viewers.viewing(thread, body.viewing, by=who)


@router.post("/{thread}/respond")
async def respond(thread: str, desk: TheDesk, who: Who, body: Respond | None = None) -> Json:
    """Start a run for the newest unanswered message. Which agent answers is not for customers to say."""
    if who.kind is AuthorKind.CUSTOMER and body is not None and body.agent is not None:
        raise Forbidden("a customer does not choose the agent", field="agent")
    found = await desk.start(thread, agent=body.agent if body else None, by=who)
    return await shown(desk, found, who)


@router.post("/{thread}/assignment")
async def assign(thread: str, body: Assign, desk: TheDesk, who: Who) -> Json:
    """Take over, hand back, transfer, release. 409 with the holder when the epoch moved."""
    changed = await desk.assignments.assign(thread, body.to, by=who, note=body.note, epoch=body.epoch)
    return await shown(desk, changed, who)


@router.post("/{thread}/escalation", dependencies=[counted(Door.POST)])
async def escalate(thread: str, body: Escalate, desk: TheDesk, who: Who) -> Json:
    """Have a person answer. A customer may ask for one at any time."""
    changed = await desk.escalations.escalate(thread, body.reason, urgency=body.urgency, summary=body.summary, by=who)
    return await shown(desk, changed, who)


@router.get("/{thread}/assignments")
async def assignments(thread: str, desk: TheDesk, who: Who) -> Json:
    """Every change of hands, oldest first."""
    changes = await desk.assignments.history(thread, by=who)
    items = [
        {
            "epoch": change.epoch,
            "cause": change.cause,
            "to": {"to": change.to, "id": change.id, "name": change.name},
            "reason": change.reason,
            "note": change.note,
            "by": {"kind": change.by.kind, "id": change.by.id, "name": change.by.name},
            "at": moment(change.at),
        }
        for change in changes
    ]
    return {"items": items, "cursor": None}


@router.get("/{thread}/usage")
async def usage(thread: str, desk: TheDesk, who: Who) -> Json:
    """What has been metered on this thread, entry by entry and in one sum."""
    entries = await desk.usage.of_thread(thread, by=who)
    return {"items": [usage_json(entry) for entry in entries], "labour": sum_json(labour(entries)), "cursor": None}


@router.get("/{thread}/requests")
async def requests(thread: str, desk: TheDesk, who: Who) -> Json:
    """All requests of this thread, decided ones too, oldest first."""
    page = await desk.requests.list(by=who, state=None, thread=thread, limit=200)
    return {"items": [request_json(request) for request in page.items], "cursor": page.cursor}


async def shown(desk: TheDesk, thread: Thread, who: Actor) -> Json:
    """A thread as this actor may see it, with what waits on it."""
    if not allowed(who, Action.MESSAGE_READ_HIDDEN):
        return thread_json(thread, who)
    waiting = await desk.requests.waiting(thread.id, by=who)
    new = await desk.reads.unread([thread.id], by=who)
    seen = await desk.reads.of_customer(thread.id, by=who)
    record = thread_json(thread, who, waiting, unread=new.get(thread.id))
    return record | {"customer_read": None if seen is None else read_json(seen)}
