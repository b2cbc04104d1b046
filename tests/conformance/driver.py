"""The driver of the conformance vectors: it calls the public Python API and renames fields; it decides nothing.

`DESKMATE_CONFORMANCE_STORE` is `sqlite` (default) or `postgres`. Every driver has a store of its own.
"""

import os
from contextlib import ExitStack
from typing import Any

from tests.conformance.scripted import Bot
from tests.conformance.stores import fresh_url
from tests.conformance.views import (
    STATUS_IN,
    Json,
    Op,
    delta_view,
    embedding_in,
    embeddings_in,
    file_view,
    new_message,
    parts_in,
    stream_view,
    thread_view,
    turn_view,
    usage_view,
)

from deskmate import Desk, Failed, Replied, Role
from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.messages import ContextMessage, Message, MessageStatus, Position, is_tool
from deskmate.domain.parts import parts_from_json, parts_to_json
from deskmate.domain.requests import DecisionKind, NewDecision
from deskmate.domain.streams import StreamStatus, piece_from_json
from deskmate.errors import Conflict, DeskmateError, Invalid, NotFound
from deskmate.testing import FakeClock, pass_time

REVIEWER = Actor(kind=AuthorKind.OPERATOR, id="reviewer", name="Reviewer", role=Role.LEAD)
ORDER = {"asc": "oldest", "desc": "newest"}
CLASSES: list[tuple[type[DeskmateError], str]] = [(NotFound, "not_found"), (Conflict, "conflict"), (Invalid, "invalid")]


async def make_driver() -> "Driver":
    """A driver on an empty store."""
    resources = ExitStack()
    url = resources.enter_context(fresh_url(os.environ.get("DESKMATE_CONFORMANCE_STORE", "sqlite")))
    return await Driver.open(url, resources)


