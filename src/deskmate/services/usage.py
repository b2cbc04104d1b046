"""Usage: the metered work of agents and operators, entry by entry, with what it costs."""

import functools
from dataclasses import replace
from datetime import date
from typing import Any

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.agents import Step
from deskmate.domain.events import EventType
from deskmate.domain.invoices import Invoice, Part, People, Sum, invoice, invoices, period, summary, total
from deskmate.domain.list_prices import list_price
from deskmate.domain.money import storable
from deskmate.domain.operators import By, actor_of, chosen, words
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.policies import Kind
from deskmate.domain.prices import Price, UnitPrice, price_of
from deskmate.domain.rates import Rate, rate_of
from deskmate.domain.runs import Run
from deskmate.domain.threads import Thread
from deskmate.domain.usage import Metered, UsageEntry
from deskmate.domain.work import Stretch
from deskmate.errors import Invalid, NotFound
from deskmate.services import feed, policies, threads
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

LONGEST_DAY = 24 * 3600  # seconds that a correction may set
_FACTS = (
    "customer", "agent", "operator", "queue", "provider", "model", "currency", "input_price", "output_price", "rate",
    "input_tokens", "output_tokens", "millis",
)  # fmt: skip


def metered_of(row: Row) -> Metered:
    """What a stored row, or the data of an event, says was metered."""
    facts: dict[str, Any] = {name: row.get(name) for name in _FACTS}
    facts |= {name: facts[name] or 0 for name in ("input_tokens", "output_tokens", "millis")}
    return Metered(**facts, entries=row.get("entries", 1))


def entry_of(row: Row) -> UsageEntry:
    """A stored row as a usage entry."""
    return UsageEntry(
        id=row["id"],
        thread=row["thread"],
        run=row["run"],
        request=row["request"],
        metered=metered_of(row),
        cost_nanos=row["cost_nanos"],
        begun_at=utc_or_none(row["begun_at"]),
        corrects=row["corrects"],
        reason=row["reason"],
        created_at=utc(row["created_at"]),
    )


async def record_step(tx: Tx, thread: Thread, run: Run, step: Step, *, list_prices: bool) -> None:
    """The tokens of one call of a model, with their price. A step that used none leaves no entry."""
    if not (step.input_tokens or step.output_tokens):
        return
    price = price_of(await _prices(tx), step.provider, step.model)
    if price is None and list_prices:
        price = list_price(step.provider, step.model, step.input_tokens, tx.now)
    metered = Metered(
        customer=thread.customer, agent=run.agent, queue=thread.queue, provider=step.provider, model=step.model,
        input_tokens=step.input_tokens, output_tokens=step.output_tokens,
    )  # fmt: skip
    await _record(tx, thread.id, _priced(metered, price), run=run.id)


async def record_work(tx: Tx, thread: Thread, operator: str, stretch: Stretch) -> None:
    """The time of an operator on a thread, at the rate that holds now."""
    rate = rate_of(await policies.every(tx, Rate, Kind.RATE), operator, thread.queue)
    metered = Metered(
        customer=thread.customer, operator=operator, queue=thread.queue, millis=stretch.millis,
        rate=rate and rate.per_hour, currency=rate and rate.currency,
    )  # fmt: skip
    await _record(tx, thread.id, metered, request=stretch.request, begun=stretch.begun)


async def _prices(tx: Tx) -> dict[str, Price]:
    """All prices as the store has them now. Their text is read once in each process: only what was changed is parsed again."""
    return {row["name"]: _parsed(row["rules"]) for row in await tx.all("policies.of_kind", kind=Kind.PRICE)}


@functools.lru_cache(maxsize=policies.MOST)
def _parsed(rules: str) -> Price:
    return Price.model_validate_json(rules)


def _priced(metered: Metered, price: UnitPrice | None) -> Metered:
    if price is None:
        return metered
    return replace(metered, currency=price.currency, input_price=price.input, output_price=price.output)


async def _record(
    tx: Tx,
    thread: str,
    metered: Metered,
    *,
    run: str | None = None,
    request: str | None = None,
    begun: int | None = None,
    corrects: str | None = None,
    reason: str | None = None,
    actor: Actor = SYSTEM,
) -> str:
    """One entry and its event, which says all that the entry says: an invoice can be made again from the feed alone."""
    id = tx.id("usage")
    facts = {name: getattr(metered, name) for name in _FACTS}
    cost = None if metered.nanos is None else storable(metered.nanos)
    more = {"run": run, "request": request, "begun_at": begun, "corrects": corrects, "reason": reason, "cost_nanos": cost}
    await tx.run("usage.insert", id=id, thread=thread, now=ms(tx.now), **facts, **more)
    data = {"usage": id, **{name: fact for name, fact in (facts | more).items() if fact is not None and fact != 0}}
    await feed.emit(tx, EventType.USAGE_RECORDED, actor=actor, thread=thread, data=data)
    return id


