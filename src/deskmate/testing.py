"""For tests of programs that use Deskmate: time that moves when it is told to, and chance that repeats itself."""

import hashlib
import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""Where a fake clock starts: a Monday morning."""


class FakeClock:
    """A clock that stands still until it is advanced. Call it for the time."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def advance(self, by: timedelta | None = None, /, *, seconds: float = 0.0) -> datetime:
        """Move on, by a span or by seconds; returns the new time."""
        self._at += (by or timedelta()) + timedelta(seconds=seconds)
        return self._at

    def set(self, at: datetime) -> None:
        """Go to this time."""
        self._at = at


class FakeEntropy:
    """Random-looking bytes that are the same in every run of the same program. Never for secrets. Call it with a length."""

    def __init__(self, seed: str = "deskmate") -> None:
        self._seed = seed
        self._calls = 0
        self._lock = threading.Lock()

    def __call__(self, length: int) -> bytes:
        with self._lock:
            self._calls += 1
            call = self._calls
        return hashlib.shake_128(f"{self._seed}/{call}".encode()).digest(length)
