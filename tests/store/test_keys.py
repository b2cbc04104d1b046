"""Keys: shown once, kept as a hash, let in as what they were issued for, and refused the moment they are revoked."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from deskmate.domain.actors import Actor, AuthorKind, Role, customer, service
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services.authentication import Authenticator
from deskmate.services.credentials import Passwords
from deskmate.services.keys import Keys
from deskmate.services.operators import Operators
from deskmate.store import Store
from deskmate.testing import FakeClock, FakeEntropy


@pytest.fixture
def keys(store: Store, entropy: FakeEntropy) -> Keys:
    return Keys(store, entropy)


@pytest.fixture
def door(store: Store) -> Authenticator:
    return Authenticator(store, admin_key="master key")


@pytest.fixture
def operators(store: Store) -> Iterator[Operators]:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    yield Operators(store, passwords)
    passwords.close()


async def test_the_secret_has_256_bits_is_shown_once_and_kept_as_a_hash(keys: Keys, store: Store) -> None:
    issued = await keys.issue(name="CI", role="operator")
    assert issued.secret.startswith("dk_")
    assert len(issued.secret) == len("dk_") + 43
    assert issued.secret not in repr(issued)
    row = await store.read(lambda tx: tx.one("keys.by_hash", hash=hashlib.sha256(issued.secret.encode()).hexdigest(), now=0))
    assert row is not None
    assert row["id"] == issued.key.id
    assert not any(issued.secret in str(value) for value in row.values())
    assert (await keys.list()).items == (issued.key,)


async def test_no_two_keys_share_a_secret(keys: Keys) -> None:
    secrets = {(await keys.issue(role="observer")).secret for _ in range(5)}
    assert len(secrets) == 5


async def test_a_key_with_a_role_and_scopes_is_a_service_of_that_name(keys: Keys, door: Authenticator) -> None:
    issued = await keys.issue(name="bridge", role="observer", scopes=["messages:customer"])
    assert await door.actor_for(issued.secret) == Actor(
        kind=AuthorKind.SERVICE,
        id=issued.key.id,
        name="bridge",
        role=Role.OBSERVER,
        scopes=frozenset({"messages:customer"}),
        channel="api",
    )


async def test_p9_a_key_bound_to_an_operator_acts_as_them_and_follows_their_role(
    keys: Keys, door: Authenticator, operators: Operators
) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", role="lead")
    plain = await keys.issue(operator=ana.id)
    narrow = await keys.issue(operator=ana.id, role="observer")
    wide = await keys.issue(operator=ana.id, role="admin")
    actors = [await door.actor_for(issued.secret) for issued in (plain, narrow, wide)]
    assert [(actor.kind, actor.id, actor.name) for actor in actors if actor] == [(AuthorKind.OPERATOR, ana.id, "Ana")] * 3
    assert [actor.role for actor in actors if actor] == [Role.LEAD, Role.OBSERVER, Role.LEAD]
    await operators.change(ana.id, role="observer", name="Anna")
    now = await door.actor_for(wide.secret)
    assert now is not None
    assert (now.role, now.name) == (Role.OBSERVER, "Anna")


async def test_a_key_of_an_operator_who_left_opens_nothing(keys: Keys, door: Authenticator, operators: Operators) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example")
    issued = await keys.issue(operator=ana.id)
    await operators.disable(ana.id)
    assert await door.actor_for(issued.secret) is None
    with pytest.raises(Invalid):
        await keys.issue(operator=ana.id)


async def test_a_revoked_key_opens_nothing_from_that_moment(keys: Keys, door: Authenticator) -> None:
    issued = await keys.issue(role="admin")
    other = await keys.issue(role="admin")
    assert await door.actor_for(issued.secret) is not None
    revoked = await keys.revoke(issued.key.id)
    assert revoked.revoked_at is not None
    assert await door.actor_for(issued.secret) is None
    assert await door.actor_for(other.secret) is not None
    assert await keys.revoke(issued.key.id) == revoked


async def test_an_expired_key_opens_nothing(keys: Keys, door: Authenticator, clock: FakeClock) -> None:
    issued = await keys.issue(role="admin", expires_at=clock() + timedelta(minutes=5))
    clock.advance(timedelta(minutes=5) - timedelta(milliseconds=1))
    assert await door.actor_for(issued.secret) is not None
    clock.advance(timedelta(milliseconds=1))
    assert await door.actor_for(issued.secret) is None


async def test_the_use_of_a_key_is_noted_coarsely(keys: Keys, door: Authenticator, clock: FakeClock) -> None:
    issued = await keys.issue(role="admin")
    first = clock()
    await door.actor_for(issued.secret)
    clock.advance(timedelta(minutes=30))
    await door.actor_for(issued.secret)
    assert (await keys.list()).items[0].last_used_at == first
    later = clock.advance(timedelta(minutes=31))
    await door.actor_for(issued.secret)
    assert (await keys.list()).items[0].last_used_at == later


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("role", {}),
        ("role", {"role": "boss"}),
        ("scopes", {"scopes": ["messages:customer", "everything"]}),
        ("operator", {"operator": "op_nobody"}),
        ("name", {"role": "admin", "name": "a\x00b"}),
        ("expires_at", {"role": "admin", "expires_at": "past"}),
        ("expires_at", {"role": "admin", "expires_at": "naive"}),
    ],
)
async def test_a_wrong_fact_is_named_and_issues_nothing(keys: Keys, clock: FakeClock, field: str, wrong: dict[str, Any]) -> None:
    times = {"past": clock(), "naive": clock().replace(tzinfo=None) + timedelta(days=1)}
    with pytest.raises(Invalid) as caught:
        await keys.issue(**{name: times.get(value, value) if isinstance(value, str) else value for name, value in wrong.items()})
    assert caught.value.field == field
    assert (await keys.list()).items == ()


async def test_only_admins_issue_list_and_revoke(keys: Keys) -> None:
    lead = service("lead", role=Role.LEAD)
    issued = await keys.issue(role="lead", by=service("root"))
    with pytest.raises(Forbidden):
        await keys.issue(role="admin", by=lead)
    with pytest.raises(Forbidden):
        await keys.list(by=lead)
    with pytest.raises(Forbidden):
        await keys.revoke(issued.key.id, by=lead)
    with pytest.raises(NotFound):
        await keys.revoke("key_nobody")


async def test_the_key_of_the_environment_is_an_admin_key(door: Authenticator, store: Store) -> None:
    actor = await door.actor_for("master key")
    assert actor is not None
    assert (actor.kind, actor.role) == (AuthorKind.SERVICE, Role.ADMIN)
    assert await door.actor_for("Master key") is None
    assert await Authenticator(store).actor_for("master key") is None
    assert await Authenticator(store, admin_key="").actor_for("") is None


@pytest.mark.parametrize("bearer", ["", "dk_", "ct_", "nonsense", "a.b.c", "dk_ü\udcff", "x" * 10_000, "Ünïcode", "dk_\x00"])
async def test_p9_made_up_credentials_are_nobodys(door: Authenticator, bearer: str) -> None:
    assert await door.actor_for(bearer) is None
    assert await door.actor_for(None, bearer) is None


async def test_a_key_that_replaces_its_namesakes_ends_them_in_the_same_moment(keys: Keys) -> None:
    first = await keys.issue(name="lab", role="observer")
    twin = await keys.issue(name="lab", role="observer")
    desk = await keys.issue(name="desk", role="observer")
    renewed = await keys.issue(name=" lab ", role="observer", replace=True)
    opened = [await keys.check(issued.secret) for issued in (first, twin, desk, renewed)]
    assert [key and key.name for key in opened] == [None, None, "desk", "lab"]
    with pytest.raises(Invalid):
        await keys.issue(role="observer", replace=True)


async def test_a_key_is_withdrawn_by_its_secret_or_name_and_never_by_a_wrong_pair(keys: Keys) -> None:
    lab, desk = await keys.issue(name="lab", role="observer"), await keys.issue(name="desk", role="observer")
    for wrong in ({}, {"name": ""}, {"secret": ""}, {"secret": lab.secret, "name": "desk"}):
        with pytest.raises(Invalid):
            await keys.withdraw(**wrong)
    for unknown in ({"name": "none"}, {"secret": "dk_none"}, {"secret": lab.secret + "x", "name": "lab"}):
        with pytest.raises(NotFound):
            await keys.withdraw(**unknown)
    assert await keys.check(lab.secret) is not None
    assert (await keys.withdraw(secret=lab.secret, name="lab")).id == lab.key.id
    assert (await keys.withdraw(name="desk")).revoked_at is not None
    assert [await keys.check(issued.secret) for issued in (lab, desk)] == [None, None]
    with pytest.raises(NotFound):
        await keys.withdraw(name="desk")
    with pytest.raises(Forbidden):
        await keys.withdraw(name="desk", by=customer("ada"))
