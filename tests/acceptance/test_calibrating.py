"""`deskmate route calibrate`: how the floors stand, from the command line."""

import json
from pathlib import Path

from tests.acceptance.command_line import deskmate

from deskmate import Desk


async def test_it_says_who_checks_and_how_many_are_missing(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    async with Desk.open(store, work=False) as desk:
        assert "No policy gives an agent a floor" in deskmate(tmp_path, "route", "calibrate", "--store", store).out
        await desk.policies.put("route", "Shop AI", {"floor": {}})
    refused = deskmate(tmp_path, "route", "calibrate", "--store", store, "--agent", "Shop AI")
    assert refused.code != 0
    assert "nothing of it has been checked yet" in refused.line
    assert json is not None
