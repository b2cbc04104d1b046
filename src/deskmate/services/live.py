"""Live updates: what one actor may see of the feed, from any place in it, without loss, and the text that is being streamed.

Events and streamed text are read in one snapshot. A message still pending there has not been taken over there, so its text leaves
 before the event of any takeover; after that event the message is no longer pending and none of its text is sent (P4).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace

from deskmate.domain.actors import Actor, Author, AuthorKind
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import Message, Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, allowed, event_visible, redact, redact_event, require, visible
from deskmate.domain.requests import Request
from deskmate.domain.threads import Thread
from deskmate.errors import NotFound
from deskmate.services import history, inbox, ledger, reads, streams, threads
from deskmate.services.watching import Picture, There, Watch
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import utc

BATCH = 200
LOOK = 30.0  # seconds after which a reader looks unasked: a process that dies between its commit and its word tells nobody
GOLDEN = 0.6180339887  # its multiples spread evenly between whole numbers, however many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event with the records it speaks of, as the reader may see them now. None where they are gone or not the reader's.

    `waiting` and `unread` are those of the thread, `unread` for operators only.
    """

    event: Event
    message: Message | None = None
    thread: Thread | None = None
    request: Request | None = None
    waiting: tuple[Request, ...] = ()
    unread: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text that was added to a message while it is written. `offset` counts the characters before it."""

    message: str
    thread: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing happened for a while; a sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What one reader knows of a message that is being written: which stream, up to which number, and how many characters."""

    stream: str
    number: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """How far a reader has come: in the feed, and in each message that is being written."""

    after: int
    heard: Mapping[str, _Heard] = field(default_factory=dict[str, _Heard])


_News = tuple[list[Seen | Piece], _Place]
"""What is new to a reader, and how far it has come with that."""
_View = tuple[Actor, str | None, int, frozenset[tuple[str, _Heard]]]
"""Who reads what from where: readers with the same view are shown the same."""


def event_of(row: Row) -> Event:
    """A stored row as an event."""
    return Event(
        seq=row["seq"],
        thread=row["thread"],
        thread_seq=row["thread_seq"],
        type=EventType(row["type"]),
        actor=Author(kind=AuthorKind(row["actor_kind"]), id=row["actor_id"], name=row["actor_name"]),
        at=utc(row["at"]),
        data=json.loads(row["data"]),
    )


class Feed:
    """The feed as its readers see it."""

    def __init__(self, store: Store, closing: asyncio.Event | None = None) -> None:
        self._store = store
        self._closing = closing or asyncio.Event()
        self._picture = Picture(store)
        self._reading: dict[_View, asyncio.Task[_News]] = {}
        self._readers = 0

    async def head(self) -> int:
        """The place of the newest event."""

        async def body(tx: Tx) -> int:
            row = await tx.one("events.head")
            return row["seq"] if row else 0

        return await self._store.read(body)

    async def read(self, *, by: By, after: int = 0, thread: str | None = None, limit: int = BATCH) -> list[Seen]:
        """The next events that this actor may see. Raises NotFound for a thread that is not theirs."""
        actor = actor_of(by)
        found, _ = await self._store.read(lambda tx: self._next(tx, actor, thread, _Place(after=after)))
        return [seen for seen in found if isinstance(seen, Seen)][:limit]

    async def check(self, *, by: By, thread: str | None) -> None:
        """Raise what following would raise, before it begins."""
        await self._store.read(lambda tx: _check(tx, actor_of(by), thread))

    async def follow(
        self, *, by: By, after: int | None = None, thread: str | None = None, idle: float = 15.0
    ) -> AsyncIterator[Seen | Piece | There | Idle]:
        """Everything this actor may see, from behind `after` (None: from now on), until the caller leaves or the desk closes.

        Who is on which thread comes first, and whenever that changes.
        """
        await self.check(by=by, thread=thread)
        actor = actor_of(by)
        place = _Place(after=await self.head() if after is None else after)
        loop = asyncio.get_running_loop()
        self._readers += 1
        # Readers that came at the same moment do not give their signs of life, and look, at the same moment for ever.
        told = loop.time() - idle * (self._readers * GOLDEN % 1)
        looked = loop.time()
        async with self._store.waiter(_topic(actor, thread)) as waiter, self._picture.kept():
            watch = Watch(self._picture, actor, thread)
            touched = True
            while not self._closing.is_set():
                came_to = place
                if touched or loop.time() >= looked + LOOK:
                    looked = loop.time()
                    found, place = await self._look(actor, thread, place)
                    for item in found:
                        yield item
                        told = loop.time()
                for there in await watch.news():
                    yield there
                    told = loop.time()
                touched = place.after != came_to.after
                if not touched:
                    # What this actor may not see wakes the reader as well, and is no sign of life to them.
                    touched = await waiter.wait(max(min(told + idle, watch.until) - loop.time(), 0.0))
                if loop.time() >= told + idle:
                    yield Idle()
                    told = loop.time()

    async def _look(self, by: Actor, thread: str | None, place: _Place) -> _News:
        """What is new to this reader. Readers with the same view who are woken together share one look."""
        view = (by, thread, place.after, frozenset(place.heard.items()))
        looking = self._reading.get(view)
        if looking is None:
            looking = self._reading[view] = asyncio.create_task(self._look_once(view, place), name="deskmate feed")
            looking.add_done_callback(_retrieved)
        return await asyncio.shield(looking)

    async def _look_once(self, view: _View, place: _Place) -> _News:
        by, thread, *_ = view
        # Whoever is woken by the same touch comes in now. Later ones may have been woken by something newer: they look again.
        await asyncio.sleep(0)
        del self._reading[view]
        return await self._store.read(lambda tx: self._next(tx, by, thread, place))

    async def _next(self, tx: Tx, by: Actor, thread: str | None, place: _Place) -> _News:
        rows = await _rows(tx, by, thread, place.after)
        found: list[Seen | Piece] = []
        for row in rows:
            seen = await seen_by(tx, event_of(row), by)
            if seen is not None:
                found.append(seen)
        # Text belongs behind the event that opened its message; with a full batch that event may still be to come.
        heard = place.heard if len(rows) == BATCH else await self._pieces(tx, by, thread, place.heard, found)
        return found, _Place(after=rows[-1]["seq"] if rows else place.after, heard=heard)

    async def _pieces(
        self, tx: Tx, by: Actor, thread: str | None, heard: Mapping[str, _Heard], found: list[Seen | Piece]
    ) -> dict[str, _Heard]:
        """Add the text that is new to this reader. Returns what it knows of the messages that are still being written."""
        now: dict[str, _Heard] = {}
        for row in await _pending(tx, by, thread):
            if Visibility(row["visibility"]) is not Visibility.PUBLIC and not allowed(by, Action.MESSAGE_READ_HIDDEN):
                continue
            if row["stream"] is None:
                continue
            known = heard.get(row["id"])
            if known is None and await tx.one("live.told", message=row["id"]) is None:
                continue
            if known is None or known.stream != row["stream"]:
                known = _Heard(stream=row["stream"])
            deltas = await streams.read(tx, known.stream, after=known.number)
            text = "".join([delta.text for delta in deltas])
            if text:
                found.append(Piece(message=row["id"], thread=row["thread"], offset=known.offset, text=text))
            number = deltas[-1].end if deltas else known.number
            now[row["id"]] = replace(known, number=number, offset=known.offset + len(text))
        return now


