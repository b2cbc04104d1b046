"""The feed: every verb emits its events here, in its own transaction."""

import json
from collections.abc import Mapping

from deskmate.domain.actors import Actor
from deskmate.domain.events import EventType
from deskmate.errors import NotFound
from deskmate.store.base import Tx
from deskmate.store.times import ms


async def emit(tx: Tx, type: EventType, *, actor: Actor, thread: str | None, data: Mapping[str, object]) -> None:
    """Append one event, and wake whoever follows its thread or its customer. Ids and small facts only go into `data`."""
    thread_seq: int | None = None
    if thread is not None:
        counted = await tx.one("threads.next_event", id=thread, now=ms(tx.now))
        if counted is None:
            raise NotFound(f"there is no thread {thread}", field="thread")
        thread_seq = counted["event_seq"]
        tx.touch(f"thread:{thread}")
        if counted["customer"] is not None:
            tx.touch(f"customer:{counted['customer']}")
    else:
        tx.touch("desk")
    await tx.run(
        "events.append",
        thread=thread, thread_seq=thread_seq, type=type, actor_kind=actor.kind, actor_id=actor.id, actor_name=actor.name,
        channel=actor.channel, at=ms(tx.now), data=json.dumps(dict(data), separators=(",", ":")),
    )  # fmt: skip
