"""Times as the store keeps them: integers, ms since 1970, UTC."""

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def ms(at: datetime) -> int: ...
@overload
def ms(at: None) -> None: ...
def ms(at: datetime | None) -> int | None:
    """A time with a zone as the store keeps it."""
    return None if at is None else (at - EPOCH) // timedelta(milliseconds=1)


def utc(at: int) -> datetime:
    """A stored time, with its zone."""
    return EPOCH + timedelta(milliseconds=at)


def utc_or_none(at: int | None) -> datetime | None:
    """A stored time, with its zone, where there is one."""
    return None if at is None else utc(at)
