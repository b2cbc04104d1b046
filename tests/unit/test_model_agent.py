"""The assistant of `deskmate serve --model NAME`, and what it says when the name cannot be used."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from tests.fakes.openai_server import MODEL, Call, OpenAIServer, Reply
from tests.fakes.turns import outputs_of, served, turn

from deskmate.errors import DeskmateError, Misconfigured
from deskmate.runners.pydantic_ai import model_agent


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    async with served(monkeypatch) as running:
        yield running


@dataclass
class Page:
    title: str
    section: str
    file: str
    text: str


class Shelf:
    def search(self, query: str, limit: int) -> list[Page]:
        assert limit > 0
        return [Page("Opening hours", "Shops > Lyon", "shops.md", "Open until 19:00.")] if "Lyon" in query else []


async def test_the_assistant_searches_the_faq_and_can_ask_people(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL")
    calls = [Call("search_faq", {"query": "Lyon hours"}), Call("search_faq", {"query": "Mars"})]
    server.script(Reply(calls=calls), Reply("Until 19:00 (Opening hours)."))
    runner = model_agent(f"openai-chat:{MODEL}", library=Shelf(), base_url=server.base_url)
    await outputs_of(runner, turn())
    assert sorted(server.seen[0].tools) == ["ask_human", "escalate", "search_faq"]
    found, nothing = (message["content"] for message in server.seen[1].messages[-2:])
    assert json.loads(found) == [
        {"title": "Opening hours", "section": "Shops > Lyon", "file": "shops.md", "text": "Open until 19:00."}
    ]
    assert nothing == "The pages say nothing about this."
    assert (runner.name, runner.provider_names) == ("assistant", {"provider": "openai", "model": MODEL})
    assert "search_faq" in server.seen[0].messages[0]["content"]


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("gpt", "the model 'gpt' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
        ("nobody:gpt", "the model 'nobody:gpt' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
        ("", "the model '' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
        ("openai:gpt-5.2", "the model 'openai:gpt-5.2' needs OPENAI_API_KEY in the environment"),
        ("sk-proj-abcdefghijkl", "the model '[hidden]' is not known; it is written PROVIDER:NAME, like openai:gpt-5.2"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_when_the_assistant_is_made(
    monkeypatch: pytest.MonkeyPatch, model: str, words: str
) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(Misconfigured) as raised:
        model_agent(model)
    assert (raised.value.message, raised.value.field) == (words, "model")
    assert raised.value.__suppress_context__


def test_a_provider_whose_package_is_missing_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mistralai", None)
    monkeypatch.delitem(sys.modules, "pydantic_ai.providers.mistral", raising=False)
    with pytest.raises(
        Misconfigured, match=r'needs a package that is not installed: pip install "pydantic-ai-slim\[mistral\]"'
    ) as raised:
        model_agent("mistral:large")
    assert raised.value.field == "model"


@pytest.mark.parametrize(("model", "base_url"), [("anthropic:claude", "http://localhost"), ("openai-chat:x", "localhost:8000")])
def test_an_address_that_cannot_be_used_is_refused(model: str, base_url: str) -> None:
    with pytest.raises(DeskmateError) as raised:
        model_agent(model, base_url=base_url)
    assert raised.value.field == "base_url"


def test_importing_the_runners_loads_no_agent_framework_and_importing_this_one_no_provider() -> None:
    code = """
import sys, deskmate.runners
before = "pydantic_ai" in sys.modules
import deskmate.runners.pydantic_ai
print(before, "openai" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
