"""Notifications: people are told outside of the screens, in the transaction that has something to tell; sending is a job."""

from collections.abc import Iterable

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.domain.notifications import Channel, NotificationState
from deskmate.services import feed
from deskmate.store.base import Tx
from deskmate.store.times import ms


async def notify(
    tx: Tx,
    operators: Iterable[str],
    *,
    key: str,
    kind: str,
    text: str,
    thread: str | None = None,
    request: str | None = None,
    urgent: bool = False,
    channels: Iterable[Channel] | None = None,
) -> list[str]:
    """Tell these operators, each over the channels they want, or over those given. Returns the operators who were told now.

    Nobody is told the same `key` twice over one channel, however often this is called.
    """
    told: list[str] = []
    for operator in dict.fromkeys(operators):
        for channel in channels or (Channel.INBOX,):
            id = tx.id("notification")
            new = await tx.run(
                "notifications.insert",
                id=id, key=key, operator=operator, channel=channel, kind=kind, thread=thread, request=request, text=text,
                urgent=int(urgent), state=NotificationState.SENT, due_at=ms(tx.now), sent_at=ms(tx.now), now=ms(tx.now),
            )  # fmt: skip
            if new:
                data = {"notification": id, "operator": operator, "channel": channel, "kind": kind}
                await feed.emit(tx, EventType.NOTIFICATION_SENT, actor=SYSTEM, thread=thread, data=data)
                told.append(operator)
    return list(dict.fromkeys(told))
