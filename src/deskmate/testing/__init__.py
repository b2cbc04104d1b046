"""For tests of programs that use Deskmate: time that moves when told to, chance that repeats itself, and agents on a leash."""

import asyncio
import hashlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from deskmate.app import Desk
from deskmate.domain.agents import Approval, Approved, Ask, Delta, Output, Question, Step, Turn
from deskmate.domain.messages import Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_ai.messages import ModelMessage, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, DeltaToolCalls, FunctionModel

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
"""Where a fake clock starts: a Monday morning."""


class FakeClock:
    """A clock that stands still until it is advanced. Call it for the time."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def __call__(self) -> datetime:
        return self._at

    def advance(self, by: timedelta | None = None, /, *, seconds: float = 0.0) -> datetime:
        """Move on, by a span or by seconds; returns the new time."""
        self._at += (by or timedelta()) + timedelta(seconds=seconds)
        return self._at

    def set(self, at: datetime) -> None:
        """Go to this time."""
        self._at = at


async def pass_time(desk: Desk, clock: FakeClock, by: timedelta | None = None, /, *, seconds: float = 0.0) -> datetime:
    """Let time pass on a desk that has this clock: every timer goes off at its own time, and has been dealt with on return."""
    end = clock() + (by or timedelta()) + timedelta(seconds=seconds)
    while (due := await desk.next_due()) is not None and due <= end:
        clock.set(max(due, clock()))
        if not await desk.run_due() and await desk.next_due() == due:
            break  # Somebody else holds what is due.
    clock.set(end)
    return end


class FakeEntropy:
    """Random-looking bytes that are the same in every run of the same program. Never for secrets. Call it with a length."""

    def __init__(self, seed: str = "deskmate") -> None:
        self._seed = seed
        self._calls = 0
        self._lock = threading.Lock()

    def __call__(self, length: int) -> bytes:
        with self._lock:
            self._calls += 1
            call = self._calls
        return hashlib.shake_128(f"{self._seed}/{call}".encode()).digest(length)


class Gate:
    """Holds a script back until the test lets it go on: some passages at a time, or for good."""

    def __init__(self) -> None:
        self._passages = asyncio.Semaphore(0)
        self._open = False
        self._reached = 0
        self._arrival = asyncio.Event()

    def release(self, passages: int = 1) -> None:
        """Let this many through, those who wait first."""
        for _ in range(passages):
            self._passages.release()

    def open(self) -> None:
        """Let everybody through from now on."""
        self._open = True
        self._passages.release()

    async def passage(self) -> None:
        """Wait to be let through."""
        self._reached += 1
        self._arrival.set()
        if not self._open:
            await self._passages.acquire()
        if self._open:
            self._passages.release()

    async def reached(self, times: int = 1) -> None:
        """Wait until the gate has been asked for passage this many times, since it was made."""
        while self._reached < times:
            self._arrival.clear()
            await self._arrival.wait()


Script = Callable[[Turn], AsyncIterator[Output]]
"""What an agent does with a turn: an async generator function."""


class ScriptedAgent:
    """An agent that does what the test tells it to, and remembers what it was given.

    `script` may be exchanged at any time; a run that has begun keeps the one it began with. `turns` are the turns it was given,
    one for each attempt of each run; `stopped` are the runs whose task was cancelled, for example by a takeover.
    """

    def __init__(self, script: Script | None = None, *, name: str = "scripted") -> None:
        self.script: Script = script or echo
        self.turns: list[Turn] = []
        self.stopped: list[str] = []
        self.ended: list[str] = []
        self._name = name
        self._news = asyncio.Condition()

    @property
    def name(self) -> str:
        """The name the desk knows it by."""
        return self._name

    @property
    def provider_names(self) -> Mapping[str, str]:
        """Who pays for it: nobody."""
        return {"provider": "scripted", "model": self._name}

    async def run(self, turn: Turn) -> AsyncIterator[Output]:
        """Follow the script."""
        self.turns.append(turn)
        await self._tell()
        outputs, whole = self.script(turn), False
        try:
            async for output in outputs:
                whole = isinstance(output, Ask) or (isinstance(output, Step) and output.final)
                yield output
        except (asyncio.CancelledError, GeneratorExit):
            (self.ended if whole else self.stopped).append(turn.run)
            raise
        else:
            self.ended.append(turn.run)
        finally:
            if isinstance(outputs, AsyncGenerator):
                await outputs.aclose()
            await asyncio.shield(self._tell())

    async def given(self, turns: int) -> Turn:
        """Wait until the agent has been given this many turns; returns the last of them."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.turns) >= turns)
        return self.turns[turns - 1]

    async def over(self, run: str) -> None:
        """Wait until the agent has nothing more to do with this run, because it came to its end or was stopped."""
        async with self._news:
            await self._news.wait_for(lambda: run in self.stopped or run in self.ended)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


async def echo(turn: Turn) -> AsyncIterator[Output]:
    """Says back what the customer said."""
    yield say(f"You said: {turn.prompt_text}")


def say(text: str, *, final: bool = True) -> Step:
    """A whole message, by default the last one of its run."""
    return Step(role="assistant", parts=(Text(text=text),), provider="scripted", model="scripted", final=final)


