"""Saved views: filters of the inbox under a name, of one operator or shared by all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.messages import readable
from deskmate.domain.requests import RequestKind
from deskmate.domain.threads import Priority, Status
from deskmate.errors import Invalid

CHOICES: Mapping[str, tuple[str, ...]] = {
    "assignment": ("mine", "unassigned", "all"),
    "status": (*Status, "all"),
    "kind": tuple(RequestKind),
    "priority": tuple(Priority),
    "sort": ("newest", "waiting", "activity", "priority", "due"),
}
"""Filters with a fixed choice of values."""
TEXTS: Mapping[str, int] = {"queue": 200, "tag": 200, "q": 200}
"""Filters with words of one's own, and how many characters they may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Filters under a name. `filters` are query parameters of the list of threads; `owner` is None where a program made it."""

    id: str
    owner: str | None
    name: str
    filters: Mapping[str, str]
    shared: bool = False
    created_at: datetime
    updated_at: datetime


def filters_of(given: Mapping[str, object]) -> dict[str, str]:
    """The filters that are set; what is None is not. Raises Invalid, naming the place: `filters.sort`."""
    return {name: _checked(name, value) for name, value in given.items() if value is not None}


def _checked(name: str, value: object) -> str:
    place = f"filters.{name}"
    if name in CHOICES:
        if not isinstance(value, str) or value not in CHOICES[name]:
            raise Invalid(f"{place} must be one of {', '.join(CHOICES[name])}", field=place)
        return str(value)
    if name not in TEXTS:
        raise Invalid(f"there is no filter {name!r}; there are {', '.join((*CHOICES, *TEXTS))}", field=place)
    if not isinstance(value, str) or not 1 <= len(value) <= TEXTS[name] or readable(value) != value:
        raise Invalid(f"{place} is a text of 1 to {TEXTS[name]} characters", field=place)
    return value
