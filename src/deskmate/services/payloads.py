"""Payloads: what a webhook is told of an event, as things are when it is sent. Notes and drafts never leave unless meant (P8)."""

import json
from collections.abc import Mapping

from deskmate.domain.actors import SYSTEM, Actor, service
from deskmate.domain.events import Event
from deskmate.domain.permissions import event_visible, redact
from deskmate.domain.requests import Request
from deskmate.domain.threads import Thread
from deskmate.domain.webhooks import OUTSIDE, TEST, Webhook
from deskmate.errors import NotFound
from deskmate.services import ledger, threads
from deskmate.services.live import Seen, event_of, seen_by
from deskmate.services.records import Json, event_json, message_json, moment, person_json, request_json, thread_json
from deskmate.store.base import Row, Tx
from deskmate.store.rows import message_of
from deskmate.store.times import utc

LAST = 10
"""How many of the last public words of a thread are told with an event."""
OUTSIDER = service("webhook", role=None, scopes=frozenset({"threads:read"}))
"""A reader of what is public, as keys with this scope are."""
_TOLD = (
    "id", "thread", "run", "agent", "kind", "state", "question", "tool", "args", "args_digest", "risk", "response_schema",
    "queue", "priority", "claimed_by", "expires_at", "on_expiry", "created_at", "updated_at",
)  # fmt: skip


def link(public_url: str | None, thread: str | None) -> str | None:
    """Where people look at a thread, for a desk that knows its own address."""
    return None if public_url is None or thread is None else f"{public_url.rstrip('/')}/inbox/threads/{thread}"


async def payload(tx: Tx, webhook: Webhook, delivery: Row, *, public_url: str | None) -> str | None:
    """The body of a message as JSON; None where the event is gone, or where this webhook may not be told of it."""
    if delivery["type"] == TEST:
        data: Json = {"webhook": webhook.id, "description": webhook.description}
        return _written(TEST, moment(utc(delivery["created_at"])), data)
    row = await tx.one("deliveries.event", seq=delivery["event_seq"])
    if row is None:
        return None
    event = event_of(row)
    seen = await _seen(tx, event, SYSTEM if webhook.hidden else OUTSIDER)
    if seen is None:
        return None
    return _written(event.type, moment(event.at), await _data(tx, seen, webhook, public_url))


async def _seen(tx: Tx, event: Event, reader: Actor) -> Seen | None:
    """The event as this reader may see it; of what customers are not told, an outsider is told names, states and times."""
    if event_visible(event, reader) or event.type.startswith(("thread.", "message.")):
        return await seen_by(tx, event, reader)
    told = OUTSIDE.get(event.type.partition(".")[0], frozenset())
    return Seen(event=_only(event, told))


async def _data(tx: Tx, seen: Seen, webhook: Webhook, public_url: str | None) -> Json:
    event, reader = seen.event, SYSTEM if webhook.hidden else OUTSIDER
    data: Json = {"event": event_json(seen, reader), "thread": None, "request": None, "messages": []}
    data["link"] = link(public_url, event.thread)
    thread = None if event.thread is None else await _thread(tx, event.thread)
    if thread is not None:
        data["thread"] = thread_json(thread, reader)
        rows = await tx.all("requests.context", thread=thread.id, limit=LAST)
        data["messages"] = [message_json(redact(message_of(row), OUTSIDER)) for row in reversed(rows)]
    request = await _request(tx, event.data.get("request"))
    if request is not None:
        data["request"] = request_json(request) if webhook.hidden else told_of(request)
    return data


def told_of(request: Request) -> Json:
    """A request for those who see nothing hidden: what is asked, by whom, and who decided; none of the team's own words."""
    whole = request_json(request)
    decision = request.decision
    return {name: whole[name] for name in _TOLD} | {
        # What an agent gives as its reason is meant for people; what people write to each other stays with them.
        "reason": request.reason if request.agent is not None else None,
        "decision": None
        if decision is None
        else {
            "kind": decision.kind,
            "by": person_json(decision.by),
            "at": moment(decision.at),
            "channel": decision.channel,
        },
    }


def _only(event: Event, told: frozenset[str]) -> Event:
    data = {name: fact for name, fact in event.data.items() if name in told}
    return Event(
        seq=event.seq,
        thread=event.thread,
        thread_seq=event.thread_seq,
        type=event.type,
        actor=event.actor,
        at=event.at,
        data=data,
    )


async def _thread(tx: Tx, id: str) -> Thread | None:
    try:
        return await threads.get(tx, id)
    except NotFound:
        return None


async def _request(tx: Tx, id: object) -> Request | None:
    if not isinstance(id, str):
        return None
    try:
        return await ledger.get(tx, id)
    except NotFound:
        return None


def _written(type: str, at: str | None, data: Mapping[str, object]) -> str:
    return json.dumps({"type": type, "timestamp": at, "data": data}, separators=(",", ":"), ensure_ascii=False, default=str)
