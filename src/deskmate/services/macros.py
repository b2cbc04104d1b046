"""Macros: several verbs on one thread in one transaction, each with its own permission; what one of them refuses undoes all."""

from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.macros import (
    ME,
    MOST_TAGS,
    Assign,
    Macro,
    MacroAction,
    Say,
    SetPriority,
    SetStatus,
    Tag,
    actions_of,
    dump,
    load,
)
from deskmate.domain.operators import By, actor_of, words
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.threads import Thread
from deskmate.errors import DeskmateError, Forbidden, Invalid, NotFound
from deskmate.services import canned, operators, posting, threads
from deskmate.services.assignments import Assignments
from deskmate.services.texts import clean
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc


def macro_of(row: Row) -> Macro:
    """A stored row as a macro."""
    return Macro(
        id=row["id"],
        name=row["name"],
        actions=load(row["actions"]),
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


async def get(tx: Tx, id: str) -> Macro:
    """One macro. Raises NotFound."""
    row = await tx.one("macros.get", id=id)
    if row is None:
        raise NotFound(f"there is no macro {id}", field="macro")
    return macro_of(row)


class Macros:
    """The macros of a team. Actions are plain values: `[{"do": "reply", "text": "..."}, {"do": "status", "to": "resolved"}]`."""

    def __init__(
        self, store: Store, assignments: Assignments, default_agent: Callable[[], str | None], *, copilot: bool = False
    ) -> None:
        self._store = store
        self._assignments = assignments
        self._default_agent = default_agent
        self._copilot = copilot

    async def add(self, *, name: str, actions: Sequence[Mapping[str, object]], by: By = SYSTEM) -> Macro:
        """A new macro. Raises Forbidden, and Invalid naming the place, e.g. `actions.1.to`."""
        actor = actor_of(by)
        require(actor, Action.MACRO_MANAGE)
        label, checked = words(name, "name", 200), actions_of(actions)

        async def body(tx: Tx) -> Macro:
            await _check(tx, checked, actor)
            id = tx.id("macro")
            await tx.run("macros.insert", id=id, name=label, actions=dump(checked), now=ms(tx.now))
            return await get(tx, id)

        return await self._store.write(body)

    async def get(self, macro: str, *, by: By = SYSTEM) -> Macro:
        """One macro. Raises NotFound, Forbidden."""
        require(actor_of(by), Action.MACRO_READ)
        return await self._store.read(lambda tx: get(tx, macro))

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: By = SYSTEM) -> Page[Macro]:
        """Macros in the order they were made. Raises Forbidden, BadCursor, Invalid."""
        require(actor_of(by), Action.MACRO_READ)
        check_limit(limit, 200)
        after = "" if cursor is None else place_of(cursor, "macros", str)[0]

        async def body(tx: Tx) -> Page[Macro]:
            kept, last = cut(await tx.all("macros.page", after=after, limit=limit + 1), limit)
            more = None if last is None else cursor_of("macros", last["id"])
            return Page(items=tuple(macro_of(row) for row in kept), cursor=more)

        return await self._store.read(body)

    async def change(
        self,
        macro: str,
        *,
        name: str | None = None,
        actions: Sequence[Mapping[str, object]] | None = None,
        by: By = SYSTEM,
    ) -> Macro:
        """Change what is given. Raises Forbidden, NotFound, Invalid."""
        actor = actor_of(by)
        require(actor, Action.MACRO_MANAGE)
        label = None if name is None else words(name, "name", 200)
        checked = None if actions is None else actions_of(actions)

        async def body(tx: Tx) -> Macro:
            was = await get(tx, macro)
            await _check(tx, checked or (), actor)
            await tx.run(
                "macros.change",
                id=macro, name=label or was.name, actions=dump(was.actions if checked is None else checked), now=ms(tx.now),
            )  # fmt: skip
            return await get(tx, macro)

        return await self._store.write(body)

    async def delete(self, macro: str, *, by: By = SYSTEM) -> None:
        """Remove a macro. Raises Forbidden, NotFound."""
        require(actor_of(by), Action.MACRO_MANAGE)

        async def body(tx: Tx) -> None:
            if not await tx.run("macros.delete", id=macro):
                raise NotFound(f"there is no macro {macro}", field="macro")

        await self._store.write(body)

    async def use(self, macro: str, thread: str, *, by: By) -> Thread:
        """Do what a macro says on a thread: all of it, or nothing.

        Raises NotFound, Forbidden, and what its actions raise, with the place as the field: `actions.1.to`.
        """
        actor = actor_of(by)
        require(actor, Action.MACRO_READ)

        async def body(tx: Tx) -> Thread:
            require(actor, Action.THREAD_READ, owner=(await threads.lock(tx, thread)).customer)
            for at, action in enumerate((await get(tx, macro)).actions):
                try:
                    await self._do(tx, thread, action, actor)
                except DeskmateError as error:
                    error.field = f"actions.{at}" if error.field is None else f"actions.{at}.{error.field}"
                    raise
            return await threads.get(tx, thread)

        return await self._store.write(body)

    async def _do(self, tx: Tx, thread: str, action: MacroAction, by: Actor) -> None:
        match action:
            case Say():
                text = (await canned.get(tx, action.canned, by)).text if action.canned is not None else action.text or ""
                await posting.post(
                    tx, thread, canned.filled(text, await threads.get(tx, thread), by),
                    actor=by, visibility=action.visibility, agent=self._default_agent(), copilot=self._copilot,
                )  # fmt: skip
            case Tag():
                found = await _changeable(tx, thread, by)
                tags = action.of(found.tags)
                if len(tags) > MOST_TAGS:
                    raise Invalid(f"a thread has at most {MOST_TAGS} tags", field="add")
                await threads.change(tx, thread, tags=tags, actor=by)
            case SetPriority():
                await _changeable(tx, thread, by)
                await threads.change(tx, thread, priority=action.to, actor=by)
            case SetStatus():
                await _changeable(tx, thread, by)
                until = None if action.snoozed_until_in is None else tx.now + action.snoozed_until_in
                await threads.change(tx, thread, status=action.to, snoozed_until=until, actor=by)
            case Assign():
                await self._assignments.give(tx, thread, _target(action.to, by), by=by)
            case _:
                assert_never(action)


def _target(to: str, by: Actor) -> str:
    if to != ME:
        return to
    if by.kind is not AuthorKind.OPERATOR or by.id is None:
        raise Forbidden("only operators hold threads themselves", field="to")
    return f"operator:{by.id}"


async def _changeable(tx: Tx, thread: str, by: Actor) -> Thread:
    found = await threads.get(tx, thread)
    require(by, Action.THREAD_CHANGE, owner=found.customer)
    return found


async def _check(tx: Tx, actions: Sequence[MacroAction], by: Actor) -> None:
    """Raise Invalid where an action says what cannot be said, or names who or what is not there."""
    for at, action in enumerate(actions):
        match action:
            case Say(text=str() as text):
                canned.checked_text(clean(text, f"actions.{at}.text"), f"actions.{at}.text")
            case Say(canned=str() as id):
                try:
                    await canned.get(tx, id, by)
                except NotFound as error:
                    raise Invalid(error.message, field=f"actions.{at}.canned") from None
            case Assign(to=to) if to.startswith("operator:"):
                row = await tx.one("operators.get", id=to.removeprefix("operator:"))
                if row is None or operators.operator_of(row).disabled:
                    raise Invalid(f"there is no operator {to.removeprefix('operator:')}", field=f"actions.{at}.to")
            case _:
                pass
