"""A world for the ledger: processes on one store that stand still, are killed and come back, and the agent they all run.

Everything that a tool does is counted here, outside of the desk.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from tests.store.ledger_peek import Peek, peek

from deskmate import Approval, Ask, Desk, Question, Step, Text, ToolCall, ToolResult
from deskmate.config import Settings
from deskmate.domain.agents import Approved, Delta, Output, Turn
from deskmate.domain.requests import RequestKind
from deskmate.store.base import Body, Store, T
from deskmate.testing import FakeClock, FakeEntropy, ScriptedAgent, say

LEASE = timedelta(seconds=60)
PATIENCE = 10.0
"""Real seconds after which something that should have come to an end counts as stuck."""
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "maximum": 9}},
    "required": ["n"],
    "additionalProperties": False,
}

Where = Literal["thinking", "before", "after"]
"""Where a process stands still: while the agent thinks, before a tool takes effect, or after."""
Ends = Literal["done", "raises", "error", "cheats", "caught"]
"""What a tool does when it runs; `cheats` runs it with other arguments than the approved ones."""


class PowerCut(Exception):
    """This process is no more."""


class Power:
    """The store of a process that can be cut off: from then on nothing of it reaches the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.left: int | None = None
        """How many writes are still to reach the store; None is no limit."""
        self.unheard = False
        """Whether the last of them is not answered any more."""
        self.awake = asyncio.Event()
        """While a process stands still, all of it does: also what it does in the background."""
        self.awake.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        await self.awake.wait()
        if self.left == 0:
            raise PowerCut
        if self.left is not None and not aside:
            self.left -= 1
        value = await self._store.write(body, aside=aside)
        if self.left == 0 and self.unheard:
            raise PowerCut
        return value

    async def read(self, body: Body[T]) -> T:
        await self.awake.wait()
        if self.left == 0:
            raise PowerCut
        return await self._store.read(body)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call that an agent makes. A `sibling` needs nobody: the agent runs it itself."""

    kind: Literal["question", "escalation", "approval", "sibling"]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    ends: Ends = "done"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an agent does with a message: ask people, once for each round, and then end."""

    rounds: tuple[tuple[Wanted, ...], ...] = ()
    last: Literal["reply", "stream", "fail", "silence"] = "reply"


