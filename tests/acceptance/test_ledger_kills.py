"""A process is killed while it goes on with an approved run: the tool has run at most once, and nobody is left waiting (P3).

What ran is counted on a paper outside of the store. Where nobody saw the end of the tool, a person says what became of it.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.acceptance.doors import PATIENCE
from tests.acceptance.ledger_killed import ALL, LEA, SETTINGS, Point, refunder
from tests.acceptance.ledger_process import ADA, noted
from tests.acceptance.ledger_ring import There

from deskmate import Desk, NewDecision, Paused, Request
from deskmate.domain.requests import DecisionKind
from deskmate.services.live import Seen

PROGRAM = Path(__file__).with_name("ledger_killed.py")
ROUNDS = 5
APPROVE = NewDecision(kind=DecisionKind.APPROVE)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    return tmp_path / "paper.jsonl"


@pytest.fixture
async def desk(store_url: str, paper: Path) -> AsyncIterator[Desk]:
    """Who goes on when the others are dead."""
    async with Desk.open(store_url, agents=[refunder(paper)], settings=SETTINGS, work=False) as desk:
        yield desk


async def approved(desk: Desk, calls: int) -> list[Request]:
    """Calls of one run that people have approved, and that have not run."""
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, str(calls), author=ADA)
    paused = await desk.respond(thread.id)
    assert isinstance(paused, Paused)
    return [await desk.requests.decide(request.id, APPROVE, by=LEA) for request in paused.requests]


@asynccontextmanager
async def nursery(store: str, paper: Path, point: Point) -> AsyncGenerator[tuple[There, asyncio.StreamWriter]]:
    """What forks processes that stand at this point. None of them outlives the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DESKMATE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), store, str(paper), point,
        stdin=PIPE, stdout=PIPE, env=environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        processes = There(process)
        await processes.says("ready")
        yield processes, process.stdin
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def killed(desk: Desk, paper: Path, point: Point, *, calls: int = 1, one: bool = False) -> list[list[Request]]:
    """Approved calls of several runs, each with a process that was killed at this point, or `one` for all of them."""
    runs = [await approved(desk, calls) for _ in range(ROUNDS)]
    async with nursery(desk.settings.store, paper, point) as (processes, stdin):
        for told in [ALL] if one else [requests[0].thread for requests in runs]:
            stdin.write(f"{told}\n".encode())
            standing = [await processes.line() for _ in (runs if one else [told])]
            assert {line["at"] for line in standing} == {point}
            [pid] = {line["pid"] for line in standing}
            os.kill(pid, signal.SIGKILL)
            assert await processes.says("killed") == signal.SIGKILL
    return runs


async def until(desk: Desk, type: str, count: int = ROUNDS) -> list[str]:
    """Wait for so many events of this type; returns the types of all the events of the threads."""
    types: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for seen in desk.feed.follow(by=LEA, after=0):
            if isinstance(seen, Seen):
                types.append(seen.event.type)
                if types.count(type) == count:
                    return types
    raise AssertionError(types)


def executions(paper: Path) -> Counter[str]:
    return Counter(line["ran"] for line in noted(paper) if "ran" in line)


def shown(paper: Path, request: Request) -> list[list[str]]:
    """What the model was shown, at each of its calls after the approval."""
    return [line["shown"] for line in noted(paper) if line.get("model") == request.thread]


async def replies(desk: Desk, request: Request) -> list[str]:
    messages = (await desk.messages.history(request.thread, by=LEA)).items
    assert not [message for message in messages if message.status != "success"]
    return [message.text for message in messages if message.role == "assistant" and message.text]


@pytest.mark.parametrize(
    ("point", "ran"), [("before the tool", 0), ("in the tool", 1), ("before the record", 1), ("before its commit", 1)]
)
async def test_p3_where_nobody_saw_the_end_of_the_tool_the_call_is_in_doubt_until_a_person_settles_it(
    desk: Desk, paper: Path, point: Point, ran: int
):
    requests = [request for [request] in await killed(desk, paper, point)]
    desk.work()
    types = await until(desk, "request.in_doubt")
    assert types.count("run.done") == 0
    for number, request in enumerate(requests):
        doubtful = await desk.requests.get(request.id, by=LEA)
        assert (doubtful.state, doubtful.outcome) == ("in_doubt", request.outcome)
        assert [waiting.id for waiting in await desk.requests.waiting(request.thread, by=LEA)] == [request.id]
        assert (await desk.threads.get(request.thread)).waiting_since is not None
        assert await desk.respond(request.thread) == Paused(requests=(doubtful,))
        assert (shown(paper, request), await replies(desk, request)) == ([], [])
        if number % 2:
            await desk.requests.settle(request.id, ran=True, value="paid, says the bank", by=LEA)
        else:
            await desk.requests.settle(request.id, ran=False, reason="no transfer at the bank", by=LEA)
    await until(desk, "run.done")
    for number, request in enumerate(requests):
        told = "paid, says the bank" if number % 2 else "it did not run: no transfer at the bank"
        assert shown(paper, request) == [[told]]
        assert await replies(desk, request) == [f"I can tell you: {told}"]
        assert (await desk.requests.get(request.id, by=LEA)).state == ("applied" if number % 2 else "failed")
        assert (await desk.threads.get(request.thread)).waiting_since is None
    assert executions(paper) == Counter({request.id: 1 for request in requests if ran})


