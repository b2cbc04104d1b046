"""Many idle readers of the live feed: `python bench/readers.py [--readers 5000] [--rate 100] [--engine postgresql]`.

Two servers share one store. Each customer has five readers, half of them at each server, so each event is due to five. Messages
are posted at a steady rate; a tenth of the readers drops in between and returns with the last event it saw. Every reader must
have heard every message of its customer once. Prints how long deliveries took and what a reader costs in memory.
"""

import argparse
import asyncio
import json
import random
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.acceptance.doors import Json
from tests.acceptance.machines import Machine, Machines, machines
from tests.postgres import PostgresServer, own_postgres

EACH = 5  # readers of one customer
AT_ONCE = 50  # connections being opened at a time
AWAY = 2.0  # seconds a reader that dropped stays away
CALM = 20.0  # seconds for the last deliveries


@dataclass
class Reader:
    """One open stream. Remembers what it heard of messages: their text, which is a number, and how long it took."""

    url: str
    token: str
    heard: list[int] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    last: str = ""
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self, sent: Sequence[float]) -> None:
        """Read until cancelled."""
        where = urlsplit(self.url)
        reading, writing = await asyncio.open_connection(where.hostname, where.port, limit=1 << 20)
        seen = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        writing.write(
            f"GET /api/events HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {self.token}\r\n{seen}\r\n".encode()
        )
        coming = ""
        try:
            while line := await reading.readline():
                if line.startswith(b": connected"):
                    self.connected.set()
                elif line.startswith(b"id: "):
                    coming = line[4:].strip().decode()
                elif not line.strip():
                    self.last = coming or self.last  # An event counts as seen when it is complete.
                elif line.startswith(b"data: ") and b'"type":"message.posted"' in line.replace(b'": "', b'":"'):
                    self._hear(json.loads(line[6:]), sent)
        finally:
            writing.close()

    def _hear(self, event: Json, sent: Sequence[float]) -> None:
        number = int(event["data"]["message"]["text"])
        self.heard.append(number)
        self.took.append(time.monotonic() - sent[number])


@dataclass
class Customer:
    token: str
    thread: str
    readers: list[Reader]
    due: list[int] = field(default_factory=list)


