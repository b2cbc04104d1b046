"""A mail server of this machine that speaks SMTP, keeps what it is given, and can be in a bad mood."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass
class Postbox:
    """What has arrived, in the order of arrival. `mood` says what becomes of the next mails: `kind` takes them, `refuses` says
    no, `hangs` says nothing, `dies` takes them and is gone before it can say so."""

    url: str = ""
    mood: str = "kind"
    letters: list[EmailMessage] = field(default_factory=list)
    receivers: list[list[str]] = field(default_factory=list)
    tries: int = 0
    signed_in: int = 0
    _let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        self.tries += 1
        if self.mood == "hangs":
            await self._let_go.wait()
        if self.mood == "refuses":
            return "451 4.3.0 Not now"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        letter = message_from_bytes(envelope.content, policy=default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        self.receivers.append(envelope.rcpt_tos)
        if self.mood == "dies":
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The letters to one address."""
        return [letter for letter, whom in zip(self.letters, self.receivers, strict=True) if address in whom]


@asynccontextmanager
async def open_postbox(tls: ssl.SSLContext | None = None, password: str | None = None) -> AsyncIterator[Postbox]:
    """A mail server on a free port, for the time of the block; with `tls` it offers STARTTLS, and wants a password behind it."""
    box = Postbox()
    loop = asyncio.get_running_loop()

    def sign_in(server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = password is not None and (data.login, data.password) == (b"desk", password.encode())
        box.signed_in += right
        return AuthResult(success=right)

    server = await loop.create_server(
        lambda: SMTP(
            box,
            hostname="postbox.test",
            loop=loop,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=password is not None,
            authenticator=sign_in,
        ),
        "127.0.0.1",
        0,
    )
    box.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield box
    finally:
        box._let_go.set()
        server.close()
        await asyncio.sleep(0)


def words(letter: EmailMessage) -> str:
    """The plain text of a letter."""
    part = letter.get_body(("plain",))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def markup(letter: EmailMessage) -> str:
    """Its HTML."""
    part = letter.get_body(("html",))
    assert part is not None
    return part.get_content()


def links(letter: EmailMessage) -> dict[str, str]:
    """The links by which it can be answered, as paths: the verb and where it leads."""
    found = dict(re.findall(r"^(\w+): https://desk\.example(/answer/\S+)$", words(letter), re.MULTILINE))
    assert all(f'href="https://desk.example{path}"' in markup(letter) for path in found.values())
    return found


class Tags(HTMLParser):
    """The elements of a page with their attributes, and its text, as a browser reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.found}
