"""Operators: add, read, change, presence, leave and come back. Load belongs to assignments and claims, never to these verbs."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind, Role
from deskmate.domain.events import EventType
from deskmate.domain.operators import Operator, Presence, checked, chosen
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.queues import HUNDREDTHS
from deskmate.errors import AtCapacity, Conflict, Forbidden, Invalid, NotFound
from deskmate.services import feed, offers
from deskmate.services.credentials import Passwords
from deskmate.store import jobs
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc, utc_or_none

T = TypeVar("T")
log = logging.getLogger("deskmate.operators")
LEADS = frozenset({Role.LEAD, Role.ADMIN})
"""Who is told where leads are told: the roles that may decide for the team."""
AWAY = "operator.away"
"""The kind of the job that looks whether somebody is still there."""
SIGN_OF_LIFE = timedelta(seconds=20)
"""Signs of life that come closer together are one."""


def operator_of(row: Row) -> Operator:
    """A stored row as an operator."""
    return Operator(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        role=Role(row["role"]),
        skills=tuple(json.loads(row["skills"])),
        languages=tuple(json.loads(row["languages"])),
        queues=tuple(json.loads(row["queues"])),
        capacity=row["capacity"],
        load=row["load"] / HUNDREDTHS,
        presence=Presence(row["presence"]),
        seen_at=utc_or_none(row["seen_at"]),
        last_assigned_at=utc_or_none(row["last_assigned_at"]),
        disabled_at=utc_or_none(row["disabled_at"]),
        created_at=utc(row["created_at"]),
    )


async def get(tx: Tx, id: str, *, field: str = "operator") -> Operator:
    """One operator, also one who has left. Raises NotFound."""
    return _found(await tx.one("operators.get", id=id), id, field)


async def find(tx: Tx, id: str | None) -> Operator | None:
    """One operator, or None."""
    row = await tx.one("operators.get", id=id) if id is not None else None
    return None if row is None else operator_of(row)


async def lock(tx: Tx, id: str) -> Operator:
    """One operator, for the rest of this transaction. Raises NotFound."""
    return _found(await tx.one("operators.lock", id=id), id, "operator")


async def takes(tx: Tx, id: str, weight: int) -> bool:
    """Whether this operator is here and has room for so much more."""
    row = await tx.one("operators.lock_room", id=id, weight=weight)
    return row is not None and row["presence"] == Presence.AVAILABLE


async def has_room(tx: Tx, id: str, weight: int) -> bool:
    """Whether this operator still works here and has room for so much more, there or not. Locks them where they have."""
    return await tx.one("operators.lock_room", id=id, weight=weight) is not None


async def check_room(tx: Tx, id: str | None, weight: int) -> None:
    """Lock an operator who has room for so much more. Raises AtCapacity; whoever is no operator of this desk has no limit."""
    if id is None or await tx.one("operators.lock_room", id=id, weight=weight) is not None:
        return
    full = await find(tx, id)
    if full is not None:
        raise AtCapacity(f"{full.name} holds {full.load:g} of {full.capacity:g}", load=full.load, capacity=full.capacity)


async def send_away(tx: Tx, id: str) -> None:
    """Set an operator away who is available, until they say themselves that they are back: a sign of life is not enough."""
    found = await lock(tx, id)
    if found.presence is Presence.AVAILABLE and not found.disabled:
        await tx.run("operators.presence", id=id, presence=Presence.AWAY, now=ms(tx.now))
        await jobs.cancel(tx, AWAY, id)
        await _tell(tx, replace(found, presence=Presence.AWAY), SYSTEM, "presence")


async def leads(tx: Tx) -> list[Operator]:
    """Those of LEADS who work here."""
    team = [operator_of(row) for row in await tx.all("operators.team")]
    return [one for one in team if one.role in LEADS]


async def add(tx: Tx, new: Operator, *, password_hash: str | None, by: Actor | None) -> Operator:
    """Store a new operator, checked by `checked` before. `by` is None for the first one, who adds themselves."""
    stored = await tx.run(
        "operators.insert",
        id=new.id, name=new.name, email=new.email, role=new.role, skills=_json(new.skills), languages=_json(new.languages),
        queues=_json(new.queues), capacity=new.capacity, presence=new.presence, password_hash=password_hash,
        now=ms(new.created_at),
    )  # fmt: skip
    if not stored:
        raise _taken(new.email)
    await _tell(tx, new, by or new.actor(), "added")
    return new


class Operators:
    """The humans who work threads. `by` is who asks; a program that embeds the desk acts as the desk itself."""

    def __init__(self, store: Store, passwords: Passwords, *, away_after: timedelta | None = None) -> None:
        self._store = store
        self._passwords = passwords
        self._away_after = away_after

    async def add(
        self,
        *,
        name: str,
        email: str,
        role: Role | str = Role.OPERATOR,
        skills: Sequence[str] = (),
        languages: Sequence[str] = (),
        queues: Sequence[str] = (),
        capacity: float = 6.0,
        password: str | None = None,
        by: Actor = SYSTEM,
    ) -> Operator:
        """A new operator, offline. Raises Forbidden, and Invalid naming the field, also for an address that is taken."""
        require(by, Action.OPERATOR_MANAGE)
        which = chosen(Role, role, "role")

        def named(tx: Tx) -> Operator:
            return checked(Operator(
                id=tx.id("operator"), name=name, email=email, role=which, skills=tuple(skills), languages=tuple(languages),
                queues=tuple(queues), capacity=capacity, created_at=tx.now,
            ))  # fmt: skip

        password_hash = None if password is None else await self._passwords.hash(password)

        async def body(tx: Tx) -> Operator:
            return await add(tx, named(tx), password_hash=password_hash, by=by)

        return await self._store.write(body)

    async def get(self, id: str, *, by: Actor = SYSTEM) -> Operator:
        """One operator, also one who has left. Raises NotFound, Forbidden."""
        if (by.kind, by.id) != (AuthorKind.OPERATOR, id):
            require(by, Action.OPERATOR_READ)
        return await self._store.read(lambda tx: get(tx, id))

    async def list(
        self, *, cursor: str | None = None, limit: int = 50, disabled: bool = False, by: Actor = SYSTEM
    ) -> Page[Operator]:
        """Operators in the order they came; with `disabled` also those who have left. Raises Forbidden, BadCursor."""
        require(by, Action.OPERATOR_READ)
        check_limit(limit)
        after = place_of(cursor, "operators", str)[0] if cursor is not None else ""

        async def body(tx: Tx) -> Page[Operator]:
            rows = await tx.all("operators.page", after=after, disabled=int(disabled), limit=limit + 1)
            kept, last = cut(rows, limit)
            more = cursor_of("operators", last["id"]) if last else None
            return Page(items=tuple(operator_of(row) for row in kept), cursor=more)

        return await self._store.read(body)

    async def change(
        self,
        id: str,
        *,
        name: str | None = None,
        email: str | None = None,
        role: Role | str | None = None,
        skills: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        queues: Sequence[str] | None = None,
        capacity: float | None = None,
        password: str | None = None,
        by: Actor = SYSTEM,
    ) -> Operator:
        """Change what is given. A new password signs the operator out everywhere.

        Raises Forbidden, NotFound, Invalid, and Conflict where nobody would be left to administer the desk.
        """
        require(by, Action.OPERATOR_MANAGE)
        which = None if role is None else chosen(Role, role, "role")
        password_hash = None if password is None else await self._passwords.hash(password)

        async def body(tx: Tx) -> Operator:
            found = await lock(tx, id)
            new = checked(replace(
                found,
                name=_or(name, found.name), email=_or(email, found.email), role=_or(which, found.role),
                skills=tuple(_or(skills, found.skills)), languages=tuple(_or(languages, found.languages)),
                queues=tuple(_or(queues, found.queues)), capacity=_or(capacity, found.capacity),
            ))  # fmt: skip
            if new.role is not Role.ADMIN:
                await _keep_an_admin(tx, found)
            await _store_change(tx, found, new, by)
            if new.presence is Presence.AVAILABLE:
                await offers.room(tx, id)
            if password_hash is not None:
                await tx.run("operators.password", id=id, password_hash=password_hash)
                await tx.run("sessions.delete_all", operator=id)
                await _tell(tx, new, by, "password")
            return new

        return await self._store.write(body)

    async def presence(self, id: str, presence: Presence | str, *, by: Actor = SYSTEM) -> Operator:
        """Say where an operator is: they themselves, or an admin. Raises Forbidden, NotFound, Invalid."""
        require(by, Action.ME_CHANGE if by.id == id else Action.OPERATOR_MANAGE)
        where = chosen(Presence, presence, "presence")

        async def body(tx: Tx) -> Operator:
            found = await lock(tx, id)
            if found.disabled:
                raise Forbidden(f"{found.name} does not work here any more")
            new = replace(found, presence=where)
            if await tx.run("operators.presence", id=id, presence=where, now=ms(tx.now)):
                await _tell(tx, new, by, "presence")
                await self._follow(tx, new)
            return new

        return await self._store.write(body)

    async def seen(self, id: str) -> Operator:
        """A sign of life of an operator, who is available again if only the clock had sent them away. Raises NotFound."""

        async def body(tx: Tx) -> Operator:
            found = await get(tx, id)
            if await tx.run("operators.seen", id=id, now=ms(tx.now), before=ms(tx.now - SIGN_OF_LIFE)):
                now = await get(tx, id)
                if now.presence is not found.presence:
                    await _tell(tx, now, now.actor(), "presence")
                    await self._follow(tx, now)
                return now
            return found

        return await self._store.write(body, aside=True)

    async def look(self, job: jobs.Job) -> None:
        """The handler of AWAY jobs: whoever is available and has given no sign of life for a while is away."""
        after = self._away_after
        if after is None:
            return

        async def body(tx: Tx) -> None:
            found = await find(tx, job.ref)
            if found is None or found.presence is not Presence.AVAILABLE:
                return
            if await tx.run("operators.auto_away", id=found.id, before=ms(tx.now - after)):
                await _tell(tx, replace(found, presence=Presence.AWAY), SYSTEM, "presence")
            else:
                await jobs.enqueue(tx, AWAY, found.id, at=(found.seen_at or tx.now) + after)

        await self._store.write(body)

    async def audit(self) -> None:
        """Count again what operators hold; a load that is not that is repaired and reported (P10)."""
        if not await self._store.read(lambda tx: tx.all("operators.drifted")):
            return

        async def repair(tx: Tx) -> list[Row]:
            drifted = await tx.all("operators.drifted")
            for row in drifted:
                operator = await lock(tx, row["id"])
                await tx.run("operators.repair", id=operator.id)
                await _tell(tx, operator, SYSTEM, "load")
            return drifted

        for row in await self._store.write(repair):
            log.warning("%s was counted to hold %d hundredths, and holds %d", row["name"], row["load"], row["held"])

    async def _follow(self, tx: Tx, operator: Operator) -> None:
        """Who is available is given work, and looked after in case they go away without a word."""
        if operator.presence is not Presence.AVAILABLE:
            await jobs.cancel(tx, AWAY, operator.id)
            return
        await offers.room(tx, operator.id)
        if self._away_after is not None:
            await jobs.enqueue(tx, AWAY, operator.id, at=tx.now + self._away_after)

    async def disable(self, id: str, *, by: Actor = SYSTEM) -> Operator:
        """An operator leaves: sessions end, keys bound to them open nothing, what they hold goes back to its queue.

        Raises Conflict for the last admin.
        """
        require(by, Action.OPERATOR_MANAGE)

        async def body(tx: Tx) -> Operator:
            found = await lock(tx, id)
            await _keep_an_admin(tx, found)
            if await tx.run("operators.disable", id=id, now=ms(tx.now)):
                await tx.run("sessions.delete_all", operator=id)
                await _tell(tx, replace(found, presence=Presence.OFFLINE), by, "disabled")
                await offers.left(tx, id)
            return await get(tx, id)

        return await self._store.write(body)

    async def enable(self, id: str, *, by: Actor = SYSTEM) -> Operator:
        """An operator comes back, offline, with their password; keys bound to them open again."""
        require(by, Action.OPERATOR_MANAGE)

        async def body(tx: Tx) -> Operator:
            found = await lock(tx, id)
            if await tx.run("operators.enable", id=id):
                await _tell(tx, found, by, "enabled")
            return await get(tx, id)

        return await self._store.write(body)


async def _store_change(tx: Tx, found: Operator, new: Operator, by: Actor) -> None:
    names = ("name", "email", "role", "skills", "languages", "queues", "capacity")
    changed = [name for name in names if getattr(found, name) != getattr(new, name)]
    if not changed:
        return
    stored = await tx.run(
        "operators.change",
        id=new.id, name=new.name, email=new.email, role=new.role, skills=_json(new.skills), languages=_json(new.languages),
        queues=_json(new.queues), capacity=new.capacity,
    )  # fmt: skip
    if not stored:
        raise _taken(new.email)
    await _tell(tx, new, by, *changed)


async def _keep_an_admin(tx: Tx, leaving: Operator) -> None:
    if leaving.role is Role.ADMIN and [row["id"] for row in await tx.all("operators.lock_admins")] == [leaving.id]:
        raise Conflict(f"{leaving.name} is the last admin; name another one first")


async def _tell(tx: Tx, operator: Operator, by: Actor, *changed: str) -> None:
    data = {
        "operator": operator.id,
        "name": operator.name,
        "changed": changed,
        "role": operator.role,
        "presence": operator.presence,
    }
    await feed.emit(tx, EventType.OPERATOR_CHANGED, actor=by, thread=None, data=data)


def _found(row: Row | None, id: str, field: str) -> Operator:
    if row is None:
        raise NotFound(f"there is no operator {id}", field=field)
    return operator_of(row)


def _taken(email: str) -> Invalid:
    return Invalid(f"an operator with the address {email} exists already", field="email")


def _or(new: T | None, now: T) -> T:
    return now if new is None else new


def _json(labels: tuple[str, ...]) -> str:
    return json.dumps(labels, ensure_ascii=False)
