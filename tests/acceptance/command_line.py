"""The command line as the tests use it: commands that run to their end, and servers that are told to stop."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

PROGRAM = (sys.executable, "-m", "deskmate")
NO_PROXY = {"trust_env": False, "timeout": 10.0}
STARTED = "Ctrl-C stops."


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """That of the tests, without settings of ours; caches are kept in this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DESKMATE_", "OPENAI_"))}
    return kept | {"XDG_CACHE_HOME": str(folder / "cache")} | dict(extra or {})


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of an error. Fails when there is more, or less."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.strip()


@dataclass
class Server:
    process: subprocess.Popen[str]
    said: list[str]

    @property
    def url(self) -> str:
        found = re.search(r"(http://\S+)/chat", "\n".join(self.said))
        assert found is not None, self.said
        return found[1]

    def stop(self, sign: int = signal.SIGTERM) -> float:
        """Send the signal; returns how many seconds the process took to end."""
        began = time.monotonic()
        self.process.send_signal(sign)
        self.process.wait(30)
        return time.monotonic() - began


def reply(customer: httpx.Client, text: str, *, kind: str) -> str:
    """Ask on a new thread; the first finished message of this kind of author."""
    thread = customer.post("/api/threads", json={}).json()["id"]
    with customer.stream("GET", "/api/events", params={"thread": thread, "after": 0}) as events:
        customer.post(f"/api/threads/{thread}/messages", json={"text": text})
        for line in events.iter_lines():
            message = json.loads(line[6:]).get("data", {}).get("message") if line.startswith("data: {") else None
            if message and message["author"]["kind"] == kind and message["status"] == "success":
                return message["text"]
    raise AssertionError("the stream ended without a reply")
