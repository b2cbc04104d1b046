"""Deliveries: what each webhook is owed, written in the transaction that follows the feed, and sent by jobs.

The feed is the outbox: events are written by the verbs themselves. Of each webhook a few deliveries at a time have their turn;
whoever is done with one gives the next its turn, in the same transaction. So a webhook that answers slowly keeps few places.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import Event, EventType
from deskmate.domain.webhooks import (
    KEPT,
    MOST_ATTEMPTS_KEPT,
    PATIENCE,
    Attempt,
    Delivery,
    DeliveryState,
    Webhook,
    WebhookState,
    next_delay,
)
from deskmate.services import feed
from deskmate.services.payloads import payload
from deskmate.services.sending import Outgoing, Sender
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

log = logging.getLogger("deskmate.webhooks")

SEND = "delivery"
"""The kind of the job that sends one delivery."""
TURN = "webhook"
"""The kind of the job that gives a webhook's deliveries their turn when their time has come."""
LEASE = timedelta(seconds=45)
"""How long whoever sends something has it to themselves: longer than sending can take."""
LATE = timedelta(minutes=1)


def webhook_of(row: Row) -> Webhook:
    """A stored row as a webhook."""
    return Webhook(
        id=row["id"],
        url=row["url"],
        description=row["description"],
        secret=row["secret"],
        old_secret=row["old_secret"],
        old_secret_until=utc_or_none(row["old_secret_until"]),
        events=tuple(json.loads(row["events"])),
        queues=tuple(json.loads(row["queues"])),
        hidden=bool(row["hidden"]),
        allow_private=bool(row["allow_private"]),
        state=WebhookState(row["state"]),
        reason=row["reason"],
        failing_since=utc_or_none(row["failing_since"]),
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


def delivery_of(row: Row) -> Delivery:
    """A stored row as a delivery."""
    return Delivery(
        id=row["id"],
        webhook=row["webhook"],
        event_seq=row["event_seq"],
        type=row["type"],
        thread=row["thread"],
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        due_at=utc(row["due_at"]),
        attempts=tuple(
            Attempt(at=utc(one["at"]), ms=one["ms"], status=one["status"], error=one["error"])
            for one in json.loads(row["attempts"])
        ),
        created_at=utc(row["created_at"]),
        finished_at=utc_or_none(row["finished_at"]),
    )


async def owe(tx: Tx, events: Sequence[Event]) -> None:
    """The reaction to what has happened: one delivery for each event and each webhook that wants it."""
    webhooks = [webhook_of(row) for row in await tx.all("webhooks.listening")]
    if not webhooks:
        return
    queues = await _queues(tx, events if any(webhook.queues for webhook in webhooks) else ())
    for webhook in webhooks:
        wanted = [
            event
            for event in events
            if webhook.wants(event.type)
            and event.at >= webhook.created_at
            and (not webhook.queues or queues.get(event.thread or "") in webhook.queues)
        ]
        if wanted:
            rows = [_row(tx, webhook.id, event.type, event.thread, event.seq) for event in wanted]
            await tx.many("deliveries.insert", rows)
            await give_turns(tx, webhook.id)


async def give_turns(tx: Tx, webhook: str) -> None:
    """Let as many deliveries of a webhook be sent as may be on their way at once, and look again when the next is due."""
    row = await tx.one("webhooks.lock", id=webhook)
    if row is None or row["state"] != WebhookState.ENABLED:
        return
    active = await tx.one("deliveries.active", webhook=webhook)
    room = webhook_of(row).window - (active["number"] if active else 0)
    if room > 0:
        for next_one in await tx.all("deliveries.promote", webhook=webhook, now=ms(tx.now), limit=room):
            await jobs.enqueue(tx, SEND, next_one["id"], thread=next_one["thread"])
    due = await tx.one("deliveries.next_due", webhook=webhook)
    # What is due already is given its turn by whoever is done first.
    if due is not None and due["at"] is not None and due["at"] > ms(tx.now):
        await jobs.enqueue(tx, TURN, webhook, at=utc(due["at"]))


async def owe_test(tx: Tx, webhook: str, type: str) -> str:
    """A message that is no event, for this webhook alone. Returns its id."""
    row = _row(tx, webhook, type, None, None)
    await tx.run("deliveries.insert", **row)
    await give_turns(tx, webhook)
    return str(row["id"])


def _row(tx: Tx, webhook: str, type: str, thread: str | None, seq: int | None) -> dict[str, object]:
    id = tx.id("delivery")
    return {"id": id, "webhook": webhook, "event_seq": seq, "type": type, "thread": thread, "now": ms(tx.now)}


async def _queues(tx: Tx, events: Sequence[Event]) -> Mapping[str, str | None]:
    ids = sorted({event.thread for event in events if event.thread is not None})
    if not ids:
        return {}
    return {row["id"]: row["queue"] for row in await tx.all("webhooks.queues", ids=json.dumps(ids))}


class Outbox:
    """Sends what webhooks are owed, for an engine of its own: what is slow there holds up neither runs nor timers."""

    def __init__(self, store: Store, sender: Sender, *, public_url: str | None, private: bool) -> None:
        self._store = store
        self._sender = sender
        self._public_url = public_url
        self._private = private

    @property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the jobs of each kind."""
        return {SEND: self.send, TURN: self.turn}

    async def turn(self, job: jobs.Job) -> None:
        """The handler of `webhook` jobs."""
        await self._store.write(lambda tx: give_turns(tx, job.ref))

    async def send(self, job: jobs.Job) -> None:
        """The handler of `delivery` jobs. A job may come twice; the delivery is taken once, under a lease."""
        outgoing = await self._store.write(lambda tx: self._take(tx, job))
        if outgoing is None:
            return
        try:
            attempt = await self._sender.send(outgoing)
        except asyncio.CancelledError:
            await asyncio.shield(self._store.write(lambda tx: _release(tx, job)))
            raise
        await self._store.write(lambda tx: _record(tx, job, attempt))

    async def audit(self) -> None:
        """See that what is on its way arrives though its sender is gone, and forget what is long over."""

        async def look(tx: Tx) -> bool:
            before = ms(tx.now - LATE)
            return bool(
                await tx.all("deliveries.stuck", before=before)
                or await tx.all("deliveries.overdue", before=before)
                or await tx.one("deliveries.old", before=ms(tx.now - KEPT))
            )

        if await self._store.read(look):
            await self._store.write(_catch_up)

    async def _take(self, tx: Tx, job: jobs.Job) -> Outgoing | None:
        webhook = await _webhook_of_job(tx, job)
        if webhook is None:
            return None
        row = await tx.one(
            "deliveries.take", id=job.ref, lease_by=job.lease, lease_until=ms(tx.now + LEASE), now=ms(tx.now)
        )  # fmt: skip
        if row is None:
            await _wait_for_the_other(tx, job)
            return None
        if webhook.state is not WebhookState.ENABLED:
            await tx.run("deliveries.release", id=job.ref, lease_by=job.lease)
            return None
        body = await payload(tx, webhook, row, public_url=self._public_url)
        if body is None:
            await _finish(tx, row, DeliveryState.WITHHELD, lease=job.lease)
            await give_turns(tx, webhook.id)
            return None
        private = webhook.allow_private and self._private
        return Outgoing(
            id=row["id"], url=webhook.url, body=body, secrets=webhook.secrets(tx.now), at=tx.now, private=private
        )  # fmt: skip


async def _webhook_of_job(tx: Tx, job: jobs.Job) -> Webhook | None:
    """The webhook, for the rest of this transaction: it is locked before its deliveries, everywhere. None where it is gone."""
    row = await tx.one("deliveries.get", id=job.ref)
    found = None if row is None else await tx.one("webhooks.lock", id=row["webhook"])
    return None if found is None else webhook_of(found)


async def _wait_for_the_other(tx: Tx, job: jobs.Job) -> None:
    """Somebody else sends it. Where they have died, it is taken when their lease has run out."""
    row = await tx.one("deliveries.get", id=job.ref)
    if row is not None and row["state"] == DeliveryState.SENDING and row["lease_until"] is not None:
        await jobs.postpone(tx, job, utc(row["lease_until"]))


async def _release(tx: Tx, job: jobs.Job) -> None:
    """This process stops: another one sends it, at once. The job that is given back finds it waiting for its turn."""
    webhook = await _webhook_of_job(tx, job)
    if webhook is not None and await tx.run("deliveries.release", id=job.ref, lease_by=job.lease):
        await give_turns(tx, webhook.id)


async def _record(tx: Tx, job: jobs.Job, attempt: Attempt) -> None:
    """What came of it, and the next one's turn."""
    webhook = await _webhook_of_job(tx, job)
    row = await tx.one("deliveries.get", id=job.ref)
    if webhook is None or row is None:
        return
    delay = None if attempt.status == 410 else next_delay(row["tries"], row["id"])
    if attempt.delivered:
        mine = await _finish(tx, row, DeliveryState.DELIVERED, lease=job.lease, attempt=attempt)
    elif delay is None:
        mine = await _finish(tx, row, DeliveryState.DEAD, lease=job.lease, attempt=attempt)
    else:
        mine = await _finish(tx, row, DeliveryState.QUEUED, lease=job.lease, attempt=attempt, after=delay)
    if mine:
        await _fare(tx, webhook, attempt)
        await give_turns(tx, webhook.id)


async def _finish(
    tx: Tx,
    row: Row,
    state: DeliveryState,
    *,
    lease: str,
    attempt: Attempt | None = None,
    after: timedelta | None = None,
) -> bool:
    """Write down what came of an attempt. False where the lease had run out, and somebody else has it now."""
    attempts = json.loads(row["attempts"])
    if attempt is not None:
        one = {"at": ms(attempt.at), "ms": attempt.ms, "status": attempt.status, "error": attempt.error}
        attempts = [*attempts, one][-MOST_ATTEMPTS_KEPT:]
    finished = await tx.run(
        "deliveries.finish",
        id=row["id"], lease_by=lease, state=state, attempts=json.dumps(attempts),
        due_at=row["due_at"] if after is None else ms(tx.now + after), finished_at=None if after else ms(tx.now),
    )  # fmt: skip
    return finished == 1


async def _fare(tx: Tx, webhook: Webhook, attempt: Attempt) -> None:
    """How a webhook fares: it is disabled when it says that it is gone, or has only failed for days."""
    since = None if attempt.delivered else webhook.failing_since or tx.now
    faring = replace(webhook, failing_since=since)
    if attempt.status == 410:
        faring = replace(faring, state=WebhookState.DISABLED, reason="it answered 410: it is gone")
    elif since is not None and tx.now - since >= PATIENCE:
        faring = replace(
            faring,
            state=WebhookState.DISABLED,
            reason=f"every attempt of {PATIENCE.days} days has failed, the last one: {attempt.error}",
        )
    if faring == webhook:
        return
    await tx.run(
        "webhooks.fared", id=webhook.id, failing_since=ms(faring.failing_since), state=faring.state, reason=faring.reason
    )  # fmt: skip
    if faring.state is not webhook.state:
        await put_back(tx, webhook.id)
        data = {"webhook": webhook.id, "changed": "disabled", "reason": faring.reason}
        await feed.emit(tx, EventType.WEBHOOK_CHANGED, actor=SYSTEM, thread=None, data=data)


async def put_back(tx: Tx, webhook: str) -> None:
    """What was about to be sent waits until its webhook is enabled again."""
    await tx.run("deliveries.put_back", webhook=webhook)
    await jobs.cancel(tx, TURN, webhook)


async def _catch_up(tx: Tx) -> None:
    before = ms(tx.now - LATE)
    stuck = await tx.all("deliveries.stuck", before=before)
    for row in stuck:
        await jobs.attend(tx, SEND, row["id"], thread=row["thread"])
    overdue = await tx.all("deliveries.overdue", before=before)
    for row in overdue:
        await give_turns(tx, row["id"])
    if stuck or overdue:
        log.warning("%d deliveries and %d webhooks had been left lying", len(stuck), len(overdue))
    await tx.run("deliveries.sweep", before=ms(tx.now - KEPT))
