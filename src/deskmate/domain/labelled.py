"""Labelled: messages of which somebody wrote down who should answer them, read with care. Pure; every error names its field."""

from typing import Any, cast

from deskmate.domain.scoring import Example
from deskmate.domain.values import Record, kind_of
from deskmate.errors import Invalid


def labelled(record: object) -> Example:
    """The example of a record `{"text", "intent" or null, "responder"}`. Raises Invalid with the field that is wrong."""
    if not isinstance(record, dict):
        raise Invalid(f"a row is an object with text, intent and responder, not {kind_of(record)}", field="row")
    row = cast("Record", record)
    text, intent, responder = (cast("Any", row.get(name)) for name in ("text", "intent", "responder"))
    if not isinstance(text, str):
        raise Invalid(f"text must be a text, not {_said(row, 'text')}", field="text")
    if not (intent is None or (isinstance(intent, str) and intent)):
        raise Invalid(f"intent must be a name or null, not {'empty' if intent == '' else kind_of(intent)}", field="intent")
    if responder == "ai":
        return Example(text=text, intent=intent, responder="ai")
    if responder == "human":
        return Example(text=text, intent=intent, responder="human")
    raise Invalid(f'responder must be "ai" or "human", not {_said(row, "responder")}', field="responder")


def _said(row: Record, name: str) -> str:
    if name not in row:
        return "missing"
    value = row[name]
    return f'"{value[:40]}"' if isinstance(value, str) else kind_of(value)
