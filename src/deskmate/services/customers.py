"""Customers: the people threads serve, by the ids of the caller's own system."""

import json
from collections.abc import Mapping

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.customers import Customer
from deskmate.domain.messages import readable
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.errors import Invalid, NotFound
from deskmate.services import erasure, findable
from deskmate.store.base import Store, Tx
from deskmate.store.rows import customer_of
from deskmate.store.times import ms


async def ensure(
    tx: Tx,
    id: str,
    *,
    name: str = "",
    email: str | None = None,
    anonymous: bool = False,
    metadata: Mapping[str, object] | None = None,
) -> None:
    """Make sure that the customer is known; one that is known already stays as it is."""
    if not id or len(id) > 200 or readable(id) != id:
        raise Invalid("a customer's id has 1 to 200 characters", field="customer")
    name = readable(name)
    known = not await tx.run(
        "customers.ensure",
        id=id, name=name, email=email, anonymous=int(anonymous), metadata=json.dumps(dict(metadata or {})),
        now=ms(tx.now),
    )  # fmt: skip
    if not known:
        await findable.customer(tx, id, name, known=False)


async def get(tx: Tx, id: str) -> Customer:
    """One customer. Raises NotFound."""
    row = await tx.one("customers.get", id=id)
    if row is None:
        raise NotFound(f"there is no customer {id}", field="customer")
    return customer_of(row)


class Customers:
    """The people threads serve."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, customer: str) -> Customer:
        """One customer. Raises NotFound."""
        return await self._store.read(lambda tx: get(tx, customer))

    async def page(self, *, cursor: str | None = None, limit: int = 50) -> Page[Customer]:
        """The customers who have threads, by id. Raises BadCursor, Invalid."""
        check_limit(limit)
        after = "" if cursor is None else str(place_of(cursor, "customers", str)[0])

        async def body(tx: Tx) -> Page[Customer]:
            kept, last = cut(await tx.all("customers.page", after=after, limit=limit + 1), limit)
            return Page(
                items=tuple(customer_of(row) for row in kept), cursor=None if last is None else cursor_of("customers", last["id"])
            )

        return await self._store.read(body)

    async def delete(self, customer: str, *, by: Actor = SYSTEM) -> None:
        """Remove a customer with all threads, messages and credentials. One who is gone already is no error."""
        require(by, Action.THREAD_DELETE)
        await self._store.write(lambda tx: erasure.delete_customer(tx, customer, actor=by))
