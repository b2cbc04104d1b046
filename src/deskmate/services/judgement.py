"""Judgement: what leads see of routing, and what they can ask of it: status, curves, shares, replay, a dry run, learning."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from deskmate.domain.actors import SYSTEM
from deskmate.domain.calibration import Floor, Point, curve, floor_of, remaining
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.routes import Route, Step, Who, decide
from deskmate.domain.routing import FloorRules, Routing
from deskmate.domain.rulebook import read_as
from deskmate.domain.scoring import Example
from deskmate.domain.wishes import wants_person
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.services import floors, threads
from deskmate.services.corpus import Corpus
from deskmate.services.routing import inputs_of, routed_of
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc

USUAL = timedelta(days=7)
"""How far reports go back unless they are told otherwise."""
MOST_ROUTES = 20_000
"""How many routes a dry run goes through."""
MOST_CHANGED = 100
MOST_REASONS = 20
HOUR = 3_600_000  # ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A route as it is kept."""

    id: str
    thread: str
    run: str | None
    message: str | None
    agent: str | None
    route: Route
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A classifier, as leads see it."""

    version: str
    examples: int
    intents: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an agent's calibration stands. `needed` is how many more checks it takes until the AI may answer alone, at least."""

    agent: str
    policy: str | None
    rules: FloorRules | None
    floor: Floor | None
    needed: int
    audit_rate: float
    audits_open: int
    classifier: Fit | None

    @property
    def value(self) -> float | None:
        """The floor; None where people answer everything."""
        if self.rules is not None and self.rules.fixed is not None:
            return self.rules.fixed
        return None if self.floor is None else self.floor.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What each floor would mean, by the checks that count now."""

    agent: str
    floor: float | None
    proved: float | None
    """The lowest floor that these checks prove for `max_error` and `delta`, if they were looked at once. Calibration looks more
    often and has less doubt left for each time, so the floor in force may be higher."""
    max_error: float
    delta: float
    labels: int
    traffic: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Who responded, by hour, and why it was not the AI alone."""

    buckets: Mapping[datetime, Mapping[Who, int]]
    reasons: tuple[tuple[str, Who, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A route that other rules would have decided otherwise."""

    thread: str
    message: str | None
    was: Who
    would: Who
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What other rules would have done. `changed` are the newest of the routes that would have been others."""

    routes: int
    now: Mapping[Who, int]
    then: Mapping[Who, int]
    changed: tuple[Changed, ...]


class Judgement:
    """Who responds next: what has been decided, how well, and what is learned from people."""

    def __init__(self, store: Store, floors_: floors.Floors, corpus: Corpus, agents: Mapping[str, object]) -> None:
        self._store = store
        self._floors = floors_
        self._corpus = corpus
        self._agents = agents

    async def status(self, *, by: By = SYSTEM) -> list[Standing]:
        """How the calibration of each agent stands. Raises Forbidden."""
        require(actor_of(by), Action.POLICY_READ)

        async def look(tx: Tx) -> list[_Seen]:
            known = {row["agent"] for row in await tx.all("floors.agents")}
            return [await _seen(tx, agent) for agent in sorted({*self._agents, *known})]

        found = await self._store.read(look)
        # Exact bounds are computed for a while: in a thread, so that nobody else waits for it.
        return await asyncio.to_thread(lambda: [_standing(one) for one in found])

    async def curve(self, agent: str, *, max_error: float | None = None, delta: float | None = None, by: By = SYSTEM) -> Curve:
        """Coverage, error and its bound for each floor, from high to low. Raises Forbidden, Invalid."""
        require(actor_of(by), Action.POLICY_READ)
        _check_share(max_error, "max_error")
        _check_share(delta, "delta")

        async def look(tx: Tx) -> tuple[FloorRules, floors.Evidence]:
            _, rules = await floors.rules_of(tx, agent)
            floor = rules.floor if rules is not None and rules.floor is not None else FloorRules()
            return floor, await floors.evidence(
                tx, agent, floor.of, learned=rules is not None and floors.is_learned(rules)
            )  # fmt: skip

        floor, known = await self._store.read(look)
        return await asyncio.to_thread(_curve, agent, floor, known, max_error or floor.max_error, delta or floor.delta)

    async def shares(
        self, since: datetime | None = None, until: datetime | None = None, *, queue: str | None = None, by: By = SYSTEM
    ) -> Shares:
        """Who responded from `since` up to `until`, by hour; the last week without them. Raises Forbidden, Invalid."""
        require(actor_of(by), Action.USAGE_READ)

        async def body(tx: Tx) -> Shares:
            begin, end = since or tx.now - USUAL, until or tx.now
            if begin >= end:
                raise Invalid("since must be before until", field="since")
            span = {"since": ms(begin), "until": ms(end), "queue": queue or ""}
            buckets: dict[datetime, dict[Who, int]] = {}
            for row in await tx.all("routes.shares", step=HOUR, **span):
                buckets.setdefault(utc(row["hour"] * HOUR), {})[row["responder"]] = row["number"]
            found = await tx.all("routes.reasons", limit=MOST_REASONS, **span)
            return Shares(
                buckets=buckets,
                reasons=tuple((_named(row["reason"], row["responder"]), row["responder"], row["number"]) for row in found),
            )

        return await self._store.read(body)

    async def routes(self, thread: str, *, limit: int = 50, by: By = SYSTEM) -> list[Stored]:
        """Who was to respond on a thread, and why, the newest first. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> list[Stored]:
            found = await threads.get(tx, thread)
            require(actor, Action.THREAD_READ, owner=found.customer)
            require(actor, Action.MESSAGE_READ_HIDDEN)
            return [stored_of(row) for row in await tx.all("routes.of_thread", thread=thread, limit=max(1, min(limit, 200)))]

        return await self._store.read(body)

    async def replay(self, route: str, *, by: By = SYSTEM) -> tuple[Stored, Route]:
        """A route as it was stored, and as it is decided again from its inputs. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.MESSAGE_READ_HIDDEN)
        row = await self._store.read(lambda tx: tx.one("routes.get", id=route))
        if row is None:
            raise NotFound(f"there is no route {route}", field="route")
        return stored_of(row), decide(inputs_of(row), _rules(row))

    async def rehearse(self, agent: str, rules: object, *, since: datetime | None = None, by: By = SYSTEM) -> Rehearsal:
        """What other rules would have done to the traffic of the last week, or since a time. What no model was asked then is not
        known. Raises Invalid, Forbidden."""
        require(actor_of(by), Action.POLICY_READ)
        require(actor_of(by), Action.MESSAGE_READ_HIDDEN)
        model = rules if isinstance(rules, Routing) else read_as(Routing, rules, "rules")

        async def body(tx: Tx) -> Rehearsal:
            start = ms(since or tx.now - USUAL)
            rows = await tx.all("routes.since", agent=agent, since=start, limit=MOST_ROUTES)
            return _rehearsed(rows, model)

        return await self._store.read(body)

    async def learn(self, agent: str, examples: Sequence[Example], *, by: By = SYSTEM) -> int:
        """Teach an agent's classifier; it is fitted anew in the background. Returns how many were taken. Raises Invalid."""
        require(actor_of(by), Action.POLICY_MANAGE)
        for number, one in enumerate(examples):
            if not one.text.strip():
                raise Invalid("an example needs a text", field=f"examples.{number}.text")
        return await self._corpus.learn(agent, examples, source="given")

    async def fit(self, agent: str, *, by: By = SYSTEM) -> str | None:
        """Fit an agent's classifier now. The new version, or None where there is nothing new to learn. Raises Forbidden."""
        require(actor_of(by), Action.POLICY_MANAGE)
        return await self._corpus.fit(agent)

    async def calibrate(self, agent: str, *, by: By = SYSTEM) -> Floor:
        """Look now whether what checks have shown moves the floor; the floor in force. Raises Forbidden, Conflict without one."""
        require(actor_of(by), Action.POLICY_MANAGE)
        moved = await self._floors.calibrate(agent)
        if moved is not None:
            return moved

        async def body(tx: Tx) -> Floor:
            _, rules = await floors.rules_of(tx, agent)
            if rules is None or rules.floor is None:
                raise Conflict(f"no policy gives {agent} a floor", field="agent")
            return await floors.newest(tx, agent, rules.floor.of) or floors.unknown(rules.floor, ms(tx.now))

        return await self._store.read(body)


def _curve(agent: str, rules: FloorRules, known: floors.Evidence, target: float, risk: float) -> Curve:
    scores, wrong = [label.score for label in known.labels], [label.wrong for label in known.labels]
    points = curve(scores, wrong, known.traffic, delta=risk)
    value = rules.fixed if rules.fixed is not None else known.current.value if known.current else None
    if value is not None and known.traffic and value not in {point.floor for point in points}:
        # The floor in force is shown where it is, also where no score of the traffic lies.
        share = sum(score >= value for score in known.traffic) / len(known.traffic)
        [here] = curve(scores, wrong, [value], delta=risk)
        points = tuple(sorted((*points, replace(here, coverage=share)), key=lambda point: -point.floor))
    proved = floor_of(scores, wrong, known.traffic, max_error=target, delta=risk)
    return Curve(
        agent=agent, floor=value, proved=proved, max_error=target, delta=risk, labels=len(known.labels),
        traffic=len(known.traffic), points=points,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the store says of an agent."""

    agent: str
    policy: str | None
    rules: FloorRules | None
    known: floors.Evidence | None
    audits_open: int
    classifier: Fit | None


async def _seen(tx: Tx, agent: str) -> _Seen:
    policy, rules = await floors.rules_of(tx, agent)
    floor = rules.floor if rules is not None else None
    row = await tx.one("classifiers.facts", agent=agent)
    classifier = None if row is None else Fit(
        version=row["version"], examples=row["examples"], intents=row["intents"], at=utc(row["created_at"])
    )  # fmt: skip
    known, waiting = None, None
    if rules is not None and floor is not None:
        known = await floors.evidence(tx, agent, floor.of, learned=floors.is_learned(rules))
        waiting = await tx.one("routes.audits_open", agent=agent)
    return _Seen(
        agent=agent, policy=policy, rules=floor, known=known, audits_open=waiting["number"] if waiting else 0,
        classifier=classifier,
    )  # fmt: skip


def _standing(seen: _Seen) -> Standing:
    rules, known = seen.rules, seen.known
    needed, share = 0, 0.0
    if rules is not None and known is not None and rules.fixed is None:
        left = remaining(known.current, known.labels, known.traffic, max_error=rules.max_error, delta=rules.delta)
        needed, share = left or 0, floors.rate(known.current, rules)
    return Standing(
        agent=seen.agent, policy=seen.policy, rules=rules, floor=known.current if known else None, needed=needed,
        audit_rate=share, audits_open=seen.audits_open, classifier=seen.classifier,
    )  # fmt: skip


def _rehearsed(rows: Sequence[Row], rules: Routing) -> Rehearsal:
    was: dict[Who, int] = {"ai": 0, "draft": 0, "human": 0}
    would: dict[Who, int] = {"ai": 0, "draft": 0, "human": 0}
    changed: list[Changed] = []
    for row in rows:
        inputs = inputs_of(row)
        then = decide(inputs.model_copy(update={"wants_person": wants_person(inputs.text)}), rules)
        before = cast("Who", row["responder"])
        was[before] += 1
        would[then.responder] += 1
        if then.responder != before and len(changed) < MOST_CHANGED:
            changed.append(
                Changed(thread=row["thread"], message=row["message"], was=before, would=then.responder, reason=then.reason)
            )  # fmt: skip
    return Rehearsal(routes=len(rows), now=was, then=would, changed=tuple(changed))


def stored_of(row: Row) -> Stored:
    """A stored row as a route."""
    steps = tuple(Step(**one) for one in json.loads(row["steps"]))
    route = Route(
        responder=row["responder"], reason=row["reason"], score=row["score"], floor=row["floor"], version=row["version"],
        audited=bool(row["audited"]), steps=steps,
    )  # fmt: skip
    return Stored(
        id=row["id"], thread=row["thread"], run=row["run"], message=row["message"], agent=row["agent"], route=route,
        at=utc(row["created_at"]),
    )  # fmt: skip


def _rules(row: Row) -> Routing:
    return Routing() if row["policy"] is None else routed_of(row).rules


def _check_share(given: float | None, field: str) -> None:
    if given is not None and not 0.0 < given < 1.0:
        raise Invalid("it is a share between 0 and 1", field=field)


_REASONS: Mapping[tuple[str, Who], str] = {
    ("assignment", "human"): "people hold the thread, or the AI is off on it",
    ("assignment", "draft"): "the thread is in review",
    ("audit", "draft"): "chosen for a check",
    ("confidence", "draft"): "the agent was not sure enough",
    ("confidence", "human"): "the agent was not sure enough",
    ("classifier", "draft"): "the classifier was not sure enough",
    ("classifier", "human"): "the classifier wanted people for it",
    ("examples", "human"): "people answered messages like it",
    ("tool", "human"): "the agent asked people, or passed it on",
}


def _named(reason: str, responder: Who) -> str:
    """A reason as people read it: rules and verdicts say theirs, other steps go by their names."""
    return _REASONS.get((reason, responder), reason)
