"""History: the messages of a thread as people and models read them, by index and in pieces, whatever the thread's age."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from deskmate.domain import context as contexts
from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.messages import ContextMessage, Message, MessageStatus, Position
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, allowed
from deskmate.domain.placement import LARGEST_ORDER
from deskmate.errors import Invalid, NotFound
from deskmate.store.base import Tx
from deskmate.store.rows import message_of

LAST_STEP = 2**62
BEGINNING = Position(-1, -1)
END = Position(LARGEST_ORDER + 1, 0)
REACH = 200
"""How many messages are read at most beside a window: to find the calls that its results belong to, or what was cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages of a thread, and in what order. `after` and `before` are messages or cursors; both ends are excluded."""

    order: Literal["oldest", "newest"] = "oldest"
    after: str | None = None
    before: str | None = None
    up_to: str | None = None
    statuses: Sequence[MessageStatus] = tuple(MessageStatus)
    exclude_tool: bool = False
    limit: int = 50


async def find(tx: Tx, id: str) -> Message | None:
    """One message, or None."""
    row = await tx.one("messages.get", id=id)
    return None if row is None else message_of(row)


async def get(tx: Tx, id: str, *, thread: str | None = None, field: str = "message") -> Message:
    """One message; with a thread, only of that thread. Raises NotFound, naming the field."""
    message = await find(tx, id)
    if message is None or thread not in (None, message.thread):
        raise NotFound(f"there is no message {id}" + (" in this thread" if thread else ""), field=field)
    return message


async def latest(tx: Tx, thread: str) -> Position | None:
    """The last position of a thread, or None where it is empty."""
    row = await tx.one("messages.latest", thread=thread)
    return None if row is None else Position(row["order"], row["step"])


async def cut_off(tx: Tx, thread: str, *, since: int) -> list[str]:
    """What agents had begun to say when a person took over, since a time (ms); of the newest messages only."""
    return [row["text"] for row in await tx.all("messages.cut_off", thread=thread, since=since, limit=REACH)]


async def page(tx: Tx, thread: str, wanted: Wanted, by: Actor) -> Page[Message]:
    """A page of what the actor may see. Raises NotFound, BadCursor, Invalid."""
    limit = check_limit(wanted.limit)
    from_place = BEGINNING if wanted.after is None else await _place(tx, thread, wanted.after, "after")
    to_place = END if wanted.before is None else await _place(tx, thread, wanted.before, "before")
    last_order = await _last_order(tx, thread, wanted.up_to)
    oldest = wanted.order == "oldest"
    start = from_place if oldest else min(to_place, Position(last_order + 1, 0))
    statuses = [*wanted.statuses, "", "", ""]
    hidden = allowed(by, Action.MESSAGE_READ_HIDDEN)
    rows = await tx.all(
        "messages.page_after" if oldest else "messages.page_before",
        thread=thread, order=start.order, step=start.step, up_to=last_order,
        status_1=statuses[0], status_2=statuses[1], status_3=statuses[2], tools=int(not wanted.exclude_tool),
        spoken=int(not hidden and by.kind is not AuthorKind.AGENT), hidden=int(hidden), limit=limit + 1,
    )  # fmt: skip
    kept, last = cut([message_of(row) for row in rows], limit)
    inside = [message for message in kept if from_place < message.position < to_place]
    ended = last is None or len(inside) < len(kept)
    return Page(items=tuple(inside), cursor=None if ended else cursor_of("messages", *kept[-1].position))


async def _place(tx: Tx, thread: str, mark: str, field: str) -> Position:
    """The position of a message of this thread, or the one that a cursor names."""
    message = await find(tx, mark)
    if message is not None and message.thread == thread:
        return message.position
    order, step = place_of(mark, "messages", int, int, field=field)
    return Position(int(order), int(step))


async def _last_order(tx: Tx, thread: str, up_to: str | None) -> int:
    if up_to is None:
        return END.order
    message = await get(tx, up_to, field="up_to")
    if message.thread != thread:
        raise Invalid(f"message {up_to} is not in this thread", field="up_to")
    return message.order


async def context(
    tx: Tx,
    thread: str,
    *,
    prompt: str | None = None,
    prompt_message: str | Message | None = None,
    messages: Sequence[ContextMessage] = (),
    exclude_tool: bool = False,
    recent: int = 100,
    keep_approved: bool | Collection[str] = False,
    run: str | None = None,
    calls: Sequence[str] = (),
) -> tuple[ContextMessage, ...]:
    """What a model is given: see `domain.context`. Reads `recent` messages before the prompt and those behind it on its order.

    `calls` are messages whose calls people were asked about: they and their answers stand first where they are older than that.
    """
    if recent < 0:
        raise Invalid("recent is a number from 0", field="recent")
    asked = prompt_message
    if isinstance(asked, str):
        asked = await get(tx, asked, thread=thread, field="prompt_message")
    behind: list[Message] = []
    if asked is not None:
        rows = await tx.all("messages.of_order", thread=thread, order=asked.order, from_step=asked.step, to_step=LAST_STEP)
        behind = [message_of(row) for row in rows]
    history = await _window(tx, thread, END if asked is None else asked.position, behind, recent, exclude_tool)
    return contexts.context(
        [*await _exchanges(tx, calls, {message.id for message in history}), *history],
        prompt=prompt, prompt_message=None if asked is None else asked.id, messages=messages,
        exclude_tool=exclude_tool, keep_approved=keep_approved, run=run,
    )  # fmt: skip


async def _exchanges(tx: Tx, calls: Sequence[str], seen: Collection[str]) -> list[Message]:
    """Messages with calls, and the answers behind them, as far as they have not been seen."""
    found: list[Message] = []
    for id in dict.fromkeys(calls):
        call = await find(tx, id) if id not in seen else None
        if call is not None:
            rows = await tx.all("requests.results", thread=call.thread, order=call.order, step=call.step)
            found += [call, *(message for message in map(message_of, rows) if message.id not in seen)]
    return found


async def _window(tx: Tx, thread: str, end: Position, behind: list[Message], recent: int, exclude_tool: bool) -> list[Message]:
    """The `recent` messages before a position and those behind it, and where results would lose their call, back to the call."""
    history = [*reversed(await _speaking(tx, thread, end, recent, exclude_tool)), *behind]
    loose = contexts.loose_ends([message for message in history if contexts.speaks(message)])
    if not loose or exclude_tool:
        return history
    needed = 0
    earlier = await _speaking(tx, thread, history[0].position, REACH, exclude_tool)
    for count, message in enumerate(earlier, 1):
        if contexts.asks(message) & loose:
            loose, needed = loose - contexts.asks(message), count
    return [*reversed(earlier[:needed]), *history]


async def _speaking(tx: Tx, thread: str, before: Position, limit: int, exclude_tool: bool) -> list[Message]:
    if limit == 0:
        return []
    rows = await tx.all(
        "messages.speaking_before",
        thread=thread, order=before.order, step=before.step, tools=int(not exclude_tool), limit=limit,
    )  # fmt: skip
    return [message_of(row) for row in rows]
