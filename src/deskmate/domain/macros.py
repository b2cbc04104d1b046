"""Macros: named lists of actions on a thread, done by one call, all of them or none."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, assert_never, cast

from deskmate.domain.assignments import parse_target
from deskmate.domain.messages import Visibility, readable
from deskmate.domain.operators import words
from deskmate.domain.threads import Priority, Status
from deskmate.errors import Invalid

MOST_ACTIONS = 20
MOST_TAGS = 50
LONGEST_SNOOZE = 31_536_000  # seconds; a year
ME = "me"
"""Stands for whoever uses the macro, where it says who is to hold the thread."""

E = TypeVar("E", Priority, Status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """A reply or a note: words with the variables of canned replies, or the id of a canned reply."""

    visibility: Visibility
    text: str | None = None
    canned: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Tags that go, then tags that come."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def of(self, tags: Sequence[str]) -> tuple[str, ...]:
        """What becomes of the tags of a thread."""
        return tuple(dict.fromkeys((*(tag for tag in tags if tag not in self.remove), *self.add)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority:
    to: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Open, resolve or snooze; `snoozed_until_in` is how long, without it until the customer's next message."""

    to: Status
    snoozed_until_in: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Who is to hold the thread: `ai`, `queue:NAME`, `operator:ID`, or `me`."""

    to: str


MacroAction = Say | Tag | SetPriority | SetStatus | Assign
_FIELDS: Mapping[str, frozenset[str]] = {
    "reply": frozenset({"text", "canned"}),
    "note": frozenset({"text", "canned"}),
    "tag": frozenset({"add", "remove"}),
    "priority": frozenset({"to"}),
    "status": frozenset({"to", "snoozed_until_in"}),
    "assign": frozenset({"to"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro:
    """One named list of actions, in the order in which they are done."""

    id: str
    name: str
    actions: tuple[MacroAction, ...]
    created_at: datetime
    updated_at: datetime


def actions_of(records: Sequence[object]) -> tuple[MacroAction, ...]:
    """The actions that plain values describe. Raises Invalid, naming the place: `actions.1.to`."""
    if not 1 <= len(records) <= MOST_ACTIONS:
        raise Invalid(f"a macro has 1 to {MOST_ACTIONS} actions", field="actions")
    return tuple(_action_of(record, f"actions.{at}") for at, record in enumerate(records))


def actions_to_json(actions: Iterable[MacroAction]) -> list[dict[str, object]]:
    """The actions as plain values; what is not set is left out."""
    return [_to_json(action) for action in actions]


def dump(actions: Iterable[MacroAction]) -> str:
    """The actions as the store keeps them."""
    return json.dumps(actions_to_json(actions), ensure_ascii=False, separators=(",", ":"))


def load(text: str) -> tuple[MacroAction, ...]:
    """Stored actions."""
    return actions_of(json.loads(text))


def canned_in(actions: Iterable[MacroAction]) -> set[str]:
    """The canned replies that these actions say."""
    return {action.canned for action in actions if isinstance(action, Say) and action.canned is not None}


def _action_of(record: object, where: str) -> MacroAction:
    if not isinstance(record, Mapping):
        raise Invalid(f"{where} must be an object", field=where)
    given = cast("Mapping[str, Any]", record)
    do = given.get("do")
    if not isinstance(do, str) or do not in _FIELDS:
        raise Invalid(f"{where}.do must be one of {', '.join(_FIELDS)}", field=f"{where}.do")
    for name in given:
        if name != "do" and name not in _FIELDS[do]:
            raise Invalid(f"{where}.{name} is no part of {do!r}", field=f"{where}.{name}")
    match do:
        case "reply" | "note":
            return _say_of(given, Visibility.PUBLIC if do == "reply" else Visibility.NOTE, where)
        case "tag":
            return _tag_of(given, where)
        case "priority":
            return SetPriority(to=_one_of(Priority, given.get("to"), f"{where}.to"))
        case "status":
            return _status_of(given, where)
        case _:
            return Assign(to=_target_of(given.get("to"), f"{where}.to"))


def _say_of(given: Mapping[str, Any], visibility: Visibility, where: str) -> Say:
    text, canned = given.get("text"), given.get("canned")
    if (text is None) == (canned is None):
        raise Invalid(f"{where} says either a text or a canned reply", field=f"{where}.text")
    for name, value in (("text", text), ("canned", canned)):
        if value is not None:
            _text(value, f"{where}.{name}")
    return Say(visibility=visibility, text=text, canned=canned)


def _tag_of(given: Mapping[str, Any], where: str) -> Tag:
    tag = Tag(add=_tags_of(given.get("add"), f"{where}.add"), remove=_tags_of(given.get("remove"), f"{where}.remove"))
    if not tag.add and not tag.remove:
        raise Invalid(f"{where} adds no tag and removes none", field=f"{where}.add")
    return tag


def _tags_of(value: object, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    tags = cast("list[object]", value) if isinstance(value, list) else None
    if tags is None or len(tags) > MOST_TAGS:
        raise Invalid(f"{where} must be a list of at most {MOST_TAGS} tags", field=where)
    return tuple(dict.fromkeys(words(_text(tag, where), where, 200) for tag in tags))


def _status_of(given: Mapping[str, Any], where: str) -> SetStatus:
    to, seconds = _one_of(Status, given.get("to"), f"{where}.to"), given.get("snoozed_until_in")
    if seconds is None:
        return SetStatus(to=to)
    place = f"{where}.snoozed_until_in"
    if to is not Status.SNOOZED:
        raise Invalid(f"{place} belongs to snoozed", field=place)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 1 <= seconds <= LONGEST_SNOOZE:
        raise Invalid(f"{place} is a number of seconds from 1 to {LONGEST_SNOOZE}", field=place)
    return SetStatus(to=to, snoozed_until_in=timedelta(seconds=seconds))


def _target_of(value: object, where: str) -> str:
    text = _text(value, where)
    if text != ME:
        try:
            parse_target(text)
        except Invalid:
            raise Invalid(f"{where} must be 'ai', 'me', 'queue:NAME' or 'operator:ID'", field=where) from None
    return text


def _one_of(kind: type[E], value: object, where: str) -> E:
    if not isinstance(value, str) or value not in list(kind):
        raise Invalid(f"{where} must be one of {', '.join(kind)}", field=where)
    return kind(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or readable(value) != value:
        raise Invalid(f"{where} must be a text", field=where)
    return value


def _to_json(action: MacroAction) -> dict[str, object]:
    record: dict[str, object]
    match action:
        case Say():
            record = {"do": "reply" if action.visibility is Visibility.PUBLIC else "note"}
            name, said = ("text", action.text) if action.text is not None else ("canned", action.canned)
            record[name] = said
        case Tag():
            record = {"do": "tag", "add": list(action.add), "remove": list(action.remove)}
        case SetPriority():
            record = {"do": "priority", "to": action.to}
        case SetStatus():
            record = {"do": "status", "to": action.to}
            if action.snoozed_until_in is not None:
                record["snoozed_until_in"] = action.snoozed_until_in.total_seconds()
        case Assign():
            record = {"do": "assign", "to": action.to}
        case _:
            assert_never(action)
    return record
