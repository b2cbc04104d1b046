"""The FAQ: the team's own answers. They come from accepted suggestions, and can be taken back."""

from dataclasses import dataclass

from deskmate.domain.actors import SYSTEM, Author, AuthorKind
from deskmate.domain.events import EventType
from deskmate.domain.faq import MOST_ENTRIES, FaqEntry, Taught
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.suggestions import State
from deskmate.errors import NotFound
from deskmate.services import feed
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc

_NEWEST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Other words for a question, and the thread they are from."""

    text: str
    thread: str


async def add(tx: Tx, entry: FaqEntry, wordings: tuple[Wording, ...]) -> None:
    """A new entry. Every agent of this store answers from it with its next run."""
    await tx.run(
        "faq.insert",
        id=entry.id, question=entry.question, answer=entry.answer, suggestion=entry.suggestion, now=ms(tx.now),
        by_kind=entry.by.kind, by=entry.by.id, by_name=entry.by.name,
    )  # fmt: skip
    for place, wording in enumerate(wordings):
        await tx.run("faq.word", entry=entry.id, place=place, text=wording.text, thread=wording.thread)
    await tx.run("faq.changed")


class Faq:
    """The entries of the FAQ that the store keeps."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: By = SYSTEM) -> Page[FaqEntry]:
        """Entries, the newest first. Raises Forbidden, BadCursor, Invalid."""
        require(actor_of(by), Action.POLICY_READ)
        check_limit(limit, 200)
        at, after = (_NEWEST, "") if cursor is None else place_of(cursor, "faq", int, str)

        async def body(tx: Tx) -> Page[FaqEntry]:
            rows, last = cut(await tx.all("faq.page", at=at, after=after, limit=limit + 1), limit)
            said = [tuple(found["text"] for found in await tx.all("faq.wordings", entry=row["id"])) for row in rows]
            items = tuple(_entry(row, wordings) for row, wordings in zip(rows, said, strict=True))
            return Page(items=items, cursor=None if last is None else cursor_of("faq", last["created_at"], last["id"]))

        return await self._store.read(body)

    async def delete(self, entry: str, *, by: By = SYSTEM) -> None:
        """Take an entry back: no agent answers from it any more. Its suggestion is dismissed, and does not come again.

        Raises Forbidden, NotFound.
        """
        actor = actor_of(by)
        require(actor, Action.POLICY_MANAGE)

        async def body(tx: Tx) -> None:
            row = await tx.one("faq.delete", id=entry, now=ms(tx.now))
            if row is None:
                raise NotFound(f"there is no entry {entry}", field="entry")
            await tx.run("faq.delete_wordings", id=entry)
            await tx.run("faq.changed")
            by_whom = {"by_kind": actor.kind, "by": actor.id, "by_name": actor.name}
            if await tx.run("suggestions.take_back", id=row["suggestion"], now=ms(tx.now), **by_whom):
                counted = await tx.one("suggestions.times", suggestion=row["suggestion"])
                times = 0 if counted is None else counted["times"]
                data = {"suggestion": row["suggestion"], "state": State.DISMISSED, "times": times}
                await feed.emit(tx, EventType.SUGGESTION_CHANGED, actor=actor, thread=None, data=data)

        await self._store.write(body)

    async def teach(self, known: int) -> Taught | None:
        """All entries in force, for agents; None where they are still those of the version that is known."""

        async def body(tx: Tx) -> Taught | None:
            row = await tx.one("faq.version")
            version = 0 if row is None else row["version"]
            if version == known:
                return None
            wordings: dict[str, list[str]] = {}
            for found in await tx.all("faq.all_wordings"):
                wordings.setdefault(found["entry"], []).append(found["text"])
            rows = await tx.all("faq.all", limit=MOST_ENTRIES)
            return Taught(version=version, entries=tuple(_entry(row, tuple(wordings.get(row["id"], ()))) for row in rows))

        return await self._store.read(body)


def _entry(row: Row, wordings: tuple[str, ...]) -> FaqEntry:
    return FaqEntry(
        id=row["id"],
        question=row["question"],
        answer=row["answer"],
        wordings=wordings,
        suggestion=row["suggestion"],
        by=Author(kind=AuthorKind(row["by_kind"]), id=row["by_id"], name=row["by_name"]),
        created_at=utc(row["created_at"]),
    )
