"""Placement: where new messages go in a thread. Pure; the store tells the facts under the thread's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deskmate.domain.messages import ModelRole, Position
from deskmate.errors import Invalid

LARGEST_ORDER = 2**62

Order = int | Literal["next"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The next free place, and whether a user message that comes first opens an order of its own instead of taking it."""

    free: Position
    user_opens: bool = True


def check(*, after: str | None, order: Order | None, replaces: str | None) -> None:
    """Raise Invalid for a placement that contradicts itself, or for an order that cannot be."""
    if order is None:
        return
    if after is not None:
        raise Invalid("give either after or order, not both", field="order")
    if replaces is not None:
        raise Invalid("a message that replaces another takes its place; it cannot be given an order", field="order")
    if order == "next":
        return
    if type(order) is not int or not 0 <= order <= LARGEST_ORDER:
        raise Invalid("order is 'next' or a whole number from 0", field="order")


def at_end(latest: Position | None) -> Anchor:
    """Without a placement: the next step of the latest order."""
    return Anchor(free=Position(0, 0) if latest is None else Position(latest.order, latest.step + 1))


def at_next_order(latest: Position | None) -> Anchor:
    """`order="next"`: step 0 behind the latest order, whatever the role."""
    return Anchor(free=Position(0 if latest is None else latest.order + 1, 0), user_opens=False)


def at_order(order: int, last_step: int | None) -> Anchor:
    """`order=n`: the next free step of that order, whatever the role. `last_step` is None where the order is unused."""
    return Anchor(free=Position(order, 0 if last_step is None else last_step + 1), user_opens=False)


def behind(prompt: Position, last_step: int) -> Anchor:
    """`after=message`: the next free step of the order of that message."""
    return Anchor(free=Position(prompt.order, max(prompt.step, last_step) + 1))


def positions(roles: Sequence[ModelRole], anchor: Anchor, latest: Position | None) -> list[Position]:
    """One free position for each message of a batch, in the same order.

    A user message opens an order of its own behind the latest; all others follow the message before them.
    """
    placed: list[Position] = []
    free = anchor.free
    newest = -1 if latest is None else latest.order
    for index, role in enumerate(roles):
        if role == "user" and (index > 0 or anchor.user_opens):
            free = Position(newest + 1, 0)
        placed.append(free)
        newest = max(newest, free.order)
        free = Position(free.order, free.step + 1)
    return placed
