"""Who is at the door: credentials of a request, the session cookie, and the rules that keep other sites and plain HTTP out."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Annotated, Protocol, cast
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from deskmate.config import Settings
from deskmate.domain.actors import Actor
from deskmate.errors import Forbidden, Unauthenticated
from deskmate.server.limits import Door, RateLimits
from deskmate.services.authentication import Authenticator
from deskmate.services.sessions import SESSION_LIFE, Sessions, SignedIn

SECURE_COOKIE = "__Host-deskmate_session"
PLAIN_COOKIE = "deskmate_session"
_ACTOR = "deskmate.actor"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate(Protocol):
    """What this module needs of a desk; the app keeps it at `app.state.desk`, and the rate limits at `app.state.limits`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def authenticator(self) -> Authenticator: ...
    @property
    def sessions(self) -> Sessions: ...


def gate_of(connection: HTTPConnection) -> Gate:
    """The desk that the app serves."""
    return cast("Gate", connection.app.state.desk)


def limits_of(connection: HTTPConnection) -> RateLimits:
    """The rate limits of the app."""
    return cast("RateLimits", connection.app.state.limits)


def bearer_of(connection: HTTPConnection) -> str | None:
    """The bearer token; None where there is none. Other schemes belong to proxies in front of us and are passed over."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def cookie_of(connection: HTTPConnection) -> str | None:
    """The session cookie. Over HTTPS only the `__Host-` one counts: a neighbouring host or a plain page cannot plant it."""
    return connection.cookies.get(SECURE_COOKIE if is_secure(connection) else PLAIN_COOKIE)


async def actor_of(connection: HTTPConnection) -> Actor | None:
    """Who asks; None without credentials. Asked once per request. Raises Unauthenticated for wrong ones, Forbidden for CSRF."""
    if _ACTOR not in connection.scope:
        bearer, actor = bearer_of(connection), await actor_now(connection)
        if actor is None and bearer is not None:
            raise Unauthenticated
        if actor is not None and bearer is None and connection.scope.get("method", "GET") not in _SAFE:
            check_same_origin(connection)
        connection.scope[_ACTOR] = actor
    return cast("Actor | None", connection.scope[_ACTOR])


async def actor_now(connection: HTTPConnection) -> Actor | None:
    """Who the credentials belong to at this moment: for streams, which ask again now and then, and end with what opened them."""
    return await gate_of(connection).authenticator.actor_for(bearer_of(connection), cookie_of(connection))


async def _maybe(request: Request) -> Actor | None:
    return await actor_of(request)


async def _signed_in(request: Request) -> Actor:
    actor = await actor_of(request)
    if actor is None:
        raise Unauthenticated
    return actor


MaybeActor = Annotated[Actor | None, Depends(_maybe)]
"""For routes that also serve people without credentials."""
SignedInActor = Annotated[Actor, Depends(_signed_in)]
"""For all other routes: 401 without credentials, 403 for a cookie that another site makes a browser send."""


def set_session(response: Response, request: Request, session: SignedIn) -> None:
    """Give the browser its session. Call `check_may_sign_in` before signing in."""
    _set_cookie(response, request, session.token, int(SESSION_LIFE.total_seconds()), session.expires_at)


def clear_session(response: Response, request: Request) -> None:
    """Take the session back from the browser."""
    _set_cookie(response, request, "", 0, datetime(1970, 1, 1, tzinfo=UTC))


def _set_cookie(response: Response, request: Request, value: str, max_age: int, expires: datetime) -> None:
    secure = is_secure(request)
    response.set_cookie(
        SECURE_COOKIE if secure else PLAIN_COOKIE,
        value,
        max_age=max_age,
        expires=expires,
        path="/",
        secure=secure,
        httponly=True,
        # Lax and not strict: a link in a mail or a chat message opens the inbox signed in. Writes are checked for their origin.
        samesite="lax",
    )
    response.headers["cache-control"] = "no-store"


def check_may_sign_in(request: Request) -> None:
    """Before any sign-in by cookie. Raises Forbidden over plain HTTP from elsewhere, and when another site starts it."""
    check_not_foreign(request)
    if is_secure(request) or is_local(request) or gate_of(request).settings.insecure_cookies:
        return
    raise Forbidden(
        "signing in needs HTTPS: the password and the session would travel in plain text. Put a TLS proxy in front that sends "
        "X-Forwarded-Proto, or start with --insecure-cookies (DESKMATE_INSECURE_COOKIES=on) on a network you trust",
        reason="insecure",
    )


def check_same_origin(connection: HTTPConnection) -> None:
    """Raise Forbidden unless the browser says that a page of ours sent this: for writes that a cookie authenticates (CSRF)."""
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is None and origin is None:
        raise Forbidden("a write with a session cookie needs Sec-Fetch-Site or Origin; programs use a key", reason="cross_site")
    check_not_foreign(connection)


def check_not_foreign(connection: HTTPConnection) -> None:
    """Raise Forbidden when the browser says that a page of another origin sent this; programs say nothing and pass."""
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    if site is not None:
        same = site == "same-origin"
    else:
        # Sec-Fetch-Site is sent to trustworthy origins only, so over plain HTTP there is the Origin to go by. Its host is
        # compared, not its scheme: behind a proxy we may see http where the browser says https.
        same = origin is None or _host_of(origin) == connection.headers.get("host", "").lower()
    if not same:
        raise Forbidden("another site sent this", reason="cross_site")


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the browser spoke HTTPS; uvicorn believes X-Forwarded-Proto of the proxies it is told to trust."""
    return connection.url.scheme in ("https", "wss")


def is_local(connection: HTTPConnection) -> bool:
    """Whether the browser talks to its own machine."""
    host = (connection.url.hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def address_of(connection: HTTPConnection) -> str | None:
    """The network address of the other side."""
    return connection.client.host if connection.client else None


def limited(door: Door) -> Callable[[Request], Awaitable[None]]:
    """A dependency that counts one use of a door, by actor and address: `dependencies=[Depends(limited(Door.POST))]`."""

    async def count(request: Request) -> None:
        # Who knocks here has no credentials yet, or not the ones they want.
        actor = None if door in (Door.LOGIN, Door.VISIT) else await actor_of(request)
        limits_of(request).check(door, actor=actor, address=address_of(request))

    return count


def check_login_limit(request: Request, email: str) -> None:
    """Count one attempt to sign in, by address and by the account aimed at. Raises TooMany."""
    limits_of(request).check(Door.LOGIN, address=address_of(request), subject=email.strip().lower())


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
