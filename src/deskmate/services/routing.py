"""Routing: who responds next, decided and recorded in the transaction that needs it."""

import json

from deskmate.domain.routes import Route, by_assignment
from deskmate.domain.threads import Thread
from deskmate.store.base import Tx
from deskmate.store.times import ms


async def decide(tx: Tx, thread: Thread, *, run: str | None = None) -> Route:
    """The route of the thread's newest message, stored with its reason."""
    route = by_assignment(thread)
    await tx.run(
        "routes.insert",
        run=run, thread=thread.id, responder=route.responder, reason=route.reason, score=route.score, floor=route.floor,
        inputs=json.dumps(dict(route.inputs)), now=ms(tx.now),
    )  # fmt: skip
    return route
