"""Keys: issue, list, revoke. The secret is shown once; the store knows its hash."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from deskmate.domain.actors import SYSTEM, Actor, Role
from deskmate.domain.keys import Key
from deskmate.domain.operators import Operator, chosen, words
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import BY_SCOPE, Action, require
from deskmate.errors import Invalid, NotFound
from deskmate.services import operators
from deskmate.services.credentials import Entropy, digest, new_token
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

PREFIX = "dk_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new key and its secret, which nobody can read again."""

    key: Key
    secret: str = field(repr=False)


def key_of(row: Row) -> Key:
    """A stored row as a key."""
    return Key(
        id=row["id"],
        name=row["name"],
        operator=row["operator"],
        role=None if row["role"] is None else Role(row["role"]),
        scopes=frozenset(json.loads(row["scopes"])),
        expires_at=utc_or_none(row["expires_at"]),
        revoked_at=utc_or_none(row["revoked_at"]),
        last_used_at=utc_or_none(row["last_used_at"]),
        created_at=utc(row["created_at"]),
    )


async def find(tx: Tx, secret: str) -> tuple[Key, Operator | None] | None:
    """The key with this secret and the operator it is bound to; None when it opens nothing (any more)."""
    row = await tx.one("keys.by_hash", hash=digest(secret), now=ms(tx.now))
    if row is None:
        return None
    key = key_of(row)
    return key, None if key.operator is None else await operators.get(tx, key.operator)


async def used(tx: Tx, key: Key) -> None:
    """Note that a key is in use."""
    await tx.run("keys.used", id=key.id, now=ms(tx.now))


class Keys:
    """What programs show to be let in."""

    def __init__(self, store: Store, entropy: Entropy) -> None:
        self._store = store
        self._entropy = entropy

    async def issue(
        self,
        *,
        name: str = "",
        operator: str | None = None,
        role: Role | str | None = None,
        scopes: Iterable[str] = (),
        expires_at: datetime | None = None,
        replace: bool = False,
        by: Actor = SYSTEM,
    ) -> Issued:
        """A new key: bound to an operator (acts as them, with the weaker of both roles), or a program's own.

        With `replace` it takes the place of those with the same name, which open nothing from this moment on.
        Raises Forbidden, and Invalid naming the field.
        """
        require(by, Action.KEY_MANAGE)
        if replace and not name.strip():
            raise Invalid("a key that replaces another needs its name", field="name")
        which = None if role is None else chosen(Role, role, "role")
        opened = _check_scopes(scopes)
        if operator is None and which is None and not opened:
            raise Invalid("a key needs an operator, a role or scopes", field="role")
        if expires_at is not None and expires_at.tzinfo is None:
            raise Invalid("expires_at needs a time zone", field="expires_at")
        secret = new_token(PREFIX, self._entropy)

        async def body(tx: Tx) -> Issued:
            if expires_at is not None and expires_at <= tx.now:
                raise Invalid("expires_at must be in the future", field="expires_at")
            holder = None if operator is None else await _bound(tx, operator)
            label = words(name, "name") if name.strip() else (holder.name if holder else "Key")
            key = Key(
                id=tx.id("key"), name=label, operator=operator, role=which, scopes=opened,
                expires_at=expires_at, created_at=tx.now,
            )  # fmt: skip
            if replace:
                await tx.run("keys.revoke_named", name=key.name, now=ms(tx.now))
            await tx.run(
                "keys.insert",
                id=key.id, hash=digest(secret), name=key.name, operator=operator, role=which,
                scopes=json.dumps(sorted(opened)), expires_at=ms(expires_at), now=ms(tx.now),
            )  # fmt: skip
            return Issued(key=key, secret=secret)

        return await self._store.write(body)

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: Actor = SYSTEM) -> Page[Key]:
        """Keys in the order they were issued, without their secrets. Raises Forbidden, BadCursor."""
        require(by, Action.KEY_MANAGE)
        check_limit(limit)
        after = place_of(cursor, "keys", str)[0] if cursor is not None else ""

        async def body(tx: Tx) -> Page[Key]:
            kept, last = cut(await tx.all("keys.page", after=after, limit=limit + 1), limit)
            return Page(items=tuple(key_of(row) for row in kept), cursor=cursor_of("keys", last["id"]) if last else None)

        return await self._store.read(body)

    async def revoke(self, id: str, *, by: Actor = SYSTEM) -> Key:
        """The key opens nothing any more, from this moment on; revoking again changes nothing. Raises Forbidden, NotFound."""
        require(by, Action.KEY_MANAGE)

        async def body(tx: Tx) -> Key:
            await tx.run("keys.revoke", id=id, now=ms(tx.now))
            return key_of(await _row(tx, id))

        return await self._store.write(body)

    async def check(self, secret: str) -> Key | None:
        """The key with this secret, if it opens anything (any more)."""
        found = await self._store.read(lambda tx: find(tx, secret))
        return None if found is None else found[0]

    async def withdraw(self, *, secret: str | None = None, name: str | None = None, by: Actor = SYSTEM) -> Key:
        """Revoke the key with this secret or of this name; with both they must belong together, and if not, nothing happens.

        Raises NotFound where no key opens anything with that, Invalid, Forbidden.
        """
        require(by, Action.KEY_MANAGE)
        if not secret and not name:
            raise Invalid("say which key: by its secret, its name, or both", field="name")

        async def body(tx: Tx) -> Key:
            row = await _living(tx, secret, name)
            if row is None:
                raise NotFound("there is no such key", field="key")
            if name and row["name"] != name:
                raise Invalid("this key has another name", field="name")
            await tx.run("keys.revoke", id=row["id"], now=ms(tx.now))
            return key_of(await _row(tx, row["id"]))

        return await self._store.write(body)


async def _living(tx: Tx, secret: str | None, name: str | None) -> Row | None:
    if secret:
        return await tx.one("keys.by_hash", hash=digest(secret), now=ms(tx.now))
    return await tx.one("keys.by_name", name=name, now=ms(tx.now))


async def _row(tx: Tx, id: str) -> Row:
    row = await tx.one("keys.get", id=id)
    if row is None:
        raise NotFound(f"there is no key {id}", field="key")
    return row


async def _bound(tx: Tx, id: str) -> Operator:
    row = await tx.one("operators.get", id=id)
    if row is None or row["disabled_at"] is not None:
        raise Invalid(f"there is no operator {id}", field="operator")
    return operators.operator_of(row)


def _check_scopes(scopes: Iterable[str]) -> frozenset[str]:
    opened = frozenset(scopes)
    if unknown := sorted(opened - BY_SCOPE.keys()):
        raise Invalid(f"there is no scope {unknown[0]!r}; there are {', '.join(BY_SCOPE)}", field="scopes")
    return opened
