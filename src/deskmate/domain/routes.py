"""Routes: who responds next, and why. A route is a function of its inputs and the rules, and nothing else: it can be replayed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from deskmate.domain.assignments import Holder
from deskmate.domain.escalations import UNCHECKED
from deskmate.domain.messages import Visibility
from deskmate.domain.routing import FloorRules, Routing, When
from deskmate.domain.runs import Run
from deskmate.domain.safety import Judgement, allows, why
from deskmate.domain.threads import Mode, Thread

Who = Literal["ai", "draft", "human"]
LONGEST_TEXT = 2_000  # characters of a message that are kept with its route


class _Fact(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


class Opinion(_Fact):
    """What a classifier, or the nearest examples, said of a message."""

    responder: Literal["ai", "human"]
    intent: str | None = None
    score: float
    version: str | None = None
    reason: str | None = None
    model: str | None = None
    """The language model that was asked, what it took, and what it wrote."""
    input_tokens: int = 0
    output_tokens: int = 0
    raw: str | None = None
    decides: bool = True
    """False where it failed, and whoever comes next is to decide."""


class InForce(_Fact):
    """The floor that was in force: its version, and its value; without a value people answer everything."""

    version: int
    value: float | None


class Inputs(_Fact):
    """All that a route is decided from, as it was. What is None was not asked, or not yet."""

    holder: Holder = Holder.AI
    holder_name: str | None = None
    mode: Mode = Mode.AUTO
    handed_back: bool = False
    """The run goes on with what a person said to the AI: they have decided that it answers."""
    text: str = ""
    tags: tuple[str, ...] = ()
    priority: str = "normal"
    customer: str | None = None
    language: str | None = None
    closed: bool | None = None
    wants_person: bool = False
    asked: Judgement | None = None
    """The safety gate, of the customer's words."""
    opinion: Opinion | None = None
    nearest: Opinion | None = None
    floor: InForce | None = None
    audited: bool = False
    """Chosen by chance to be checked by a person, whatever its score."""
    judged: bool = False
    """Whoever had to be asked before the agent begins has been asked."""
    confidence: float | None = None
    """How sure the agent was of its answer."""
    wants_human: str | None = None
    """Why the agent itself wanted people."""
    answered: Judgement | None = None
    """The safety gate, of the AI's words."""
    spoken: bool = False
    """The agent has said how sure it is, or has not: there is nothing more to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One link of the chain that had something to say."""

    step: str
    reason: str
    decides: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The decision who responds next, with the reason and what it was made from."""

    responder: Who
    reason: str
    score: float | None = None
    floor: float | None = None
    version: int | None = None
    audited: bool = False
    queue: str | None = None
    steps: tuple[Step, ...] = ()


def said_as(thread: Thread, run: Run, *, held: bool = False) -> Visibility:
    """How a run's words on this thread are stored: held back for a person's approval while the thread is in review, or where the
    agent itself wants that; as notes where it speaks to the team."""
    if run.aside:
        return Visibility.NOTE
    return Visibility.DRAFT if held or thread.mode is Mode.REVIEW else Visibility.PUBLIC


def by_assignment(thread: Thread) -> Route:
    """The first link of the chain: a thread that people hold is answered by people, else its mode decides."""
    return decide(facts_of(thread), Routing())


def facts_of(thread: Thread) -> Inputs:
    """What the thread itself says."""
    held = thread.assignment
    name = held.id if held.to is Holder.QUEUE else held.name
    return Inputs(
        holder=held.to, holder_name=name, mode=thread.mode, tags=thread.tags, priority=thread.priority, customer=thread.customer,
        language=thread.language,
    )  # fmt: skip


def decide(inputs: Inputs, rules: Routing) -> Route:
    """Who responds, by the first link that decides; each link that had something to say is named."""
    steps: list[Step] = []
    for link in _CHAIN:
        for said in link(inputs, rules):
            decides = said.responder is not None
            steps.append(Step(step=said.step, reason=said.reason, decides=decides))
            if said.responder is not None:
                return _route(inputs, rules, said.responder, said, tuple(steps))
    end = _Said("default", "the AI holds the thread" if not steps else "nothing speaks against it: the AI answers", "ai")
    return _route(inputs, rules, "ai", end, (*steps, Step(step=end.step, reason=end.reason, decides=True)))


@dataclass(frozen=True, slots=True)
class _Said:
    step: str
    reason: str
    responder: Who | None = None
    queue: str | None = None


def _route(inputs: Inputs, rules: Routing, who: Who, said: _Said, steps: tuple[Step, ...]) -> Route:
    floor = _floor(inputs, rules.floor)
    return Route(
        responder=who, reason=said.reason, score=score_of(inputs, rules), floor=None if floor is None else floor.value,
        version=None if floor is None else floor.version, audited=said.step == "audit", queue=said.queue, steps=steps,
    )  # fmt: skip


def score_of(inputs: Inputs, rules: Routing) -> float | None:
    """What is compared with the floor; None where there is none, or it is not known."""
    if rules.floor is None:
        return None
    if rules.floor.of == "confidence":
        return inputs.confidence
    return None if inputs.opinion is None or not inputs.opinion.decides else inputs.opinion.score


def _floor(inputs: Inputs, rules: FloorRules | None) -> InForce | None:
    if rules is None:
        return None
    return InForce(version=0, value=rules.fixed) if rules.fixed is not None else inputs.floor or InForce(version=0, value=None)


def _assignment(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    match inputs.holder, inputs.mode:
        case Holder.OPERATOR, _:
            yield _Said("assignment", f"{inputs.holder_name or 'an operator'} holds the thread", "human")
        case Holder.QUEUE, _:
            yield _Said("assignment", f"the thread waits in the queue {inputs.holder_name}", "human")
        case _, Mode.OFF:
            yield _Said("assignment", "the AI is off on this thread", "human")
        case _, Mode.REVIEW:
            yield _Said("assignment", "the thread is in review: the AI drafts, a person sends", "draft")
        case _:
            pass


def _given_back(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    if inputs.handed_back:
        yield _Said("assignment", "a person has given the thread back to the AI", "ai")


def _to_people(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    """What a rule gives to people nobody else is asked about."""
    yield from (said for said in _rules(inputs, rules) if said.responder == "human")


def _to_the_ai(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    """A rule may let the AI answer, and not what is unsafe."""
    yield from (said for said in _rules(inputs, rules) if said.responder != "human")


def _rules(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    """The first rule that holds. What a person has given back to the AI does not come back to people by a rule."""
    found = next((rule for rule in rules.rules if holds(rule.when, inputs)), None)
    if found is not None and not inputs.handed_back:
        yield _Said("rules", f"the rule “{found.name}” says so", found.to, found.queue)


def holds(when: When, inputs: Inputs) -> bool:
    """Whether everything that a rule asks for holds."""
    named = (
        (when.tags, inputs.tags),
        (when.customers, (inputs.customer,)),
        (when.languages, (inputs.language,)),
        (when.priorities, (inputs.priority,)),
    )
    return (
        (not when.asks_for_person or inputs.wants_person)
        and (not when.words or any(_says(word, inputs.text) for word in when.words))
        and all(not wanted or set(wanted) & set(found) for wanted, found in named)
        and (when.closed is None or when.closed == inputs.closed)
    )


def _says(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _asked(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    yield from _judged(inputs.asked, rules)


def _answered(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    """What is unsafe is not said, whoever has decided that the AI answers."""
    yield from _judged(inputs.answered, rules)


def _judged(judgement: Judgement | None, rules: Routing) -> Iterator[_Said]:
    if rules.safety is not None and judgement is not None:
        told = why(judgement, unavailable=rules.safety.unavailable)
        yield _Said("safety", told, None if allows(judgement, unavailable=rules.safety.unavailable) else "human")


def _audit(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    if inputs.audited and rules.floor is not None:
        floor = _floor(inputs, rules.floor)
        cold = floor is None or floor.value is None
        yield _Said("audit", UNCHECKED if cold else "chosen by chance for a check: the AI drafts, a person sends", "draft")


def _classifier(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    found = inputs.opinion
    if rules.classifier is None or found is None or not found.decides:
        if rules.floor is not None and rules.floor.of == "classifier" and inputs.judged:
            yield _Said("classifier", "the classifier has no opinion", rules.floor.below)
        return
    about = (f" as {found.intent}" if found.intent else "") + (f" ({found.reason})" if found.reason else "")
    if rules.floor is not None and rules.floor.of == "classifier":
        yield from _against_floor(found.score, f"the classifier takes it{about}", inputs, rules.floor)
    elif found.responder == "human":
        yield _Said("classifier", f"the classifier wants people for it{about}", "human")
    else:
        yield _Said("classifier", f"the classifier gives it to the AI{about}")


def _examples(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    found = inputs.nearest
    if rules.examples is not None and found is not None:
        why = found.reason or ("people answered" if found.responder == "human" else "the AI answered")
        yield _Said("examples", f"the nearest examples: {why}", "human" if found.responder == "human" else None)


def _tool(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    """The agent itself has asked people, or passed the thread on: then there is nothing that could be checked."""
    if inputs.wants_human is not None:
        yield _Said("tool", inputs.wants_human, "human")


def _confidence(inputs: Inputs, rules: Routing) -> Iterator[_Said]:
    if rules.floor is not None and rules.floor.of == "confidence" and inputs.spoken:
        if inputs.confidence is None:
            yield _Said("confidence", "the agent did not say how sure it is", rules.floor.below)
        else:
            yield from _against_floor(inputs.confidence, "the agent is sure", inputs, rules.floor)


def _against_floor(score: float, what: str, inputs: Inputs, rules: FloorRules) -> Iterator[_Said]:
    floor = _floor(inputs, rules)
    step = "classifier" if rules.of == "classifier" else "confidence"
    if floor is None or floor.value is None:
        yield _Said(step, UNCHECKED, rules.below)
    elif score < floor.value:
        yield _Said(step, f"{what}: {score:.2f}, under the floor of {floor.value:.2f}", rules.below)
    else:
        yield _Said(step, f"{what}: {score:.2f}, the floor is {floor.value:.2f}")


_CHAIN: tuple[Callable[[Inputs, Routing], Iterator[_Said]], ...] = (
    _assignment, _to_people, _answered, _given_back, _asked, _to_the_ai, _tool, _audit, _classifier, _examples, _confidence,
)  # fmt: skip