def _retrieved(looking: "asyncio.Task[_News]") -> None:
    """An error that all who waited for it have left behind is nobody's any more."""
    if not looking.cancelled():
        looking.exception()


async def _check(tx: Tx, by: Actor, thread: str | None) -> None:
    if thread is None:
        require(by, Action.EVENT_READ)
        return
    found = await threads.get(tx, thread)
    require(by, Action.EVENT_READ, owner=found.customer)


def _topic(by: Actor, thread: str | None) -> str:
    if thread is not None:
        return f"thread:{thread}"
    return f"customer:{by.id}" if by.kind is AuthorKind.CUSTOMER else "*"


async def _rows(tx: Tx, by: Actor, thread: str | None, after: int) -> list[Row]:
    if thread is not None:
        return await tx.all("events.after_in_thread", thread=thread, after=after, limit=BATCH)
    if by.kind is AuthorKind.CUSTOMER:
        return await tx.all("live.after_of_customer", customer=by.id, after=after, limit=BATCH)
    return await tx.all("events.after", after=after, limit=BATCH)


async def _pending(tx: Tx, by: Actor, thread: str | None) -> list[Row]:
    if thread is not None:
        return await tx.all("streams.pending", thread=thread)
    if by.kind is AuthorKind.CUSTOMER:
        return await tx.all("streams.pending_of_customer", customer=by.id)
    return await tx.all("streams.pending_all")


async def seen_by(tx: Tx, event: Event, by: Actor) -> Seen | None:
    """The event with its records, or None when this actor may not know of it."""
    if not event_visible(event, by):
        return None
    seen = Seen(event=redact_event(event, by))
    message, request = event.data.get("message"), event.data.get("request")
    if isinstance(message, str) and event.type is not EventType.MESSAGE_DELETED:
        found = await history.find(tx, message)
        if found is None or not visible(found, by):
            return None
        seen = replace(seen, message=redact(found, by))
    if isinstance(request, str):
        seen = replace(seen, request=await _request(tx, request))
    if event.type.startswith("thread.") and event.thread is not None and event.type is not EventType.THREAD_DELETED:
        seen = await _with_thread(tx, seen, event.thread, by)
    return seen


async def _request(tx: Tx, id: str) -> Request | None:
    try:
        return await ledger.get(tx, id)
    except NotFound:
        return None


async def _with_thread(tx: Tx, seen: Seen, thread: str, by: Actor) -> Seen:
    try:
        found = await threads.get(tx, thread)
    except NotFound:
        return seen
    waiting = await inbox.waiting_on(tx, [thread]) if allowed(by, Action.REQUEST_LIST) else {}
    unread = await reads.unread_of(tx, by.id, [thread]) if by.kind is AuthorKind.OPERATOR and by.id is not None else {}
    return replace(seen, thread=found, waiting=waiting.get(thread, ()), unread=unread.get(thread))
