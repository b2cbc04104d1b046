"""PydanticAgent: a Pydantic AI agent as a runner of the desk."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from pydantic_ai import CallToolsNode
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import (
    FunctionToolResultEvent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, RunContext, ToolApproved, ToolDefinition

from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.messages import ToolResult
from deskmate.errors import DeskmateError, Invalid
from deskmate.runners.pydantic_ai.approval import ApprovedCalls, NeedsApproval, approved_calls
from deskmate.runners.pydantic_ai.ask_human import RUN_MARK, AskHuman, current_turn, in_desk_run, keeper
from deskmate.runners.pydantic_ai.drive import Drive, Put
from deskmate.runners.pydantic_ai.escalate import Assessed
from deskmate.runners.pydantic_ai.failures import Patience, Persist, failure, of_a_provider
from deskmate.runners.pydantic_ai.history import repair, result_of, told, with_results

ASIDE = (
    "You speak to your colleagues of the team now, not to the customer, who never sees what you write. Answer the colleague's "
    "note or, where the last words are the customer's, suggest a reply that a colleague could send."
)
GONE = "This tool cannot be run any more."
FLOOR = 0.7
PASSED_ON = "I am not sure enough to answer this myself. I have passed it on to a colleague, who will answer you here."
NOTICE = "One moment, I am asking a colleague."


class PydanticAgent:
    """Runs a Pydantic AI agent on threads of a desk: `Desk(..., agents=[PydanticAgent(agent, name="support")])`.

    The thread is the memory: each response and each batch of tool results is handed over before the run goes on, and a run is
    taken up from those alone, by any process. `deps` makes the agent's dependencies for a turn. `stream=False` is for models that
    cannot stream. `notice` is what a customer reads while people are asked. `floor` is the confidence, from 0 to 1, from which on
    an agent with the output type `Assessed` answers alone; below it a person answers, and the customer reads `passed_on`; with
    `unsure="draft"` a person approves the answer instead. `max_steps` is how often the model is asked at most before the run ends
    or pauses: the tools of the last response still run, and with their results the run is over, whether it has spoken or not.
    """

    def __init__(
        self,
        agent: AbstractAgent[Any, Any],
        *,
        name: str | None = None,
        instructions: str | None = None,
        deps: Callable[[Turn], object] | None = None,
        patience: Patience | None = None,
        notice: str | None = NOTICE,
        stream: bool = True,
        floor: float = FLOOR,
        passed_on: str = PASSED_ON,
        unsure: Literal["escalate", "draft"] = "escalate",
        max_steps: int | None = None,
    ) -> None:
        self.agent = agent
        self._name = name or agent.name or "assistant"
        self._instructions = instructions
        self._deps = deps
        self._patience = patience or Patience()
        self._notice = notice
        self._stream = stream
        if not 0.0 <= floor <= 1.0:
            raise Invalid("a floor is from 0 to 1", field="floor")
        if max_steps is not None and max_steps < 1:
            raise Invalid("max_steps is a number from 1", field="max_steps")
        self._floor = floor
        self._max_steps = max_steps
        self._passed_on = passed_on
        self._drafts_unsure = unsure == "draft"
        own = agent.output_type
        self._assesses = Assessed in own if isinstance(own, Sequence) else own is Assessed
        capabilities: list[AbstractCapability[Any]] = []
        agent.root_capability.apply(capabilities.append)
        self._rules = {
            name: rule for found in capabilities if isinstance(found, NeedsApproval) for name, rule in found.tools.items()
        }
        self._askers = {found.name: found for found in capabilities if isinstance(found, AskHuman)}
        # Pydantic AI refuses another output type for an agent with output validators.
        self._validates = bool(getattr(agent, "_output_validators", ()))
        self._keeper = _Keeper(patience=self._patience)
        # The last capability is the first to hear of an error and the last to be offered a deferred call, as the keeper would be.
        self._kept_by_asker = bool(capabilities) and isinstance(capabilities[-1], AskHuman) and len(self._askers) == 1

    @property
    def name(self) -> str:
        """The name the desk knows it by."""
        return self._name

    @property
    def provider_names(self) -> Mapping[str, str]:
        """`provider` and `model`, where the agent has a fixed model."""
        model = cast("object", self.agent.model)
        if isinstance(model, Model):
            return {"provider": model.system, "model": model.model_name}
        if isinstance(model, str) and ":" in model:
            provider, _, name = model.partition(":")
            return {"provider": provider, "model": name}
        return {}

    async def run(self, turn: Turn) -> AsyncGenerator[Output, None]:
        """Work on the turn. Raises ModelFailed, or another DeskmateError, with a text that may be shown.

        The agent works in a task of its own, because its scopes belong to one task, and this generator may be closed by another.
        It is held at each output until the next one is asked for: the desk stores a step before the run goes on. Closing the
        generator ends that task, and with it the connection to the provider, before `aclose` returns.
        """
        outputs: asyncio.Queue[Output | None] = asyncio.Queue(1)

        async def put(output: Output) -> None:
            await outputs.put(output)
            await outputs.join()

        async def work() -> None:
            try:
                await self._work(turn, put)
            finally:
                with suppress(asyncio.QueueFull):
                    outputs.put_nowait(None)

        task = asyncio.create_task(work(), name=f"deskmate agent {turn.run}")
        try:
            while (output := await outputs.get()) is not None:
                yield output
                outputs.task_done()
            await task
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()

    async def _work(self, turn: Turn, put: Put) -> None:
        current_turn.set(turn)
        keeper.set(self._keeper if self._kept_by_asker else None)
        try:
            await self._respond(turn, put)
        except DeskmateError:
            raise
        except Exception as error:
            # What a provider answered may quote the key or the prompt: only errors of the program itself keep their trace.
            raise failure(error) from (None if of_a_provider(error) else error)

    async def _respond(self, turn: Turn, put: Put) -> None:
        deps = self._deps(turn) if self._deps is not None else None
        if turn.approved:
            results = await self._apply(turn, deps)
            turn = replace(
                turn,
                history=with_results(turn.history, results),
                news=(*turn.news, *results),
                approved=(),
            )
        history = repair(turn.history, human_tools=self._askers)
        if history.unknown:
            await put(Step(role="tool", parts=history.unknown))
        messages = list(history.messages)
        if history.ends_with_words or not messages:
            if turn.resumed and messages and not turn.news:
                return  # Killed after its last word was stored: there is nothing left to say.
            # An answer that came after the conversation had gone on stands beside its call, before the last words: a model has
            # to be pointed to it.
            messages.append(ModelRequest(parts=[UserPromptPart(told(turn.news) if turn.news else turn.prompt_text)]))
        async with self.agent.iter(
            message_history=await self._with_system_prompt(messages, deps),
            output_type=self._output_type(),
            deps=deps,
            instructions=self._instructions if not turn.aside else [*filter(None, [self._instructions]), ASIDE],
            metadata=_mark(turn),
            model_settings=self._patience.settings,
            capabilities=None if self._kept_by_asker else [self._keeper],
        ) as run:
            await Drive(
                run=run,
                put=put,
                askers=self._askers,
                rules=self._rules,
                notice=self._notice,
                stream=self._stream,
                turn=turn,
                floor=self._floor if turn.floor is None else turn.floor,
                passed_on=self._passed_on,
                drafts_unsure=self._drafts_unsure,
                quiet=self._assesses,
                max_steps=self._max_steps,
            ).to_the_end()

    async def _apply(self, turn: Turn, deps: Any) -> tuple[ToolResult, ...]:
        """Run the calls that people have approved, and nothing else: no model is asked here. What each came to, in their order.

        A call that the agent cannot make any more (its tool is gone, or takes other arguments by now) has failed.
        """
        calls = ApprovedCalls(turn=turn)
        ids = [approved.call_id for approved in turn.approved]
        history = repair(turn.history, human_tools=self._askers, waiting=ids)
        made = [ToolCallPart(a.tool, dict(a.args), tool_call_id=a.call_id) for a in turn.approved]
        found: dict[str, ToolResult] = {}
        approved_calls.set(calls)
        async with self.agent.iter(
            message_history=[*history.messages, ModelResponse(parts=made)],
            deferred_tool_results=DeferredToolResults(approvals=dict.fromkeys(ids, ToolApproved())),
            output_type=self._output_type(),
            deps=deps,
            metadata=_mark(turn),
            capabilities=None if self._kept_by_asker else [self._keeper],
        ) as run:
            node = await run.next(cast("Any", run.next_node))
            async with cast("CallToolsNode[Any, Any]", node).stream(run.ctx) as events:
                async for event in events:
                    if isinstance(event, FunctionToolResultEvent):
                        found[event.part.tool_call_id] = result_of(event.part)
        for approved in turn.approved:
            if approved.call_id not in calls.results:
                told = found.get(approved.call_id)
                await calls.give_up(approved, str(told.output) if told is not None else GONE)
        return tuple(calls.results[id] for id in ids)

    def _output_type(self) -> Any:
        """With room for requests. An agent with output validators has to declare `DeferredToolRequests` itself."""
        own = self.agent.output_type
        declared = isinstance(own, Sequence) and not isinstance(own, str) and DeferredToolRequests in own
        return None if declared or (self._validates and not self._askers) else [own, DeferredToolRequests]

    async def _with_system_prompt(self, messages: list[ModelMessage], deps: Any) -> list[ModelMessage]:
        """The agent's `system_prompt` first: Pydantic AI adds it to new conversations only, and the thread does not store it."""
        prompt = await self.agent.system_prompt_parts(deps=deps, message_history=messages)
        return [ModelRequest(parts=prompt), *messages] if prompt else messages


def _mark(turn: Turn) -> dict[str, Any]:
    return {RUN_MARK: turn.run, "deskmate.thread": turn.thread}


@dataclass
class _Keeper(Persist):
    """What the desk adds to every run of an agent: patience with its provider, and a ledger for its approved calls."""

    async def wrap_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: Any, handler: Any
    ) -> Any:
        """Run approved calls of the desk's own run as the desk has them run, and all others as they are."""
        calls = approved_calls.get() if ctx.tool_call_approved and in_desk_run(ctx) else None
        approved = calls.find(call) if calls is not None else None
        if calls is None or approved is None:
            return await handler(args)
        return await calls.run(approved, call, lambda: handler(args))
