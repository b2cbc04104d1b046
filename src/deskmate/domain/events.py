"""Events: facts that happened, past tense, numbered. The feed is their order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskmate.domain.actors import Author


class EventType(StrEnum):
    THREAD_OPENED = "thread.opened"
    THREAD_CHANGED = "thread.changed"
    THREAD_ASSIGNED = "thread.assigned"
    THREAD_DELETED = "thread.deleted"
    THREAD_ROUTED = "thread.routed"
    MESSAGE_POSTED = "message.posted"
    MESSAGE_CHANGED = "message.changed"
    MESSAGE_DELETED = "message.deleted"
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_PAUSED = "run.paused"
    RUN_DONE = "run.done"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"
    REQUEST_OPENED = "request.opened"
    REQUEST_CLAIMED = "request.claimed"
    REQUEST_RELEASED = "request.released"
    REQUEST_APPROVED = "request.approved"
    REQUEST_DECIDED = "request.decided"
    REQUEST_APPLYING = "request.applying"
    REQUEST_APPLIED = "request.applied"
    REQUEST_FAILED = "request.failed"
    REQUEST_IN_DOUBT = "request.in_doubt"
    REQUEST_REMINDED = "request.reminded"
    REQUEST_OVERDUE = "request.overdue"
    REQUEST_CANCELLED = "request.cancelled"
    REQUEST_SUPERSEDED = "request.superseded"
    REQUEST_EXPIRED = "request.expired"
    OPERATOR_CHANGED = "operator.changed"
    QUEUE_CHANGED = "queue.changed"
    POLICY_CHANGED = "policy.changed"
    CLOCK_WARNED = "clock.warned"
    CLOCK_BREACHED = "clock.breached"
    RESPONSE_MISSED = "response.missed"
    CHAIN_STARTED = "chain.started"
    CHAIN_STEPPED = "chain.stepped"
    CHAIN_STOPPED = "chain.stopped"
    NOTIFICATION_SENT = "notification.sent"
    NOTIFICATION_FAILED = "notification.failed"
    LIMIT_REACHED = "limit.reached"
    USAGE_RECORDED = "usage.recorded"
    WEBHOOK_CHANGED = "webhook.changed"
    FLOOR_CHANGED = "floor.changed"
    CLASSIFIER_FITTED = "classifier.fitted"
    FEEDBACK_RECORDED = "feedback.recorded"
    SUGGESTION_CHANGED = "suggestion.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact. `seq` is its place in the feed, in the order of commits; `thread_seq` counts the thread's own events from 1.

    `data` holds ids and small facts only; readers are given the records as they are when they read.
    """

    seq: int
    thread: str | None
    thread_seq: int | None
    type: EventType
    actor: Author
    at: datetime
    data: Mapping[str, object]
