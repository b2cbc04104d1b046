"""Nothing accepted is lost, whoever is killed (P1). DESKMATE_CHAOS_MESSAGES makes it longer: `make chaos` has 2,000."""

import os
from pathlib import Path

from tests.acceptance.chaos import rage
from tests.acceptance.machines import complaints, machines

MESSAGES = int(os.environ.get("DESKMATE_CHAOS_MESSAGES", "200"))
CUSTOMERS = 20


async def test_p1_what_is_acknowledged_while_machines_are_killed_is_there_once_in_order_and_dealt_with(
    store_url: str, tmp_path: Path
):
    async with machines(store_url, tmp_path, agent="mixing") as them:
        books = await rage(them, customers=CUSTOMERS, each=MESSAGES // CUSTOMERS, pause=1.0, breath=1.5, seed=4)
        print(books)
        assert books.messages == MESSAGES
        assert sum(books.ends.values()) == CUSTOMERS
        assert books.kills.total() > 0
        # One kind of complaint is the agent's own: it is made to fail.
        loud = [line for machine in them.all for line in complaints(machine) if "failed" not in line and "Traceback" not in line]
        assert loud == []
