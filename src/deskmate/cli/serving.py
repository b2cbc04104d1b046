"""Serving: an open port, a desk, and uvicorn between them; it says where things are, and ends promptly."""

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from uvicorn import Config, Server

from deskmate.app import Desk
from deskmate.errors import DeskmateError, Misconfigured
from deskmate.server import create_app

PATIENCE = 3
"""Seconds that requests in progress are given when the server stops; live streams are ended at once."""
WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - to be recognised, not to be listened on


class PortTaken(DeskmateError):
    """The port cannot be listened on."""

    code = "port_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A socket that listens already: connections wait in it until the server takes them."""

    socket: socket.socket
    host: str

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in WILDCARDS else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.socket.getsockname()[1]}"


def listen(host: str, port: int) -> Listener:
    """Take a port; 0 takes a free one. Raises Misconfigured for a host that is none of this machine's, PortTaken."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError):
        raise Misconfigured(f"{host!r} is no address of this machine", field="host") from None
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # There the option would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    listener.setblocking(False)
    return Listener(socket=listener, host=host)


def _refused(host: str, port: int, error: OSError) -> DeskmateError:
    match error.errno:
        case errno.EADDRINUSE:
            return PortTaken(f"port {port} on {host} is in use; choose another one, or 0 for any free one", field="port")
        case errno.EACCES:
            return PortTaken(f"port {port} needs more rights; choose one above 1023", field="port")
        case errno.EADDRNOTAVAIL:
            return Misconfigured(f"{host!r} is no address of this machine", field="host")
        case _:
            return PortTaken(f"port {port} on {host} cannot be listened on: {error.strerror}", field="port")


class _Server(Server):
    """Uvicorn, which would otherwise wait for live streams that never end by themselves."""

    def __init__(self, config: Config, desk: Desk, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._desk = desk
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._desk.end_streams()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Uvicorn raises the signal again when it has stopped. A stop that was asked for is no failure: exit with 0.
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def serve(
    desk: Desk,
    listener: Listener,
    *,
    announce: Callable[[str | None], Sequence[str]],
    prepare: Callable[[], Awaitable[None]] | None = None,
    work: bool = True,
) -> None:
    """Serve a desk until a signal ends it. `announce` is given the first admin's one-time token, or None, and says what to print.

    Raises Unavailable when the store cannot be reached, before anything is announced.
    """
    log_at(desk.settings.log_level)
    config = Config(
        create_app(desk, work=work),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=PATIENCE,
    )
    with listener.socket, asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(desk, listener, config, announce, prepare))


def log_at(level: str) -> None:
    """Our own words at the level that is set, other packages' only when something is wrong, or when all is asked for."""
    logging.basicConfig(
        level="DEBUG" if level == "debug" else "WARNING", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("deskmate").setLevel(level.upper())


async def _serve(
    desk: Desk,
    listener: Listener,
    config: Config,
    announce: Callable[[str | None], Sequence[str]],
    prepare: Callable[[], Awaitable[None]] | None,
) -> None:
    await desk.ensure_open()
    try:
        if prepare is not None:
            await prepare()
        token = await desk.sessions.setup_link()

        def say() -> None:
            sys.stdout.write("".join(f"{line}\n" for line in announce(token)))
            sys.stdout.flush()

        await _Server(config, desk, say).serve(sockets=[listener.socket])
    finally:
        await desk.close()
