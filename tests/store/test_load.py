"""Load on both engines: a counter that says what somebody holds, although somebody else has written past the desk (P10)."""

import sqlite3
from contextlib import closing

import psycopg
import pytest

from deskmate import Desk


def spoil(url: str, sql: str) -> None:
    """Somebody writes past the desk."""
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path) if path != url else psycopg.connect(url)) as connection:
        connection.execute(sql)  # pyright: ignore[reportArgumentType]
        connection.commit()


async def test_p10_a_load_that_is_not_what_somebody_holds_is_repaired_and_reported(
    desk: Desk, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    ana = await desk.operators.add(name="Ana", email="ana@shop.example")
    thread = await desk.threads.open(customer="ada")
    await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
    await desk.operators.audit()
    assert caplog.records == []
    spoil(store_url, "UPDATE operators SET load = load + 70")
    await desk.operators.audit()
    assert (await desk.operators.get(ana.id)).load == 1
    assert "Ana was counted to hold" in caplog.text
