"""Statements: one text for two drivers."""

import pytest

from deskmate.store.sql import Statements, UnknownStatement, parse, statements

SOURCE = """-- The nouns of a test.

-- name: get
-- One of them.
SELECT id, ':no' AS a, "x:y" AS b, n::text, '10%' AS c -- :neither % this
FROM things WHERE id = :id AND name LIKE :name || '%' AND id <> :id; /* :nor
this */

-- name: lock
-- The same.
SELECT 1;

-- name: lock (postgresql)
-- The same, locked.
SELECT 2 FOR UPDATE;

-- name: only (sqlite)
-- Nothing for the other.
PRAGMA user_version;
"""


def test_parameters_become_those_of_the_driver_and_nothing_else_does() -> None:
    lite, post = ({item.name: item for item in parse("things", SOURCE, engine)} for engine in ("sqlite", "postgresql"))
    assert lite["things.get"].text == (
        "SELECT id, ':no' AS a, \"x:y\" AS b, n::text, '10%' AS c\n"
        "FROM things WHERE id = :id AND name LIKE :name || '%' AND id <> :id"
    )
    assert post["things.get"].text == (
        "SELECT id, ':no' AS a, \"x:y\" AS b, n::text, '10%%' AS c\n"
        "FROM things WHERE id = %(id)s AND name LIKE %(name)s || '%%' AND id <> %(id)s"
    )
    assert lite["things.get"].parameters == post["things.get"].parameters == {"id", "name"}


def test_an_engine_gets_its_own_text_where_there_is_one() -> None:
    lite, post = ({item.name: item.text for item in parse("things", SOURCE, engine)} for engine in ("sqlite", "postgresql"))
    assert (lite["things.lock"], post["things.lock"]) == ("SELECT 1", "SELECT 2 FOR UPDATE")
    assert "things.only" in lite
    assert "things.only" not in post


@pytest.mark.parametrize("source", ["-- name: get\nSELECT 1;", "-- name: get\n-- A.\nSELECT 1;\n-- name: get\n-- B.\nSELECT 2;"])
def test_a_statement_without_a_comment_or_with_a_name_that_is_taken_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"store/sql/things\.sql"):
        list(parse("things", source, "sqlite"))


def test_an_unknown_statement_names_the_file_to_look_in() -> None:
    with pytest.raises(UnknownStatement, match=r"store/sql/things\.sql"):
        Statements()["things.get"]


def test_both_engines_have_the_same_statements_apart_from_the_feeds_own() -> None:
    lite, post = ({name for name in statements(engine) if not name.startswith("feed.")} for engine in ("sqlite", "postgresql"))
    assert lite == post
