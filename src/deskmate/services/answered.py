"""Answered: what people told customers, as the feed tells it: questions with their answers, without what is one's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import Message
from deskmate.domain.requests import DecisionKind, Request, RequestKind
from deskmate.domain.suggestions import general
from deskmate.services import deeds, history, prompts, threads
from deskmate.store.base import Tx
from deskmate.store.request_rows import request_of
from deskmate.store.rows import message_of

HEARD = frozenset({EventType.REQUEST_DECIDED, EventType.MESSAGE_POSTED})
_ASKING = frozenset({RequestKind.QUESTION, RequestKind.ESCALATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A message of a customer, and what a person answered. `reply` is the message that says so, where it is one."""

    thread: str
    customer: str
    message: str
    reply: str | None
    question: str
    answer: str
    operator: Author
    at: datetime


async def answered(tx: Tx, event: Event) -> Answered | None:
    """What a person answered here; None where nobody did, or where it is for this customer only."""
    if event.thread is None or event.actor.kind is not AuthorKind.OPERATOR:
        return None
    found = await (_decided(tx, event) if event.type is EventType.REQUEST_DECIDED else _replied(tx, event))
    thread = None if found is None else await threads.find(tx, event.thread)
    if found is None or thread is None:
        return None
    asked, answer, reply = found
    if asked.author.kind is not AuthorKind.CUSTOMER or await tx.one("suggestions.knows", message=asked.id) is not None:
        return None
    names = [name for name in (thread.customer_name, asked.author.name, event.actor.name) if name]
    said = general(asked.text, answer, names=names)
    if said is None:
        return None
    return Answered(
        thread=thread.id,
        customer=thread.customer or thread.id,
        message=asked.id,
        reply=reply,
        question=said[0],
        answer=said[1],
        operator=event.actor,
        at=event.at,
    )


async def _decided(tx: Tx, event: Event) -> tuple[Message, str, str | None] | None:
    """A question that was answered, or a draft that says something else now."""
    row = await tx.one("requests.get", id=str(event.data["request"]))
    request = None if row is None else request_of(row)
    answer = None if request is None else _said(request)
    if request is None or not answer:
        return None
    place = None
    for id in (request.call_message, request.draft):
        place = place or (None if id is None else await history.find(tx, id))
    asked = (
        await prompts.newest_of_customer(tx, request.thread)
        if place is None
        else await prompts.at(tx, request.thread, place.order)
    )
    return None if asked is None else (asked, answer, request.draft)


def _said(request: Request) -> str | None:
    decision = request.decision
    if decision is None:
        return None
    if request.kind in _ASKING and decision.kind is DecisionKind.ANSWER:
        return _words(decision.value)
    if request.draft is not None and decision.kind is DecisionKind.EDIT:
        return decision.text
    return None


def _words(value: object) -> str | None:
    """An answer in words. Forms with several fields are about one case."""
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, object]", value)
        value = next(iter(fields.values())) if len(fields) == 1 else None
    return value if isinstance(value, str) else None


async def _replied(tx: Tx, event: Event) -> tuple[Message, str, str | None] | None:
    """The first public words of a person after a message of the customer."""
    if await deeds.speaker(tx, event) is not AuthorKind.OPERATOR:
        return None
    reply = await history.find(tx, str(event.data["message"]))
    if reply is None or not reply.text:
        return None
    row = await tx.one("suggestions.asked_before", thread=reply.thread, order=reply.order, step=reply.step)
    return None if row is None else (message_of(row), reply.text, reply.id)
