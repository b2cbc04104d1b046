"""Mail: the channel that hands letters to an SMTP server."""

import asyncio
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from deskmate.domain.notifications import Word
from deskmate.errors import Misconfigured
from deskmate.services.letters import letter

PATIENCE = 20.0  # seconds that the server has for each of its answers
AT_ONCE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where mail is handed in. With `tls` the connection begins encrypted, else it is as soon as the server offers it."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        """Read `smtp://user:password@host:587` or `smtps://host`, as settings have checked it."""
        parts = urlsplit(url)
        tls = parts.scheme == "smtps"
        user, password = (None if given is None else unquote(given) for given in (parts.username, parts.password))
        return cls(host=parts.hostname or "", port=parts.port or (465 if tls else 587), tls=tls, user=user, password=password)


class Mail:
    """The e-mail channel. It takes what a server has accepted for sent."""

    def __init__(self, url: str, *, sender: str) -> None:
        self._server = Server.of(url)
        self._sender = sender
        # Threads of its own: a server that hangs holds up nothing else.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deskmate-mail")

    async def __call__(self, word: Word, /) -> None:
        """Send a word as a letter. Raises smtplib.SMTPException, OSError, Misconfigured."""
        delivery = _Delivery(self._server, letter(word, sender=self._sender))
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, delivery.run)
        finally:
            delivery.cut()


class _Delivery:
    """One letter on its way, in a thread that can be told to stop: whoever gives up cuts its line."""

    def __init__(self, server: Server, mail: EmailMessage) -> None:
        self._server = server
        self._mail = mail
        self._line: socket.socket | None = None
        self._over = False

    def run(self) -> None:
        """Hand it in, or raise."""
        if self._over:
            return
        server, context = self._server, ssl.create_default_context()
        if server.tls:
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
        self._line = smtp.sock
        try:
            smtp.ehlo_or_helo_if_needed()
            if not server.tls and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                self._line = smtp.sock
            if server.user is not None:
                self._check_privacy(smtp)
                smtp.login(server.user, server.password or "")
            smtp.send_message(self._mail)
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()  # It has been accepted: what the server says to a farewell changes nothing.
        finally:
            smtp.close()

    def cut(self) -> None:
        """Stop, wherever it is."""
        self._over = True
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _check_privacy(self, smtp: smtplib.SMTP) -> None:
        """A server that does not encrypt, or one in between that takes the offer out, does not get the password."""
        if not isinstance(smtp.sock, ssl.SSLSocket) and not _is_local(self._server.host):
            raise Misconfigured("the mail server does not offer TLS: the password would travel in plain text")


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
