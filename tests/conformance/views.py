"""What the vectors call things, and what the public API calls them: renaming, both ways, and nothing else."""

from collections.abc import Mapping
from typing import Any

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.files import StoredFile
from deskmate.domain.messages import MessageStatus, NewMessage
from deskmate.domain.parts import parts_from_json
from deskmate.domain.search import Embedding
from deskmate.domain.streams import Stream, StreamDelta, piece_to_json
from deskmate.domain.threads import Status, Thread
from deskmate.domain.turns import Turn
from deskmate.domain.usage import UsageEntry

Op = Mapping[str, Any]
Json = dict[str, Any]

STATUS_IN = {"active": Status.OPEN, "archived": Status.RESOLVED}
STATUS_OUT = {Status.OPEN: "active", Status.RESOLVED: "archived", Status.SNOOZED: "snoozed"}


def embeddings_in(record: Op | None) -> list[Embedding | None]:
    return [vector and embedding_in(record, vector) for vector in record["vectors"]] if record else []


def embedding_in(record: Op, hot: Mapping[str, float]) -> Embedding:
    values = {int(index): value for index, value in hot.items()}
    return Embedding(model=record["model"], dim=record["dim"], values=values)


def file_view(file: StoredFile) -> Json:
    return {
        "file": file.id,
        "hash": file.hash,
        "refcount": file.messages,
        "filename": file.filename,
        "media_type": file.media_type,
    }


def stream_view(stream: Stream) -> Json:
    return {
        "stream": stream.id,
        "status": str(stream.status),
        "order": stream.order,
        "step_order": stream.step,
        "agent_name": stream.agent_name,
    }


def delta_view(delta: StreamDelta) -> Json:
    parts = [piece_to_json(part) for part in delta.parts]
    return {"stream": delta.stream, "start": delta.start, "end": delta.end, "parts": parts}


def thread_view(thread: Thread) -> Json:
    return {
        "thread": thread.id,
        "status": STATUS_OUT[thread.status],
        "user_id": thread.customer,
        "title": thread.subject,
        "summary": thread.summary,
    }


def usage_view(entry: UsageEntry, thread: Thread) -> Json:
    return {
        "agent_name": entry.agent,
        "model": entry.model,
        "provider": entry.provider,
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "thread": entry.thread,
        "user_id": thread.customer,
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
        files=tuple(message.get("files", ())),
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
