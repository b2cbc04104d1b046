"""AskHuman: the tool with which an agent asks a person, in a desk's run (the run pauses) or in any program (the call waits)."""

from contextvars import ContextVar
from dataclasses import KW_ONLY, dataclass, field
from datetime import timedelta
from typing import Any, Literal, Protocol, cast

from pydantic_ai import AbstractToolset, CallDeferred, FunctionToolset, ModelRetry, RunContext, Tool
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolDefinition

from deskmate.domain.agents import Question, Turn
from deskmate.domain.messages import ToolResult
from deskmate.domain.requests import DecisionKind, Request, RequestState
from deskmate.errors import Misconfigured
from deskmate.runners.pydantic_ai.history import denial

Urgency = Literal["low", "normal", "high", "urgent"]

RUN_MARK = "deskmate.run"
"""The key in a run's metadata that says: this very run is the desk's, it can pause. An agent that is called by a tool of that run
has no such mark; nobody could resume it, so its questions wait inline."""

METADATA = "deskmate.ask_human"

current_turn: ContextVar[Turn | None] = ContextVar("deskmate_turn", default=None)
"""The turn this task works on: an inline question asked below a desk's run belongs to the thread of that run."""

keeper: ContextVar[AbstractCapability[Any] | None] = ContextVar("deskmate_keeper", default=None)
"""What a desk's run has the AskHuman do that stands last in its agent. A capability of its own for each run would say the same,
but an agent whose runs bring capabilities is put together anew at every run, which takes as long as a short run itself."""

DAY = timedelta(hours=24)


class Requests(Protocol):
    """The two verbs of `desk.requests` that are needed here."""

    async def ask(
        self,
        question: str,
        /,
        *,
        thread: str | None = None,
        agent_name: str = ...,
        reason: str | None = None,
        suggestion: str | None = None,
        queue: str | None = None,
        urgency: str = "normal",
        expires_in: timedelta | None = ...,
    ) -> Request: ...

    async def wait(self, id: str, /, *, timeout: float | None = None) -> Request: ...


class AskedDesk(Protocol):
    """A desk, as far as asking goes. It may not have been opened yet."""

    @property
    def requests(self) -> Requests: ...

    async def ensure_open(self) -> object: ...


