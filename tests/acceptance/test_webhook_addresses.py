"""Where webhooks may lead: names are looked up once, private addresses are refused, certificates are those of the name."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.doors import ADMIN_KEY
from tests.acceptance.receiver import Receiver, receiving

from deskmate import Desk, Settings
from deskmate.domain.webhooks import Attempt
from deskmate.services import sending
from deskmate.testing import FakeClock, ScriptedAgent

Json = dict[str, Any]
PRIVATE = Settings(admin_key=ADMIN_KEY, rate_limits=False, webhooks_private=True, public_url="https://desk.shop.example")


@pytest.fixture
def settings() -> Settings:
    return PRIVATE


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def still(store_url: str, agent: ScriptedAgent, clock: FakeClock) -> AsyncIterator[Desk]:
    """A desk whose time stands still: nothing is sent unless the test says so."""
    async with Desk.open(store_url, agents=[agent], settings=PRIVATE, clock=clock, work=False) as desk:
        yield desk


async def test_a_name_is_looked_up_once_and_what_it_leads_to_is_looked_at(
    still: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that answers something harmless first and this machine afterwards."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    asked: list[str] = []

    def getaddrinfo(host: Any, *_: Any, **__: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        asked.append(name)
        answers = {"private.example": "10.0.0.1", "metadata.example": "169.254.169.254", "mapped.example": "::ffff:127.0.0.1"}
        address = answers.get(name) or ("198.18.0.1" if name == "rebinding.example" and asked.count(name) == 1 else "127.0.0.1")
        return [(10 if ":" in address else 2, 1, 6, "", (address, port))]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    sender = sending.Sender()
    for name, why in (
        ("private.example", "is private"),
        ("metadata.example", "is link-local"),
        ("mapped.example", "is private"),
        ("rebinding.example", "is private"),
        ("this.example", "is private"),
    ):
        secret = "whsec_" + "A" * 44
        outgoing = sending.Outgoing(
            id="msg_1",
            url=f"https://{name}:{port}/hook",
            body="{}",
            secrets=[secret],
            at=datetime.now(UTC),
            private=False,
        )
        attempt = await sender.send(outgoing)
        assert attempt.error is not None
        assert why in attempt.error, attempt.error
        assert asked.count(name) == 1
    assert receiver.received == []
    # Where private addresses are allowed, the connection goes to the one that was looked at, under the name that was asked for.
    new = await still.webhooks.add(f"http://twice.example:{port}/hook", events=["thread.opened"], allow_private=True)
    await still.threads.open(customer="ada")
    await still.run_due()
    assert asked.count("twice.example") == 1
    assert [one.headers["host"] for one in receiver.received] == [f"twice.example:{port}"]
    assert new.webhook.allow_private


async def test_where_the_settings_do_not_allow_it_nothing_is_sent_to_private_addresses(
    store_url: str, still: Desk, receiver: Receiver
) -> None:
    new = await still.webhooks.add(receiver.url, events=["thread.opened"], allow_private=True)
    await still.threads.open(customer="ada")
    async with Desk.open(store_url, settings=Settings(), work=False) as strict:
        await strict.run_due()
        [delivery] = (await strict.webhooks.deliveries(new.webhook.id)).items
        assert delivery.state == "queued"
        assert "https://" in str(delivery.attempts[0].error)
    assert receiver.received == []


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate of shop.example, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    named = ["-subj", "/CN=shop", "-addext", "subjectAltName=DNS:shop.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*new, *named], check=True, capture_output=True)
    return certificate, key


async def test_the_certificate_has_to_be_one_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to an address, and TLS is about the name all the same."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))])

    async def attempt(host: str) -> Attempt:
        secret = "whsec_" + "A" * 44
        url = f"https://{host}:{port}/hook"
        return await sending.Sender().send(
            sending.Outgoing(id="msg_1", url=url, body="{}", secrets=[secret], at=datetime.now(UTC), private=True)
        )

    async with server:
        unknown = await attempt("shop.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        known, other = await attempt("shop.example"), await attempt("other.example")
    assert (known.status, known.error) == (204, None)
    assert "certificate" in str(unknown.error)
    assert "certificate" in str(other.error).lower()
    assert [one.headers["host"] for one in receiver.received] == [f"shop.example:{port}"]
