"""Operators: added, changed, present, gone and back."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher

from deskmate.domain.actors import Actor, Role, customer
from deskmate.domain.operators import Presence
from deskmate.errors import BadCursor, Conflict, Forbidden, Invalid, NotFound
from deskmate.services import operators as verbs
from deskmate.services.credentials import Passwords
from deskmate.services.operators import Operators
from deskmate.store.base import Row, Store, Tx


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    found = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    yield found
    found.close()


@pytest.fixture
def operators(store: Store, passwords: Passwords) -> Operators:
    return Operators(store, passwords)


async def events(store: Store) -> list[Row]:
    async def body(tx: Tx) -> list[Row]:
        return await tx.all("events.after", after=0, limit=100)

    return await store.read(body)


async def stored(store: Store, id: str) -> Row:
    row = await store.read(lambda tx: tx.one("operators.get", id=id))
    assert row is not None
    return row


async def test_an_operator_comes_with_tidy_facts_and_offline(operators: Operators, store: Store) -> None:
    ana = await operators.add(
        name=" Ana ",
        email=" ANA@Shop.Example ",
        role="lead",
        skills=["billing", "billing", " vat "],
        queues=["orders"],
        capacity=3,
    )
    assert (ana.name, ana.email, ana.role, ana.skills, ana.queues) == (
        "Ana",
        "ana@shop.example",
        Role.LEAD,
        ("billing", "vat"),
        ("orders",),
    )
    assert (ana.capacity, ana.load, ana.presence, ana.disabled) == (3.0, 0.0, Presence.OFFLINE, False)
    assert await operators.get(ana.id) == ana
    assert (await stored(store, ana.id))["password_hash"] is None


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("name", " "),
        ("name", "a\x00b"),
        ("name", "x" * 101),
        ("email", "ana"),
        ("email", "@shop.example"),
        ("email", "a@b@c"),
        ("email", "a b@shop.example"),
        ("role", "boss"),
        ("capacity", -1),
        ("capacity", float("nan")),
        ("skills", [""]),
        ("queues", ["q\n"] * 2 + ["\x00"]),
        ("password", "short"),
        ("password", "x" * 201),
        ("password", "\ud800" * 10),
    ],
)
async def test_a_wrong_fact_is_named_and_stores_nothing(operators: Operators, field: str, wrong: Any) -> None:
    with pytest.raises(Invalid) as caught:
        await operators.add(**({"name": "Ana", "email": "ana@shop.example"} | {field: wrong}))
    assert caught.value.field == field
    assert (await operators.list()).items == ()


async def test_one_address_belongs_to_one_operator_however_it_is_spelled(operators: Operators) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example")
    ben = await operators.add(name="Ben", email="ben@shop.example")
    with pytest.raises(Invalid) as caught:
        await operators.add(name="Other", email="Ana@SHOP.example")
    assert caught.value.field == "email"
    with pytest.raises(Invalid) as caught:
        await operators.change(ben.id, email="ANA@shop.example")
    assert caught.value.field == "email"
    assert await operators.get(ben.id) == ben
    assert (await operators.change(ana.id, email="Ana@shop.example")).email == "ana@shop.example"


async def test_two_who_take_one_address_at_once_are_one_winner_and_one_invalid(operators: Operators) -> None:
    both = [operators.add(name=name, email="ana@shop.example") for name in ("Ana", "Anna")]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "Operator"]


async def test_a_change_touches_what_is_given_and_never_the_load(operators: Operators, store: Store) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", skills=["billing"], password="correct horse")
    before = await stored(store, ana.id)
    changed = await operators.change(ana.id, name="Anna", languages=["de"], capacity=2)
    assert (changed.name, changed.languages, changed.capacity, changed.skills) == ("Anna", ("de",), 2.0, ("billing",))
    after = await stored(store, ana.id)
    assert {name for name in before if before[name] != after[name]} == {"name", "languages", "capacity"}
    assert await operators.get(ana.id) == changed


async def test_every_change_is_an_event_by_the_one_who_made_it_and_holds_no_secret(operators: Operators, store: Store) -> None:
    admin = (await operators.add(name="Root", email="root@shop.example", role=Role.ADMIN)).actor()
    ana = await operators.add(name="Ana", email="ana@shop.example", by=admin)
    await operators.change(ana.id, name="Ana", by=admin)
    await operators.change(ana.id, role="lead", password="correct horse", by=admin)
    await operators.presence(ana.id, "available", by=ana.actor())
    await operators.presence(ana.id, "available", by=ana.actor())
    await operators.disable(ana.id, by=admin)
    told = [(row["actor_name"], json.loads(row["data"])) for row in (await events(store))[1:]]
    assert [(name, data["changed"]) for name, data in told] == [
        ("Root", ["added"]),
        ("Root", ["role"]),
        ("Root", ["password"]),
        ("Ana", ["presence"]),
        ("Root", ["disabled"]),
    ]
    for _, data in told:
        assert data.keys() == {"operator", "name", "role", "presence", "changed"}


async def test_presence_is_a_persons_own_or_an_admins_business(operators: Operators, store: Store) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", role="observer")
    ben = await operators.add(name="Ben", email="ben@shop.example", role="lead")
    assert (await operators.presence(ana.id, Presence.AVAILABLE, by=ana.actor())).presence is Presence.AVAILABLE
    assert await store.write(lambda tx: verbs.takes(tx, ana.id, 600))
    assert not await store.write(lambda tx: verbs.takes(tx, ana.id, 601))
    assert not await store.write(lambda tx: verbs.takes(tx, ben.id, 1))
    assert not await store.write(lambda tx: verbs.takes(tx, "op_nobody", 1))
    with pytest.raises(Forbidden):
        await operators.presence(ana.id, "away", by=ben.actor())
    with pytest.raises(Forbidden):
        await operators.presence(ana.id, "away", by=customer(ana.id))
    with pytest.raises(Invalid) as caught:
        await operators.presence(ana.id, "asleep", by=ana.actor())
    assert caught.value.field == "presence"


async def test_who_has_left_is_kept_but_listed_only_on_request(operators: Operators, store: Store) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example")
    await operators.presence(ana.id, "available")
    gone = await operators.disable(ana.id)
    assert (gone.disabled, gone.presence) == (True, Presence.OFFLINE)
    assert await operators.disable(ana.id) == gone
    assert (await operators.list()).items == ()
    assert (await operators.list(disabled=True)).items == (gone,)
    with pytest.raises(Forbidden):
        await operators.presence(ana.id, "available", by=ana.actor())
    assert not (await operators.enable(ana.id)).disabled


async def test_somebody_stays_who_can_administer_the_desk(operators: Operators) -> None:
    root = await operators.add(name="Root", email="root@shop.example", role="admin")
    with pytest.raises(Conflict):
        await operators.disable(root.id)
    with pytest.raises(Conflict):
        await operators.change(root.id, role="lead")
    assert (await operators.get(root.id)).role is Role.ADMIN
    second = await operators.add(name="Second", email="second@shop.example", role="admin")
    outcomes = await asyncio.gather(operators.disable(root.id), operators.disable(second.id), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Operator"]


async def test_the_list_comes_in_pages_that_stay_stable(operators: Operators, clock: Any) -> None:
    added: list[str] = []
    for number in range(5):
        clock.advance(seconds=1)
        added.append((await operators.add(name=f"N{number}", email=f"n{number}@shop.example")).id)
    first = await operators.list(limit=2)
    await operators.disable(added[0])
    second = await operators.list(limit=2, cursor=first.cursor)
    third = await operators.list(limit=2, cursor=second.cursor)
    assert [operator.id for page in (first, second, third) for operator in page.items] == added
    assert third.cursor is None
    with pytest.raises(BadCursor):
        await operators.list(cursor="nonsense")
    with pytest.raises(Invalid):
        await operators.list(limit=0)


async def test_who_may_not_manage_operators_changes_nothing(operators: Operators) -> None:
    ana = await operators.add(name="Ana", email="ana@shop.example", role="lead")
    visitor: Actor = customer("ada")
    for who in (ana.actor(), visitor):
        with pytest.raises(Forbidden):
            await operators.add(name="Eve", email="eve@shop.example", role="admin", by=who)
        with pytest.raises(Forbidden):
            await operators.change(ana.id, role="admin", by=who)
        with pytest.raises(Forbidden):
            await operators.disable(ana.id, by=who)
    with pytest.raises(Forbidden):
        await operators.get(ana.id, by=visitor)
    with pytest.raises(Forbidden):
        await operators.list(by=visitor)
    assert (await operators.list(by=ana.actor())).items == (ana,)
    with pytest.raises(NotFound):
        await operators.get("op_nobody")
