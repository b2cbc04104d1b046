"""Histories that OpenAI would refuse."""

from collections.abc import Mapping, Sequence
from typing import Any


def history_problem(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """What OpenAI would refuse: calls without a result, results without a call. None when the history is sound."""
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                return "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
            waiting.discard(message["tool_call_id"])
        elif waiting:
            return f"An assistant message with 'tool_calls' must be followed by tool messages; missing: {sorted(waiting)}"
        if message["role"] == "assistant":
            waiting = {call["id"] for call in message.get("tool_calls") or ()}
            if not waiting and not message.get("content"):
                return "an assistant message needs content or tool_calls"
    return f"'tool_calls' without a response: {sorted(waiting)}" if waiting else None
