"""Bounds: what a sample of right and wrong answers proves of all of them, by exact binomial arithmetic."""

import math
from importlib import import_module
from typing import Any

from deskmate.errors import Invalid


def _special() -> Any:
    """scipy's functions, loaded when they are first used: whoever only imports deskmate does not wait for them."""
    return import_module("scipy.special")


def share(name: str, value: float) -> float:
    """`value` if it lies between 0 and 1, both excluded. Raises Invalid naming the field."""
    if not 0 < value < 1:  # also false for NaN
        raise Invalid(f"{name} must be between 0 and 1, both excluded")
    return value


def chance(answers: int, errors: int, error: float) -> float:
    """How likely at most `errors` of `answers` are wrong, where each is wrong with the probability `error`."""
    return float(_special().bdtr(errors, answers, error))


def proves(answers: int, errors: int, max_error: float, delta: float) -> bool:
    """Whether `errors` of `answers` would be luck of at most `delta`, were more than `max_error` of all answers wrong."""
    return answers > errors and chance(answers, errors, max_error) <= delta


def refutes(answers: int, errors: int, max_error: float, delta: float) -> bool:
    """Whether `errors` of `answers` would be bad luck of at most `delta`, were no more than `max_error` of all answers wrong."""
    return errors > 0 and float(_special().bdtrc(errors - 1, answers, max_error)) <= delta


def upper(answers: int, errors: int, delta: float) -> float:
    """The rate of error that is not exceeded with probability 1 - `delta` (Clopper and Pearson 1934, one side, exact)."""
    if errors >= answers:
        return 1.0
    return float(_special().betaincinv(errors + 1, answers - errors, 1 - delta))


def least(errors: int, max_error: float, delta: float) -> int:
    """The fewest answers that prove `max_error` with `errors` among them."""
    over = max(errors + 1, math.ceil(math.log(delta) / math.log1p(-max_error)))
    while not proves(over, errors, max_error, delta):
        over *= 2
    under = errors
    while over - under > 1:
        middle = (under + over) // 2
        if proves(middle, errors, max_error, delta):
            over = middle
        else:
            under = middle
    return over
