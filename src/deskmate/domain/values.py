"""Values: JSON that was written elsewhere, read with care. Pure; every error names its field."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn, cast

from deskmate.errors import Invalid

Record = Mapping[str, Any]
TIMES = ("created_at", "timestamp", "created")
DEEPEST = 100
_KINDS = {"NoneType": "null", "bool": "a truth value", "int": "a number", "float": "a number", "str": "a text", "list": "a list"}


def loads(text: str | bytes, *, unique: bool = False) -> object:
    """JSON as others can read it too: no NaN, no numbers beyond a float. Raises ValueError.

    With `unique` an object that names something twice is none: it would lose what it said first.
    """
    pairs: Callable[[list[tuple[str, object]]], object] | None = _unique if unique else None
    try:
        value: object = json.loads(text, parse_constant=_no_number, parse_float=_float, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST}") from None
    if _deeper_than(DEEPEST, value):
        raise ValueError(f"it is nested deeper than {DEEPEST}")
    return value


def _deeper_than(depth: int, value: object) -> bool:
    """Whether lists and objects stand in each other more than so many times."""
    level = [value]
    for _ in range(depth + 1):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def kind_of(value: object) -> str:
    """What a JSON value is, in words for an error."""
    return _KINDS.get(type(value).__name__, "an object")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def time_of(of: Record, where: str) -> datetime | None:
    """When it was written: ISO 8601, or seconds or milliseconds since 1970. Raises Invalid."""
    name = next((name for name in TIMES if of.get(name) is not None), None)
    if name is None:
        return None
    given: Any = of[name]
    try:
        if isinstance(given, str):
            at = datetime.fromisoformat(given)
            at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        elif isinstance(given, int | float) and not isinstance(given, bool):
            at = datetime.fromtimestamp(given / 1000 if given > 1e11 else given, UTC)
        else:
            raise ValueError(given)
        if at.year < 1970:
            raise ValueError(given)
    except (ValueError, OverflowError, OSError):
        message = f"{where}.{name} must be a time (ISO 8601, or seconds since 1970), not {shown(given)}"
        raise Invalid(message, field=f"{where}.{name}") from None
    return at


def text(of: Record, name: str, where: str, *, empty: bool = False) -> str:
    """A text of a record. Raises Invalid."""
    value = of.get(name)
    if not isinstance(value, str) or not (value or empty):
        raise Invalid(f"{where}.{name} must be a text, not {shown(value)}", field=f"{where}.{name}")
    return value


def text_or_none(of: Record, name: str, where: str) -> str | None:
    """A text of a record that may be missing. Raises Invalid."""
    return None if of.get(name) is None else text(of, name, where, empty=True)


def shown(value: object) -> str:
    """A short value as it is, a long or large one as its kind."""
    return repr(value) if isinstance(value, str) and len(value) <= 40 else kind_of(value)
