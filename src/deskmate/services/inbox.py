"""The inbox: the list of threads as an operator works it, with live counts and what waits on each thread."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deskmate.domain.actors import Actor
from deskmate.domain.pages import check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.requests import Request
from deskmate.domain.threads import Status, Thread
from deskmate.services import ledger, threads
from deskmate.store.base import Row, Store, Tx


class Tab(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"
    ALL = "all"


class Sort(StrEnum):
    NEWEST = "newest"
    WAITING = "waiting"
    ACTIVITY = "activity"


_START: Mapping[Sort, tuple[int, str]] = {Sort.NEWEST: (2**62, ""), Sort.WAITING: (-1, ""), Sort.ACTIVITY: (2**62, "")}


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """A page of threads; `requests` holds what waits on each of them, `counts` how many threads each tab has."""

    items: tuple[Thread, ...]
    cursor: str | None
    counts: Mapping[Tab, int] = field(default_factory=dict[Tab, int])
    requests: Mapping[str, tuple[Request, ...]] = field(default_factory=dict[str, tuple[Request, ...]])


def sort_key(row: Row, sort: Sort) -> int:
    """The place of a row in its order; the counterpart of the ORDER BY of the statement of the same name."""
    match sort:
        case Sort.NEWEST:
            return row["created_at"]
        case Sort.WAITING:
            return row["waiting_since"] if row["waiting_since"] is not None else 9_000_000_000_000_000 - row["created_at"]
        case Sort.ACTIVITY:
            return row["preview_at"] if row["preview_at"] is not None else row["created_at"]


async def waiting_on(tx: Tx, thread_ids: list[str]) -> dict[str, tuple[Request, ...]]:
    """The undecided requests of these threads."""
    found: dict[str, tuple[Request, ...]] = {}
    for row in await tx.all("requests.waiting_of_threads", threads=json.dumps(thread_ids)):
        request = ledger.request_of(row)
        found[request.thread] = (*found.get(request.thread, ()), request)
    return found


class Inbox:
    """Lists of threads for people who work them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self,
        *,
        by: Actor,
        tab: Tab = Tab.ALL,
        status: Status | None = Status.OPEN,
        queue: str | None = None,
        q: str | None = None,
        sort: Sort = Sort.NEWEST,
        cursor: str | None = None,
        limit: int = 50,
    ) -> InboxPage:
        """A page of the inbox and the counts of its tabs. Raises Forbidden for customers, BadCursor, Invalid."""
        require(by, Action.THREAD_LIST)
        check_limit(limit, 200)
        at, id = place_of(cursor, f"inbox.{sort}", int, str) if cursor is not None else _START[sort]
        like = None if not q else "%" + q.lower().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"

        async def body(tx: Tx) -> InboxPage:
            rows = await tx.all(
                f"inbox.{sort}", at=at, id=id, status=status, queue=queue, tab=tab, me=by.id, q=like, exact=q, limit=limit + 1
            )
            kept, last = cut(rows, limit)
            counted = await tx.one("inbox.counts", status=status, me=by.id) or {}
            return InboxPage(
                items=tuple(threads.thread_of(row) for row in kept),
                cursor=None if last is None else cursor_of(f"inbox.{sort}", sort_key(last, sort), last["id"]),
                counts={Tab.MINE: counted["mine"], Tab.UNASSIGNED: counted["unassigned"], Tab.ALL: counted["all_threads"]},
                requests=await waiting_on(tx, [row["id"] for row in kept]),
            )

        return await self._store.read(body)
