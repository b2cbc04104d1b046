"""The address of a store: `sqlite:///desk.db`, `sqlite:////var/lib/desk.db`, `sqlite://` (memory), `postgresql://...`."""

from pathlib import Path
from urllib.parse import unquote

from deskmate.errors import Misconfigured
from deskmate.store.sql import Engine


def engine_of(url: str) -> Engine:
    """Which engine keeps this store. Raises Misconfigured; the message does not repeat the address, which may hold a password."""
    match url.partition(":")[0]:
        case "sqlite":
            return "sqlite"
        case "postgresql" | "postgres":
            return "postgresql"
        case scheme:
            raise Misconfigured(
                f"No store engine for {scheme[:20]!r}: use sqlite:///FILE or postgresql://HOST/NAME.", field="store"
            )


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite address; None for a desk in memory."""
    if url in ("sqlite:", "sqlite://", "sqlite:///:memory:"):
        return None
    if not url.startswith("sqlite:///"):
        raise Misconfigured("An SQLite store is sqlite:///RELATIVE/FILE or sqlite:////ABSOLUTE/FILE.", field="store")
    return Path(unquote(url.removeprefix("sqlite:///")))


def in_memory(url: str) -> bool:
    """Whether only the process that opened it can see this store."""
    return engine_of(url) == "sqlite" and sqlite_path(url) is None
