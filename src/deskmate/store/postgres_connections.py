"""Connections to PostgreSQL: what each is told when it is made, so that rows and parameters look as they do on SQLite."""

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from deskmate.errors import Misconfigured, Unavailable

if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection
    from psycopg.abc import AdaptContext

Wire: TypeAlias = "AsyncConnection[dict[str, Any]]"

CONNECT_TIMEOUT = 10
"""Seconds. Longer than a restart of a server in the same house, shorter than a person's patience."""

_SETTINGS = "SET idle_in_transaction_session_timeout = '60s'"
"""A transaction that a frozen process leaves open holds back the whole feed: the server ends it."""


def driver() -> Any:
    """Psycopg, which the base install does not have."""
    try:
        import psycopg
        import psycopg_pool  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise Misconfigured(
            "A PostgreSQL store needs the driver: pip install 'deskmate[postgres]'.", field="store", extra="deskmate[postgres]"
        ) from error
    return psycopg


def checked(url: str) -> str:
    """The address as the driver wants it. Raises Misconfigured, without repeating what may hold a password."""
    psycopg = driver()
    try:
        psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise Misconfigured(
            "This is not an address of PostgreSQL: postgresql://USER:PASSWORD@HOST:PORT/NAME.", field="store"
        ) from None
    return url


def arguments() -> dict[str, Any]:
    """What every connection is opened with."""
    return {"application_name": "deskmate", "connect_timeout": CONNECT_TIMEOUT}


def connect_now(url: str) -> "Connection[Any]":
    """One connection for a caller that may block. Raises Unavailable, Misconfigured."""
    psycopg = driver()
    try:
        return psycopg.connect(checked(url), autocommit=True, **arguments())
    except psycopg.OperationalError as error:
        raise unavailable(url, error) from error


async def connect_alone(url: str) -> Wire:
    """One connection outside of the pool, without transactions. Raises what psycopg raises."""
    from psycopg import AsyncConnection
    from psycopg.rows import dict_row

    kind = cast("type[Wire]", AsyncConnection)
    return await kind.connect(url, autocommit=True, row_factory=dict_row, **arguments())


async def configure(connection: Wire) -> None:
    """Called by the pool for each new connection."""
    adapt(connection)
    connection.prepared_max = 1000  # more than there are statements, so that none is prepared twice
    connection.prepare_threshold = 0  # all of them come again
    await connection.execute(_SETTINGS)
    await connection.commit()


def adapt(context: "AdaptContext") -> None:
    """Numbers are numbers of one size (one prepared statement for one text), truth is 0 or 1, and sums are int or float."""
    from psycopg.adapt import Dumper, Loader
    from psycopg.types.numeric import Int8Dumper

    class TruthDumper(Dumper):
        oid = Int8Dumper.oid

        def dump(self, obj: object) -> bytes:
            return b"1" if obj else b"0"

    class TruthLoader(Loader):
        def load(self, data: Any) -> int:
            return int(bytes(data) == b"t")

    class NumericLoader(Loader):
        def load(self, data: Any) -> int | float:
            text = bytes(data).decode()
            return int(text) if text.lstrip("-").isdigit() else float(text)

    adapters = context.adapters
    adapters.register_dumper(int, Int8Dumper)
    adapters.register_dumper(bool, TruthDumper)
    adapters.register_loader("bool", TruthLoader)
    adapters.register_loader("numeric", NumericLoader)


def unavailable(url: str, error: Exception) -> Unavailable:
    """The server cannot be reached: says where it was looked for and what the driver said, and never a password."""
    known: dict[str, Any] = driver().conninfo.conninfo_to_dict(url)
    where = f"{known.get('host') or 'localhost'}:{known.get('port') or 5432}/{known.get('dbname') or ''}"
    said = " ".join(str(error).split())
    password = known.get("password")
    if password:
        said = said.replace(password, "***")
    return Unavailable(f"PostgreSQL at {where} cannot be reached: {said or type(error).__name__}.")
