"""Floors: from which score on an agent answers alone, learned from checks. A follower of the feed takes down what checks show; a
job calibrates, and the next version of the floor is set once, whichever process computes it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter

from deskmate.domain.actors import SYSTEM
from deskmate.domain.calibration import Cause, Floor, Label, audit_rate, next_floor
from deskmate.domain.events import Event, EventType
from deskmate.domain.policies import Kind
from deskmate.domain.requests import DecisionKind, Request
from deskmate.domain.routing import DEFAULT, FloorRules, Routing
from deskmate.services import feed, policies, routing
from deskmate.services.routing import Routed
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.request_rows import request_of
from deskmate.store.times import ms

log = logging.getLogger("deskmate.floors")

JOB = "calibrate"
"""The kind of the job that looks whether what was learned moves the floor of an agent."""
TRAFFIC = 5_000
"""How many of the newest scores say what traffic looks like."""
RECENT = timedelta(days=28)
_STATE = TypeAdapter(Floor)
RIGHT = frozenset({DecisionKind.APPROVE})
WRONG = frozenset({DecisionKind.EDIT, DecisionKind.REJECT})
"""What was sent with other words, or not at all, was not right as it stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a floor is learned from: checks since it is in force, and the scores of what came lately."""

    current: Floor | None
    labels: tuple[Label, ...]
    traffic: tuple[float, ...]
    now: int


async def newest(tx: Tx, agent: str, of: str) -> Floor | None:
    """The floor that is in force, or None before the first."""
    row = await tx.one("floors.newest", agent=agent, of=of)
    return None if row is None else _STATE.validate_json(row["state"])


def rate(current: Floor | None, rules: FloorRules) -> float:
    """The share of messages that is checked now."""
    return audit_rate(current, rules.audit_rate)


async def rules_of(tx: Tx, agent: str) -> tuple[str | None, Routing | None]:
    """The policy of an agent: its own, or the one of all that have none."""
    for name in (agent, DEFAULT):
        found = await policies.find(tx, Routing, Kind.ROUTE, name)
        if found is not None:
            return name, found
    return None, None


def is_learned(rules: Routing) -> bool:
    """Whether scores are those of a classifier that is fitted anew from time to time."""
    return (
        rules.floor is not None
        and rules.floor.of == "classifier"
        and rules.classifier is not None
        and rules.classifier.by == "learned"
    )


async def evidence(tx: Tx, agent: str, of: str, *, learned: bool = False) -> Evidence:
    """What is known about an agent's scores; with `learned`, about those of the classifier that is in force."""
    current = await newest(tx, agent, of)
    facts = await tx.one("classifiers.facts", agent=agent) if learned else None
    classifier, fitted = (facts["version"], facts["created_at"]) if facts else ("", 0)
    rows = await tx.all("floors.labels", agent=agent, of=of, since=current.since if current else 0, classifier=classifier)
    scores = await tx.all("routes.scores", agent=agent, since=max(fitted, ms(tx.now - RECENT)), limit=TRAFFIC)
    labels = tuple(Label(score=row["score"], wrong=bool(row["wrong"]), at=row["created_at"]) for row in rows)
    traffic = tuple(row["score"] for row in scores) or tuple(label.score for label in labels)
    return Evidence(current=current, labels=labels, traffic=traffic, now=ms(tx.now))


async def put(tx: Tx, agent: str, of: str, floor: Floor) -> bool:
    """Set the next floor; false where somebody else was faster."""
    state = _STATE.dump_json(floor).decode()
    if not await tx.run(
        "floors.insert", agent=agent, of=of, version=floor.version, value=floor.value, state=state, now=ms(tx.now)
    ):
        return False
    data = {
        "agent": agent, "version": floor.version, "floor": floor.value, "cause": floor.cause, "labels": floor.labels,
    }  # fmt: skip
    await feed.emit(tx, EventType.FLOOR_CHANGED, actor=SYSTEM, thread=None, data=data)
    return True


class Floors:
    """The floors of this desk's agents."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """The follower `floors`: a decision on a draft that was a check is a label, and any other something to learn from."""
        for event in events:
            if event.type is EventType.REQUEST_DECIDED and "run" in event.data and event.data["kind"] == "approval":
                await _decided(tx, str(event.data["request"]), str(event.data["run"]))

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `calibrate` jobs."""
        await self.calibrate(job.ref)

    async def calibrate(self, agent: str) -> Floor | None:
        """Look whether what checks have shown moves the floor of an agent; the new floor, or None where it stays."""

        async def look(tx: Tx) -> tuple[FloorRules | None, Evidence | None]:
            _, rules = await rules_of(tx, agent)
            if rules is None or rules.floor is None or rules.floor.fixed is not None:
                return None, None
            return rules.floor, await evidence(tx, agent, rules.floor.of, learned=is_learned(rules))

        rules, known = await self._store.read(look)
        if rules is None or known is None:
            return None
        found = await asyncio.to_thread(moved, rules, known)
        if found is None or not await self._store.write(lambda tx: put(tx, agent, rules.of, found)):
            return None
        return found

    async def audit(self) -> None:
        """A policy that asks for less or more moves the floor without a check."""
        for row in await self._store.read(lambda tx: tx.all("floors.agents")):
            await self.calibrate(row["agent"])


def moved(rules: FloorRules, known: Evidence) -> Floor | None:
    """The next floor, where what is known moves it."""
    return next_floor(
        known.current, known.labels, known.traffic, max_error=rules.max_error, delta=rules.delta, now=known.now
    )  # fmt: skip


async def _decided(tx: Tx, request_id: str, run: str) -> None:
    routed = await routing.of_run(tx, run)
    row = await tx.one("requests.get", id=request_id)
    request = None if row is None else request_of(row)
    if routed is None or request is None or request.draft is None or request.decision is None:
        return
    kind = request.decision.kind
    if kind not in RIGHT | WRONG:
        return
    route = routed.route
    if not routed.inputs.audited:
        await _learn(tx, routed, request, "ai" if kind in RIGHT else "human")
    elif route.score is not None and routed.rules.floor is not None:
        await label(tx, routed, route.score, wrong=kind in WRONG)


async def label(tx: Tx, routed: Routed, score: float, *, wrong: bool) -> None:
    """Take down what a check has shown, once, and look what follows from it."""
    rules = routed.rules.floor
    assert rules is not None
    opinion = routed.inputs.opinion
    if await tx.run(
        "floors.label",
        route=routed.id, agent=routed.agent, of=rules.of, classifier=opinion.version if opinion else None, score=score,
        wrong=int(wrong), now=ms(tx.now),
    ):  # fmt: skip
        await jobs.enqueue(tx, JOB, routed.agent)


async def _learn(tx: Tx, routed: Routed, request: Request, responder: str) -> None:
    """Where a classifier learns from the team, remember who should answer such a message."""
    if routed.rules.classifier is None and routed.rules.examples is None:
        return
    opinion = routed.inputs.opinion
    await tx.run(
        "examples.insert",
        id=tx.id("example"), agent=routed.agent, thread=request.thread, text=routed.inputs.text,
        intent=opinion.intent if opinion is not None and responder == "ai" else None, responder=responder, source="decision",
        origin=request.id, now=ms(tx.now),
    )  # fmt: skip


def unknown(rules: FloorRules, now: int) -> Floor:
    """Before anything is known people answer everything."""
    return Floor(
        version=0, value=None, cause=Cause.REFUSED, max_error=rules.max_error, delta=rules.delta, spent=0.0, labels=0, accepted=0,
        errors=0, since=0, at=now, attempt=0,
    )  # fmt: skip
