"""What programs that use Deskmate test with: a scripted model."""

from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.messages import ToolCallPart

from deskmate import Assessed
from deskmate.testing import scripted_model


def weather(city: str) -> dict[str, str]:
    """What the sky looks like."""
    return {"city": city, "sky": "grey"}


def script(told: Any) -> str | ToolCallPart:
    match told:
        case {"sky": sky}:
            return f"It is {sky} there."
        case words:
            return ToolCallPart("weather", {"city": words})


async def test_a_scripted_model_replies_to_what_it_was_told_last() -> None:
    agent = Agent(scripted_model(script), tools=[weather], instructions="Be brief.")
    result = await agent.run("Lyon")
    assert result.output == "It is grey there."
    again = await agent.run("Paris", message_history=result.all_messages())
    assert again.new_messages()[1].parts[0] == ToolCallPart("weather", {"city": "Paris"}, tool_call_id=_call_id(again))
    assert again.output == "It is grey there."


def _call_id(result: Any) -> str:
    return result.new_messages()[1].parts[0].tool_call_id


async def test_a_scripted_model_streams_word_by_word() -> None:
    agent = Agent(scripted_model(script), tools=[weather])
    async with agent.run_stream("Lyon") as stream:
        pieces = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
    assert pieces == ["It", " is", " grey", " there."]


@pytest.mark.parametrize("streams", [False, True])
async def test_a_scripted_model_answers_with_what_the_agent_is_to_give(streams: bool) -> None:
    sure = Assessed(response="Until 19:00.", confidence=0.9)
    agent = Agent(scripted_model(lambda _: sure), output_type=Assessed)
    if streams:
        async with agent.run_stream("Until when?") as stream:
            assert await stream.get_output() == sure
    else:
        assert (await agent.run("Until when?")).output == sure
