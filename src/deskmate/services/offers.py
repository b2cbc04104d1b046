"""Offers: what waits in a queue that gives its work to people is given to somebody, in a job of its own.

These verbs only ask for it, in the transaction that makes something wait or somebody free; `choosing` does it.
"""

from datetime import datetime

from deskmate.domain.queues import Chooser, Queue
from deskmate.store import jobs
from deskmate.store.base import Tx

THREAD = "thread.offer"
REQUEST = "request.offer"
OPERATOR = "operator.fill"
LEASE = "thread.lease"
LEFT = "operator.left"


async def thread(tx: Tx, id: str, queue: Queue) -> None:
    """A thread waits in a queue."""
    if queue.chooser is not Chooser.PULL:
        await jobs.enqueue(tx, THREAD, id, thread=id)


async def request(tx: Tx, id: str, thread: str, queue: Queue | None) -> None:
    """A request waits for people."""
    if queue is not None and queue.chooser is not Chooser.PULL:
        await jobs.enqueue(tx, REQUEST, id, thread=thread)


async def room(tx: Tx, operator: str | None) -> None:
    """An operator has more room than before, or is back."""
    if operator is not None and await tx.one("queues.pushing") is not None:
        await jobs.enqueue(tx, OPERATOR, operator)


async def backlog(tx: Tx) -> None:
    """What waits may fit somebody now who is here."""
    if await tx.one("queues.pushing") is not None:
        for row in await tx.all("operators.available"):
            await jobs.enqueue(tx, OPERATOR, row["id"])


async def left(tx: Tx, operator: str) -> None:
    """An operator does not work here any more: what they hold is given back."""
    await jobs.enqueue(tx, LEFT, operator)


async def lease(tx: Tx, id: str, until: datetime) -> None:
    """Look after a thread when its lease has run out."""
    await jobs.enqueue(tx, LEASE, id, at=until, thread=id)
