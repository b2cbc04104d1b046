"""Schemas: what answers and changed arguments have to fit. JSON Schema that refers to nothing outside of itself."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from deskmate.errors import Invalid


def check_schema(schema: Mapping[str, object] | None, field: str = "response_schema") -> None:
    """Raise Invalid when this is no JSON Schema, or refers to anything outside of itself."""
    if schema is None:
        return
    try:
        Draft202012Validator.check_schema(schema)
        resolver = Registry[Any]().with_resource("", DRAFT202012.create_resource(schema)).resolver()
        for reference in _references(schema):
            resolver.lookup(reference)
    except SchemaError as error:
        raise Invalid(f"{field} is no JSON Schema: {error.message}", field=field) from error
    except (Unresolvable, RecursionError) as error:
        raise Invalid(f"{field} refers to what is not in it: {error}", field=field) from error


def _references(schema: object) -> Iterator[str]:
    match schema:
        case dict():
            for name, value in cast("dict[str, object]", schema).items():
                if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                    yield value
                yield from _references(value)
        case list():
            for value in cast("list[object]", schema):
                yield from _references(value)
        case _:
            return


def check_value(schema: Mapping[str, object] | None, value: object, field: str = "value") -> None:
    """Raise Invalid, naming the place, when a value does not fit its schema."""
    if schema is None:
        return
    # The registry is empty on purpose: the default one would fetch what a schema refers to from the network.
    validator = Draft202012Validator(dict(schema), registry=Registry())
    try:
        for error in validator.iter_errors(cast(Any, value)):  # pyright: ignore[reportUnknownMemberType]
            path = "".join(f".{step}" for step in error.absolute_path)
            raise Invalid(f"{field}{path}: {error.message}", field=f"{field}{path}")
    except (Unresolvable, RecursionError) as error:
        raise Invalid(f"the {field} cannot be checked: its schema leads nowhere", field=field) from error
