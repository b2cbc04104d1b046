"""Webhooks over HTTP: where programs of others are told what happens, and what became of it."""

from typing import Annotated

from fastapi import APIRouter, Query

from deskmate.domain.webhooks import Delivery, DeliveryState, Webhook
from deskmate.server.api.bodies import AddWebhook, ChangeWebhook, ReplayDeliveries, read_moment
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])


@router.get("")
async def list_webhooks(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """Webhooks, without their secrets."""
    page = await desk.webhooks.list(cursor=cursor, limit=limit, by=who)
    return {"items": [webhook_json(webhook) for webhook in page.items], "cursor": page.cursor}


@router.post("", status_code=201)
async def add_webhook(body: AddWebhook, desk: TheDesk, who: Who) -> Json:
    """A new webhook; `secret` is shown this once."""
    made = await desk.webhooks.add(**body.model_dump(), by=who)
    return webhook_json(made.webhook) | {"secret": made.secret}


@router.get("/{webhook}")
async def get_webhook(webhook: str, desk: TheDesk, who: Who) -> Json:
    """One webhook."""
    return webhook_json(await desk.webhooks.get(webhook, by=who))


@router.patch("/{webhook}")
async def change_webhook(webhook: str, body: ChangeWebhook, desk: TheDesk, who: Who) -> Json:
    """Change a webhook; enabled again it is sent what it is still owed."""
    facts = body.model_dump(exclude_unset=True, exclude_none=True)
    return webhook_json(await desk.webhooks.change(webhook, **facts, by=who))


@router.delete("/{webhook}", status_code=204)
async def delete_webhook(webhook: str, desk: TheDesk, who: Who) -> None:
    """Forget a webhook with all it was owed."""
    await desk.webhooks.delete(webhook, by=who)


@router.post("/{webhook}/rotate")
async def rotate_webhook(webhook: str, desk: TheDesk, who: Who) -> Json:
    """A new secret, shown this once; for 24 hours the one before signs as well."""
    made = await desk.webhooks.rotate(webhook, by=who)
    return webhook_json(made.webhook) | {"secret": made.secret}


@router.post("/{webhook}/test")
async def test_webhook(webhook: str, desk: TheDesk, who: Who) -> Json:
    """Send a message of the type `webhook.test`."""
    return delivery_json(await desk.webhooks.test(webhook, by=who))


@router.get("/{webhook}/deliveries")
async def list_deliveries(
    webhook: str,
    desk: TheDesk,
    who: Who,
    state: Annotated[DeliveryState | None, Query()] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Json:
    """What it was sent and is owed, newest first."""
    page = await desk.webhooks.deliveries(webhook, state=state, cursor=cursor, limit=limit, by=who)
    return {"items": [delivery_json(delivery) for delivery in page.items], "cursor": page.cursor}


@router.get("/{webhook}/deliveries/{delivery}")
async def get_delivery(webhook: str, delivery: str, desk: TheDesk, who: Who) -> Json:
    """One delivery, with its attempts."""
    return delivery_json(await desk.webhooks.delivery(webhook, delivery, by=who))


@router.post("/{webhook}/deliveries/{delivery}/replay")
async def replay_delivery(webhook: str, delivery: str, desk: TheDesk, who: Who) -> Json:
    """Send it again, with the same id."""
    return delivery_json(await desk.webhooks.replay(webhook, delivery, by=who))


@router.post("/{webhook}/replay")
async def replay_deliveries(webhook: str, body: ReplayDeliveries, desk: TheDesk, who: Who) -> Json:
    """Send those again that are dead, or came to another end, of a time."""
    since = None if body.since is None else read_moment(body.since, "since")
    until = None if body.until is None else read_moment(body.until, "until")
    number = await desk.webhooks.replay_all(webhook, state=body.state, since=since, until=until, by=who)
    return {"replayed": number}


def webhook_json(webhook: Webhook) -> Json:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "description": webhook.description,
        "events": list(webhook.events),
        "queues": list(webhook.queues),
        "hidden": webhook.hidden,
        "allow_private": webhook.allow_private,
        "state": webhook.state,
        "reason": webhook.reason,
        "failing_since": moment(webhook.failing_since),
        "old_secret_until": moment(webhook.old_secret_until),
        "created_at": moment(webhook.created_at),
        "updated_at": moment(webhook.updated_at),
    }


def delivery_json(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "webhook": delivery.webhook,
        "seq": delivery.event_seq,
        "type": delivery.type,
        "thread": delivery.thread,
        "state": delivery.state,
        "due_at": moment(delivery.due_at),
        "attempts": [
            {"at": moment(attempt.at), "ms": attempt.ms, "status": attempt.status, "error": attempt.error}
            for attempt in delivery.attempts
        ],
        "created_at": moment(delivery.created_at),
        "finished_at": moment(delivery.finished_at),
    }
