"""Drift: whether the newest audited answers still look like those that a floor was proved with.

The watch is a cumulative sum (Page 1954): each wrong answer adds to it, each right one takes a little off, and it never falls
below nothing. It weighs a rate of error of `WORSE` times the target against the target itself. Where the true rate is the target,
or less, at least `QUIET` answers lie between two false alarms on average (Lorden 1971); AIs that keep their promise are wrong
less often than that, so theirs are rarer by far.
"""

import math
from collections.abc import Iterable

WORSE = 2.5
QUIET = 500


def turned(wrong: Iterable[bool], max_error: float) -> int | None:
    """Where the errors began that raise the alarm now, as an index into the answers in their order; None while all is well."""
    worse = min(WORSE * max_error, (1 + max_error) / 2)
    up, down = math.log(worse / max_error), math.log((1 - worse) / (1 - max_error))
    level, began = 0.0, 0
    for index, error in enumerate(wrong):
        if level == 0.0:
            began = index
        level = max(0.0, level + (up if error else down))
    return began if level >= math.log(QUIET) else None
