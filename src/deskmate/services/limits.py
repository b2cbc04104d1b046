"""Limits: what may be used, by whom, and what is said where nothing is left. Door limits against abuse are another thing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.domain.limits import (
    Fallback,
    Limit,
    Of,
    Per,
    Reason,
    Refusal,
    State,
    Window,
    clock_time,
    in_about,
    normal,
)
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, allowed, require
from deskmate.domain.policies import Kind
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.runs import Run
from deskmate.domain.threads import Thread
from deskmate.errors import TooMany
from deskmate.services import feed, policies
from deskmate.services.budgets import BUCKET, Budget, counter_of, fitting
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms

MOST_REASONS = 5
KEPT = timedelta(hours=1)
"""How long a counter is kept that says nothing any more."""
REASONS_KEPT = timedelta(days=32)


def users(thread: Thread, agent: str | None = None) -> dict[Per, str | None]:
    """Who uses something on a thread."""
    return {Per.CUSTOMER: thread.customer, Per.AGENT: agent, Per.QUEUE: thread.queue or DEFAULT_QUEUE}


async def take(tx: Tx, budgets: Sequence[Budget]) -> Refusal | None:
    """Use one of all these budgets, or what they reserve; where one refuses, none is used. The longest refusal counts."""
    used: list[Budget] = []
    refusals: list[Refusal] = []
    for budget in budgets:
        refusal = await budget.take(tx, _amount(budget), max(1, _amount(budget)))
        if refusal is None:
            used.append(budget)
        else:
            refusals.append(refusal)
    if not refusals:
        return None
    for budget in used:
        await budget.charge(tx, -_amount(budget))
    return max(refusals, key=lambda refusal: refusal.until)


def _amount(budget: Budget) -> int:
    return budget.limit.reserve if budget.limit.of is Of.TOKENS else 1


async def take_message(tx: Tx, thread: Thread) -> Refusal | None:
    """A customer says something. Where nothing is limited this asks the store nothing."""
    return await take(tx, await fitting(tx, Of.MESSAGES, users(thread))) if thread.limited else None


async def take_escalation(
    tx: Tx, thread: Thread, reason: str, *, agent: str | None, queue: str | None, again: bool = False
) -> Refusal | None:
    """A thread is to be passed on to people. Why is kept beside the count; `again` says that it was refused, and kept, before."""
    if not thread.limited:
        return None
    budgets = await fitting(tx, Of.ESCALATIONS, users(thread, agent) | ({} if queue is None else {Per.QUEUE: queue}))
    refusal = await take(tx, budgets)
    for budget in budgets if refusal is None or not again else ():
        await tx.run(
            "limits.note_reason",
            policy=budget.policy, subject=budget.subject, thread=thread.id, agent=agent, reason=normal(reason),
            accepted=int(refusal is None), now=ms(tx.now),
        )  # fmt: skip
    return refusal


async def start(tx: Tx, thread: Thread, run: Run) -> Refusal | None:
    """An agent is to be run: what its budgets reserve is put aside for it."""
    if not thread.limited:
        return None
    budgets = await fitting(tx, Of.TOKENS, users(thread, run.agent))
    refusal = await take(tx, budgets)
    for budget in budgets if refusal is None else ():
        if budget.limit.reserve:
            await tx.run(
                "limits.reserve",
                run=run.id, policy=budget.policy, subject=budget.subject, amount=budget.limit.reserve, thread=thread.id,
            )  # fmt: skip
    return refusal


async def spend(tx: Tx, thread: Thread, run: Run, tokens: int) -> None:
    """What a step of a run has used: first of what was put aside for it, then of what is there, then of what is not."""
    if not thread.limited or tokens <= 0:
        return
    budgets = await fitting(tx, Of.TOKENS, users(thread, run.agent))
    kept = {(row["policy"], row["subject"]): row["amount"] for row in await _reserves(tx, budgets, run)}
    for budget in budgets:
        covered = min(tokens, kept.get((budget.policy, budget.subject), 0))
        if covered:
            await tx.run("limits.use_reserve", run=run.id, policy=budget.policy, amount=covered)
        if tokens > covered:
            await budget.charge(tx, tokens - covered)


async def _reserves(tx: Tx, budgets: Sequence[Budget], run: Run) -> Sequence[Row]:
    return await tx.all("limits.reserves", run=run.id) if any(budget.limit.reserve for budget in budgets) else ()


async def release(tx: Tx, thread: Thread, run: str) -> None:
    """A run has ended, or waits for people: what was put aside for it and not used is there for others."""
    if thread.limited:
        await _release(tx, run)


async def _release(tx: Tx, run: str) -> None:
    for row in await tx.all("limits.reserves", run=run):
        limit = await policies.find(tx, Limit, Kind.LIMIT, row["policy"])
        if limit is not None and limit.of is Of.TOKENS and limit.bucket is not None and row["amount"]:
            budget = Budget(policy=row["policy"], limit=limit, subject=row["subject"])
            await budget.charge(tx, -row["amount"])
        await tx.run("limits.end_reserve", run=run, policy=row["policy"])


async def reached(tx: Tx, refusal: Refusal, thread: str, *, fallback: Fallback | None = None, once: bool = True) -> None:
    """Count a refusal and say so. With `once` it is said once for each subject in a window, or in the period of a bucket: a flood
    does not fill the feed."""
    limit, budget = refusal.limit, Budget(policy=refusal.policy, limit=refusal.limit, subject=refusal.subject)
    key = budget.key(refusal.now)
    await tx.run("limits.refuse", **key)
    quiet = refusal.until if limit.window is not None else refusal.now + timedelta(seconds=limit.measure.seconds)
    if once and not await tx.run("limits.tell", **key, until=ms(quiet), now=ms(refusal.now)):
        return
    data: dict[str, object] = {
        "policy": refusal.policy, "of": limit.of, "per": limit.per, "subject": refusal.subject,
        "retry_after": refusal.retry_after,
    }  # fmt: skip
    if fallback is not None:
        data["fallback"] = fallback
        data["reasons"] = [reason_json(one) for one in await _reasons(tx, budget)]
    await feed.emit(tx, EventType.LIMIT_REACHED, actor=SYSTEM, thread=thread, data=data)


def reason_json(reason: Reason) -> dict[str, object]:
    """A reason as events and answers of the API hold it."""
    return {"agent": reason.agent, "reason": reason.reason, "count": reason.count, "refused": reason.refused}


class Reached(TooMany):
    """A customer has reached a limit; what they said is not stored."""

    def __init__(self, refusal: Refusal) -> None:
        words = refusal.limit.text or f"Too many messages at once: please try again in {in_about(refusal.retry_after)}."
        super().__init__(words, retry_after=refusal.retry_after)
        self.refusal = refusal


def used_up(refusal: Refusal, agent: str) -> TooMany:
    """Why a run does not start, for the team."""
    whose = agent if refusal.limit.per is Per.AGENT else refusal.subject.replace(":", " ").replace("global", "the team")
    words = f"the token budget of {whose} is used up until {clock_time(refusal.until, refusal.now)}"
    return TooMany(words, retry_after=refusal.retry_after)


async def _reasons(tx: Tx, budget: Budget) -> list[Reason]:
    """Why escalations of the current window, or period, were asked for."""
    measure, now = budget.limit.measure, ms(tx.now)
    since = measure.start(now) if isinstance(measure, Window) else now - measure.period
    rows = await tx.all("limits.reasons", policy=budget.policy, subject=budget.subject, since=since, limit=MOST_REASONS)
    return [_reason_of(row) for row in rows]


def _reason_of(row: Row) -> Reason:
    return Reason(agent=row["agent"], reason=row["reason"], count=int(row["number"]), refused=int(row["refused"]))


class Limits:
    """How far the budgets of a team are used up, and why."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def state(self, *, by: By = SYSTEM) -> list[State]:
        """Every limit with its budgets that are in use. Reasons are for those who read notes. Raises Forbidden."""
        actor = actor_of(by)
        require(actor, Action.USAGE_READ)
        reasons = allowed(actor, Action.MESSAGE_READ_HIDDEN)

        async def body(tx: Tx) -> list[State]:
            found = await policies.every(tx, Limit, Kind.LIMIT)
            return [await _state(tx, policy, limit, reasons=reasons) for policy, limit in found.items()]

        return await self._store.read(body)

    async def reasons(self, since: datetime, *, by: By = SYSTEM) -> dict[tuple[str, str], list[Reason]]:
        """Why escalations that a limit holds for were asked for since then, by policy and subject, what is said most often first.
        They are kept for 32 days. Raises Forbidden."""
        actor = actor_of(by)
        require(actor, Action.USAGE_READ)
        require(actor, Action.MESSAGE_READ_HIDDEN)
        grouped: dict[tuple[str, str], list[Reason]] = {}
        for row in await self._store.read(lambda tx: tx.all("limits.all_reasons", since=ms(since))):
            grouped.setdefault((row["policy"], row["subject"]), []).append(_reason_of(row))
        return grouped

    async def audit(self) -> None:
        """Forget what says nothing any more; give back what is put aside for runs that were ended from outside."""

        async def look(tx: Tx) -> bool:
            old = await tx.one("limits.old", before=ms(tx.now - KEPT), reasons_before=ms(tx.now - REASONS_KEPT))
            return old is not None or await tx.one("limits.left_reserves") is not None

        if await self._store.read(look):
            await self._store.write(_tidy)


async def _tidy(tx: Tx) -> None:
    for row in await tx.all("limits.left_reserves"):
        await _release(tx, row["run"])
    await tx.run("limits.sweep", before=ms(tx.now - KEPT))
    await tx.run("limits.sweep_reasons", before=ms(tx.now - REASONS_KEPT))


async def _state(tx: Tx, policy: str, limit: Limit, *, reasons: bool) -> State:
    measure = limit.measure
    start = measure.start(ms(tx.now)) if isinstance(measure, Window) else BUCKET
    rows = await tx.all("limits.counters", policy=policy, counted=limit.of, period=measure.period, start=start)
    counters = [counter_of(limit, row, tx.now) for row in rows if row["subject"].partition(":")[0] == limit.per]
    if reasons and limit.of is Of.ESCALATIONS:
        budgets = [Budget(policy=policy, limit=limit, subject=counter.subject) for counter in counters]
        counters = [replace(one, reasons=await _reasons(tx, drawn)) for one, drawn in zip(counters, budgets, strict=True)]
    waiting = await tx.one("deferrals.waiting", policy=policy)
    return State(policy=policy, limit=limit, counters=counters, deferred=waiting["number"] if waiting else 0)
