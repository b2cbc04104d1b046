"""Agents of any framework as runners."""

from typing import TYPE_CHECKING, Any

from deskmate.domain.agents import Runner

if TYPE_CHECKING:
    from pydantic_ai.agent import AbstractAgent

    AnyAgent = Runner | AbstractAgent[Any, Any]


def as_runner(agent: "AnyAgent") -> Runner:
    """An agent of any framework as a Runner; the frameworks are imported only here, when they are used."""
    if hasattr(agent, "run") and hasattr(agent, "provider_names"):
        return agent  # pyright: ignore[reportReturnType]
    from deskmate.runners.pydantic_ai import PydanticAgent

    return PydanticAgent(agent)  # pyright: ignore[reportArgumentType]
