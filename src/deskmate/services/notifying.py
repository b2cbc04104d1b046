"""Notifying: what is queued for a channel is sent, at least once, tried again for hours, and visible where it cannot be sent.

A channel is a function that takes a `Word` and raises where it could not be sent. One attempt at a time: whoever sends has moved
the row first, for a while, and says at the end what became of this very attempt. Nothing is sent inside a transaction.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from deskmate.domain.events import EventType
from deskmate.domain.notifications import DELAYS, Channel, Notification, NotificationState, Word, is_over
from deskmate.errors import Misconfigured
from deskmate.services import answer_links, notices, notifications, operators
from deskmate.services.credentials import Entropy
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.times import EPOCH, ms, utc

log = logging.getLogger("deskmate.notifications")

PATIENCE = 60.0  # seconds after which an attempt counts as failed
LEASE = timedelta(seconds=150)
"""How long an attempt has the row for itself: longer than it may take, so that it is not sent twice at the same time."""
AT_ONCE = 4
"""How many attempts this process makes at the same time: a channel that hangs does not hold up the clocks."""
BUSY = timedelta(seconds=2)
APART = timedelta(milliseconds=100)
"""Those for which there is no room come back one after the other, so that a crowd of them does not come again and again."""
LONGEST_ERROR = 300  # characters


class Deliver(Protocol):
    """A channel. Returns when the word has been taken by whoever carries it on; raises where it was not."""

    async def __call__(self, word: Word, /) -> None: ...


class Notifier:
    """The channels of this process, and what is queued for them."""

    def __init__(
        self, store: Store, channels: Mapping[Channel, Deliver], entropy: Entropy, *, public_url: str | None = None
    ) -> None:
        self._store = store
        self._channels = dict(channels)
        self._entropy = entropy
        self._public_url = public_url
        self._sending = 0
        self._line = EPOCH

    def register(self, channel: Channel, deliver: Deliver) -> None:
        """Let this process send over a channel; the same channel again replaces it."""
        self._channels[channel] = deliver

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `notification` jobs: one attempt. A job may come twice."""
        if self._sending >= AT_ONCE:
            await self._store.write(lambda tx: jobs.postpone(tx, job, self._turn(tx)))
            return
        self._sending += 1
        try:
            word = await self._store.write(lambda tx: self._take(tx, job))
            if word is not None:
                await self._attempt(word)
        finally:
            self._sending -= 1

    def _turn(self, tx: Tx) -> datetime:
        """When whoever finds no room comes again."""
        self._line = max(self._line + APART, tx.now + BUSY)
        return self._line

    async def audit(self) -> None:
        """Report what should have been sent more than a minute ago, and see that it is; forget links that are long over."""
        if late := await jobs.catch_up(self._store, "notifications.overdue", notifications.JOB):
            log.warning("%d notifications were overdue by more than a minute", late)
        if await self._store.read(answer_links.any_old):
            await self._store.write(answer_links.sweep)

    async def _take(self, tx: Tx, job: jobs.Job) -> Word | None:
        """Begin an attempt, unless there is nothing to tell any more, or it is not the time."""
        row = await tx.one("notifications.get", id=job.ref)
        if row is None or row["state"] != NotificationState.QUEUED:
            return None
        found = notifications.notification_of(row)
        operator = await operators.get(tx, found.operator)
        matter = await notices.matter(tx, found.kind, found.thread, found.request)
        if operator.disabled or is_over(found.kind, matter.thread, matter.request):
            await tx.run("notifications.drop", id=found.id)
            return None
        held = row["sending_until"] or 0
        wanted = await notices.channels_for(tx, matter, operator, urgent=found.urgent, channels=(found.channel,))
        at = max(wanted[found.channel], found.due_at, utc(held))
        if at > tx.now:
            # It came early, another attempt is under way, or its time has moved into hours in which nobody wants to be told.
            await jobs.postpone(tx, job, at)
            await tx.run("notifications.postpone", id=found.id, due_at=ms(at))
            return None
        taken = await tx.one("notifications.take", id=found.id, until=ms(tx.now + LEASE), now=ms(tx.now))
        return None if taken is None else await self._word(tx, notifications.notification_of(taken), operator, matter)

    async def _word(self, tx: Tx, found: Notification, operator: operators.Operator, matter: notices.Matter) -> Word:
        thread, request, base = matter.thread, matter.request, self._public_url
        messages = () if thread is None else await answer_links.last_words(tx, thread.id)
        answers = ()
        if base is not None and request is not None and found.channel is Channel.EMAIL:
            answers = await answer_links.make(tx, self._entropy, request, operator, base=base)
        return Word(
            notification=found, operator=operator, thread=thread, request=request, messages=messages,
            link=None if base is None else f"{base}/inbox/threads/{thread.id}" if thread is not None else f"{base}/inbox",
            answers=answers,
        )  # fmt: skip

    async def _attempt(self, word: Word) -> None:
        try:
            await asyncio.wait_for(self._deliver(word), PATIENCE)
        except TimeoutError:
            await self._failed(word.notification, f"no answer within {PATIENCE:.0f} seconds")
        except Exception as error:
            await self._failed(word.notification, f"{type(error).__name__}: {error}")
        else:
            await self._store.write(lambda tx: _sent(tx, word.notification))

    async def _deliver(self, word: Word) -> None:
        deliver = self._channels.get(word.notification.channel)
        if deliver is None:
            raise Misconfigured(f"nothing is set up here that sends {word.notification.channel}")
        await deliver(word)

    async def _failed(self, attempt: Notification, error: str) -> None:
        error = " ".join(error.split())[:LONGEST_ERROR]
        log.warning("%s to %s was not sent, attempt %d: %s", attempt.id, attempt.operator, attempt.attempts, error)
        await self._store.write(lambda tx: _failed(tx, attempt, error))


async def _sent(tx: Tx, attempt: Notification) -> None:
    if await tx.run("notifications.sent", id=attempt.id, attempts=attempt.attempts, now=ms(tx.now)):
        await notifications.announce(tx, EventType.NOTIFICATION_SENT, attempt)


async def _failed(tx: Tx, attempt: Notification, error: str) -> None:
    """Try again later, or, after the last delay, never."""
    over = attempt.attempts > len(DELAYS)
    at = tx.now if over else tx.now + DELAYS[attempt.attempts - 1]
    state = NotificationState.DEAD if over else NotificationState.QUEUED
    facts = {"id": attempt.id, "attempts": attempt.attempts, "state": state, "due_at": ms(at), "error": error}
    if not await tx.run("notifications.failed", **facts):
        return
    if over:
        await notifications.announce(tx, EventType.NOTIFICATION_FAILED, attempt, error=error)
    else:
        await jobs.enqueue(tx, notifications.JOB, attempt.id, at=at, thread=attempt.thread)
