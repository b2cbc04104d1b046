"""Routing over HTTP: who responded and why, how calibration stands, and what other rules would have done."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from deskmate.domain.scoring import Example
from deskmate.server.api.bodies import Calibrate, Learn, Rehearse, read_moment
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, moment
from deskmate.services.judgement import Standing, Stored
from deskmate.store.times import utc

router = APIRouter(prefix="/api", tags=["routing"])
Agent = Annotated[str | None, Query(min_length=1, max_length=200)]
Share = Annotated[float | None, Query()]


@router.get("/routing")
async def standing(desk: TheDesk, who: Who) -> Json:
    """How the calibration of each agent stands."""
    return {"items": [_standing_json(one) for one in await desk.routing.status(by=who)], "cursor": None}


@router.get("/routing/curve")
async def curve(desk: TheDesk, who: Who, agent: Agent = None, max_error: Share = None, delta: Share = None) -> Json:
    """What each floor would mean: the share answered alone, the error seen and its bound. Of the agent that answers customers
    unless another is named."""
    found = await desk.routing.curve(agent or desk.default_agent or "", max_error=max_error, delta=delta, by=who)
    points = [
        {"floor": p.floor, "coverage": p.coverage, "error": p.error, "bound": p.bound, "labels": p.labels, "errors": p.errors}
        for p in found.points
    ]
    return {
        "agent": found.agent, "floor": found.floor, "proved": found.proved, "max_error": found.max_error, "delta": found.delta,
        "labels": found.labels, "traffic": found.traffic, "points": points,
    }  # fmt: skip


@router.get("/routing/shares")
async def shares(
    desk: TheDesk,
    who: Who,
    since: datetime | None = None,
    until: datetime | None = None,
    queue: Annotated[str | None, Query(max_length=100)] = None,
) -> Json:
    """Who responded, by hour, and why it was not the AI alone. With a zone."""
    found = await desk.routing.shares(since, until, queue=queue, by=who)
    zero = {"ai": 0, "draft": 0, "human": 0}
    buckets = [{"at": moment(at), **zero, **counts} for at, counts in found.buckets.items()]
    reasons = [{"reason": reason, "responder": responder, "count": count} for reason, responder, count in found.reasons]
    return {"buckets": buckets, "reasons": reasons}


@router.get("/threads/{thread}/routes")
async def routes(thread: str, desk: TheDesk, who: Who, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Json:
    """Who was to respond on a thread, and why, the newest first."""
    found = await desk.routing.routes(thread, limit=limit, by=who)
    return {"items": [route_json(one) for one in found], "cursor": None}


@router.post("/routing/rehearsal")
async def rehearse(body: Rehearse, desk: TheDesk, who: Who) -> Json:
    """What other rules would have done to last week's traffic. Nothing is changed."""
    since = None if body.since is None else read_moment(body.since, "since")
    found = await desk.routing.rehearse(body.agent, body.rules, since=since, by=who)
    changed = [
        {"thread": one.thread, "message": one.message, "was": one.was, "would": one.would, "reason": one.reason}
        for one in found.changed
    ]
    return {"routes": found.routes, "now": dict(found.now), "then": dict(found.then), "changed": changed}


@router.post("/routing/calibration")
async def calibrate(body: Calibrate, desk: TheDesk, who: Who) -> Json:
    """Look now whether what checks have shown moves the floor of an agent; the floor in force."""
    await desk.routing.calibrate(body.agent, by=who)
    return _standing_json(next(one for one in await desk.routing.status(by=who) if one.agent == body.agent))


@router.post("/routing/examples")
async def learn(body: Learn, desk: TheDesk, who: Who) -> Json:
    """Teach the classifier of an agent."""
    examples = [Example(text=one.text, intent=one.intent, responder=one.responder) for one in body.examples]
    return {"agent": body.agent, "taken": await desk.routing.learn(body.agent, examples, by=who)}


def route_json(stored: Stored) -> Json:
    """A route as the team sees it."""
    route = stored.route
    return {
        "id": stored.id,
        "message": stored.message,
        "responder": route.responder,
        "reason": route.reason,
        "score": route.score,
        "floor": route.floor,
        "floor_version": route.version,
        "audited": route.audited,
        "at": moment(stored.at),
        "steps": [{"step": one.step, "reason": one.reason, "decides": one.decides} for one in route.steps],
    }


def _standing_json(one: Standing) -> Json:
    rules, floor = one.rules, one.floor
    shown = None
    if rules is not None:
        fixed = rules.fixed is not None
        shown = {
            "version": floor.version if floor else 0,
            "value": one.value,
            "cause": "fixed" if fixed else floor.cause if floor else "cold",
            "max_error": rules.max_error,
            "delta": rules.delta,
            "labels": floor.labels if floor else 0,
            "accepted": floor.accepted if floor else 0,
            "errors": floor.errors if floor else 0,
            "at": None if floor is None else moment(utc(floor.at)),
        }
    alarm = floor is not None and floor.cause == "alarm"
    found = one.classifier
    return {
        "agent": one.agent,
        "policy": one.policy,
        "score": rules.of if rules is not None else None,
        "floor": shown,
        "needed": one.needed,
        "audit_rate": one.audit_rate,
        "audits_open": one.audits_open,
        "alarm": {"at": moment(utc(floor.at)), "errors": floor.errors, "of": floor.accepted} if alarm and floor else None,
        "classifier": None
        if found is None
        else {
            "version": found.version,
            "examples": found.examples,
            "intents": found.intents,
            "fitted_at": moment(found.at),
        },
    }
