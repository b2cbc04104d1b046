"""Routing: who responds next, decided and kept with everything it was decided from."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.routes import LONGEST_TEXT, Inputs, Route, by_assignment, decide, facts_of
from deskmate.domain.routing import Routing
from deskmate.domain.runs import Run
from deskmate.domain.threads import Thread
from deskmate.domain.wishes import wants_person
from deskmate.services import queues
from deskmate.store.base import Row, Tx
from deskmate.store.times import ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A route that is on its way: its row, the rules of the agent, and what is known so far."""

    id: str
    agent: str
    rules: Routing
    inputs: Inputs

    @property
    def route(self) -> Route:
        """Who responds, as far as is known."""
        return decide(self.inputs, self.rules)

    def knowing(self, **facts: object) -> "Routed":
        """The same with more that is known."""
        return replace(self, inputs=self.inputs.model_copy(update=facts))


async def for_people(tx: Tx, thread: Thread, message: str) -> Route:
    """The route of a message that no run begins for, or that people answer: in that case it is stored."""
    route = by_assignment(thread)
    if route.responder == "human":
        await _insert(tx, thread, facts_of(thread), route, message=message, agent=None, run=None)
    return route


async def begin(tx: Tx, thread: Thread, run: Run, *, text: str, handed_back: bool) -> Routed | None:
    """Store the route of a run that begins. None where its agent goes by no rules: then the thread decides."""
    facts = facts_of(thread)
    id, policy = await _insert(tx, thread, facts, decide(facts, Routing()), message=run.prompt, agent=run.agent, run=run.id)
    if policy is None:
        return None
    rules = Routing.model_validate_json(policy)
    facts = facts.model_copy(
        update={
            "text": text[:LONGEST_TEXT],
            "wants_person": wants_person(text),
            "handed_back": handed_back,
            "closed": await _closed(tx, thread) if any(rule.when.closed is not None for rule in rules.rules) else None,
        }
    )
    routed = Routed(id=id, agent=run.agent, rules=rules, inputs=facts)
    await settle(tx, routed)
    return routed


async def of_run(tx: Tx, run: str) -> Routed | None:
    """The route of a run that goes on, where its agent goes by rules."""
    row = await tx.one("routes.of_run", run=run)
    return None if row is None else routed_of(row)


def routed_of(row: Row) -> Routed:
    """A stored route that was decided by rules."""
    return Routed(
        id=row["id"], agent=row["agent"], rules=Routing.model_validate_json(row["policy"]),
        inputs=inputs_of(row),
    )  # fmt: skip


def inputs_of(row: Row) -> Inputs:
    """What a stored route was decided from. The customer's words are kept beside the rest, so that they can be forgotten."""
    text = row["text"] or ""
    return Inputs.model_validate_json(row["inputs"]).model_copy(update={"text": text})


async def settle(tx: Tx, routed: Routed) -> Route:
    """Write down what is known now, and what follows from it."""
    route, text = routed.route, routed.rules.model_dump_json()
    digest = hashlib.sha256(text.encode()).hexdigest()
    await tx.run("routes.keep_rules", digest=digest, rules=text)
    await tx.run(
        "routes.settle",
        id=routed.id, responder=route.responder, reason=route.reason, score=route.score, floor=route.floor,
        version=route.version, audited=int(routed.inputs.audited), step=route.steps[-1].step,
        inputs=_dumped(routed.inputs), text=routed.inputs.text, steps=_steps(route), rules=digest,
    )  # fmt: skip
    return route


async def _insert(
    tx: Tx, thread: Thread, facts: Inputs, route: Route, *, message: str | None, agent: str | None, run: str | None
) -> tuple[str, str | None]:
    """The id of a new route, and the policy of its agent."""
    id = tx.id("route")
    row = await tx.one(
        "routes.insert",
        id=id, run=run, thread=thread.id, message=message, agent=agent, responder=route.responder, reason=route.reason,
        step=route.steps[-1].step, inputs=_dumped(facts), steps=_steps(route), now=ms(tx.now),
    )  # fmt: skip
    return id, None if row is None else row["policy"]


def _dumped(inputs: Inputs) -> str:
    return inputs.model_dump_json(exclude_defaults=True, exclude={"text"})


def _steps(route: Route) -> str:
    return json.dumps([asdict(step) for step in route.steps])


async def _closed(tx: Tx, thread: Thread) -> bool:
    """Whether the queue of a thread is closed now."""
    queue = await queues.find(tx, thread.queue or DEFAULT_QUEUE)
    return queue is not None and queue.calendar is not None and not queue.calendar.open(tx.now)