def streaming(text: str, gate: Gate | None = None) -> Script:
    """A script that says a text word by word, each word through the gate, and then as a whole."""

    async def script(_: Turn) -> AsyncIterator[Output]:
        for number, word in enumerate(text.split(" ")):
            if gate is not None:
                await gate.passage()
            yield Delta(text=word if number == 0 else f" {word}")
        if gate is not None:
            await gate.passage()
        yield say(text)

    return script


def failing(error: Exception) -> Script:
    """A script that fails."""

    async def script(_: Turn) -> AsyncIterator[Output]:
        raise error
        yield  # A generator without a yield is none.

    return script


def asking(*questions: str, notice: str | None = None, then: Script | None = None) -> Script:
    """A script that asks people and then passes their answers on in one message, naming each of them.

    Without questions it asks what the customer asked. `then` is what it does instead of passing the answers on.
    """

    async def script(turn: Turn) -> AsyncIterator[Output]:
        answers = answers_to(turn)
        if not answers:
            yield ask(*(questions or (turn.prompt_text,)), turn=turn, notice=notice)
        elif then is not None:
            async for output in then(turn):
                yield output
        else:
            yield say(" ".join(_passed_on(answer) for answer in answers))

    return script


def calling(
    tool: str, args: Mapping[str, object], run: Callable[[Mapping[str, object]], Awaitable[object]], **settings: Any
) -> Script:
    """A script that calls a tool which people have to approve, and then says what came of it.

    `run` is the tool: it is given the approved arguments. `settings` are those of `Approval`, such as `risk` or `approvers`.
    """

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if not turn.resumed:
            call = ToolCall(call_id=f"{turn.run}/1", tool=tool, input=dict(args))
            asked = Approval(call_id=call.call_id, **settings)
            yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,))
            return
        done = [await turn.apply(approved, approved.args, partial(_run, approved, run)) for approved in turn.approved]
        results = (*answers_to(turn), *done)
        yield say(" ".join(map(_came_of, results)) or "Nothing was done.")

    return script


Reply: TypeAlias = "Callable[[Any], str | ToolCallPart | BaseModel]"
"""What a scripted model makes of the last thing it was told: words, a call of a tool, or an answer of the agent's output type."""


def scripted_model(reply: Reply, *, name: str = "scripted") -> "FunctionModel":
    """A model for a Pydantic AI agent that replies with what this function makes of the last thing it was told.

    That is a text (what the customer wrote, or a note of the desk) or, after a call, the result of its tool. Such a model has no
    memory, so a run may go on in another process. Tests and examples need neither a provider nor a key with it.
    """
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import DeltaToolCall, FunctionModel

    def part(messages: "list[ModelMessage]", info: "AgentInfo") -> "TextPart | ToolCallPart":
        match reply(_last_told(messages)):
            case str(words):
                return TextPart(words)
            case ToolCallPart() as call:
                return call
            case answer:
                return ToolCallPart(info.output_tools[0].name, answer.model_dump(mode="json"))

    def whole(messages: "list[ModelMessage]", info: "AgentInfo") -> ModelResponse:
        return ModelResponse(parts=[part(messages, info)])

    async def streamed(messages: "list[ModelMessage]", info: "AgentInfo") -> "AsyncIterator[str | DeltaToolCalls]":
        match part(messages, info):
            case ToolCallPart() as call:
                yield {0: DeltaToolCall(call.tool_name, call.args_as_json_str(), tool_call_id=call.tool_call_id)}
            case TextPart(content=words):
                for number, word in enumerate(words.split(" ")):
                    yield word if number == 0 else f" {word}"

    return FunctionModel(whole, stream_function=streamed, model_name=name)


def _last_told(messages: "list[ModelMessage]") -> Any:
    from pydantic_ai.messages import SystemPromptPart, ToolReturnPart, UserPromptPart

    for message in reversed(messages):
        for part in reversed(message.parts):
            if isinstance(part, SystemPromptPart | UserPromptPart | ToolReturnPart):
                return part.content
    return ""


async def _run(approved: Approved, run: Callable[[Mapping[str, object]], Awaitable[object]]) -> ToolResult:
    return ToolResult(call_id=approved.call_id, tool=approved.tool, output=await run(approved.args))


def _came_of(result: ToolResult) -> str:
    return f"Not done: {result.reason}" if result.denied else f"Done: {result.output}"


def ask(*questions: str, turn: Turn, notice: str | None = None) -> Ask:
    """What a run yields to ask people these questions, all at once."""
    calls = [ToolCall(call_id=f"{turn.run}/{n}", tool="ask_human", input={"question": q}) for n, q in enumerate(questions, 1)]
    asked = [Question(call_id=call.call_id, question=question) for call, question in zip(calls, questions, strict=True)]
    return Ask(step=Step(role="assistant", parts=tuple(calls)), requests=tuple(asked), notice=notice)


def answers_to(turn: Turn) -> tuple[ToolResult, ...]:
    """What people have answered to the questions of this run."""
    parts = [part for message in turn.history for part in message.parts]
    return tuple(part for part in parts if isinstance(part, ToolResult) and part.call_id.startswith(f"{turn.run}/"))


def _passed_on(answer: ToolResult) -> str:
    who = answer.by.name if answer.by is not None else "Nobody"
    return f"{who} cannot say: {answer.reason}" if answer.denied else f"{who} says: {answer.output}"
