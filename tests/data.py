"""The data that some tests need. It lies beside the checkout and is not part of it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE = Path(__file__).parents[2] / "shared" / "data"


def data(name: str) -> Path:
    """A file or folder of the data, such as `routing/clinc150_train.jsonl`; the test is skipped where it is not there."""
    found = Path(os.environ.get("DESKMATE_DATA", BESIDE)) / name
    if not found.exists():
        pytest.skip(f"needs {name} of the data, which lies beside the checkout (DESKMATE_DATA names another folder)")
    return found


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in data(name).read_text().splitlines()]
