"""The command line, through the real process: what it prints, how it refuses, how it serves and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

PROGRAM = (sys.executable, "-m", "deskmate")
NO_PROXY = {"trust_env": False, "timeout": 10.0}
STARTED = "Ctrl-C stops."


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DESKMATE_", "OPENAI_"))}
    return kept | dict(extra or {})


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of an error. Fails when there is more, or less."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.strip()


@pytest.fixture
def deskmate(tmp_path: Path) -> Callable[..., Result]:
    """Run a command to its end, in an empty folder."""

    def run(*arguments: str, **env: str) -> Result:
        done = subprocess.run(
            [*PROGRAM, *arguments], cwd=tmp_path, env=environment(env), capture_output=True, text=True, timeout=60, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@dataclass
class Server:
    process: subprocess.Popen[str]
    said: list[str]

    @property
    def url(self) -> str:
        found = re.search(r"(http://\S+)/chat", "\n".join(self.said))
        assert found is not None, self.said
        return found[1]

    def stop(self, sign: int = signal.SIGTERM) -> float:
        """Send the signal; returns how many seconds the process took to end."""
        began = time.monotonic()
        self.process.send_signal(sign)
        self.process.wait(30)
        return time.monotonic() - began


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server on a free port and wait until it says where things are."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **env: str) -> Server:
        process = subprocess.Popen(
            [*PROGRAM, *arguments, "--port", "0"],
            cwd=tmp_path, env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line.rstrip())
            if said[-1] == STARTED:
                return Server(process, said)
        pytest.fail(f"it ended: {process.stderr.read()}")

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    folder = tmp_path / "faq"
    folder.mkdir()
    (folder / "shops.md").write_text("# Shops\n\n## Opening hours in Lyon\n\nThe Lyon shop is open from 10:00 to 19:00.\n")
    return folder


def test_help_names_every_command_and_gives_examples(deskmate: Callable[..., Result]) -> None:
    shown = deskmate("--help")
    assert shown.code == 0
    for command in ("serve", "demo", "migrate", "check", "import", "replay"):
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
    heavy = "{'fastapi', 'uvicorn', 'pydantic_ai', 'sqlite3', 'yoyo', 'jsonschema'}"
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
    subprocess.run([sys.executable, "shop.py"], cwd=tmp_path, env=environment(), check=True, timeout=60)
    found = deskmate("check", "--store", "sqlite:///desk.db")
    assert found.code == 1
    assert "1 wait for the agent 'Old AI', which is not registered" in found.out


def test_serve_answers_from_the_faq_and_asks_about_the_rest(serving: Callable[..., Server], store_url: str, faq: Path) -> None:
    server = serving("serve", "--faq", str(faq), "--store", store_url)
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        assert customer.get("/healthz").json() == {"status": "ok"}
        token = customer.post("/api/chat/sessions").json()["token"]
        customer.headers["Authorization"] = f"Bearer {token}"
        assert "10:00 to 19:00" in _reply(customer, "What are the opening hours in Lyon?", kind="agent")
        assert "asking a colleague" in _reply(customer, "Do you sell spruce cone stoves?", kind="system")
    assert server.stop() < 5
    assert server.process.returncode == 0


def _reply(customer: httpx.Client, text: str, *, kind: str) -> str:
    """Ask on a new thread; the first finished message of this kind of author."""
    thread = customer.post("/api/threads", json={}).json()["id"]
    with customer.stream("GET", "/api/events", params={"thread": thread, "after": 0}) as events:
        customer.post(f"/api/threads/{thread}/messages", json={"text": text})
        for line in events.iter_lines():
            message = json.loads(line[6:]).get("data", {}).get("message") if line.startswith("data: {") else None
            if message and message["author"]["kind"] == kind and message["status"] == "success":
                return message["text"]
    pytest.fail("the stream ended without a reply")


def test_without_options_it_asks_people_about_everything(serving: Callable[..., Server]) -> None:
    server = serving("serve", "--store", "sqlite://")
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        assert "asking a colleague" in _reply(customer, "What are the opening hours in Lyon?", kind="system")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_promptly_while_people_listen(
    serving: Callable[..., Server], store_url: str, sign: signal.Signals
) -> None:
    server = serving("serve", "--store", store_url)
    token = httpx.post(f"{server.url}/api/chat/sessions", **NO_PROXY).json()["token"]
    with httpx.stream("GET", f"{server.url}/api/events", headers={"Authorization": f"Bearer {token}"}, **NO_PROXY) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": connected"
        assert server.stop(sign) < 2.5
        assert list(lines) == [""]
    assert server.process.returncode == 0
    assert server.process.stderr is not None
    assert server.process.stderr.read() == ""


def test_a_program_that_waits_for_a_decision_does_not_hold_up_the_end(serving: Callable[..., Server]) -> None:
    server = serving("serve", "--store", "sqlite://", DESKMATE_ADMIN_KEY="a-key-of-the-test")
    key = {"Authorization": "Bearer a-key-of-the-test"}
    asked = httpx.post(f"{server.url}/api/requests", json={"question": "May it be sent?"}, headers=key, **NO_PROXY).json()
    waiting = HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    waiting.request("GET", f"/api/requests/{asked['id']}?wait=50", headers=key)
    assert httpx.get(f"{server.url}/healthz", **NO_PROXY).status_code == 200  # what was sent before this is being served
    assert server.stop() < 2.5
    assert json.loads(waiting.getresponse().read())["state"] == "open"
    waiting.close()
    assert server.process.returncode == 0


def test_the_first_start_prints_a_link_that_makes_the_first_admin_once(serving: Callable[..., Server], store_url: str) -> None:
    server = serving("serve", "--store", store_url, DESKMATE_ADMIN_KEY="a-key-that-nobody-prints")
    links = re.findall(rf"{server.url}/inbox/setup#(\S+)", "\n".join(server.said))
    assert len(links) == 1
    assert "a-key-that-nobody-prints" not in "\n".join(server.said)
    admin = {"token": links[0], "name": "Ana", "email": "ana@shop.example", "password": "correct horse"}
    first = httpx.post(f"{server.url}/api/session/link", json=admin, **NO_PROXY)
    assert (first.status_code, first.json()["role"]) == (201, "admin")
    again = httpx.post(f"{server.url}/api/session/link", json=admin | {"email": "eve@shop.example"}, **NO_PROXY)
    assert again.status_code == 401
    server.stop()
    assert "setup#" not in "\n".join(serving("serve", "--store", store_url).said)


def test_a_desk_of_ones_own_is_served_from_its_module(serving: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text("from deskmate import Desk\n\ndesk = Desk('sqlite:///mine.db')\n")
    server = serving("serve", "support:desk")
    assert httpx.get(f"{server.url}/readyz", **NO_PROXY).status_code == 200
    assert (tmp_path / "mine.db").exists()


def test_an_agent_of_ones_own_answers(serving: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text(
        "from pydantic_ai import Agent\n"
        "from pydantic_ai.models.test import TestModel\n"
        "agent = Agent(TestModel(custom_output_text='Of course.'), name='Shop AI')\n"
    )
    server = serving("serve", "--agent", "support:agent", "--store", "sqlite://")
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        assert _reply(customer, "Can you help me?", kind="agent") == "Of course."


def test_the_demo_is_a_shop_in_the_middle_of_its_day(serving: Callable[..., Server]) -> None:
    server = serving("demo")
    logins = re.findall(r"^  (\S+@\S+)\s+(\S+)", "\n".join(server.said), re.MULTILINE)
    assert len(logins) == 3
    with httpx.Client(base_url=server.url, **NO_PROXY) as operator:
        for email, password in logins:
            signed_in = operator.post("/api/session", json={"email": email, "password": password})
            assert signed_in.status_code == 200
        page = operator.get("/api/threads", params={"status": "all", "limit": 100}).json()
        waiting = operator.get("/api/requests").json()["items"]
        notes = [
            message
            for thread in page["items"]
            for message in operator.get(f"/api/threads/{thread['id']}/messages").json()["items"]
            if message["visibility"] == "note" and message["author"]["kind"] == "operator"
        ]
    threads = page["items"]
    assert len(threads) == 13
    assert {thread["status"] for thread in threads} == {"open", "snoozed", "resolved"}
    assert {thread["assignment"]["to"] for thread in threads} == {"ai", "operator", "queue"}
    assert "urgent" in {thread["priority"] for thread in threads}
    assert sorted((request["kind"], request["state"]) for request in waiting) == [
        ("approval", "open"), ("question", "claimed"), ("question", "open"),
    ]  # fmt: skip
    assert len(notes) >= 3
    assert all(thread["preview"]["text"] for thread in threads)


def test_what_the_demo_tells_to_try_is_not_in_its_faq(serving: Callable[..., Server]) -> None:
    server = serving("demo")
    question = server.said[server.said.index("Try this: in /chat ask") + 1].strip()
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        assert "asking a colleague" in _reply(customer, question, kind="system")


def test_a_demo_that_is_kept_starts_again_with_new_passwords(serving: Callable[..., Server], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    first = serving("demo", "--store", url)
    first.stop()
    second = serving("demo", "--store", url)
    old, new = (re.findall(r"^  (\S+@\S+)\s+(\S+)", "\n".join(server.said), re.MULTILINE)[0] for server in (first, second))
    with httpx.Client(base_url=second.url, **NO_PROXY) as operator:
        assert operator.post("/api/session", json={"email": old[0], "password": old[1]}).status_code == 401
        assert operator.post("/api/session", json={"email": new[0], "password": new[1]}).status_code == 200
        assert len(operator.get("/api/threads", params={"status": "all"}).json()["items"]) == 13


def test_the_demo_leaves_a_store_that_is_in_use_alone(
    serving: Callable[..., Server], deskmate: Callable[..., Result], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    server = serving("serve", "--store", url)
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        customer.post("/api/threads", json={})
    server.stop()
    refused = deskmate("demo", "--store", url, "--port", "0")
    assert refused.code == 2
    assert "--store (DESKMATE_STORE): this store is in use" in refused.line
