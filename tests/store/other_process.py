"""Another process on the same store, for tests: `python other_process.py PART URL ...`. It says what it has done."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from deskmate.store import Store, connect
from deskmate.store.base import Body, Tx


def named_thread(name: str, customer: str | None = None) -> Body[None]:
    """A body that inserts a thread."""

    async def body(tx: Tx) -> None:
        await tx.run(
            "threads.insert", id=name, customer=customer, subject=None, summary=None, reason="opened", mode="auto",
            priority="normal", queue=None, tags="[]", language=None, metadata="{}", now=0,
        )  # fmt: skip

    return body


def append(thread: str, *topics: str) -> Body[None]:
    """A body that appends one event to a thread, with the next number of the thread, and touches topics."""

    async def body(tx: Tx) -> None:
        row = await tx.one("threads.next_event", id=thread, now=0)
        assert row is not None
        await tx.run(
            "events.append", thread=thread, thread_seq=row["event_seq"], type="thread.changed", actor_kind="system",
            actor_id=None, actor_name="", channel=None, at=0, data="{}",
        )  # fmt: skip
        tx.touch(f"thread:{thread}", *topics)

    return body


async def open_and_say(store: Store) -> None:
    print("open", flush=True)


async def write_forever(store: Store) -> None:
    """Write, and say each name as soon as the store has acknowledged it."""

    async def writer(lane: int) -> None:
        number = 0
        while True:
            number += 1
            await store.write(named_thread(f"th_{lane}_{number}"))
            print(f"th_{lane}_{number}", flush=True)

    await asyncio.gather(*(writer(lane) for lane in range(8)))


async def write_some(store: Store) -> None:
    for number in range(int(sys.argv[3])):
        await store.write(named_thread(f"th_{os.getpid()}_{number}"))
    print("done", flush=True)


async def append_when_told(store: Store) -> None:
    """One event for each line of the input, `THREAD TOPIC...`; then say so."""
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        thread, *topics = line.split()
        await store.write(append(thread, *topics))
        print("appended", flush=True)


PARTS: dict[str, Callable[[Store], Awaitable[None]]] = {
    part.__name__: part for part in (open_and_say, write_forever, write_some, append_when_told)
}


async def main() -> None:
    store = connect(sys.argv[2], clock=lambda: datetime.now(UTC), entropy=os.urandom)
    await store.open()
    try:
        await PARTS[sys.argv[1]](store)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
