"""Time zones as stretches of constant offset, so that local wall time and real time are told apart exactly."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def stretches(zone: str, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The stretches of time between two instants, each with the one offset from UTC that holds in it, in their order.

    All times are UTC without a zone: the wall time in a stretch is the time plus the offset.
    """
    known: list[tuple[datetime, timedelta]] = []
    for year in range(begin.year, end.year + 1):
        known += _shifts(zone, year)
    for place, (since, offset) in enumerate(known):
        until = known[place + 1][0] if place + 1 < len(known) else end
        if since < end and until > begin:
            yield max(since, begin), min(until, end), offset


@lru_cache(maxsize=1024)
def _shifts(zone: str, year: int) -> tuple[tuple[datetime, timedelta], ...]:
    """From when on which offset holds in a year. Nobody changes the clocks twice within a day."""
    info = ZoneInfo(zone)
    at, end = (datetime.combine(date(first, 1, 1), time()) for first in (year, year + 1))
    found = [(at, _offset(info, at))]
    while at < end:
        later = min(at + DAY, end)
        offset = _offset(info, later)
        if offset != found[-1][1] and (shifted := _first(info, at, later, offset)) < end:
            found.append((shifted, offset))
        at = later
    return tuple(found)


def _first(info: ZoneInfo, before: datetime, after: datetime, offset: timedelta) -> datetime:
    """The first second at which an offset holds that does not hold before, and does after."""
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        if _offset(info, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(info: ZoneInfo, at: datetime) -> timedelta:
    return info.fromutc(at.replace(tzinfo=info)).utcoffset() or timedelta()


def plain(at: datetime) -> datetime:
    """An instant as UTC without a zone."""
    return at.astimezone(UTC).replace(tzinfo=None)
