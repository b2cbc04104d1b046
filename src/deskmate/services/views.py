"""Saved views: one's own, which nobody else sees, and those that leads share with everybody."""

import json
from collections.abc import Mapping

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.operators import By, actor_of, words
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, person, require
from deskmate.domain.views import View, filters_of
from deskmate.errors import Forbidden, NotFound
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms, utc


def view_of(row: Row) -> View:
    """A stored row as a view."""
    return View(
        id=row["id"],
        owner=row["owner"],
        name=row["name"],
        filters=json.loads(row["filters"]),
        shared=bool(row["shared"]),
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


class Views:
    """Filters of the inbox under a name."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, *, name: str, filters: Mapping[str, object], shared: bool = False, by: By = SYSTEM) -> View:
        """A view of one's own, or a shared one, for those who may. Raises Forbidden, Invalid naming the place."""
        actor = actor_of(by)
        require(actor, Action.VIEW_READ)
        if shared:
            require(actor, Action.VIEW_SHARE)
        owner = _owner(actor) if shared else person(actor)
        label, checked = words(name, "name", 200), filters_of(filters)

        async def body(tx: Tx) -> View:
            id = tx.id("view")
            await tx.run(
                "views.insert", id=id, owner=owner, name=label, filters=json.dumps(checked), shared=int(shared), now=ms(tx.now)
            )
            return await _find(tx, id, actor)

        return await self._store.write(body)

    async def list(self, *, cursor: str | None = None, limit: int = 50, by: By = SYSTEM) -> Page[View]:
        """One's own and the shared views, in the order they were made. Raises Forbidden, BadCursor, Invalid."""
        actor = actor_of(by)
        require(actor, Action.VIEW_READ)
        check_limit(limit, 200)
        after = "" if cursor is None else place_of(cursor, "views", str)[0]

        async def body(tx: Tx) -> Page[View]:
            kept, last = cut(await tx.all("views.page", owner=_owner(actor), after=after, limit=limit + 1), limit)
            more = None if last is None else cursor_of("views", last["id"])
            return Page(items=tuple(view_of(row) for row in kept), cursor=more)

        return await self._store.read(body)

    async def change(
        self,
        view: str,
        *,
        name: str | None = None,
        filters: Mapping[str, object] | None = None,
        shared: bool | None = None,
        by: By = SYSTEM,
    ) -> View:
        """Change what is given; one that is shared no more is its owner's again. Raises Forbidden, NotFound, Invalid."""
        actor = actor_of(by)
        require(actor, Action.VIEW_READ)
        label = None if name is None else words(name, "name", 200)
        checked = None if filters is None else filters_of(filters)

        async def body(tx: Tx) -> View:
            was = await _changeable(tx, view, actor)
            then = was.shared if shared is None else shared
            if then and not was.shared:
                require(actor, Action.VIEW_SHARE)
            if was.shared and not then and was.owner is None:
                raise Forbidden("a program shared this view, so it is nobody's own", field="shared")
            found = json.dumps(dict(was.filters) if checked is None else checked)
            await tx.run("views.change", id=view, name=label or was.name, filters=found, shared=int(then), now=ms(tx.now))
            row = await tx.one("views.get", id=view)
            assert row is not None
            return view_of(row)

        return await self._store.write(body)

    async def delete(self, view: str, *, by: By = SYSTEM) -> None:
        """Remove a view of one's own, or a shared one, for those who may. Raises Forbidden, NotFound."""
        actor = actor_of(by)
        require(actor, Action.VIEW_READ)

        async def body(tx: Tx) -> None:
            await _changeable(tx, view, actor)
            await tx.run("views.delete", id=view)

        await self._store.write(body)


def _owner(by: Actor) -> str | None:
    return by.id if by.kind is AuthorKind.OPERATOR else None


async def _find(tx: Tx, id: str, by: Actor) -> View:
    row = await tx.one("views.get", id=id)
    if row is None or not (row["shared"] or row["owner"] == _owner(by) is not None):
        raise NotFound(f"there is no view {id}", field="view")
    return view_of(row)


async def _changeable(tx: Tx, id: str, by: Actor) -> View:
    """A view that this person may change: what is shared belongs to those who may share."""
    found = await _find(tx, id, by)
    if found.shared:
        require(by, Action.VIEW_SHARE)
    return found
