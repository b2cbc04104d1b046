"""Every recorded sequence of the areas the driver supports conforms, on both engines."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from tests.conformance import replay
from tests.conformance.driver import Driver, make_driver

SEQUENCES: dict[str, list[dict[str, Any]]] = defaultdict(list)
for sequence in replay.load([str(Path(__file__).parent)]):
    if not sequence.get("excluded"):
        SEQUENCES[sequence["area"]].append(sequence)


@pytest.mark.parametrize("area", sorted(SEQUENCES))
async def test_every_sequence_of_the_area_conforms(area: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    supported = [sequence for sequence in SEQUENCES[area] if Driver.capabilities >= set(sequence["requires"])]
    if not supported:
        pytest.skip(f"the driver does not support {area} yet")
    monkeypatch.setitem(os.environ, "DESKMATE_CONFORMANCE_STORE", "sqlite" if engine == "sqlite" else "postgres")
    reports = [report for sequence in supported if (report := await replay.replay(sequence, make_driver)) is not None]
    assert not reports, f"{len(reports)} of {len(supported)} sequences differ:\n" + "\n".join(reports[:3])


MEMORY = (
    "ordering", "lifecycle", "threads", "human", "context", "turns", "approvals", "concurrency", "listing", "deletion", "streams",
    "recovery", "files", "search", "keys",
)  # fmt: skip


def test_the_areas_that_make_up_the_message_memory_are_supported() -> None:
    for area in MEMORY:
        assert all(Driver.capabilities >= set(sequence["requires"]) for sequence in SEQUENCES[area])
