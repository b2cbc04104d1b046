"""Importing: conversations recorded elsewhere become threads, each once. No run is started, nobody is notified.

Everything an import writes has an actor whose channel is `import`, so that what watches the feed can tell it from live work.
"""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from deskmate.domain.actors import Actor, AuthorKind, Role
from deskmate.domain.permissions import Action, require
from deskmate.domain.threads import Status, Thread
from deskmate.domain.transcripts import ESCALATE_TOOL, Conversation, conversation, read_line
from deskmate.errors import Conflict, DeskmateError, Invalid
from deskmate.services import customers, messages, threads
from deskmate.services.escalated import record
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

IMPORTER = Actor(kind=AuthorKind.SERVICE, id="import", name="Import", role=Role.ADMIN, channel="import")
MOST_EVENTS = 4000
"""Events of one transaction; PostgreSQL numbers at most 4096 of them."""


class Coming(StrEnum):
    """What became of one conversation."""

    IMPORTED = "imported"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """The report on one conversation. `number` counts the records, empty lines too, from 1; `error` says why it was refused."""

    number: int
    coming: Coming
    conversation: str | None = None
    thread: str | None = None
    messages: int = 0
    error: DeskmateError | None = None


class _Overtaken(Exception):
    """Another process imports the same conversation: what this transaction began is taken back."""


class Imports:
    """Conversations from elsewhere."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def conversations(
        self,
        records: Iterable[object] | AsyncIterable[object],
        *,
        source: str = "import",
        customer_field: str | None = None,
        escalate_tools: Collection[str] = (ESCALATE_TOOL,),
        status: Status = Status.RESOLVED,
        strict: bool = False,
        by: Actor = IMPORTER,
    ) -> AsyncIterator[Import]:
        """Import each record, a line of JSON or its value, and report on it. Stop at any time and start again: none comes twice.

        A conversation is known by the source and its id, or without one by its content. One that is refused does not hold up
        the others, unless `strict`: then its error is raised. Raises Forbidden, Invalid, Unavailable.

        Records that one has to wait for come from an async iterable: while a plain one waits, the event loop does too.
        """
        require(by, Action.THREAD_OPEN)
        require(by, Action.CUSTOMER_IDENTIFY)
        check_source(source)
        number = 0
        async for given in records if isinstance(records, AsyncIterable) else _each(records):
            number += 1
            if isinstance(given, str | bytes) and not given.strip():
                continue
            known: str | None = None
            try:
                value = read_line(given) if isinstance(given, str | bytes) else given
                found = conversation(value, source=source, customer_field=customer_field, escalate_tools=escalate_tools)
                known = found.id
                report = await self._bring(number, found, source, status, by)
            except (Invalid, Conflict) as error:
                if strict:
                    raise type(error)(f"record {number}: {error.message}", field=error.field, **error.facts) from error
                report = Import(number=number, coming=Coming.REFUSED, conversation=known, error=error)
            yield report

    async def _bring(self, number: int, found: Conversation, source: str, status: Status, by: Actor) -> Import:
        count = 0
        while True:
            try:
                brought, left, thread = await self._store.write(lambda tx: _next(tx, found, source, status, by))
            except _Overtaken:
                continue
            count += brought
            if not left:
                coming = Coming.IMPORTED if count else Coming.SKIPPED
                return Import(number=number, coming=coming, conversation=found.id, thread=thread, messages=count)


async def _each(records: Iterable[object]) -> AsyncIterator[object]:
    for one in records:
        yield one


def check_source(source: str) -> None:
    """Raise Invalid unless a source can be called this."""
    if not 1 <= len(source) <= 100 or not source.isprintable():
        raise Invalid("a source has a name of 1 to 100 printable characters", field="source")


def end_of_part(found: Conversation, begin: int) -> int:
    """Up to which message one transaction brings in what begins there: as far as the events allow."""
    extra = Counter(one.known_at for one in found.escalated)
    events = 0
    for place in range(begin, len(found.entries)):
        events += 1 + extra[place]
        if events > MOST_EVENTS and place > begin:
            return place
    return len(found.entries)


async def _next(tx: Tx, found: Conversation, source: str, status: Status, by: Actor) -> tuple[int, int, str]:
    """Bring in the next part of a conversation. Answers how many messages that were, how many are left, and the thread."""
    row = await tx.one("imports.get", source=source, conversation=found.id)
    if row is not None and row["digest"] != found.digest:
        raise Conflict(
            f"conversation {found.id} of {source} was imported with other messages; give this one another source",
            field="id",
            thread=row["thread"],
        )
    begin = 0 if row is None else int(row["stored"])
    end = end_of_part(found, begin)
    thread = str(row["thread"]) if row is not None else (await _open(tx, found, source, by)).id
    if begin < end:
        await threads.lock(tx, thread)
        if not await tx.run("imports.advance", source=source, conversation=found.id, was=begin, stored=end):
            raise _Overtaken
        await _bring_part(tx, thread, found, begin, end, by)
    if begin == 0 and status is not Status.OPEN:
        await threads.set_status(tx, await threads.get(tx, thread), status, actor=by)
    return end - begin, len(found.entries) - end, thread


async def _open(tx: Tx, found: Conversation, source: str, by: Actor) -> Thread:
    of = found.customer
    await customers.ensure(tx, of.id, name=of.name, email=of.email)
    origin = {"import": {"source": source, "id": found.id}}
    thread = await threads.open_(tx, customer=of.id, subject=found.subject, metadata=origin, imported=True, actor=by)
    fresh = await tx.run(
        "imports.insert",
        source=source, conversation=found.id, digest=found.digest, thread=thread.id, now=ms(tx.now),
    )  # fmt: skip
    if not fresh:
        raise _Overtaken
    return thread


async def _bring_part(tx: Tx, thread: str, found: Conversation, begin: int, end: int, by: Actor) -> None:
    """Store some messages, with the times they have, and the escalations among them as applied."""
    earlier = [str(row["id"]) for row in await tx.all("imports.messages", thread=thread, stored=begin)] if begin else []
    stored = await messages.insert(tx, thread, [entry.message for entry in found.entries[begin:end]], actor=by)
    ids = [*earlier, *(message.id for message in stored)]
    times = found.times
    if times[0] is not None:
        for place in range(begin, end):
            await tx.run("imports.date_message", id=ids[place], at=ms(times[place]))
        await tx.run("imports.date_thread", id=thread, began=ms(times[0]))
    for one in found.escalated:
        if begin <= one.known_at < end:
            await record(tx, thread, found, one, ids, at=times[one.call] or tx.now, by=by)
    answered = max((message.order for message in stored if message.role == "assistant"), default=-1)
    await tx.run("assignments.answered", thread=thread, order=answered)
