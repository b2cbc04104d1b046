"""The inbox of a small and of a large desk: `python bench/inbox.py [--small 1000] [--large 100000] [--repeat 30]`.

Fills two stores of each engine (tests/store/crowd.py says with what), and times pages of every tab and order, filters, counts,
searches, the next claim and a post: the small desk and the large one in turns, each in a fresh order. Prints medians and their
ratio. Both stores run as they come; PostgreSQL has been analysed, as it does by itself, and does not wait for the disk.
"""

import argparse
import asyncio
import gc
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.conftest import PostgresServer, own_postgres
from tests.store.crowd import Rows, crowd, fill

from deskmate import Desk, customer
from deskmate.domain.actors import Actor, AuthorKind, Role
from deskmate.domain.requests import RequestKind
from deskmate.domain.threads import Priority, Status
from deskmate.services import places
from deskmate.services.inbox import COUNTED, QUEUE_COUNTED, Sort, Tab
from deskmate.store import migrate

Doing = Callable[[], Awaitable[object]]
ANA = Actor(kind=AuthorKind.OPERATOR, id="op_0", name="Ana", role=Role.OPERATOR)


@contextmanager
def stores() -> Iterator[dict[str, tuple[str, str]]]:
    """The addresses of two empty stores of each engine."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = PostgresServer(stack.enter_context(own_postgres(uuid.uuid4().hex[:12])), "bench")
        stack.enter_context(server)
        lite = f"sqlite:///{folder}/small.db", f"sqlite:///{folder}/large.db"
        for url in lite:
            migrate(url)
        post = stack.enter_context(server.fresh_database()), stack.enter_context(server.fresh_database())
        yield {"sqlite": lite, "postgresql": post}


def prepare(url: str, rows: Rows) -> None:
    """Fill a store, and let PostgreSQL settle."""
    fill(url, rows)
    if not url.startswith("sqlite"):
        import psycopg

        with psycopg.connect(url, autocommit=True) as db:
            db.execute("VACUUM ANALYZE")


def doings(desk: Desk, rows: Rows, chance: random.Random) -> dict[str, Doing]:
    """What is timed, by name."""

    def page(**more: object) -> Doing:
        return lambda: desk.inbox.page(by=ANA, **more)  # pyright: ignore[reportArgumentType]

    threads = [str(row[0]) for row in rows["threads"]]
    owners = {str(row[0]): str(row[1]) for row in rows["threads"]}
    rare = next(str(word) for _, word in reversed(rows["subject_words"]) if str(word).startswith("w") and len(str(word)) == 6)

    async def post() -> None:
        thread = chance.choice(threads)
        await desk.messages.post(thread, "Where is my parcel?", author=customer(owners[thread]), respond=False)

    async def claim() -> None:
        request = await desk.requests.next(by=ANA)
        assert request is not None, "there is nothing left to claim"
        await desk.requests.release(request.id, by=ANA)

    async def counts() -> None:
        async def body(tx: places.Tx) -> None:
            await places.sizes(tx, ["mine:op_0", "unassigned", "all"], [Status.OPEN], COUNTED + 1)
            await places.queues(tx, [Status.OPEN], QUEUE_COUNTED)

        await desk._store.read(body)  # pyright: ignore[reportPrivateUsage]

    found: dict[str, Doing] = {f"page, {tab}, {sort}": page(tab=tab, sort=sort) for tab in Tab for sort in Sort}
    return found | {
        "page, resolved, activity": page(status=Status.RESOLVED, sort=Sort.ACTIVITY),
        "page, any status, activity": page(status=None, sort=Sort.ACTIVITY),
        "queue": page(tab=Tab.UNASSIGNED, queue="billing", sort=Sort.WAITING),
        "kind": page(kind=RequestKind.APPROVAL, sort=Sort.DUE),
        "kind, rare": page(kind=RequestKind.ESCALATION, sort=Sort.ACTIVITY),
        "priority": page(priority=Priority.URGENT, sort=Sort.ACTIVITY),
        "priority, normal": page(priority=Priority.NORMAL, sort=Sort.ACTIVITY),
        "tag": page(tag="vip", sort=Sort.ACTIVITY),
        "tag, rare, and queue": page(tag="press", queue="billing", sort=Sort.ACTIVITY),
        "kind, tag, unassigned": page(tab=Tab.UNASSIGNED, tag="returning", kind=RequestKind.QUESTION, sort=Sort.WAITING),
        "counts": counts,
        "q, a rare word": page(q=rare[:5], status=None, sort=Sort.ACTIVITY),
        "q, a word of most": page(q="refu", sort=Sort.ACTIVITY),
        "q, a word of most, mine": page(tab=Tab.MINE, q="refu", sort=Sort.ACTIVITY),
        "q, a name and a word": page(q="Keller refu", sort=Sort.ACTIVITY),
        "q, a letter": page(q="r", sort=Sort.ACTIVITY),
        "q, nothing": page(q="qqqq", sort=Sort.ACTIVITY),
        "q, an id": page(q=threads[0], status=None),
        "own threads of a customer": lambda: desk.threads.of_customer(by=customer("cu_000007")),
        "claim the next request, give it back": claim,
        "post": post,
    }


async def measure(small: str, large: str, rows: tuple[Rows, Rows], repeat: int) -> dict[str, tuple[float, float]]:
    """Median ms of each doing, on the small and on the large desk."""
    async with Desk.open(small, work=False) as one, Desk.open(large, work=False) as other:
        both = [doings(desk, of, random.Random(3)) for desk, of in zip((one, other), rows, strict=True)]
        took: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in both[0]}
        for turn in range(repeat + 2):
            names = list(took)
            random.Random(turn).shuffle(names)
            for name in names:
                for place in (0, 1) if turn % 2 else (1, 0):
                    gc.collect(0)
                    began = time.perf_counter()
                    await both[place][name]()
                    if turn >= 2:
                        took[name][place].append((time.perf_counter() - began) * 1000)
        return {name: (statistics.median(a), statistics.median(b)) for name, (a, b) in took.items()}


async def main(small: int, large: int, repeat: int) -> None:
    rows = crowd(small), crowd(large)
    with stores() as urls:
        figures: dict[str, dict[str, tuple[float, float]]] = {}
        for engine, (one, other) in urls.items():
            for url, of in zip((one, other), rows, strict=True):
                began = time.perf_counter()
                prepare(url, of)
                print(f"{engine}: {len(of['threads'])} threads in {time.perf_counter() - began:.0f} s", file=sys.stderr)
            figures[engine] = await measure(one, other, rows, repeat)
    print(f"| ms at {small:,} and at {large:,} threads | SQLite | | ratio | PostgreSQL | | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in figures["sqlite"]:
        cells = [f"{a:.2f} | {b:.2f} | {b / a:.2f}" for a, b in (figures[engine][name] for engine in figures)]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=30)
    given = parser.parse_args()
    asyncio.run(main(given.small, given.large, given.repeat))
