"""Processes that are killed while they go on with an approved run: `python ledger_killed.py STORE PAPER POINT`.

For each thread that it is told, one line each, it forks a process that goes on with that thread's run until it stands at the
point. That process then says so and moves no more: whoever reads this can kill it there, and nowhere else. Told `*`, it forks a
worker, which stands there with every run there is.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

if __name__ == "__main__":
    from ledger_process import note, person, tell
else:
    from tests.acceptance.ledger_process import note, person, tell

from deskmate import Approval, Ask, Desk, Role, Settings, Step, ToolCall, ToolResult
from deskmate.domain.agents import Approved, Delta, Output, Turn
from deskmate.services.applying import Applier
from deskmate.services.live import Piece
from deskmate.testing import ScriptedAgent, answers_to, say

Point = Literal[
    "before the tool",
    "in the tool",
    "in the second tool",
    "before the record",
    "before its commit",
    "after the record",
    "in the model",
]
Stand = Callable[[Point, str], Awaitable[None]]
SETTINGS = Settings(lease_seconds=1, sqlite_synchronous="off")
ALL = "*"
LEA = person("Lea", Role.LEAD)


async def _pass(point: Point, thread: str) -> None:
    """Go on."""
    del point, thread


def refunder(paper: Path, stand: Stand = _pass) -> ScriptedAgent:
    """An agent that calls a tool as often as the customer says, which people have to approve.

    The executions of the tool, and the calls of the model after that, stand on the paper.
    """

    async def refund(approved: Approved, thread: str) -> ToolResult:
        await stand("before the tool", thread)
        note(paper, ran=approved.request, pid=os.getpid())
        await stand("in the second tool" if approved.args["n"] == 1 else "in the tool", thread)
        return ToolResult(call_id=approved.call_id, tool=approved.tool, output="paid")

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if not turn.resumed and turn.prompt_text == "0":
            yield say("Hello.")
            return
        if not turn.resumed:
            calls = tuple(
                ToolCall(call_id=f"{turn.run}/{n}", tool="refund", input={"n": n}) for n in range(int(turn.prompt_text))
            )
            step = Step(role="assistant", parts=calls)
            yield Ask(step=step, requests=tuple(Approval(call_id=call.call_id) for call in calls))
            return
        done = [await turn.apply(approved, approved.args, partial(refund, approved, turn.thread)) for approved in turn.approved]
        await stand("after the record", turn.thread)
        results = sorted((*answers_to(turn), *done), key=lambda result: result.call_id)
        shown = [str(result.reason if result.denied else result.output) for result in results]
        note(paper, model=turn.thread, shown=shown)
        yield Delta(text="I can tell you ")
        await stand("in the model", turn.thread)
        yield say(f"I can tell you: {', '.join(shown)}")

    return ScriptedAgent(script)


async def go_on(store: str, paper: Path, point: Point, thread: str) -> None:
    """Go on with the run of a thread, until it stands at the point."""

    async def stand(here: Point, on: str) -> None:
        if here == point:
            if here == "in the model":
                await heard(on)
            tell(at=here, pid=os.getpid())
            await asyncio.Event().wait()

    async def heard(on: str) -> None:
        """The words of the model have begun to be seen."""
        async for seen in desk.feed.follow(by=LEA, after=0, thread=on):
            if isinstance(seen, Piece):
                return

    record = Applier._record  # pyright: ignore[reportPrivateUsage]

    async def recorded(self: Applier, *args: Any) -> ToolResult:
        """In the transaction of the record: nobody but the killer ends it."""
        if point == "before its commit":
            await record(self, *args)
        if point in ("before the record", "before its commit"):
            tell(at=point, pid=os.getpid())
            threading.Event().wait()
        return await record(self, *args)

    desk = Desk(store, agents=[refunder(paper, stand)], settings=SETTINGS)
    with patch.object(Applier, "_record", recorded):
        if thread == ALL:
            desk.work()
            await asyncio.Event().wait()
        await desk.respond(thread)
    tell(at="the end", pid=os.getpid())


def main(store: str, paper: Path, point: Point) -> None:
    tell(ready=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asyncio.run(go_on(store, paper, point, line.strip()))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        tell(killed=os.WTERMSIG(status))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])  # pyright: ignore[reportArgumentType]
