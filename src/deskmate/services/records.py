"""Records as JSON as they leave the desk, through its doors and in webhooks, as the actor may see them."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from deskmate.domain.actors import Actor, Author
from deskmate.domain.messages import Message
from deskmate.domain.parts import parts_to_json
from deskmate.domain.permissions import Action, allowed, redact_thread
from deskmate.domain.requests import Decision, FirstApproval, Request
from deskmate.domain.threads import Thread
from deskmate.services.live import Seen

Json = dict[str, object]


def moment(at: datetime | None) -> str | None:
    """A time in UTC, with its zone and ms."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def author_json(author: Author) -> Json:
    return {"kind": author.kind, "id": author.id, "name": author.name}


def person_json(author: Author | None) -> Json | None:
    return None if author is None else {"id": author.id, "name": author.name}


def message_json(message: Message) -> Json:
    """A message that the actor may see, already redacted for them."""
    return {
        "id": message.id,
        "thread": message.thread,
        "order": message.order,
        "step": message.step,
        "role": message.role,
        "author": author_json(message.author),
        "text": message.text,
        "parts": parts_to_json(message.parts),
        "visibility": message.visibility,
        "status": message.status,
        "error": message.error,
        "agent_name": message.agent_name,
        "model": message.model,
        "provider": message.provider,
        "provider_metadata": message.provider_metadata,
        "run": message.run,
        "created_at": moment(message.created_at),
    }


def thread_json(thread: Thread, actor: Actor, waiting: Iterable[Request] = (), *, unread: int | None = None) -> Json:
    """A thread as its customer or the team may see it; with what is unread, for operators."""
    shown = redact_thread(thread, actor)
    holder = shown.assignment
    record: Json = {
        "id": shown.id,
        "customer": shown.customer,
        "customer_name": shown.customer_name,
        "subject": shown.subject,
        "status": shown.status,
        "assignment": {
            "to": holder.to,
            "id": holder.id,
            "name": holder.name,
            "since": moment(holder.since),
            "reason": holder.reason,
        },
        "waiting_since": moment(shown.waiting_since),
        "preview": _preview_json(shown),
        "created_at": moment(shown.created_at),
        "updated_at": moment(shown.updated_at),
    }
    if allowed(actor, Action.MESSAGE_READ_HIDDEN):
        record |= {
            "summary": shown.summary,
            "snoozed_until": moment(shown.snoozed_until),
            "epoch": shown.epoch,
            "mode": shown.mode,
            "priority": shown.priority,
            "queue": shown.queue,
            "tags": list(shown.tags),
            "language": shown.language,
            "metadata": dict(shown.metadata),
            "requests": [waiting_json(request) for request in waiting],
            "clock": _due_json(shown),
        }
        if unread is not None:
            record["unread"] = unread
    return record


def _due_json(thread: Thread) -> Json | None:
    """The target of an SLA policy that is due first on a thread."""
    if thread.due_target is None:
        return None
    return {
        "target": thread.due_target,
        "due_at": moment(thread.due_at),
        "breached": thread.due_breached,
        "paused": thread.due_at is None,
    }


def _preview_json(thread: Thread) -> Json | None:
    preview = thread.preview
    if preview is None:
        return None
    return {
        "text": preview.text,
        "author": {"kind": preview.author.kind, "name": preview.author.name},
        "visibility": preview.visibility,
        "at": moment(preview.at),
    }


def waiting_json(request: Request) -> Json:
    """A request as the list of threads shows it."""
    return {
        "id": request.id,
        "kind": request.kind,
        "state": request.state,
        "question": request.question,
        "draft": request.draft,
        "tool": request.tool if request.args is not None else None,
        "risk": request.risk,
        "claimed_by": person_json(request.claimed_by),
        "expires_at": moment(request.expires_at),
        "on_expiry": request.on_expiry,
        "missed": request.missed,
        "created_at": moment(request.created_at),
    }


def request_json(request: Request) -> Json:
    return waiting_json(request) | {
        "thread": request.thread,
        "run": request.run,
        "agent": request.agent,
        "call_id": request.call_id,
        "call_message": request.call_message,
        "approval": request.approval,
        "args": request.args,
        "args_digest": request.args_digest,
        "args_schema": request.args_schema,
        "executed": executed_json(request),
        "approvers": request.approvers,
        "first_approval": first_approval_json(request.first_approval),
        "self_approval": request.self_approval,
        "caused_by": request.caused_by,
        "idempotent": request.idempotent,
        "reason": request.reason,
        "suggestion": request.suggestion,
        "confidence": request.confidence,
        "floor": request.floor,
        "response_schema": request.response_schema,
        "queue": request.queue,
        "skills": list(request.skills),
        "priority": request.priority,
        "default": request.default,
        "talk_over": request.talk_over,
        "remind_at": moment(request.remind_at),
        "decision": None if request.decision is None else decision_json(request.decision),
        "outcome": request.outcome,
        "updated_at": moment(request.updated_at),
    }


def executed_json(request: Request) -> Json | None:
    """The arguments a call ran with; those that were asked for, and those a person changed them to, are facts of their own."""
    if request.executed_digest is None:
        return None
    return {"args": request.executed_args, "digest": request.executed_digest}


def first_approval_json(first: FirstApproval | None) -> Json | None:
    if first is None:
        return None
    return {"by": person_json(first.by), "at": moment(first.at), "args": first.args, "args_digest": first.args_digest}


def decision_json(decision: Decision) -> Json:
    record: Json = {"kind": decision.kind}
    extras = {
        "value": decision.value,
        "args": decision.args,
        "text": decision.text,
        "reason": decision.reason,
        "review": decision.review,
    }
    record |= {name: value for name, value in extras.items() if value is not None}
    return record | {"by": person_json(decision.by), "at": moment(decision.at), "channel": decision.channel}


def event_json(seen: Seen, actor: Actor) -> Json:
    """An event, with the records it speaks of in its data."""
    event = seen.event
    data: Mapping[str, object] = event.data
    if seen.message is not None:
        data = {**data, "message": message_json(seen.message)}
    if seen.thread is not None:
        data = {**data, "thread": thread_json(seen.thread, actor, seen.waiting, unread=seen.unread)}
    if seen.request is not None:
        data = {**data, "request": request_json(seen.request)}
    return {
        "seq": event.seq,
        "thread": event.thread,
        "thread_seq": event.thread_seq,
        "type": event.type,
        "actor": author_json(event.actor),
        "at": moment(event.at),
        "data": data,
    }
