"""Usage entries: metered work. Tokens of an agent, or the time of an operator, with the prices of that moment."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from deskmate.domain.money import NANOS, rounded
from deskmate.domain.prices import UnitPrice

HOUR = 3_600_000  # ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """Work that is alike in everything but its quantity. Prices are in millionths of the main unit for a million tokens, the rate
    in minor units an hour; all are None where nobody had decided what the work costs."""

    customer: str | None = None
    agent: str | None = None
    operator: str | None = None
    queue: str | None = None
    provider: str | None = None
    model: str | None = None
    currency: str | None = None
    input_price: int | None = None
    output_price: int | None = None
    rate: int | None = None
    entries: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    millis: int = 0

    @property
    def cost(self) -> tuple[int, int] | None:
        """What it costs in minor units, as a numerator and a denominator, so that nothing is rounded; None where unknown."""
        if self.currency is None:
            return None
        if self.rate is not None:
            return self.millis * self.rate, HOUR
        price = UnitPrice(currency=self.currency, input=self.input_price or 0, output=self.output_price or 0)
        return price.exact(self.input_tokens, self.output_tokens)

    @property
    def nanos(self) -> int | None:
        """The same in billionths of the minor unit, to the nearest."""
        return None if self.cost is None else rounded(self.cost[0] * NANOS, self.cost[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEntry:
    """One piece of metered work on a thread.

    `cost_nanos` is in billionths of the minor unit of `currency`. `corrects` names the entry whose time this one puts right, by a
    difference that may be negative.
    """

    id: str
    thread: str
    run: str | None = None
    request: str | None = None
    metered: Metered
    cost_nanos: int | None = None
    begun_at: datetime | None = None
    corrects: str | None = None
    reason: str | None = None
    created_at: datetime

    @property
    def agent(self) -> str | None:
        return self.metered.agent

    @property
    def operator(self) -> str | None:
        return self.metered.operator

    @property
    def provider(self) -> str | None:
        return self.metered.provider

    @property
    def model(self) -> str | None:
        return self.metered.model

    @property
    def input_tokens(self) -> int:
        return self.metered.input_tokens

    @property
    def output_tokens(self) -> int:
        return self.metered.output_tokens

    @property
    def currency(self) -> str | None:
        return self.metered.currency

    @property
    def seconds(self) -> float:
        return self.metered.millis / 1000

    @property
    def cost_minor(self) -> int | None:
        """The cost in whole minor units, for the eye: sums are made of what was metered, and rounded once."""
        return None if self.cost_nanos is None else rounded(self.cost_nanos, NANOS)


def gather(pieces: Iterable[Metered]) -> list[Metered]:
    """The same work with what is alike put together. Nothing is lost by that: sums of whole numbers are exact."""
    found: dict[Metered, Metered] = {}
    for piece in pieces:
        kind = replace(piece, entries=0, input_tokens=0, output_tokens=0, millis=0)
        was = found.get(kind, kind)
        found[kind] = replace(
            was,
            entries=was.entries + piece.entries,
            input_tokens=was.input_tokens + piece.input_tokens,
            output_tokens=was.output_tokens + piece.output_tokens,
            millis=was.millis + piece.millis,
        )
    return list(found.values())
