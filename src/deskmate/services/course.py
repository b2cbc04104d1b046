"""The course of a run: what is asked about a message before its agent answers, and what becomes of the agent's words.

What is asked of models is asked outside of a transaction, and stands in the route before anything follows from it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from deskmate.domain.agents import Ask, Delta, Output, Question, Step, Turn
from deskmate.domain.escalations import DECLINED, LATER, PASSED_ON, Escalated, Escalation
from deskmate.domain.messages import Text, text_of
from deskmate.domain.routes import InForce, Opinion, Route
from deskmate.domain.routing import Routing
from deskmate.domain.runs import Run
from deskmate.domain.safety import Judgement, Moderator, On, Said, Verdict
from deskmate.domain.threads import Thread
from deskmate.services import floors, limits, routing, usage
from deskmate.services.routing import Routed
from deskmate.store.base import Store, Tx

RECENT = 10
"""How many messages before the newest one a model is shown that judges it."""
NOBODY_ANSWERS = 2.0
"""The floor of an agent that answers nothing alone."""


class Judges(Protocol):
    """Whoever has an opinion of a message: classifiers and nearest examples, by agent."""

    async def opinion(self, agent: str, rules: Routing, history: Sequence[str]) -> Mapping[str, object]:
        """What they say, as facts for the inputs of a route: `opinion`, `nearest`."""
        ...


def before(routed: Routed) -> Routed:
    """A route as it was known before the agent spoke."""
    return routed.knowing(confidence=None, wants_human=None, answered=None, spoken=False)


class Course:
    """What one run may do with its words. The desk asks for it before the agent begins, and at each of its words."""

    def __init__(self, store: Store, gate: Moderator | None, routed: Routed, turn: Turn) -> None:
        self._store = store
        self._gate = gate
        self._routed = routed
        self._turn = turn
        self._before = before(routed).route.responder
        self._passed = False
        self._settled = turn.aside or bool(turn.news)
        """What people have said is passed on as it is."""

    @property
    def routed(self) -> Routed:
        """The route as far as it is known."""
        return self._routed

    @property
    def for_people(self) -> bool:
        """Whether people respond, and the agent has nothing to say any more."""
        asked_by_agent = self._routed.inputs.wants_human is not None
        return self._routed.route.responder == "human" and not self._settled and not asked_by_agent

    def shows(self, delta: Delta) -> bool:
        """Whether the customer may read words while they are being written: where nothing can speak against them any more."""
        rules = self._routed.rules
        if self._before != "ai" or (rules.safety is not None and rules.safety.output):
            return False
        floor = self._routed.route.floor
        return not self._unsure or (delta.confidence is not None and floor is not None and delta.confidence >= floor)

    @property
    def _unsure(self) -> bool:
        """Whether it is known at the end only whether the agent may say what it says."""
        floor = self._routed.rules.floor
        return floor is not None and floor.of == "confidence" and not self._settled and not self._passed

    def turn(self) -> Turn:
        """What the agent is given."""
        rules = self._routed.rules.floor
        floor = self._turn.floor
        if self._before == "draft":
            floor = 0.0
        elif rules is not None and rules.of == "confidence":
            value = self._routed.route.floor
            floor = 0.0 if rules.below == "draft" else NOBODY_ANSWERS if value is None else value
        return replace(self._turn, floor=floor, escalate=self._escalate)

    async def _escalate(self, asked: Escalation) -> Escalated:
        """The agent itself passes the thread on."""
        came = await self._turn.escalate(asked)
        if came.accepted:
            self._passed = True
            await self._learn(wants_human=asked.reason[:300], confidence=asked.confidence, spoken=True)
        return came

    async def _learn(self, **facts: object) -> None:
        self._routed = self._routed.knowing(**facts)
        await self._store.write(lambda tx: routing.settle(tx, self._routed))

    def asks(self, ask: Ask) -> Callable[[Tx], Awaitable[object]]:
        """What to write down when the agent asks people instead of answering."""
        questions = [one for one in ask.requests if isinstance(one, Question)]
        first = questions[0] if questions else None
        reason = (first.reason if first is not None else None) or "the agent asks people"
        if self._settled or not questions:
            return _nothing
        self._routed = self._routed.knowing(
            wants_human=reason[:300], confidence=first.confidence if first is not None else None, spoken=True
        )
        routed = self._routed
        return lambda tx: routing.settle(tx, routed)

    async def words(self, step: Step) -> Step:
        """The agent's words as they may be stored: as they are, held back, or in their place that people will answer."""
        text = text_of(step.role, step.parts)
        if step.role != "assistant" or not text.strip():
            return step
        facts: dict[str, object] = {}
        if (rules := self._routed.rules.safety) is not None and rules.output:
            facts["answered"] = await _verdict(self._gate, [*_history(self._turn), ("assistant", text)], On.OUTPUT)
        if not self._settled and not self._passed and step.final:
            facts |= {"confidence": step.confidence, "spoken": True}
        if facts:
            await self._learn(**facts)
        route = self._routed.route
        if facts.get("answered") is not None and route.responder == "human" and route.steps[-1].step == "safety":
            return await self._instead(step, route.reason, text)
        if self._settled or self._passed:
            return step
        if not step.final:
            return replace(step, held=step.held or self._unsure or self._before == "draft")
        if route.responder == "human" and route.steps[-1].step != "tool":
            return await self._instead(step, route.reason, text)
        return replace(step, held=step.held or route.responder == "draft")

    async def _instead(self, step: Step, reason: str, text: str) -> Step:
        unsafe = self._routed.route.steps[-1].step == "safety"
        said = await pass_on(self._turn, replace(_asked(self._routed, reason, suggestion=text), insists=unsafe))
        self._passed = True
        return replace(step, parts=(*(part for part in step.parts if not isinstance(part, Text)), Text(text=said)))

    @property
    def why_a_draft(self) -> Route:
        """What whoever checks a draft is shown of why it is one."""
        return self._routed.route


