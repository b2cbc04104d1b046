"""Sending: one message to one URL over HTTP, signed. The name is looked up once, and the connection goes to the address that was
looked at; redirects are not followed, and of the answer only the status counts.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

import httpx2
from standardwebhooks import Webhook as Signer

from deskmate.domain.addresses import refusal
from deskmate.domain.webhooks import Attempt, check_url, host_header
from deskmate.errors import Invalid

log = logging.getLogger("deskmate.webhooks")
CONNECT = 5.0  # seconds to look a name up and to connect
TOTAL = 15.0  # seconds for everything
MOST_READ = 64 * 1024  # bytes of an answer that are read before it is left
MOST_ADDRESSES = 2
LONGEST_ERROR = 300  # characters


class Refused(Exception):
    """Nothing is sent there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What is sent: the same id at every attempt, signed with the time of this one by each of the secrets."""

    id: str
    url: str
    body: str
    secrets: Sequence[str]
    at: datetime
    private: bool

    @property
    def headers(self) -> dict[str, str]:
        signatures = [Signer(secret).sign(msg_id=self.id, timestamp=self.at, data=self.body) for secret in self.secrets]
        return {
            "content-type": "application/json",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(self.at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


class Sender:
    """Sends messages from this process."""

    def __init__(self, *, total: float = TOTAL) -> None:
        self._total = total
        self._ssl: ssl.SSLContext | None = None

    async def send(self, outgoing: Outgoing) -> Attempt:
        """One attempt. Whatever goes wrong is in what it returns."""
        began = time.monotonic()
        attempt = Attempt(at=outgoing.at, ms=0)
        try:
            async with asyncio.timeout(self._total):
                status = await self._post(outgoing)
            attempt = replace(attempt, status=status, error=None if 200 <= status < 300 else _said(status))
        except TimeoutError:
            attempt = replace(attempt, error=f"no answer within {self._total:g} seconds")
        except (Refused, Invalid, httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            attempt = replace(attempt, error=(str(error) or type(error).__name__)[:LONGEST_ERROR])
        except Exception as error:
            # Whatever a receiver makes the libraries stumble over is a failed attempt like any other.
            log.exception("%s could not be sent", outgoing.id)
            attempt = replace(attempt, error=f"{type(error).__name__}: {error}"[:LONGEST_ERROR])
        return replace(attempt, ms=round((time.monotonic() - began) * 1000))

    async def _post(self, outgoing: Outgoing) -> int:
        url = httpx2.URL(check_url(outgoing.url, private=outgoing.private))
        addresses = await self._addresses(url, private=outgoing.private)
        for address in addresses[:-1]:
            try:
                return await self._post_to(address, url, outgoing)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue  # Nothing was sent: the next address is as good.
        return await self._post_to(addresses[-1], url, outgoing)

    async def _addresses(self, url: httpx2.URL, *, private: bool) -> list[str]:
        """Where the name leads, each address looked at. One that is not allowed spoils them all."""
        port = url.port or (443 if url.scheme == "https" else 80)
        async with asyncio.timeout(CONNECT):
            found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            why = refusal(address, private=private)
            if why is not None:
                raise Refused(f"{url.host} leads to {address}, which {why}")
        if not addresses:
            raise Refused(f"{url.host} leads nowhere")
        return addresses[:MOST_ADDRESSES]

    async def _post_to(self, address: str, url: httpx2.URL, outgoing: Outgoing) -> int:
        """Post to an address. Its certificate has to be one of the name."""
        headers: Mapping[str, str] = {
            **outgoing.headers,
            "host": host_header(url.host, url.port),
            "user-agent": f"Deskmate/{version('deskmate')}",
            "accept-encoding": "identity",
            "connection": "close",
        }
        request = httpx2.Request(
            "POST",
            url.copy_with(host=address),
            headers=headers,
            content=outgoing.body.encode(),
            extensions={"sni_hostname": url.host, "timeout": httpx2.Timeout(self._total, connect=CONNECT).as_dict()},
        )
        async with httpx2.AsyncHTTPTransport(verify=await self._context(), trust_env=False) as transport:
            response = await transport.handle_async_request(request)
            try:
                await _read(response)
            finally:
                await response.aclose()
            return response.status_code

    async def _context(self) -> ssl.SSLContext:
        if self._ssl is None:
            # It reads the certificates of this machine: once, and beside the loop.
            self._ssl = await asyncio.to_thread(httpx2.create_ssl_context)
        return self._ssl


async def _read(response: httpx2.Response) -> None:
    """Read the answer, so that one which breaks off is noticed; a long one is left in the middle."""
    read = 0
    async for piece in response.aiter_raw():
        read += len(piece)
        if read > MOST_READ:
            return


def _said(status: int) -> str:
    return f"redirected ({status}), which is not followed" if 300 <= status < 400 else f"answered {status}"
