"""Waiters: whoever wants to know that something of a topic changed. They are told that, not what; they read again."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable

EVERYTHING = "*"


async def _at_once() -> None:
    """A hub that needs no preparation before somebody listens."""


class Hub:
    """All waiters of one store, by topic. Touching works from any thread; each waiter is woken in its own event loop."""

    def __init__(self, ready: Callable[[], Awaitable[None]] = _at_once) -> None:
        self._ready = ready
        self._lock = threading.Lock()
        self._by_topic: dict[str, set[TopicWaiter]] = {}

    @property
    def deserted(self) -> bool:
        """Nobody listens."""
        return not self._by_topic

    async def add(self, waiter: "TopicWaiter") -> None:
        """From the return of this call on, the waiter misses nothing."""
        with self._lock:
            for topic in waiter.topics:
                self._by_topic.setdefault(topic, set()).add(waiter)
        try:
            await self._ready()
        except BaseException:
            self.discard(waiter)
            raise

    def discard(self, waiter: "TopicWaiter") -> None:
        with self._lock:
            for topic in waiter.topics:
                listeners = self._by_topic.get(topic, set())
                listeners.discard(waiter)
                if not listeners:
                    self._by_topic.pop(topic, None)

    def touch(self, topics: Iterable[str]) -> None:
        """Wake everybody who listens to one of these topics; `*` wakes everybody. Call it after the commit only."""
        if not self._by_topic:
            return
        loops: dict[asyncio.AbstractEventLoop, list[TopicWaiter]] = {}
        with self._lock:
            for waiter in self._listening(topics):
                # A waiter that is touched already has not looked yet: it will, and sees this change as well.
                if not waiter.touched:
                    waiter.touched = True
                    loops.setdefault(waiter.loop, []).append(waiter)
        for loop, waiters in loops.items():
            call_in(loop, lambda waiters=waiters: _wake(waiters))

    def _listening(self, topics: Iterable[str]) -> "set[TopicWaiter]":
        heard = set(self._by_topic.get(EVERYTHING, ()))
        for topic in topics:
            if topic == EVERYTHING:
                return set[TopicWaiter]().union(*self._by_topic.values())
            heard |= self._by_topic.get(topic, set())
        return heard


class TopicWaiter:
    """A subscription to topics; see `base.Waiter`."""

    def __init__(self, hub: Hub, topics: tuple[str, ...]) -> None:
        self._hub = hub
        self._woken: asyncio.Future[None] | None = None
        self.topics = topics
        self.touched = False
        self.loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> "TopicWaiter":
        self.loop = asyncio.get_running_loop()
        await self._hub.add(self)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._hub.discard(self)

    async def wait(self, timeout: float | None = None) -> bool:
        """Return True when a topic was touched since the last return (at once, if it was), False after `timeout` seconds."""
        if not self.touched:
            woken = self._woken = self.loop.create_future()
            alarm = None if timeout is None else self.loop.call_later(timeout, _settle, woken)
            try:
                await woken
            finally:
                self._woken = None
                if alarm is not None:
                    alarm.cancel()
        touched, self.touched = self.touched, False
        return touched

    def wake(self) -> None:
        """Called in the waiter's loop. A wake-up that a return of `wait` has used up already is dropped."""
        if self.touched and self._woken is not None:
            _settle(self._woken)


def call_in(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call in this loop, from any thread. A loop that is closed has nobody left to tell."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _wake(waiters: "list[TopicWaiter]") -> None:
    for waiter in waiters:
        waiter.wake()


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
