"""`deskmate route calibrate`: how the floors stand, from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.command_line import Result

from deskmate import Desk


async def test_it_says_who_checks_and_how_many_are_missing(deskmate: Callable[..., Result], tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'desk.db'}"
    async with Desk.open(store, agents=[], work=False) as desk:
        assert "No policy gives an agent a floor" in deskmate("route", "calibrate", "--store", store).out
        await desk.policies.put("route", "Shop AI", {"floor": {}})
        refused = deskmate("route", "calibrate", "--store", store, "--agent", "Shop AI")
        assert refused.code != 0
        assert "nothing of it has been checked yet" in refused.err
        route = {"route": "rt", "agent": "Shop AI", "of": "confidence", "classifier": None, "score": 0.9, "wrong": 0, "now": 1}
        await desk._store.write(lambda tx: tx.run("floors.label", **route))  # pyright: ignore[reportPrivateUsage]
    done = deskmate("route", "calibrate", "--store", store)
    assert done.out.startswith("Shop AI: people check every answer; ")
    [line] = deskmate("route", "calibrate", "--store", store, "--json").out.splitlines()
    assert (json.loads(line)["floor"], json.loads(line)["labels"], json.loads(line)["audit_rate"]) == (None, 0, 1.0)
