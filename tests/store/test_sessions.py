"""Sessions: operators sign in and out, the first admin, visitors, and customers whom a host site vouches for."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from deskmate.domain.actors import Actor, AuthorKind, Role
from deskmate.errors import Conflict, Invalid, Unauthenticated
from deskmate.services.authentication import Authenticator
from deskmate.services.credentials import Passwords
from deskmate.services.operators import Operators
from deskmate.services.sessions import Sessions
from deskmate.store import Store
from deskmate.testing import FakeClock, FakeEntropy


class CountingHasher(PasswordHasher):
    """Counts how many computations run, and how many of them at the same time."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=64, parallelism=1)
        self.verified: list[str] = []
        self.now = self.most = 0
        self.full = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:
        with self._lock:
            self.verified.append(str(hash))
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == 2:
                self.full.set()
        self.go_on.wait(10)
        try:
            return super().verify(hash, password)
        finally:
            with self._lock:
                self.now -= 1


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def passwords(hasher: CountingHasher) -> Iterator[Passwords]:
    found = Passwords(hasher)
    yield found
    found.close()


@pytest.fixture
def operators(store: Store, passwords: Passwords) -> Operators:
    return Operators(store, passwords)


@pytest.fixture
def sessions(store: Store, passwords: Passwords, entropy: FakeEntropy) -> Sessions:
    return Sessions(store, passwords, entropy)


@pytest.fixture
def door(store: Store) -> Authenticator:
    return Authenticator(store, admin_key="master key")


# --- operators


async def test_p9_a_session_is_the_operator_who_signed_in(operators: Operators, sessions: Sessions, door: Authenticator) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", role="lead", password="correct horse")
    signed_in = await sessions.login(" Ana@SHOP.example", "correct horse")
    assert signed_in.operator == ana
    assert signed_in.token not in repr(signed_in)
    assert await door.actor_for(None, signed_in.token) == ana.actor("inbox")
    await operators.change(ana.id, role="observer")
    actor = await door.actor_for(None, signed_in.token)
    assert actor is not None
    assert actor.role is Role.OBSERVER


async def test_each_credential_opens_its_own_door_only(operators: Operators, sessions: Sessions, door: Authenticator) -> None:
    await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    session = (await sessions.login("ana@shop.example", "correct horse")).token
    visit = (await sessions.visit()).token
    assert await door.actor_for(session) is None
    assert await door.actor_for(None, visit) is None
    assert await door.actor_for(None, "master key") is None
    assert await door.actor_for("wrong", session) is None
    assert await door.actor_for("", session) is None
    assert await door.actor_for(None) is None


async def test_every_way_to_fail_a_login_says_the_same_and_takes_one_verification(
    operators: Operators, sessions: Sessions, hasher: CountingHasher
) -> None:
    await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    await operators.add(name="Ben", email="ben@shop.example")
    gone = await operators.add(name="Cem", email="cem@shop.example", password="correct horse")
    await operators.disable(gone.id)
    attempts = [
        ("ana@shop.example", "wrong horse"),
        ("ana@shop.example", ""),
        ("ana@shop.example", "x" * 100_000),
        ("ana@shop.example", "\ud800"),
        ("ben@shop.example", "correct horse"),
        ("cem@shop.example", "correct horse"),
        ("nobody@shop.example", "correct horse"),
        ("no address", "correct horse"),
        ("", ""),
    ]
    said: set[str] = set()
    for email, password in attempts:
        with pytest.raises(Unauthenticated) as caught:
            await sessions.login(email, password)
        said.add(caught.value.message)
    assert len(said) == 1
    assert len(hasher.verified) == len(attempts)
    costs = {hash.split("$")[3] for hash in hasher.verified}
    assert costs == {"m=64,t=1,p=1"}
    lengths = {len(hash) for hash in hasher.verified}
    assert len(lengths) == 1


async def test_logins_leave_the_event_loop_alone_and_run_two_at_a_time(
    operators: Operators, sessions: Sessions, hasher: CountingHasher
) -> None:
    await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    hasher.go_on.clear()
    logins = [asyncio.ensure_future(sessions.login("ana@shop.example", "correct horse")) for _ in range(6)]
    assert await asyncio.to_thread(hasher.full.wait, 10)
    logins[0].cancel()
    assert (await sessions.visit()).customer.anonymous
    assert hasher.now == 2
    hasher.go_on.set()
    outcomes = await asyncio.gather(*logins, return_exceptions=True)
    assert sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes) == 1
    assert hasher.most == 2


async def test_an_old_hash_is_renewed_by_the_next_login(operators: Operators, store: Store, entropy: FakeEntropy) -> None:
    await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    stronger = Passwords(CountingHasher(time_cost=2))
    sessions = Sessions(store, stronger, entropy)
    await sessions.login("ana@shop.example", "correct horse")
    row = await store.read(lambda tx: tx.one("operators.by_email", email="ana@shop.example"))
    assert row is not None
    assert ",t=2," in row["password_hash"]
    assert (await sessions.login("ana@shop.example", "correct horse")).operator.name == "Ana"
    stronger.close()


async def test_signing_out_ends_this_session_and_everywhere_ends_all(
    operators: Operators, sessions: Sessions, door: Authenticator
) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    first, second, third = [(await sessions.login("ana@shop.example", "correct horse")).token for _ in range(3)]
    await sessions.logout(first)
    await sessions.logout(first)
    assert await door.actor_for(None, first) is None
    assert await door.actor_for(None, second) is not None
    await sessions.logout_everywhere(ana.id)
    assert await door.actor_for(None, second) is None
    assert await door.actor_for(None, third) is None


