"""Clocks: who owed the next word on a thread, for how long, and what became of its targets; told by its events alone.

The clocks of a thread are a fold over its events: the same events always give the same clocks, however they come in. Each event
is taken in once, and costs the same on a long thread as on a short one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast

from deskmate.domain import targets
from deskmate.domain.actors import AuthorKind
from deskmate.domain.assignments import Cause, Holder
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import MessageStatus, Visibility
from deskmate.domain.sla import Target, Terms
from deskmate.domain.targets import NOTHING, Mark, Outcome, Running
from deskmate.domain.threads import Priority, Status


class Phase(StrEnum):
    """Who owes the next word."""

    AI = "ai"
    """The AI, and the customer waits for it."""
    QUEUE = "queue"
    """Nobody yet: the thread stands in a queue."""
    HUMAN = "human"
    """An operator, and the customer waits for them."""
    CUSTOMER = "customer"
    """The customer: all they said is answered."""
    PAUSED = "paused"
    """Nobody: the thread is snoozed."""
    CLOSED = "closed"
    """Nobody: the thread is resolved."""


WATCHED = frozenset({
    EventType.THREAD_OPENED, EventType.THREAD_CHANGED, EventType.THREAD_ASSIGNED, EventType.MESSAGE_POSTED,
    EventType.MESSAGE_CHANGED,
})  # fmt: skip
"""What clocks go by."""
ANSWERS = frozenset({AuthorKind.AGENT, AuthorKind.OPERATOR})
IDLE = frozenset({Phase.CUSTOMER, Phase.PAUSED, Phase.CLOSED})
"""The phases in which the resolution of a thread is not up to the team."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the events of a thread have told so far. `waiting`: for a word of whoever holds it; `unanswered`: for any answer."""

    holder: Holder = Holder.AI
    status: Status = Status.OPEN
    queue: str | None = None
    priority: Priority = Priority.NORMAL
    waiting: bool = False
    unanswered: bool = False
    spoke: bool = False
    """The customer has said something."""
    importer: str | None = None
    """Who brought it in from elsewhere: what they tell of it happened before, and nobody is measured by it."""

    @property
    def phase(self) -> Phase:
        if self.status is not Status.OPEN:
            return Phase.CLOSED if self.status is Status.RESOLVED else Phase.PAUSED
        if self.holder is Holder.QUEUE:
            return Phase.QUEUE
        if not self.waiting:
            return Phase.CUSTOMER
        return Phase.AI if self.holder is Holder.AI else Phase.HUMAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The clocks of one thread. `sums` are those of the phases that are over; `at` is when the last event was."""

    opened: datetime
    at: datetime
    since: datetime
    facts: Facts
    sums: Mapping[Phase, timedelta] = field(default_factory=dict[Phase, timedelta])
    running: Mapping[Target, Running] = field(default_factory=dict[Target, Running])
    last: Mapping[Target, Outcome] = field(default_factory=dict[Target, Outcome])

    @property
    def phase(self) -> Phase:
        return self.facts.phase

    @property
    def next_at(self) -> datetime | None:
        """When the next share of the time of a target is over."""
        return min((one.next_at for one in self.running.values() if one.next_at is not None), default=None)

    @property
    def nearest(self) -> Running | None:
        """The target that is due first; where none is going, one that stands still."""
        going = [one for one in self.running.values() if one.due_at is not None]
        if going:
            return min(going, key=lambda one: (one.due_at or one.started, one.target))
        return min(self.running.values(), key=lambda one: one.target, default=None)

    def spent(self, until: datetime) -> dict[Phase, timedelta]:
        """How long each phase has lasted, up to a moment. A resolved thread ended when it was resolved."""
        sums = {phase: self.sums.get(phase, NOTHING) for phase in Phase}
        if self.phase is not Phase.CLOSED:
            sums[self.phase] += max(until - self.since, NOTHING)
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A time in which one phase lasted."""

    phase: Phase
    begin: datetime
    end: datetime


TermsOf = Callable[[Target, Facts], Terms | None]
"""The terms of a target that starts now on such a thread. None where it has no such target."""
News = list[Mark | Outcome]
_Targets = dict[Target, Running]


