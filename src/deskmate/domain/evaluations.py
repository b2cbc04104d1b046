"""Evaluations: how good a classifier is on messages of which is known who should answer them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from deskmate.domain.scoring import Example, Judged

ERRORS = (0.05, 0.02, 0.01)
"""The shares of wrong answers at which the coverage is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a classifier was worth. Shares are from 0 to 1, and None where there was nothing to take them of."""

    in_scope: int
    """Messages that the AI should answer."""
    out_of_scope: int
    """Messages that people should get."""
    accuracy: float | None
    """Of those in scope, the share that the AI would have answered with the right intent."""
    kept: float | None
    """Of those in scope, the share that was given to people."""
    caught: float | None
    """Of those out of scope, the share that was given to people."""
    auroc: float | None
    """How often a message in scope scores above one that is not; 0.5 is chance."""
    coverage: Mapping[float, float]
    """By the share of wrong answers that is borne: the largest share of all messages that the AI could answer alone."""


def evaluate(judged: Sequence[tuple[Example, Judged]], *, share: float | None = None) -> Evaluation:
    """Compare. With `share` messages are weighed as if so large a share of all had been out of scope."""
    ours = [(example, given) for example, given in judged if example.responder == "ai"]
    theirs = [given for example, given in judged if example.responder == "human"]
    weight = 1.0
    if share is not None and ours and theirs:
        weight = share / (1 - share) * len(ours) / len(theirs)
    right = [given.responder == "ai" and given.intent == example.intent for example, given in ours]
    weighed = [(given.score, 1.0, fits) for (_, given), fits in zip(ours, right, strict=True)]
    weighed += [(given.score, weight, False) for given in theirs]
    return Evaluation(
        in_scope=len(ours),
        out_of_scope=len(theirs),
        accuracy=_share(right),
        kept=_share([given.responder == "human" for _, given in ours]),
        caught=_share([given.responder == "human" for given in theirs]),
        auroc=_auroc([given.score for _, given in ours], [given.score for given in theirs]),
        coverage={error: _coverage(weighed, error) for error in ERRORS},
    )


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None


def _auroc(above: Sequence[float], below: Sequence[float]) -> float | None:
    """The share of pairs that are in the right order; equal scores count half."""
    if not above or not below:
        return None
    passed = won = 0.0
    for _, same in groupby(sorted([(score, True) for score in above] + [(score, False) for score in below]), _score):
        kinds = [high for _, high in same]
        high, low = sum(kinds), len(kinds) - sum(kinds)
        won += high * (passed + low / 2)
        passed += low
    return won / (len(above) * len(below))


def _coverage(weighed: Iterable[tuple[float, float, bool]], most: float) -> float:
    """The largest share that lies above some floor with no more than so many errors. No floor parts equal scores."""
    best = taken = wrong = 0.0
    for _, same in groupby(sorted(weighed, key=_score, reverse=True), _score):
        for _, weight, fits in same:
            taken += weight
            wrong += 0.0 if fits else weight
        if wrong <= most * taken:
            best = taken
    return best / taken if taken else 0.0


def _score(one: tuple[float, *tuple[object, ...]]) -> float:
    return one[0]
