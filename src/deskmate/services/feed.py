"""The feed: every verb emits its events here, in its own transaction."""

import json
from collections.abc import Mapping

from deskmate.domain.actors import Actor
from deskmate.domain.events import EventType
from deskmate.store.base import Tx
from deskmate.store.times import ms


async def emit(tx: Tx, type: EventType, *, actor: Actor, thread: str | None, data: Mapping[str, object]) -> None:
    """One event for whoever follows its thread or its customer. Ids and small facts only go into `data`."""
    tx.emit({
        "thread": thread, "type": type, "actor_kind": actor.kind, "actor_id": actor.id, "actor_name": actor.name,
        "channel": actor.channel, "at": ms(tx.now), "data": json.dumps(dict(data), separators=(",", ":")),
    })  # fmt: skip
