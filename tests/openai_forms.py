"""The forms of OpenAI's files for fine-tuning, as its guides have them: a strict look at one line."""

from typing import Any


def check_example(one: dict[str, Any]) -> None:
    """A line of OpenAI's chat format for supervised fine-tuning, as its guide has it."""
    assert set(one) == {"messages"}
    assert len(one["messages"]) >= 2
    for message in one["messages"]:
        check_message(message, {"user", "assistant"}, {"weight"})
        assert message.get("weight", 1) in (0, 1)
        assert "weight" not in message or message["role"] == "assistant"
    assert one["messages"][-1]["role"] == "assistant"
    assert one["messages"][-1].get("weight", 1) == 1


def check_preference(one: dict[str, Any]) -> None:
    """A line of OpenAI's format for direct preference optimisation: an input and one last answer of each kind."""
    assert set(one) == {"input", "preferred_output", "non_preferred_output"}
    assert set(one["input"]) <= {"messages", "tools", "parallel_tool_calls"}
    for message in one["input"]["messages"]:
        check_message(message, {"system", "user", "assistant"}, set())
    assert one["input"]["messages"][-1]["role"] == "user"
    for output in (one["preferred_output"], one["non_preferred_output"]):
        [message] = output
        check_message(message, {"assistant"}, set())
    assert one["preferred_output"] != one["non_preferred_output"]


def check_message(message: dict[str, Any], roles: set[str], more: set[str]) -> None:
    assert {"role", "content"} <= set(message) <= {"role", "content"} | more
    assert message["role"] in roles
    assert isinstance(message["content"], str)
    assert message["content"].strip()
