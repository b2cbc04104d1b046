"""Drive: one run of an agent, node by node, and what the desk is handed of it: deltas, steps, questions."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pydantic_ai import AgentRun, CallToolsNode, ModelRequestNode
from pydantic_ai.messages import (
    FunctionToolResultEvent,
    ModelResponse,
    OutputToolResultEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ToolCallPart,
)
from pydantic_ai.result import FinalResult
from pydantic_ai.tools import DeferredToolRequests, ToolDefinition
from pydantic_core import to_json
from pydantic_graph import End

from deskmate.domain.agents import Ask, Delta, Output, Step, Turn
from deskmate.domain.escalations import DECLINED, LATER, Escalation, assess, shown
from deskmate.domain.messages import Part, Text, ToolCall, ToolResult
from deskmate.runners.pydantic_ai.approval import Rule, approval_of
from deskmate.runners.pydantic_ai.ask_human import AskHuman, question_of
from deskmate.runners.pydantic_ai.escalate import Assessed, pass_on
from deskmate.runners.pydantic_ai.history import parts_of, result_of

BROKEN = "This tool failed, or was stopped because another one failed. It is not known whether it took effect."

Put = Callable[[Output], Awaitable[None]]
"""Hands an output to the desk; returns when the desk has dealt with it."""


@dataclass(kw_only=True)
class Drive:
    """One run of the agent, node by node, and what it hands over."""

    run: AgentRun[Any, Any]
    put: Put
    askers: Mapping[str, AskHuman]
    rules: Mapping[str, Rule]
    notice: str | None
    stream: bool
    turn: Turn
    floor: float
    passed_on: str
    drafts_unsure: bool
    quiet: bool
    """Words beside the answer are not for the customer: what may be said is known at the end only."""
    max_steps: int | None = None
    steps: int = 0
    """How many responses of the model there have been."""
    output_by_tool: bool = False
    spent: tuple[int, int] = field(default=(0, 0))
    """Tokens of responses without words or calls, which make no step; they are counted with the next one."""

    async def to_the_end(self) -> None:
        node: Any = self.run.next_node
        while not isinstance(node, End) and not self._at_the_limit(node):
            if isinstance(node, ModelRequestNode) and self.stream and not self.quiet:
                await self._deltas(cast("ModelRequestNode[Any, Any]", node))
            if isinstance(node, CallToolsNode):
                node = await self._calls(cast("CallToolsNode[Any, Any]", node))
            else:
                node = await self.run.next(cast("Any", node))

    def _at_the_limit(self, node: Any) -> bool:
        return isinstance(node, ModelRequestNode) and self.max_steps is not None and self.steps >= self.max_steps

    async def _deltas(self, node: "ModelRequestNode[Any, Any]") -> None:
        async with node.stream(self.run.ctx) as events:
            async for event in events:
                match event:
                    case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
                        if text:
                            await self.put(Delta(text=text))
                    case _:
                        pass

    async def _calls(self, node: "CallToolsNode[Any, Any]") -> Any:
        """Hand over a response, run its tools, hand over their results; at the end of the run, what is asked or put out.

        A response that calls both a person and other tools becomes two assistant messages: words and tools, with their results
        behind them; then the calls to people. So the calls to people are stored together with their requests, whenever the
        process dies, and the other tools are not run again when the answers come. Calls that need approval stay with the tools.
        """
        _tell_apart(node.model_response)
        self.steps += 1
        parts = parts_of(node.model_response)
        if self.quiet:
            parts = tuple(part for part in parts if not isinstance(part, Text))
        people = {part.call_id for part in parts if isinstance(part, ToolCall) and self._is_for_people(part.tool)}
        if len(people) == sum(isinstance(part, ToolCall) for part in parts):
            human = people
        else:
            human = {part.call_id for part in parts if isinstance(part, ToolCall) and part.tool in self.askers}
        first = tuple(part for part in parts if not (isinstance(part, ToolCall) and part.call_id in human))
        tools = [part for part in first if isinstance(part, ToolCall)]
        step = self._step(node.model_response, first, empty=not parts)
        # Without other tools nothing happens before the pause or the end, so words and questions stay one message, and the last
        # words are known to be the last.
        if tools and step.parts:
            await self.put(step)
            step = _rest(step)
        results, node_after = await self._run_tools(node, tools)
        rest = _returned([results[call.call_id] for call in tools if call.call_id in results])
        asked = [part for part in parts if isinstance(part, ToolCall) and part.call_id in human]
        failed = [part for part in asked if part.call_id in results]
        if failed:
            rest += [_add(step, failed), *_returned([results[call.call_id] for call in failed])]
            step = _rest(step)
        if step.parts and not isinstance(node_after, End):
            rest.append(step)
        if rest and self._at_the_limit(node_after):
            rest[-1] = replace(rest[-1], final=True)
        for found in rest:
            await self.put(found)
        if isinstance(node_after, End):
            output = cast("End[FinalResult[object]]", node_after).data.output
            await self._finish(output, _add(step, [part for part in asked if part not in failed]))
        return cast("Any", node_after)

    async def _run_tools(self, node: "CallToolsNode[Any, Any]", tools: Sequence[ToolCall]) -> tuple[dict[str, ToolResult], Any]:
        results: dict[str, ToolResult] = {}
        self.output_by_tool = False
        if not node.model_response.tool_calls:
            return results, await self.run.next(node)
        try:
            async with node.stream(self.run.ctx) as events:
                async for event in events:
                    if isinstance(event, FunctionToolResultEvent | OutputToolResultEvent):
                        results[event.part.tool_call_id] = result_of(event.part)
                        self.output_by_tool = self.output_by_tool or isinstance(event, OutputToolResultEvent)
            return results, await self.run.next(node)
        except Exception:
            # The run fails, visibly. When it is tried again, tools that are done must not run again, and for the
            # others the model has to know that they may have.
            await self._hand_over([results.get(call.call_id) or _broken(call) for call in tools])
            raise

    async def _finish(self, output: object, step: Step) -> None:
        if isinstance(output, DeferredToolRequests):
            asked = [question_of(output, call, self.askers.get(call.tool_name)) for call in output.calls]
            rules = [self.rules.get(call.tool_name) or Rule() for call in output.approvals]
            wanted = [
                approval_of(call, self._definition(call.tool_name), rule)
                for call, rule in zip(output.approvals, rules, strict=True)
            ]
            await self.put(Ask(step=step, requests=(*asked, *wanted), notice=self.notice))
        elif isinstance(output, Assessed):
            await self._answer(output, _rest(step))
        elif self.output_by_tool:
            # A structured output was given as a tool call, which nobody reads: its text is the reply.
            text = output if isinstance(output, str) else to_json(output, serialize_unknown=True).decode()
            await self.put(replace(_rest(step), parts=(Text(text=text),), final=True))
        elif step.parts:
            await self.put(replace(step, final=True))

    async def _answer(self, output: Assessed, step: Step) -> None:
        """An answer that says how sure it is: given from the floor on, else a person is asked to answer, and sees it."""
        sure = assess(output.confidence, floor=self.floor, requires_human=output.requires_human, reason=output.reason)
        words = output.response
        if self.drafts_unsure and not sure.answers and words.strip():
            await self.put(replace(step, parts=(Text(text=words),), final=True, held=True, confidence=sure.confidence))
            return
        if not (sure.answers and words.strip()):
            why = sure.why or "the agent has no answer"
            asked = Escalation(reason=why, suggestion=words or None, confidence=sure.confidence, floor=shown(self.floor))
            came = await pass_on(self.turn, asked)
            words = self.passed_on if came["accepted"] else LATER if "retry_after_seconds" in came else DECLINED
            sure = replace(sure, confidence=None)
        await self.put(replace(step, parts=(Text(text=words),), final=True, confidence=sure.confidence))

    def _definition(self, tool: str) -> ToolDefinition | None:
        return self.run.ctx.deps.tool_manager.get_tool_def(tool)

    def _is_for_people(self, tool: str) -> bool:
        """Whether a tool waits for people whatever its arguments are."""
        found = self._definition(tool)
        return tool in self.askers or (found is not None and found.kind in ("unapproved", "external"))

    async def _hand_over(self, results: Sequence[ToolResult]) -> None:
        for step in _returned(results):
            await self.put(step)

    def _step(self, response: ModelResponse, parts: tuple[Part, ...], *, empty: bool) -> Step:
        tokens = (self.spent[0] + response.usage.input_tokens, self.spent[1] + response.usage.output_tokens)
        self.spent = tokens if empty else (0, 0)
        facts = {"finish_reason": response.finish_reason, "response": response.provider_response_id}
        return Step(
            role="assistant",
            parts=parts,
            model=response.model_name,
            provider=response.provider_name,
            provider_metadata={key: value for key, value in facts.items() if value is not None} or None,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
        )


def _tell_apart(response: ModelResponse) -> None:
    """Give calls of one response different ids, where a server gave them the same: results and answers are matched by id."""
    seen: set[str] = set()
    for number, part in enumerate(response.parts):
        if isinstance(part, ToolCallPart):
            if part.tool_call_id in seen:
                part.tool_call_id = f"{part.tool_call_id}-{number}"
            seen.add(part.tool_call_id)


def _returned(results: Sequence[ToolResult]) -> list[Step]:
    return [Step(role="tool", parts=tuple(results))] if results else []


def _add(step: Step, parts: Sequence[Part]) -> Step:
    return replace(step, parts=(*step.parts, *parts))


def _rest(step: Step) -> Step:
    """What else comes of a response whose first message has been handed over; its tokens are counted once."""
    return replace(step, parts=(), input_tokens=0, output_tokens=0)


def _broken(call: ToolCall) -> ToolResult:
    return ToolResult(call_id=call.call_id, tool=call.tool, output=BROKEN, is_error=True)