async def _nothing(tx: Tx) -> None:
    """There is nothing to write down."""


def _asked(routed: Routed, reason: str, *, suggestion: str | None = None) -> Escalation:
    route = routed.route
    return Escalation(reason=reason, suggestion=suggestion, confidence=route.score, floor=route.floor, queue=route.queue)


async def pass_on(turn: Turn, asked: Escalation) -> str:
    """Pass the thread on to people; what the customer is told."""
    came = await turn.escalate(asked)
    if came.accepted:
        return PASSED_ON
    return LATER if came.retry_after is not None else DECLINED


@dataclass(frozen=True)
class PassOn:
    """What runs in the agent's place where people respond: it passes the thread on to them."""

    name: str
    routed: Routed

    @property
    def provider_names(self) -> Mapping[str, str]:
        """No model."""
        return {}

    async def run(self, turn: Turn) -> AsyncIterator[Output]:
        """One line."""
        said = await pass_on(turn, _asked(self.routed, self.routed.route.reason))
        yield Step(role="assistant", parts=(Text(text=said),), provider="deskmate", final=True)


def _history(turn: Turn) -> list[Said]:
    """The last words before the answer, as a model is shown them that judges."""
    said: list[Said] = []
    for message in turn.history:
        text = text_of(message.role, message.parts).strip()
        if text and message.role in ("user", "assistant"):
            said.append(("user" if message.role == "user" else "assistant", text))
    return said[-RECENT:]


class Courses:
    """Decides the course of runs, for this process."""

    def __init__(
        self,
        store: Store,
        judges: Judges,
        gate: Moderator | None,
        entropy: Callable[[int], bytes],
        *,
        list_prices: bool,
    ) -> None:
        self._store = store
        self._judges = judges
        self._gate = gate
        self._entropy = entropy
        self._list_prices = list_prices

    async def of(self, routed: Routed, turn: Turn, run: Run, thread: Thread) -> Course:
        """Ask whoever has to be asked before the agent begins. What was asked by an earlier attempt stands."""
        route = routed.route
        in_review = route.responder == "draft" and route.steps[-1].step == "assignment"
        if not routed.inputs.judged and route.responder != "human" and not in_review:
            routed = await self._judge(routed, turn, run, thread)
        return Course(self._store, self._gate, routed, turn)

    async def _judge(self, routed: Routed, turn: Turn, run: Run, thread: Thread) -> Routed:
        rules, facts = routed.rules, dict[str, object]()
        said = _history(turn)
        newest: Said = ("user", turn.prompt_text.strip())
        said = said if said and said[-1] == newest else [*said, newest]
        words = [text for role, text in said if role == "user"]
        if rules.safety is not None and rules.safety.input:
            facts["asked"] = await _verdict(self._gate, said, On.INPUT)
        open_still = routed.knowing(**facts).route.steps[-1].step == "default"
        if open_still and (rules.classifier is not None or rules.examples is not None):
            facts |= await self._judges.opinion(routed.agent, rules, words)
        if open_still and rules.floor is not None and rules.floor.fixed is None:
            of = rules.floor.of
            found = await self._store.read(lambda tx: floors.newest(tx, routed.agent, of))
            facts["floor"] = InForce(version=found.version, value=found.value) if found is not None else None
            facts["audited"] = int.from_bytes(self._entropy(4)) / 2**32 < floors.rate(found, rules.floor)
        known = routed.knowing(judged=True, **facts)

        async def keep(tx: Tx) -> None:
            await routing.settle(tx, known)
            await _meter(tx, run, thread, known.inputs.opinion, list_prices=self._list_prices)

        await self._store.write(keep)
        return known


async def _meter(tx: Tx, run: Run, thread: Thread, opinion: Opinion | None, *, list_prices: bool) -> None:
    """What a language model took that judged the message counts as the agent's."""
    if opinion is not None and opinion.input_tokens + opinion.output_tokens:
        asked = Step(
            role="assistant", parts=(), model=opinion.model, input_tokens=opinion.input_tokens,
            output_tokens=opinion.output_tokens,
        )  # fmt: skip
        await usage.record_step(tx, thread, run, asked, list_prices=list_prices)
        await limits.spend(tx, thread, run, asked.input_tokens + asked.output_tokens)


async def _verdict(gate: Moderator | None, said: Sequence[Said], on: On) -> Judgement:
    if gate is None:
        return Judgement(verdict=Verdict.UNKNOWN, on=on, model="", reason="no moderation model is set")
    return await gate.judge(said, on)
