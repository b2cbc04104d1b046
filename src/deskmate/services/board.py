"""The board: what those who lead look at. It only reads, goes by indexes, and stops counting somewhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.board import (
    AGES,
    Colleague,
    Cost,
    Counted,
    Due,
    Line,
    Now,
    Period,
    Share,
    Waiting,
    Waits,
    period_of,
    starts,
    waits,
)
from deskmate.domain.causes import Place, Trouble, causes, failed_tool
from deskmate.domain.messages import Part
from deskmate.domain.operators import By, actor_of
from deskmate.domain.parts import load
from deskmate.domain.permissions import Action, allowed, require
from deskmate.domain.queues import HUNDREDTHS
from deskmate.domain.requests import RequestKind
from deskmate.services import queues
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

MOST_WAITING = 5_000
MOST_THREADS = 10_000
MOST_TROUBLES = 2_000
MOST_WAITS = 20_000
MOST_ENTRIES = 100_000
MOST_OPERATORS = 200
MILLISECOND, HOUR = timedelta(milliseconds=1), timedelta(hours=1)


class Board:
    """How the desk stands, and how a period went."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def now(self, *, queue: str | None = None, by: By = SYSTEM) -> Now:
        """Queues, what waits for people, and who is there. With `queue` of this one. Raises Forbidden, NotFound."""
        require(actor_of(by), Action.USAGE_READ)
        return await self._store.read(lambda tx: _now(tx, queue))

    async def period(
        self, since: datetime | None = None, until: datetime | None = None, *, queue: str | None = None, by: By = SYSTEM
    ) -> Period:
        """Who answered, what was passed on and why, what failed, and how long it took until a person came.

        Until now, and a day long, unless it is said otherwise. Raises Forbidden, Invalid, NotFound.
        """
        actor = actor_of(by)
        require(actor, Action.USAGE_READ)
        return await self._store.read(lambda tx: _period(tx, since, until, queue, actor))


async def _now(tx: Tx, queue: str | None) -> Now:
    known = {found.name: found for found in await queues.every(tx)}
    if queue is not None:
        known = {queue: await queues.get(tx, queue)}
    rows = [row for row in await tx.all("queues.depths") if row["name"] in known]
    lines = [
        Line(
            queue=row["name"],
            open=(found := known[row["name"]]).open(tx.now),
            opens_at=None if found.calendar is None or found.open(tx.now) else found.calendar.opens_at(tx.now),
            waiting=row["waiting"],
            since=utc_or_none(row["since"]),
        )
        for row in rows
    ]
    edges = dict(zip(("minutes_5", "minutes_30", "hours_2", "days_1"), (ms(tx.now - age) for age in AGES), strict=True))
    waiting = [_waiting(row) for row in await tx.all("board.waiting", queue=queue or "", most=MOST_WAITING, **edges)]
    threads = await tx.one("board.threads_waiting", queue=queue or "", most=MOST_WAITING)
    assert threads is not None
    due = await tx.one("board.due", queue=queue or "", now=ms(tx.now), until=ms(tx.now + HOUR), most=MOST_WAITING)
    assert due is not None
    people = [_colleague(row) for row in await tx.all("board.operators", most=MOST_OPERATORS)]
    return Now(
        at=tx.now,
        threads=threads["waiting"],
        since=utc_or_none(threads["since"]),
        queues=tuple(lines),
        waiting=tuple(waiting),
        more=max(threads["waiting"], sum(one.waiting for one in waiting)) >= MOST_WAITING,
        due=Due(late=int(due["late"]), soon=int(due["due"]) - int(due["late"]), since=utc_or_none(due["since"])),
        operators=tuple(people),
    )


def _waiting(row: Row) -> Waiting:
    up_to = [int(row[f"under_{age}"]) for age in ("minutes_5", "minutes_30", "hours_2", "days_1")] + [row["waiting"]]
    ages = tuple(now - before for before, now in zip([0, *up_to], up_to, strict=False))
    return Waiting(kind=RequestKind(row["kind"]), waiting=row["waiting"], since=utc(row["since"]), ages=ages)


