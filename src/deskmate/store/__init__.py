"""The memory: one protocol, two engines, SQL in files; the jobs port."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from deskmate.store.base import Store
from deskmate.store.migrations import migrate, pending_migrations
from deskmate.store.times import ms, utc
from deskmate.store.urls import engine_of

_SYNCHRONOUS: Mapping[str, Literal["FULL", "NORMAL", "OFF"]] = {"full": "FULL", "normal": "NORMAL", "off": "OFF"}
__all__ = ["Store", "connect", "migrate", "pending_migrations"]


def connect(
    url: str,
    *,
    clock: Callable[[], datetime],
    entropy: Callable[[int], bytes],
    synchronous: Literal["full", "normal", "off"] = "full",
) -> Store:
    """The store at this address, not yet open: `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://HOST/NAME`.

    `synchronous` is SQLite's: with `full`, acknowledged means on disk. Raises Misconfigured naming the field `store`.
    """

    # What a transaction knows of its time and what it stores of it must be the same, or a lease is over here and runs on there.
    def whole() -> datetime:
        return utc(ms(clock()))

    match engine_of(url):
        case "sqlite":
            from deskmate.store.sqlite import SQLite

            return SQLite(url, clock=whole, entropy=entropy, synchronous=_SYNCHRONOUS[synchronous])
        case "postgresql":
            from deskmate.store.postgres import PostgreSQL

            return PostgreSQL(url, clock=whole, entropy=entropy)
