"""Events on their way into the feed: what both engines do with those of one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

from deskmate.errors import NotFound
from deskmate.store.base import Row

DESK = "desk"
"""The topic of what happens on no thread."""


def counted(events: Iterable[Mapping[str, object]]) -> dict[str, int]:
    """How many events each thread gets. Those of no thread are not counted."""
    return Counter(cast("str", event["thread"]) for event in events if event["thread"] is not None)


def topics_of(thread: str, row: Row | None) -> set[str]:
    """Whom to wake. `row` is the thread as it was counted up. Raises NotFound where there was none."""
    if row is None:
        raise NotFound(f"there is no thread {thread}", field="thread")
    return {f"thread:{thread}"} if row["customer"] is None else {f"thread:{thread}", f"customer:{row['customer']}"}
