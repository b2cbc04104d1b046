"""`deskmate route calibrate`: how the floors stand, from the command line."""

import json
from pathlib import Path

from deskmate import Desk
from tests.acceptance.command_line import run


async def test_it_says_who_checks_and_how_much_is_missing(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    async with Desk.open(store, work=False):
        pass
    assert "No policy gives an agent a floor" in run("route", "calibrate", "--store", store).stdout
    refused = run("route", "calibrate", "--store", store, "--agent", "Shop AI")
    assert refused.returncode != 0
    assert "agent" in refused.stderr
    assert json is not None
