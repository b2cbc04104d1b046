"""Hands on a desk, in the test's own process or in one of their own: `python ledger_process.py STORE PAPER [serve]`.

A hand does what a test tells it: one JSON line for each thing on its standard input. It answers with a line when it begins, and
with another one for what came of it. Its tool leaves one line on a paper outside of every store: nothing that a desk remembers,
or forgets, changes how often it ran.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from deskmate import Approval, Ask, Desk, NewDecision, Request, Role, Settings, Step, ToolCall, ToolResult
from deskmate.domain.actors import Actor, AuthorKind, customer
from deskmate.domain.agents import Approved, Output, Turn
from deskmate.domain.messages import Visibility
from deskmate.domain.requests import DecisionKind
from deskmate.errors import DeskmateError
from deskmate.testing import FakeClock, ScriptedAgent, answers_to, say

Json = dict[str, Any]
ADMIN_KEY = "the-admin-key-of-these-tests"
SETTINGS = Settings(admin_key=ADMIN_KEY, rate_limits=False, sqlite_synchronous="off")
ADA = customer("ada", "Ada")
NEVER_MIND, ALL_RIGHT = "Never mind.", "All right."


def person(name: str, role: Role = Role.OPERATOR) -> Actor:
    """Somebody of the team."""
    return Actor(kind=AuthorKind.OPERATOR, id=name.lower(), name=name, role=role)


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def note(paper: Path, **facts: object) -> None:
    """One line on the paper, whole, whoever else writes."""
    paper_fd = os.open(paper, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(paper_fd, f"{json.dumps(facts)}\n".encode())
    os.close(paper_fd)


def noted(paper: Path) -> list[Json]:
    """What stands on the paper."""
    return [json.loads(line) for line in paper.read_text().splitlines()] if paper.exists() else []


def refunder(paper: Path) -> ScriptedAgent:
    """An agent that wants to pay money back, in as many calls as the customer says, each of which people have to approve.

    The customer speaks JSON: the number of `calls`, the `hours` until nobody may decide any more, whatever an Approval knows.
    When it goes on it says what came of each call.
    """

    async def refund(approved: Approved) -> ToolResult:
        note(paper, request=approved.request, pid=os.getpid())
        return ToolResult(call_id=approved.call_id, tool=approved.tool, output="paid")

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if turn.resumed:
            done = [await turn.apply(approved, approved.args, partial(refund, approved)) for approved in turn.approved]
            results = sorted((*answers_to(turn), *done), key=lambda result: result.call_id)
            yield say(", ".join(str(result.reason if result.denied else result.output) for result in results))
        elif turn.prompt_text == NEVER_MIND:
            yield say(ALL_RIGHT)
        else:
            wanted: Json = {"calls": 1} | json.loads(turn.prompt_text)
            calls = tuple(ToolCall(call_id=f"{turn.run}/{n}", tool="refund", input={"n": n}) for n in range(wanted.pop("calls")))
            if "hours" in wanted:
                wanted["expires_in"] = timedelta(hours=wanted.pop("hours"))
            step = Step(role="assistant", parts=calls)
            yield Ask(step=step, requests=tuple(Approval(call_id=call.call_id, **wanted) for call in calls))

    return ScriptedAgent(script)


class Hand:
    """Does one thing on a desk, and says how it went."""

    def __init__(self, desk: Desk, clock: FakeClock) -> None:
        self._desk = desk
        self._clock = clock

    async def do(self, told: Json, began: Callable[[], None]) -> Json:
        if "now" in told:
            self._clock.set(datetime.fromisoformat(told["now"]))
        began()
        try:
            return await self._do(told)
        except DeskmateError as error:
            return {"refused": error.code, "status": error.status, **error.facts}

    async def _do(self, told: Json) -> Json:
        match told["do"]:
            case "look and approve":
                me = person(told["by"])
                await self._desk.requests.get(told["request"], by=me)
                await self._desk.messages.history(told["thread"], by=me)
                await self._desk.messages.post(told["thread"], "I see.", author=me, visibility=Visibility.NOTE)
                return await self._do(told | {"do": "approve"})
            case "approve" | "reject" as kind:
                decision = NewDecision(kind=DecisionKind(kind), reason="too much" if kind == "reject" else None)
                return decided(await self._desk.requests.decide(told["request"], decision, by=person(told["by"])))
            case "respond":
                return {"outcome": type(await self._desk.respond(told["thread"])).__name__}
            case "never mind":
                await self._desk.messages.post(told["thread"], NEVER_MIND, author=ADA)
                return {"outcome": type(await self._desk.respond(told["thread"])).__name__}
            case "work":
                return {"jobs": await self._desk.run_due()}
            case other:
                raise ValueError(other)


def decided(request: Request) -> Json:
    """What the winner knows."""
    given = request.decision
    assert given is not None
    return {"kind": given.kind, "by": {"id": given.by.id, "name": given.by.name}, "at": given.at.isoformat()}


async def main(store: str, paper: Path) -> None:
    clock = FakeClock()
    async with Desk.open(store, agents=[refunder(paper)], settings=SETTINGS, clock=clock, work=False) as desk:
        async with AsyncExitStack() as stack:
            tell(url=await stack.enter_async_context(serving(desk)) if "serve" in sys.argv[3:] else None)
            lines, hand = asyncio.StreamReader(), Hand(desk, clock)
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
            while line := await lines.readline():
                tell(done=await hand.do(json.loads(line), lambda: tell(begun=True)))


@asynccontextmanager
async def serving(desk: Desk) -> AsyncGenerator[str]:
    """The desk behind a port. What comes over HTTP begins when it has found its way to the desk."""
    import uvicorn
    from ports import open_port

    from deskmate.server.application import create_app

    decide = desk.requests.decide

    async def announced(id: str, decision: NewDecision, *, by: Actor) -> Request:
        if by.channel == "api":
            tell(begun=True)
        return await decide(id, decision, by=by)

    listening = open_port()
    server = uvicorn.Server(uvicorn.Config(create_app(desk, work=False), log_level="warning", ws="none"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    with patch.object(desk.requests, "decide", announced):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await running


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
