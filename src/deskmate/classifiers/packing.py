"""Packing: a fitted classifier as bytes. They hold numbers and JSON, so that nothing in them is ever run."""

import hashlib
import importlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, cast

_MAGIC = b"deskmate stacked 1\n"
_DIGEST = 32
_HEAD = "head"


def pack(head: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """Arrays, and what is said of them."""
    np = importlib.import_module("numpy")
    out = io.BytesIO()
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    np.savez(out, allow_pickle=False, **{_HEAD: text}, **arrays)
    body = out.getvalue()
    return _MAGIC + hashlib.sha256(body).digest() + body


def is_packed(data: bytes) -> bool:
    """Whether these bytes begin as what was packed."""
    return data.startswith(_MAGIC)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was packed. Raises ValueError for anything else."""
    np = importlib.import_module("numpy")
    start = len(_MAGIC) + _DIGEST
    if not is_packed(data) or hashlib.sha256(data[start:]).digest() != data[len(_MAGIC) : start]:
        raise ValueError("these are no packed arrays, or they are damaged")
    try:
        with np.load(io.BytesIO(data[start:]), allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        head: object = json.loads(arrays.pop(_HEAD).tobytes())
    except (OSError, EOFError, KeyError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError("these are no packed arrays") from error
    if not isinstance(head, dict):
        raise ValueError("these are no packed arrays")
    return cast("dict[str, Any]", head), arrays
