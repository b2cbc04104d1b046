"""How long until another worker goes on with a run whose worker was killed: `python bench/takeover.py [--repeat 5]`.

Starts a server and two workers on a store of its own, kills the worker in the middle of a sentence, and counts the seconds until
the other one has begun. On SQLite and PostgreSQL, with the default lease and with the shortest one that can be set.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.machines import machines
from tests.postgres import PostgresServer, own_postgres

DEFAULT, SHORTEST = 15, 1
"""Seconds: DESKMATE_LEASE_SECONDS as it comes, and the least it may be. Below a second a busy process would lose its own runs."""


@contextmanager
def stores() -> Iterator[dict[str, str]]:
    """The address of an empty store for each engine."""
    with (
        tempfile.TemporaryDirectory() as folder,
        own_postgres(uuid.uuid4().hex[:12]) as url,
        PostgresServer(url, "bench") as server,
    ):
        with server.fresh_database() as database:
            yield {"sqlite": f"sqlite:///{folder}/desk.db", "postgresql": database}


async def takeover(store: str, lease: int, repeat: int) -> list[float]:
    """Seconds from the kill to the other worker's beginning, once for each kill."""
    found: list[float] = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            async with machines(store, Path(folder), agent="talking", servers=1, lease=lease) as them:
                ada = await them.visitor()
                thread = await ada.thread()
                async with ada.listening(thread=thread) as hers:
                    await ada.say(thread, "Hello")
                    await hers.type("message.delta")
                    holder = them.worker_of((await them.line("thread", thread))["pid"])
                    killed = time.monotonic()
                    await holder.end()
                    while len([line for line in them.lines() if line["thread"] == thread]) < 2:  # noqa: ASYNC110 - a file tells nobody
                        await asyncio.sleep(0.005)
                    found.append(time.monotonic() - killed)
                    await hers.reply("You said: Hello")
    return found


async def measure(repeat: int) -> None:
    with stores() as urls:
        for lease in (DEFAULT, SHORTEST):
            for engine, url in urls.items():
                seconds = sorted(await takeover(url, lease, repeat))
                middle = statistics.median(seconds)
                print(
                    f"lease {lease:>2} s  {engine:<10}  median {middle:5.2f} s  ({seconds[0]:.2f} to {seconds[-1]:.2f})",
                    flush=True,
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    asyncio.run(measure(parser.parse_args().repeat))
