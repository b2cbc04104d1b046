"""Packing: a fitted classifier as bytes. They hold numbers and JSON, so that nothing in them is ever run."""

import importlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, cast

_HEAD = "head"


def pack(head: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """Arrays, and what is said of them."""
    np = importlib.import_module("numpy")
    out = io.BytesIO()
    text = np.frombuffer(json.dumps(head).encode(), np.uint8)
    np.savez(out, allow_pickle=False, **{_HEAD: text}, **arrays)
    return out.getvalue()


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was packed. Raises ValueError for anything else."""
    np = importlib.import_module("numpy")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            arrays = {name: kept[name] for name in kept.files}
        head: object = json.loads(arrays.pop(_HEAD).tobytes())
    except (OSError, EOFError, KeyError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise ValueError("these are no packed arrays") from error
    if not isinstance(head, dict):
        raise ValueError("these are no packed arrays")
    return cast("dict[str, Any]", head), arrays
