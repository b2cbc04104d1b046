"""Rates: what an hour of an operator's work costs."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from deskmate.domain.policies import Rules


class Rate(Rules):
    """What an hour of work costs, in minor units of a currency. Of the rates that fit, one for the operator comes before one for
    the queue, and that before one for everybody; of two alike the first by name."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    per_hour: Annotated[int, Field(ge=0, le=10**9)]
    operators: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()


def rate_of(rates: Mapping[str, Rate], operator: str, queue: str | None) -> Rate | None:
    """The rate for the work of an operator, on a thread of a queue; None where nobody has set one."""
    fitting = [
        (not rate.operators, not rate.queues, name)
        for name, rate in rates.items()
        if (not rate.operators or operator in rate.operators) and (not rate.queues or queue in rate.queues)
    ]
    return rates[min(fitting)[-1]] if fitting else None
