"""Timers, though the worker is killed again and again: none is lost, and each does what it does once (P5)."""

import asyncio
import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.acceptance.timers import KINDS, Books, Timer, close_books, lay, quiet_desk, set_up, worker
from tests.store.told import looked_up, told

TIMERS = int(os.environ.get("DESKMATE_TIMERS", "150"))
"""How many timers; 1000 before a release."""
LAID, SPAN = 2 + TIMERS * 0.03, 6 + TIMERS * 0.04
"""Seconds until the first is due, by when most have been laid; seconds over which they are due."""
KILLS = max(3, TIMERS // 100)
LANES = 8


async def test_p5_no_timer_is_lost_or_goes_off_twice_though_the_worker_is_killed(store_url: str, engine: str) -> None:
    chance = random.Random(f"timers {engine}")
    desk, books = quiet_desk(store_url), Books()
    try:
        ana = await set_up(desk, round(LAID + SPAN) + 1)
        async with worker(store_url) as up:

            async def lane(numbers: range) -> list[Timer]:
                dues = {number: begin + timedelta(seconds=LAID + chance.uniform(0, SPAN)) for number in numbers}
                return [await lay(desk, ana, number, due) for number, due in dues.items()]

            begin = datetime.now(UTC)
            laying = asyncio.gather(*(lane(range(number, TIMERS, LANES)) for number in range(LANES)))
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.3, 2 * (LAID + SPAN) / KILLS))
                await up.kill()
                await asyncio.sleep(chance.uniform(0.0, 0.5))
                await up.start()
                books.kills += 1
            timers = [timer for laid in await laying for timer in laid]
            await asyncio.sleep(max(0.0, (max(timer.due for timer in timers) - datetime.now(UTC)).total_seconds()))
            await close_books(desk, timers, books, up)
        _check_rows(store_url, timers)
    finally:
        await desk.close()
    print(
        f"{engine}: {len(timers)} timers {dict(books.kinds)}, {books.kills} kills; late while running: p99 {books.p99():.2f} s "
        f"of {len(books.late)}, most {books.latest()}; of all, most {max(books.all_late):.2f} s"
    )
    assert books.p99() < 15, "a timer waited for long although a worker was running"


def _check_rows(store_url: str, timers: list[Timer]) -> None:
    """What the rows say: nothing is left to do, and nobody was told anything twice."""
    expected = Counter(timer.kind for timer in timers)
    assert set(expected) == set(KINDS)
    rows = told(store_url)
    kinds = Counter(row["kind"] for row in rows)
    assert kinds == {"response.remind": expected["response"], "chain.page": expected["chain"]}
    assert len({row["key"] for row in rows}) == len(rows)
    chains = looked_up(store_url, "SELECT state, count(*) AS number FROM chains GROUP BY state")
    assert [(row["state"], row["number"]) for row in chains] == [("done", expected["chain"])]
    assert looked_up(store_url, "SELECT * FROM responses") == []
    expired = looked_up(store_url, "SELECT count(*) AS number FROM requests WHERE state = 'expired'")
    assert expired[0]["number"] == expected["deadline"]
    assert looked_up(store_url, "SELECT * FROM threads WHERE status = 'snoozed'") == []
    # Whoever acted may be looked after for a minute more, until their work is counted.
    left = [row["kind"] for row in looked_up(store_url, "SELECT kind FROM jobs WHERE kind <> 'work'")]
    assert left == [], "a job was left over"
