"""The Pydantic AI runner when its provider fails: what is tried again, what is said, and that nothing secret is."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic_ai import Agent
from tests.fakes.openai_server import Cut, Failure, Hold, OpenAIServer, Raw, Reply, Scripted, rate_limited
from tests.fakes.turns import Sleeps, collect, openai_agent, outputs_of, served, steps_of, turn

from deskmate.domain.agents import Delta, Output
from deskmate.domain.messages import Text
from deskmate.errors import ModelFailed
from deskmate.runners.pydantic_ai import Patience, PydanticAgent


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenAIServer]:
    async with served(monkeypatch) as running:
        yield running


HTML = "<html><head><title>502</title></head><body>proxy for sk-live-abcdef0123456789</body></html>"


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            Failure(401, "Incorrect API key: sk-fake-0123456789abcdef", "invalid_api_key"),
            "The model provider refused the API key (401).",
        ),
        (Failure(400, "bad schema for sk-fake-0123456789abcdef", "invalid"), "The model provider refused the request (400)."),
        (Failure(400, "too long", "context_length_exceeded"), "The conversation is too long for the model (400)."),
        (Failure(429, "no credit", "insufficient_quota"), "The account at the model provider is used up (429)."),
        (Failure(500, "boom"), "The model provider failed (500)."),
        (Failure(502, body=HTML), "The model provider failed (502)."),
        (Failure(404, "no such model", "model_not_found"), "The model fake-model was not found at its provider (404)."),
        (rate_limited("2"), "The model provider is limiting requests; it asks to wait 2 seconds (429)."),
        (Cut(), "The connection to the model provider was lost."),
    ],
)
async def test_a_failure_is_told_in_one_short_line_without_keys_or_pages(
    server: OpenAIServer, failure: Scripted, words: str
) -> None:
    server.script(*[failure] * 3)
    with pytest.raises(ModelFailed) as raised:
        await outputs_of(openai_agent(patience=Patience(sleep=Sleeps())), turn())
    assert raised.value.message == words
    shown = "".join(chain_of(raised.value))
    assert server.key not in shown
    assert "<" not in shown


def chain_of(error: BaseException) -> list[str]:
    """What a log shows of an error: itself and what it says it comes from."""
    following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [f"{error!r} {error}", *(chain_of(following) if following else ())]


async def test_the_wrong_key_and_an_unknown_model_are_said_to_be_that(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelFailed, match=r"The model other was not found at its provider \(404\)"):
        await outputs_of(PydanticAgent(Agent("openai-chat:other")), turn())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-0123456789")
    with pytest.raises(ModelFailed, match=r"^The model provider refused the API key \(401\)\.$"):
        await outputs_of(openai_agent(), turn())


async def test_a_provider_that_cannot_be_reached_is_tried_three_times_and_then_said_so(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with OpenAIServer() as gone:
        monkeypatch.setenv("OPENAI_BASE_URL", gone.base_url)
    sleeps = Sleeps()
    with pytest.raises(ModelFailed, match="cannot be reached"):
        await outputs_of(openai_agent(patience=Patience(sleep=sleeps)), turn())
    assert sleeps == [0.5, 1.0]


async def test_a_rate_limit_is_waited_for_as_long_as_the_provider_says(server: OpenAIServer) -> None:
    sleeps = Sleeps()
    server.script(rate_limited("3"), Failure(503), Reply("Yes."))
    outputs = await outputs_of(openai_agent(patience=Patience(sleep=sleeps)), turn())
    assert steps_of(outputs)[-1].parts == (Text(text="Yes."),)
    assert sleeps == [3.0, 1.0]
    assert [seen.messages for seen in server.seen] == [server.seen[0].messages] * 3


async def test_a_pause_longer_than_our_patience_fails_the_run_at_once(server: OpenAIServer) -> None:
    sleeps = Sleeps()
    server.script(rate_limited("60"))
    with pytest.raises(ModelFailed, match="it asks to wait 60 seconds"):
        await outputs_of(openai_agent(patience=Patience(sleep=sleeps)), turn())
    assert (sleeps, len(server.seen)) == ([], 1)


async def test_a_connection_cut_before_the_first_word_is_tried_again(server: OpenAIServer) -> None:
    server.script(Cut(), Reply(Cut(politely=True)), Reply("Yes."))
    outputs = await outputs_of(openai_agent(patience=Patience(sleep=Sleeps())), turn())
    assert outputs[0] == Delta(text="Yes.")
    assert len(server.seen) == 3


@pytest.mark.parametrize("politely", [False, True])
async def test_a_connection_cut_after_words_were_shown_is_not_tried_again(server: OpenAIServer, politely: bool) -> None:
    hold = Hold()
    server.script(Reply("Yes, un", hold, Cut(politely=politely)))
    outputs: list[Output] = []
    with pytest.raises(ModelFailed, match=r"^The connection to the model provider was lost\.$"):
        await collect(openai_agent(patience=Patience(sleep=Sleeps())), outputs, hold.release)
    assert outputs == [Delta(text="Yes, un")]
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "raw", [b"data: {not json\n\n", b'data: {"error": {"message": "sk-live-abcdef0123456789", "type": "x"}}\n\n']
)
async def test_a_malformed_piece_fails_the_run_and_shows_nothing_of_itself(server: OpenAIServer, raw: bytes) -> None:
    server.script(Reply("Yes", Raw(raw), " and no"))
    with pytest.raises(ModelFailed) as raised:
        await outputs_of(openai_agent(), turn())
    assert raised.value.message == "The model provider sent something that is not an answer."


async def test_a_request_that_does_not_end_in_time_fails_the_run(server: OpenAIServer) -> None:
    server.script(Reply("Well", Hold()))
    with pytest.raises(ModelFailed, match=r"^The model did not finish within 0\.2 seconds\.$"):
        await outputs_of(openai_agent(patience=Patience(time_limit=0.2)), turn())
    assert await asyncio.wait_for(server.seen[0].gone.wait(), 5)


async def test_cancelling_the_one_who_reads_closes_the_connection_to_the_provider(server: OpenAIServer) -> None:
    hold = Hold()
    server.script(Reply("Well", hold))
    reading = asyncio.create_task(outputs_of(openai_agent(), turn()))
    await hold.reached.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.wait_for(server.seen[0].gone.wait(), 5)


async def test_closing_the_generator_closes_the_connection_to_the_provider(server: OpenAIServer) -> None:
    server.script(Reply("Well", Hold()))
    outputs = openai_agent().run(turn())
    assert await anext(outputs) == Delta(text="Well")
    await outputs.aclose()
    assert await asyncio.wait_for(server.seen[0].gone.wait(), 5)
