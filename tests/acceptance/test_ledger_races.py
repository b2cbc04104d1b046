"""Races for a request: two people, two channels, a person and the clock, two workers. One wins, the tool runs once (P2, P3).

What ran is counted on a paper outside of the store. In each round nobody can write before everybody has begun.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.acceptance.ledger_process import ADA, ALL_RIGHT, NEVER_MIND, Json, person
from tests.acceptance.ledger_ring import Ring, ring

from deskmate import NewDecision, Request
from deskmate.domain.requests import DecisionKind
from deskmate.testing import START

ROUNDS = 200
LEA = person("Lea")
NAMES = ("Ana", "Ben", "Cem", "Dua")
CALLS = 5  # of one run, where each of them may be decided by itself
PAID, REFUSED, LATE = "paid", "too much", "nobody decided in time"
ONE: Json = {"calls": 1}
Ends = list[tuple[Request, str]]
"""Each request, and what the agent has to say of it, or of the message that took its place."""
TASKS = "sqlite-tasks"
PROCESSES = ("sqlite-processes", pytest.param("postgresql-processes", marks=pytest.mark.postgres))


@pytest.fixture(params=[TASKS, *PROCESSES])
def placing(request: pytest.FixtureRequest) -> str:
    """Whether those who take part are four tasks of this process, or two processes of their own."""
    return request.param


@pytest.fixture
def engine(placing: str) -> str:
    return placing.partition("-")[0]


@pytest.fixture
async def them(placing: str, store_url: str, tmp_path: Path) -> AsyncIterator[Ring]:
    tasks, processes = (4, 0) if placing == TASKS else (0, 2)
    async with ring(store_url, tmp_path, tasks=tasks, processes=processes) as made:
        yield made
        tell(placing, made)


def tell(placing: str, them: Ring) -> None:
    """How the rounds went, for those who run this with -s."""
    print(f"\n{placing}: {dict(sorted(them.tally.items()))}, in {them.processes()} processes the tool ran", end=" ")


def winner_of(outcomes: Sequence[Json]) -> Json:
    """The one who won. The others have been told who that was, and when."""
    [winner] = [outcome for outcome in outcomes if "refused" not in outcome]
    for lost in outcomes:
        if lost is not winner:
            assert (lost["refused"], lost["status"], lost["by"]) == ("already_decided", 409, winner["by"])
            assert datetime.fromisoformat(lost["at"]) == datetime.fromisoformat(winner["at"])
    return winner


async def check(them: Ring, ends: Ends, *, state: str = "applied") -> None:
    """Each thread has ended with one reply, and the tool has run once for those that were paid, and for no others.

    `state` is that of the others.
    """
    said: dict[str, list[str]] = {}
    for request, end in ends:
        said.setdefault(request.thread, []).append(end)
        found = await them.desk.requests.get(request.id, by=LEA)
        assert found.state == ("applied" if end == PAID else state)
        assert (found.executed_digest == found.args_digest) == (end == PAID)
    for thread, all_ends in said.items():
        messages = (await them.desk.messages.history(thread, by=LEA)).items
        assert [m.text for m in messages if m.author.kind == "agent" and m.text] == [", ".join(all_ends)]
    assert them.executions() == Counter(request.id for request, end in ends if end == PAID)
    for who in (person(name).id for name in (*NAMES, LEA.name)):
        # How long they have worked is still to be counted; nothing else is left.
        await them.desk._store.write(lambda tx, who=who: tx.run("jobs.cancel", kind="work", ref=who))  # pyright: ignore[reportPrivateUsage]
    assert await them.desk.next_due() is None


async def decide(them: Ring, kinds: Sequence[str]) -> Ends:
    """Many rounds in which each decides as it is told. Returns what has to come of each request."""
    ends: Ends = []
    told = [{"do": kinds[n % len(kinds)], "by": NAMES[n]} for n in range(len(them.hands))]
    for number, request in enumerate(await them.asked([{"calls": CALLS}] * (ROUNDS // CALLS))):
        winner = winner_of(await them.race(number, request, told))
        ends.append((request, PAID if winner["kind"] == "approve" else REFUSED))
        found = await them.desk.requests.get(request.id, by=LEA)
        assert found.decision is not None
        assert (found.decision.kind, found.decision.by.id) == (winner["kind"], winner["by"]["id"])
        them.tally[f"{winner['kind']} by {winner['by']['name']}"] += 1
    await them.finish()
    return ends


async def test_p2_p3_approve_against_reject_has_one_winner_and_only_an_approval_runs_the_tool(them: Ring):
    await check(them, await decide(them, ["approve", "reject"]))


async def test_p2_p3_approving_twice_runs_the_tool_once(them: Ring):
    ends = await decide(them, ["approve"])
    assert {end for _, end in ends} == {PAID}
    await check(them, ends)


@pytest.mark.parametrize("placing", PROCESSES)
async def test_p2_p3_http_against_python_has_one_winner(placing: str, store_url: str, tmp_path: Path):
    async with ring(store_url, tmp_path, processes=1, tasks=1, web=True) as them:
        await check(them, await decide(them, ["approve", "approve"]))
        tell(placing, them)


async def test_p3_p6_an_approval_and_a_new_run_at_the_same_instant_either_run_the_tool_or_supersede(them: Ring):
    ends: Ends = []
    over = len(them.hands) - 1  # whose customer says never mind
    people: list[Json] = [{"do": "approve", "by": name} for name in NAMES[:over]]
    for number, request in enumerate(await them.asked([ONE] * ROUNDS)):
        if number % 2:
            # She has said so before: what is left to happen is the start of the run.
            await them.desk.messages.post(request.thread, NEVER_MIND, author=ADA)
        starts = {"do": "respond" if number % 2 else "never mind"}
        *decided, started = await them.race(number, request, [*people, starts])
        assert started["outcome"] == "Replied"
        found = await them.desk.requests.get(request.id, by=LEA)
        if found.state == "superseded":
            assert {(lost["refused"], lost["status"], lost["state"]) for lost in decided} == {("closed", 409, "superseded")}
            ends.append((request, ALL_RIGHT))
        else:
            winner_of(decided)
            ends.append((request, PAID))
        them.tally["approved" if ends[-1][1] == PAID else "superseded"] += 1
    await them.finish()
    await check(them, ends, state="superseded")


async def test_p2_p5_a_person_and_the_clock_never_both_decide(them: Ring):
    ends: Ends = []
    clock = len(them.hands) - 1  # who looks at the clock
    # The clock takes its job first, and decides then: so half of the people look first.
    people: list[list[Json]] = [[{"do": do, "by": name} for name in NAMES[:clock]] for do in ("approve", "look and approve")]
    # The time of each is over an hour after that of the one before; the clock denies every other one, and approves the rest.
    low: Json = {"risk": "low", "on_expiry": "approve"}
    settings = [{"hours": number} | (low if number % 2 else {}) for number in range(1, ROUNDS + 1)]
    for number, request in enumerate(await them.asked(settings)):
        now = START + timedelta(hours=number + 1) - timedelta(seconds=number)
        *decided, _ = await them.race(number, request, [*people[number // 2 % 2], {"do": "work"}], now=now)
        found = await them.desk.requests.get(request.id, by=LEA)
        if found.decision is None:
            assert {(lost["refused"], lost["status"], lost["state"]) for lost in decided} == {("closed", 409, "expired")}
            ends.append((request, LATE))
            them.tally["denied by the clock"] += 1
            continue
        if found.decision.by.kind == "system":
            assert {(lost["refused"], lost["by"]["name"]) for lost in decided} == {("already_decided", "Deskmate")}
        else:
            assert winner_of(decided)["by"]["name"] == found.decision.by.name
        ends.append((request, PAID))
        them.tally[f"approved by {'the clock' if found.decision.by.kind == 'system' else 'a person'}"] += 1
    await them.finish()
    await check(them, ends, state="expired")


async def test_p3_a_decided_run_that_several_workers_go_on_with_runs_the_tool_once(them: Ring):
    ends: Ends = []
    requests = await them.asked([ONE] * ROUNDS)
    for number, request in enumerate(requests):
        await them.desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=LEA)
        ends.append((request, PAID))
        ways = [("respond", "respond"), ("respond", "work"), ("work", "work")][number % 3]
        told = [{"do": ways[n % 2]} for n in range(len(them.hands))]
        outcomes = await them.race(number, request, told)
        for outcome in outcomes:
            # Whoever comes too late finds nothing to answer, or is shown what the other has said.
            assert outcome.get("refused", "conflict") == "conflict"
        assert them.executions()[request.id] == 1
        replied = sum(outcome.get("outcome") == "Replied" or outcome.get("jobs", 0) > 0 for outcome in outcomes)
        them.tally[f"{' and '.join(ways)}: {replied} at work"] += 1
    await them.finish()
    await check(them, ends)
