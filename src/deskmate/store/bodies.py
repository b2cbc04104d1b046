"""A transaction's body on its way to a thread, and its outcome on its way back to the event loop that waits for it."""

import asyncio
import contextlib
import contextvars
from collections.abc import Generator, Iterable
from typing import Any, Generic, TypeVar, cast

from deskmate.store.base import Body, Tx
from deskmate.store.waiters import call_in

T = TypeVar("T")


class Suspended(RuntimeError):
    """A transaction body may await nothing but its own statements."""

    def __init__(self) -> None:
        super().__init__((type(self).__doc__ or "").strip())


def drive(body: Body[T], tx: Tx) -> T:
    """Run the body to its end without an event loop. The statements of such a Tx never suspend, so one step is the whole way."""
    awaitable = body(tx)
    steps = cast("Generator[object, None, T]", awaitable if hasattr(awaitable, "send") else awaitable.__await__())
    try:
        steps.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    with contextlib.suppress(Exception):
        steps.close()
    raise Suspended


class Submission(Generic[T]):
    """One body that waits to be run by a thread."""

    __slots__ = ("_body", "_context", "_value", "error", "future", "loop")

    def __init__(self, body: Body[T]) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self.error: BaseException | None = None
        self._body = body
        self._context = contextvars.copy_context()
        self._value: T | None = None

    def run(self, tx: Tx) -> None:
        """Run the body; its outcome stays here until it is delivered."""
        try:
            self._value = self._context.run(drive, self._body, tx)
        except BaseException as error:
            # Also a KeyboardInterrupt or SystemExit belongs to the caller: this thread works for others too.
            self.error = error

    def settle(self) -> None:
        """Hand the outcome to whoever awaits it; called in its event loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(cast("T", self._value))
        else:
            self.future.set_exception(self.error)


def deliver(submissions: "Iterable[Submission[Any]]") -> None:
    """Settle them, with one call into each event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Submission[Any]]] = {}
    for submission in submissions:
        loops.setdefault(submission.loop, []).append(submission)
    for loop, group in loops.items():
        call_in(loop, lambda group=group: _settle(group))


def _settle(submissions: "list[Submission[Any]]") -> None:
    for submission in submissions:
        submission.settle()
