"""List prices: what providers ask everybody, as the package `genai-prices` has them. They are data; nothing is fetched."""

import functools
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from deskmate.domain.prices import MILLION, UnitPrice

CURRENCY = "USD"


def list_price(provider: str | None, model: str | None, input_tokens: int, at: datetime) -> UnitPrice | None:
    """The price of a model at a time, or None where it is not known.

    Some providers ask more for all tokens of a call once its input is long: `input_tokens` says how long it was.
    """
    if not model:
        return None
    found = _found(provider, model, at.replace(minute=0, second=0, microsecond=0))
    asked = [_asked(getattr(found, name, None), input_tokens) for name in ("input_mtok", "output_mtok")]
    if asked[0] is None or asked[1] is None:
        return None
    return UnitPrice(currency=CURRENCY, input=asked[0], output=asked[1])


@functools.lru_cache(maxsize=500)
def _found(provider: str | None, model: str, hour: datetime) -> Any:
    """The package's entry, looked up once an hour: some providers ask less at night."""
    from genai_prices import Usage, calc_price

    try:
        usage = Usage(input_tokens=1, output_tokens=1)
        return calc_price(usage, model, provider_id=provider, genai_request_timestamp=hour).model_price
    except (LookupError, ValueError):
        return None


def _asked(price: Any, input_tokens: int) -> int | None:
    """A price of a million tokens, in millionths; of prices by the length of the input, the one for this length."""
    if price is not None and not isinstance(price, Decimal):
        reached = [tier for tier in price.tiers if input_tokens > tier.start]
        price = max(reached, key=lambda tier: tier.start).price if reached else price.base
    return None if price is None else int((price * MILLION).to_integral_value(ROUND_HALF_EVEN))
