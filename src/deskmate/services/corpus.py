"""The corpus: what agents' classifiers learn from, how they are fitted in the background, and what they say of a message.

A classifier is a version in the store. Every process loads the newest before it judges, so all judge alike. Scores of different
versions cannot be compared: with a new version, what checks have shown is scored anew, and the floor is calibrated anew, in the
same transaction.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from deskmate.domain.actors import SYSTEM
from deskmate.domain.calibration import Floor, Label
from deskmate.domain.events import EventType
from deskmate.domain.routes import Opinion
from deskmate.domain.routing import FloorRules, Routing
from deskmate.domain.scoring import Example, Judged, Ruling, Scorer
from deskmate.errors import DeskmateError
from deskmate.services import feed, floors
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.corpus")

JOB = "fit"
"""The kind of the job that fits an agent's classifier."""
LEAST = 20
"""How many examples there have to be before anything is learned from them."""
GROWTH = 1.2
"""By how much the examples have to have grown before a classifier is fitted anew."""
MOST = 50_000
"""How many of the newest examples are learned from."""
CLASSIFIER = "classifier"


class Fitted(Scorer, Protocol):
    """A classifier that can be kept."""

    def to_bytes(self) -> bytes:
        """As it is kept in the store."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """How classifiers are fitted and loaded; both compute for a while."""

    fit: Callable[[Sequence[Example]], Fitted]
    load: Callable[[bytes], Fitted]


class Classifier(Protocol):
    """A classifier that is asked over a network, such as a language model."""

    version: str

    async def judge(self, history: Sequence[str]) -> Ruling:
        """Judge the last of the customer's messages. What goes wrong with a model is a ruling as well."""
        ...


class Neighbours(Protocol):
    """Who finds the examples that are most like a message."""

    def nearest(self, examples: Sequence[Example], text: str, most: int) -> Judged:
        """What most of them say."""
        ...


