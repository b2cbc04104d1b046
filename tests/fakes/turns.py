"""Turns for runners, and what they give back: what the tests of the Pydantic AI adapter share."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic_ai import Agent
from tests.fakes.openai_server import MODEL, OpenAIServer

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.agents import Ask, Delta, Output, Step, Turn
from deskmate.domain.messages import ContextMessage, Part, Text
from deskmate.runners.pydantic_ai import AskHuman, PydanticAgent

ANA = Author(kind=AuthorKind.OPERATOR, id="op_1", name="Ana")


@asynccontextmanager
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    """A server that OpenAI's client finds through the environment; in the end nothing it would have refused was sent."""
    async with OpenAIServer() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", running.key)
        yield running
        assert not running.problems


class Sleeps(list[float]):
    """A sleep that only writes down how long."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def says(role: Any, *parts: Part | str) -> ContextMessage:
    return ContextMessage(role=role, parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts))


def turn(*history: ContextMessage, resumed: bool = False) -> Turn:
    history = history or (says("user", "Is the Lyon shop open on Monday?"),)
    return Turn(thread="th_1", run="run_1", customer="ada", prompt_text="Is it?", history=history, resumed=resumed)


def openai_agent(*tools: Callable[..., Any], asks: bool = True, **more: Any) -> PydanticAgent:
    capabilities = [AskHuman()] if asks else []
    return PydanticAgent(Agent(f"openai-chat:{MODEL}", name="support", tools=tools, capabilities=capabilities), **more)


async def outputs_of(runner: PydanticAgent, turn: Turn) -> list[Output]:
    return [output async for output in runner.run(turn)]


async def collect(runner: PydanticAgent, outputs: list[Output], at_each: Callable[[], None] = lambda: None) -> None:
    """The outputs up to where the run fails."""
    async for output in runner.run(turn()):
        outputs.append(output)
        at_each()


def stored(outputs: Sequence[Output]) -> list[ContextMessage]:
    """What a thread keeps of a run."""
    steps = [output.step if isinstance(output, Ask) else output for output in outputs if not isinstance(output, Delta)]
    return [ContextMessage(role=step.role, parts=step.parts) for step in steps]


def steps_of(outputs: Sequence[Output]) -> list[Step]:
    return [output for output in outputs if isinstance(output, Step)]


def ask_of(outputs: Sequence[Output]) -> Ask:
    assert isinstance(outputs[-1], Ask), outputs
    return outputs[-1]


def look(at: str) -> str:
    """Look something up."""
    return f"seen {at}"
