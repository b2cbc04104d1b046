"""At the door: tokens and cookies, plain HTTP, other sites, and too many knocks; through a small app, without a store."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import httpx
import pytest
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from deskmate.config import Settings
from deskmate.domain.actors import Actor, customer, service
from deskmate.domain.operators import Operator
from deskmate.errors import DeskmateError, TooMany
from deskmate.server import auth
from deskmate.server.limits import LIMITS, MOST_BUCKETS, SHARED, STAFF, Door, RateLimits, network_of
from deskmate.services.sessions import SignedIn

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ANA = Operator(id="op_1", name="Ana", email="ana@shop.example", created_at=NOW)
SESSION = SignedIn(operator=ANA, token="ds_token", expires_at=NOW + timedelta(days=14))
SAME_SITE = {"sec-fetch-site": "same-origin"}


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeAuthenticator:
    """Knows one key, one customer and one session, and counts the questions."""

    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    async def actor_for(self, bearer: str | None, cookie: str | None = None) -> Actor | None:
        self.asked.append((bearer, cookie))
        if bearer is not None:
            return {"dk_key": service("robot"), "ct_ada": customer("ada"), "ct_bob": customer("bob")}.get(bearer)
        return ANA.actor("inbox") if cookie == SESSION.token else None


@dataclass
class FakeDesk:
    settings: Settings
    authenticator: FakeAuthenticator = field(default_factory=FakeAuthenticator)


def app_of(settings: Settings, seconds: Seconds) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.desk = FakeDesk(settings)
    app.state.limits = RateLimits(on=settings.rate_limits, clock=seconds)

    @app.exception_handler(DeskmateError)
    async def problem(_: Request, error: DeskmateError) -> JSONResponse:
        return JSONResponse({"code": error.code, "detail": error.message, **error.facts}, error.status)

    @app.api_route("/me", methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    async def me(request: Request, actor: auth.SignedInActor, maybe: auth.MaybeActor) -> dict[str, str | None]:
        assert actor == maybe == await auth.actor_of(request)
        return {"id": actor.id}

    @app.get("/maybe")
    async def somebody(actor: auth.MaybeActor) -> dict[str, str | None]:
        return {"id": actor.id if actor else None}

    @app.post("/login")
    async def login(request: Request, response: Response, email: str = "ana@shop.example") -> None:
        auth.check_may_sign_in(request)
        auth.check_login_limit(request, email)
        auth.set_session(response, request, SESSION)

    @app.post("/logout")
    async def logout(request: Request, response: Response) -> None:
        auth.clear_session(response, request)

    @app.post("/post", dependencies=[Depends(auth.limited(Door.POST))])
    async def post(actor: auth.SignedInActor) -> dict[str, str | None]:
        return {"id": actor.id}

    @app.post("/visit", dependencies=[Depends(auth.limited(Door.VISIT))])
    async def visit() -> None: ...

    return app


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


Browse = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def browse(seconds: Seconds) -> Browse:
    @asynccontextmanager
    async def open_client(
        base: str = "https://desk.example", *, address: str = "192.0.2.1", app: FastAPI | None = None, **settings: bool
    ) -> AsyncIterator[httpx.AsyncClient]:
        served = app or app_of(Settings(**settings), seconds)
        transport = httpx.ASGITransport(app=served, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield client

    return open_client


def cookie(response: httpx.Response) -> tuple[str, dict[str, str]]:
    ((name, morsel),) = SimpleCookie(response.headers["set-cookie"]).items()
    return name, {key: value for key, value in morsel.items() if value} | {"value": morsel.value}


# --- who


async def test_without_credentials_it_is_401_and_a_route_for_all_sees_nobody(browse: Browse) -> None:
    async with browse() as client:
        assert (await client.get("/me")).status_code == 401
        assert (await client.get("/maybe")).json() == {"id": None}


@pytest.mark.parametrize("path", ["/me", "/maybe"])
async def test_p9_a_wrong_token_is_401_also_beside_a_good_cookie(browse: Browse, path: str) -> None:
    async with browse() as client:
        client.cookies.set(auth.SECURE_COOKIE, SESSION.token)
        for wrong in ("Bearer nonsense", "Bearer ", "Bearer", "bearer dk_other"):
            assert (await client.get(path, headers={"authorization": wrong})).status_code == 401


async def test_a_bearer_token_is_read_whatever_the_case_of_the_scheme(browse: Browse) -> None:
    async with browse() as client:
        for header in ("Bearer dk_key", "bearer  dk_key ", "BEARER dk_key"):
            assert (await client.get("/me", headers={"authorization": header})).json() == {"id": "robot"}


async def test_other_schemes_are_a_proxys_business(browse: Browse) -> None:
    async with browse() as client:
        client.cookies.set(auth.SECURE_COOKIE, SESSION.token)
        assert (await client.get("/me", headers={"authorization": "Basic YTpi"})).json() == {"id": "op_1"}


async def test_the_store_is_asked_once_for_one_request(browse: Browse, seconds: Seconds) -> None:
    app = app_of(Settings(), seconds)
    async with browse(app=app) as client:
        await client.get("/me", headers={"authorization": "Bearer dk_key"})
        await client.post("/post", headers={"authorization": "Bearer dk_key"})
    assert app.state.desk.authenticator.asked == [("dk_key", None)] * 2


async def test_a_stream_can_ask_again_whether_its_reader_is_still_let_in(seconds: Seconds) -> None:
    app = app_of(Settings(), seconds)
    tokens = {"ct_ada": customer("ada")}

    async def actor_for(bearer: str | None, cookie: str | None = None) -> Actor | None:
        return tokens.get(bearer or "")

    app.state.desk.authenticator.actor_for = actor_for
    scope = {"type": "http", "app": app, "method": "GET", "headers": [(b"authorization", b"Bearer ct_ada")]}
    scope |= {"scheme": "https", "path": "/", "query_string": b"", "server": ("desk.example", 443)}
    request = Request(scope)
    assert await auth.actor_of(request) == await auth.actor_now(request) == customer("ada")
    tokens.clear()
    assert await auth.actor_now(request) is None
    assert await auth.actor_of(request) == customer("ada")


# --- the cookie


async def test_over_https_the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts(browse: Browse) -> None:
    async with browse() as client:
        response = await client.post("/login", headers=SAME_SITE)
        name, set_to = cookie(response)
        assert name == "__Host-deskmate_session"
        assert set_to.pop("expires") == "Mon, 19 Jan 2026 09:00:00 GMT"
        assert set_to == {
            "value": SESSION.token,
            "path": "/",
            "max-age": "1209600",
            "secure": True,
            "httponly": True,
            "samesite": "lax",
        }
        assert response.headers["cache-control"] == "no-store"
        assert (await client.get("/me", headers={"cookie": f"{name}={SESSION.token}"})).json() == {"id": "op_1"}


@pytest.mark.parametrize("base", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "http://desk.localhost"])
async def test_over_plain_http_on_this_machine_signing_in_works_with_a_plain_cookie(browse: Browse, base: str) -> None:
    async with browse(base) as client:
        response = await client.post("/login")
        name, set_to = cookie(response)
        assert (response.status_code, name) == (200, "deskmate_session")
        assert "secure" not in set_to
        assert set_to["httponly"]
        assert (await client.get("/me", headers={"cookie": f"{name}={SESSION.token}"})).json() == {"id": "op_1"}


@pytest.mark.parametrize("base", ["http://desk.example", "http://192.168.1.5:8000", "http://localhost.evil.example"])
async def test_over_plain_http_from_elsewhere_signing_in_is_refused_with_a_way_out(browse: Browse, base: str) -> None:
    async with browse(base) as client:
        response = await client.post("/login")
        assert (response.status_code, response.json()["reason"]) == (403, "insecure")
        assert "--insecure-cookies" in response.json()["detail"]
        assert "set-cookie" not in response.headers
    async with browse(base, insecure_cookies=True) as client:
        assert cookie(await client.post("/login"))[0] == "deskmate_session"


async def test_the_cookie_of_the_other_scheme_does_not_count(browse: Browse) -> None:
    async with browse() as client:
        assert (await client.get("/me", headers={"cookie": f"deskmate_session={SESSION.token}"})).status_code == 401
    async with browse("http://localhost") as client:
        assert (await client.get("/me", headers={"cookie": f"__Host-deskmate_session={SESSION.token}"})).status_code == 401


@pytest.mark.parametrize("base", ["https://desk.example", "http://localhost"])
async def test_signing_out_takes_back_the_cookie_that_signing_in_gave(browse: Browse, base: str) -> None:
    async with browse(base) as client:
        given, _ = cookie(await client.post("/login"))
        taken, set_to = cookie(await client.post("/logout"))
        assert taken == given
        assert (set_to["value"], set_to["max-age"], set_to["path"]) == ("", "0", "/")
        assert set_to["expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"


# --- other sites

OURS = [
    SAME_SITE,
    {"origin": "https://desk.example"},
    {"origin": "http://desk.example"},
    SAME_SITE | {"origin": "https://desk.example"},
]
THEIRS = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": "https://desk.example"},
    {"origin": "https://evil.example"},
    {"origin": "https://desk.example:8443"},
    {"origin": "https://desk.example.evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "https://[bad"},
]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_a_write_by_cookie_needs_a_page_of_ours(browse: Browse, method: str) -> None:
    async with browse() as client:
        for headers in OURS:
            response = await client.request(method, "/me", headers=headers | {"cookie": f"{auth.SECURE_COOKIE}={SESSION.token}"})
            assert response.status_code == 200, headers
        for headers in [*THEIRS, {}]:
            response = await client.request(method, "/me", headers=headers | {"cookie": f"{auth.SECURE_COOKIE}={SESSION.token}"})
            assert (response.status_code, response.json()["reason"]) == (403, "cross_site"), headers


async def test_reading_by_cookie_and_writing_by_token_need_no_origin(browse: Browse) -> None:
    async with browse() as client:
        for headers in [*OURS, *THEIRS, {}]:
            read = await client.get("/me", headers=headers | {"cookie": f"{auth.SECURE_COOKIE}={SESSION.token}"})
            written = await client.post("/me", headers=headers | {"authorization": "Bearer dk_key"})
            assert (read.status_code, written.status_code) == (200, 200), headers


async def test_no_other_site_signs_a_browser_in_but_programs_may_sign_in(browse: Browse) -> None:
    async with browse() as client:
        for headers in THEIRS:
            response = await client.post("/login", headers=headers)
            assert (response.status_code, "set-cookie" in response.headers) == (403, False), headers
        for headers in [*OURS, {}]:
            assert (await client.post("/login", headers=headers)).status_code == 200


# --- too many


async def knock(client: httpx.AsyncClient, path: str, times: int, token: str | None = None) -> list[httpx.Response]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return [await client.post(path, headers=headers) for _ in range(times)]


async def test_too_many_logins_from_one_address_are_429_until_it_has_waited(browse: Browse, seconds: Seconds) -> None:
    async with browse() as client:
        burst = int(LIMITS[Door.LOGIN].burst)
        assert {response.status_code for response in await knock(client, "/login", burst)} == {200}
        (refused,) = await knock(client, "/login", 1)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.json()["retry_after"] == 2
        seconds.now += 1.9
        assert (await knock(client, "/login", 1))[0].status_code == 429
        seconds.now += 0.1
        assert [response.status_code for response in await knock(client, "/login", 2)] == [200, 429]


async def test_customers_are_counted_one_by_one(browse: Browse) -> None:
    async with browse() as client:
        burst = int(LIMITS[Door.POST].burst)
        assert [response.status_code for response in await knock(client, "/post", burst + 1, "ct_ada")][-2:] == [200, 429]
        assert (await knock(client, "/post", 1, "ct_bob"))[0].status_code == 200
        assert (await knock(client, "/post", burst + 1, "dk_key"))[-1].status_code == 200


async def test_new_visitors_are_counted_by_address_whatever_token_they_show(browse: Browse) -> None:
    async with browse() as client:
        burst = int(LIMITS[Door.VISIT].burst)
        assert [response.status_code for response in await knock(client, "/visit", burst + 1, "nonsense")][-2:] == [200, 429]


async def test_rate_limits_can_be_switched_off(browse: Browse) -> None:
    async with browse(rate_limits=False) as client:
        burst = int(LIMITS[Door.LOGIN].burst)
        assert {response.status_code for response in await knock(client, "/login", burst * 3)} == {200}


def refused(limits: RateLimits, door: Door, times: int, **who: Actor | str | None) -> int:
    """How many of so many uses were refused."""
    count = 0
    for _ in range(times):
        try:
            limits.check(door, **who)  # pyright: ignore[reportArgumentType]
        except TooMany:
            count += 1
    return count


def test_behind_one_address_many_customers_have_room_but_not_a_crowd_of_made_up_ones(seconds: Seconds) -> None:
    limits = RateLimits(on=True, clock=seconds)
    room = int(LIMITS[Door.ESCALATE].burst * SHARED)
    made_up = [refused(limits, Door.ESCALATE, 1, actor=customer(f"c{number}"), address="192.0.2.1") for number in range(room + 5)]
    assert sum(made_up) == 5
    assert refused(limits, Door.ESCALATE, 1, actor=customer("c0"), address="192.0.2.2") == 0


def test_operators_have_more_room_than_customers_wherever_they_sit(seconds: Seconds) -> None:
    limits = RateLimits(on=True, clock=seconds)
    burst = int(LIMITS[Door.SEARCH].burst)
    assert refused(limits, Door.SEARCH, burst * SHARED + 1, address="192.0.2.1") > 0
    assert refused(limits, Door.SEARCH, burst * STAFF, actor=ANA.actor(), address="192.0.2.1") == 0
    assert refused(limits, Door.SEARCH, 1, actor=ANA.actor(), address="192.0.2.9") == 1


def test_one_account_is_guarded_against_many_addresses(seconds: Seconds) -> None:
    limits = RateLimits(on=True, clock=seconds)
    room = int(LIMITS[Door.LOGIN].burst * SHARED)
    tries = [refused(limits, Door.LOGIN, 1, address=f"192.0.{n // 250}.{n % 250}", subject="ana@x") for n in range(room + 3)]
    assert sum(tries) == 3
    assert refused(limits, Door.LOGIN, 1, address="192.0.9.9", subject="ben@x") == 0


def test_a_refused_use_counts_nowhere(seconds: Seconds) -> None:
    limits = RateLimits(on=True, clock=seconds)
    burst = int(LIMITS[Door.LOGIN].burst)
    assert refused(limits, Door.LOGIN, burst, address="192.0.2.1", subject="ana@x") == 0
    assert refused(limits, Door.LOGIN, 500, address="192.0.2.1", subject="ana@x") == 500
    assert refused(limits, Door.LOGIN, 1, address="192.0.2.2", subject="ana@x") == 0


def test_memory_does_not_grow_with_made_up_addresses(seconds: Seconds) -> None:
    limits = RateLimits(on=True, clock=seconds)
    for number in range(MOST_BUCKETS + 10):
        limits.check(Door.SEARCH, address=f"a{number}")
    assert len(limits._buckets) == MOST_BUCKETS


def test_a_household_with_ipv6_is_one_address() -> None:
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") != network_of("2001:db8:1:3::9")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("testclient") == "testclient"
