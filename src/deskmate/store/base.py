"""The store's protocol: a transaction that runs named statements, and an engine that runs transactions.

A transaction body is an `async def body(tx) -> T`. It awaits nothing but its own statements: SQLite runs it on the writer
thread without an event loop, PostgreSQL may run it again after a serialization failure. So it does no other I/O, and all it
leaves behind is in the store and in its return value.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")
Row = Mapping[str, Any]
"""One row: column name to value. Times are integers (ms since 1970, UTC), JSON is text."""


class Tx(Protocol):
    """One transaction. Statements are named `noun.name` and live in `store/sql/noun.sql`."""

    @property
    def now(self) -> datetime:
        """When the transaction began, by the desk's clock, in whole milliseconds; the same at every call."""
        ...

    def id(self, kind: str) -> str:
        """A new id; `kind` is one of `domain.ids.type_prefixes`."""
        ...

    async def one(self, statement: str, /, **params: object) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, statement: str, /, **params: object) -> list[Row]:
        """All rows."""
        ...

    async def run(self, statement: str, /, **params: object) -> int:
        """Execute, and tell how many rows changed. A compare-and-set that lost answers 0."""
        ...

    async def many(self, statement: str, rows: Iterable[Mapping[str, object]], /) -> None:
        """Execute once for each set of parameters. A row that fails fails all."""
        ...

    def emit(self, event: Mapping[str, object], /) -> None:
        """Append an event to the feed when the body is over; those of one transaction are appended together, in this order.

        The columns of `events`, without the numbers. Wakes whoever follows the thread or its customer. A thread that is gone when
        the body is over raises NotFound.
        """
        ...

    async def flush(self) -> None:
        """Append now what was emitted so far: before its thread goes."""
        ...

    def touch(self, *topics: str) -> None:
        """Wake everybody who waits for one of these topics, after the commit. Topics: `thread:ID`, `customer:ID`,
        `jobs`, `viewers`."""
        ...


Body = Callable[[Tx], Awaitable[T]]


class Waiter(Protocol):
    """A subscription to topics. Use as an async context manager: it is deaf before and after."""

    async def __aenter__(self) -> "Waiter": ...
    async def __aexit__(self, *error: object) -> None: ...

    @property
    def touched(self) -> bool:
        """Whether `wait` would return True at once. All whose topics are touched together know it before any of them wakes."""
        ...

    async def wait(self, timeout: float | None = None) -> bool:
        """Return True when a topic was touched since the last return (at once, if it was), False after `timeout` seconds.

        A touch says "look again", not what is new: it may come twice for one change. Enter first, then look, then wait.
        Look after a timeout as well: a process that is killed between its commit and its notification tells nobody (PostgreSQL).
        """
        ...


class Store(Protocol):
    """One organisation's memory."""

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]: ...

    @property
    def url(self) -> str: ...

    async def open(self) -> None:
        """Connect and bring the schema up to date (under a lock; many processes may start at once). Raises Unavailable."""
        ...

    async def close(self) -> None:
        """Finish what was accepted, then release everything. Idempotent."""
        ...

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        """Run the body in one transaction. Its exception rolls back all it did and comes out here unchanged.

        Returns when the commit is durable. Topics are woken then, in every process that has this store open. What was written
        can be read at once, except the feed on PostgreSQL: an event shows when all older transactions have ended, and its topics
        are woken again then. `aside` is for signs of life, which do not stand in line behind writes that wait for each other.
        Raises Unavailable when the store cannot be reached, or is not open.
        """
        ...

    async def read(self, body: Body[T]) -> T:
        """Run the body on one consistent snapshot; writing in it is an error."""
        ...

    def waiter(self, *topics: str) -> Waiter:
        """Listen to topics; `*` hears everything."""
        ...
