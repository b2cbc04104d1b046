"""SLA over HTTP: the clocks of one thread, and how well the targets were kept."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from deskmate.domain.targets import Outcome, Running
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, moment
from deskmate.services.sla import Kept, ThreadClock

router = APIRouter(prefix="/api", tags=["sla"])


@router.get("/threads/{thread}/clock")
async def thread_clock(thread: str, desk: TheDesk, who: Who) -> Json:
    """Who owed the next word on a thread, for how long, and its targets."""
    return _clock_json(await desk.sla.clock(thread, by=who))


@router.get("/sla")
async def report(
    desk: TheDesk, who: Who, since: datetime, until: datetime, queue: Annotated[str | None, Query(max_length=100)] = None
) -> Json:
    """How well each target was kept where it ended from `since` up to `until`; times have a zone."""
    kept = await desk.sla.report(since, until, queue=queue, by=who)
    return {
        "since": moment(since),
        "until": moment(until),
        "queue": queue,
        "targets": {one.target: _kept_json(one) for one in kept},
    }


def _clock_json(clock: ThreadClock) -> Json:
    ended = {target: _outcome_json(outcome) for target, outcome in clock.ended.items()}
    running = {target: _running_json(one) for target, one in clock.running.items()}
    return {
        "thread": clock.thread,
        "phase": clock.phase,
        "since": moment(clock.since),
        "phases": {phase: spent.total_seconds() for phase, spent in clock.phases.items()},
        "intervals": [{"phase": one.phase, "begin": moment(one.begin), "end": moment(one.end)} for one in clock.intervals],
        "targets": ended | running,
        "ended": ended,
    }


def _running_json(one: Running) -> Json:
    state = "paused" if one.since is None else "running"
    return {
        "state": "missed" if one.breached_at is not None else state,
        "started": moment(one.started),
        "ended": None,
        "due_at": moment(one.due_at),
        "breached_at": moment(one.breached_at),
        "allowed_seconds": one.terms.allowed.total_seconds(),
        "policy": one.terms.policy,
    }


def _outcome_json(one: Outcome) -> Json:
    return {
        "state": "met" if one.met else "missed",
        "started": moment(one.started),
        "ended": moment(one.ended),
        "due_at": None,
        "seconds": one.spent.total_seconds(),
        "allowed_seconds": one.allowed.total_seconds(),
        "policy": one.policy,
    }


def _kept_json(one: Kept) -> Json:
    return {
        "met": one.met,
        "missed": one.missed,
        "running": one.running,
        "median_seconds": None if one.median is None else one.median.total_seconds(),
        "p90_seconds": None if one.p90 is None else one.p90.total_seconds(),
    }
