"""Recovery of runs whose holder died, at every instant around the end of its lease (P1)."""

import json
from datetime import timedelta

import pytest

from deskmate import Desk, customer
from deskmate.domain.actors import SYSTEM
from deskmate.services import runs
from deskmate.services.respond import DEATHS
from deskmate.store import jobs
from deskmate.store.base import Tx
from deskmate.store.times import ms
from deskmate.testing import FakeClock, ScriptedAgent, pass_time


@pytest.fixture
async def desk(store_url: str, clock: FakeClock):
    async with Desk.open(store_url, agents=[ScriptedAgent()], clock=clock, work=False) as desk:
        yield desk


async def asked(desk: Desk) -> str:
    """A thread with a message that is to be answered."""
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "Hello", author=customer("ada"))
    return thread.id


async def said(desk: Desk, thread: str) -> list[str]:
    return [message.text for message in (await desk.messages.history(thread, by=SYSTEM)).items]


async def take(desk: Desk, thread: str, lease: timedelta) -> None:
    """Begin the run as a process that dies right away."""

    async def body(tx: Tx) -> None:
        [run] = await runs.live(tx, thread)
        assert await runs.take(tx, run, owner="dead", lease=lease, prompt=run.prompt, prompt_order=run.prompt_order)

    await desk._store.write(body)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("late", [0, 1, 400, 999, 1000, 1001])
async def test_p1_a_run_is_taken_over_at_whatever_microsecond_of_its_lease_somebody_looks(
    desk: Desk, clock: FakeClock, late: int
):
    thread = await asked(desk)
    await take(desk, thread, timedelta(seconds=15))
    clock.advance(timedelta(seconds=15, microseconds=late))
    await desk.run_due()
    await pass_time(desk, clock, seconds=1)
    assert await said(desk, thread) == ["Hello", "You said: Hello"]


@pytest.mark.parametrize("state", ["queued", "running"])
async def test_p1_a_run_whose_job_is_gone_is_found_and_worked_on(
    desk: Desk, clock: FakeClock, caplog: pytest.LogCaptureFixture, state: str
):
    thread = await asked(desk)
    if state == "running":
        await take(desk, thread, timedelta(seconds=15))

    async def lose(tx: Tx) -> None:
        [run] = await runs.live(tx, thread)
        await jobs.cancel(tx, "run", run.id)

    await desk._store.write(lose)  # pyright: ignore[reportPrivateUsage]
    clock.advance(seconds=16)
    await desk.run_due()
    assert await said(desk, thread) == ["Hello", "You said: Hello"]
    assert "1 runs had no job" in caplog.text
    caplog.clear()
    await desk.run_due()
    assert caplog.text == ""


async def test_p1_a_run_that_kills_whoever_works_on_it_fails_visibly_in_the_end(desk: Desk, clock: FakeClock):
    thread = await asked(desk)
    lease = timedelta(seconds=15)
    for _ in range(DEATHS + 1):

        async def die(tx: Tx) -> None:
            kinds, lanes = json.dumps(["run"]), json.dumps(["scripted"])
            until, now = ms(tx.now + lease), ms(tx.now)
            [_] = await tx.all("jobs.claim", lease_by="dead", lease_until=until, now=now, lanes=lanes, kinds=kinds, limit=1)
            [run] = await runs.live(tx, thread)
            assert await runs.take(tx, run, owner="dead", lease=lease, prompt=run.prompt, prompt_order=run.prompt_order)

        await desk._store.write(die)  # pyright: ignore[reportPrivateUsage]
        clock.advance(seconds=15.001)
    await desk.run_due()
    failed, notice = (await desk.messages.history(thread, by=SYSTEM)).items[1:]
    assert (failed.status, failed.error) == ("failed", "Processes died again and again while they worked on this.")
    assert notice.text.startswith("Something went wrong")
    [shown] = await desk.requests.waiting(thread, by=SYSTEM)
    assert (shown.kind, await desk.next_due()) == ("escalation", shown.expires_at), "only the clock of that is left"
