"""The next request on both engines: the one that waited longest, for one claimer only, whoever is writing meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from deskmate import Desk, Request, Role
from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.requests import RequestState
from deskmate.services.ledger import CLAIM_LEASE
from deskmate.store import connect
from deskmate.store.base import Store, Tx
from deskmate.testing import FakeClock


def operator(name: str) -> Actor:
    return Actor(kind=AuthorKind.OPERATOR, id=name, name=name, role=Role.OPERATOR)


ANA, BEN = operator("ana"), operator("ben")


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    desk = Desk(store_url, clock=clock)
    yield desk
    await desk.close()


async def asked(desk: Desk, clock: FakeClock, count: int) -> list[Request]:
    found: list[Request] = []
    for number in range(count):
        found.append(await desk.requests.ask(f"Question {number}?"))
        clock.advance(timedelta(seconds=1))
    return found


async def test_32_claimers_at_once_get_each_request_once_and_every_request_is_got(desk: Desk, clock: FakeClock) -> None:
    waiting = await asked(desk, clock, 40)

    async def work(name: str) -> list[Request]:
        mine: list[Request] = []
        while (request := await desk.requests.next(by=operator(name))) is not None:
            mine.append(request)
        return mine

    taken = [request for mine in await asyncio.gather(*(work(f"op {n}") for n in range(32))) for request in mine]
    assert sorted(request.id for request in taken) == sorted(request.id for request in waiting)
    assert {request.state for request in taken} == {RequestState.CLAIMED}


async def test_a_claim_that_ran_out_is_nobodys_and_the_next_one_takes_it(desk: Desk, clock: FakeClock) -> None:
    (first,) = await asked(desk, clock, 1)
    await desk.requests.claim(first.id, by=ANA)
    assert await desk.requests.next(by=BEN) is None
    clock.advance(CLAIM_LEASE + timedelta(seconds=1))
    taken = await desk.requests.next(by=BEN)
    assert taken is not None
    assert taken.id == first.id
    assert taken.claimed_by is not None
    assert taken.claimed_by.name == "ben"


@pytest.fixture
async def beside(store_url: str, clock: FakeClock, engine: str) -> AsyncIterator[Store]:
    """Another machine, which can be in the middle of a write while the desk writes."""
    if engine != "postgresql":
        pytest.skip("SQLite has one writer: nobody is in the middle of a write while another one claims")
    store = connect(store_url, clock=clock, entropy=lambda size: b"\x07" * size)
    await store.open()
    yield store
    await store.close()


class Writing:
    """Somebody who holds a thread until told otherwise."""

    def __init__(self, store: Store, thread: str) -> None:
        self.begun, self.enough = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(store.write(lambda tx: self._hold(tx, thread)))

    async def _hold(self, tx: Tx, thread: str) -> None:
        await tx.one("threads.lock", id=thread)
        self.begun.set()
        await self.enough.wait()


async def test_a_thread_that_somebody_writes_to_is_passed_over_while_others_wait(
    desk: Desk, clock: FakeClock, beside: Store
) -> None:
    first, second = await asked(desk, clock, 2)
    writing = Writing(beside, first.thread)
    await writing.begun.wait()
    taken = await desk.requests.next(by=ANA)
    writing.enough.set()
    await writing.task
    assert taken is not None
    assert taken.id == second.id


async def test_the_only_request_is_waited_for_while_somebody_writes_to_its_thread(
    desk: Desk, clock: FakeClock, beside: Store
) -> None:
    (only,) = await asked(desk, clock, 1)
    writing = Writing(beside, only.thread)
    await writing.begun.wait()
    taking = asyncio.create_task(desk.requests.next(by=ANA))
    done, _ = await asyncio.wait({taking}, timeout=0.2)
    assert not done
    writing.enough.set()
    await writing.task
    taken = await taking
    assert taken is not None
    assert taken.id == only.id
