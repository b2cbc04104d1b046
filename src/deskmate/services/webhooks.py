"""Webhooks: the verbs of admins on them. Their secrets are shown when they are made, and never again."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.domain.operators import By, actor_of, chosen, labels, words
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.queues import queue_name
from deskmate.domain.webhooks import (
    MOST,
    OLD_SECRET,
    TEST,
    Delivery,
    DeliveryState,
    Webhook,
    WebhookState,
    check_events,
    check_url,
)
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.services import deliveries, feed
from deskmate.services.credentials import Entropy
from deskmate.services.deliveries import delivery_of, webhook_of
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

PREFIX = "whsec_"
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A webhook and its secret, which nobody can read again."""

    webhook: Webhook
    secret: str = field(repr=False)


class Webhooks:
    """Where programs of others are told what happens."""

    def __init__(self, store: Store, entropy: Entropy, *, private: bool) -> None:
        self._store = store
        self._entropy = entropy
        self._private = private

    async def add(
        self,
        url: str,
        *,
        events: Sequence[str] = (),
        queues: Sequence[str] = (),
        description: str = "",
        hidden: bool = False,
        allow_private: bool = False,
        by: By = SYSTEM,
    ) -> Made:
        """A new webhook, told from now on. Raises Forbidden, Conflict where there are too many, Invalid naming the field."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        secret = self._new_secret()

        async def body(tx: Tx) -> Made:
            row = await tx.one("webhooks.count")
            if row is not None and row["number"] >= MOST:
                raise Conflict(f"there are {MOST} webhooks: delete one first", field="webhook")
            new = self._checked(Webhook(
                id=tx.id("webhook"), url=url, description=description, secret=secret, events=tuple(events),
                queues=tuple(queues), hidden=hidden, allow_private=allow_private, created_at=tx.now, updated_at=tx.now,
            ))  # fmt: skip
            await tx.run("webhooks.insert", id=new.id, secret=secret, now=ms(tx.now), **_facts(new))
            await _tell(tx, new.id, "added", by)
            return Made(webhook=await _get(tx, new.id), secret=secret)

        return await self._store.write(body)

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: By = SYSTEM) -> Page[Webhook]:
        """Webhooks in the order they were made. Raises Forbidden, BadCursor."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        check_limit(limit)
        after = place_of(cursor, "webhooks", str)[0] if cursor is not None else ""

        async def body(tx: Tx) -> Page[Webhook]:
            kept, last = cut(await tx.all("webhooks.page", after=after, limit=limit + 1), limit)
            more = cursor_of("webhooks", last["id"]) if last else None
            return Page(items=tuple(webhook_of(row) for row in kept), cursor=more)

        return await self._store.read(body)

    async def get(self, webhook: str, *, by: By = SYSTEM) -> Webhook:
        """One webhook. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        return await self._store.read(lambda tx: _get(tx, webhook))

    async def change(
        self,
        webhook: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        queues: Sequence[str] | None = None,
        description: str | None = None,
        hidden: bool | None = None,
        allow_private: bool | None = None,
        state: WebhookState | str | None = None,
        by: By = SYSTEM,
    ) -> Webhook:
        """Change what is given. One that is enabled again is sent what it is still owed. Raises NotFound, Forbidden, Invalid."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)

        async def body(tx: Tx) -> Webhook:
            was = await _locked(tx, webhook)
            new = self._checked(replace(
                was,
                url=was.url if url is None else url,
                events=was.events if events is None else tuple(events),
                queues=was.queues if queues is None else tuple(queues),
                description=was.description if description is None else description,
                hidden=was.hidden if hidden is None else hidden,
                allow_private=was.allow_private if allow_private is None else allow_private,
            ))  # fmt: skip
            if state is not None:
                new = _switched(new, chosen(WebhookState, state, "state"))
            await tx.run(
                "webhooks.change",
                id=webhook, reason=new.reason, failing_since=ms(new.failing_since), now=ms(tx.now),
                **_facts(new),
            )  # fmt: skip
            await _tell(tx, webhook, "changed" if new.state is was.state else new.state, by)
            if new.state is WebhookState.DISABLED:
                await deliveries.put_back(tx, webhook)
            await deliveries.give_turns(tx, webhook)
            return await _get(tx, webhook)

        return await self._store.write(body)

    async def rotate(self, webhook: str, *, by: By = SYSTEM) -> Made:
        """A new secret. For 24 hours the one before signs as well. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        secret = self._new_secret()

        async def body(tx: Tx) -> Made:
            await _locked(tx, webhook)
            await tx.run("webhooks.rotate", id=webhook, secret=secret, until=ms(tx.now + OLD_SECRET), now=ms(tx.now))
            await _tell(tx, webhook, "rotated", by)
            return Made(webhook=await _get(tx, webhook), secret=secret)

        return await self._store.write(body)

    async def delete(self, webhook: str, *, by: By = SYSTEM) -> None:
        """Forget a webhook with all it was owed. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)

        async def body(tx: Tx) -> None:
            await _locked(tx, webhook)
            await jobs.cancel(tx, deliveries.TURN, webhook)
            await tx.run("deliveries.delete_of_webhook", webhook=webhook)
            await tx.run("webhooks.delete", id=webhook)
            await _tell(tx, webhook, "deleted", by)

        await self._store.write(body)

    async def test(self, webhook: str, *, by: By = SYSTEM) -> Delivery:
        """Send it a message of the type `webhook.test`. Raises NotFound, Forbidden, Conflict where it is disabled."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)

        async def body(tx: Tx) -> Delivery:
            if (await _locked(tx, webhook)).state is WebhookState.DISABLED:
                raise Conflict("this webhook is disabled: enable it first", field="state")
            return await _delivery(tx, webhook, await deliveries.owe_test(tx, webhook, TEST))

        return await self._store.write(body)

    async def deliveries(
        self,
        webhook: str,
        *,
        state: DeliveryState | str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        by: By = SYSTEM,
    ) -> Page[Delivery]:
        """What a webhook was sent and is owed, newest first. Raises NotFound, Forbidden, BadCursor, Invalid."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        check_limit(limit)
        which = "" if state is None else chosen(DeliveryState, state, "state")
        before = place_of(cursor, "deliveries", str)[0] if cursor is not None else "~"

        async def body(tx: Tx) -> Page[Delivery]:
            await _get(tx, webhook)
            rows = await tx.all("deliveries.page", webhook=webhook, state=which, before=before, limit=limit + 1)
            kept, last = cut(rows, limit)
            more = cursor_of("deliveries", last["id"]) if last else None
            return Page(items=tuple(delivery_of(row) for row in kept), cursor=more)

        return await self._store.read(body)

    async def delivery(self, webhook: str, delivery: str, *, by: By = SYSTEM) -> Delivery:
        """One delivery. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        return await self._store.read(lambda tx: _delivery(tx, webhook, delivery))

    async def replay(self, webhook: str, delivery: str, *, by: By = SYSTEM) -> Delivery:
        """Send one again, with the same id. Raises NotFound, Forbidden, Conflict while it is being sent."""
        require(actor_of(by), Action.WEBHOOK_MANAGE)

        async def body(tx: Tx) -> Delivery:
            await _locked(tx, webhook)
            await _delivery(tx, webhook, delivery)
            if not await tx.run("deliveries.replay", id=delivery, now=ms(tx.now)):
                raise Conflict("it is being sent at this moment", field="delivery")
            await deliveries.give_turns(tx, webhook)
            return await _delivery(tx, webhook, delivery)

        return await self._store.write(body)

    async def replay_all(
        self,
        webhook: str,
        *,
        state: Literal["dead", "delivered"] | None = "dead",
        since: datetime | None = None,
        until: datetime | None = None,
        by: By = SYSTEM,
    ) -> int:
        """Send again what came to this end (None: either), of events since and before these times. Returns how many.

        Raises NotFound, Forbidden, Invalid.
        """
        require(actor_of(by), Action.WEBHOOK_MANAGE)
        if state not in (None, "dead", "delivered"):
            raise Invalid("state must be dead or delivered", field="state")

        async def body(tx: Tx) -> int:
            await _locked(tx, webhook)
            number = await tx.run(
                "deliveries.replay_all",
                webhook=webhook, state=state or "", since=ms(since or _NEVER), until=ms(until or _EVER), now=ms(tx.now),
            )  # fmt: skip
            await deliveries.give_turns(tx, webhook)
            return number

        return await self._store.write(body)

    def _new_secret(self) -> str:
        return PREFIX + base64.b64encode(self._entropy(32)).decode()

    def _checked(self, webhook: Webhook) -> Webhook:
        if webhook.allow_private and not self._private:
            raise Invalid("private addresses are off here: DESKMATE_WEBHOOKS_PRIVATE=on allows them", field="allow_private")
        described = words(webhook.description, "description", 200) if webhook.description.strip() else ""
        return replace(
            webhook,
            url=check_url(webhook.url, private=webhook.allow_private),
            events=check_events(webhook.events),
            queues=tuple(queue_name(queue) for queue in labels(webhook.queues, "queues")),
            description=described,
        )


def _switched(webhook: Webhook, state: WebhookState) -> Webhook:
    """Enabled, it begins anew; disabled, an admin was it."""
    if state is webhook.state:
        return webhook
    if state is WebhookState.ENABLED:
        return replace(webhook, state=state, reason=None, failing_since=None)
    return replace(webhook, state=state, reason="an admin has disabled it")


def _facts(webhook: Webhook) -> dict[str, object]:
    return {
        "url": webhook.url,
        "description": webhook.description,
        "events": json.dumps(webhook.events),
        "queues": json.dumps(webhook.queues),
        "hidden": int(webhook.hidden),
        "allow_private": int(webhook.allow_private),
        "state": webhook.state,
    }


async def _get(tx: Tx, id: str) -> Webhook:
    row = await tx.one("webhooks.get", id=id)
    if row is None:
        raise NotFound(f"there is no webhook {id}", field="webhook")
    return webhook_of(row)


async def _locked(tx: Tx, id: str) -> Webhook:
    row = await tx.one("webhooks.lock", id=id)
    if row is None:
        raise NotFound(f"there is no webhook {id}", field="webhook")
    return webhook_of(row)


async def _delivery(tx: Tx, webhook: str, id: str) -> Delivery:
    row = await tx.one("deliveries.get", id=id)
    if row is None or row["webhook"] != webhook:
        raise NotFound(f"there is no delivery {id} of this webhook", field="delivery")
    return delivery_of(row)


async def _tell(tx: Tx, webhook: str, changed: str, by: By) -> None:
    data = {"webhook": webhook, "changed": changed}
    await feed.emit(tx, EventType.WEBHOOK_CHANGED, actor=actor_of(by), thread=None, data=data)
