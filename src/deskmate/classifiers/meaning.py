"""Meaning: what labelled messages say of another one by their vectors: lines between the kinds, their centres, the nearest."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskmate.classifiers.products import product
from deskmate.domain.scoring import Example, Responder

Kind = tuple[str | None, Responder]
"""What messages are sorted into: an intent, and who answers it."""
UNKNOWN: Kind = (None, "human")
"""Messages for people that have no subject in common, and so no place of their own."""

_FREE = 10.0
"""How freely the lines follow the examples (C of the logistic regression): chosen on the data of bench/routing."""
_SHRUNK = 0.1
"""How far the spread around the centres is taken to be the same in all directions."""
_BLOCK = 256
"""Messages that are compared with all examples at once; more would need much memory."""


def kind_of(example: Example) -> Kind:
    """The kind an example is of."""
    return example.intent, example.responder


def _order(kind: Kind) -> tuple[str, str]:
    return kind[0] or "", kind[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """How messages look: a row for each of them, a column for each kind. More is nearer in all three."""

    lines: Any
    centres: Any
    nearest: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Fitted to the vectors of examples."""

    kinds: tuple[Kind, ...]
    rows: Any
    """The vectors of the examples, those of the first kind first; as exact as float16, which is how they are kept."""
    starts: Any
    """Where the rows of each kind begin."""
    lines: Any
    centres: Any
    """A column of weights for each kind, and one number more, which counts by itself."""

    @classmethod
    def fit(cls, rows: Any, kinds: Sequence[Kind]) -> "Meaning":
        """At least two kinds. It takes seconds for 15,000 examples of 150 kinds."""
        np = importlib.import_module("numpy")
        found = sorted(set(kinds), key=_order)
        number = {kind: at for at, kind in enumerate(found)}
        labels = np.array([number[kind] for kind in kinds])
        order = np.argsort(labels, kind="stable")
        labels, rows = labels[order], rows[order].astype(np.float16).astype(np.float32)
        starts = np.searchsorted(labels, np.arange(len(found)))
        lines, centres = _lines(rows, labels), _centres(rows, labels, starts)
        return cls(kinds=tuple(found), rows=rows, starts=starts, lines=lines, centres=centres)

    def views(self, rows: Any) -> Views:
        """How messages with these vectors look."""
        np = importlib.import_module("numpy")
        blocks = (product(rows[at : at + _BLOCK], self.rows.T) for at in range(0, len(rows), _BLOCK))
        return Views(
            nearest=np.concatenate([np.maximum.reduceat(block, self.starts, axis=1) for block in blocks]),
            lines=product(rows, self.lines[:-1]) + self.lines[-1],
            centres=product(rows, self.centres[:-1]) + self.centres[-1],
        )

    @property
    def arrays(self) -> Mapping[str, Any]:
        """What to keep, beside the kinds."""
        np = importlib.import_module("numpy")
        return {"rows": self.rows.astype(np.float16), "starts": self.starts, "lines": self.lines, "centres": self.centres}

    @classmethod
    def of(cls, kinds: Sequence[Kind], arrays: Mapping[str, Any]) -> "Meaning":
        """What was kept. Raises ValueError where it does not fit together."""
        np = importlib.import_module("numpy")
        rows, starts, lines, centres = (arrays[name] for name in ("rows", "starts", "lines", "centres"))
        shape = (rows.shape[1] + 1, len(kinds)) if rows.ndim == 2 else ()
        ordered = starts.shape == (len(kinds),) and starts[0] == 0 and (np.diff(starts) > 0).all() and starts[-1] < len(rows)
        if lines.shape != shape or centres.shape != shape or not ordered:
            raise ValueError("these arrays do not belong together")
        return cls(kinds=tuple(kinds), rows=rows.astype(np.float32), starts=starts, lines=lines, centres=centres)


def _lines(rows: Any, labels: Any) -> Any:
    np, linear = importlib.import_module("numpy"), importlib.import_module("sklearn.linear_model")
    fitted = linear.LogisticRegression(C=_FREE, max_iter=300).fit(rows, labels)
    weights = np.vstack([fitted.coef_.T, fitted.intercept_]).astype(np.float32)
    # Of two kinds only the second has weights; the first is then what is left.
    return weights if weights.shape[1] > 1 else np.hstack([np.zeros_like(weights), weights])


def _centres(rows: Any, labels: Any, starts: Any) -> Any:
    """Nearness to the centres by Mahalanobis, with one spread for all. But for a number that all kinds share it is linear."""
    np = importlib.import_module("numpy")
    centres = np.add.reduceat(rows, starts) / np.bincount(labels)[:, None]
    apart = rows - centres[labels]
    spread = apart.T @ apart / len(rows)
    size = spread.shape[0]
    even = max(float(np.trace(spread)) / size, 1e-6)
    toward = np.linalg.solve((1 - _SHRUNK) * spread + _SHRUNK * even * np.eye(size), centres.T)
    return np.vstack([2 * toward, -(centres.T * toward).sum(axis=0)]).astype(np.float32)
