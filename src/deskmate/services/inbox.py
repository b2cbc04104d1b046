"""The inbox: the list of threads as an operator works it, with live counts and what waits on each thread."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deskmate.domain.actors import Actor
from deskmate.domain.messages import readable
from deskmate.domain.pages import check_limit, cursor_of, place_of
from deskmate.domain.permissions import Action, allowed, require
from deskmate.domain.requests import Request, RequestKind
from deskmate.domain.threads import Priority, Status, Thread
from deskmate.services import ledger, places, threads
from deskmate.services.places import Place, Question, Sort
from deskmate.store.base import Store, Tx

__all__ = ["COUNTED", "Inbox", "InboxPage", "Sort", "Tab", "waiting_on"]

COUNTED = 1000
"""How far threads are counted."""
QUEUE_COUNTED = 100
"""How far those of each queue are."""
LONGEST_NAME = 200  # characters of a tag or a queue by which lists differ


class Tab(StrEnum):
    MINE = "mine"
    UNASSIGNED = "unassigned"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """A page of threads; `requests` holds what waits on each of them, `counts` how many threads each tab has.

    Nothing is counted beyond COUNTED; `more` says of each tab whether it has more. `queues` has the threads of each queue that
    wait and are nobody's, as far as QUEUE_COUNTED, without the queues that have none. Where there is a cursor there may be more,
    however few `items`.
    """

    items: tuple[Thread, ...]
    cursor: str | None
    counts: Mapping[Tab, int] = field(default_factory=dict[Tab, int])
    more: Mapping[Tab, bool] = field(default_factory=dict[Tab, bool])
    queues: Mapping[str, int] = field(default_factory=dict[str, int])
    requests: Mapping[str, tuple[Request, ...]] = field(default_factory=dict[str, tuple[Request, ...]])


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
        kind: RequestKind | None = None,
        priority: Priority | None = None,
        tag: str | None = None,
        q: str | None = None,
        sort: Sort = Sort.NEWEST,
        cursor: str | None = None,
        limit: int = 50,
    ) -> InboxPage:
        """A page of the inbox and the counts of its tabs. Raises Forbidden for customers, BadCursor, Invalid.

        `kind` is that of a request that waits. `q` are words of the subject, the customer's name and the messages, each
        anywhere and the last one perhaps not finished; or the id of a thread or customer, or a customer's e-mail address.
        """
        require(by, Action.THREAD_LIST)
        check_limit(limit, 200)
        after = sort.start
        if cursor is not None:
            at, thread = place_of(cursor, f"inbox.{sort}", int, str)
            after = Place(int(at), str(thread))
        unwanted = [one for one in Priority if one is not Priority.NORMAL] if priority is Priority.NORMAL else []
        question = Question(
            lists=_lists(tab, by, queue, kind, priority, tag),
            without=[f"priority:{one}" for one in unwanted],
            status=status,
            sort=sort,
            q=readable(q or "").strip() or None,
            hidden=allowed(by, Action.MESSAGE_READ_HIDDEN),
        )

        async def body(tx: Tx) -> InboxPage:
            ids, place = await places.page(tx, question, after, limit)
            rows = {row["id"]: row for row in await tx.all("inbox.threads", threads=json.dumps(ids))} if ids else {}
            tabs = {one: _tab(one, by, None) for one in Tab}
            counted = await places.sizes(tx, list(tabs.values()), question.statuses, COUNTED + 1)
            return InboxPage(
                items=tuple(threads.thread_of(rows[id]) for id in ids),
                cursor=None if place is None else cursor_of(f"inbox.{sort}", place.at, place.thread),
                counts={one: min(number, COUNTED) for one, number in zip(tabs, counted, strict=True)},
                more={one: number > COUNTED for one, number in zip(tabs, counted, strict=True)},
                queues=await places.queues(tx, question.statuses, QUEUE_COUNTED),
                requests=await waiting_on(tx, ids) if ids else {},
            )

        return await self._store.read(body)


def _tab(tab: Tab, by: Actor, queue: str | None) -> str:
    """The list of a tab; see migrations/*/0014.inbox.sql."""
    match tab:
        case Tab.MINE:
            return f"mine:{by.id}"
        case Tab.UNASSIGNED:
            return "unassigned" if queue is None else f"unassigned:{_name(queue)}"
        case Tab.ALL:
            return "all" if queue is None else f"queue:{_name(queue)}"


def _lists(
    tab: Tab, by: Actor, queue: str | None, kind: RequestKind | None, priority: Priority | None, tag: str | None
) -> list[str]:
    """The lists on which a thread has to stand."""
    lists = [_tab(tab, by, queue)]
    if queue is not None and tab is Tab.MINE:
        lists.append(f"queue:{_name(queue)}")
    if kind is not None:
        lists.append(f"kind:{kind}")
    if priority is not None and priority is not Priority.NORMAL:
        lists.append(f"priority:{priority}")
    if tag is not None:
        lists.append(f"tag:{_name(tag)}")
    return lists


def _name(name: str) -> str:
    return readable(name)[:LONGEST_NAME]
