"""The worker: a process that does a desk's background work, and nothing else, until it is told to stop."""

import asyncio
import signal
from collections.abc import Callable

from deskmate.app import Desk
from deskmate.errors import Misconfigured
from deskmate.store.urls import in_memory

STOPS = (signal.SIGINT, signal.SIGTERM)


async def work(desk: Desk, *, ready: Callable[[], None] = lambda: None) -> None:
    """Work on runs and timers of a store that other processes use too, until SIGINT or SIGTERM.

    What is being worked on then is given back, so that another process goes on with it at once. `ready` is called when the
    store is open. Raises Misconfigured for a store that no other process can see, Unavailable when it cannot be reached.
    """
    if in_memory(desk.settings.store):
        raise Misconfigured("is in memory: no other process can give this one anything to do", field="store")
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stop in STOPS:
        loop.add_signal_handler(stop, stopped.set)
    try:
        await desk.ensure_open()
        desk.work()
        ready()
        await stopped.wait()
    finally:
        await desk.close()
        for stop in STOPS:
            loop.remove_signal_handler(stop)
