"""Imports at the level of transactions: huge conversations come in parts, and processes that meet do not double anything."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from deskmate.domain.transcripts import conversation
from deskmate.errors import Conflict, Forbidden, Invalid, Unavailable
from deskmate.services import importing
from deskmate.services.importing import Imports, end_of_part
from deskmate.store import Store
from deskmate.store.base import Body, T, Tx


def turns(number: int) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for turn in range(number):
        function = {"name": "transfer_to_human_agents", "arguments": "{}"}
        said += [
            {"role": "user", "content": f"Question {turn}"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": f"c{turn}", "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": f"c{turn}", "content": "ok"},
        ]
    return said


class Failing:
    """A store that loses its connection after some writes."""

    def __init__(self, store: Store, after: int) -> None:
        self._store = store
        self._left = after

    async def write(self, body: Body[T], *, aside: bool = False) -> T:
        if self._left == 0:
            raise Unavailable
        self._left -= 1
        return await self._store.write(body)


async def rows(store: Store, thread: str) -> tuple[list[tuple[int, int, str, str]], list[Any]]:
    async def read(tx: Tx) -> Any:
        page = await tx.all(
            "messages.page_after", thread=thread, order=-1, step=-1, up_to=2**62, status_1="success", status_2="", status_3="",
            tools=1, spoken=0, hidden=1, limit=10_000,
        )  # fmt: skip
        requests = await tx.all("requests.of_thread", thread=thread)
        return [(row["order"], row["step"], row["role"], row["id"]) for row in page], requests

    return await store.read(read)


async def only(imports: Imports, records: list[object], **options: Any) -> importing.Import:
    [report] = [report async for report in imports.conversations(records, **options)]
    return report


def test_a_part_is_as_large_as_its_events_allow() -> None:
    found = conversation(turns(3000), source="test")
    ends = [0]
    while ends[-1] < len(found.entries):
        ends.append(end_of_part(found, ends[-1]))
    assert ends == [0, 3000, 6000, 9000]
    assert all(4 * (end - begin) / 3 <= importing.MOST_EVENTS for begin, end in pairwise(ends))


async def test_a_huge_conversation_comes_in_parts_that_postgresql_can_number(store: Store) -> None:
    report = await only(Imports(store), [turns(1500)])
    assert (report.coming, report.messages) == ("imported", 4500)
    stored, requests = await rows(store, report.thread or "")
    assert [(order, step, role) for order, step, role, _ in stored] == [
        (turn, step, role) for turn in range(1500) for step, role in enumerate(("user", "assistant", "tool"))
    ]
    assert len(requests) == 1500


@pytest.mark.parametrize("after", [1, 2, 3])
async def test_an_import_that_broke_off_in_a_conversation_goes_on_in_it(
    store: Store, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "MOST_EVENTS", 5)
    records: list[object] = [{"id": "long", "messages": turns(6)}]
    with pytest.raises(Unavailable):
        await only(Imports(Failing(store, after)), records)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(importing, "MOST_EVENTS", 7)
    report = await only(Imports(store), records)
    assert report.coming == "imported"
    assert 0 < report.messages < 18
    again = await only(Imports(store), records)
    assert (again.coming, again.messages, again.thread) == ("skipped", 0, report.thread)
    stored, requests = await rows(store, report.thread or "")
    assert [(order, step) for order, step, _, _ in stored] == [(turn, step) for turn in range(6) for step in range(3)]
    ids = [id for _, _, _, id in stored]
    assert [(one["call_message"], one["outcome"], one["state"]) for one in requests] == [
        (ids[3 * turn + 1], ids[3 * turn + 2], "applied") for turn in range(6)
    ]
    thread = await store.read(lambda tx: tx.one("threads.get", id=report.thread))
    assert thread is not None
    assert thread["status"] == "resolved"


async def test_importers_that_meet_bring_in_each_conversation_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_EVENTS", 4)
    records = [{"id": str(number), "messages": turns(4)} for number in range(5)]

    async def run() -> list[importing.Import]:
        return [report async for report in Imports(store).conversations(records)]

    reports = await asyncio.gather(*(run() for _ in range(4)))
    assert sum(report.messages for run in reports for report in run) == 5 * 12
    for id in range(5):
        [thread] = {run[id].thread for run in reports}
        stored, requests = await rows(store, thread or "")
        assert [(order, step) for order, step, _, _ in stored] == [(turn, step) for turn in range(4) for step in range(3)]
        assert len(requests) == 4


async def test_a_deleted_thread_can_be_imported_again(store: Store) -> None:
    from deskmate.services.threads import Threads

    records: list[object] = [turns(1)]
    first = await only(Imports(store), records)
    await Threads(store).delete(first.thread or "")
    again = await only(Imports(store), records)
    assert again.coming == "imported"
    assert again.thread != first.thread


async def test_strict_raises_what_was_wrong_and_where(store: Store) -> None:
    with pytest.raises(Invalid, match=r"record 2: messages\[0\].role") as error:
        async for _ in Imports(store).conversations([turns(1), [{"role": "human"}]], strict=True):
            pass
    assert error.value.field == "messages[0].role"
    with pytest.raises(Conflict, match="record 2: "):
        async for _ in Imports(store).conversations([{"id": 1, "messages": turns(n)} for n in (1, 2)], strict=True):
            pass


async def test_only_who_may_identify_customers_imports(store: Store) -> None:
    from deskmate import Role, customer, service

    for actor in (customer("ada"), service("robot", role=Role.OPERATOR), service("robot", role=None)):
        with pytest.raises(Forbidden):
            await only(Imports(store), [turns(1)], by=actor)
    assert (await only(Imports(store), [turns(1)], by=service("robot"))).coming == "imported"
