"""Records as JSON: the fields others rely on, as the actor may see them."""

from collections.abc import Iterable
from dataclasses import asdict

from deskmate.domain.actors import Actor
from deskmate.domain.calendars import calendar_json
from deskmate.domain.keys import Key
from deskmate.domain.messages import Message
from deskmate.domain.operators import Operator
from deskmate.domain.queues import Choice, Queue, Wait
from deskmate.domain.threads import Thread
from deskmate.domain.usage import UsageEntry
from deskmate.errors import DeskmateError
from deskmate.services.live import Piece
from deskmate.services.queueing import Depth
from deskmate.services.reads import Read
from deskmate.services.records import (
    Json,
    author_json,
    decision_json,
    event_json,
    executed_json,
    first_approval_json,
    message_json,
    moment,
    person_json,
    request_json,
    thread_json,
    waiting_json,
)
from deskmate.services.transcripts import Transcript
from deskmate.services.watching import There

__all__ = [
    "Json",
    "author_json",
    "decision_json",
    "event_json",
    "executed_json",
    "first_approval_json",
    "message_json",
    "moment",
    "person_json",
    "request_json",
    "thread_json",
    "waiting_json",
]
"""What leaves in webhooks as well is in the services."""


def error_json(error: DeskmateError) -> Json:
    """Why one of several was refused."""
    facts = error.facts if error.field is None else {**error.facts, "field": error.field}
    return {"code": error.code, "detail": error.message, **facts}


def transcript_json(transcript: Transcript, actor: Actor) -> Json:
    """A whole conversation, already redacted for the actor."""
    return {
        "thread": thread_json(transcript.thread, actor),
        "messages": [message_json(message) for message in transcript.messages],
    }


def read_json(read: Read) -> Json:
    return {
        "thread": read.thread,
        "message": read.message,
        "order": read.position.order,
        "step": read.position.step,
        "at": moment(read.at),
    }


def context_json(thread: Thread, messages: Iterable[Message]) -> Json:
    """What a person needs to decide: who asks, about what, and the last words."""
    return {
        "customer": thread.customer,
        "customer_name": thread.customer_name,
        "subject": thread.subject,
        "messages": [message_json(message) for message in messages],
    }


def operator_json(operator: Operator) -> Json:
    return {
        "id": operator.id,
        "name": operator.name,
        "email": operator.email,
        "role": operator.role,
        "skills": list(operator.skills),
        "languages": list(operator.languages),
        "queues": list(operator.queues),
        "capacity": operator.capacity,
        "load": operator.load,
        "presence": operator.presence,
        "seen_at": moment(operator.seen_at),
        "created_at": moment(operator.created_at),
    }


def queue_json(queue: Queue) -> Json:
    return {
        "name": queue.name,
        "skills": list(queue.skills),
        "chooser": queue.chooser,
        "calendar": None if queue.calendar is None else calendar_json(queue.calendar),
        "lease_seconds": int(queue.lease.total_seconds()),
        "sla": queue.sla,
        "response": queue.response,
        "chain": queue.chain,
        "created_at": moment(queue.created_at),
    }


def depth_json(depth: Depth) -> Json:
    return queue_json(depth.queue) | {"waiting": depth.waiting, "waiting_since": moment(depth.since)}


def wait_json(wait: Wait) -> Json:
    expected = wait.expected_wait
    return {
        "position": wait.position,
        "expected_wait_seconds": None if expected is None else round(expected.total_seconds()),
        "opens_at": moment(wait.opens_at),
    }


def choice_json(choice: Choice) -> Json:
    return {
        "id": choice.id,
        "thread": choice.thread,
        "request": choice.request,
        "queue": choice.queue,
        "operator": {"id": choice.operator, "name": choice.operator_name},
        "reason": choice.reason,
        "candidates": [asdict(candidate) for candidate in choice.candidates],
        "missed_at": moment(choice.missed_at),
        "created_at": moment(choice.created_at),
    }


def key_json(key: Key) -> Json:
    return {
        "id": key.id,
        "name": key.name,
        "operator": key.operator,
        "role": key.role,
        "scopes": sorted(key.scopes),
        "expires_at": moment(key.expires_at),
        "created_at": moment(key.created_at),
    }


def usage_json(entry: UsageEntry) -> Json:
    return {
        "id": entry.id,
        "thread": entry.thread,
        "run": entry.run,
        "agent": entry.agent,
        "operator": entry.operator,
        "request": entry.request,
        "customer": entry.metered.customer,
        "queue": entry.metered.queue,
        "provider": entry.provider,
        "model": entry.model,
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "seconds": entry.seconds,
        "begun_at": moment(entry.begun_at),
        "rate": entry.metered.rate,
        "cost_minor": entry.cost_minor,
        "cost_nanos": entry.cost_nanos,
        "currency": entry.currency,
        "corrects": entry.corrects,
        "reason": entry.reason,
        "created_at": moment(entry.created_at),
    }


def piece_json(piece: Piece) -> Json:
    return {"message": piece.message, "thread": piece.thread, "offset": piece.offset, "text": piece.text}


def there_json(there: There) -> Json:
    """Who is on a thread, already redacted for the reader."""
    viewers = [
        {"kind": one.kind, "id": one.id, "name": one.name, "typing": one.typing is not None, "visibility": one.typing}
        for one in there.viewers
    ]
    return {"thread": there.thread, "viewers": viewers}
