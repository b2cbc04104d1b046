"""Rate limits: token buckets in this process, for each actor and each address. Generous to people, dull for machines."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.errors import TooMany


class Door(StrEnum):
    """What is limited."""

    LOGIN = "login"
    VISIT = "visit"
    POST = "post"
    ESCALATE = "escalate"
    SEARCH = "search"
    UPLOAD = "upload"
    TYPING = "typing"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many at once, and how many a second in the long run."""

    burst: float
    rate: float

    def times(self, factor: float) -> "Limit":
        return Limit(burst=self.burst * factor, rate=self.rate * factor)


LIMITS = {
    Door.LOGIN: Limit(burst=20, rate=0.5),
    Door.VISIT: Limit(burst=60, rate=1),
    Door.POST: Limit(burst=60, rate=5),
    Door.ESCALATE: Limit(burst=10, rate=0.2),
    Door.SEARCH: Limit(burst=30, rate=5),
    Door.UPLOAD: Limit(burst=20, rate=1),
    Door.TYPING: Limit(burst=30, rate=2),
    Door.ANSWER: Limit(burst=30, rate=0.5),
}
STAFF = 20
"""Operators and services are known and can be shut out by name, so they get this many times as much."""
SHARED = 10
"""Many customers may sit behind one address, so an address gets this many times what one of them gets."""
MOST_BUCKETS = 50_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimits:
    """The buckets. `clock` counts seconds and never goes back."""

    def __init__(self, *, on: bool, clock: Callable[[], float]) -> None:
        self._on = on
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def check(self, door: Door, *, actor: Actor | None = None, address: str | None = None, subject: str | None = None) -> None:
        """Count one use. Raises TooMany with `retry_after` in seconds; a refused use counts nowhere.

        `subject` is what the use is aimed at, e.g. the e-mail address of a login: many machines may aim at one.
        """
        if not self._on:
            return
        now = self._clock()
        limit = LIMITS[door]
        drawn = [self._bucket(door, who, it, now) for who, it in _who(limit, actor, address, subject)]
        wait = max((_wait(bucket, it) for bucket, it in drawn), default=0.0)
        if wait > 0:
            raise TooMany(retry_after=max(1, math.ceil(wait)))
        for bucket, _ in drawn:
            bucket.left -= 1

    def _bucket(self, door: Door, who: str, limit: Limit, now: float) -> tuple[_Bucket, Limit]:
        bucket = self._buckets.setdefault((door, who), _Bucket(left=limit.burst, at=now))
        self._buckets.move_to_end((door, who))
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket.left = min(limit.burst, bucket.left + (now - bucket.at) * limit.rate)
        bucket.at = now
        return bucket, limit


def network_of(address: str) -> str:
    """The address, or for IPv6 its /64: one household owns all of that."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))


def _who(limit: Limit, actor: Actor | None, address: str | None, subject: str | None) -> list[tuple[str, Limit]]:
    who: list[tuple[str, Limit]] = []
    known = actor is not None and actor.kind is not AuthorKind.CUSTOMER
    if actor is not None:
        who.append((f"{actor.kind}:{actor.id or actor.name}", limit.times(STAFF) if known else limit))
    if address is not None and not known:
        who.append((f"address:{network_of(address)}", limit.times(SHARED) if actor is not None else limit))
    if subject is not None:
        # Wider than for one address, so that a stranger cannot lock the owner out by failing in their name now and then.
        who.append((f"subject:{subject}", limit.times(SHARED)))
    return who


def _wait(bucket: _Bucket, limit: Limit) -> float:
    return (1 - bucket.left) / limit.rate if bucket.left < 1 else 0.0