@pytest.mark.parametrize(("point", "calls"), [("after the record", 1), ("in the model", 2)])
async def test_p3_p12_where_the_end_of_the_tool_is_recorded_the_run_goes_on_by_itself(
    desk: Desk, paper: Path, point: Point, calls: int
):
    requests = [request for [request] in await killed(desk, paper, point)]
    desk.work()
    types = await until(desk, "run.done")
    assert types.count("request.in_doubt") == 0
    for request in requests:
        assert shown(paper, request) == [["paid"]] * calls
        assert await replies(desk, request) == ["I can tell you: paid"]
        assert (await desk.requests.get(request.id, by=LEA)).state == "applied"
        assert (await desk.threads.get(request.thread)).waiting_since is None
    assert executions(paper) == Counter(request.id for request in requests)


async def test_p3_p7_of_several_calls_only_the_one_that_was_running_is_in_doubt(desk: Desk, paper: Path):
    runs = await killed(desk, paper, "in the second tool", calls=3)
    desk.work()
    await until(desk, "request.in_doubt")
    for requests in runs:
        assert [(await desk.requests.get(request.id, by=LEA)).state for request in requests] == ["applied", "in_doubt", "decided"]
    assert executions(paper) == Counter(request.id for requests in runs for request in requests[:2])
    for _, doubtful, _ in runs:
        await desk.requests.settle(doubtful.id, ran=True, value="paid, says the bank", by=LEA)
    await until(desk, "run.done")
    for requests in runs:
        assert shown(paper, requests[0]) == [["paid", "paid, says the bank", "paid"]]
        assert len(await replies(desk, requests[0])) == 1
        assert [(await desk.requests.get(request.id, by=LEA)).state for request in requests] == ["applied"] * 3
    assert executions(paper) == Counter(request.id for requests in runs for request in requests)


async def test_p6_a_message_that_comes_while_a_call_is_in_doubt_is_answered_and_the_call_stays_with_people(
    desk: Desk, paper: Path
):
    requests = [request for [request] in await killed(desk, paper, "in the tool")]
    desk.work()
    await until(desk, "request.in_doubt")
    for request in requests:
        await desk.messages.post(request.thread, "0", author=ADA)
    await until(desk, "run.done")
    for request in requests:
        assert (await desk.requests.get(request.id, by=LEA)).state == "in_doubt"
        assert (await desk.threads.get(request.thread)).waiting_since is not None
        await desk.requests.settle(request.id, ran=True, value="paid, says the bank", by=LEA)
    await until(desk, "run.done", 2 * ROUNDS)
    for request in requests:
        assert shown(paper, request) == [["paid, says the bank"]]
        assert (await replies(desk, request))[-1] == "I can tell you: paid, says the bank"
        assert (await desk.threads.get(request.thread)).waiting_since is None
    assert executions(paper) == Counter(request.id for request in requests)


async def test_p3_a_worker_that_is_killed_with_many_tools_running_leaves_each_of_them_in_doubt(desk: Desk, paper: Path):
    requests = [request for [request] in await killed(desk, paper, "in the tool", one=True)]
    desk.work()
    await until(desk, "request.in_doubt")
    for request in requests:
        assert (await desk.requests.get(request.id, by=LEA)).state == "in_doubt"
        await desk.requests.settle(request.id, ran=True, value="paid, says the bank", by=LEA)
    await until(desk, "run.done")
    for request in requests:
        assert await replies(desk, request) == ["I can tell you: paid, says the bank"]
    assert executions(paper) == Counter(request.id for request in requests)


async def test_p12_a_worker_that_is_killed_while_many_models_speak_is_followed_by_one_that_says_each_reply_once(
    desk: Desk, paper: Path
):
    requests = [request for [request] in await killed(desk, paper, "in the model", one=True)]
    desk.work()
    await until(desk, "run.done")
    for request in requests:
        assert await replies(desk, request) == ["I can tell you: paid"]
    assert executions(paper) == Counter(request.id for request in requests)
