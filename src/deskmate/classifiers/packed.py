"""Packed: what a fitted classifier knows, as bytes of numbers and words. They hold no code that would run when they are read."""

import hashlib
import importlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deskmate.classifiers.terms import VIEWS, Terms
from deskmate.domain.scoring import Responder
from deskmate.errors import Invalid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Label = tuple[str | None, Responder]
"""What is told apart: an intent, or none that has a name, with who answers such."""

CODE = 3
"""Raised with every change of how texts are read or judged: bytes of another code would give other scores, and are refused."""
_MAGIC = f"deskmate scorer {CODE}\n".encode()
_DIGEST = 32
_MOST = 512 * 1024 * 1024
"""Bytes that it may come to when it is unpacked. A classifier of 150 intents comes to 12 MB."""


_DAMAGE = (
    *(ValueError, TypeError, LookupError, AttributeError, OSError, EOFError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)
"""What reading raises where it finds something else than was written: other shapes and kinds, or a zip file of another making."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that a fitted classifier needs to judge."""

    version: str
    labels: tuple[Label, ...]
    views: tuple[Terms, ...]
    weights: "NDArray[np.float16]"
    """A row for each term of the views, one view after the other, and a column for each label."""
    biases: "NDArray[np.float32]"
    """One for each label."""


def pack(known: Knowledge) -> bytes:
    """As bytes, from which `unpack` makes the same again."""
    np: Any = importlib.import_module("numpy")
    facts = {"version": known.version, "labels": known.labels, "unknown": [view.unknown for view in known.views]}
    arrays = {"facts": _bytes(json.dumps(facts)), "weights": known.weights, "biases": known.biases}
    for at, view in enumerate(known.views):
        arrays[f"terms{at}"] = _bytes("\n".join(view.places))
        arrays[f"rarity{at}"] = np.array(view.rarity, np.float64)
    written = io.BytesIO()
    np.savez_compressed(written, allow_pickle=False, **arrays)
    body = written.getvalue()
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> Knowledge:
    """What was packed. Raises Invalid where these bytes are anything else, or are damaged."""
    start = len(_MAGIC) + _DIGEST
    body = data[start:]
    if not data.startswith(_MAGIC) or hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        raise _refused()
    try:
        return _read(body)
    except _DAMAGE as error:
        raise _refused() from error


def _read(body: bytes) -> Knowledge:
    np: Any = importlib.import_module("numpy")
    with zipfile.ZipFile(io.BytesIO(body)) as held:
        if sum(each.file_size for each in held.infolist()) > _MOST:
            raise _refused()
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        facts = json.loads(arrays["facts"].tobytes())
        labels = tuple(_label(each) for each in facts["labels"])
        views = tuple(_terms(arrays, at, float(facts["unknown"][at])) for at in range(len(VIEWS)))
        weights, biases = arrays["weights"], arrays["biases"]
    shape = (sum(len(view.places) for view in views), len(labels))
    _need(weights.shape == shape and weights.dtype == np.float16 and bool(np.isfinite(weights).all()))
    _need(biases.shape == shape[1:] and biases.dtype == np.float32 and bool(np.isfinite(biases).all()))
    _need(isinstance(facts["version"], str) and len(set(labels)) == len(labels))
    return Knowledge(facts["version"], labels, views, weights, biases)


def _terms(arrays: Any, at: int, unknown: float) -> Terms:
    np: Any = importlib.import_module("numpy")
    text: str = arrays[f"terms{at}"].tobytes().decode()
    terms: list[str] = text.split("\n") if text else []
    rarity = arrays[f"rarity{at}"]
    places = {term: place for place, term in enumerate(terms)}
    _need(len(places) == len(terms) and rarity.shape == (len(terms),) and rarity.dtype == np.float64)
    # Something of nothing would be divided by the length of a text.
    _need(bool((rarity > 0).all()) and bool(np.isfinite(rarity).all()) and 0 < unknown < float("inf"))
    return Terms(places, rarity.tolist(), unknown)


def _label(value: object) -> Label:
    match value:
        case [str() | None as intent, "ai"]:
            return intent, "ai"
        case [str() | None as intent, "human"]:
            return intent, "human"
        case _:
            raise _refused()


def _need(fits: bool) -> None:
    if not fits:
        raise _refused()


def _bytes(text: str) -> Any:
    np: Any = importlib.import_module("numpy")
    return np.frombuffer(text.encode(), np.uint8)


def _refused() -> Invalid:
    return Invalid(
        "These bytes are no classifier that this version of Deskmate has fitted, or they are damaged.", field="classifier"
    )
