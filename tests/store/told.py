"""What the team was told, as the store keeps it: read past the desk."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
from psycopg.rows import dict_row


def told(url: str) -> list[Mapping[str, Any]]:
    """Every notification, in the order in which they were written."""
    return looked_up(url, "SELECT * FROM notifications ORDER BY created_at, id")


def looked_up(url: str, sql: str) -> list[Mapping[str, Any]]:
    """What a statement finds."""
    path = url.removeprefix("sqlite:///")
    if path == url:
        with psycopg.connect(url, row_factory=dict_row) as db:
            return db.execute(sql).fetchall()  # pyright: ignore[reportArgumentType, reportCallIssue]
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql).fetchall()]