class Corpus:
    """What this desk's agents have learned."""

    def __init__(
        self, store: Store, learner: Learner, *, classifier: Classifier | None = None, neighbours: Neighbours | None = None
    ) -> None:
        self._store = store
        self._learner = learner
        self._classifier = classifier
        self._neighbours = neighbours
        self._loaded: dict[str, tuple[int, Fitted | None]] = {}
        self._read: dict[str, tuple[tuple[int, str], list[Example]]] = {}

    async def opinion(self, agent: str, rules: Routing, history: Sequence[str]) -> Mapping[str, object]:
        """What classifiers and examples say of a message, for its route. Whoever fails has no opinion."""
        said: dict[str, object] = {}
        if rules.classifier is not None:
            asked = self._learned(agent, history) if rules.classifier.by == "learned" else self._asked(history)
            said["opinion"] = await _or_none(asked, f"the classifier of {agent}")
        if rules.examples is not None and self._neighbours is not None:
            said["nearest"] = await _or_none(self._nearest(agent, history, rules.examples.most), f"the examples of {agent}")
        return said

    async def _learned(self, agent: str, history: Sequence[str]) -> Opinion | None:
        scorer = await self._current(agent)
        if scorer is None:
            return None
        found = await asyncio.to_thread(scorer.score, history)
        return _opinion(found, scorer.version)

    async def _asked(self, history: Sequence[str]) -> Opinion | None:
        if self._classifier is None:
            return None
        return _opinion(await self._classifier.judge(history), self._classifier.version)

    async def _nearest(self, agent: str, history: Sequence[str], most: int) -> Opinion | None:
        assert self._neighbours is not None
        examples = await self._examples(agent)
        if len(examples) < most:
            return None
        return _opinion(await asyncio.to_thread(self._neighbours.nearest, examples, history[-1], most), None)

    async def _examples(self, agent: str) -> list[Example]:
        """What an agent learns from; read again only where there is more or less of it."""
        stamp = await self._store.read(lambda tx: tx.one("examples.stamp", agent=agent))
        assert stamp is not None
        held = self._read.get(agent)
        if held is None or held[0] != (stamp["number"], stamp["last"]):
            rows = await self._store.read(lambda tx: tx.all("examples.of_agent", agent=agent, limit=MOST))
            held = self._read[agent] = ((stamp["number"], stamp["last"]), [example_of(row) for row in rows])
        return held[1]

    async def _current(self, agent: str) -> Fitted | None:
        """The newest classifier of an agent, loaded once for each version. One that was fitted with another model of meaning, or
        by other code, cannot be: then there is no opinion until it is fitted anew, which is seen to."""
        facts = await self._store.read(lambda tx: tx.one("classifiers.facts", agent=agent))
        if facts is None:
            return None
        held = self._loaded.get(agent)
        if held is None or held[0] != facts["number"]:
            row = await self._store.read(lambda tx: tx.one("classifiers.newest", agent=agent))
            assert row is not None
            held = self._loaded[agent] = (row["number"], await self._load(agent, bytes(row["body"])))
            if held[1] is None:
                await self._store.write(lambda tx: jobs.enqueue(tx, JOB, agent))
        return held[1]

    async def _load(self, agent: str, body: bytes) -> Fitted | None:
        try:
            return await asyncio.to_thread(self._learner.load, body)
        except DeskmateError as error:
            log.warning("the classifier of %s cannot be loaded, and is fitted anew: %s", agent, error.message)
            return None

    async def learn(self, agent: str, examples: Sequence[Example], *, source: str) -> int:
        """Remember examples, and have the classifier fitted anew; returns how many were new."""

        async def body(tx: Tx) -> int:
            new = 0
            for one in examples:
                new += await tx.run(
                    "examples.insert",
                    id=tx.id("example"), agent=agent, thread=None, text=one.text, intent=one.intent, responder=one.responder,
                    source=source, origin=None, now=ms(tx.now),
                )  # fmt: skip
            await jobs.enqueue(tx, JOB, agent)
            return new

        return await self._store.write(body)

    async def tend(self, job: jobs.Job) -> None:
        """The handler of `fit` jobs."""
        await self.fit(job.ref)

    async def audit(self) -> None:
        """Fit whatever has learned enough since it was fitted."""
        for row in await self._store.read(lambda tx: tx.all("examples.grown", least=LEAST)):
            if row["number"] >= max(LEAST, GROWTH * (row["fitted"] or 0)):
                await self.fit(row["agent"])

    async def fit(self, agent: str) -> str | None:
        """Fit the classifier of an agent to its examples; the new version, or None where there is nothing new to learn."""
        facts = await self._store.read(lambda tx: tx.one("classifiers.facts", agent=agent))
        examples = await self._examples(agent)
        known = facts is not None and facts["examples"] >= len(examples)
        if len(examples) < LEAST or (known and await self._current(agent) is not None):
            return None
        fitted = await asyncio.to_thread(self._learner.fit, examples)
        row = {
            "agent": agent, "number": (facts["number"] if facts else 0) + 1, "version": fitted.version,
            "examples": len(examples), "intents": len({one.intent for one in examples} - {None}),
            "body": await asyncio.to_thread(fitted.to_bytes),
        }  # fmt: skip
        checked = await self._store.read(lambda tx: _checked(tx, agent))
        scored = await asyncio.to_thread(_scored, fitted, checked)
        return fitted.version if await self._store.write(lambda tx: _put(tx, row, scored)) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What has to be scored anew: the checks with their messages, what came lately, and the rules of the floor."""

    rules: FloorRules | None
    current: Floor | None
    labels: Sequence[Row]
    texts: Sequence[str]
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    scores: Mapping[str, float]
    floor: Floor | None


async def _checked(tx: Tx, agent: str) -> _Known:
    _, rules = await floors.rules_of(tx, agent)
    floor = rules.floor if rules is not None else None
    if floor is None or floor.of != CLASSIFIER or floor.fixed is not None:
        return _Known(rules=None, current=None, labels=(), texts=(), now=ms(tx.now))
    texts = [row["text"] for row in await tx.all("routes.texts", agent=agent, limit=1_000)]
    labels = await tx.all("floors.labelled_texts", agent=agent, of=CLASSIFIER)
    current = await floors.newest(tx, agent, CLASSIFIER)
    return _Known(rules=floor, current=current, labels=labels, texts=texts, now=ms(tx.now))


def _scored(fitted: Fitted, known: _Known) -> _Scored:
    """The checks by the new classifier, and the floor that follows. The version counts on; the certainty is of its own."""
    texts = {row["route"]: row["text"] for row in known.labels}
    scores = {route: fitted.score([text]).score for route, text in texts.items()}
    if known.rules is None:
        return _Scored(scores=scores, floor=None)
    labels = tuple(
        Label(score=scores[row["route"]], wrong=bool(row["wrong"]), at=row["created_at"]) for row in known.labels
    )  # fmt: skip
    traffic = tuple(fitted.score([text]).score for text in known.texts)
    evidence = floors.Evidence(current=None, labels=labels, traffic=traffic, now=known.now)
    first = floors.moved(known.rules, evidence) or floors.unknown(known.rules, known.now)
    version = (known.current.version if known.current else 0) + 1
    return _Scored(scores=scores, floor=replace(first, version=version))


async def _put(tx: Tx, row: Mapping[str, object], scored: _Scored) -> bool:
    """The new classifier with its floor, unless somebody was faster."""
    agent = str(row["agent"])
    if not await tx.run("classifiers.insert", **row, now=ms(tx.now)):
        return False
    await tx.run("classifiers.prune", agent=agent, number=row["number"])
    for route, score in scored.scores.items():
        await tx.run("floors.rescore", route=route, score=score, classifier=row["version"])
    if scored.floor is not None:
        await floors.put(tx, agent, CLASSIFIER, scored.floor)
    data = {"agent": agent, "version": row["version"], "examples": row["examples"]}
    await feed.emit(tx, EventType.CLASSIFIER_FITTED, actor=SYSTEM, thread=None, data=data)
    return True


def example_of(row: Row) -> Example:
    """A stored row as an example."""
    return Example(text=row["text"], intent=row["intent"], responder=row["responder"])


def _opinion(found: Judged, version: str | None) -> Opinion:
    if not isinstance(found, Ruling):
        return Opinion(responder=found.responder, intent=found.intent, score=found.score, version=version)
    return Opinion(
        responder=found.responder, intent=found.intent, score=found.score, version=version, reason=found.reason,
        model=found.model, input_tokens=found.input_tokens, output_tokens=found.output_tokens, raw=found.raw or None,
        decides=found.decides,
    )  # fmt: skip


async def _or_none(work: Awaitable[Opinion | None], who: str) -> Opinion | None:
    """An opinion, or None where whoever should have one fails: it is logged, and the rules say what follows."""
    try:
        return await work
    except Exception:
        log.exception("%s has no opinion", who)
        return None
