"""Clocks as a fold over events, against an oracle that goes through the life of a thread minute by minute.

The oracle shares nothing with the fold: it keeps no sums and knows no due times. At every minute it asks who owes the next word
and whether people work, and counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.calendars import Calendar, calendar_of
from deskmate.domain.clocks import Clocks, Facts, News, Phase, intervals, take_in, tick
from deskmate.domain.events import Event, EventType
from deskmate.domain.sla import Sla, Target, Terms, terms_of
from deskmate.domain.targets import Mark, Outcome

MINUTE = timedelta(minutes=1)
BEGINS = (
    "2026-03-27T15:00", "2026-10-23T15:00", "2026-10-31T20:00", "2026-04-03T15:00", "2011-12-29T00:00", "2026-12-24T12:00",
)  # fmt: skip
HOURS = {
    **{day: [["09:00", "12:00"], ["12:30", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "sat": [["22:00", "24:00"]],
    "sun": [["00:00", "03:10"]],
}
CALENDARS = (
    None,
    *(
        calendar_of({"zone": zone, "hours": HOURS, "closed": ["2026-12-24"], "holidays": "FR"})
        for zone in ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
    ),
)
FRENCH = {"2026-12-25", "2026-11-01", "2026-04-06"}
What = Literal[
    "customer", "agent", "pending", "finished", "failed", "operator", "note", "system", "escalate", "take", "transfer", "release",
    "give back", "snooze", "resolve", "open",
]  # fmt: skip
WHATS: tuple[What, ...] = (
    "customer", "customer", "customer", "agent", "pending", "finished", "failed", "operator", "operator", "note", "system",
    "escalate", "take", "transfer", "release", "give back", "snooze", "resolve", "open",
)  # fmt: skip


@dataclass
class Story:
    """What happens on a thread, in minutes since its beginning, as the desk would tell it."""

    begin: datetime
    events: list[Event] = field(default_factory=list)
    whats: list[tuple[int, str]] = field(default_factory=list)
    holder: str = "ai"
    status: str = "open"

    def happen(self, minute: int, what: What) -> None:
        if self._impossible(what):
            return
        self.whats.append((minute, what))
        at = self.begin + MINUTE * minute
        match what:
            case "customer":
                self._say(at, "customer", True)
                if self.status != "open":
                    self._change(at, "open")
            case "agent" | "operator":
                self._say(at, what, True)
            case "pending":
                self._say(at, "agent", False)
            case "finished" | "failed":
                data = {"message": "m", "author": "agent", "said": what == "finished", "visibility": "public"}
                self._emit(EventType.MESSAGE_CHANGED, at, "agent", data)
            case "note":
                self._say(at, "operator", False)
            case "system":
                self._say(at, "system", True)
            case "escalate":
                self._move(at, "queue", "escalation")
            case "take":
                self._move(at, "operator", "takeover")
            case "transfer":
                self._move(at, "operator", "transfer")
            case "release":
                self._move(at, "queue", "release")
            case "give back":
                self._move(at, "ai", "hand_back")
            case "snooze":
                self._change(at, "snoozed")
            case "resolve":
                self._change(at, "resolved")
            case "open":
                self._change(at, "open")

    def _impossible(self, what: What) -> bool:
        return {
            "escalate": self.holder != "ai" or self.status != "open",
            "take": self.holder == "operator",
            "transfer": self.holder != "operator",
            "release": self.holder != "operator",
            "give back": self.holder == "ai",
            "snooze": self.status != "open",
            "resolve": self.status == "resolved",
            "open": self.status == "open",
        }.get(what, False)

    def _say(self, at: datetime, author: str, said: bool) -> None:
        self._emit(EventType.MESSAGE_POSTED, at, author, {"message": "m", "author": author, "said": said})

    def _change(self, at: datetime, status: str) -> None:
        self.status = status
        self._emit(EventType.THREAD_CHANGED, at, "operator", {"changed": ["status"], "status": status, "priority": "normal"})

    def _move(self, at: datetime, to: str, cause: str) -> None:
        self.holder = to
        self._emit(EventType.THREAD_ASSIGNED, at, "operator", {"cause": cause, "to": {"to": to, "id": "x", "name": "X"}})

    def _emit(self, type: EventType, at: datetime, actor: str, data: dict[str, Any]) -> None:
        number = len(self.events) + 1
        author = Author(kind=AuthorKind(actor))
        self.events.append(Event(seq=number, thread="t", thread_seq=number, type=type, actor=author, at=at, data=data))


@st.composite
def stories(draw: st.DrawFn) -> Story:
    story = Story(begin=datetime.fromisoformat(draw(st.sampled_from(BEGINS))).replace(tzinfo=UTC))
    story._emit(EventType.THREAD_OPENED, story.begin, "customer", {"customer": "ada"})  # pyright: ignore[reportPrivateUsage]
    minute = 0
    for gap, what in draw(st.lists(st.tuples(st.integers(0, 20) | st.integers(0, 600), st.sampled_from(WHATS)), max_size=14)):
        minute += gap
        story.happen(minute, what)
    return story


@dataclass
class Oracle:
    """Goes through the minutes. A target is a list of the minutes that count, from its start on."""

    calendar: Calendar | None
    allowed: dict[Target, int]
    holder: str = "ai"
    status: str = "open"
    waits: bool = False
    open_question: bool = False
    ever_spoke: bool = False
    minutes: list[str] = field(default_factory=list)
    counted: dict[Target, int] = field(default_factory=lambda: {Target.RESOLUTION: 0})
    ended: list[tuple[Target, int, bool]] = field(default_factory=list)
    breaches: list[tuple[Target, int]] = field(default_factory=list)

    def walk(self, story: Story, length: int) -> "Oracle":
        happens = list(story.whats)
        for minute in range(length + 1):
            self._over(minute)
            while happens and happens[0][0] == minute:
                self._hear(happens.pop(0)[1])
            if minute == length:
                break
            self.minutes.append(self.phase())
            if self._works(story.begin + MINUTE * minute):
                for target in self.counted:
                    if target is not Target.RESOLUTION or self.phase() in ("ai", "queue", "human"):
                        self.counted[target] += 1
        return self

    def phase(self) -> str:
        if self.status != "open":
            return {"resolved": "closed", "snoozed": "paused"}[self.status]
        if self.holder == "queue":
            return "queue"
        return {"ai": "ai", "operator": "human"}[self.holder] if self.waits else "customer"

    def _works(self, moment: datetime) -> bool:
        if self.calendar is None:
            return True
        wall = moment.astimezone(ZoneInfo(self.calendar.zone))
        if wall.date().isoformat() in FRENCH | {"2026-12-24"}:
            return False
        spans = HOURS.get(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[wall.weekday()], [])
        return any(begin <= f"{wall:%H:%M}" < end for begin, end in spans)

    def _over(self, minute: int) -> None:
        """Whose time is used up."""
        for target, counted in self.counted.items():
            known = (target, self._start(target))
            if counted >= self.allowed[target] and known not in self.breaches:
                self.breaches.append(known)
        del minute

    def _start(self, target: Target) -> int:
        return sum(1 for ended, *_ in self.ended if ended is target)

    def _begin(self, target: Target) -> None:
        self.counted.setdefault(target, 0)

    def _end(self, target: Target, *, counts: bool = True) -> None:
        if target in self.counted:
            counted = self.counted.pop(target)
            missed = counted >= self.allowed[target]
            self.ended.append((target, counted if counts or missed else -1, not missed))

    def _hear(self, what: str) -> None:
        match what:
            case "customer":
                if not self.open_question:
                    self._begin(Target.NEXT_RESPONSE if self.ever_spoke else Target.FIRST_RESPONSE)
                self.waits = self.open_question = self.ever_spoke = True
                if self.status == "resolved":
                    self._begin(Target.RESOLUTION)
                self.status = "open"
            case "agent" | "finished":
                self._answered()
                if self.holder == "ai":
                    self.waits = False
            case "operator":
                self._answered()
                self._end(Target.TIME_TO_HUMAN)
                self.waits = False
            case "escalate":
                self.holder, self.waits = "queue", True
                self._begin(Target.TIME_TO_HUMAN)
            case "take" | "transfer":
                if self.holder == "ai" and self.waits:
                    self._begin(Target.TIME_TO_HUMAN)
                self.holder = "operator"
            case "release":
                self.holder = "queue"
            case "give back":
                self.holder = "ai"
                self._end(Target.TIME_TO_HUMAN)
            case "snooze":
                self.status = "snoozed"
            case "resolve":
                self.status = "resolved"
                self.waits = self.open_question = False
                for target in (Target.TIME_TO_HUMAN, Target.RESOLUTION):
                    self._end(target)
                for target in (Target.FIRST_RESPONSE, Target.NEXT_RESPONSE):
                    self._end(target, counts=False)
            case "open":
                if self.status == "resolved":
                    self._begin(Target.RESOLUTION)
                self.status = "open"
            case _:
                pass

    def _answered(self) -> None:
        self.open_question = False
        self._end(Target.FIRST_RESPONSE)
        self._end(Target.NEXT_RESPONSE)


def folded(events: Sequence[Event], policy: Sla, calendar: Calendar | None) -> tuple[Clocks, News]:
    def terms(target: Target, facts: Facts) -> Terms | None:
        return terms_of("gold", policy, target, facts.priority, calendar)

    clocks, news = None, News()
    for event in events:
        clocks, found = take_in(clocks, event, terms)
        news += found
    assert clocks is not None
    return clocks, news


draws = {
    "story": stories(),
    "tail": st.integers(0, 700),
    "calendar": st.sampled_from(CALENDARS),
    "allowed": st.fixed_dictionaries({target: st.integers(1, 900) for target in Target}),
}
profile = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def policy_of(allowed: dict[Target, int], warn: tuple[int, ...] = ()) -> Sla:
    targets = {target: {"seconds": minutes * 60} for target, minutes in allowed.items()}
    return Sla.model_validate({"targets": targets, "warn": warn})


@profile
@given(**draws)
def test_targets_and_phases_are_what_somebody_with_a_watch_would_have_noted(
    story: Story, tail: int, calendar: Calendar | None, allowed: dict[Target, int]
) -> None:
    length = (story.whats[-1][0] if story.whats else 0) + tail
    oracle = Oracle(calendar, allowed).walk(story, length)
    until = story.begin + MINUTE * length
    clocks, news = folded(story.events, policy_of(allowed), calendar)
    clocks, late = tick(clocks, until)
    news += late
    outcomes = [(one.target, one.spent // MINUTE, one.met) for one in news if isinstance(one, Outcome)]
    assert sorted(outcomes) == sorted(one for one in oracle.ended if one[1] >= 0)
    running = {
        target: (one.spent + (one.terms.worked(one.since, until) if one.since else timedelta())) // MINUTE
        for target, one in clocks.running.items()
    }
    assert running == oracle.counted
    assert {target: one.breached_at is not None for target, one in clocks.running.items()} == {
        target: counted >= allowed[target] for target, counted in oracle.counted.items()
    }
    breached = [one.target for one in news if isinstance(one, Mark)]
    assert sorted(breached) == sorted(target for target, _ in oracle.breaches)
    # The phases, minute by minute.
    found = intervals(story.events, until)
    minutes = [phase for one in found for phase in [one.phase.value] * ((one.end - one.begin) // MINUTE)]
    if clocks.phase is Phase.CLOSED:
        oracle.minutes = oracle.minutes[: len(minutes)]
    assert minutes == oracle.minutes


@profile
@given(**draws, shift=st.lists(st.integers(0, 59_999), min_size=20, max_size=20))
def test_the_intervals_add_up_to_the_life_of_the_thread_to_the_millisecond(
    story: Story, tail: int, calendar: Calendar | None, allowed: dict[Target, int], shift: list[int]
) -> None:
    del calendar, allowed
    # Any milliseconds, also such that one event seems to be before the last, as of transactions that waited for each other.
    events = [
        Event(seq=e.seq, thread=e.thread, thread_seq=e.thread_seq, type=e.type, actor=e.actor, data=e.data,
              at=e.at + timedelta(milliseconds=shift[e.seq % 20]))
        for e in story.events
    ]  # fmt: skip
    clocks: Clocks | None = None
    for event in events:
        clocks, _ = take_in(clocks, event)
    assert clocks is not None
    until = max(clocks.at, events[-1].at) + MINUTE * tail
    found = intervals(events, until)
    end = clocks.since if clocks.phase is Phase.CLOSED else until
    moments = [events[0].at, *(one.end for one in found)]
    assert [one.begin for one in found] == moments[:-1], "no gap, no overlap"
    assert moments[-1] == max(end, events[0].at)
    sums = clocks.spent(until)
    assert sum(sums.values(), timedelta()) == moments[-1] - events[0].at
    for phase in Phase:
        assert sums[phase] == sum((one.end - one.begin for one in found if one.phase is phase), timedelta())
    assert all(one.begin < one.end for one in found)


@profile
@given(**draws, looks=st.lists(st.integers(0, 5000), max_size=6), cut=st.integers(0, 20))
def test_it_is_the_same_whether_it_is_told_at_once_or_bit_by_bit_and_stored_between(
    story: Story, tail: int, calendar: Calendar | None, allowed: dict[Target, int], looks: list[int], cut: int
) -> None:
    policy, adapter = policy_of(allowed, (50, 80, 100)), TypeAdapter(Clocks)

    def terms(target: Target, facts: Facts) -> Terms | None:
        return terms_of("gold", policy, target, facts.priority, calendar)

    until = story.events[-1].at + MINUTE * tail
    whole, news = folded(story.events, policy, calendar)
    whole, late = tick(whole, until)
    bits: Clocks | None = None
    heard = News()
    moments = sorted(story.begin + MINUTE * look for look in looks)
    for event in story.events:
        while bits is not None and moments and moments[0] <= event.at:
            bits, found = tick(bits, moments.pop(0))
            heard += found
        if bits is not None and event.seq % 3 == cut % 3:
            bits = adapter.validate_json(adapter.dump_json(bits))
        bits, found = take_in(bits, event, terms)
        heard += found
    assert bits is not None
    bits, found = tick(adapter.validate_json(adapter.dump_json(bits)), until)
    assert (bits, [*heard, *found]) == (whole, [*news, *late])


@profile
@given(**draws)
def test_time_that_is_over_is_over_at_the_moment_that_was_foretold(
    story: Story, tail: int, calendar: Calendar | None, allowed: dict[Target, int]
) -> None:
    del tail
    clocks, _ = folded(story.events, policy_of(allowed, (30, 100)), calendar)
    while clocks.next_at is not None:
        due = clocks.next_at
        before, nothing = tick(clocks, due - timedelta(milliseconds=1))
        assert (before, nothing) == (clocks, [])
        clocks, news = tick(clocks, due)
        assert news
        for mark in news:
            assert isinstance(mark, Mark)
            one = clocks.running[mark.target]
            assert one.since is not None
            assert one.spent + one.terms.worked(one.since, due) >= one.terms.allowed * mark.percent / 100
            assert due.microsecond % 1000 == 0, "timers know milliseconds"
