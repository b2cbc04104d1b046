"""A worker in a process of its own, which a test kills whenever it likes: `python timers_process.py STORE`.

It says when it stands ready, and then does what is due until it is killed.
"""

import asyncio
import json
import os
import sys

from deskmate import Desk, Settings

LEASE = 1.5
"""Seconds. A process that was killed is known by its leases; nobody wants to wait long for them to run out."""


async def work(store: str) -> None:
    """Do what is due, until somebody ends this process."""
    desk = Desk(store, settings=Settings(lease_seconds=LEASE, away_seconds=0))
    await desk.ensure_open()
    desk.work()
    print(json.dumps({"ready": os.getpid()}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
