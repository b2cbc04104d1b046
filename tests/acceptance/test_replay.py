"""`deskmate replay`: recorded customers are played through the public doors of a running desk, as load."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.acceptance.doors import Front
from tests.acceptance.test_import import STOVE, TENT, Done, deskmate, write

from deskmate.domain.agents import Ask, Output, Turn
from deskmate.testing import ScriptedAgent, ask, failing


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    return write(tmp_path / "customers.jsonl", [TENT, STOVE, {"messages": [{"role": "assistant", "content": "Nobody speaks."}]}])


async def test_recorded_customers_are_played_through_the_public_doors(front: Front, customers: Path) -> None:
    done = await deskmate("replay", str(customers), "--url", front.url, "--concurrency", "2")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("2 conversations, 3 messages in ")
    assert outcomes(done) == {"replied": 3}
    assert "p50" in done.out
    assert "p99" in done.out
    threads = (await front.admin.get("/api/threads"))["items"]
    said = [[message["text"] for message in await front.admin.messages(thread["id"])] for thread in threads]
    assert sorted(said) == [
        ["Where is my tent?", "You said: Where is my tent?", "I want a person.", "You said: I want a person."],
        ["Which gas?", "You said: Which gas?"],
    ]  # fmt: skip


async def test_only_so_many_conversations_are_played_as_are_wanted(front: Front, customers: Path) -> None:
    done = await deskmate("replay", str(customers), "--url", front.url, "--limit", "1")
    assert done.out.startswith("1 conversation, 2 messages")


def outcomes(done: Done) -> dict[str, int]:
    """How many messages came to what, as it was printed."""
    return {words: int(count) for words, count in re.findall(r"^  (\w[\w ]*?) +(\d+)$", done.out, re.MULTILINE)}


async def with_notice(turn: Turn) -> AsyncIterator[Output]:
    yield ask("What now?", turn=turn, notice="One moment, I am asking a colleague.")


async def silent(turn: Turn) -> AsyncIterator[Output]:
    asked = ask("What now?", turn=turn)
    yield Ask(step=asked.step, requests=asked.requests)


async def test_questions_and_failures_are_answers_too(front: Front, agent: ScriptedAgent, customers: Path) -> None:
    play = ("replay", str(customers), "--url", front.url, "--limit", "1")
    agent.script = with_notice
    visitor = await deskmate(*play)
    assert (visitor.code, outcomes(visitor)) == (0, {"passed on": 2})
    team = await deskmate(*play, "--key", "the-admin-key-of-these-tests")
    assert (team.code, outcomes(team)) == (0, {"asked": 2})
    agent.script = failing(RuntimeError("no"))
    broken = await deskmate(*play, "--key", "the-admin-key-of-these-tests")
    assert (broken.code, outcomes(broken)) == (1, {"failed": 2})


async def test_nobody_waits_for_ever_for_an_answer_that_does_not_come(
    front: Front, agent: ScriptedAgent, customers: Path
) -> None:
    agent.script = silent
    done = await deskmate("replay", str(customers), "--url", front.url, "--limit", "1", "--patience", "0.2")
    assert (done.code, outcomes(done)) == (1, {"unanswered": 2})


@pytest.mark.parametrize(("url", "code", "says"), [
    ("http://shop.example:8000", 2, "--allow-remote"), ("http://192.0.2.7", 2, "--allow-remote"), ("localhost:8000", 2, "--url"),
    ("ftp://localhost", 2, "--url"), ("http://[::1", 2, "--url"), ("http://127.0.0.1:9", 1, "no desk answers"),
])  # fmt: skip
async def test_a_replay_goes_to_this_machine_unless_it_is_told_otherwise(url: str, code: int, says: str, tmp_path: Path) -> None:
    done = await deskmate("replay", str(write(tmp_path / "c.jsonl", [STOVE])), "--url", url)
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert done.err.count("\n") == 1
