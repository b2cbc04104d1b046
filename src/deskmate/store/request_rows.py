"""Stored requests: rows as records."""

import json
from collections.abc import Mapping
from datetime import timedelta

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.requests import (
    Decision,
    DecisionKind,
    FirstApproval,
    OnExpiry,
    Request,
    RequestKind,
    RequestState,
    Risk,
    TalkOver,
)
from deskmate.store.base import Row
from deskmate.store.times import ms, utc, utc_or_none

UNSET: Mapping[str, object] = dict.fromkeys(
    (
        "run", "question", "call_id", "call_message", "approval", "tool", "args", "args_digest", "draft", "reason", "suggestion",
        "confidence", "floor", "response_schema", "queue", "expires_in", "remind_every", "remind_at", "default_value",
        "args_schema", "caused_by",
    )
) | {
    "skills": "[]", "talk_over": TalkOver.KEEP, "idempotent": 0, "self_approval": 1, "approvers": 1, "weight": 30,
}  # fmt: skip
"""What a request has that nobody said anything about."""


def _json(text: str | None) -> object:
    return None if text is None else json.loads(text)


def _object(text: str | None) -> dict[str, object] | None:
    return json.loads(text) if text else None


def _span(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)


def dump_first_approval(given: FirstApproval) -> str:
    """The first of two approvals as the store keeps it."""
    by = {"kind": given.by.kind, "id": given.by.id, "name": given.by.name}
    return json.dumps({"by": by, "at": ms(given.at), "args": given.args, "digest": given.args_digest})


def _first_approval_of(text: str | None) -> FirstApproval | None:
    if text is None:
        return None
    kept = json.loads(text)
    by = Author(kind=AuthorKind(kept["by"]["kind"]), id=kept["by"]["id"], name=kept["by"]["name"])
    return FirstApproval(by=by, at=utc(kept["at"]), args=kept["args"], args_digest=kept["digest"])


def _decision_of(row: Row) -> Decision | None:
    if row["decision_kind"] is None:
        return None
    return Decision(
        kind=DecisionKind(row["decision_kind"]),
        value=_json(row["decision_value"]),
        args=_object(row["decision_args"]),
        text=row["decision_text"],
        reason=row["decision_reason"],
        review=row["decision_review"],
        by=Author(kind=AuthorKind(row["decided_by_kind"]), id=row["decided_by"], name=row["decided_name"]),
        at=utc(row["decided_at"]),
        channel=row["decided_channel"],
    )


def request_of(row: Row) -> Request:
    """A stored row as a request."""
    claimed = row["state"] == RequestState.CLAIMED
    return Request(
        id=row["id"],
        thread=row["thread"],
        run=row["run"],
        kind=RequestKind(row["kind"]),
        state=RequestState(row["state"]),
        agent=row["agent"],
        question=row["question"],
        call_id=row["call_id"],
        call_message=row["call_message"],
        approval=row["approval"],
        tool=row["tool"],
        args=_object(row["args"]),
        args_digest=row["args_digest"],
        draft=row["draft"],
        reason=row["reason"],
        suggestion=row["suggestion"],
        confidence=row["confidence"],
        floor=row["floor"],
        response_schema=_object(row["response_schema"]),
        queue=row["queue"],
        skills=tuple(json.loads(row["skills"])),
        weight=row["weight"],
        priority=row["priority"],
        risk=Risk(row["risk"]),
        claimed_by=Author(kind=AuthorKind.OPERATOR, id=row["claimed_by"], name=row["claimed_name"]) if claimed else None,
        claimed_until=utc_or_none(row["claimed_until"]) if claimed else None,
        expires_at=utc_or_none(row["expires_at"]),
        expires_in=_span(row["expires_in"]),
        on_expiry=OnExpiry(row["on_expiry"]) if row["on_expiry"] else None,
        default=_json(row["default_value"]),
        missed=row["missed"],
        remind_at=utc_or_none(row["remind_at"]),
        remind_every=_span(row["remind_every"]),
        talk_over=TalkOver(row["talk_over"]),
        args_schema=_object(row["args_schema"]),
        executed_args=_object(row["executed_args"]),
        executed_digest=row["executed_digest"],
        reserved_attempt=row["reserved_attempt"],
        idempotent=bool(row["idempotent"]),
        caused_by=row["caused_by"],
        self_approval=bool(row["self_approval"]),
        approvers=row["approvers"],
        first_approval=_first_approval_of(row["first_approval"]),
        decision=_decision_of(row),
        outcome=row["outcome"],
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )
