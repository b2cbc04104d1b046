"""`deskmate route eval`, through the real process: how good the learned classifier is on somebody's own messages."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.command_line import Result

Deskmate = Callable[..., Result]
THINGS = ("tent", "stove", "lamp", "rope", "bag", "map", "knife", "pan", "boot", "sock")


@pytest.fixture
def messages() -> list[dict[str, Any]]:
    """Ten of each of two intents, and ten that people should get."""
    rows = [{"text": f"Where is the {thing} that I ordered?", "intent": "delivery", "responder": "ai"} for thing in THINGS]
    rows += [{"text": f"What does a {thing} cost?", "intent": "price", "responder": "ai"} for thing in THINGS]
    return rows + [{"text": f"My lawyer hates your {thing}", "intent": None, "responder": "human"} for thing in THINGS]


def write(path: Path, rows: Sequence[object]) -> str:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return str(path)


def test_it_learns_from_one_file_and_judges_another(deskmate: Deskmate, tmp_path: Path, messages: list[dict[str, Any]]) -> None:
    train = write(tmp_path / "train.jsonl", messages)
    file = write(tmp_path / "test.jsonl", [messages[0], "", messages[10], messages[20]])
    done = deskmate("route", "eval", file, "--train", train, "--json")
    assert (done.code, done.err) == (0, "")
    found: Mapping[str, Any] = json.loads(done.out)
    expected = {"learned_from": 30, "in_scope": 2, "out_of_scope": 1, "accuracy": 1, "kept": 0, "caught": 1, "auroc": 1}
    assert {name: found[name] for name in expected} == expected
    assert found["coverage"] == {"0.05": 0.6667, "0.02": 0.6667, "0.01": 0.6667}
    assert found["ms_per_decision"] > 0
    assert found["fit_seconds"] > 0
    assert len(found["version"]) == 32


def test_without_another_file_the_last_fifth_of_each_intent_is_judged(
    deskmate: Deskmate, tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    done = deskmate("route", "eval", write(tmp_path / "all.jsonl", messages))
    assert (done.code, done.err) == (0, "")
    assert "learned from      24 messages in " in done.out
    assert "judged            4 in scope, 2 out of scope, " in done.out
    assert "accuracy          100.0 % of those in scope" in done.out
    assert "given to people   0.0 % of those in scope, 100.0 % of those out of scope" in done.out
    assert "AUROC             1.000 in scope against out of scope" in done.out
    assert "alone             66.7 % of all messages, with at most 5 % wrong" in done.out


def test_messages_out_of_scope_can_be_weighed_as_the_traffic_has_them(
    deskmate: Deskmate, tmp_path: Path, messages: list[dict[str, Any]]
) -> None:
    done = deskmate("route", "eval", write(tmp_path / "all.jsonl", messages), "--out-of-scope", "0.5", "--json")
    assert json.loads(done.out)["coverage"]["0.05"] == 0.5


def test_what_cannot_be_told_is_told_so(deskmate: Deskmate, tmp_path: Path, messages: list[dict[str, Any]]) -> None:
    file = write(tmp_path / "all.jsonl", messages[:20])
    done = deskmate("route", "eval", file)
    assert "AUROC             - in scope" in done.out
    assert json.loads(deskmate("route", "eval", file, "--json").out)["auroc"] is None


def test_it_says_how_it_is_used(deskmate: Deskmate) -> None:
    assert "deskmate route eval messages.jsonl" in deskmate("route").out
    assert "--train" in deskmate("route", "eval", "--help").out


@pytest.mark.parametrize(("row", "says"), [
    ("nothing", "the line is no JSON: Expecting value at character 1"),
    ([], "a row is an object with text, intent and responder, not a list"),
    ({}, "text must be a text, not missing"),
    ({"text": 3, "intent": None, "responder": "ai"}, "text must be a text, not a number"),
    ({"text": "a", "intent": "", "responder": "ai"}, "intent must be a name or null, not empty"),
    ({"text": "a", "intent": ["b"], "responder": "ai"}, "intent must be a name or null, not a list"),
    ({"text": "a", "intent": "b"}, 'responder must be "ai" or "human", not missing'),
    ({"text": "a", "intent": "b", "responder": "robot"}, 'responder must be "ai" or "human", not "robot"'),
    ({"text": "a", "intent": "b", "responder": None}, 'responder must be "ai" or "human", not null'),
])  # fmt: skip
def test_a_bad_row_is_named_with_its_line_and_field(
    deskmate: Deskmate, tmp_path: Path, messages: list[dict[str, Any]], row: object, says: str
) -> None:
    bad = write(tmp_path / "bad.jsonl", [*messages, "", row])
    done = deskmate("route", "eval", bad)
    assert (done.code, done.line) == (2, f"deskmate: FILE: {bad}, line 32: {says}")


def test_a_bad_file_is_named_by_its_option(deskmate: Deskmate, tmp_path: Path, messages: list[dict[str, Any]]) -> None:
    good, bad = write(tmp_path / "good.jsonl", messages), write(tmp_path / "bad.jsonl", [{"text": "a", "responder": 1}])
    empty = write(tmp_path / "empty.jsonl", [""])
    few = write(tmp_path / "few.jsonl", messages[:3])
    for arguments, says in (
        ((good, "--train", bad), f'--train: {bad}, line 1: responder must be "ai" or "human", not a number'),
        ((good, "--train", "nowhere"), "--train: nowhere cannot be read: No such file or directory"),
        (("nowhere",), "FILE: nowhere cannot be read: No such file or directory"),
        ((empty,), f"FILE: {empty} has no messages"),
        ((good, "--train", empty), f"--train: {empty} has no messages"),
        ((few,), f"--train: {few} has fewer than five messages of every intent; name one to learn from"),
    ):
        done = deskmate("route", "eval", *arguments)
        assert (done.code, done.line) == (2, f"deskmate: {says}")
    assert deskmate("route", "eval", good, "--out-of-scope", "1.5").code == 2
