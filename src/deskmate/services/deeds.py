"""Deeds: what was done on a thread since somebody began to wait there, as the feed tells it."""

from deskmate.domain.actors import AuthorKind
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import Visibility
from deskmate.services import history
from deskmate.services.live import event_of
from deskmate.store.base import Tx


async def since(tx: Tx, thread: str, seq: int) -> list[Event]:
    """What happened behind an event that may end a wait, oldest first. The caller holds the thread's lock."""
    return [event_of(row) for row in await tx.all("events.deeds", thread=thread, after=seq)]


async def speaker(tx: Tx, event: Event) -> AuthorKind | None:
    """Who has said something in public; None where nobody has."""
    if event.type is not EventType.MESSAGE_POSTED or event.data.get("visibility") != Visibility.PUBLIC:
        return None
    if event.actor.kind is not AuthorKind.SERVICE:
        return event.actor.kind
    # A program may lend its voice to a customer.
    found = await history.find(tx, str(event.data["message"]))
    return event.actor.kind if found is None else found.author.kind


def status_of(event: Event) -> object:
    """The status that a thread was given, where this is what the event tells."""
    changed = event.data.get("changed")
    told = event.type is EventType.THREAD_CHANGED and isinstance(changed, list) and "status" in changed
    return event.data.get("status") if told else None


def epoch_of(event: Event) -> int:
    """The epoch that a change of hands raised its thread to."""
    epoch = event.data.get("epoch")
    return epoch if isinstance(epoch, int) else 0
