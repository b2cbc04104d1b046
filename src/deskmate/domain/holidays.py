"""Holidays: the public holidays of countries and of their parts, as the library `holidays` knows them."""

import re
from datetime import date
from functools import lru_cache

from deskmate.errors import Invalid

_PLACE = re.compile(r"[A-Z]{2}(-[A-Za-z0-9]{1,8})?")


def check_holidays(given: object, field: str) -> str | None:
    """Read the place whose holidays are kept: `FR`, or `DE-BY` for a part of a country. Raises Invalid."""
    if given is None:
        return None
    if not isinstance(given, str) or _PLACE.fullmatch(given) is None or not _known(given):
        raise Invalid("holidays is a country such as FR, or a part of one such as DE-BY", field=field)
    return given


def _known(place: str) -> bool:
    from holidays import list_supported_countries

    country, _, part = place.partition("-")
    supported = list_supported_countries()
    return country in supported and (not part or part in supported[country])


@lru_cache(maxsize=512)
def holidays_of(place: str, year: int) -> frozenset[date]:
    """The public holidays of a year."""
    # The library is large: whoever needs no holidays does not wait for it.
    from holidays import country_holidays

    country, _, part = place.partition("-")
    return frozenset(country_holidays(country, subdiv=part or None, years=year).keys())
