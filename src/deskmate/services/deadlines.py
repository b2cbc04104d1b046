"""Deadlines: nobody waits for ever (P5). What is not decided in time has the outcome that was declared when it was opened."""

import logging
from collections.abc import Mapping

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.domain.messages import Message
from deskmate.domain.requests import WAITING, DecisionKind, NewDecision, OnExpiry, Request
from deskmate.domain.threads import Priority
from deskmate.errors import Stale
from deskmate.services import applying, drafts, feed, ledger, opening
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.request_rows import request_of
from deskmate.store.times import ms

log = logging.getLogger("deskmate.deadlines")

ENDING = frozenset({OnExpiry.DENY, OnExpiry.APPROVE, OnExpiry.DEFAULT})
CLOCK = SYSTEM


class Deadlines:
    """The timers of requests, for the engine of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `request` jobs: remind, or do what was declared for the end of the time. A timer may come twice."""
        await self._store.write(lambda tx: _tend(tx, job))

    async def audit(self) -> None:
        """Report timers that are overdue by more than a minute and see that they go off; calls that were left lying, too."""
        if late := await jobs.catch_up(self._store, "requests.overdue", opening.TIMER):
            log.warning("%d requests were overdue by more than a minute", late)

        async def left(tx: Tx) -> bool:
            return await tx.one("requests.abandoned", before=ms(tx.now - applying.ABANDONED)) is not None

        if await self._store.read(left) and (doubted := await self._store.write(applying.abandoned)):
            log.warning("%d calls had been begun by processes that are gone: they are in doubt", doubted)


async def _tend(tx: Tx, job: jobs.Job) -> None:
    row = await tx.one("requests.get", id=job.ref)
    if row is None:
        return
    await tx.one("threads.lock", id=row["thread"])
    request = await ledger.get(tx, job.ref)
    if request.state not in WAITING:
        return
    if request.claimed_until is not None and request.claimed_until <= tx.now:
        request = await ledger.lapse(tx, request) or request
    if request.expires_at is not None and request.expires_at <= tx.now:
        await expire(tx, request)
    elif request.remind_at is not None and request.remind_at <= tx.now:
        await _remind(tx, request)
    else:
        await opening.set_timer(tx, request)


async def _remind(tx: Tx, request: Request) -> None:
    assert request.remind_every is not None
    row = await tx.one("requests.remind", id=request.id, at=ms(tx.now + request.remind_every))
    if row is not None:
        reminded = request_of(row)
        await opening.set_timer(tx, reminded)
        await ledger.announce(tx, reminded, EventType.REQUEST_REMINDED, actor=CLOCK)


async def expire(tx: Tx, request: Request) -> Request:
    """The time of an undecided request is over. The caller holds the thread's lock."""
    action = request.on_expiry or OnExpiry.WAIT
    if action not in ENDING:
        return await _ask_again(tx, request, action)
    if action is OnExpiry.APPROVE:
        return await _approve(tx, request)
    expired = await _close(tx, request)
    return await _end(tx, expired, await _said(tx, expired, action))


async def _close(tx: Tx, request: Request) -> Request:
    """Nobody decides it any more. Whatever is told to the one who asked comes after this."""
    row = await tx.one("requests.expire", id=request.id, now=ms(tx.now))
    assert row is not None
    return request_of(row)


async def _end(tx: Tx, expired: Request, said: Message | None) -> Request:
    if said is not None:
        await tx.run("requests.came_of", id=expired.id, outcome=said.id)
        expired = await ledger.get(tx, expired.id)
    await ledger.announce(tx, expired, EventType.REQUEST_EXPIRED, actor=CLOCK)
    await ledger.go_on(tx, expired, actor=CLOCK)
    return expired


async def _said(tx: Tx, request: Request, action: OnExpiry) -> Message | None:
    """What the one who asked is told: a denial, or the default answer. A draft that nobody approved stays a draft."""
    if request.draft is not None or request.call_id is None or request.call_message is None:
        return None
    if action is OnExpiry.DENY:
        return await ledger.refuse(tx, request, ledger.NOBODY)
    return await ledger.add_result(tx, request, ledger.expired_result(request), by=CLOCK)


async def _approve(tx: Tx, request: Request) -> Request:
    """The clock approves what is of low risk. A draft is sent, unless the customer has written since; a call has still to run, so
    it is decided, and applied as any other."""
    decision = NewDecision(kind=DecisionKind.APPROVE, reason=ledger.NOBODY)
    if request.draft is not None:
        try:
            await drafts.check(tx, request, decision)
        except Stale:
            return await _end(tx, await _close(tx, request), None)
        expired = await _close(tx, request)
        return await _end(tx, expired, await drafts.send(tx, request.draft, None, by=CLOCK))
    decided = await ledger.decide(tx, request, decision, by=CLOCK)
    return await ledger.apply_approval(tx, decided, by=CLOCK)


async def _ask_again(tx: Tx, request: Request, action: OnExpiry) -> Request:
    """A new deadline; where it is escalated, a step up in priority as well. Nobody holds it any more."""
    assert request.expires_in is not None
    priority = request.priority
    if action is OnExpiry.ESCALATE:
        priority = _NEXT.get(priority, Priority.URGENT)
    row = await tx.one(
        "requests.renew", id=request.id, priority=priority, expires_at=ms(tx.now + request.expires_in), now=ms(tx.now)
    )
    assert row is not None
    renewed = request_of(row)
    await opening.set_timer(tx, renewed)
    data = {"request": request.id, "kind": request.kind, "state": renewed.state, "action": action, "missed": renewed.missed}
    if request.claimed_by is not None:
        data["missed_by"] = request.claimed_by.id or ""
    await feed.emit(tx, EventType.REQUEST_OVERDUE, actor=CLOCK, thread=request.thread, data=data)
    return renewed


_NEXT: Mapping[str, Priority] = {
    Priority.LOW: Priority.NORMAL,
    Priority.NORMAL: Priority.HIGH,
    Priority.HIGH: Priority.URGENT,
}