@dataclass
class AskHuman(AbstractCapability[Any]):
    """Gives the model a tool to ask a person: `Agent(..., capabilities=[AskHuman(desk)])`.

    In a plain `agent.run(...)` the question is opened on the desk and the call waits for the answer, over processes. In a run
    of the desk itself the run pauses instead, and the answer resumes it; no desk is needed for that. Several with different
    names may stand side by side, for instance one per queue.
    """

    desk: AskedDesk | None = None
    _: KW_ONLY
    name: str = "ask_human"
    queue: str | None = None
    """The queue whose operators see the question; None lets the desk choose."""
    thread: str | None = None
    """Where an inline question is put; None opens a thread without a customer for each question."""
    expires_in: timedelta | None = DAY
    """How long an inline question stays open; None waits for ever."""
    agent_name: str | None = None
    """Who asks, when inline; None takes the agent's name."""
    _toolset: AbstractToolset[Any] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def get_serialization_name(cls) -> str | None:
        """Not to be built from a file: it holds a desk."""
        return None

    def get_toolset(self) -> AbstractToolset[Any] | None:
        """The one tool. Pydantic AI asks for it at every run, and reading a signature takes longer than storing an answer."""
        if self._toolset is None:
            self._toolset = FunctionToolset([Tool(self._ask, name=self.name, description=DESCRIPTION, takes_ctx=False)])
        return self._toolset

    async def before_run(self, ctx: RunContext[Any]) -> None:
        """Say at once, not when the model first asks, that nobody could answer."""
        if self.desk is None and not in_desk_run(ctx):
            raise Misconfigured("outside of desk.respond, AskHuman needs a desk: AskHuman(desk)", field="desk")

    async def _ask(
        self, question: str, context: str | None = None, urgency: Urgency = "normal", suggestion: str | None = None
    ) -> str:
        """The tool. It never answers itself: it defers, so that whatever else the model called beside it is finished first.

        Args:
            question: One clear question, understandable without the conversation.
            context: What a colleague needs to know to answer: the facts found so far, what the customer wants.
            urgency: How soon an answer is needed.
            suggestion: The answer you would give, if you have one; it is confirmed or corrected.
        """
        if not question.strip():
            raise ModelRetry("Ask a question: `question` is empty.")
        asked = {"question": question.strip(), "context": context, "urgency": urgency, "suggestion": suggestion}
        raise CallDeferred(metadata={METADATA: self.name, **asked}, kind="question")

    async def handle_deferred_tool_calls(
        self, ctx: RunContext[Any], *, requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        """Inline: open all questions of this step, then wait for all. In a desk's run leave them to the runner."""
        if in_desk_run(ctx):
            return None
        mine = [call for call in requests.calls if asked_by(requests, call) == self.name]
        if self.desk is None or not mine:
            return None
        await self.desk.ensure_open()
        agent_name = self.agent_name or (ctx.agent.name if ctx.agent is not None else None) or "agent"
        opened = [await self._open(self.desk, question_of(requests, call, self), agent_name) for call in mine]
        # All are open by now, so waiting for one after the other takes as long as the slowest.
        closed = [await self.desk.requests.wait(request.id) for request in opened]
        return requests.build_results(
            calls={call.tool_call_id: outcome(request) for call, request in zip(mine, closed, strict=True)},
            answered_by={
                call.tool_call_id: request.decision.by.name
                for call, request in zip(mine, closed, strict=True)
                if request.decision is not None
            },
        )

    async def on_model_request_error(
        self, ctx: RunContext[Any], *, request_context: ModelRequestContext, error: Exception
    ) -> ModelResponse:
        """In a desk's run, what the desk does about it; else nothing."""
        kept = keeper.get()
        if kept is None or not in_desk_run(ctx):
            raise error
        return await kept.on_model_request_error(ctx, request_context=request_context, error=error)

    async def wrap_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: Any, handler: Any
    ) -> Any:
        """In a desk's run, run approved calls as the desk has them run."""
        kept = keeper.get()
        if kept is None or not in_desk_run(ctx):
            return await handler(args)
        return await kept.wrap_tool_execute(ctx, call=call, tool_def=tool_def, args=args, handler=handler)

    async def _open(self, desk: AskedDesk, asked: Question, agent_name: str) -> Request:
        turn = current_turn.get()
        return await desk.requests.ask(
            asked.question,
            thread=self.thread or (turn.thread if turn is not None else None),
            agent_name=agent_name,
            reason=asked.reason,
            suggestion=asked.suggestion,
            queue=asked.queue,
            urgency=asked.urgency,
            expires_in=asked.expires_in,
        )


DESCRIPTION = (
    "Ask a colleague, a person. Use it when a fact, a decision or a permission is missing that you cannot look up. "
    "The answer may take a while; it comes back as the result of this call, with the name of the person who gave it."
)


def in_desk_run(ctx: RunContext[Any]) -> bool:
    """Whether this agent run is driven by a desk, and so can pause."""
    return bool(ctx.metadata and RUN_MARK in ctx.metadata)


def asked_by(requests: DeferredToolRequests, call: ToolCallPart) -> str | None:
    """The AskHuman a deferred call belongs to; None for calls that other tools have deferred."""
    return requests.metadata.get(call.tool_call_id, {}).get(METADATA)


def question_of(requests: DeferredToolRequests, call: ToolCallPart, asker: AskHuman | None) -> Question:
    """A deferred call as the desk asks it. The metadata holds the arguments as they were checked.

    A call that no AskHuman made is one of a tool that runs elsewhere: a program stores its result, or a person says what it is.
    """
    if asker is None:
        return Question(
            call_id=call.tool_call_id, question=f"What is the result of {call.tool_name}?", reason=call.args_as_json_str()
        )
    asked = cast("dict[str, str | None]", requests.metadata[call.tool_call_id])
    return Question(
        call_id=call.tool_call_id,
        question=asked["question"] or "",
        reason=asked["context"],
        suggestion=asked["suggestion"],
        urgency=asked["urgency"] or "normal",
        queue=asker.queue,
        expires_in=asker.expires_in,
    )


def outcome(request: Request) -> object:
    """What an inline call returns: the answer as it was given, or in words why there is none."""
    decision = request.decision
    if decision is not None and decision.kind is not DecisionKind.DECLINE:
        return decision.value if decision.value is not None else decision.text
    why = decision.reason if decision is not None else WORDS.get(request.state, f"the request ended as {request.state}")
    by = decision.by if decision is not None else None
    return denial(ToolResult(call_id=request.call_id or "", tool="", denied=True, reason=why, by=by))


WORDS = {
    RequestState.EXPIRED: "nobody answered in time",
    RequestState.CANCELLED: "the question was withdrawn",
    RequestState.SUPERSEDED: "the question was overtaken by a newer message",
}
