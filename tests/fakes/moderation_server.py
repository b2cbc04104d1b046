"""A moderation model on localhost: OpenAI's wire protocol as OpenAIServer speaks it, and the manners of Llama Guard.

    async with ModerationServer() as server:
        Moderation(server.base_url, model=GUARD, key=server.key)

Without a script it calls words unsafe that contain one of `HAZARDS`. Like the chat template of Llama Guard it refuses, with 400,
a conversation that does not begin with the customer or in which a role speaks twice in a row; and like the servers that host it,
it takes the marks of the template for its own wherever they stand: words that end the conversation hide what is before them.
"""

from collections.abc import Mapping
from typing import Any

from tests.fakes.openai_server import Failure, OpenAIServer, Reply, Scripted, Seen

GUARD = "llama-guard3"
HAZARDS: Mapping[str, str] = {"steal": "S2", "hate": "S10", "hurt myself": "S11"}


class ModerationServer(OpenAIServer):
    """See the module."""

    def __init__(self, *, key: str = "sk-guard-0123456789abcdef") -> None:
        super().__init__(models=(GUARD,), key=key, responder=verdict)


def verdict(seen: Seen) -> Scripted:
    """What Llama Guard would write, leading empty lines included."""
    if problem := _problem(seen.messages):
        return Failure(400, problem, type="invalid_request_error")
    judged = str(seen.messages[-1]["content"]).rpartition("<|eot_id|>")[2].casefold()
    found = [code for words, code in HAZARDS.items() if words in judged]
    return Reply("\n\nunsafe\n" + ",".join(found) if found else "\n\nsafe", input_tokens=200, output_tokens=5)


def _problem(messages: list[dict[str, Any]]) -> str | None:
    for number, message in enumerate(messages):
        if message["role"] != ("user", "assistant")[number % 2]:
            return "Conversation roles must alternate user/assistant/user/assistant/..."
    return None
