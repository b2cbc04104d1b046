"""The driver of the conformance vectors: it calls the public Python API and renames fields; it decides nothing.

`DESKMATE_CONFORMANCE_STORE` is `sqlite` (default) or `postgres`. Every driver has a store of its own.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from tests.conformance.stores import fresh_url

from deskmate import Desk
from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.messages import ContextMessage, Message, MessageStatus, NewMessage, Position, is_tool
from deskmate.domain.parts import parts_from_json, parts_to_json
from deskmate.domain.threads import Status, Thread
from deskmate.domain.turns import Turn
from deskmate.errors import Conflict, DeskmateError, Invalid, NotFound

Op = Mapping[str, Any]
Json = dict[str, Any]

STATUS_IN = {"active": Status.OPEN, "archived": Status.RESOLVED}
STATUS_OUT = {Status.OPEN: "active", Status.RESOLVED: "archived", Status.SNOOZED: "snoozed"}
ORDER = {"asc": "oldest", "desc": "newest"}
CLASSES: list[tuple[type[DeskmateError], str]] = [(NotFound, "not_found"), (Conflict, "conflict"), (Invalid, "invalid")]


async def make_driver() -> "Driver":
    """A driver on an empty store."""
    resources = ExitStack()
    url = resources.enter_context(fresh_url(os.environ.get("DESKMATE_CONFORMANCE_STORE", "sqlite")))
    return await Driver.open(url, resources)


class Driver:
    """One desk, addressed in the words of the vectors."""

    capabilities = frozenset({"threads", "messages", "context", "turns"})

    def __init__(self, desk: Desk, resources: ExitStack) -> None:
        self._desk = desk
        self._resources = resources
        self.threads = desk.threads
        self.messages = desk.messages
        self.customers = desk.customers

    @classmethod
    async def open(cls, url: str, resources: ExitStack | None = None) -> "Driver":
        """A driver on the store at this address, which is empty; the resources are released with it."""
        desk = Desk(url)
        await desk.ensure_open()
        return cls(desk, resources or ExitStack())

    async def close(self) -> None:
        await self._desk.close()
        self._resources.close()

    async def apply(self, op: Op) -> Json:
        """Perform one operation."""
        try:
            return {"ok": await getattr(self, op["op"])(op)}
        except DeskmateError as error:
            for kind, name in CLASSES:
                if isinstance(error, kind):
                    return {"error": name, "detail": error.message}
            raise

    # Threads

    async def create_thread(self, op: Op) -> Json:
        thread = await self.threads.open(customer=op.get("user_id"), subject=op.get("title"), summary=op.get("summary"))
        return thread_view(thread)

    async def get_thread(self, op: Op) -> Json | None:
        try:
            return thread_view(await self.threads.get(op["thread"]))
        except NotFound:
            return None

    async def update_thread(self, op: Op) -> Json:
        status = STATUS_IN[op["status"]] if "status" in op else None
        thread = await self.threads.change(op["thread"], subject=op.get("title"), summary=op.get("summary"), status=status)
        return thread_view(thread)

    async def list_threads(self, op: Op) -> Json:
        found, cursor = [], None
        while True:
            page = await self.threads.page(customer=op["user_id"], order=ORDER[op["order"]], limit=op["page_size"], cursor=cursor)
            found += [thread.id for thread in page.items]
            if (cursor := page.cursor) is None:
                return {"threads": found}

    async def list_users(self, op: Op) -> Json:
        found, cursor = [], None
        while True:
            page = await self.customers.page(limit=op["page_size"], cursor=cursor)
            found += [customer.id for customer in page.items]
            if (cursor := page.cursor) is None:
                return {"users": found}

    async def delete_thread(self, op: Op) -> None:
        await self.threads.delete(op["thread"])

    async def delete_user(self, op: Op) -> None:
        await self.customers.delete(op["user_id"])

    # Messages

    async def save_messages(self, op: Op) -> Json:
        placement = op.get("placement") or {}
        stored = await self.messages.save(
            op["thread"],
            [new_message(message, op.get("agent_name")) for message in op["messages"]],
            after=placement.get("after"),
            order=placement.get("order"),
            replaces=op.get("pending_message"),
            fail_pending=op.get("fail_pending", False),
        )
        return {"messages": await self._views(stored)}

    async def get_messages(self, op: Op) -> Json:
        found = await self.messages.find(*op["messages"])
        return {"messages": [message and await self._full_view(message) for message in found]}

    async def finalize_message(self, op: Op) -> None:
        await self.messages.finish(op["message"], MessageStatus(op["status"]), error=op.get("error"))

    async def update_message(self, op: Op) -> Json:
        message = await self.messages.change(
            op["message"],
            parts=parts_from_json(parts_in(op["content"])) if "content" in op else None,
            status=MessageStatus(op["status"]) if "status" in op else None,
            error=op.get("error"),
        )
        return await self._full_view(message)

    async def list_messages(self, op: Op) -> Json:
        page = await self.messages.page(
            op["thread"],
            order=ORDER[op["order"]],
            statuses=[MessageStatus(status) for status in op.get("statuses", list(MessageStatus))],
            exclude_tool=op.get("exclude_tool", False),
            up_to=op.get("up_to"),
            limit=op.get("limit", 1000),
            **{"after" if op["order"] == "asc" else "before": op.get("cursor")},
        )
        return {"messages": await self._views(page.items), "cursor": page.cursor, "done": page.cursor is None}

    async def delete_messages(self, op: Op) -> Json:
        return {"deleted": await self.messages.delete(*op["messages"])}

    async def delete_range(self, op: Op) -> None:
        start, end = (Position(place[0], place[1] if len(place) > 1 else 0) for place in (op["start"], op["end"]))
        await self.messages.delete_range(op["thread"], start, end)

    async def model_context(self, op: Op) -> Json:
        context = await self.messages.context(
            op["thread"],
            prompt=op.get("prompt"),
            prompt_message=op.get("prompt_message"),
            messages=[ContextMessage(role=m["role"], parts=parts_from_json(parts_in(m))) for m in op.get("messages", [])],
            exclude_tool=op.get("exclude_tool", False),
            recent=op.get("recent", 100),
            keep_approved=True,
        )
        return {"messages": [{"role": message.role, "parts": parts_to_json(message.parts)} for message in context]}

    async def turns(self, op: Op) -> Json:
        return {"turns": [turn_view(turn) for turn in await self.messages.turns(op["thread"])]}

    async def _views(self, messages: Any) -> list[Json]:
        return [await self._view(message) for message in messages]

    async def _view(self, message: Message) -> Json:
        thread = await self.threads.get(message.thread)
        return {
            "id": message.id,
            "order": message.order,
            "step_order": message.step,
            "role": message.role,
            "status": str(message.status),
            "tool": is_tool(message.role, message.parts),
            "text": message.text or None,
            "agent_name": message.agent_name,
            "user_id": thread.customer,
            "provider": message.provider,
            "provider_metadata": dict(message.provider_metadata or {}),
            "error": message.error,
        }

    async def _full_view(self, message: Message) -> Json:
        return await self._view(message) | {"parts": parts_to_json(message.parts)}


def thread_view(thread: Thread) -> Json:
    return {
        "thread": thread.id,
        "status": STATUS_OUT[thread.status],
        "user_id": thread.customer,
        "title": thread.subject,
        "summary": thread.summary,
    }


def turn_view(turn: Turn) -> Json:
    return {
        "id": turn.id,
        "role": turn.role,
        "order": turn.position.order,
        "step_order": turn.position.step,
        "status": str(turn.status),
        "agent_name": turn.agent_name,
        "text": turn.text or None,
        "tools": [
            {"call_id": tool.call_id, "state": str(tool.state), "approval_id": tool.approval_id, "reason": tool.reason}
            for tool in turn.tools
        ],
    }


def parts_in(message: Op) -> list[Json]:
    return message["parts"] if "parts" in message else [{"type": "text", "text": message["text"]}]


def new_message(message: Op, agent_name: str | None) -> NewMessage:
    return NewMessage(
        role=message["role"],
        parts=parts_from_json(parts_in(message)),
        author=author_of(message, agent_name),
        status=MessageStatus(message.get("status", "success")),
        agent_name=agent_name,
        model=message.get("model"),
        provider=message.get("provider"),
        provider_metadata=message.get("provider_metadata"),
        error=message.get("error"),
    )


def author_of(message: Op, agent_name: str | None) -> Author:
    """Whom the role speaks for. A system message of the vectors is an instruction by a program."""
    if message.get("provider") == "human":
        return Author(kind=AuthorKind.OPERATOR, name=agent_name or "")
    match message["role"]:
        case "user":
            return Author(kind=AuthorKind.CUSTOMER)
        case "system":
            return Author(kind=AuthorKind.SERVICE)
        case _:
            return Author(kind=AuthorKind.AGENT, name=agent_name or "")
