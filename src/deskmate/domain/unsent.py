"""Unsent words: what an operator has typed and not sent. Their author's own; nobody else reads them, whatever the role.

Not to be confused with a draft, which is an AI's message that waits for approval.
"""

from dataclasses import dataclass
from datetime import datetime

from deskmate.domain.messages import Visibility
from deskmate.errors import Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """What one operator has typed on a thread, for its customer or as a note. `updated_at` is None where there is nothing."""

    thread: str
    visibility: Visibility
    text: str
    updated_at: datetime | None


def check_visibility(visibility: Visibility) -> Visibility:
    """Raise Invalid unless an operator can say this: a reply or a note."""
    if visibility is Visibility.DRAFT:
        raise Invalid("visibility must be public or note", field="visibility")
    return visibility
