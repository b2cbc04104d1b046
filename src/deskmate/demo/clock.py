"""The demo's clock: set to past times while the shop's story is told, and then the time of day."""

from datetime import UTC, datetime


class Clock:
    """Call it for the time. It runs until it is set, and again when it is released."""

    def __init__(self) -> None:
        self._at: datetime | None = None

    def __call__(self) -> datetime:
        return self._at or datetime.now(UTC)

    def set(self, at: datetime) -> None:
        """Stand still at this time."""
        self._at = at

    def release(self) -> None:
        """Run again."""
        self._at = None