async def test_a_session_ends_after_two_weeks_and_is_swept_at_the_next_login(
    operators: Operators, sessions: Sessions, door: Authenticator, clock: FakeClock, store: Store
) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    old = await sessions.login("ana@shop.example", "correct horse")
    clock.set(old.expires_at - timedelta(milliseconds=1))
    assert await door.actor_for(None, old.token) is not None
    clock.set(old.expires_at)
    assert await door.actor_for(None, old.token) is None
    await sessions.login("ana@shop.example", "correct horse")
    assert await store.write(lambda tx: tx.run("sessions.delete_all", operator=ana.id)) == 1


@pytest.mark.parametrize("how", ["disabled", "password"])
async def test_who_is_disabled_or_gets_a_new_password_is_signed_out_at_once(
    operators: Operators, sessions: Sessions, door: Authenticator, how: str
) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    token = (await sessions.login("ana@shop.example", "correct horse")).token
    if how == "disabled":
        await operators.disable(ana.id)
    else:
        await operators.change(ana.id, password="battery staple")
    assert await door.actor_for(None, token) is None
    with pytest.raises(Unauthenticated):
        await sessions.login("ana@shop.example", "correct horse")
    await operators.enable(ana.id)
    assert await door.actor_for(None, token) is None


async def test_a_password_changed_while_it_is_being_verified_lets_nobody_in(
    operators: Operators, sessions: Sessions, hasher: CountingHasher
) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", password="correct horse")
    hasher.go_on.clear()
    logins = [asyncio.ensure_future(sessions.login("ana@shop.example", "correct horse")) for _ in range(2)]
    assert await asyncio.to_thread(hasher.full.wait, 10)
    await operators.disable(ana.id)
    hasher.go_on.set()
    outcomes = await asyncio.gather(*logins, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unauthenticated, Unauthenticated]


# --- the first admin


async def test_the_one_time_link_makes_the_first_admin_and_signs_them_in(sessions: Sessions, door: Authenticator) -> None:
    link = await sessions.setup_link()
    assert link is not None
    signed_in = await sessions.use_link(link, name="Root", email="Root@shop.example", password="correct horse")
    assert (signed_in.operator.role, signed_in.operator.email) == (Role.ADMIN, "root@shop.example")
    assert await door.actor_for(None, signed_in.token) == signed_in.operator.actor("inbox")
    assert (await sessions.login("root@shop.example", "correct horse")).operator == signed_in.operator
    with pytest.raises(Unauthenticated):
        await sessions.use_link(link, name="Eve", email="eve@shop.example", password="correct horse")
    assert await sessions.setup_link() is None


async def test_a_link_expires_after_a_day(sessions: Sessions, clock: FakeClock) -> None:
    link = await sessions.setup_link()
    assert link is not None
    clock.advance(timedelta(hours=24))
    with pytest.raises(Unauthenticated):
        await sessions.use_link(link, name="Root", email="root@shop.example", password="correct horse")
    assert await sessions.setup_link() not in (None, link)


async def test_a_made_up_link_buys_no_hash(sessions: Sessions, passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hash", None)
    with pytest.raises(Unauthenticated):
        await sessions.use_link("dl_made_up", name="Eve", email="eve@shop.example", password="correct horse")


async def test_a_mistake_in_the_form_does_not_spend_the_link(sessions: Sessions) -> None:
    link = await sessions.setup_link()
    assert link is not None
    for wrong in ({"password": "short"}, {"email": "root"}, {"name": ""}):
        with pytest.raises(Invalid):
            await sessions.use_link(link, **({"name": "Root", "email": "root@shop.example", "password": "correct horse"} | wrong))
    assert (
        await sessions.use_link(link, name="Root", email="root@shop.example", password="correct horse")
    ).operator.name == "Root"


async def test_of_two_who_use_links_at_once_one_is_admin(sessions: Sessions, operators: Operators) -> None:
    links = [await sessions.setup_link(), await sessions.setup_link(), None]
    links[2] = links[0]
    attempts = [
        sessions.use_link(link or "", name=f"N{number}", email=f"n{number}@shop.example", password="correct horse")
        for number, link in enumerate(links)
    ]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SignedIn", "Unauthenticated", "Unauthenticated"]
    assert len((await operators.list()).items) == 1


async def test_a_link_is_of_no_use_once_there_is_an_operator(sessions: Sessions, operators: Operators) -> None:
    link = await sessions.setup_link()
    assert link is not None
    await operators.add(name="Ana", email="ana@shop.example")
    with pytest.raises(Conflict):
        await sessions.use_link(link, name="Eve", email="eve@shop.example", password="correct horse")
    assert [operator.name for operator in (await operators.list()).items] == ["Ana"]


# --- visitors


async def test_p9_a_visitor_is_a_new_customer_known_by_their_token(sessions: Sessions, door: Authenticator) -> None:
    ada, bob = await sessions.visit(" Ada "), await sessions.visit()
    assert ada.token.startswith("ct_")
    assert (ada.customer.anonymous, ada.customer.name, bob.customer.name) == (True, "Ada", "")
    assert ada.customer.id != bob.customer.id
    actor = await door.actor_for(ada.token)
    assert actor == Actor(kind=AuthorKind.CUSTOMER, id=ada.customer.id, name="Ada", channel="chat")
    await sessions.leave(ada.token)
    assert await door.actor_for(ada.token) is None
    assert await door.actor_for(bob.token) is not None


async def test_a_visitors_token_lives_thirty_days_behind_its_last_use(
    sessions: Sessions, door: Authenticator, clock: FakeClock
) -> None:
    used, unused = await sessions.visit(), await sessions.visit()
    for _ in range(3):
        clock.advance(timedelta(days=20))
        assert await door.actor_for(used.token) is not None
    assert await door.actor_for(unused.token) is None
    clock.advance(timedelta(days=30))
    assert await door.actor_for(used.token) is None
