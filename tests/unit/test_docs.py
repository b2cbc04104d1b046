"""The documentation holds: links resolve, snippets run, and nothing that has a name is left out."""

import ast
import asyncio
import contextlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.models.test import TestModel

from deskmate import Desk, Settings
from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.errors import AlreadyDecided, DeskmateError
from deskmate.server import problems

ROOT = Path(__file__).parents[2]
NAMED = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md")
PAGES = sorted([*(ROOT / name for name in NAMED), *(ROOT / "docs").rglob("*.md")])
SNIPPET = re.compile(r"<!-- runnable(?:: (?P<how>\w+))? -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    page: Path
    line: int
    how: str | None
    text: str


def snippets(language: str) -> Iterator[Snippet]:
    for page in PAGES:
        source = page.read_text("utf-8")
        for found in SNIPPET.finditer(source):
            if found["language"] == language:
                line = source[: found.start("text")].count("\n") + 1
                yield Snippet(page, line, found["how"], found["text"])


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        to = (path.parent / file).resolve() if file else path
        assert to.exists(), f"{named(path)} links to {target}"
        if heading:
            assert heading in anchors(to), f"{named(path)} links to {target}"


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_index() -> None:
    index = page("README.md")
    for path in (ROOT / "docs").glob("*.md"):
        assert path.name == "README.md" or f"({path.name})" in index, path.name


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_every_setting_is_documented_with_its_default(field: str) -> None:
    row = next((line for line in page("settings.md").splitlines() if line.startswith(f"| `DESKMATE_{field.upper()}`")), None)
    assert row is not None
    assert f"| `{field}` |" in row
    default = getattr(Settings(), field)
    shown = {True: "`on`", False: "`off`"}.get(default) if isinstance(default, bool) else f"`{default}`" if default else "none"
    assert f"| {shown} |" in row


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = {f"DESKMATE_{field.name.upper()}" for field in fields(Settings)}
    assert set(re.findall(r"`(DESKMATE_\w+)`", page("settings.md"))) == known


def test_every_command_and_every_option_is_documented() -> None:
    from typer.main import get_command

    from deskmate.cli.commands import app

    commands: dict[str, Any] = get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
    text = page("cli.md")
    assert set(re.findall(r"^## deskmate (\w+)$", text, re.MULTILINE)) == set(commands)
    inner = {name: getattr(group, "commands", {}) for name, group in commands.items()}
    of_groups = {f"{group} {name}": command for group, held in inner.items() for name, command in held.items()}
    for name, command in (commands | of_groups).items():
        for option in (option for parameter in command.params for option in parameter.opts if option.startswith("--")):
            assert option in text, f"{name} {option}"


def test_every_event_is_documented_and_no_other() -> None:
    assert re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", page("events.md"), re.MULTILINE) == list(EventType)


def test_every_error_code_is_documented_with_its_status() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d*) ?\|", page("errors.md"), re.MULTILINE))
    codes = {error.code: str(error.status) for error in (DeskmateError, *every(DeskmateError)) if error.code != "port_taken"}
    assert {code: rows.get(code) for code in codes} == codes
    assert set(problems.CODES.values()) <= rows.keys()
    assert {"malformed_json", "port_taken"} <= rows.keys()


def every(kind: type[DeskmateError]) -> Iterator[type[DeskmateError]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("deskmate."):
            yield child
            yield from every(child)


@pytest.mark.parametrize("snippet", [*snippets("python")], ids=lambda snippet: f"{named(snippet.page)}:{snippet.line}")
async def test_python_in_the_documentation_runs(snippet: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DESKMATE_")]:
        monkeypatch.delenv(name)
    text = snippet.text.replace('"openai:gpt-5.2"', "TestModel()")  # no test asks a provider
    code = compile(text, named(snippet.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    names: dict[str, Any] = {"TestModel": TestModel}
    async with answering(tmp_path, text) if snippet.how == "answered" else contextlib.nullcontext():
        running = eval(code, names)
        if inspect.isawaitable(running):
            await asyncio.wait_for(running, 30)
    if isinstance(names.get("desk"), Desk):
        await names["desk"].close()


@contextlib.asynccontextmanager
async def answering(folder: Path, text: str):
    """Somebody in another process, as it were, who answers what is asked in the store of the snippet."""
    url = re.search(r"sqlite:///(\w+\.db)", text)
    assert url is not None
    async with Desk.open(f"sqlite:///{folder / url[1]}", work=False) as desk:
        ana = await desk.operators.add(name="Ana", email="ana@shop.example")

        async def answer() -> None:
            async for seen in desk.feed.follow(by=SYSTEM, after=0):
                request = getattr(seen, "request", None)
                if request is not None and request.state == "open":
                    with contextlib.suppress(AlreadyDecided):
                        await desk.requests.answer(request.id, "Yes, until 19:00.", by=ana)

        task = asyncio.create_task(answer())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def test_the_examples_of_the_api_run_as_they_stand(tmp_path: Path) -> None:
    if shutil.which("curl") is None or shutil.which("bash") is None:
        pytest.skip("curl or bash is not installed")
    (tmp_path / "faq").mkdir()
    (tmp_path / "faq" / "shops.md").write_text("# Shops\n\n## Opening hours in Lyon\n\nMonday to Saturday, 10:00 to 19:00.\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("DESKMATE_")}
    server = subprocess.Popen(
        [sys.executable, "-m", "deskmate", "serve", "--faq", "faq", "--store", "sqlite://", "--port", "0"],
        cwd=tmp_path, env={**env, "DESKMATE_ADMIN_KEY": "a-key-of-the-test", "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with server:
        try:
            assert server.stdout is not None
            url = next(found[1] for line in server.stdout if (found := re.search(r"(http://\S+)/openapi.json", line)))
            script = "\n".join(["set -euo pipefail", *(snippet.text for snippet in snippets("bash"))])
            done = subprocess.run(
                ["bash", "-c", script],
                env={**env, "DESK": url, "KEY": "a-key-of-the-test", "no_proxy": "*"},
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        finally:
            server.terminate()
    assert done.returncode == 0, done.stderr
    assert '"status":"ok"' in done.stdout
    assert "'value': 'Yes.'" in done.stdout
    assert "event: message.posted" in done.stdout
    assert done.stdout.endswith("not_found\n")
