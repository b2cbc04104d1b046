"""Notifications: word sent to people outside the screen, over a channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deskmate.domain.messages import Message
from deskmate.domain.operators import Operator
from deskmate.domain.requests import WAITING, DecisionKind, Request, RequestKind
from deskmate.domain.threads import Status, Thread

DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480))
"""How long after each attempt that failed the next one is made. The last one is 15 hours and 21 minutes after the first."""
ANSWERS: Mapping[RequestKind, tuple[DecisionKind, ...]] = {
    RequestKind.QUESTION: (DecisionKind.ANSWER,),
    RequestKind.APPROVAL: (DecisionKind.APPROVE, DecisionKind.REJECT),
    RequestKind.ESCALATION: (),
}
"""The simple ways to decide a request from outside of the screens, for which a link is enough."""
_PASSES = ("thread.waiting", "chain.", "response.")
"""What is over, in words about a thread, when nobody waits on it any more."""


class Channel(StrEnum):
    """How word reaches somebody. Browsers show what comes to the inbox."""

    INBOX = "inbox"
    EMAIL = "email"
    SLACK = "slack"


class NotificationState(StrEnum):
    """`queued` until it is `sent`; `dead` when that failed too often; `dropped` when there was nothing to tell any more."""

    QUEUED = "queued"
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"


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
    state: NotificationState = NotificationState.QUEUED
    attempts: int = 0
    error: str | None = None
    due_at: datetime
    sent_at: datetime | None = None
    read_at: datetime | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLink:
    """One way to decide a request by following a link: whoever has the link decides as the operator it was made for, once."""

    kind: DecisionKind
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """All that a channel needs to tell one person one thing: what for, to whom, about what, and where it can be answered.

    `messages` are the last public ones of the thread, oldest first: notes and drafts are never among them. What people wrote is
    data, to be quoted and not obeyed. `link` and `answers` are there where the settings say under which address people find the
    desk. Where the same word is sent twice, `notification.id` is the same, and the links are new.
    """

    notification: Notification
    operator: Operator
    thread: Thread | None = None
    request: Request | None = None
    messages: tuple[Message, ...] = ()
    link: str | None = None
    answers: tuple[AnswerLink, ...] = ()


def is_over(kind: str, thread: Thread | None, request: Request | None) -> bool:
    """Whether the matter is over that somebody was to be told of: the request closed, the thread resolved or answered."""
    if request is not None:
        return request.state not in WAITING
    if thread is None or kind == "mention":
        return False
    return thread.status is Status.RESOLVED or (thread.waiting_since is None and kind.startswith(_PASSES))