class Usage:
    """What has been metered, and what it costs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of_thread(self, thread: str, *, by: By = SYSTEM) -> list[UsageEntry]:
        """The entries of one thread, oldest first. Raises Forbidden, NotFound."""
        require(actor_of(by), Action.USAGE_READ)

        async def body(tx: Tx) -> list[UsageEntry]:
            await threads.get(tx, thread)
            return [entry_of(row) for row in await tx.all("usage.of_thread", thread=thread)]

        return await self._store.read(body)

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: By = SYSTEM) -> Page[UsageEntry]:
        """All entries, newest first. Raises Forbidden, BadCursor, Invalid."""
        require(actor_of(by), Action.USAGE_READ)
        check_limit(limit, 200)
        at, id = place_of(cursor, "usage", int, str) if cursor is not None else (2**62, "")

        async def body(tx: Tx) -> Page[UsageEntry]:
            rows = await tx.all("usage.page", at=at, id=id, limit=limit + 1)
            kept, last = cut([entry_of(row) for row in rows], limit)
            return Page(items=tuple(kept), cursor=None if last is None else cursor_of("usage", ms(last.created_at), last.id))

        return await self._store.read(body)

    async def correct(self, entry: str, seconds: float, reason: str, *, by: By) -> UsageEntry:
        """Put the time of an operator right: `seconds` is what it should have been. Nothing is written over: the difference is an
        entry of its own, at the rate of the first. Returns it.

        Raises NotFound, Forbidden (it is for leads), and Invalid for tokens, for more than a day, and where it is right already.
        """
        actor = actor_of(by)
        require(actor, Action.POLICY_MANAGE)
        why = words(reason, "reason", 500)
        if not 0 <= seconds <= LONGEST_DAY:
            raise Invalid(f"seconds are from 0 to {LONGEST_DAY}", field="seconds")

        async def body(tx: Tx) -> UsageEntry:
            first = await _first(tx, entry)
            if first.operator is None:
                raise Invalid("only the time of people can be corrected", field="entry")
            now = await tx.one("usage.corrected", id=first.id)
            difference = round(seconds * 1000) - (now["millis"] if now is not None else 0)
            if not difference:
                raise Invalid("that is what it is already", field="seconds")
            metered = replace(first.metered, millis=difference)
            id = await _record(tx, first.thread, metered, request=first.request, corrects=first.id, reason=why, actor=actor)
            row = await tx.one("usage.get", id=id)
            assert row is not None
            return entry_of(row)

        return await self._store.write(body)

    async def invoice(
        self,
        customer: str | None,
        since: str | date | None,
        until: str | date | None,
        *,
        zone: str = "UTC",
        by: People | str = People.OPERATOR,
        actor: By = SYSTEM,
    ) -> Invoice:
        """What was done for a customer (None: on threads without one) from `since` on and before `until`, with its price.

        Days begin at midnight in `zone`. `by` tells people apart, or their queues. Raises Forbidden, Invalid.
        """
        require(actor_of(actor), Action.USAGE_READ)
        when, kind = period(since, until, zone), chosen(People, by, "by")
        work = await self._sums(ms(when.since), ms(when.until), customer)
        return invoice(customer, when, kind, [piece for piece in work if piece.customer == customer])

    async def invoices(
        self,
        since: str | date | None,
        until: str | date | None,
        *,
        zone: str = "UTC",
        by: People | str = People.OPERATOR,
        actor: By = SYSTEM,
    ) -> tuple[Invoice, ...]:
        """The same for everybody for whom something was done, by the id of the customer. Raises Forbidden, Invalid."""
        require(actor_of(actor), Action.USAGE_READ)
        when, kind = period(since, until, zone), chosen(People, by, "by")
        return invoices(when, kind, await self._sums(ms(when.since), ms(when.until)))

    async def summary(
        self,
        since: str | date | None = None,
        until: str | date | None = None,
        *,
        zone: str = "UTC",
        by: Part | str = Part.AGENT,
        actor: By = SYSTEM,
    ) -> tuple[Sum, ...]:
        """What each agent, operator, queue, model or customer has used in a period, or ever. Raises Forbidden, Invalid."""
        require(actor_of(actor), Action.USAGE_READ)
        when, part = period(since, until, zone), chosen(Part, by, "by")
        return summary(part, await self._sums(ms(when.since), ms(when.until)))

    async def _sums(self, since: int, until: int, customer: str | None = None) -> "list[Metered]":
        async def body(tx: Tx) -> "list[Metered]":
            if customer is None:
                rows = await tx.all("usage.sums", since=since, until=until)
            else:
                rows = await tx.all("usage.sums_of_customer", customer=customer, since=since, until=until)
            return [metered_of(row) for row in rows]

        return await self._store.read(body)


def labour(entries: "list[UsageEntry]") -> Sum:
    """All the work on one thread in one sum."""
    return total(None, [entry.metered for entry in entries])


async def _first(tx: Tx, id: str) -> UsageEntry:
    """The entry that is to be corrected; of a correction, the one that it corrects. Its thread is locked, so that
    corrections are made one after the other."""
    row = await tx.one("usage.get", id=id)
    if row is not None and row["corrects"] is not None:
        row = await tx.one("usage.get", id=row["corrects"])
    if row is None or await threads.find_locked(tx, row["thread"]) is None:
        raise NotFound("there is no such entry", field="entry")
    return entry_of(row)
