"""The ring: hands that reach for the same request at the same moment, and a referee who keeps them back until all have begun."""

import asyncio
import json
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import psycopg
from tests.acceptance.doors import PATIENCE, open_client
from tests.acceptance.ledger_process import ADA, SETTINGS, Hand, Json, noted, refunder

from deskmate import Desk, Paused, Request
from deskmate.store.urls import sqlite_path
from deskmate.testing import START, FakeClock

PROGRAM = Path(__file__).with_name("ledger_process.py")
TOGETHER = 25
"""Threads that are prepared at a time."""


class Reaches(Protocol):
    """One of those who take part."""

    async def begin(self, told: Json) -> None:
        """Return when it has begun with what it was told."""
        ...

    async def outcome(self) -> Json: ...


class Here:
    """A task of this process."""

    def __init__(self, desk: Desk, clock: FakeClock) -> None:
        self._hand = Hand(desk, clock)
        self._doing: asyncio.Task[Json]

    async def begin(self, told: Json) -> None:
        begun = asyncio.Event()
        self._doing = asyncio.create_task(self._hand.do(told, begun.set))
        await begun.wait()

    async def outcome(self) -> Json:
        return await asyncio.wait_for(self._doing, PATIENCE)


class There:
    """A process of its own."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def begin(self, told: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(told)}\n".encode())
        await self.says("begun")

    async def outcome(self) -> Json:
        return await self.says("done")

    async def says(self, key: str) -> Any:
        said = await self.line()
        assert key in said, said
        return said[key]

    async def line(self) -> Json:
        """The next thing it says."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        assert line, "it ended"
        return json.loads(line)


class OverHttp:
    """Somebody whose requests go to the server of another process."""

    def __init__(self, client: httpx.AsyncClient, server: There) -> None:
        self._client = client
        self._server = server
        self._doing: asyncio.Task[httpx.Response]

    async def begin(self, told: Json) -> None:
        body = {"kind": told["do"]} | ({"reason": "too much"} if told["do"] == "reject" else {})
        self._doing = asyncio.create_task(self._client.post(f"/api/requests/{told['request']}/decision", json=body))
        await self._server.says("begun")

    async def outcome(self) -> Json:
        response = await self._doing
        body = response.json()
        if response.status_code == 409:
            return body | {"refused": body["code"]}
        assert response.status_code == 200, body
        given = body["decision"]
        return {"kind": given["kind"], "by": {"id": given["by"]["id"], "name": given["by"]["name"]}, "at": given["at"]}


@dataclass
class Ring:
    """A desk to prepare and to look with, and those who take part."""

    desk: Desk
    clock: FakeClock
    paper: Path
    referee: "Referee"
    hands: list[Reaches]
    workers: list[Reaches]
    tally: Counter[str] = field(default_factory=Counter[str])

    async def asked(self, wanted: Sequence[Json]) -> list[Request]:
        """The approvals that wait for each of these, on a thread of its own."""
        found: list[Request] = []
        for at in range(0, len(wanted), TOGETHER):
            for requests in await asyncio.gather(*(self._ask(one) for one in wanted[at : at + TOGETHER])):
                found += requests
        return found

    async def _ask(self, wanted: Json) -> Sequence[Request]:
        thread = await self.desk.threads.open(customer="ada")
        await self.desk.messages.post(thread.id, json.dumps(wanted), author=ADA)
        match await self.desk.respond(thread.id):
            case Paused(requests=requests):
                return requests
            case other:
                raise AssertionError(other)

    async def race(self, number: int, request: Request, told: Sequence[Json], *, now: datetime = START) -> list[Json]:
        """What came of it when each hand did what it is told for this request, beginning with another one in each round.

        Nobody can have written anything before all have begun: the referee holds the lock that they need. The clock of each shows
        a millisecond more than that of the one before it.
        """
        facts: Json = {"request": request.id, "thread": request.thread}
        async with self.referee.held(request.thread):
            for n in ((n + number) % len(told) for n in range(len(told))):
                moment = now + timedelta(seconds=number, milliseconds=n)
                await self.hands[n].begin(facts | {"now": moment.isoformat()} | told[n])
        return list(await asyncio.gather(*(hand.outcome() for hand in self.hands[: len(told)])))

    async def finish(self) -> None:
        """Let all workers work at once, until there is nothing left to do."""
        for worker in self.workers:
            await worker.begin({"do": "work"})
        await asyncio.gather(*(worker.outcome() for worker in self.workers))

    def executions(self) -> Counter[str]:
        """How often the tool ran for each request."""
        return Counter(line["request"] for line in noted(self.paper))

    def processes(self) -> int:
        """How many processes the tool ran in."""
        return len({line["pid"] for line in noted(self.paper)})


class Referee(Protocol):
    """Holds what everybody needs who wants to write to a thread."""

    def held(self, thread: str) -> AbstractAsyncContextManager[None]: ...


class FileReferee:
    """Holds the lock of the whole file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def held(self, thread: str) -> AsyncGenerator[None]:
        del thread
        self._connection.execute("BEGIN IMMEDIATE")
        yield
        self._connection.execute("ROLLBACK")


class RowReferee:
    """Holds the row of the thread."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        self._connection = connection

    @asynccontextmanager
    async def held(self, thread: str) -> AsyncGenerator[None]:
        await self._connection.execute("SELECT id FROM threads WHERE id = %s FOR UPDATE", [thread])
        yield
        await self._connection.rollback()


@asynccontextmanager
async def referee(url: str) -> AsyncGenerator[Referee]:
    """For this store."""
    if url.startswith("sqlite"):
        path = sqlite_path(url)
        assert path is not None
        with closing(sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)) as connection:
            yield FileReferee(connection)
    else:
        async with await psycopg.AsyncConnection.connect(url) as connection:
            yield RowReferee(connection)


@asynccontextmanager
async def process(url: str, paper: Path, *more: str) -> AsyncGenerator[tuple[There, str]]:
    """A hand in a process of its own, and the address where it serves, if it does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESKMATE_")}
    running = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), url, str(paper), *more, stdin=PIPE, stdout=PIPE, env=environment
    )
    try:
        hand = There(running)
        yield hand, str(await hand.says("url"))
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


@asynccontextmanager
async def ring(url: str, folder: Path, *, processes: int = 0, tasks: int = 0, web: bool = False) -> AsyncGenerator[Ring]:
    """So many processes over one store take part, and so many tasks of this one. With `web`, Ana does over HTTP what the first
    of them would do."""
    clock, paper = FakeClock(), folder / "paper.jsonl"
    async with AsyncExitStack() as stack:
        desk = Desk.open(url, agents=[refunder(paper)], settings=SETTINGS, clock=clock, work=False)
        judge = await stack.enter_async_context(referee(url))
        made = Ring(await stack.enter_async_context(desk), clock, paper, judge, [], [])
        more = ["serve"] if web else []
        theirs = await asyncio.gather(*(stack.enter_async_context(process(url, paper, *more)) for _ in range(processes)))
        made.workers = [*(hand for hand, _ in theirs), *(Here(made.desk, clock) for _ in range(tasks))]
        made.hands = list(made.workers)
        if web:
            server, address = theirs[0]
            ana = await made.desk.operators.add(name="Ana", email="ana@shop.example")
            key = await made.desk.keys.issue(operator=ana.id)
            client = await stack.enter_async_context(open_client(address, key.secret))
            # A key that is used for the first time in a while is noted down: that is over before the lock is held.
            assert (await client.get("/api/me")).status_code == 200
            made.hands[0] = OverHttp(client, server)
        yield made