def _colleague(row: Row) -> Colleague:
    return Colleague(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        presence=row["presence"],
        seen_at=utc_or_none(row["seen_at"]),
        load=row["load"] / HUNDREDTHS,
        capacity=row["capacity"],
        threads=row["threads"],
        since=utc_or_none(row["since"]),
        requests=row["requests"],
    )


async def _period(tx: Tx, since: datetime | None, until: datetime | None, queue: str | None, actor: Actor) -> Period:
    begin, end, step = period_of(since, until, now=tx.now)
    if queue is not None:
        await queues.get(tx, queue)
    span: dict[str, object] = {"since": ms(begin), "until": ms(end), "queue": queue or ""}
    at = starts(begin, end, step)
    shares = _shares(at, await tx.all("board.threads", **span, step=step // MILLISECOND, most=MOST_THREADS))
    waited: defaultdict[int, list[int]] = defaultdict(list)
    for row in await tx.all("board.waits", **span, most=MOST_WAITS):
        waited[(row["at"] - ms(begin)) // (step // MILLISECOND)].append(row["waited"])
    work = await tx.one("board.work", **span, most=MOST_ENTRIES)
    assert work is not None
    total = _total(begin, shares)
    return Period(
        since=begin,
        until=end,
        step=step,
        queue=queue,
        threads=total,
        shares=shares,
        more=total.threads >= MOST_THREADS,
        escalations=await _counted(tx, "escalations", "escalated_calls", span, actor),
        failures=await _counted(tx, "failures", "failed_calls", span, actor),
        waits=waits(begin, (one for step_waits in waited.values() for one in step_waits)),
        waits_by_step=_by_step(at, waited),
        worked=timedelta(seconds=round(work["seconds"])),
        costs=_costs(await tx.all("board.costs", **span, most=MOST_ENTRIES)),
    )


def _costs(rows: Iterable[Row]) -> tuple[Cost, ...]:
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["currency"], {})[row["who"]] = round(row["minor"])
    return tuple(Cost(currency=currency, **minor) for currency, minor in found.items())


def _shares(at: Sequence[datetime], rows: Iterable[Row]) -> tuple[Share, ...]:
    by_place = {int(row["place"]): row for row in rows}
    return tuple(
        Share(
            at=start,
            threads=row["threads"] if (row := by_place.get(place)) else 0,
            ai=int(row["alone"]) if row else 0,
            people=int(row["people"]) if row else 0,
            escalated=int(row["escalated"]) if row else 0,
        )
        for place, start in enumerate(at)
    )


def _total(at: datetime, shares: Sequence[Share]) -> Share:
    return Share(
        at=at,
        threads=sum(one.threads for one in shares),
        ai=sum(one.ai for one in shares),
        people=sum(one.people for one in shares),
        escalated=sum(one.escalated for one in shares),
    )


def _by_step(at: Sequence[datetime], waited: Mapping[int, list[int]]) -> tuple[Waits, ...]:
    return tuple(waits(start, waited.get(place, ())) for place, start in enumerate(at))


async def _counted(tx: Tx, what: str, calls: str, span: Mapping[str, object], actor: Actor) -> Counted:
    """The troubles of a period by their causes. Whoever may not read threads is not told what they are about."""
    rows = await tx.all(f"board.{what}", **span, most=MOST_TROUBLES)
    done: dict[str, list[Part]] = {}
    for row in await tx.all(f"board.{calls}", **span, most=MOST_TROUBLES):
        done.setdefault(row["run"], []).extend(load(row["parts"]))
    found = causes(_trouble(row, done.get(row["run"], [])) for row in rows)
    if not allowed(actor, Action.MESSAGE_READ_HIDDEN):
        found = tuple(replace(cause, example="", places=()) for cause in found)
    return Counted(count=len(rows), more=len(rows) >= MOST_TROUBLES, causes=found)


def _trouble(row: Row, parts: Sequence[Part]) -> Trouble:
    words = row.get("reason") or row["error"] or "no reason given"
    return Trouble(
        agent=row["agent"],
        words=words,
        tool=failed_tool(parts, words, row["error"]),
        place=Place(thread=row["thread"], subject=row["subject"], customer=row["customer"], at=utc(row["at"])),
    )