class World:
    """One store, a clock, and two processes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = FakeClock()
        self.entropy = FakeEntropy()
        self.peek: Peek = peek(url)
        self.plans: dict[str, Plan] = {}
        self.plan_of_run: dict[str, Plan] = {}
        self.wanted: dict[str, Wanted] = {}
        self.executed: dict[str, list[Mapping[str, object]]] = {}
        self.turns: list[Turn] = []
        self.processes = (Process(self, "one"), Process(self, "two"))
        self.standing: list[Standing] = []
        """Processes that stand still; others have taken their place."""

    async def begin(self) -> None:
        """Start both processes."""
        for process in self.processes:
            await process.boot()

    async def end(self) -> None:
        """Everything stops."""
        for standing in self.standing:
            await standing.kill()
        for process in self.processes:
            await process.kill()
        self.peek.close()


@dataclass(frozen=True, slots=True)
class Standing:
    """A process in the middle of something, for a long time."""

    desk: Desk
    power: Power
    task: "asyncio.Task[object]"
    gate: "asyncio.Future[None]"

    async def come_back(self, *, stopping: bool) -> None:
        """It goes on to the end of what it was doing, or is told to stop: what it has begun, it brings to its end."""
        self.power.awake.set()
        if stopping:
            self.task.cancel()
            await asyncio.sleep(0.001)
        if not self.gate.done():
            self.gate.set_result(None)
        done, _ = await asyncio.wait({self.task}, timeout=PATIENCE)
        assert done, "a process is stuck after it came back"
        if not self.task.cancelled() and (error := self.task.exception()) is not None:
            raise error
        await self.desk.close()

    async def kill(self) -> None:
        """It ends where it stands: the tool that it has not run yet takes no effect."""
        self.power.left = 0
        self.power.awake.set()
        if not self.gate.done():
            self.gate.set_exception(PowerCut())
        self.task.cancel()
        await asyncio.wait({self.task}, timeout=PATIENCE)
        await self.desk.close()


class Process:
    """A desk, as a process would have it."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.desk: Desk
        self.power: Power
        self.halt: Where | None = None
        """Where this process will stand still, once."""
        self._gate: asyncio.Future[None] | None = None
        self._reached = asyncio.Event()

    async def boot(self) -> None:
        """Start."""
        world = self.world
        settings = Settings(store=world.url, sqlite_synchronous="off", lease_seconds=LEASE.total_seconds())
        agent = ScriptedAgent(self.script)
        self.desk = Desk(agents=[agent], settings=settings, clock=world.clock, entropy=world.entropy)
        opened = self.desk._store  # pyright: ignore[reportPrivateUsage]
        self.power = Power(opened._store)  # pyright: ignore[reportPrivateUsage]
        opened._store = self.power  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        await self.desk.ensure_open()

    async def work(self, verb: Any, *, halt: Where | None = None) -> bool:
        """Do this, until it is done or stands still; tells whether it is done. Raises what it raises.

        Another process takes the place of one that stands still.
        """
        self.halt, self._gate, self._reached = halt, None, asyncio.Event()
        task: asyncio.Task[object] = asyncio.ensure_future(verb)
        reached = asyncio.ensure_future(self._reached.wait())
        done, _ = await asyncio.wait({task, reached}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        self.halt = None
        assert done, f"process {self.name} is stuck"
        if task in done:
            task.result()
            return True
        assert self._gate is not None
        engine = self.desk._background.engine  # pyright: ignore[reportPrivateUsage]
        async with asyncio.timeout(PATIENCE):
            # What it was doing beside that comes to its end first; an engine tells nobody when.
            while len(engine._working) > 1:  # noqa: ASYNC110  # pyright: ignore[reportPrivateUsage]
                await asyncio.sleep(0.001)
        self.power.awake.clear()
        self.world.standing.append(Standing(self.desk, self.power, task, self._gate))
        await self.boot()
        return False

    async def stop(self) -> None:
        """End as a process should."""
        await self.desk.close()

    async def kill(self) -> None:
        """End at once: nothing more of it reaches the store."""
        self.power.left = 0
        await self.desk.close()

    async def _pass(self, where: Where) -> None:
        if self.halt != where:
            return
        self.halt = None
        self._gate = asyncio.get_running_loop().create_future()
        self._reached.set()
        await self._gate

    async def script(self, turn: Turn) -> AsyncIterator[Output]:
        """What the agent does, wherever it runs."""
        world, power = self.world, self.power
        world.turns.append(turn)
        plan = world.plan_of_run.setdefault(turn.run, world.plans.get(turn.thread, Plan()))
        rounds = world.peek.rounds(turn.run)
        await self._pass("thinking")
        for approved in turn.approved:
            await self._apply(turn, approved, power)
        if rounds < len(plan.rounds):
            yield self._ask(turn, rounds, plan.rounds[rounds])
            return
        match plan.last:
            case "reply":
                yield say(f"Reply of {turn.run}")
            case "stream":
                yield Delta(text="Reply ")
                yield Delta(text="in pieces")
                yield say("Reply in pieces")
            case "fail":
                raise RuntimeError("the model is ill")
            case "silence":
                return

    def _ask(self, turn: Turn, number: int, wants: Sequence[Wanted]) -> Ask:
        """One round of calls: what they need, and the results of those that need nobody."""
        requests: list[Question | Approval] = []
        parts: list[Text | ToolCall] = [Text(text="Let me see.")] if number == 0 else []
        results: list[Step] = []
        for place, wanted in enumerate(wants):
            call = f"{turn.run}/{number}.{place}"
            self.world.wanted[call] = wanted
            match wanted.kind:
                case "question" | "escalation":
                    parts.append(ToolCall(call_id=call, tool="ask_human", input={}))
                    requests.append(Question(call_id=call, question="May I?", kind=RequestKind(wanted.kind), **wanted.settings))
                case "approval":
                    parts.append(ToolCall(call_id=call, tool="refund", input={"n": place}))
                    requests.append(Approval(call_id=call, **wanted.settings))
                case "sibling":
                    parts.append(ToolCall(call_id=call, tool="look_up", input={}))
                    results.append(Step(role="tool", parts=(ToolResult(call_id=call, tool="look_up", output="found"),)))
        return Ask(step=Step(role="assistant", parts=tuple(parts)), requests=tuple(requests), results=tuple(results))

    async def _apply(self, turn: Turn, approved: Approved, power: Power) -> None:
        ends = self.world.wanted[approved.call_id].ends
        args = {"n": 99} if ends == "cheats" else approved.args

        async def execute() -> ToolResult:
            await self._pass("before")
            if power.left == 0:
                raise PowerCut
            self.world.executed.setdefault(approved.request, []).append(args)
            await self._pass("after")
            if ends in ("raises", "caught"):
                raise RuntimeError("the bank is closed")
            return ToolResult(call_id=approved.call_id, tool="refund", output="done", is_error=ends == "error")

        try:
            await turn.apply(approved, args, execute)
        except RuntimeError:
            if ends != "caught":
                raise