async def crowd(them: Machines, customers: int) -> list[Customer]:
    """Customers with a thread each."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Customer:
        async with gate, httpx.AsyncClient(base_url=them.url(number % 2), timeout=60, trust_env=False) as client:
            token = (await client.post("/api/chat/sessions")).json()["token"]
            made = await client.post(
                "/api/threads", json={"subject": "A long wait"}, headers={"Authorization": f"Bearer {token}"}
            )
            readers = [Reader(them.url((number + place) % 2), token) for place in range(EACH)]
            return Customer(token, made.json()["id"], readers)

    return await asyncio.gather(*(one(number) for number in range(customers)))


async def connect(readers: Sequence[Reader], sent: Sequence[float]) -> list[asyncio.Task[None]]:
    """Open all streams, some at a time."""
    tasks: list[asyncio.Task[None]] = []
    for start in range(0, len(readers), AT_ONCE):
        batch = readers[start : start + AT_ONCE]
        tasks += [asyncio.create_task(reader.follow(sent)) for reader in batch]
        await asyncio.wait_for(asyncio.gather(*(reader.connected.wait() for reader in batch)), 60)
    return tasks


async def post(them: Machines, people: Sequence[Customer], rate: float, seconds: float, sent: list[float]) -> None:
    """Post at a steady rate, whether or not those before have been answered."""
    chance, posting = random.Random(5), set[asyncio.Task[None]]()
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    clients = [httpx.AsyncClient(base_url=them.url(server), timeout=60, trust_env=False, limits=limits) for server in (0, 1)]

    async def say(number: int, customer: Customer) -> None:
        headers = {"Authorization": f"Bearer {customer.token}"}
        body = {"text": str(number), "respond": False}
        (
            await clients[number % 2].post(f"/api/threads/{customer.thread}/messages", json=body, headers=headers)
        ).raise_for_status()

    began = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(began + number / rate - time.monotonic(), 0))
        customer = chance.choice(people)
        customer.due.append(number)
        sent.append(time.monotonic())
        task = asyncio.create_task(say(number, customer))
        posting.add(task)
        task.add_done_callback(posting.discard)
    await asyncio.gather(*posting)
    for client in clients:
        await client.aclose()


async def drop_and_return(readers: Sequence[Reader], tasks: list[asyncio.Task[None]], sent: Sequence[float]) -> None:
    """A tenth of the readers goes away and comes back."""
    leaving = range(0, len(readers), 10)
    for place in leaving:
        tasks[place].cancel()
        readers[place].connected.clear()
    await asyncio.sleep(AWAY)
    back = await connect([readers[place] for place in leaving], sent)
    for place, task in zip(leaving, back, strict=True):
        tasks[place] = task


def kilobytes(machine: Machine) -> int:
    """The memory a process holds now."""
    for line in Path(f"/proc/{machine.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def processor(machine: Machine) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{machine.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def wrong(people: Sequence[Customer]) -> int:
    """Readers that did not hear exactly what was due to them. Two messages posted at once may come in either order."""
    return sum(sorted(reader.heard) != customer.due for customer in people for reader in customer.readers)


async def measure(store: str, readers: int, rate: float, seconds: float) -> None:
    sent: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with machines(store, Path(folder), agent="mixing", workers=0, lease=15) as them:
            people = await crowd(them, readers // EACH)
            everybody = [reader for customer in people for reader in customer.readers]
            empty = [kilobytes(server) for server in them.servers]
            tasks = await connect(everybody, sent)
            full = [kilobytes(server) for server in them.servers]
            idle = [processor(server) for server in them.servers]
            await asyncio.sleep(15)
            idle = [after - before for before, after in zip(idle, map(processor, them.servers), strict=True)]
            busy = [processor(server) for server in them.servers]
            posting = asyncio.create_task(post(them, people, rate, seconds, sent))
            await asyncio.sleep(seconds / 2)
            dropping = asyncio.create_task(drop_and_return(everybody, tasks, sent))
            await asyncio.gather(posting, dropping)
            busy = [after - before for before, after in zip(busy, map(processor, them.servers), strict=True)]
            with suppress(TimeoutError):
                async with asyncio.timeout(CALM):
                    while wrong(people):  # noqa: ASYNC110 - what is waited for is what the readers hear
                        await asyncio.sleep(0.5)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            report(people, rate, seconds, [b - a for a, b in zip(empty, full, strict=True)], idle, busy)


def report(
    people: Sequence[Customer], rate: float, seconds: float, memory: list[int], idle: list[float], busy: list[float]
) -> None:
    steady = [reader for customer in people for reader in customer.readers]
    away = set(map(id, steady[::10]))
    took = [
        (number, one)
        for reader in steady
        if id(reader) not in away
        for number, one in zip(reader.heard, reader.took, strict=True)
    ]
    middle = rate * seconds / 2
    due = sum(len(customer.due) * EACH for customer in people)
    heard = sum(len(reader.heard) for reader in steady)
    print(f"{len(steady)} readers on 2 servers, {rate:.0f} messages/s for {seconds:.0f} s, {EACH} readers each")
    print(f"deliveries: {heard} of {due}; readers that heard something else than what was due: {wrong(people)}")
    for phase, some in (
        ("calm", sorted(one for number, one in took if number < middle)),
        ("from the moment a tenth drops", sorted(one for number, one in took if number >= middle)),
    ):
        p50, p99, slowest = (some[place] * 1000 for place in (len(some) // 2, int(len(some) * 0.99), -1))
        print(f"from the POST to the reader, {phase}: p50 {p50:.0f} ms, p99 {p99:.0f} ms, slowest {slowest:.0f} ms")
    print(f"memory a reader: {sum(memory) / len(steady):.1f} KB; processor of each server: idle {idle[0] / 15:.0%}, "
          f"{idle[1] / 15:.0%}, busy {busy[0] / seconds:.0%}, {busy[1] / seconds:.0%}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    given = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 20_000)), hard))
    with ExitStack() as stack:
        if given.engine == "sqlite":
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/desk.db"
        else:
            server = stack.enter_context(PostgresServer(stack.enter_context(own_postgres(uuid.uuid4().hex[:12])), "bench"))
            url = stack.enter_context(server.fresh_database())
        asyncio.run(measure(url, given.readers, given.rate, given.seconds))


if __name__ == "__main__":
    main()
