"""What a request may look like before any route sees it: size, content type, clean text; and the headers every answer carries."""

import re
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskmate.domain.files import LARGEST
from deskmate.server.problems import problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
UPLOAD = re.compile(r"/api/threads/[^/]+/files$")
"""The path that takes contents as they are."""
FORMS = re.compile(r"/answer/[^/]+$|/slack/actions$")
"""The paths that take forms: what a browser sends without a script and the secret of a link, and what Slack signs."""
FORM = "application/x-www-form-urlencoded"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Intake:
    """ASGI middleware: refuses what no route should have to look at."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._most = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = with_headers(send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _counted(receive, self._most_of(scope)), send)

    def _refusal(self, scope: Scope) -> Response | None:
        if not clean(scope.get("raw_path") or b"") or not clean(scope.get("query_string") or b""):
            return problem(400, "bad_request", "The address holds characters that are no text.")
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        most = self._most_of(scope)
        if length.isdigit() and int(length) > most:
            return problem(413, "too_large", _too_large(most), headers={"Connection": "close"})
        has_body = length not in ("", "0") or "transfer-encoding" in headers
        media = headers.get("content-type", "").split(";")[0].strip().lower()
        if scope["method"] in WRITES and has_body and not _is_upload(scope) and media != _media_of(scope):
            return problem(415, "unsupported_media_type", "Send application/json.")
        return None

    def _most_of(self, scope: Scope) -> int:
        """A file is no body of JSON: it has a limit of its own, which its route explains; twice as much nobody hears."""
        return 2 * LARGEST if _is_upload(scope) else self._most


def _media_of(scope: Scope) -> str:
    """What a body has to be. Whoever is signed in here sends JSON, which no page of another site can send for them."""
    return FORM if scope["method"] == "POST" and FORMS.match(scope["path"]) else "application/json"


def _is_upload(scope: Scope) -> bool:
    return scope["method"] == "POST" and UPLOAD.search(scope["path"]) is not None


def _counted(receive: Receive, most: int) -> Receive:
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413, _too_large(most), headers={"Connection": "close"})
        return message

    return counted


def _too_large(most: int) -> str:
    return f"A body may have at most {most} bytes."


def clean(raw: bytes) -> bool:
    """Whether a part of an address is text that both stores can look for."""
    try:
        return "\x00" not in unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return False


def with_headers(send: Send) -> Send:
    """Every answer carries the policy and its companions."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
