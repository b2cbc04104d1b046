"""A Pydantic AI model that says what it is told to, and tools that count how often they ran."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from deskmate import PydanticAgent


class Model:
    """A model that says what it is told to, one answer after the other, and keeps what it was shown."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.shown: list[list[ModelMessage]] = []

    def agent(self, *tools: Any, capabilities: Sequence[Any] = (), **settings: Any) -> PydanticAgent:
        """An agent with this model, as the desk runs it."""
        return PydanticAgent(self.plain("support", *tools, capabilities=capabilities, **settings), stream=False, notice=None)

    def plain(self, name: str, *tools: Any, capabilities: Sequence[Any] = (), **settings: Any) -> "Agent[Any, Any]":
        return Agent(FunctionModel(self._answer), name=name, tools=list(tools), capabilities=list(capabilities), **settings)

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        self.shown.append(messages)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return ModelResponse(parts=[TextPart(given)] if isinstance(given, str) else given)

    def results(self) -> dict[str, Any]:
        """The results that it was shown last, by call id; a history with an open call fails the test."""
        calls = [part for message in self.shown[-1] for part in message.parts if isinstance(part, ToolCallPart)]
        found = [part for message in self.shown[-1] for part in message.parts if isinstance(part, ToolReturnPart)]
        assert [part.tool_call_id for part in calls] == [part.tool_call_id for part in found], "every call has one result"
        return {part.tool_call_id: part.content for part in found}


def call(tool: str, id: str, **args: Any) -> ToolCallPart:
    return ToolCallPart(tool, args, tool_call_id=id)


class Shop:
    """Tools of a Pydantic AI agent, and how often each ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def refund(self, order: int) -> str:
        """Pay money back."""
        self.ran.append(f"refund {order}")
        await asyncio.sleep(0)
        return f"refunded {order}"

    def look_up(self, order: int) -> str:
        """See what was ordered."""
        self.ran.append(f"look_up {order}")
        return "a chair"