def no_terms(target: Target, facts: Facts) -> None:
    """For whoever asks for the phases only."""


def take_in(clocks: Clocks | None, event: Event, terms: TermsOf = no_terms) -> tuple[Clocks | None, News]:
    """The clocks after one more event of the thread, and what has come of it. None as long as the thread was not opened."""
    if event.type is EventType.THREAD_OPENED:
        return _opened(event, terms), []
    if clocks is None or event.type not in WATCHED:
        return clocks, []
    # Transactions that wait for each other may be told in another order than that in which they began: time does not go back.
    at = max(event.at, clocks.at)
    clocks, news = tick(clocks, at)
    before, after = clocks.facts, _told(clocks.facts, event)
    sums, since = clocks.sums, clocks.since
    if after.phase is not before.phase:
        sums, since = {**sums, before.phase: sums.get(before.phase, NOTHING) + at - since}, at
    running, outcomes = _measured(dict(clocks.running), event, before, after, at, terms)
    last = {**clocks.last, **{outcome.target: outcome for outcome in outcomes}}
    return replace(clocks, at=at, since=since, facts=after, sums=sums, running=running, last=last), [*news, *outcomes]


def tick(clocks: Clocks, at: datetime) -> tuple[Clocks, News]:
    """What the time up to and with this moment has brought."""
    running, marks = _Targets(), list[Mark]()
    for target, one in clocks.running.items():
        running[target], found = targets.tick(one, at)
        marks += found
    marks.sort(key=lambda mark: (mark.at, mark.target))
    return (replace(clocks, running=running) if marks else clocks), [*marks]


def intervals(events: Iterable[Event], until: datetime) -> list[Interval]:
    """The life of a thread as a row of phases without a gap, from its first event to a moment, or to its end."""
    found: list[Interval] = []
    clocks: Clocks | None = None
    for event in events:
        was, (clocks, _) = clocks, take_in(clocks, event)
        if was is not None and clocks is not None and was.since < clocks.since:
            _add(found, Interval(phase=was.phase, begin=was.since, end=clocks.since))
    if clocks is not None and clocks.phase is not Phase.CLOSED and clocks.since < until:
        _add(found, Interval(phase=clocks.phase, begin=clocks.since, end=until))
    return found


def _add(found: list[Interval], interval: Interval) -> None:
    """What lasts on after a phase that took no time at all is still one interval."""
    if found and found[-1].phase is interval.phase:
        found[-1] = replace(found[-1], end=interval.end)
    else:
        found.append(interval)


def _opened(event: Event, terms: TermsOf) -> Clocks:
    queue, priority = event.data.get("queue"), event.data.get("priority", Priority.NORMAL)
    facts = Facts(
        queue=queue if isinstance(queue, str) else None,
        priority=Priority(str(priority)),
        importer=_who(event) if event.data.get("imported") else None,
    )
    running = _Targets()
    if facts.importer is None:
        _start(running, Target.RESOLUTION, facts, event.at, terms)
    return Clocks(opened=event.at, at=event.at, since=event.at, facts=facts, running=running)


def _told(facts: Facts, event: Event) -> Facts:
    """What is known after an event."""
    match event.type:
        case EventType.THREAD_CHANGED:
            return _changed(facts, Status(str(event.data["status"])), event.data.get("priority"))
        case EventType.THREAD_ASSIGNED:
            return _assigned(facts, event)
        case _:
            return _spoken(facts, event)


def _changed(facts: Facts, status: Status, priority: object) -> Facts:
    facts = replace(facts, status=status, priority=Priority(priority) if isinstance(priority, str) else facts.priority)
    # Whoever resolves a thread says that nobody waits for anything.
    return replace(facts, waiting=False, unanswered=False) if status is Status.RESOLVED else facts


def _assigned(facts: Facts, event: Event) -> Facts:
    to, id = _holder(event)
    return replace(
        facts,
        holder=to,
        queue=id if to is Holder.QUEUE and id else facts.queue,
        # Who asked for a person waits for one, though all they said was answered.
        waiting=facts.waiting or (to is Holder.QUEUE and event.data.get("cause") == Cause.ESCALATION),
    )


