"""Usage: the metered work of agents and operators, entry by entry."""

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.agents import Step
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.runs import Run
from deskmate.domain.usage import UsageEntry
from deskmate.services import threads
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc


def entry_of(row: Row) -> UsageEntry:
    """A stored row as a usage entry."""
    return UsageEntry(
        id=row["id"],
        thread=row["thread"],
        run=row["run"],
        agent=row["agent"],
        operator=row["operator"],
        provider=row["provider"],
        model=row["model"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        seconds=row["seconds"],
        cost_minor=row["cost_minor"],
        currency=row["currency"],
        created_at=utc(row["created_at"]),
    )


async def record_step(tx: Tx, run: Run, step: Step) -> None:
    """The tokens of one call of a model. A step that used none leaves no entry."""
    if not (step.input_tokens or step.output_tokens):
        return
    await tx.run(
        "usage.insert",
        id=tx.id("usage"), thread=run.thread, run=run.id, agent=run.agent, operator=None, provider=step.provider,
        model=step.model, input_tokens=step.input_tokens, output_tokens=step.output_tokens, seconds=0.0, cost_minor=None,
        currency=None, now=ms(tx.now),
    )  # fmt: skip


class Usage:
    """What has been metered."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_thread(self, thread: str, *, by: Actor = SYSTEM) -> list[UsageEntry]:
        """The entries of one thread, oldest first. Raises Forbidden, NotFound."""
        require(by, Action.USAGE_READ)

        async def body(tx: Tx) -> list[UsageEntry]:
            await threads.get(tx, thread)
            return [entry_of(row) for row in await tx.all("usage.of_thread", thread=thread)]

        return await self._store.read(body)

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: Actor = SYSTEM) -> Page[UsageEntry]:
        """All entries, newest first. Raises Forbidden, BadCursor, Invalid."""
        require(by, Action.USAGE_READ)
        check_limit(limit, 200)
        at, id = place_of(cursor, "usage", int, str) if cursor is not None else (2**62, "")

        async def body(tx: Tx) -> Page[UsageEntry]:
            rows = await tx.all("usage.page", at=at, id=id, limit=limit + 1)
            kept, last = cut([entry_of(row) for row in rows], limit)
            return Page(items=tuple(kept), cursor=None if last is None else cursor_of("usage", ms(last.created_at), last.id))

        return await self._store.read(body)
