"""Stopping: whether somebody has acted on what a chain is about. Read from the thread and its events, under its lock."""

from collections.abc import Mapping
from typing import cast

from deskmate.domain.actors import SYSTEM, Author, AuthorKind
from deskmate.domain.assignments import Holder
from deskmate.domain.chains import About, Reason, RunningChain
from deskmate.domain.events import Event, EventType
from deskmate.domain.requests import Request, RequestState
from deskmate.domain.threads import Status, Thread
from deskmate.errors import NotFound
from deskmate.services import deeds, ledger
from deskmate.store.base import Tx

End = tuple[Reason, Author]
PEOPLE = frozenset({AuthorKind.OPERATOR, AuthorKind.SERVICE})
_STATUS = {Status.SNOOZED: Reason.SNOOZED, Status.RESOLVED: Reason.RESOLVED}
_OF_REQUESTS = {
    EventType.REQUEST_CLAIMED: Reason.CLAIMED,
    EventType.REQUEST_DECIDED: Reason.DECIDED,
    EventType.REQUEST_CANCELLED: Reason.CLOSED,
    EventType.REQUEST_SUPERSEDED: Reason.CLOSED,
    EventType.REQUEST_EXPIRED: Reason.CLOSED,
}


async def end_of(tx: Tx, thread: Thread, chain: RunningChain) -> End | None:
    """Why the chain goes on no more, and who acted; None while nobody has. The caller holds the thread's lock."""
    for event in await deeds.since(tx, thread.id, chain.seq):
        reason = await reason_of(tx, chain, event)
        if reason is not None:
            return reason, event.actor
    reason = _of_thread(thread) if chain.request is None else await _of_request(tx, chain, chain.request)
    return None if reason is None else (reason, SYSTEM.author)


async def reason_of(tx: Tx, chain: RunningChain, event: Event) -> Reason | None:
    """What somebody did that ends this chain. What the chain did itself does not."""
    if event.type in _OF_REQUESTS:
        own = event.type is EventType.REQUEST_CLAIMED and event.actor.kind is AuthorKind.SYSTEM and chain.given is not None
        return None if own or event.data.get("request") != chain.request else _OF_REQUESTS[event.type]
    if chain.about not in (About.THREAD, About.ESCALATION):
        return None
    if event.type is EventType.THREAD_ASSIGNED:
        return None if deeds.epoch_of(event) <= chain.epoch else _hands(chain, event)
    if (status := deeds.status_of(event)) is not None:
        return _STATUS.get(Status(str(status)))
    return Reason.ANSWERED if await deeds.speaker(tx, event) is AuthorKind.OPERATOR else None


def _hands(chain: RunningChain, event: Event) -> Reason | None:
    """What a change of hands means. A lease that ran out, or a customer who asks again, is nobody's action."""
    to = cast("Mapping[str, object]", event.data["to"])
    if to["to"] == Holder.AI:
        return Reason.HANDED_BACK
    if to["to"] == Holder.OPERATOR:
        return Reason.TAKEN
    return None if to["id"] == chain.queue and event.actor.kind not in PEOPLE else Reason.MOVED


def _of_thread(thread: Thread) -> Reason | None:
    if thread.status is not Status.OPEN:
        return _STATUS[thread.status]
    if thread.assignment.to is Holder.AI:
        return Reason.HANDED_BACK
    return Reason.ANSWERED if thread.waiting_since is None else None


async def _of_request(tx: Tx, chain: RunningChain, id: str) -> Reason | None:
    try:
        request: Request = await ledger.get(tx, id)
    except NotFound:
        return Reason.CLOSED
    match request.state:
        case RequestState.OPEN:
            return None
        case RequestState.CLAIMED:
            own = request.claimed_by is not None and request.claimed_by.id == chain.given
            return None if own else Reason.CLAIMED
        case _:
            return Reason.DECIDED if request.decision is not None else Reason.CLOSED
