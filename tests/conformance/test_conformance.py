"""Every recorded sequence conforms, on both engines."""

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
    monkeypatch.setitem(os.environ, "DESKMATE_CONFORMANCE_STORE", "sqlite" if engine == "sqlite" else "postgres")
    reports = [report for sequence in SEQUENCES[area] if (report := await replay.replay(sequence, make_driver)) is not None]
    assert not reports, f"{len(reports)} of {len(SEQUENCES[area])} sequences differ:\n" + "\n".join(reports[:3])


def test_every_area_is_supported() -> None:
    assert sum(map(len, SEQUENCES.values())) == 619
    for area, sequences in SEQUENCES.items():
        assert all(Driver.capabilities >= set(sequence["requires"]) for sequence in sequences), area
