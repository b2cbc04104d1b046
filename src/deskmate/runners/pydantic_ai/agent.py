"""PydanticAgent: a Pydantic AI agent as a runner of the desk."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic_ai.agent import AbstractAgent
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.messages import ModelMessage, ModelRequest, UserPromptPart
from pydantic_ai.models import Model
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, RunContext, ToolDenied

from deskmate.domain.agents import Output, Step, Turn
from deskmate.errors import DeskmateError
from deskmate.runners.pydantic_ai.ask_human import RUN_MARK, AskHuman, current_turn, keeper
from deskmate.runners.pydantic_ai.drive import Drive, Put
from deskmate.runners.pydantic_ai.failures import Patience, Persist, failure, of_a_provider
from deskmate.runners.pydantic_ai.history import repair, told

NOTICE = "One moment, I am asking a colleague."


class PydanticAgent:
    """Runs a Pydantic AI agent on threads of a desk: `Desk(..., agents=[PydanticAgent(agent, name="support")])`.

    The thread is the memory: each response and each batch of tool results is handed over before the run goes on, and a run is
    taken up from those alone, by any process. `deps` makes the agent's dependencies for a turn. `stream=False` is for models that
    cannot stream. `notice` is what a customer reads while people are asked.
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
    ) -> None:
        self.agent = agent
        self._name = name or agent.name or "assistant"
        self._instructions = instructions
        self._deps = deps
        self._patience = patience or Patience()
        self._notice = notice
        self._stream = stream
        capabilities: list[AbstractCapability[Any]] = []
        agent.root_capability.apply(capabilities.append)
        self._askers = {found.name: found for found in capabilities if isinstance(found, AskHuman)}
        self._keeper = _Keeper(patience=self._patience, askers=self._askers.keys())
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
        deps = self._deps(turn) if self._deps is not None else None
        async with self.agent.iter(
            message_history=await self._with_system_prompt(messages, deps),
            output_type=self._output_type(),
            deps=deps,
            instructions=self._instructions,
            metadata={RUN_MARK: turn.run, "deskmate.thread": turn.thread},
            model_settings=self._patience.settings,
            capabilities=None if self._kept_by_asker else [self._keeper],
        ) as run:
            await Drive(run=run, put=put, askers=self._askers, notice=self._notice, stream=self._stream).to_the_end()

    def _output_type(self) -> Any:
        """With room for questions. An agent with output validators has to declare `DeferredToolRequests` itself."""
        own = self.agent.output_type
        declared = isinstance(own, Sequence) and not isinstance(own, str) and DeferredToolRequests in own
        return None if declared or not self._askers else [own, DeferredToolRequests]

    async def _with_system_prompt(self, messages: list[ModelMessage], deps: Any) -> list[ModelMessage]:
        """The agent's `system_prompt` first: Pydantic AI adds it to new conversations only, and the thread does not store it."""
        prompt = await self.agent.system_prompt_parts(deps=deps, message_history=messages)
        return [ModelRequest(parts=prompt), *messages] if prompt else messages


@dataclass
class _Keeper(Persist):
    """What the desk adds to every run of an agent: patience with its provider, and an answer to whatever cannot wait here."""

    askers: Collection[str] = field(default_factory=list[str])

    async def handle_deferred_tool_calls(
        self, ctx: RunContext[Any], *, requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        """Calls that wait for something else than AskHuman cannot wait here. The model is told, and the history stays whole."""
        others = [call for call in requests.calls if call.tool_name not in self.askers]
        return requests.build_results(
            calls={call.tool_call_id: ToolFailed("This tool cannot be run here.") for call in others},
            approvals={call.tool_call_id: ToolDenied("nobody can approve tools here") for call in requests.approvals},
        )
