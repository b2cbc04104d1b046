"""Products of matrices beside a server that needs its processors: libraries share them out among threads that wait in loops."""

import importlib
from contextlib import AbstractContextManager
from typing import Any


def product(rows: Any, columns: Any) -> Any:
    """Each row with each column. One row is too little to share: threads that wait for each other make it much slower."""
    np = importlib.import_module("numpy")
    return np.einsum("d,dm->m", rows[0], columns)[None] if len(rows) == 1 else rows @ columns


def one_processor() -> AbstractContextManager[Any]:
    """Long work on one processor, while this lasts, as far as no other thread has limited them."""
    for name in ("numpy", "sklearn.linear_model"):
        importlib.import_module(name)  # What is loaded later would not be limited.
    return importlib.import_module("threadpoolctl").threadpool_limits(limits=1)
