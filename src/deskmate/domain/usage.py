"""Usage entries: metered work. Tokens of an agent, or seconds of an operator."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEntry:
    """One piece of metered work on a thread. Costs are in minor units of their currency, None where unknown."""

    id: str
    thread: str
    run: str | None = None
    agent: str | None = None
    operator: str | None = None
    provider: str | None = None
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cost_minor: int | None = None
    currency: str | None = None
    created_at: datetime
