"""What turns texts into vectors: models on this machine, and endpoints that speak OpenAI's embeddings, or something else."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from tests.fakes.embeddings import MODEL, Answered, vectors_of
from tests.fakes.openai_server import Cut, Failure, OpenAIServer, Scripted, rate_limited

from deskmate.classifiers.embedders import embedder_of
from deskmate.classifiers.encoder import Encoder
from deskmate.classifiers.endpoint import Endpoint
from deskmate.errors import Misconfigured, Unavailable

HTML = "<html>502 Bad Gateway</html>"


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(models=[MODEL]) as server:
        yield server


def endpoint(server: OpenAIServer, *, key: str | None = None, waits: list[float] | None = None) -> Endpoint:
    sleep = (waits if waits is not None else []).append
    return Endpoint(server.base_url, MODEL, key=key or server.key, sleep=sleep)


async def embed(embedder: Any, texts: Sequence[str]) -> Any:
    return await asyncio.to_thread(embedder.embed, texts)


async def test_an_endpoint_is_asked_as_openai_is_and_its_vectors_get_the_length_one(server: OpenAIServer) -> None:
    found = await embed(embedder_of(f"{server.base_url}/#{MODEL}", server.key), ["my card card", "my flight"])
    assert (found.shape, str(found.dtype)) == ((2, 64), "float32")
    assert (found**2).sum(axis=1).tolist() == pytest.approx([1.0, 1.0])
    assert server.seen[0].body == {"model": MODEL, "input": ["my card card", "my flight"], "encoding_format": "float"}


async def test_many_texts_go_in_several_requests_and_come_back_in_their_order(server: OpenAIServer) -> None:
    texts = [f"number {number}" for number in range(70)]
    found = await embed(endpoint(server), texts)
    assert [len(seen.body["input"]) for seen in server.seen] == [32, 32, 6]
    again = await embed(endpoint(server), texts[40:41])
    assert found[40].tolist() == again[0].tolist() != found[41].tolist()


async def test_vectors_in_another_order_are_put_right(server: OpenAIServer) -> None:
    answer = vectors_of([[1, 0], [0, 2]])
    server.script(Answered({**answer, "data": answer["data"][::-1]}))
    assert (await embed(endpoint(server), ["one", "two"])).tolist() == [[1, 0], [0, 1]]


async def test_no_text_is_no_request_and_an_empty_or_endless_text_is_no_problem(server: OpenAIServer) -> None:
    assert len(await embed(endpoint(server), [])) == 0
    assert server.seen == []
    assert len(await embed(endpoint(server), ["", "  \n", "word " * 100_000])) == 3
    assert max(len(text) for text in server.seen[0].body["input"]) <= 2_000


@pytest.mark.parametrize("failure", [rate_limited("2"), Failure(503), Failure(500, body=HTML), Failure(408), Cut()])
async def test_what_passes_is_tried_again(server: OpenAIServer, failure: Scripted) -> None:
    waits: list[float] = []
    server.script(failure)
    assert len(await embed(endpoint(server, waits=waits), ["hello"])) == 1
    assert waits == [2.0 if isinstance(failure, Failure) and failure.status == 429 else 0.25]


async def test_a_server_that_stays_away_is_given_up(server: OpenAIServer) -> None:
    waits: list[float] = []
    server.script(*[Failure(503)] * 3)
    with pytest.raises(Unavailable, match="cannot be reached: it answers 503") as caught:
        await embed(endpoint(server, waits=waits), ["hello"])
    assert (caught.value.field, waits, len(server.seen)) == ("embeddings", [0.25, 0.5], 3)


@pytest.mark.parametrize("asked", ["3600", "inf", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_nobody_waits_for_a_server_that_wants_a_long_pause(server: OpenAIServer, asked: str) -> None:
    waits: list[float] = []
    server.script(rate_limited(asked))
    with pytest.raises(Unavailable, match="429"):
        await embed(endpoint(server, waits=waits), ["hello"])
    assert waits == []


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with OpenAIServer() as server:
        gone = endpoint(server)
    with pytest.raises(Unavailable, match="ConnectError"):
        await embed(gone, ["hello"])


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Failure(200, body=HTML), "no JSON"),
        (Failure(200, body="[" * 100_000), "no JSON"),
        (Answered([]), "no data"),
        (Answered({"data": None}), "no data"),
        (Answered({"data": ["text"]}), "data that is not understood"),
        (Answered({"data": [{"index": True, "embedding": [1]}]}), "data that is not understood"),
        (Answered({"data": [{"embedding": [1]}, {"embedding": [1]}]}), "data that is not understood"),
        (Answered({"data": [{"index": 0, "embedding": [1]}] * 2}), "data that is not understood"),
        (Answered({"data": [{"index": at, "embedding": [1]} for at in (0, 2)]}), "2 vectors for 2 texts"),
        (Answered(vectors_of([[1, 0]])), "1 vectors for 2 texts"),
        (Answered(vectors_of([[1]] * 3)), "3 vectors for 2 texts"),
        (Answered(vectors_of([[1, 0], [1]])), "vectors of 1 and 2 numbers"),
        (Answered(vectors_of([[], []])), "vectors of 0 numbers"),
        (Answered(vectors_of([["1"], [1]])), "what are no numbers"),
        (Answered(vectors_of([[float("nan")], [1]])), "what are no numbers"),
        (Answered(vectors_of([[10**400], [1]])), "what are no numbers"),
        (Answered(vectors_of([[1e300, 1e300], [1, 0]])), "without a length"),
        (Answered(vectors_of([[0, 0], [1, 0]])), "without a length"),
    ],
)
async def test_what_is_no_answer_is_said(server: OpenAIServer, answer: Scripted, problem: str) -> None:
    server.script(answer)
    with pytest.raises(Unavailable, match=problem) as caught:
        await embed(endpoint(server), ["one", "two"])
    assert caught.value.field == "embeddings"


async def test_vectors_of_another_size_than_before_are_refused(server: OpenAIServer) -> None:
    one = endpoint(server)
    await embed(one, ["hello"])
    server.script(Answered(vectors_of([[1, 0]])))
    with pytest.raises(Unavailable, match="vectors of 2 and 64 numbers"):
        await embed(one, ["hello"])


@pytest.mark.parametrize(
    ("status", "field"), [(401, "embeddings_key"), (403, "embeddings_key"), (404, "embeddings"), (400, "embeddings")]
)
async def test_a_refusal_names_the_setting_and_neither_key_nor_text(server: OpenAIServer, status: int, field: str) -> None:
    server.script(Failure(status, "Bearer sk-secret may not read 'my card'"))
    with pytest.raises(Misconfigured, match=str(status)) as caught:
        await embed(endpoint(server), ["my card"])
    assert caught.value.field == field
    assert "sk-secret" not in caught.value.message
    assert "my card" not in caught.value.message
    assert len(server.seen) == 1


async def test_a_wrong_key_and_a_redirect_lead_nowhere(server: OpenAIServer) -> None:
    with pytest.raises(Misconfigured, match="refuses the key"):
        await embed(endpoint(server, key="sk-other"), ["hello"])
    server.script(Failure(302, headers={"location": f"{server.base_url}/elsewhere"}))
    with pytest.raises(Misconfigured, match="302"):
        await embed(endpoint(server), ["hello"])
    assert {seen.path for seen in server.seen} == {"/v1/embeddings"}


@pytest.mark.parametrize(
    "setting", ["https://host/v1", "https://host/v1#", "http://", "https://a:b@host/v1#m", "https://host:x/v1#m"]
)
def test_an_endpoint_that_says_too_little_or_too_much_is_refused(setting: str) -> None:
    with pytest.raises(Misconfigured, match="https://host/v1#") as caught:
        embedder_of(setting)
    assert caught.value.field == "embeddings"
    assert "a:b" not in str(caught.value)


def test_a_key_that_no_header_can_carry_is_refused() -> None:
    for key in ("sk-ü", "sk-1\nx: y"):
        with pytest.raises(Misconfigured) as caught:
            embedder_of("https://host/v1#m", key)
        assert caught.value.field == "embeddings_key"
        assert key not in caught.value.message


def test_the_other_settings_are_models_on_this_machine() -> None:
    assert embedder_of("off") is None
    assert isinstance(embedder_of("auto"), Encoder)
    with pytest.raises(Misconfigured, match="no model"):
        embedder_of("nowhere")


def test_a_list_of_texts_becomes_the_vectors_that_each_of_them_has_alone() -> None:
    encoder = Encoder.packaged()
    texts = ["my card was stolen", "", "a much longer question about the money that was taken from my account yesterday evening"]
    together = encoder.embed(texts)
    assert [row.tolist() for row in together] == [encoder.embed([text])[0].tolist() for text in texts]
    assert together[0] @ encoder.read(texts[0], query=True).whole == pytest.approx(1.0, abs=1e-4)
    assert encoder.embed([]).shape == (0, encoder.size)


def test_deskmate_starts_without_the_libraries_of_its_classifiers() -> None:
    heavy = "{'numpy', 'sklearn', 'scipy', 'onnxruntime', 'tokenizers'}"
    names = "deskmate, deskmate.classifiers.embedders, deskmate.classifiers.nearest, deskmate.classifiers.stacked"
    script = f"import sys, {names}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
