"""Webhooks: where programs of others are told what happens. The messages have the form of https://www.standardwebhooks.com."""

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from deskmate.domain.addresses import refusal
from deskmate.domain.events import EventType
from deskmate.domain.operators import labels
from deskmate.errors import Invalid

MOST = 100
"""How many webhooks a desk has at the most: each event is looked at for each of them."""
TEST = "webhook.test"
"""The type of the message by which a webhook is tried out. It is no event."""
PARALLEL = 4
"""How many messages are on their way to one webhook at once; to one that only fails it is a single one."""
OLD_SECRET = timedelta(hours=24)
"""How long the secret before the newest one signs as well."""
PATIENCE = timedelta(days=5)
"""A webhook that has only failed for so long is disabled."""
KEPT = timedelta(days=30)
"""How long a delivery that came to its end is kept, and can be replayed."""
MOST_ATTEMPTS_KEPT = 50
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 2 * 60, 10 * 60, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)  # fmt: skip
"""How long after a failed attempt the next one is made. When the last of them has failed, the delivery is dead."""

_URL = re.compile(r"[A-Za-z0-9._~:/?\[\]!$&'()*+,;=%-]+")
_NAME = re.compile(r"(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?")
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\.?")
_LONGEST = 2000


class WebhookState(StrEnum):
    ENABLED = "enabled"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    """It waits for its time, or for its turn."""
    READY = "ready"
    """It is its turn."""
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Every attempt has failed. It can be replayed."""
    WITHHELD = "withheld"
    """There was nothing in it that this webhook may be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A place that is told what happens. `hidden`: also what customers never see. `reason` says why it is disabled."""

    id: str
    url: str
    description: str = ""
    secret: str = field(repr=False)
    old_secret: str | None = field(default=None, repr=False)
    old_secret_until: datetime | None = None
    events: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    hidden: bool = False
    allow_private: bool = False
    state: WebhookState = WebhookState.ENABLED
    reason: str | None = None
    failing_since: datetime | None = None
    created_at: datetime
    updated_at: datetime

    def wants(self, type: str) -> bool:
        """Whether it is told of events of this type."""
        return not self.events or any(_matches(pattern, type) for pattern in self.events)

    def secrets(self, at: datetime) -> tuple[str, ...]:
        """The secrets that sign at this time, the newest first."""
        if self.old_secret is None or self.old_secret_until is None or self.old_secret_until <= at:
            return (self.secret,)
        return (self.secret, self.old_secret)

    @property
    def window(self) -> int:
        """How many messages may be on their way to it at once."""
        return PARALLEL if self.failing_since is None else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver: when, for how long, and what was answered or went wrong."""

    at: datetime
    ms: int
    status: int | None = None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook. Its id is that of the message, whatever it takes to deliver it."""

    id: str
    webhook: str
    event_seq: int | None
    type: str
    thread: str | None
    state: DeliveryState
    tries: int
    due_at: datetime
    attempts: Sequence[Attempt]
    created_at: datetime
    finished_at: datetime | None


def next_delay(tries: int, id: str) -> timedelta | None:
    """How long after the attempt with this number, counted from 1, the next one is made; None after the last. Up to a tenth
    longer, by the id, so that what failed together does not come back together."""
    if tries > len(DELAYS):
        return None
    share = zlib.crc32(f"{id}/{tries}".encode()) % 1000 / 10_000
    return DELAYS[tries - 1] * (1 + share)


def check_events(given: Sequence[str]) -> tuple[str, ...]:
    """Types of events, or beginnings of them such as `request.*`; none are all. Raises Invalid."""
    patterns = labels(given, "events")
    for pattern in patterns:
        if not any(_matches(pattern, type) for type in EventType):
            raise Invalid(f"there is no event {pattern!r}; name a type, or a beginning such as request.*", field="events")
    return () if "*" in patterns else patterns


def check_url(url: str, *, private: bool) -> str:
    """The URL itself. Raises Invalid unless something may be sent there, as far as the URL alone can tell.

    What a name stands for is looked up, and looked at, each time that something is sent.
    """
    if len(url) > _LONGEST or not _URL.fullmatch(url):
        raise Invalid("url must be a URL of printable ASCII without a user, such as https://shop.example/hook", field="url")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise Invalid("url is no URL", field="url") from None
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise Invalid("url must begin with https:// and name a host", field="url")
    if parts.scheme == "http" and not private:
        raise Invalid("url must begin with https://; http:// is for webhooks that may be on private addresses", field="url")
    if (why := host_refusal(host, private=private)) is not None:
        raise Invalid(f"url: {host} {why}", field="url")
    return url


def host_refusal(host: str, *, private: bool) -> str | None:
    """Why nothing is sent to this host; None for an address that is allowed, and for any name but this machine's own."""
    if ":" in host:
        return refusal(host, private=private)
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        # Old resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses as well. Only the plain form is one here.
        plain = _plain(host)
        return "is no address" if plain is None else refusal(plain, private=private)
    if not _NAME.fullmatch(host):
        return "is no name of a host"
    if host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost"):
        return None if private else "is private"
    return None


def _plain(host: str) -> str | None:
    try:
        return str(IPv4Address(host))
    except ValueError:
        return None


def host_header(host: str, port: int | None) -> str:
    """What the receiver is told it is called."""
    name = f"[{IPv6Address(host)}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def _matches(pattern: str, type: str) -> bool:
    return type.startswith(pattern[:-1]) if pattern.endswith("*") else type == pattern


OUTSIDE: Mapping[str, frozenset[str]] = {
    "run": frozenset({"run", "agent", "attempt"}),
    "request": frozenset({"request", "kind", "state", "run", "decision", "action", "missed"}),
    "operator": frozenset({"operator", "changed", "presence"}),
    "queue": frozenset({"queue", "changed"}),
    "policy": frozenset({"kind", "name", "deleted"}),
    "clock": frozenset({"target", "percent", "due_at", "policy"}),
    "response": frozenset({"operator", "action", "step", "misses"}),
    "chain": frozenset({"chain", "policy", "request", "step", "round", "told"}),
    "notification": frozenset({"notification", "operator", "channel", "kind"}),
    "limit": frozenset({"policy", "of", "per", "retry_after", "fallback"}),
    "usage": frozenset({"usage"}),
    "webhook": frozenset({"webhook", "changed"}),
}
"""What a webhook without `hidden` is told of events that customers are not told of: names, states and times, no words."""
