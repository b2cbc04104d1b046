"""Feedback through the public doors: ratings, what people make of drafts, and exports that others can use as they are."""

import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.command_line import Result
from tests.acceptance.doors import Front, Person, done, refused
from tests.openai_forms import check_example, check_preference

from deskmate import Desk
from deskmate.domain.agents import Output, Turn
from deskmate.testing import ScriptedAgent, say

OPEN, HOURS = "Is the Lyon shop open on Monday?", "From 10:00 to 19:00."


async def drafted(front: Front, ada: Person, words: str = OPEN) -> dict[str, Any]:
    """A request to approve a draft of the AI."""
    thread = await ada.thread()
    await front.admin.patch(f"/api/threads/{thread}", mode="review")
    async with front.admin.listening(thread=thread) as heard:
        await ada.say(thread, words)
        await heard.type("request.opened")
    return await front.admin.open_request(thread)


async def decided(front: Front, person: Person, request: dict[str, Any], **decision: Any) -> None:
    """A decision, and its feedback."""
    async with front.admin.listening(thread=request["thread"]) as heard:
        await person.post(f"/api/requests/{request['id']}/decision", **decision)
        told = (await heard.type("feedback.recorded")).data
        assert told["data"]["kind"] == decision["kind"]
        assert told["data"]["message"]["id"] == request["draft"]


async def closed(_: Turn) -> AsyncIterator[Output]:
    """What the AI says to everything."""
    yield say("It is closed.")


async def reviewed(front: Front, ada: Person, ana: Person, agent: ScriptedAgent) -> None:
    """Two drafts, one sent as it was and one edited, and one that was rejected."""
    agent.script = closed
    await decided(front, ana, await drafted(front, ada, "Are you there?"), kind="approve")
    await decided(front, ana, await drafted(front, ada), kind="edit", text=HOURS)
    await decided(front, ana, await drafted(front, ada, "Why?"), kind="reject", review="SECRET of the team")


async def answered(ada: Person) -> tuple[str, str]:
    """A thread on which the AI has answered, and the answer."""
    thread = await ada.thread()
    async with ada.listening(thread=thread) as heard:
        await ada.say(thread, OPEN)
        found = await heard.until(
            lambda e: (
                e.type.startswith("message.")
                and e.type != "message.delta"
                and e.message["author"]["kind"] == "agent"
                and e.message["status"] == "success"
            )
        )
        return thread, found.message["id"]


async def test_a_customer_rates_an_answer_and_changes_their_mind(front: Front, ada: Person, ana: Person):
    thread, message = await answered(ada)
    path = f"/api/threads/{thread}"
    async with ana.listening(thread=thread) as heard, ada.listening(thread=thread) as own:
        first = await ada.post(f"{path}/rating", rating="up", message=message)
        second = await ada.post(f"{path}/rating", rating="down", message=message, comment="It is wrong")
        await heard.type("feedback.recorded", count=2)
        await ada.say(thread, "Hello?", respond=False)
        await own.type("message.posted")
        assert not own.of("feedback.recorded")
    assert set(first) == {"id", "thread", "message", "rating", "comment", "created_at"}
    assert (first["id"], first["rating"]) == (second["id"], "up")
    assert (await ada.get(f"{path}/ratings"))["items"] == [second]
    [seen] = (await ana.get(f"{path}/ratings"))["items"]
    assert (seen["rating"], seen["comment"], seen["by"]["id"]) == ("down", "It is wrong", ada.id)
    bob = await front.visitor()
    refused(await bob.client.post(f"{path}/rating", json={"rating": 5}), 404, "not_found")
    refused(await bob.client.get(f"{path}/ratings"), 404, "not_found")


async def test_an_operator_reviews_an_answer_with_better_words(ada: Person, ana: Person):
    thread, message = await answered(ada)
    path = f"/api/threads/{thread}"
    given = await ana.post(f"{path}/rating", rating="down", message=message, correction=HOURS, comment="SECRET of the team")
    assert (given["kind"], given["correction"], given["by"]["name"]) == ("correction", HOURS, "Ana")
    assert (await ada.get(f"{path}/ratings"))["items"] == []
    assert "SECRET" not in json.dumps([await ada.messages(thread), await ada.get(path)])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "rating"),
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": "5"}, "rating"),
        ({"rating": 10**30}, "rating"),
        ({"rating": "up", "comment": "\ud800"}, "comment"),
        ({"rating": "up", "comment": "x" * 2001}, "comment"),
        ({"rating": "up", "customer": "eve"}, "customer"),
    ],
)
async def test_a_rating_that_nobody_can_mean_is_refused(ada: Person, body: dict[str, Any], field: str):
    thread = await ada.thread()
    content = json.dumps(body).encode()
    response = await ada.client.post(
        f"/api/threads/{thread}/rating", content=content, headers={"Content-Type": "application/json"}
    )
    assert field in refused(response, 422)["field"]
    assert (await ada.get(f"/api/threads/{thread}/ratings"))["items"] == []


async def export(person: Person, format: str, **more: Any) -> list[dict[str, Any]]:
    response = await person.client.get("/api/feedback/export", params={"format": format, **more})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in response.text.splitlines()]


