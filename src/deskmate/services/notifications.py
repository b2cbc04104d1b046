"""Notifications: people are told outside of the screens, in the transaction that has something to tell; sending is a job."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.domain.notices import Preferences
from deskmate.domain.notifications import Channel, Notification, NotificationState
from deskmate.domain.operators import By, Operator, actor_of
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, person, require
from deskmate.domain.rulebook import read_as
from deskmate.errors import Conflict, NotFound
from deskmate.services import feed, notices, operators
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

JOB = "notification"
"""The kind of the job that sends one."""
END = 2**62  # behind every time


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A page of what somebody was told, and how much of it they have not read."""

    page: Page[Notification]
    unread: int


def notification_of(row: Row) -> Notification:
    """A stored row as a notification."""
    return Notification(
        id=row["id"],
        key=row["key"],
        operator=row["operator"],
        channel=Channel(row["channel"]),
        kind=row["kind"],
        thread=row["thread"],
        request=row["request"],
        text=row["text"],
        urgent=bool(row["urgent"]),
        state=NotificationState(row["state"]),
        attempts=row["attempts"],
        error=row["error"],
        due_at=utc(row["due_at"]),
        sent_at=utc_or_none(row["sent_at"]),
        read_at=utc_or_none(row["read_at"]),
        created_at=utc(row["created_at"]),
    )


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

    Nobody is told the same `key` twice over one channel, however often this is called. What comes to the inbox is there at once;
    other channels get it when the quiet hours of the operator are over, or at once where it is `urgent`. Who has left is told
    nothing.
    """
    matter = await notices.matter(tx, kind, thread, request)
    given = None if channels is None else tuple(channels)
    told: list[str] = []
    for id in dict.fromkeys(operators):
        found = await _working(tx, id)
        if found is None:
            continue
        for channel, at in (await notices.channels_for(tx, matter, found, urgent=urgent, channels=given)).items():
            one = Notification(
                id=tx.id("notification"), key=key, operator=id, channel=channel, kind=kind, thread=thread, request=request,
                text=text, urgent=urgent, due_at=at, created_at=tx.now,
            )  # fmt: skip
            if await _tell(tx, one):
                told.append(id)
    return list(dict.fromkeys(told))


async def _tell(tx: Tx, one: Notification) -> bool:
    """Keep it, unless they have had it. In the inbox it is there at once; over other channels it is sent by a job."""
    here = one.channel is Channel.INBOX
    new = await tx.run(
        "notifications.insert",
        id=one.id, key=one.key, operator=one.operator, channel=one.channel, kind=one.kind, thread=one.thread,
        request=one.request, text=one.text, urgent=int(one.urgent), due_at=ms(one.due_at), now=ms(tx.now),
        state=NotificationState.SENT if here else NotificationState.QUEUED, sent_at=ms(tx.now) if here else None,
    )  # fmt: skip
    if new and here:
        await announce(tx, EventType.NOTIFICATION_SENT, one)
    elif new:
        await jobs.enqueue(tx, JOB, one.id, at=one.due_at, thread=one.thread)
    return new > 0


async def announce(tx: Tx, type: EventType, one: Notification, **facts: object) -> None:
    """What became of one."""
    data = {"notification": one.id, "operator": one.operator, "channel": one.channel, "kind": one.kind} | facts
    await feed.emit(tx, type, actor=SYSTEM, thread=one.thread, data=data)


async def _working(tx: Tx, id: str) -> Operator | None:
    found = await operators.find(tx, id)
    return None if found is None or found.disabled else found


class Notifications:
    """What operators were told, and how they want to be told."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(
        self, *, unread: bool = False, failed: bool = False, cursor: str | None = None, limit: int = 50, by: By
    ) -> Told:
        """What one was told oneself in the inbox, newest first; with `failed`, for leads, what could not be sent to anybody.

        Raises Forbidden, BadCursor, Invalid.
        """
        actor = actor_of(by)
        require(actor, Action.NOTIFICATION_READ)
        if failed:
            require(actor, Action.POLICY_MANAGE)
        reader = None if failed else person(actor)
        check_limit(limit, 200)
        place = "notifications.dead" if failed else "notifications"
        at, id = (END, "") if cursor is None else place_of(cursor, place, int, str)

        async def body(tx: Tx) -> Told:
            where: dict[str, object] = {"at": at, "id": id, "limit": limit + 1}
            if failed:
                rows = await tx.all("notifications.dead", **where)
            else:
                rows = await tx.all("notifications.page", operator=reader, unread=int(unread), **where)
            kept, last = cut(rows, limit)
            more = None if last is None else cursor_of(place, last["created_at"], last["id"])
            page = Page(items=tuple(notification_of(row) for row in kept), cursor=more)
            return Told(page=page, unread=await _unread(tx, actor.id))

        return await self._store.read(body)

    async def read(self, notifications: Sequence[str] | None = None, *, by: By) -> int:
        """Say that one has read these, or all; others' stay as they are. Returns how many are left. Raises Forbidden."""
        actor = actor_of(by)
        require(actor, Action.NOTIFICATION_READ)
        reader = person(actor)

        async def body(tx: Tx) -> int:
            if notifications is None:
                await tx.run("notifications.read_all", operator=reader, now=ms(tx.now))
            else:
                for id in dict.fromkeys(notifications):
                    await tx.run("notifications.read", id=id, operator=reader, now=ms(tx.now))
            return await _unread(tx, reader)

        return await self._store.write(body)

    async def retry(self, id: str, *, by: By) -> Notification:
        """Have a word tried again that nobody tries to send any more. Raises Conflict for any other, NotFound, Forbidden."""
        require(actor_of(by), Action.POLICY_MANAGE)

        async def body(tx: Tx) -> Notification:
            found = await _get(tx, id)
            if not await tx.run("notifications.again", id=id, now=ms(tx.now)):
                raise Conflict(f"this notification is {found.state}", state=found.state)
            await jobs.enqueue(tx, JOB, id, thread=found.thread)
            return await _get(tx, id)

        return await self._store.write(body)

    async def preferences(self, *, by: By) -> Preferences:
        """How one wants to be told oneself. Raises Forbidden."""
        actor = actor_of(by)
        require(actor, Action.NOTIFICATION_READ)
        reader = person(actor)
        return await self._store.read(lambda tx: notices.wishes_of(tx, reader))

    async def prefer(self, changes: Mapping[str, object], *, by: By) -> Preferences:
        """Change how one wants to be told: `channels` for kinds, `quiet`, `urgent_anyway`; what is not given stays.

        Raises Invalid naming the place, Forbidden.
        """
        actor = actor_of(by)
        require(actor, Action.ME_CHANGE)
        reader = person(actor)

        async def body(tx: Tx) -> Preferences:
            await operators.lock(tx, reader)
            was = await notices.wishes_of(tx, reader)
            now = read_as(Preferences, was.model_dump() | dict(changes))
            await tx.run("notifications.prefer", operator=reader, rules=now.model_dump_json(), now=ms(tx.now))
            return now

        return await self._store.write(body)


async def _unread(tx: Tx, operator: str | None) -> int:
    row = await tx.one("notifications.unread", operator=operator)
    return row["count"] if row else 0


async def _get(tx: Tx, id: str) -> Notification:
    row = await tx.one("notifications.get", id=id)
    if row is None:
        raise NotFound(f"there is no notification {id}", field="notification")
    return notification_of(row)
