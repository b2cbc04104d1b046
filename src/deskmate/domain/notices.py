"""Notices: who is told of what, over which channels, and when not. Policies of leads, preferences of operators."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, field_serializer

from deskmate.domain.calendars import DAYS
from deskmate.domain.notifications import Channel
from deskmate.domain.policies import Rules

KINDS = ("request.opened", "thread.waiting", "mention", "clock.", "chain.", "response.")
"""What people are told of; those with a dot at the end are families."""
MOST = 50
QUIET_DAYS = 14
"""Days of quiet in a row, after which word is sent in any case."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _pattern(text: str) -> str:
    """What is matched has to be something that people are told of."""
    fits = any(fnmatchcase(kind, text) or (kind.endswith(".") and text.startswith(kind)) for kind in KINDS)
    if not fits or len(text) > 100 or not text.isprintable() or "[" in text or "?" in text:
        named = (f"{kind}*" if kind.endswith(".") else kind for kind in KINDS)
        raise ValueError(f"a kind is one of {', '.join(named)}, or *")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except Exception:
        raise ValueError("zone must be a time zone such as Europe/Paris") from None
    return text


def _whom(given: "str | tuple[str, ...]") -> "str | tuple[str, ...]":
    if isinstance(given, str) and given not in ("queue", "leads", "holder"):
        raise ValueError("to is queue, leads, holder or a list of operators")
    return given


Pattern = Annotated[str, AfterValidator(_pattern)]
Channels = tuple[Channel, ...]


class Quiet(Rules):
    """Hours in which nobody wants to be told, in the local time of a zone. Where `until` is not after `from`, they end on the
    next day; `days` are those on which they begin, all where none are named."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=False, serialize_by_alias=True)

    zone: Annotated[str, Field(max_length=100), AfterValidator(_zone)]
    begin: Annotated[time, Field(alias="from")]
    end: Annotated[time, Field(alias="until")]
    days: tuple[Day, ...] | None = None

    @field_serializer("begin", "end")
    def _clock(self, clock: time) -> str:
        return clock.isoformat("minutes")

    def ends_at(self, at: datetime) -> datetime | None:
        """When the quiet ends that there is at this moment, in UTC; None where there is none."""
        found = at
        for _ in range(QUIET_DAYS):
            later = self._end_of(found)
            if later is None:
                break
            found = later
        return None if found == at else found

    def _end_of(self, at: datetime) -> datetime | None:
        today = at.astimezone(ZoneInfo(self.zone)).date()
        spans = [self._span(day) for day in (today - timedelta(days=1), today) if self._on(day)]
        return max((end for begin, end in spans if begin <= at < end), default=None)

    def _on(self, day: date) -> bool:
        return self.days is None or DAYS[day.weekday()] in self.days

    def _span(self, day: date) -> tuple[datetime, datetime]:
        # Compared in UTC: two moments of one zone would be compared by what the clocks on the wall say.
        zone = ZoneInfo(self.zone)
        last = day if self.begin < self.end else day + timedelta(days=1)
        begin, end = datetime.combine(day, self._naive(self.begin), zone), datetime.combine(last, self._naive(self.end), zone)
        return begin.astimezone(UTC), end.astimezone(UTC)

    @staticmethod
    def _naive(clock: time) -> time:
        return clock.replace(tzinfo=None)


class Notice(Rules):
    """A policy: these people are told of things of these kinds over these channels; in quiet hours only of what is urgent."""

    kinds: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=MOST)]
    to: Annotated[str | Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST)], AfterValidator(_whom)] = "queue"
    channels: Annotated[Channels, Field(min_length=1)]
    quiet: Quiet | None = None
    urgent_anyway: bool = True

    def speaks_of(self, kind: str) -> bool:
        """Whether it is about things of this kind."""
        return any(fnmatchcase(kind, pattern) for pattern in self.kinds)

    def due_at(self, at: datetime, *, urgent: bool) -> datetime:
        """When somebody is told of what happens now."""
        return due_at(self.quiet, at, urgent=urgent and self.urgent_anyway)


class Preferences(Rules):
    """What one operator wants for themselves, before any policy: channels for kinds, and quiet hours."""

    channels: Annotated[Mapping[Pattern, Channels], Field(max_length=MOST)] = Field(
        default_factory=dict[str, tuple[Channel, ...]]
    )
    quiet: Quiet | None = None
    urgent_anyway: bool = True

    def wanted(self, kind: str) -> tuple[Channel, ...] | None:
        """The channels for things of this kind, by the longest pattern that fits; None where they have not said."""
        fitting = [pattern for pattern in self.channels if fnmatchcase(kind, pattern)]
        return self.channels[max(fitting, key=len)] if fitting else None


def due_at(quiet: Quiet | None, at: datetime, *, urgent: bool) -> datetime:
    """When somebody is told of what happens now: at once, or when their quiet ends."""
    ends = None if quiet is None or urgent else quiet.ends_at(at)
    return ends or at


def ways(
    notices: Sequence[Notice],
    wishes: Preferences,
    kind: str,
    at: datetime,
    *,
    urgent: bool,
    channels: Iterable[Channel] | None = None,
) -> dict[Channel, datetime]:
    """Over which channels somebody is told of what happens now, and when over each.

    `notices` are the policies that are about them and this kind. What they want for themselves comes first, then all that the
    policies say; where nobody has said anything, or nothing at all is wanted, it comes to the inbox. `channels` are taken as
    they are. The inbox waits for nobody: it makes no noise.
    """
    if channels is None:
        own = wishes.wanted(kind)
        channels = [channel for notice in notices for channel in notice.channels] if own is None else own
    return {channel: _when(notices, wishes, channel, at, urgent=urgent) for channel in tuple(channels) or (Channel.INBOX,)}


def _when(notices: Sequence[Notice], wishes: Preferences, channel: Channel, at: datetime, *, urgent: bool) -> datetime:
    if channel is Channel.INBOX:
        return at
    if wishes.quiet is not None:
        return due_at(wishes.quiet, at, urgent=urgent and wishes.urgent_anyway)
    notice = next((notice for notice in notices if channel in notice.channels), None)
    return at if notice is None else notice.due_at(at, urgent=urgent)
