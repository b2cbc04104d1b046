"""P10 under a crowd: many claimers at once, in several processes, of which some are killed. DESKMATE_CROWD=1 runs it in full."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from deskmate import Desk, Operator, customer
from deskmate.domain.queues import WEIGHTS, Chooser, hundredths
from deskmate.domain.requests import RequestKind

FULL = os.environ.get("DESKMATE_CROWD") == "1"
OPERATORS, THREADS, QUESTIONS = (200, 2500, 2500) if FULL else (20, 40, 60)
CLAIMERS = 32


async def team(desk: Desk, capacities: Sequence[float], *, here: bool = False) -> list[Operator]:
    made = [
        await desk.operators.add(name=f"Operator {number}", email=f"o{number}@shop.example", capacity=capacity)
        for number, capacity in enumerate(capacities)
    ]
    return [await desk.operators.presence(one.id, "available", by=one.actor()) for one in made] if here else made


async def waiting(desk: Desk, threads: int, questions: int) -> set[str]:
    """Threads in the queue and questions, in a mixed order; their ids."""

    async def thread(number: int) -> str:
        opened = await desk.threads.open(customer=f"customer {number}")
        await desk.messages.post(opened.id, "A person, please.", author=customer(f"customer {number}"), respond=False)
        await desk.assignments.assign(opened.id, "queue:support", by=boss)
        return opened.id

    async def question(number: int) -> str:
        return (await desk.requests.ask(f"Question {number}?")).id

    boss = (await desk.operators.add(name="Lea", email="lea@shop.example", role="lead")).actor()
    made: set[str] = set()
    tasks = [thread(number) for number in range(threads)] + [question(number) for number in range(questions)]
    random.Random(5).shuffle(tasks)
    for begin in range(0, len(tasks), 50):
        made |= set(await asyncio.gather(*tasks[begin : begin + 50]))
    return made


async def held(desk: Desk, operators: Sequence[Operator]) -> dict[str, Operator]:
    return {one.id: await desk.operators.get(one.id) for one in operators}


async def check(desk: Desk, taken: Sequence[tuple[str, str]], operators: Sequence[Operator]) -> None:
    """Nothing is held twice, nobody holds too much, and what is counted is what is held."""
    assert len(taken) == len({item for item, _ in taken})
    load = dict.fromkeys((one.id for one in operators), 0)
    for item, operator in taken:
        load[operator] += 100 if item.startswith("th_") else WEIGHTS[RequestKind.QUESTION]
    for id, now in (await held(desk, operators)).items():
        assert hundredths(now.load) == load[id]
        assert now.load <= now.capacity
    assert await drifted(desk) == []


async def drifted(desk: Desk) -> list[object]:
    store = desk._store  # pyright: ignore[reportPrivateUsage]
    return list(await store.read(lambda tx: tx.all("operators.drifted")))


def spread(operators: Sequence[Operator]) -> str:
    shares = sorted(one.load / one.capacity for one in operators)
    return f"load / capacity {shares[0]:.2f} to {shares[-1]:.2f}, median {shares[len(shares) // 2]:.2f}"


async def test_p10_32_claimers_at_once_share_nothing_overfill_nobody_and_leave_nothing_while_there_is_room(
    store_url: str,
) -> None:
    async with Desk.open(store_url, work=False) as desk:
        room = THREADS + QUESTIONS * 0.3
        operators = await team(desk, [room / OPERATORS * (0.75 + 0.5 * (n % 3)) + 1 for n in range(OPERATORS)])
        made = await waiting(desk, THREADS, QUESTIONS)
        taken: list[tuple[str, str]] = []

        async def claim(mine: list[Operator]) -> None:
            while mine:
                operator = mine.pop(0)
                if (found := await desk.queues.next(by=operator)) is not None:
                    taken.append((found.request.id if found.request else found.thread.id, operator.id))
                    mine.append(operator)

        await asyncio.gather(*(claim(operators[number::CLAIMERS]) for number in range(CLAIMERS)))
        await check(desk, taken, operators)
        assert {item for item, _ in taken} == made
        print("pull:", spread(list((await held(desk, operators)).values())))


async def test_p10_a_queue_that_pushes_assigns_everything_there_is_room_for_and_spreads_it(store_url: str) -> None:
    async with Desk.open(store_url, work=False) as desk:
        await desk.queues.change("support", chooser=Chooser.BALANCED)
        threads = THREADS // 2
        operators = await team(desk, [threads / OPERATORS * (1 + n % 3) for n in range(OPERATORS)], here=True)
        made = await waiting(desk, threads, 0)
        await desk.run_due()
        now = list((await held(desk, operators)).values())
        assert sum(one.load for one in now) == len(made)
        assert all(one.load <= one.capacity for one in now)
        shares = [one.load / one.capacity for one in now]
        assert max(shares) - min(shares) <= 1 / min(one.capacity for one in now) + 1e-9
        assert await drifted(desk) == []
        print("push:", spread(now))


async def test_p10_processes_that_are_killed_while_they_claim_leave_no_drift_and_nothing_is_taken_twice(store_url: str) -> None:
    chance = random.Random(f"crowd {store_url[:6]}")
    async with Desk.open(store_url, work=False) as desk:
        operators = await team(desk, [(THREADS + QUESTIONS) / OPERATORS * 2] * OPERATORS)
        made = await waiting(desk, THREADS, QUESTIONS)
        taken: set[tuple[str, str]] = set()
        for kill in (True, True, False):
            processes = [await begun(store_url, [one.id for one in operators[half::2]]) for half in range(2)]
            if kill:
                taken |= await killed_after(processes, chance.randint(1, len(made) // 10))
            said = await asyncio.gather(*(heard(process) for process in processes))
            taken |= {one for lines in said for one in lines}
            assert await drifted(desk) == []
        by_item = dict(taken)
        assert len(by_item) == len(taken)
        assert all(one.load <= one.capacity for one in (await held(desk, operators)).values())
        # What was taken by a process that died before it could say so was taken all the same: nothing is left.
        assert await desk.queues.next(by=operators[0]) is None
        assert set(by_item) <= made
        total = sum(hundredths(one.load) for one in (await held(desk, operators)).values())
        assert total == THREADS * 100 + QUESTIONS * WEIGHTS[RequestKind.QUESTION]


async def begun(url: str, operators: list[str]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("crowd_process.py")), url, str(CLAIMERS // 2),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(operators).encode() + b"\n")
    await process.stdin.drain()
    return process


async def heard(process: asyncio.subprocess.Process) -> list[tuple[str, str]]:
    said, _ = await process.communicate()
    return [claimed(line) for line in said.split(b"\n")[:-1] if line]


async def killed_after(processes: list[asyncio.subprocess.Process], number: int) -> set[tuple[str, str]]:
    """Kill them when they have said so much together, or one of them has nothing to say. Returns what they had said."""
    said: list[bytes] = []

    async def hear(process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while len(said) < number and (line := await process.stdout.readline()):
            said.append(line)

    hearing = [asyncio.create_task(hear(process)) for process in processes]
    await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
    await asyncio.gather(*hearing)
    return {claimed(line) for line in said if line.endswith(b"\n")}


def claimed(line: bytes) -> tuple[str, str]:
    item, operator = json.loads(line)
    return item, operator
