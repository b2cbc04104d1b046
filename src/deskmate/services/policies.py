"""Policies as leads keep them: read, put, delete, with an event for each change."""

import json
from typing import TypeVar

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.policies import Kind, Policy, Rules, policy_name
from deskmate.domain.rulebook import MODELS, kind_of, rules_of
from deskmate.errors import Conflict, Invalid, NotFound
from deskmate.services import feed
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc

R = TypeVar("R", bound=Rules)
MOST = 500
"""How many policies of a kind there may be."""


def policy_of(row: Row) -> Policy:
    """A stored row as a policy."""
    kind = Kind(row["kind"])
    return Policy(
        kind=kind, name=row["name"], rules=MODELS[kind].model_validate_json(row["rules"]), changed_at=utc(row["changed_at"])
    )  # fmt: skip


async def find(tx: Tx, model: type[R], kind: Kind, name: str | None) -> R | None:
    """The rules of one policy, or None."""
    row = None if name is None else await tx.one("policies.get", kind=kind, name=name)
    return None if row is None else model.model_validate_json(row["rules"])


async def every(tx: Tx, model: type[R], kind: Kind) -> dict[str, R]:
    """The rules of all policies of a kind, by name, in the order of their names."""
    return {row["name"]: model.model_validate_json(row["rules"]) for row in await tx.all("policies.of_kind", kind=kind)}


async def check_name(tx: Tx, kind: Kind, name: str | None, field: str) -> None:
    """Raise Invalid unless there is such a policy, where one is named."""
    if name is not None and await tx.one("policies.get", kind=kind, name=name) is None:
        raise Invalid(f"there is no {kind} policy {name}", field=field)


class Policies:
    """The policies of a team."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, kind: str, *, by: By = SYSTEM) -> tuple[Policy, ...]:
        """Every policy of a kind, by name. Raises Forbidden, NotFound."""
        require(actor_of(by), Action.POLICY_READ)
        known = kind_of(kind)
        rows = await self._store.read(lambda tx: tx.all("policies.of_kind", kind=known))
        return tuple(policy_of(row) for row in rows)

    async def get(self, kind: str, name: str, *, by: By = SYSTEM) -> Policy:
        """One policy. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.POLICY_READ)
        known = kind_of(kind)
        return await self._store.read(lambda tx: _get(tx, known, name))

    async def put(self, kind: str, name: str, rules: object, *, by: By = SYSTEM) -> Policy:
        """Make a policy, or put these rules in the place of its old ones. What runs by the old ones goes on by them.

        Raises Forbidden, and Invalid naming the place, e.g. `rules.targets.resolution.seconds`.
        """
        actor = actor_of(by)
        require(actor, Action.POLICY_MANAGE)
        known, tidy = kind_of(kind), policy_name(name)
        checked = rules_of(known, rules)

        async def body(tx: Tx) -> Policy:
            row = await tx.one("policies.count", kind=known)
            if row is not None and row["number"] >= MOST and await tx.one("policies.get", kind=known, name=tidy) is None:
                raise Conflict(f"there are {MOST} policies of this kind: delete one first", field="name")
            await tx.run("policies.put", kind=known, name=tidy, rules=checked.model_dump_json(), now=ms(tx.now))
            await _announce(tx, known, tidy, by)
            return await _get(tx, known, tidy)

        return await self._store.write(body)

    async def delete(self, kind: str, name: str, *, by: By = SYSTEM) -> None:
        """Forget a policy. Raises Conflict while a queue names it, NotFound, Forbidden, Invalid."""
        require(actor_of(by), Action.POLICY_MANAGE)
        known = kind_of(kind)

        async def body(tx: Tx) -> None:
            await _get(tx, known, name)
            used = await tx.one("policies.used", kind=known, name=name)
            if used is not None:
                raise Conflict(f"the queue {used['name']} goes by it", field="name")
            await tx.run("policies.delete", kind=known, name=name)
            await _announce(tx, known, name, by, deleted=True)

        await self._store.write(body)


async def _get(tx: Tx, kind: Kind, name: str) -> Policy:
    row = await tx.one("policies.get", kind=kind, name=name)
    if row is None:
        raise NotFound(f"there is no {kind} policy {name}", field="name")
    return policy_of(row)


async def _announce(tx: Tx, kind: Kind, name: str, by: By, *, deleted: bool = False) -> None:
    data = {"kind": kind, "name": name, **({"deleted": True} if deleted else {})}
    # What was decided stands in the event, so that a report of earlier times can be made again.
    row = None if deleted else await tx.one("policies.get", kind=kind, name=name)
    if row is not None:
        data["rules"] = json.loads(row["rules"])
    await feed.emit(tx, EventType.POLICY_CHANGED, actor=actor_of(by), thread=None, data=data)