def _spoken(facts: Facts, event: Event) -> Facts:
    author = speaker(event)
    if author is AuthorKind.CUSTOMER:
        return replace(facts, waiting=True, unanswered=True, spoke=True)
    if author not in ANSWERS:
        return facts
    # The last words of an AI that has passed a thread on are an answer, and not the one that is waited for.
    settles = author is AuthorKind.OPERATOR or facts.holder is Holder.AI
    return replace(facts, waiting=facts.waiting and not settles, unanswered=False)


def _measured(
    running: _Targets, event: Event, before: Facts, after: Facts, at: datetime, terms: TermsOf
) -> tuple[_Targets, list[Outcome]]:
    """The targets after an event: those that end, those that start, and those that stand still or go on."""
    outcomes: list[Outcome] = []
    for target in _ended(event, after):
        one = running.pop(target, None)
        # What is resolved without an answer was in time until then, and is no answer in time either.
        answered = after.status is not Status.RESOLVED or target not in (Target.FIRST_RESPONSE, Target.NEXT_RESPONSE)
        if one is not None and (answered or one.breached_at is not None):
            outcomes.append(targets.end(one, at))
    if after.importer is None or after.importer != _who(event):
        for target in _started(event, before, after):
            _start(running, target, after, at, terms)
    resolution = running.get(Target.RESOLUTION)
    if resolution is not None:
        idle = after.phase in IDLE
        running[Target.RESOLUTION] = targets.pause(resolution, at) if idle else targets.resume(resolution, at)
    return running, outcomes


def _ended(event: Event, after: Facts) -> list[Target]:
    if event.type is EventType.THREAD_CHANGED:
        return list(Target) if after.status is Status.RESOLVED else []
    if event.type is EventType.THREAD_ASSIGNED:
        return [Target.TIME_TO_HUMAN] if after.holder is Holder.AI else []
    author = speaker(event)
    if author not in ANSWERS:
        return []
    answers = [Target.FIRST_RESPONSE, Target.NEXT_RESPONSE]
    return [*answers, Target.TIME_TO_HUMAN] if author is AuthorKind.OPERATOR else answers


def _started(event: Event, before: Facts, after: Facts) -> list[Target]:
    if event.type is EventType.THREAD_CHANGED:
        return [Target.RESOLUTION] if before.status is Status.RESOLVED and after.status is not Status.RESOLVED else []
    if event.type is EventType.THREAD_ASSIGNED:
        handed = before.holder is Holder.AI or event.data.get("cause") == Cause.ESCALATION
        return [Target.TIME_TO_HUMAN] if after.holder is not Holder.AI and after.waiting and handed else []
    if speaker(event) is not AuthorKind.CUSTOMER or before.unanswered:
        return []
    return [Target.NEXT_RESPONSE if before.spoke else Target.FIRST_RESPONSE]


def _start(running: _Targets, target: Target, facts: Facts, at: datetime, terms: TermsOf) -> None:
    found = None if target in running else terms(target, facts)
    if found is not None:
        running[target] = targets.start(target, found, at, going=target is not Target.RESOLUTION or facts.phase not in IDLE)


def speaker(event: Event) -> AuthorKind | None:
    """Whose words became whole and public with this event. None where nobody's did."""
    said = event.data.get("said")
    if said is None:
        # An event from before they said so.
        public = event.data.get("visibility", Visibility.PUBLIC) == Visibility.PUBLIC
        said = public and event.data.get("status", MessageStatus.SUCCESS) == MessageStatus.SUCCESS
    return AuthorKind(str(event.data.get("author", event.actor.kind))) if said else None


def _holder(event: Event) -> tuple[Holder, str | None]:
    to = cast("Mapping[str, object]", event.data["to"])
    id = to.get("id")
    return Holder(str(to["to"])), id if isinstance(id, str) else None


def _who(event: Event) -> str:
    return f"{event.actor.kind}:{event.actor.id}"
