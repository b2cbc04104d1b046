"""Proving: what a score is worth on messages that it has not seen, among them some of a kind that it does not know at all."""

import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deskmate.classifiers.evidence import candidates, evidence
from deskmate.classifiers.meaning import UNKNOWN, Kind, Meaning, kind_of
from deskmate.domain.scoring import Example, Scorer


class Words(Scorer, Protocol):
    """A scorer that goes by words."""

    def to_bytes(self) -> bytes:
        """As it is kept."""
        ...


Learn = Callable[[Sequence[Example]], Words]
"""Fits one."""

_PARTS = 5
_FEW = 10
"""With fewer kinds than that none is left out."""
_STRANGE = 0.15
"""The share of messages that are taken to be of no known kind. Most examples have far fewer of them than customers send."""
_MOST = 20.0
"""How much one of those may count."""
_LEFT_OUT = 0.5
"""How much a message counts whose kind was left out. It only stands for a strange one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Evidence for candidates, a row each, and what became of them."""

    rows: Any
    right: Any
    counts: Any
    """How much each of them counts."""


def prove(examples: Sequence[Example], rows: Any, learn: Learn | None) -> Proof:
    """Fit to four fifths of the examples, with a fifth of the kinds left out, and look at the others; five times."""
    np = importlib.import_module("numpy")
    kinds = [kind_of(example) for example in examples]
    parts = np.array([_part(example.text) for example in examples])
    found = [each for test, strange in _rounds(kinds, parts) for each in _round(examples, kinds, rows, test, strange, learn)]
    if not found:
        return Proof(rows=np.zeros((0, 0)), right=np.zeros(0, bool), counts=np.zeros(0))
    seen, right, counts = map(np.concatenate, zip(*found, strict=True))
    return Proof(rows=seen.astype(np.float32), right=right, counts=counts.astype(np.float32))


def _rounds(kinds: Sequence[Kind], parts: Any) -> Iterator[tuple[Any, frozenset[Kind]]]:
    """(which examples are looked at, which kinds are left out)."""
    named = sorted({kind for kind in kinds if kind != UNKNOWN}, key=lambda kind: hashlib.sha256(repr(kind).encode()).digest())
    for part in range(_PARTS):
        yield parts == part, frozenset(named[part::_PARTS] if len(named) >= _FEW else ())


def _round(
    examples: Sequence[Example], kinds: Sequence[Kind], rows: Any, test: Any, strange: frozenset[Kind], learn: Learn | None
) -> Iterator[tuple[Any, Any, Any]]:
    np = importlib.import_module("numpy")
    taught = [at for at, kind in enumerate(kinds) if not test[at] and kind not in strange]
    asked: list[int] = np.flatnonzero(test).tolist()
    fitted = {kinds[at] for at in taught}
    if len(fitted) < 2 or not fitted - {UNKNOWN} or not len(asked):
        return
    meaning = Meaning.fit(rows[taught], [kinds[at] for at in taught])
    words = learn([examples[at] for at in taught]) if learn is not None else None
    said = [words.score([example.text]) if words is not None else None for example in map(examples.__getitem__, asked)]
    views = meaning.views(rows[asked])
    first, second = candidates(views, meaning.kinds, said)
    counts = _counts([kinds[at] for at in asked], strange)
    for which, some in ((first, first == first), (second, second != first)):
        seen = evidence(views, meaning.kinds, which, said)
        right = np.array([meaning.kinds[number] == kinds[at] for number, at in zip(which.tolist(), asked, strict=True)])
        yield seen[some], right[some], counts[some]


def _counts(kinds: Sequence[Kind], strange: frozenset[Kind]) -> Any:
    np = importlib.import_module("numpy")
    unknown = sum(kind == UNKNOWN for kind in kinds)
    each = min(_MOST, max(1.0, _STRANGE * (len(kinds) - unknown) / max(1, unknown)))
    return np.array([each if kind == UNKNOWN else _LEFT_OUT if kind in strange else 1.0 for kind in kinds])


def _part(text: str) -> int:
    """By the text, so that the same message is never both learned and looked at, and the order of the examples says nothing."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) % _PARTS
