"""The command line, through the real process: what it prints and how it refuses."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.acceptance.command_line import Result, environment


def test_help_names_every_command_and_gives_examples(deskmate: Callable[..., Result]) -> None:
    shown = deskmate("--help")
    assert shown.code == 0
    for command in ("serve", "worker", "demo", "migrate", "check", "import", "replay", "route"):
        assert re.search(rf"^  {command} ", shown.out, re.MULTILINE)
        of_command = deskmate(command, "--help")
        assert of_command.code == 0
        assert f"  deskmate {command}" in of_command.out


def test_without_a_command_it_says_how_it_is_used(deskmate: Callable[..., Result]) -> None:
    assert deskmate() == deskmate("--help")


def test_the_version_is_that_of_the_package(deskmate: Callable[..., Result]) -> None:
    from importlib.metadata import version

    assert deskmate("--version") == Result(0, f"deskmate {version('deskmate')}\n", "")


@pytest.mark.parametrize("code", ["import deskmate", "from deskmate.cli import run; run(['--help'])"])
def test_what_only_shows_help_loads_nothing_heavy(code: str) -> None:
    heavy = "{'fastapi', 'uvicorn', 'pydantic_ai', 'sqlite3', 'yoyo', 'jsonschema', 'numpy', 'sklearn'}"
    script = f"{code}; import sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serv"], "'serv'"),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port", "70000"], "--port: must be a whole number from 0 to 65535, not '70000'"),
        (["serve", "--port", "http"], "--port: must be a whole number from 0 to 65535, not 'http'"),
        (["serve", "--faq", "nowhere"], "--faq: The FAQ folder 'nowhere' does not exist"),
        (["serve", "--model", "gpt"], "--model: the model 'gpt' is not known"),
        (["serve", "--model", "openai:gpt-5.2"], "--model: the model 'openai:gpt-5.2' needs OPENAI_API_KEY"),
        (["serve", "--base-url", "http://localhost"], "--base-url: goes with --model only"),
        (["serve", "nowhere:desk"], "MODULE:DESK: there is no module 'nowhere'"),
        (["serve", "json"], "MODULE:DESK: is written MODULE:NAME"),
        (["serve", "json:desk"], "MODULE:DESK: the module json has no 'desk'"),
        (["serve", "json:dumps"], "MODULE:DESK: json:dumps is a function, not a Desk"),
        (["serve", "--agent", "json:dumps"], "--agent: json:dumps is a function, not an agent"),
        (["serve", "--agent", "json:dumps", "--model", "openai:x"], "--model: does not go with --agent"),
        (["serve", "json:dumps", "--faq", "."], "--faq: does not go with json:dumps"),
        (["serve", "json:dumps", "--store", "sqlite://"], "--store (DESKMATE_STORE): does not go with json:dumps"),
        (["serve", "--store", "mysql://db/desk"], "--store (DESKMATE_STORE): No store engine for 'mysql'"),
        (["migrate", "--store", "desk.db"], "--store (DESKMATE_STORE): No store engine for"),
        (["worker", "--store", "sqlite://"], "--store (DESKMATE_STORE): is in memory"),
        (["worker", "nowhere:desk"], "MODULE:DESK: there is no module 'nowhere'"),
        (["serve", "--host", "203.0.113.9", "--port", "0"], "--host: '203.0.113.9' is no address of this machine"),
    ],
)
def test_a_wrong_command_line_is_one_line_that_names_the_option(
    deskmate: Callable[..., Result], arguments: list[str], says: str
) -> None:
    refused = deskmate(*arguments)
    assert refused.code == 2
    assert refused.line.startswith("deskmate: ")
    assert says in refused.line


def test_a_wrong_setting_names_its_variable(deskmate: Callable[..., Result]) -> None:
    refused = deskmate("serve", DESKMATE_PORT="eighty")
    assert (refused.code, refused.line) == (
        2, "deskmate: DESKMATE_PORT must be a whole number from 0 to 65535, not 'eighty'",
    )  # fmt: skip


def test_a_module_that_fails_is_told_with_the_place(deskmate: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text("import deskmate\n\n1 / 0\n")
    refused = deskmate("serve", "support:desk")
    assert refused.code == 2
    assert "the module support fails: ZeroDivisionError" in refused.line
    assert "support.py, line 3" in refused.line


def test_a_busy_port_is_refused_before_anything_is_announced(deskmate: Callable[..., Result]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = deskmate("serve", "--port", str(port))
    assert refused.code == 1
    assert refused.line == f"deskmate: --port: port {port} on 127.0.0.1 is in use; choose another one, or 0 for any free one"


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_store_that_cannot_be_reached_is_one_line_without_its_password(deskmate: Callable[..., Result], command: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"postgresql://ana:hushhush@127.0.0.1:{closed.getsockname()[1]}/desk"
        refused = deskmate(command, "--store", url, "--port", "0")
    assert refused.code == 1
    assert "cannot be reached" in refused.line
    assert "hushhush" not in refused.err


def test_migrate_brings_an_empty_store_up_to_date_once(
    deskmate: Callable[..., Result], request: pytest.FixtureRequest, engine: str, tmp_path: Path
) -> None:
    if engine == "sqlite":
        _migrates(deskmate, f"sqlite:///{tmp_path / 'new.db'}")
    else:
        with request.getfixturevalue("postgres_server").fresh_database(migrated=False) as url:
            _migrates(deskmate, url)


def _migrates(deskmate: Callable[..., Result], url: str) -> None:
    before = deskmate("migrate", "--check", "--store", url)
    assert before.code == 1
    assert before.out.startswith("missing  0001.")
    first = deskmate("migrate", DESKMATE_STORE=url)
    assert first.code == 0
    assert first.out == before.out.replace("missing", "applied")
    for again in (deskmate("migrate", "--store", url), deskmate("migrate", "--check", "--store", url)):
        assert again == Result(0, "The schema is up to date.\n", "")


def test_a_model_that_is_not_there_is_one_line_that_names_the_setting(deskmate: Callable[..., Result], faq: Path) -> None:
    found = deskmate("serve", "--faq", str(faq), "--store", "sqlite://", DESKMATE_EMBEDDINGS="nowhere")
    assert found.code == 2
    assert found.line == "deskmate: DESKMATE_EMBEDDINGS: The folder 'nowhere' has no model.onnx."


def test_check_finds_nothing_wrong_with_a_desk_that_would_run(deskmate: Callable[..., Result], store_url: str, faq: Path) -> None:
    found = deskmate("check", "--store", store_url, "--faq", str(faq))
    assert found.code == 0
    assert {line.split()[0] for line in found.out.splitlines()} == {"ok"}
    assert "Support AI" in found.out


def test_check_names_what_is_wrong(deskmate: Callable[..., Result], tmp_path: Path) -> None:
    found = deskmate("check", "--faq", "nowhere", "--store", f"sqlite:///{tmp_path}/none/desk.db")
    assert found.code == 1
    problems = [line for line in found.out.splitlines() if line.startswith("problem")]
    assert len(problems) == 2
    assert "--faq" in problems[0]
    assert "does not exist" in problems[1]
    assert not (tmp_path / "none").exists()


def test_check_sees_runs_that_no_registered_agent_will_work_on(deskmate: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "import asyncio\n"
        "from deskmate import Desk, FaqAgent, FaqLibrary, customer\n"
        "async def main():\n"
        "    agent = FaqAgent(FaqLibrary([]), name='Old AI')\n"
        "    async with Desk.open('sqlite:///desk.db', agents=[agent], work=False) as desk:\n"
        "        thread = await desk.threads.open(customer='ada')\n"
        "        await desk.messages.post(thread.id, 'Hello?', author=customer('ada'))\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "shop.py"], cwd=tmp_path, env=environment(tmp_path), check=True, timeout=60)
    found = deskmate("check", "--store", "sqlite:///desk.db")
    assert found.code == 1
    assert "1 wait for the agent 'Old AI', which is not registered" in found.out
