"""The agent of a `generate`: a Pydantic AI agent whose model follows the script, and what it was given."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic_ai import Agent, ExternalToolset, Tool
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponsePart,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.usage import RequestUsage
from tests.conformance.views import Json, Op

from deskmate import PydanticAgent
from deskmate.errors import ModelFailed

ANYTHING: Json = {"type": "object", "additionalProperties": True}
ROLES: dict[type, str] = {UserPromptPart: "user", SystemPromptPart: "system", ToolReturnPart: "tool"}
DECLINED = re.compile(r"Declined(?: by [^:]+)?: (?P<reason>.*)", re.DOTALL)


class ScriptedModel(FunctionModel):
    """A model that is given what the agent was given.

    A provider's adapter puts the results of a step in the order of their calls on the wire, whatever the conversation has.
    """

    def prepare_messages(
        self, messages: list[ModelMessage], model_request_parameters: ModelRequestParameters | None = None
    ) -> list[ModelMessage]:
        return messages


class Bot:
    """An agent that says what the script says. `seen` is what its model was given, `ran` the tools that have run."""

    def __init__(self, op: Op) -> None:
        self.seen: list[list[Json]] = []
        self.ran: list[str] = []
        self._script: Sequence[Sequence[Json]] = op["script"]
        self._fail: str | None = op.get("fail")
        declared: dict[str, Json] = op.get("tools", {})
        external = [
            ToolDefinition(name=name, parameters_json_schema=ANYTHING) for name in declared if "result" not in declared[name]
        ]
        agent = Agent(
            ScriptedModel(self._answer, model_name="scripted-1"),
            tools=[self._tool(name, tool) for name, tool in declared.items() if "result" in tool],
            toolsets=[ExternalToolset(external)],
        )
        self.agent = PydanticAgent(agent, name=op.get("agent_name", "bot"), stream=False, max_steps=op.get("max_steps", 5))

    async def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.seen.append([*_seen(messages)])
        if self._fail is not None:
            raise ModelFailed(self._fail)
        parts = [_said(part) for part in self._script[(len(self.seen) - 1) % len(self._script)]]
        return ModelResponse(
            parts=parts, provider_name="scripted", usage=RequestUsage(input_tokens=3, output_tokens=10)
        )  # fmt: skip

    def _tool(self, name: str, declared: Json) -> Tool[None]:
        async def run(**arguments: Any) -> Any:
            self.ran.append(name)
            return declared["result"]

        tool = Tool.from_schema(run, name, None, ANYTHING)
        tool.requires_approval = declared.get("approval", False)
        return tool


def _said(part: Json) -> ModelResponsePart:
    if part["type"] == "text":
        return TextPart(part["text"])
    return ToolCallPart(part["tool"], part["input"], tool_call_id=part["call_id"])


def _seen(messages: Sequence[ModelMessage]) -> Iterator[Json]:
    """One request of Pydantic AI holds neighbouring messages of several roles."""
    for message in messages:
        match message:
            case ModelResponse(parts=parts):
                yield {"role": "assistant", "parts": [_shown(part) for part in parts]}
            case ModelRequest(parts=parts):
                for part in parts:
                    if isinstance(part, ToolReturnPart):
                        yield {"role": "tool", "parts": [_result(part)]}
                    else:
                        content = [part.content] if isinstance(part.content, str) else part.content or []
                        yield {"role": ROLES[type(part)], "parts": [{"type": "text", "text": text} for text in content]}


def _shown(part: ModelResponsePart) -> Json:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.content}
    assert isinstance(part, ToolCallPart)
    return {"type": "tool_call", "call_id": part.tool_call_id, "tool": part.tool_name, "input": part.args_as_dict()}


def _result(part: ToolReturnPart) -> Json:
    """A denial is told to the model in words: who declined, and why."""
    named = {"type": "tool_result", "call_id": part.tool_call_id, "tool": part.tool_name}
    if part.outcome == "denied":
        words = DECLINED.fullmatch(str(part.content))
        return named | {"denied": True, "reason": words and words["reason"]}
    return named | {"output": part.content, "is_error": True if part.outcome == "failed" else None}
