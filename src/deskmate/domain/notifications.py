"""Notifications: word sent to people outside the screen, over a channel."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """How word reaches somebody. Browsers show what comes to the inbox."""

    INBOX = "inbox"
    EMAIL = "email"
    SLACK = "slack"


class NotificationState(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Word to one operator over one channel. `kind` says what for, such as `request.opened` or `chain.page`."""

    id: str
    key: str
    operator: str
    channel: Channel
    kind: str
    thread: str | None
    request: str | None
    text: str
    urgent: bool
    state: NotificationState
    attempts: int
    error: str | None
    due_at: datetime
    sent_at: datetime | None
    read_at: datetime | None
    created_at: datetime
