"""Parts as JSON: the form they have in the store and on every door."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.messages import ApprovalRequest, ApprovalResponse, File, Part, Text, ToolCall, ToolResult, readable
from deskmate.errors import Invalid


def parts_to_json(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The parts as plain values."""
    return [part_to_json(part) for part in parts]


def part_to_json(part: Part) -> dict[str, Any]:
    """One part as plain values; what is not set is left out."""
    match part:
        case Text():
            return {"type": "text", "text": part.text}
        case ToolCall():
            return {"type": "tool_call", "call_id": part.call_id, "tool": part.tool, "input": part.input}
        case ToolResult():
            return _result_to_json(part)
        case File():
            record: dict[str, Any] = {"type": "file", "file": part.file, "media_type": part.media_type}
            return record | ({"filename": part.filename} if part.filename is not None else {})
        case ApprovalRequest():
            record = {"type": "approval_request", "approval_id": part.approval_id, "call_id": part.call_id}
            return record | ({"left_out": True} if part.left_out else {})
        case ApprovalResponse():
            record = {"type": "approval_response", "approval_id": part.approval_id, "approved": part.approved}
            return record | _decided_to_json(part)
        case _:
            assert_never(part)


def _result_to_json(part: ToolResult) -> dict[str, Any]:
    record: dict[str, Any] = {"type": "tool_result", "call_id": part.call_id, "tool": part.tool}
    if part.denied:
        record["denied"] = True
    if not part.denied or part.output is not None:
        record["output"] = part.output
    if part.is_error:
        record["is_error"] = True
    if part.args is not None:
        record["args"] = dict(part.args)
    return record | _decided_to_json(part)


def _decided_to_json(part: ToolResult | ApprovalResponse) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if part.reason is not None:
        record["reason"] = part.reason
    if part.request is not None:
        record["request"] = part.request
    if part.by is not None:
        record["by"] = {"kind": str(part.by.kind), "id": part.by.id, "name": part.by.name}
    return record


def parts_from_json(records: Iterable[Mapping[str, Any]]) -> tuple[Part, ...]:
    """The parts these plain values describe. Raises Invalid where they describe none."""
    return tuple(part_from_json(record) for record in records)


def part_from_json(record: Mapping[str, Any]) -> Part:
    """The part that plain values describe. Raises Invalid where they describe none."""
    try:
        return _read(record)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(f"not a part of a message: {error}", field="parts") from error


def _read(record: Mapping[str, Any]) -> Part:
    match record["type"]:
        case "text":
            return Text(text=record["text"])
        case "tool_call":
            return ToolCall(call_id=record["call_id"], tool=record["tool"], input=record.get("input"))
        case "tool_result":
            return _read_result(record)
        case "file":
            return File(file=record["file"], media_type=record["media_type"], filename=record.get("filename"))
        case "approval_request":
            left_out = bool(record.get("left_out"))
            return ApprovalRequest(approval_id=record["approval_id"], call_id=record["call_id"], left_out=left_out)
        case "approval_response":
            return ApprovalResponse(
                approval_id=record["approval_id"],
                approved=bool(record["approved"]),
                reason=record.get("reason"),
                request=record.get("request"),
                by=_read_author(record.get("by")),
            )
        case other:
            raise ValueError(f"there is no part of type {other!r}")


def _read_result(record: Mapping[str, Any]) -> ToolResult:
    return ToolResult(
        call_id=record["call_id"],
        tool=record["tool"],
        output=record.get("output"),
        is_error=bool(record.get("is_error")),
        denied=bool(record.get("denied")),
        reason=record.get("reason"),
        request=record.get("request"),
        by=_read_author(record.get("by")),
        args=record.get("args"),
    )


def _read_author(by: Mapping[str, Any] | None) -> Author | None:
    return Author(kind=AuthorKind(by["kind"]), id=by.get("id"), name=by.get("name", "")) if by else None


def dump(parts: Iterable[Part]) -> str:
    """The parts as the store keeps them."""
    return readable(json.dumps(parts_to_json(parts), ensure_ascii=False, separators=(",", ":")))


def load(text: str) -> tuple[Part, ...]:
    """Stored parts."""
    return parts_from_json(json.loads(text))
