"""Money: whole numbers of minor units, and billionths of them for what costs less than one. No fractions are stored."""

from collections.abc import Mapping

NANOS = 10**9
"""Billionths in one minor unit."""
LARGEST = 2**63 - 1
_NONE = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF")
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_DIGITS: Mapping[str, int] = {**dict.fromkeys(_NONE, 0), **dict.fromkeys(_THREE, 3), "CLF": 4, "UYW": 4}


def digits(currency: str) -> int:
    """How many decimals the minor unit of a currency has (ISO 4217): two, unless it is known to have none, three or four."""
    return _DIGITS.get(currency, 2)


def rounded(numerator: int, denominator: int) -> int:
    """The nearest whole number, of two that are equally near the even one. The denominator is positive."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def amount(minor: int, currency: str) -> str:
    """A sum in the main unit as people write it, with all decimals of its currency: `-0.05`."""
    places = digits(currency)
    whole, rest = divmod(abs(minor), 10**places)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{places}}" if places else f"{sign}{whole}"


def storable(nanos: int) -> int | None:
    """A cost as the store can keep it; None where it is beyond all reason."""
    return nanos if abs(nanos) <= LARGEST else None
