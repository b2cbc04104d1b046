"""`deskmate serve` and `demo`, through the real process: how they serve and how they end."""

import json
import re
import signal
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.acceptance.command_line import NO_PROXY, Result, Server, reply


def test_serve_answers_from_the_faq_and_asks_about_the_rest(start: Callable[..., Server], store_url: str, faq: Path) -> None:
    server = start("serve", "--faq", str(faq), "--store", store_url)
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        assert customer.get("/healthz").json() == {"status": "ok"}
        token = customer.post("/api/chat/sessions").json()["token"]
        customer.headers["Authorization"] = f"Bearer {token}"
        assert "10:00 to 19:00" in reply(customer, "What are the opening hours in Lyon?", kind="agent")
        assert "asking a colleague" in reply(customer, "Do you sell spruce cone stoves?", kind="system")
    assert server.stop() < 5
    assert server.process.returncode == 0


def test_without_options_it_asks_people_about_everything(start: Callable[..., Server]) -> None:
    server = start("serve", "--store", "sqlite://")
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        assert "asking a colleague" in reply(customer, "What are the opening hours in Lyon?", kind="system")


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_promptly_while_people_listen(
    start: Callable[..., Server], store_url: str, sign: signal.Signals
) -> None:
    server = start("serve", "--store", store_url)
    token = httpx.post(f"{server.url}/api/chat/sessions", **NO_PROXY).json()["token"]
    with httpx.stream("GET", f"{server.url}/api/events", headers={"Authorization": f"Bearer {token}"}, **NO_PROXY) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": connected"
        assert server.stop(sign) < 2.5
        assert list(lines) == ["id: 0", ""]
    assert server.process.returncode == 0
    assert server.process.stderr is not None
    assert server.process.stderr.read() == ""


def test_a_program_that_waits_for_a_decision_does_not_hold_up_the_end(start: Callable[..., Server]) -> None:
    server = start("serve", "--store", "sqlite://", DESKMATE_ADMIN_KEY="a-key-of-the-test")
    key = {"Authorization": "Bearer a-key-of-the-test"}
    asked = httpx.post(f"{server.url}/api/requests", json={"question": "May it be sent?"}, headers=key, **NO_PROXY).json()
    waiting = HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    waiting.request("GET", f"/api/requests/{asked['id']}?wait=50", headers=key)
    assert httpx.get(f"{server.url}/healthz", **NO_PROXY).status_code == 200  # what was sent before this is being served
    assert server.stop() < 2.5
    assert json.loads(waiting.getresponse().read())["state"] == "open"
    waiting.close()
    assert server.process.returncode == 0


def test_the_first_start_prints_a_link_that_makes_the_first_admin_once(start: Callable[..., Server], store_url: str) -> None:
    server = start("serve", "--store", store_url, DESKMATE_ADMIN_KEY="a-key-that-nobody-prints")
    links = re.findall(rf"{server.url}/inbox/setup#(\S+)", "\n".join(server.said))
    assert len(links) == 1
    assert "a-key-that-nobody-prints" not in "\n".join(server.said)
    admin = {"token": links[0], "name": "Ana", "email": "ana@shop.example", "password": "correct horse"}
    first = httpx.post(f"{server.url}/api/session/link", json=admin, **NO_PROXY)
    assert (first.status_code, first.json()["role"]) == (201, "admin")
    again = httpx.post(f"{server.url}/api/session/link", json=admin | {"email": "eve@shop.example"}, **NO_PROXY)
    assert again.status_code == 401
    server.stop()
    assert "setup#" not in "\n".join(start("serve", "--store", store_url).said)


def test_a_desk_of_ones_own_is_served_from_its_module(start: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text("from deskmate import Desk\n\ndesk = Desk('sqlite:///mine.db')\n")
    server = start("serve", "support:desk")
    assert httpx.get(f"{server.url}/readyz", **NO_PROXY).status_code == 200
    assert (tmp_path / "mine.db").exists()


def test_an_agent_of_ones_own_answers(start: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "support.py").write_text(
        "from pydantic_ai import Agent\n"
        "from pydantic_ai.models.test import TestModel\n"
        "agent = Agent(TestModel(custom_output_text='Of course.'), name='Shop AI')\n"
    )
    server = start("serve", "--agent", "support:agent", "--store", "sqlite://")
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        assert reply(customer, "Can you help me?", kind="agent") == "Of course."


def test_the_demo_is_a_shop_in_the_middle_of_its_day(start: Callable[..., Server]) -> None:
    server = start("demo")
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


def test_what_the_demo_tells_to_try_is_not_in_its_faq(start: Callable[..., Server]) -> None:
    server = start("demo")
    question = server.said[server.said.index("Try this: in /chat ask") + 1].strip()
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        assert "asking a colleague" in reply(customer, question, kind="system")


def test_a_demo_that_is_kept_starts_again_with_new_passwords(start: Callable[..., Server], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    first = start("demo", "--store", url)
    first.stop()
    second = start("demo", "--store", url)
    old, new = (re.findall(r"^  (\S+@\S+)\s+(\S+)", "\n".join(server.said), re.MULTILINE)[0] for server in (first, second))
    with httpx.Client(base_url=second.url, **NO_PROXY) as operator:
        assert operator.post("/api/session", json={"email": old[0], "password": old[1]}).status_code == 401
        assert operator.post("/api/session", json={"email": new[0], "password": new[1]}).status_code == 200
        assert len(operator.get("/api/threads", params={"status": "all"}).json()["items"]) == 13


def test_the_demo_leaves_a_store_that_is_in_use_alone(
    start: Callable[..., Server], deskmate: Callable[..., Result], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'desk.db'}"
    server = start("serve", "--store", url)
    with httpx.Client(base_url=server.url, **NO_PROXY) as customer:
        customer.headers["Authorization"] = f"Bearer {customer.post('/api/chat/sessions').json()['token']}"
        customer.post("/api/threads", json={})
    server.stop()
    refused = deskmate("demo", "--store", url, "--port", "0")
    assert refused.code == 2
    assert "--store (DESKMATE_STORE): this store is in use" in refused.line