class Driver:
    """One desk, addressed in the words of the vectors."""

    capabilities = frozenset(
        {"threads", "messages", "context", "turns", "approvals", "streams", "clock", "keys", "files", "search", "generate"}
    )

    def __init__(self, desk: Desk, clock: FakeClock, resources: ExitStack) -> None:
        self._desk = desk
        self._clock = clock
        self._resources = resources
        self.threads = desk.threads
        self.messages = desk.messages
        self.requests = desk.requests
        self.customers = desk.customers
        self.streams = desk.streams
        self.keys = desk.keys
        self.files = desk.files
        self.search = desk.search
        self.usage = desk.usage

    @classmethod
    async def open(cls, url: str, resources: ExitStack | None = None) -> "Driver":
        """A driver on the store at this address, which is empty; the resources are released with it."""
        clock = FakeClock()
        desk = Desk(url, clock=clock)
        await desk.ensure_open()
        return cls(desk, clock, resources or ExitStack())

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
            finish_stream=op.get("finish_stream"),
            embeddings=embeddings_in(op.get("embeddings")),
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
            files=op.get("files"),
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

    async def respond_approval(self, op: Op) -> Json:
        request = await self.requests.of_approval(op["thread"], op["approval_id"], by=REVIEWER)
        decision = NewDecision(kind=DecisionKind.APPROVE if op["approved"] else DecisionKind.REJECT, reason=op.get("reason"))
        return {"message": (await self.requests.decide(request.id, decision, by=REVIEWER)).outcome}

    async def generate(self, op: Op) -> Json:
        thread = await self.threads.get(op["thread"])
        before = {message.id for message in (await self.messages.page(thread.id, limit=1000)).items}
        used = {entry.id for entry in await self.usage.of_thread(thread.id)}
        prompt = op.get("prompt_message")
        if "prompt" in op:
            asked = await self.messages.save(thread.id, [new_message({"role": "user", "text": op["prompt"]}, None)])
            prompt = asked[0].id
        bot = Bot(op)
        outcome = await self._desk.respond(thread.id, bot.agent, prompt=prompt)
        stored = (await self.messages.page(thread.id, limit=1000)).items
        return {
            "failed": isinstance(outcome, Failed),
            "text": (outcome.message.text or None) if isinstance(outcome, Replied) else None,
            "new_messages": [await self._full_view(message) for message in stored if message.id not in before],
            "model_calls": len(bot.seen),
            "seen": bot.seen,
            "tools_run": bot.ran,
            "usage": [usage_view(entry, thread) for entry in await self.usage.of_thread(thread.id) if entry.id not in used],
        }

    # Streams, and time

    async def stream_start(self, op: Op) -> Json:
        at = Position(op["order"], op["step_order"])
        return {"stream": (await self.streams.start(op["thread"], at, agent_name=op.get("agent_name"))).id}

    async def stream_append(self, op: Op) -> Json:
        parts = [piece_from_json(part) for part in op["parts"]]
        return {"accepted": await self.streams.append(op["stream"], op["start"], parts, end=op["end"])}

    async def stream_read(self, op: Op) -> Json:
        deltas = await self.streams.read(op["thread"], {cursor["stream"]: cursor["cursor"] for cursor in op["cursors"]})
        return {"deltas": [delta_view(delta) for delta in deltas]}

    async def stream_list(self, op: Op) -> Json:
        statuses = [StreamStatus(status) for status in op.get("statuses", ["streaming"])]
        found = await self.streams.of_thread(op["thread"], statuses=statuses, from_order=op.get("start_order", 0))
        return {"streams": [stream_view(stream) for stream in found]}

    async def stream_finish(self, op: Op) -> None:
        await self.streams.finish(op["stream"])

    async def stream_abort(self, op: Op) -> Json:
        return {"aborted": await self.streams.abort(op["stream"], op["reason"])}

    async def stream_abort_order(self, op: Op) -> Json:
        return {"aborted": await self.streams.abort_order(op["thread"], op["order"], op["reason"])}

    async def stream_heartbeat(self, op: Op) -> None:
        await self.streams.heartbeat(op["stream"])

    async def stream_delete(self, op: Op) -> None:
        await self.streams.delete(op["stream"])

    async def advance_time(self, op: Op) -> None:
        await pass_time(self._desk, self._clock, seconds=op["seconds"])

    # Files

    async def add_file(self, op: Op) -> Json:
        file = await self.files.refer(op["hash"], op["storage"], filename=op.get("filename"), media_type=op.get("media_type"))
        return {"file": file.id, "storage": file.storage}

    async def find_file(self, op: Op) -> Json | None:
        file = await self.files.find(op["hash"], filename=op.get("filename"))
        return file and {"file": file.id, "storage": file.storage}

    async def get_file(self, op: Op) -> Json | None:
        try:
            return file_view(await self.files.get(op["file"]))
        except NotFound:
            return None

    async def delete_files(self, op: Op) -> Json:
        return {"deleted": await self.files.delete(*op["files"], force=op.get("force", False))}

    async def unused_files(self, op: Op) -> Json:
        return {"files": [file.id for file in await self.files.unused()]}

    # Search

    async def search_messages(self, op: Op) -> Json:
        by_vector = op.get("vector_search", False)
        around = op.get("range", {"before": 0, "after": 0}) if by_vector else {"before": 0, "after": 0}
        found = await self.search.messages(
            op.get("text") if op.get("text_search") else None,
            embedding=embedding_in(op["embedding"], op["embedding"]["hot"]) if by_vector else None,
            thread=op.get("thread"),
            customer=op.get("user_id"),
            before=op.get("target"),
            limit=op["limit"],
            min_score=op.get("min_score", 0.0),
            neighbours=(around["before"], around["after"]),
            sort="position" if by_vector else "best",
        )
        return {"messages": [message.id for message in found]}

    # Keys

    async def key_issue(self, op: Op) -> Json:
        issued = await self.keys.issue(name=op.get("name", ""), scopes=["usage:read"], replace="name" in op)
        return {"key": issued.secret}

    async def key_validate(self, op: Op) -> Json:
        return {"valid": await self.keys.check(op["key"]) is not None}

    async def key_destroy(self, op: Op) -> Json:
        try:
            await self.keys.withdraw(secret=op.get("key"), name=op.get("name"))
        except NotFound:
            return {"result": "missing"}
        except Invalid:
            return {"result": "refused"}
        return {"result": "deleted"}

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
