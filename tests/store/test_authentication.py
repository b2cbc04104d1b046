"""Authentication of customers whom a host site vouches for with a signed token."""

from typing import Any

import jwt
import pytest

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.services.authentication import Authenticator
from deskmate.store import Store
from deskmate.testing import FakeClock

SECRET, OTHER_SECRET = "s" * 32, "t" * 32


@pytest.fixture
def door(store: Store) -> Authenticator:
    return Authenticator(store, jwt_secrets={"k1": SECRET, "k2": OTHER_SECRET})


def signed(clock: FakeClock, *, secret: str = SECRET, kid: str | None = "k1", algorithm: str = "HS256", **claims: object) -> str:
    now = int(clock().timestamp())
    said = {"sub": "ada", "aud": "deskmate", "iat": now, "exp": now + 3600, "name": "Ada", "email": "ada@host.example"} | claims
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode({name: it for name, it in said.items() if it is not None}, secret, algorithm=algorithm, headers=headers)


async def test_p9_a_signed_token_is_the_customer_it_names(door: Authenticator, clock: FakeClock, store: Store) -> None:
    expected = Actor(kind=AuthorKind.CUSTOMER, id="ada", name="Ada", channel="chat")
    assert await door.actor_for(signed(clock)) == expected
    assert await door.actor_for(signed(clock, secret=OTHER_SECRET, kid="k2")) == expected
    row = await store.read(lambda tx: tx.one("customers.get", id="ada"))
    assert row is not None
    assert (row["name"], row["email"], row["anonymous"]) == ("Ada", "ada@host.example", 0)


async def test_what_the_host_site_says_is_kept_and_what_it_leaves_out_stays(
    door: Authenticator, clock: FakeClock, store: Store
) -> None:
    await door.actor_for(signed(clock))
    await door.actor_for(signed(clock, name="Ada L.", email=None))
    actor = await door.actor_for(signed(clock, name=None, email=None))
    assert actor is not None
    assert actor.name == "Ada L."
    row = await store.read(lambda tx: tx.one("customers.get", id="ada"))
    assert row is not None
    assert (row["name"], row["email"]) == ("Ada L.", "ada@host.example")


def shifted(clock: FakeClock, **seconds: int) -> dict[str, int]:
    return {claim: int(clock().timestamp()) + by for claim, by in seconds.items()}


async def test_a_signed_token_is_good_for_an_hour_at_most(door: Authenticator, clock: FakeClock) -> None:
    token = signed(clock)
    clock.advance(seconds=3599)
    assert await door.actor_for(token) is not None
    clock.advance(seconds=1)
    assert await door.actor_for(token) is None
    long = signed(clock, **shifted(clock, exp=3601))
    assert await door.actor_for(long) is None
    clock.advance(seconds=600)
    assert await door.actor_for(long) is None


async def test_a_token_from_the_future_waits_for_its_time(door: Authenticator, clock: FakeClock) -> None:
    token = signed(clock, **shifted(clock, iat=120, exp=1000))
    delayed = signed(clock, **shifted(clock, nbf=120, exp=1000))
    assert await door.actor_for(token) is None
    assert await door.actor_for(delayed) is None
    clock.advance(seconds=60)
    assert await door.actor_for(token) is not None
    assert await door.actor_for(delayed) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": OTHER_SECRET},
        {"kid": None},
        {"kid": "k3"},
        {"aud": "somebody"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\x00b"},
        {"sub": "x" * 201},
        {"exp": None},
        {"iat": None},
        {"exp": True},
        {"exp": "soon"},
        {"iat": 1.5},
        {"exp": 10**30},
        {"name": 5},
        {"name": "a\x00b"},
        {"email": ["a"]},
        {"algorithm": "HS512", "secret": SECRET * 2},
    ],
)
async def test_p9_a_token_that_is_not_quite_right_is_nobodys(
    door: Authenticator, clock: FakeClock, store: Store, wrong: dict[str, Any]
) -> None:
    assert await door.actor_for(signed(clock, **wrong)) is None
    assert await store.read(lambda tx: tx.one("customers.get", id="ada")) is None


async def test_p9_an_unsigned_token_and_one_signed_with_no_secret_are_nobodys(clock: FakeClock, store: Store) -> None:
    door = Authenticator(store, jwt_secrets={"k1": SECRET})
    unsigned = jwt.encode({"sub": "ada", "aud": "deskmate"} | shifted(clock, iat=0, exp=60), None, "none", headers={"kid": "k1"})
    assert await door.actor_for(unsigned) is None
    assert await Authenticator(store).actor_for(signed(clock)) is None
