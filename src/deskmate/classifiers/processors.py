"""Processors: how many of them linear algebra may keep busy."""

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

_lock = Lock()
_inside: list[Any] = []
"""The limits that hold, one for each that is inside: the first one knows how it was before."""


@contextmanager
def one_processor() -> Generator[None]:
    """One thread for each product of matrices, while this lasts, in the whole process.

    Several wait for each other in loops. They gain little on matrices of this size, and beside a busy server they lose ten times.
    """
    with _lock:
        _inside.append(_libraries().limit(limits=1) if not _inside else None)
    try:
        yield
    finally:
        with _lock:
            # Whoever leaves last puts it back, whoever came first.
            first = _inside.pop(0)
            if _inside:
                _inside[0] = first
            else:
                first.restore_original_limits()


@cache
def _libraries() -> Any:
    return importlib.import_module("threadpoolctl").ThreadpoolController()
