"""The memory for several machines: PostgreSQL.

Writes are READ COMMITTED transactions: what they depend on they compare and set, or lock. Reads are REPEATABLE READ: they
see one snapshot.
A store belongs to the event loop it was opened in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

from deskmate.domain.ids import Ids
from deskmate.errors import Unavailable
from deskmate.store.base import Body, Waiter
from deskmate.store.migrations import migrate_postgresql
from deskmate.store.postgres_connections import CONNECT_TIMEOUT, Wire, arguments, checked, configure, driver, unavailable
from deskmate.store.sql import statements
from deskmate.store.waiters import Hub, TopicWaiter

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

    from deskmate.store.postgres_bell import Bell

T = TypeVar("T")
ATTEMPTS = 10
"""How often a body is run at most, when the server cancels it in favour of another."""


class PostgreSQL:
    """A store in a PostgreSQL database."""

    engine: Literal["postgresql"] = "postgresql"

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        smallest_pool: int = 1,
        largest_pool: int = 10,
    ) -> None:
        self.url = checked(url)
        self._clock = clock
        self._entropy = entropy
        self._ids = Ids(entropy)
        self._sizes = smallest_pool, largest_pool
        self._hub = Hub()
        self._pool: AsyncConnectionPool[Wire] | None = None
        self._aside: AsyncConnectionPool[Wire] | None = None
        self._bell: Bell | None = None
        self._accepted = 0
        self._idle = asyncio.Event()
        self._closing = False

    async def open(self) -> None:
        """Connect and bring the schema up to date. Raises Unavailable."""
        if self._pool is not None:
            return
        from psycopg import AsyncConnection
        from psycopg.rows import dict_row
        from psycopg_pool import AsyncConnectionPool

        from deskmate.store.postgres_bell import Bell

        await asyncio.to_thread(migrate_postgresql, self.url)

        def pool_of(least: int, most: int) -> "AsyncConnectionPool[Wire]":
            return AsyncConnectionPool(
                self.url,
                connection_class=cast("type[Wire]", AsyncConnection),
                kwargs={**arguments(), "row_factory": dict_row},
                configure=configure,
                min_size=least,
                max_size=most,
                timeout=CONNECT_TIMEOUT * 3,
                open=False,
            )

        pool, aside = pool_of(*self._sizes), pool_of(1, 2)
        bell = Bell(self.url, self._hub)
        try:
            await pool.open(wait=True, timeout=CONNECT_TIMEOUT)
            await aside.open()
            await bell.open()
        except driver().OperationalError as error:
            await pool.close()
            await aside.close()
            raise unavailable(self.url, error) from error
        self._pool, self._aside, self._bell, self._closing = pool, aside, bell, False

    async def close(self) -> None:
        """Finish what was accepted, then release everything. Idempotent."""
        self._closing = True
        while self._accepted:
            self._idle.clear()
            await self._idle.wait()
        pools = self._pool, self._aside
        self._pool = self._aside = None
        bell, self._bell = self._bell, None
        for pool in pools:
            if pool is not None:
                await pool.close()
        if bell is not None:
            await bell.close()

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        """Run the body in one transaction; see `base.Store.write`. It may be run more than once."""
        return await self._finish(partial(self._write_once, aside=aside), body)

    async def read(self, body: Body[T]) -> T:
        """Run the body on one snapshot; see `base.Store.read`."""
        return await self._finish(self._read_once, body)

    def waiter(self, *topics: str) -> Waiter:
        """Listen to topics; `*` hears everything."""
        return TopicWaiter(self._hub, topics)

    async def _finish(self, once: "_Once[T]", body: Body[T]) -> T:
        if self._pool is None or self._closing:
            raise Unavailable("The store is not open.")
        self._accepted += 1
        try:
            return await self._attempt(once, body)
        finally:
            self._accepted -= 1
            if not self._accepted:
                self._idle.set()

    async def _attempt(self, once: "_Once[T]", body: Body[T]) -> T:
        psycopg = driver()
        from deskmate.store.postgres_tx import OutOfOrder

        hold: tuple[str, ...] = ()
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                return await once(body, hold, last)
            except OutOfOrder as error:
                # The one that was in the way is waited for first; those of earlier attempts have to be free then.
                hold = (error.thread, *(thread for thread in hold if thread != error.thread))
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                if last:
                    raise
                # The one who won needs time to finish; the two who lost should not meet again.
                await asyncio.sleep(2**attempt * self._entropy(1)[0] / 64_000)
            except _Stale as error:
                if last:
                    raise unavailable(self.url, cast("Exception", error.__cause__)) from error.__cause__
        raise AssertionError("The last attempt returns or raises.")

    async def _write_once(self, body: Body[T], hold: tuple[str, ...], last: bool, *, aside: bool) -> T:
        from deskmate.store.postgres_tx import PostgreSQLTx

        psycopg = driver()
        bell = self._bell
        committing = False
        try:
            async with self._opened(aside=aside).connection() as connection:
                await _prepare(connection, reading=False)
                await _hold(connection, hold)
                tx = PostgreSQLTx(connection, self._clock(), self._ids, in_order=not last)
                try:
                    value = await body(tx)
                    await tx.flush()
                finally:
                    tx.end()
                committing = True
                await connection.commit()
        except psycopg.OperationalError as error:
            raise self._translated(error, again=not committing) from error
        if tx.topics and bell is not None:
            bell.ring(tx.topics, tx.newest)
        return value

    async def _read_once(self, body: Body[T], hold: tuple[str, ...], last: bool) -> T:
        from deskmate.store.postgres_tx import PostgreSQLTx

        try:
            async with self._opened().connection() as connection:
                await _prepare(connection, reading=True)
                tx = PostgreSQLTx(connection, self._clock(), self._ids, in_order=False)
                try:
                    value = await body(tx)
                    await tx.flush()
                    return value
                finally:
                    tx.end()
        except driver().OperationalError as error:
            raise self._translated(error, again=True) from error

    def _translated(self, error: Any, *, again: bool) -> Exception:
        """What to raise for an OperationalError, the driver's word for whatever is not the statement's fault."""
        psycopg = driver()
        from psycopg_pool import PoolTimeout

        if isinstance(error, (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)):
            return cast("Exception", error)
        lost = error.sqlstate is None or error.sqlstate[:2] in ("08", "57")
        if lost and again and not isinstance(error, PoolTimeout):
            return _Stale()
        return unavailable(self.url, error)

    def _opened(self, *, aside: bool = False) -> "AsyncConnectionPool[Wire]":
        pool = self._aside if aside else self._pool
        if pool is None:
            raise Unavailable("The store is not open.")
        return pool


_Once: TypeAlias = Callable[[Body[T], tuple[str, ...], bool], Awaitable[T]]


class _Stale(Exception):
    """The connection was lost before the commit, for example because the server was restarted: nothing has happened yet."""


async def _hold(connection: Wire, threads: Sequence[str]) -> None:
    """Lock the rows of threads before anything else. Only the first may be waited for: with it the transaction gets its id."""
    from deskmate.store.postgres_tx import OutOfOrder

    for place, thread in enumerate(threads):
        found = statements("postgresql")["feed.hold_thread_now" if place else "feed.hold_thread"]
        try:
            await connection.execute(cast("Any", found.text), {"thread": thread})
        except driver().errors.LockNotAvailable:
            raise OutOfOrder(thread) from None


async def _prepare(connection: Wire, *, reading: bool) -> None:
    """Set what the next BEGIN of this connection says. No word goes to the server here."""
    from psycopg import IsolationLevel

    if bool(connection.read_only) != reading:
        await connection.set_read_only(reading)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ if reading else None)
