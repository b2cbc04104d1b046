"""Neighbours: the examples that are nearest to a message. However often examples come and go, each text of them is read once."""

import importlib
from collections.abc import Sequence
from threading import Lock
from typing import Any

from deskmate.classifiers.later import Later
from deskmate.classifiers.nearest import Nearest
from deskmate.domain.scoring import Example, Judged

_SETS = 8
"""How many sets of examples are held: each agent has one of its own."""


class NearestNeighbours:
    """Safe to use from several threads: who comes while examples are read waits for it."""

    def __init__(self, embedder: Later) -> None:
        self._embedder = embedder
        self._lock = Lock()
        self._held: dict[int, tuple[Nearest, dict[str, Any]]] = {}

    def nearest(self, examples: Sequence[Example], text: str, most: int) -> Judged:
        """What most of the nearest examples say. Raises Unavailable, or Misconfigured where there is no embedder."""
        return self._of(examples).explain([text], voters=most)[0]

    def _of(self, examples: Sequence[Example]) -> Nearest:
        key = hash(tuple(examples))
        with self._lock:
            held = self._held.pop(key, None) or self._read(examples)
            self._held[key] = held
            while len(self._held) > _SETS:
                del self._held[next(iter(self._held))]
        return held[0]

    def _read(self, examples: Sequence[Example]) -> tuple[Nearest, dict[str, Any]]:
        np = importlib.import_module("numpy")
        known = {text: row for _, rows in self._held.values() for text, row in rows.items()}
        new = list(dict.fromkeys(example.text for example in examples if example.text not in known))
        if new:
            known.update(zip(new, self._embedder.needed.embed(new), strict=True))
        rows = {example.text: known[example.text] for example in examples}
        fitted = Nearest.fit(examples, self._embedder.needed, np.stack([rows[example.text] for example in examples]))
        return fitted, rows
