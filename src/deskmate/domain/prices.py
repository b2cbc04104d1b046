"""Prices: what a million tokens of a model cost, as decimal text in the main unit of a currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from deskmate.domain.money import NANOS, digits, rounded
from deskmate.domain.policies import Rules

MILLION = 10**6
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,5}(\.[0-9]{1,6})?$")]
Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class Price(Rules):
    """What models cost. `models` are patterns of a name (`gpt-5*`) or of provider and name (`openai:*`), in any case.

    Prices are those of a million tokens, with six decimals at most. Of the policies that fit a model, the one with the most
    specific pattern counts, then the first by name.
    """

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    models: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=100)]
    input: Amount
    output: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """The prices that one piece of work was done at, in millionths of the main unit for a million tokens."""

    currency: str
    input: int
    output: int

    def exact(self, input_tokens: int, output_tokens: int) -> tuple[int, int]:
        """What tokens cost in minor units, as a numerator and a denominator: nothing is rounded.

        A token costs price / 10^6 main units, the price is kept times 10^6, and a main unit has 10^digits minor units.
        """
        return (input_tokens * self.input + output_tokens * self.output) * 10 ** digits(self.currency), MILLION * MILLION

    def nanos(self, input_tokens: int, output_tokens: int) -> int:
        """The same in billionths of the minor unit.

        That is whole where the price has no more than digits + 3 decimals, five for most currencies; else it is the nearest.
        """
        numerator, denominator = self.exact(input_tokens, output_tokens)
        return rounded(numerator * NANOS, denominator)


def micros(text: str) -> int:
    """A decimal text with at most six decimals, in millionths."""
    whole, _, rest = text.partition(".")
    return int(whole) * MILLION + int(rest.ljust(6, "0") or "0")


def shown(price: int) -> str:
    """Millionths as decimal text, with two decimals at least."""
    whole, rest = divmod(price, MILLION)
    tail = f"{rest:06}"
    return f"{whole}.{tail[:2]}{tail[2:].rstrip('0')}"


def price_of(prices: Mapping[str, Price], provider: str | None, model: str | None) -> UnitPrice | None:
    """The price that the policies have for a model, or None."""
    fitting = [
        (*_specific(pattern), name)
        for name, price in prices.items()
        for pattern in price.models
        if _fits(pattern, provider or "", model or "")
    ]
    if not fitting:
        return None
    found = prices[min(fitting)[-1]]
    return UnitPrice(currency=found.currency, input=micros(found.input), output=micros(found.output))


def _fits(pattern: str, provider: str, model: str) -> bool:
    """Names of models may hold a colon themselves (`llama3:8b`), so a pattern may fit either."""
    lower, name = pattern.lower(), model.lower()
    return fnmatchcase(name, lower) or fnmatchcase(f"{provider.lower()}:{name}", lower)


def _specific(pattern: str) -> tuple[bool, int, int]:
    """Smaller is more specific: a whole name, then what says most of the name, then what says most of all."""
    name = pattern.rpartition(":")[2]
    return "*" in pattern, -len(name.replace("*", "")), -len(pattern)
