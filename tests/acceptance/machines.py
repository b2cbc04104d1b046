"""Machines: servers and workers as processes of their own over one store, which a test kills, freezes and starts again."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.doors import ADMIN_KEY, PATIENCE, Front, Json, Person, open_client

HERE = Path(__file__).parent
READY = "Ctrl-C stops."


@dataclass
class Machine:
    """One process. It can be started again after its end, with the same words, and then listens on the same port."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    url: str | None = None
    process: Process | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "deskmate", *self.arguments,
                cwd=HERE, env=dict(self.environment), stdout=PIPE, stderr=log, stdin=DEVNULL,
            )  # fmt: skip
        assert self.process.stdout is not None
        said = ""
        while READY not in said:
            line = (await asyncio.wait_for(self.process.stdout.readline(), PATIENCE * 3)).decode()
            assert line, f"it ended: {said} {self.log.read_text()}"
            said += line

    def send(self, sign: int) -> None:
        if self.process is not None and self.process.returncode is None:
            os.kill(self.process.pid, sign)

    async def end(self, sign: int = signal.SIGKILL) -> None:
        """Send the signal and wait for the end."""
        self.send(sign)
        assert self.process is not None
        await asyncio.wait_for(self.process.wait(), PATIENCE)


@dataclass
class Machines:
    """Servers that only serve, and workers that only work, over one store."""

    servers: list[Machine]
    workers: list[Machine]
    log: Path
    _people: list[Person] = field(default_factory=list)

    @property
    def all(self) -> list[Machine]:
        return [*self.servers, *self.workers]

    def lines(self) -> list[Json]:
        """What the agents have left outside of the desk."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    async def line(self, key: str, value: object) -> Json:
        """The first line of an agent with this key and value."""
        async with asyncio.timeout(PATIENCE):
            while not (found := [line for line in self.lines() if line.get(key) == value]):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.01)
        return found[0]

    def worker_of(self, pid: int) -> Machine:
        return next(worker for worker in self.workers if worker.pid == pid)

    def admin(self, server: int = 0) -> Person:
        return self._keep(Person(open_client(self.url(server), ADMIN_KEY), "admin key", "admin key"))

    def at(self, person: Person, server: int) -> Person:
        """The same person at another server."""
        token = person.client.headers["Authorization"].removeprefix("Bearer ")
        return self._keep(Person(open_client(self.url(server), token), person.id, person.name))

    async def visitor(self, server: int = 0) -> Person:
        """An anonymous customer."""
        return self._keep(await Front(self.url(server), self.admin(server)).visitor())

    async def operator(self, name: str, server: int = 0) -> Person:
        """Somebody of the team."""
        return self._keep(await Front(self.url(server), self.admin(server)).operator(name))

    def url(self, server: int) -> str:
        return f"http://127.0.0.1:{self.servers[server].arguments[-1]}"

    def _keep(self, person: Person) -> Person:
        self._people.append(person)
        return person

    async def close(self) -> None:
        for person in self._people:
            await person.client.aclose()
        for machine in self.all:
            if machine.process is not None:
                machine.send(signal.SIGCONT)
                await machine.end()


@asynccontextmanager
async def machines(
    store_url: str, folder: Path, *, agent: str, servers: int = 2, workers: int = 2, lease: int = 1
) -> AsyncIterator[Machines]:
    """Started machines, for the time of the block. `lease` is in seconds."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DESKMATE_")}
    environment = kept | {
        "DESKMATE_ADMIN_KEY": ADMIN_KEY, "DESKMATE_RATE_LIMITS": "off", "DESKMATE_LEASE_SECONDS": str(lease),
        "AGENT_LOG": str(folder / "agents.jsonl"),
    }  # fmt: skip
    common = ("--store", store_url, "--agent", f"machine_agents:{agent}")
    made = Machines(
        [
            Machine(("serve", "--no-work", *common, "--port", str(free_port())), environment, folder / f"server{n}.log")
            for n in range(servers)
        ],
        [Machine(("worker", *common), environment, folder / f"worker{n}.log") for n in range(workers)],
        folder / "agents.jsonl",
    )
    try:
        await asyncio.gather(*(machine.start() for machine in made.all))
        yield made
    finally:
        await made.close()


def free_port() -> int:
    """A port that nobody listens on now: a machine that is started again must be found where it was."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def complaints(machine: Machine) -> list[str]:
    """What a machine has said in anger."""
    return re.findall(
        r"^.*(?:Traceback|ERROR|CRITICAL).*$", machine.log.read_text() if machine.log.exists() else "", re.MULTILINE
    )
