"""Telling: the follower that tells people of what has just begun to wait for them. Nobody is told of what they did themselves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from deskmate.domain.actors import AuthorKind
from deskmate.domain.assignments import Holder
from deskmate.domain.events import Event, EventType
from deskmate.domain.notifications import is_over
from deskmate.domain.requests import Request, RequestKind
from deskmate.domain.threads import Thread
from deskmate.services import ledger, notices
from deskmate.services.notifications import notify
from deskmate.store.base import Tx

LONGEST = 300  # characters of what is asked


async def tell(tx: Tx, events: Sequence[Event]) -> None:
    """The reaction of the follower `notifications`."""
    for event in events:
        verb = _VERBS.get(event.type)
        if verb is not None and event.thread is not None:
            await verb(tx, event, event.thread)


async def _opened(tx: Tx, event: Event, thread: str) -> None:
    """An agent or a program asks people."""
    request = str(event.data["request"])
    matter = await notices.matter(tx, "request.opened", thread, request)
    if matter.request is None or is_over(matter.kind, matter.thread, matter.request):
        return
    whom = _others(event, await notices.concerned(tx, matter))
    text = asks(matter.request, matter.thread)
    await notify(tx, whom, key=_key(request), kind=matter.kind, text=text, thread=thread, request=request, urgent=_urgent(matter))


async def _assigned(tx: Tx, event: Event, thread: str) -> None:
    """A thread begins to wait for people. Whoever is told of the request by which it was escalated is not told of it twice."""
    to = cast("Mapping[str, object]", event.data["to"])
    if to["to"] != Holder.QUEUE:
        return
    matter = await notices.matter(tx, "thread.waiting", thread, None)
    found = matter.thread
    if found is None or found.assignment.to is not Holder.QUEUE or is_over(matter.kind, found, None):
        return
    escalations = [one.id for one in await ledger.waiting(tx, thread) if one.kind is RequestKind.ESCALATION]
    key = _key(escalations[0]) if escalations else f"thread.waiting/{thread}/{event.data['epoch']}"
    whom = _others(event, await notices.concerned(tx, matter))
    text = f"{customer_of(found)} waits in {matter.queue.name}"
    await notify(tx, whom, key=key, kind=matter.kind, text=text, thread=thread, urgent=_urgent(matter))


async def _posted(tx: Tx, event: Event, thread: str) -> None:
    """A note calls on people. What it says stays in the thread."""
    mentioned = cast("Sequence[str]", event.data.get("mentions") or ())
    if not mentioned:
        return
    matter = await notices.matter(tx, "mention", thread, None)
    if matter.thread is None:
        return
    text = f"{event.actor.name} calls on you in a note on the thread of {customer_of(matter.thread)}"
    await notify(tx, _others(event, mentioned), key=f"mention/{event.data['message']}", kind="mention", text=text, thread=thread)


_VERBS: Mapping[EventType, Callable[[Tx, Event, str], Awaitable[None]]] = {
    EventType.REQUEST_OPENED: _opened,
    EventType.THREAD_ASSIGNED: _assigned,
    EventType.MESSAGE_POSTED: _posted,
}


def asks(request: Request, thread: Thread | None) -> str:
    """What is asked, in one line. The words of a draft are not in it."""
    who, about = request.agent or "A program", customer_of(thread)
    match request.kind:
        case RequestKind.QUESTION:
            return f"{who} asks: {request.question or ''}"[:LONGEST]
        case RequestKind.ESCALATION:
            return f"{who} passes {about} on: {request.reason or request.question or ''}"[:LONGEST]
        case RequestKind.APPROVAL if request.draft is not None:
            return f"{who} has drafted a reply to {about}"
        case RequestKind.APPROVAL:
            return f"{who} wants to run {request.tool} for {about}"[:LONGEST]


def customer_of(thread: Thread | None) -> str:
    """The customer as the inbox calls them."""
    if thread is None or thread.customer is None:
        return "no customer"
    return thread.customer_name or f"Visitor {thread.customer[-4:]}"


def _others(event: Event, operators: Sequence[str]) -> list[str]:
    """All but the one who did it."""
    oneself = event.actor.id if event.actor.kind is AuthorKind.OPERATOR else None
    return [id for id in operators if id != oneself]


def _urgent(matter: notices.Matter) -> bool:
    priority = matter.request.priority if matter.request is not None else matter.thread.priority if matter.thread else ""
    return priority == "urgent"


def _key(request: str) -> str:
    return f"request.opened/{request}"
