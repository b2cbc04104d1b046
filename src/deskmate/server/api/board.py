"""The board over HTTP: how the desk stands, and how a period went."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from deskmate.domain.board import AGES, Colleague, Counted, Now, Period, Share, Waiting, Waits
from deskmate.domain.causes import Cause
from deskmate.domain.requests import RequestKind
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, moment

router = APIRouter(prefix="/api", tags=["board"])
MOST_CAUSES = 20


@router.get("/board")
async def board(
    desk: TheDesk,
    who: Who,
    since: datetime | None = None,
    until: datetime | None = None,
    queue: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
) -> Json:
    """How the desk stands now, and how a period went: the last day, unless it is said otherwise."""
    now = await desk.board.now(queue=queue, by=who)
    period = await desk.board.period(since, until, queue=queue, by=who)
    return {"now": _now(now), "period": _period(period)}


def _now(now: Now) -> Json:
    approvals = next((one.ages for one in now.waiting if one.kind is RequestKind.APPROVAL), (0,) * (len(AGES) + 1))
    limits = [int(age.total_seconds()) for age in AGES]
    return {
        "at": moment(now.at),
        "threads": {"waiting": now.threads, "waiting_since": moment(now.since)},
        "queues": [
            {
                "name": line.queue, "open": line.open, "opens_at": moment(line.opens_at),
                "waiting": line.waiting, "waiting_since": moment(line.since),
            }
            for line in now.queues
        ],
        "requests": [_waiting(one) for one in now.waiting],
        "more": now.more,
        "due": {"late": now.due.late, "soon": now.due.soon, "due_at": moment(now.due.since)},
        "approvals": [{"under": under, "waiting": count} for under, count in zip([*limits, None], approvals, strict=True)],
        "operators": [_colleague(one) for one in now.operators],
    }  # fmt: skip


def _waiting(one: Waiting) -> Json:
    return {"kind": one.kind, "waiting": one.waiting, "waiting_since": moment(one.since)}


def _colleague(one: Colleague) -> Json:
    return {
        "id": one.id, "name": one.name, "role": one.role, "presence": one.presence, "seen_at": moment(one.seen_at),
        "load": one.load, "capacity": one.capacity, "threads": one.threads, "requests": one.requests,
        "waiting_since": moment(one.since),
    }  # fmt: skip


def _period(period: Period) -> Json:
    return {
        "since": moment(period.since),
        "until": moment(period.until),
        "step_seconds": int(period.step.total_seconds()),
        "queue": period.queue,
        "threads": _share(period.threads) | {"more": period.more, "steps": [_share(one) for one in period.shares]},
        "escalations": _counted(period.escalations),
        "failures": _counted(period.failures),
        "waits": _waits(period.waits) | {"steps": [_waits(one) for one in period.waits_by_step]},
        "human_seconds": int(period.worked.total_seconds()),
        "costs": [{"currency": one.currency, "ai_minor": one.ai, "people_minor": one.people} for one in period.costs],
    }


def _share(one: Share) -> Json:
    return {"at": moment(one.at), "count": one.threads, "ai": one.ai, "people": one.people, "escalated": one.escalated}


def _waits(one: Waits) -> Json:
    return {
        "at": moment(one.at),
        "count": one.count,
        "median_seconds": None if one.median is None else one.median.total_seconds(),
        "p90_seconds": None if one.p90 is None else one.p90.total_seconds(),
    }


def _counted(found: Counted) -> Json:
    shown = [_cause(cause) for cause in found.causes[:MOST_CAUSES]]
    return {"count": found.count, "more": found.more, "causes": shown, "causes_more": len(found.causes) > MOST_CAUSES}


def _cause(cause: Cause) -> Json:
    return {
        "agent": cause.agent,
        "tool": cause.tool,
        "reason": cause.reason,
        "reasons": [{"reason": reason, "count": count} for reason, count in cause.reasons],
        "example": cause.example,
        "count": cause.count,
        "share": round(cause.share, 4),
        "first_at": moment(cause.first_at),
        "last_at": moment(cause.last_at),
        "threads": [
            {"id": place.thread, "subject": place.subject, "customer": place.customer, "at": moment(place.at)}
            for place in cause.places
        ],
    }