async def test_what_people_make_of_drafts_becomes_examples(
    front: Front, ada: Person, ana: Person, lea: Person, agent: ScriptedAgent
):
    await reviewed(front, ada, ana, agent)
    everything = await export(lea, "jsonl")
    assert [one["kind"] for one in everything] == ["approve", "edit", "reject"]
    assert everything[2]["review"] == "SECRET of the team"
    examples, preferences = await export(lea, "openai"), await export(lea, "openai-preference")
    for one in examples:
        check_example(one)
    for one in preferences:
        check_preference(one)
    assert [one["messages"][-1]["content"] for one in examples] == ["It is closed.", HOURS]
    assert [one["preferred_output"][0]["content"] for one in preferences] == [HOURS]
    assert [one["non_preferred_output"][0]["content"] for one in preferences] == ["It is closed."]
    assert "SECRET" not in json.dumps([examples, preferences])
    assert "@shop.example" not in json.dumps([everything, examples, preferences])
    assert await export(lea, "jsonl", agent="nobody") == []
    assert await export(lea, "jsonl", since="2999-01-01T00:00:00Z") == []
    refused(await lea.client.get("/api/feedback/export", params={"format": "csv"}), 422)
    refused(await lea.client.get("/api/feedback/export", params={"since": "yesterday"}), 422)
    refused(await ana.client.get("/api/feedback/export"), 403)


async def test_nothing_of_a_deleted_thread_is_exported(front: Front, ada: Person, ana: Person, lea: Person, agent: ScriptedAgent):
    await reviewed(front, ada, ana, agent)
    for thread in (await front.admin.get("/api/threads", status="all"))["items"]:
        done(await front.admin.client.delete(f"/api/threads/{thread['id']}"))
    for format in ("jsonl", "openai", "openai-preference"):
        assert await export(lea, format) == []


def evaluator() -> str:
    """The Python that has lm-evaluation-harness: this one, or the one that DESKMATE_LM_EVAL names."""
    if importlib.util.find_spec("lm_eval") is not None:
        return sys.executable
    named = os.environ.get("DESKMATE_LM_EVAL")
    if named is None:
        pytest.skip("needs lm-evaluation-harness: deskmate[eval] here, or DESKMATE_LM_EVAL naming a Python that has it")
    return named


def evaluated(python: str, folder: Path, out: Path) -> tuple[int, list[dict[str, Any]]]:
    """The task in a folder, run by the harness from elsewhere, without a network: how many samples it had, and which."""
    command = ["--tasks", "deskmate_answers", "--include_path", str(folder), "--model", "dummy"]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(out / "hf")}
    ran = subprocess.run(
        [python, "-m", "lm_eval", *command, "--output_path", str(out), "--log_samples"],
        cwd=out, env=os.environ | offline, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    [results] = out.rglob("results_*.json")
    [samples] = out.rglob("samples_*.jsonl")
    counted = json.loads(results.read_text())["n-samples"]["deskmate_answers"]
    assert counted["original"] == counted["effective"]
    return counted["effective"], [json.loads(line) for line in samples.read_text().splitlines()]


async def test_the_exported_task_runs_under_the_harness_as_it_is(
    front: Front, ada: Person, ana: Person, lea: Person, agent: ScriptedAgent, tmp_path: Path
):
    python = evaluator()
    await reviewed(front, ada, ana, agent)
    response = await lea.client.get("/api/feedback/export", params={"format": "lm-eval"})
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as folder:
        folder.extractall(tmp_path / "unpacked")
    (tmp_path / "out").mkdir()
    count, samples = evaluated(python, tmp_path / "unpacked", tmp_path / "out")
    assert count == 2
    asked = {sample["doc"]["conversation"]: sample["target"].strip() for sample in samples}
    assert asked == {"Customer: Are you there?": "It is closed.", f"Customer: {OPEN}": HOURS}


async def test_the_command_writes_what_the_door_gives(
    desk: Desk,
    front: Front,
    ada: Person,
    ana: Person,
    lea: Person,
    agent: ScriptedAgent,
    deskmate: Callable[..., Result],
    tmp_path: Path,
):
    await reviewed(front, ada, ana, agent)
    url = desk.settings.store
    for format in ("jsonl", "openai", "openai-preference"):
        printed = deskmate("export", "--format", format, "--store", url)
        assert printed.code == 0, printed.err
        assert (printed.code, [json.loads(line) for line in printed.out.splitlines()]) == (0, await export(lea, format))
    written = deskmate("export", "--format", "lm-eval", "--out", "task", "--store", url)
    assert (written.code, written.out.strip()) == (0, "2 lines in task/deskmate_answers.jsonl.")
    assert sorted(file.name for file in (tmp_path / "task").iterdir()) == [
        "deskmate_answers.jsonl", "deskmate_answers.py", "deskmate_answers.yaml",
    ]  # fmt: skip
    for arguments, word in (
        (("--format", "lm-eval"), "--out"),
        (("--since", "yesterday"), "--since"),
        (("--format", "csv"), "--format"),
    ):
        wrong = deskmate("export", *arguments, "--store", url)
        assert wrong.code == 2
        assert word in wrong.err
