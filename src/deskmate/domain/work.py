"""Work: how long an operator has worked on which thread, told from what they did there and from nothing else.

Every act and every sign of typing is a sign. Signs on one thread that follow each other within less than `idle` belong together,
and the time between them is work: reading, thinking, typing. What comes after the last sign is not. Nobody works on two threads
at once: a sign on another thread ends the work on the first. Times are ms since 1970, so all of this is exact.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from deskmate.domain.actors import AuthorKind
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import Visibility

MOMENT = 1000
"""What a sign that stands alone counts, in ms: somebody looked, and acted."""
_ENDS = frozenset({EventType.REQUEST_DECIDED, EventType.REQUEST_APPROVED, EventType.REQUEST_RELEASED})
_SIGNS = _ENDS | {
    EventType.THREAD_OPENED, EventType.THREAD_CHANGED, EventType.THREAD_ASSIGNED, EventType.MESSAGE_POSTED,
    EventType.MESSAGE_CHANGED, EventType.MESSAGE_DELETED, EventType.REQUEST_OPENED, EventType.REQUEST_CLAIMED,
    EventType.REQUEST_CANCELLED,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something an operator did on a thread. `ends`: with that they were done, as with a decision or a public reply."""

    thread: str
    at: int
    request: str | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Signs that belong together, from the first to the last so far."""

    thread: str
    begun: int
    last: int
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Work that is over, up to but not including `end`."""

    thread: str
    begun: int
    end: int
    request: str | None = None

    @property
    def millis(self) -> int:
        """How long it was, in ms."""
        return self.end - self.begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is known of one operator: what they are at, up to when their time is counted, and their last act that ended work."""

    span: Span | None = None
    counted: int = 0
    ended_on: str | None = None
    ended_at: int = 0

    def after(self, sign: Sign, idle: int) -> tuple["Work", tuple[Stretch, ...]]:
        """The state after one more sign, and the work that is over with it. Signs come in the order of their times."""
        if sign.thread == self.ended_on and sign.at <= self.ended_at:
            return self, ()  # One act leaves several signs: the reply and the decision are the same moment.
        # Clocks of two processes may differ by some ms. What seems to come before the last sign comes with it.
        at = sign.at if self.span is None else max(sign.at, self.span.last)
        work, over = self, list[Stretch]()
        if work.span is not None and (work.span.thread != sign.thread or at - work.span.last >= idle):
            work = work.rest(over)
        begun = work.span or Span(thread=sign.thread, begun=at, last=at)
        work = replace(work, span=replace(begun, last=at, request=begun.request or sign.request))
        if sign.ends:
            work = replace(work.rest(over), ended_on=sign.thread, ended_at=at)
        return work, tuple(over)

    def idle_since(self, now: int, idle: int) -> tuple["Work", tuple[Stretch, ...]]:
        """The state at a time at which there was no sign: who has given none for so long is not at work any more."""
        over = list[Stretch]()
        return (self.rest(over) if self.span is not None and now - self.span.last >= idle else self), tuple(over)

    def rest(self, over: list[Stretch]) -> "Work":
        """The state without a span; its time, as far as it is not counted yet, goes into `over`."""
        assert self.span is not None
        begun, end = max(self.span.begun, self.counted), max(self.span.last, self.span.begun + MOMENT)
        if end > begun:
            over.append(Stretch(thread=self.span.thread, begun=begun, end=end, request=self.span.request))
        return replace(self, span=None, counted=max(self.counted, end))


def fold(work: Work, signs: Iterable[Sign], idle: int) -> tuple[Work, tuple[Stretch, ...]]:
    """The state after these signs, and all the work that is over with them."""
    over: list[Stretch] = []
    for sign in signs:
        work, ended = work.after(sign, idle)
        over += ended
    return work, tuple(over)


def sign_of(event: Event, at: int) -> Sign | None:
    """What an event says about the work of whoever acted; None where it says nothing. `at` is its time in ms."""
    if event.actor.kind is not AuthorKind.OPERATOR or event.thread is None or event.type not in _SIGNS:
        return None
    spoke = event.type is EventType.MESSAGE_POSTED and event.data.get("visibility") == Visibility.PUBLIC
    request = event.data.get("request")
    return Sign(
        thread=event.thread,
        at=at,
        request=request if isinstance(request, str) else None,
        ends=spoke or event.type in _ENDS,
    )
