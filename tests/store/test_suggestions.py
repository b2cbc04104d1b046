"""Suggestions in the store: who follows, what is forgotten, and what agents of other processes know."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from deskmate import Desk
from deskmate.domain.actors import SYSTEM, customer
from deskmate.domain.agents import Step, Turn
from deskmate.domain.messages import text_of
from deskmate.domain.operators import Operator
from deskmate.domain.requests import DecisionKind, NewDecision
from deskmate.domain.suggestions import Suggestion
from deskmate.domain.threads import Mode
from deskmate.errors import AlreadyDecided, NotFound
from deskmate.runners.faq import FaqAgent, FaqLibrary
from deskmate.store.postgres_tx import PostgreSQLTx
from deskmate.store.sqlite_tx import SQLiteTx
from deskmate.testing import FakeClock, ScriptedAgent, pass_time

WARRANTY = [
    ("How long is the warranty on lamps?", "All our lamps have a warranty of two years, please keep the receipt."),
    ("do lamps come with a guarantee", "Yes, the guarantee on lamps is two years from the date on the receipt."),
    ("What warranty do you give for your lamps?", "We give two years of warranty on every lamp, with the receipt."),
    ("is there a warranty for lamps?", "There is a warranty of two years on each lamp, if you have the receipt."),
]


@pytest.fixture
async def desk(store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as desk:
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@shop.example")


async def told(desk: Desk, ana: Operator, name: str, question: str, answer: str) -> str:
    """A customer of this name asks and Ana replies; their thread."""
    asking = customer(name, name.title())
    thread = (await desk.threads.open(customer=name, by=asking)).id
    await desk.messages.post(thread, question, author=asking, respond=False)
    await desk.messages.post(thread, answer, author=ana.actor())
    return thread


async def asked(desk: Desk, ana: Operator, times: int = 3) -> list[str]:
    """So many customers ask about the warranty; their threads."""
    threads = [await told(desk, ana, f"customer{n}", *WARRANTY[n]) for n in range(times)]
    await desk.run_due()
    return threads


async def open_ones(desk: Desk) -> list[Suggestion]:
    return list((await desk.suggestions.list()).items)


async def says(agent: FaqAgent, question: str) -> str:
    turn = Turn(thread="th", run="run", customer=None, prompt_text=question, history=())
    steps = [output async for output in agent.run(turn) if isinstance(output, Step)]
    return " ".join(text_of(step.role, step.parts) for step in steps)


async def test_two_processes_that_follow_at_once_make_one_suggestion(desk: Desk, ana: Operator, store_url: str, clock: FakeClock):
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as other:
        for n in range(4):
            await told(desk, ana, f"customer{n}", *WARRANTY[n])
            await asyncio.gather(desk.run_due(), other.run_due())
        await desk.run_due()
    [found] = await open_ones(desk)
    assert found.times == 4
    events = [seen.event for seen in await desk.feed.read(by=SYSTEM)]
    changed = [event.data for event in events if event.type == "suggestion.changed"]
    assert [(data["suggestion"], data["state"], data["times"]) for data in changed] == [
        (found.id, "open", 3),
        (found.id, "open", 4),
    ]


async def test_a_restart_in_the_middle_loses_nothing_and_counts_nothing_twice(store_url: str, clock: FakeClock):
    for n in range(3):
        async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as desk:
            ana = (
                (await desk.operators.list(by=SYSTEM)).items[0]
                if n
                else await desk.operators.add(name="Ana", email="ana@shop.example")
            )
            await told(desk, ana, f"customer{n}", *WARRANTY[n])
            if n != 1:  # The second time the process ends before anybody has followed.
                await desk.run_due()
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as desk:
        await desk.run_due()
        [found] = await open_ones(desk)
        assert found.times == 3


async def test_two_who_accept_at_once_from_two_processes_make_one_entry(
    desk: Desk, ana: Operator, store_url: str, clock: FakeClock
):
    await asked(desk, ana)
    [found] = await open_ones(desk)
    leads = [await desk.operators.add(name=name, email=f"{name}@shop.example", role="lead") for name in ("Lea", "Max")]
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as other:
        outcomes = await asyncio.gather(
            desk.suggestions.accept(found.id, by=leads[0]),
            other.suggestions.dismiss(found.id, by=leads[1]),
            other.suggestions.accept(found.id, answer="Three years.", by=leads[1]),
            return_exceptions=True,
        )
    [won] = [outcome for outcome in outcomes if isinstance(outcome, Suggestion)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, AlreadyDecided)]
    assert len(lost) == 2
    assert all(won.state in str(error) for error in lost)
    assert len((await desk.faq.list()).items) == (won.state == "accepted")


async def test_the_words_of_a_deleted_thread_leave_what_is_not_accepted(desk: Desk, ana: Operator):
    threads = await asked(desk, ana)
    [before] = await open_ones(desk)
    gone = next(one for one in before.told if one.question == before.question)
    await desk.threads.delete(gone.thread, by=SYSTEM)
    [after] = await open_ones(desk)
    assert after.times == 2
    assert gone.question not in {after.question, *(one.question for one in after.told)}
    for thread in threads:
        await desk.threads.delete(thread, by=SYSTEM) if thread != gone.thread else None
    assert await open_ones(desk) == []
    with pytest.raises(NotFound):
        await desk.suggestions.accept(before.id)
    assert await rows(desk) == [0, 0, 0]


async def rows(desk: Desk) -> list[int]:
    """How many topics, questions and words the store holds."""
    tables = ("suggestions", "suggestion_questions", "suggestion_words")
    return [await count(desk, table) for table in tables]


async def count(desk: Desk, table: str) -> int:
    if desk.settings.store.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(desk.settings.store.removeprefix("sqlite:///")) as db:
            return db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
    import psycopg

    with psycopg.connect(desk.settings.store) as db:
        row = db.execute(f"SELECT COUNT(*) FROM {table}".encode()).fetchone()
        assert row is not None
        return row[0]


async def test_what_was_accepted_stays_and_only_the_customers_own_words_go_with_their_threads(desk: Desk, ana: Operator):
    threads = await asked(desk, ana)
    [found] = await open_ones(desk)
    await desk.suggestions.accept(found.id, question="How long is the lamp warranty?")
    assert len((await desk.faq.list()).items[0].wordings) == 3
    agent = FaqAgent(FaqLibrary([]))
    desk.register(agent)
    assert "two years" in await says(agent, "Does my lamp have warranty")
    for thread in threads:
        await desk.threads.delete(thread, by=SYSTEM)
    [entry] = (await desk.faq.list()).items
    assert (entry.question, entry.wordings) == ("How long is the lamp warranty?", ())
    assert "two years" in await says(agent, "is there a warranty on the lamp?")
    assert not [passage for passage in agent.library.passages if passage.hints]
    # The topic is still known: it is not suggested again.
    await asked(desk, ana)
    assert await open_ones(desk) == []


async def test_a_thread_that_is_deleted_while_its_answer_is_counted_leaves_nothing(
    desk: Desk, ana: Operator, store_url: str, clock: FakeClock
):
    async with Desk.open(store_url, clock=clock, agents=[ScriptedAgent()], work=False) as other:
        for n in range(12):
            thread = await told(desk, ana, f"customer{n}", *WARRANTY[n % 4])
            await asyncio.gather(desk.run_due(), other.threads.delete(thread, by=SYSTEM), other.run_due())
        await desk.run_due()
    assert await rows(desk) == [0, 0, 0]


async def test_one_more_answer_costs_no_more_statements_however_much_was_gathered(
    desk: Desk, ana: Operator, monkeypatch: pytest.MonkeyPatch
):
    said: Counter[str] = Counter()
    for kind in (SQLiteTx, PostgreSQLTx):

        def execute(tx: Any, statement: str, params: Mapping[str, object], *, was: Any = kind._execute) -> Any:  # pyright: ignore[reportPrivateUsage]
            said[statement.partition(".")[0]] += 1
            return was(tx, statement, params)

        monkeypatch.setattr(kind, "_execute", execute)
    taken: list[int] = []
    for n in range(40):
        await told(desk, ana, f"customer{n}", f"Is lamp x{n}y suitable for shelf z{n}?", f"Lamp x{n}y goes with any shelf.")
        said.clear()
        await desk.run_due()
        taken.append(said["suggestions"])
    assert taken[0] > 0
    assert max(taken[20:]) <= max(taken[8:20])


async def test_a_message_that_is_deleted_counts_no_more(desk: Desk, ana: Operator):
    await asked(desk, ana)
    [found] = await open_ones(desk)
    await desk.messages.delete(found.told[0].message, by=SYSTEM)
    await desk.run_due()
    [after] = await open_ones(desk)
    assert found.told[0].question not in {after.question, *(one.question for one in after.told)}


async def test_every_process_answers_from_what_was_accepted_with_its_next_run(
    desk: Desk, ana: Operator, store_url: str, clock: FakeClock
):
    agents = [FaqAgent(FaqLibrary([("returns.md", "# Returns\nReturn it within 30 days.")]), name=name) for name in ("a", "b")]
    desk.register(agents[0])
    await asked(desk, ana)
    [found] = await open_ones(desk)
    async with Desk.open(store_url, clock=clock, agents=[agents[1]], work=False) as other:
        assert [await says(agent, "Does my lamp have warranty") for agent in agents] == ["", ""]
        await desk.suggestions.accept(found.id)
        assert all(["two years" in await says(agent, "Does my lamp have warranty") for agent in agents])
        await other.faq.delete((await other.faq.list()).items[0].id)
        assert [await says(agent, "Does my lamp have warranty") for agent in agents] == ["", ""]
        assert [one.id for one in (await other.suggestions.list("dismissed")).items] == [found.id]
        [seen] = [seen.event for seen in (await desk.feed.read(by=SYSTEM))[-1:]]
        assert (seen.type, seen.data) == ("suggestion.changed", {"suggestion": found.id, "state": "dismissed", "times": 3})
        libraries = [agent.library for agent in agents]
        await asyncio.gather(*(says(agent, "May I return it?") for agent in agents for _ in range(3)))
        assert [agent.library for agent in agents] == libraries


async def test_a_desk_without_entries_builds_nothing(desk: Desk):
    library = FaqLibrary([("returns.md", "# Returns\nReturn it within 30 days.")])
    agent = FaqAgent(library)
    desk.register(agent)
    await says(agent, "May I return it?")
    assert agent.library is library


async def test_what_too_few_have_asked_is_forgotten_in_the_end(desk: Desk, ana: Operator, clock: FakeClock):
    await asked(desk, ana, times=2)
    assert (await rows(desk))[:2] == [1, 2]
    clock.set(clock() + timedelta(days=200))
    await desk._suggesting.sweep()  # pyright: ignore[reportPrivateUsage]
    assert await rows(desk) == [0, 0, 0]


async def test_drafts_that_people_put_right_teach_and_those_they_approve_do_not(desk: Desk, ana: Operator, clock: FakeClock):
    approved = NewDecision(kind=DecisionKind.APPROVE)
    for n in range(6):
        asking = customer(f"c{n}", f"C{n}")
        thread = (await desk.threads.open(customer=asking.id, by=asking, mode=Mode.REVIEW)).id
        await desk.messages.post(thread, WARRANTY[n % 3][0], author=asking)
        await pass_time(desk, clock, seconds=1)
        [request] = (await desk.requests.list(thread=thread, by=ana)).items
        edited = NewDecision(kind=DecisionKind.EDIT, text=WARRANTY[n % 3][1])
        await desk.requests.decide(request.id, edited if n < 3 else approved, by=ana)
    await desk.run_due()
    [found] = await open_ones(desk)
    assert "two years" in found.answer
    assert found.times == 3


async def test_an_escalation_that_is_answered_teaches(desk: Desk, ana: Operator, clock: FakeClock):
    for n, (question, answer) in enumerate(WARRANTY[:3]):
        asking = customer(f"c{n}", f"C{n}")
        thread = (await desk.threads.open(customer=asking.id, by=asking)).id
        await desk.messages.post(thread, question, author=asking, respond=False)
        await desk.escalations.escalate(thread, "It is about a warranty.", by=asking)
        [request] = (await desk.requests.list(thread=thread, by=ana)).items
        await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.ANSWER, value=answer), by=ana)
        await pass_time(desk, clock, seconds=1)
    [found] = await open_ones(desk)
    assert (found.times, found.operators) == (3, ("Ana",))
