"""Evidence: what speaks for a message being of a kind, in numbers, and how they are weighed."""

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deskmate.classifiers.meaning import UNKNOWN, Kind, Views
from deskmate.domain.scoring import Judged

NAMES = (
    "energy",
    "line",
    "line_lead",
    "likely",
    "unknown",
    "agrees",
    "words",
    "words_agree",
    "near",
    "near_lead",
    "near_unknown",
    "centre_lead",
)
"""Each as it was worth it on the data of bench/routing: without one of them more messages have to go to people."""
_LIKELY = NAMES.index("likely")
_NEVER = -14.0
"""The logarithm of a likelihood that is none."""


def candidates(views: Views, kinds: Sequence[Kind], said: Sequence[Judged | None]) -> tuple[Any, Any]:
    """The kinds (by number) that messages may be of: as the lines say, and as the other scorer says; often it is one."""
    np = importlib.import_module("numpy")
    known = np.array([kind != UNKNOWN for kind in kinds])
    first = np.where(known, views.lines, -np.inf).argmax(axis=1)
    named = [_named(each, kinds) for each in said]
    return first, np.array([at if other is None else other for at, other in zip(first.tolist(), named, strict=True)], int)


def _named(said: Judged | None, kinds: Sequence[Kind]) -> int | None:
    """The kind that another scorer means. One that doubts names an intent of the AI, and a person to answer."""
    if said is None or (said.intent is None and said.responder == "human"):
        return None
    same = [at for at, (intent, responder) in enumerate(kinds) if intent == said.intent and (intent or responder == "ai")]
    return next((at for at in same if kinds[at][1] == said.responder), same[0] if same else None)


def evidence(views: Views, kinds: Sequence[Kind], candidates: Any, said: Sequence[Judged | None]) -> Any:
    """A row for each message: what speaks for its candidate (a number of a kind). `said` is what another scorer makes of it."""
    np = importlib.import_module("numpy")
    at = np.arange(len(candidates))
    known = np.array([kind != UNKNOWN for kind in kinds])
    total, energy = _sum(views.lines), _sum(views.lines[:, known])
    line = views.lines[at, candidates]
    near = views.nearest[at, candidates]
    # Scores are high where the AI gets it right: for a kind that people answer, a low one speaks.
    sides = np.array([1.0 if responder == "ai" else -1.0 for _, responder in kinds])
    words = np.array([each.score if each else 0.0 for each in said]) * sides[candidates]
    agrees = candidates == np.array([-1 if (named := _named(each, kinds)) is None else named for each in said])
    strange = kinds.index(UNKNOWN) if UNKNOWN in kinds else None
    none = np.full(len(at), _NEVER)
    return np.column_stack(
        [
            energy,
            line,
            _lead(views.lines, candidates, known),
            np.maximum(line - total, _NEVER),
            none if strange is None else np.maximum(views.lines[:, strange] - total, _NEVER),
            agrees,
            words,
            words * agrees,
            near,
            _lead(views.nearest, candidates, known),
            np.zeros(len(at)) if strange is None else near - views.nearest[:, strange],
            _lead(views.centres, candidates, known),
        ]
    )


def _sum(lines: Any) -> Any:
    """The logarithm of the sum of what the lines say (its negative is known as energy): high where any kind is near."""
    np = importlib.import_module("numpy")
    most = lines.max(axis=1)
    return np.log(np.exp(lines - most[:, None]).sum(axis=1)) + most


def _lead(view: Any, candidates: Any, known: Any) -> Any:
    """How far a candidate is before the best of the others, or behind it."""
    np = importlib.import_module("numpy")
    at = np.arange(len(candidates))
    others = np.where(known, view, -np.inf)
    others[at, candidates] = -np.inf
    best = others.max(axis=1)
    return np.where(np.isfinite(best), view[at, candidates] - best, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How evidence is weighed. The result is the logarithm of the odds that a candidate is right."""

    each: Any
    start: float

    @classmethod
    def fit(cls, rows: Any, right: Any, counts: Any) -> "Weights":
        """From evidence of which is known whether it spoke for what was right; `counts` says how much each row counts."""
        np, linear = importlib.import_module("numpy"), importlib.import_module("sklearn.linear_model")
        if not len(rows) or right.all() or not right.any():
            # There is nothing to learn from: as likely as the lines say, and above 0 from a half on.
            return cls(each=np.eye(len(NAMES))[_LIKELY], start=math.log(2))
        middle, spread = rows.mean(axis=0), rows.std(axis=0)
        spread = np.where(spread > 1e-9, spread, 1.0)
        fitted = linear.LogisticRegression(C=1.0, max_iter=3000).fit((rows - middle) / spread, right, sample_weight=counts)
        each = fitted.coef_[0] / spread
        return cls(each=each, start=float(fitted.intercept_[0] - each @ middle))

    @classmethod
    def of(cls, each: Any, start: float) -> "Weights":
        """What was kept. Raises ValueError for anything else."""
        if each.shape != (len(NAMES),):
            raise ValueError("these weights are of other evidence")
        return cls(each=each, start=float(start))

    def weigh(self, rows: Any) -> Any:
        """A number for each row."""
        return rows @ self.each + self.start
