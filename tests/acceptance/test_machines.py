"""Many machines: servers and workers of one store, with the ends that processes come to (P1, P4, P12, P13)."""

import asyncio
import contextlib
import itertools
import signal
from functools import partial
from pathlib import Path

from tests.acceptance.doors import Heard, Listener, Person, is_message
from tests.acceptance.machines import Machine, Machines, complaints, machines
from tests.acceptance.takeovers import TAKEOVERS, takeovers


async def posted_and_running(them: Machines, text: str) -> tuple[str, int]:
    """A thread on which a worker has just begun to answer: its id, and the process of the worker."""
    ada = await them.visitor()
    thread = await ada.thread()
    await ada.say(thread, text)
    return thread, (await them.line("began", text))["pid"]


async def test_what_is_posted_at_one_server_is_answered_by_a_worker_and_heard_at_the_other(store_url: str, tmp_path: Path):
    async with machines(store_url, tmp_path, agent="mixing") as them:
        people = [(await them.visitor(number % 2), number) for number in range(10)]
        async with them.admin(0).listening() as one, them.admin(1).listening() as other:

            async def talk(number: int) -> None:
                ada, _ = people[number]
                thread = await ada.thread()
                async with them.at(ada, 1 - number % 2).listening() as hers:
                    await ada.say(thread, f"Hello {number}")
                    await hers.reply(f"You said: Hello {number}")
                assert [m["text"] for m in await ada.messages(thread)] == [f"Hello {number}", f"You said: Hello {number}"]

            await asyncio.gather(*(talk(number) for _, number in people))
            for listener in (one, other):
                await listener.type("run.done", count=len(people))
        # Both read the same feed, in the same order.
        assert [event.id for event in one.heard if event.id] == [event.id for event in other.heard if event.id]
        assert [line for machine in them.all for line in complaints(machine)] == []


async def test_p12_a_run_of_a_worker_that_is_killed_is_finished_by_another_one(store_url: str, tmp_path: Path):
    async with machines(store_url, tmp_path, agent="talking") as them:
        async with them.admin(1).listening() as theirs:
            thread, pid = await posted_and_running(them, "Hello")
            await theirs.until(lambda event: event.type == "message.delta" and event.data["text"] != "")
            await them.worker_of(pid).end()
            await theirs.reply("You said: Hello")
        assert [(line["pid"] == pid, line["resumed"]) for line in them.lines()] == [(True, False), (False, True)]
        messages = await them.admin().messages(thread)
        assert [(m["text"], m["status"]) for m in messages] == [("Hello", "success"), ("You said: Hello", "success")]


async def test_p4_a_takeover_at_the_server_silences_an_ai_that_speaks_in_a_worker(store_url: str, engine: str, tmp_path: Path):
    async with machines(store_url, tmp_path, agent="fluent", servers=1, workers=1) as them:
        ana = await them.operator("Ana")
        came = await takeovers(them.visitor, ana, seed=f"apart {engine}", latest=0.4)
        assert came["cut off"] >= TAKEOVERS / 10, f"{came}: the instants were not random enough"
        assert [line for machine in them.all for line in complaints(machine)] == []


def renamed(event: Heard, *, subject: str) -> bool:
    return event.type == "thread.changed" and event.data["data"]["thread"]["subject"] == subject


async def freeze(machine: Machine, person: Person, thread: str, theirs: Listener) -> None:
    """Stop a process where it is, but not in the middle of a transaction: then everybody would wait for it to wake.

    A change that is stored shows that the thread is free; one that is also heard, that no other write is open either, since
    readers of the feed wait for all that have begun before.
    """
    for attempt in itertools.count(1):
        machine.send(signal.SIGSTOP)
        subject = f"Frozen {attempt}"
        with contextlib.suppress(TimeoutError, AssertionError):
            async with asyncio.timeout(1):
                await person.patch(f"/api/threads/{thread}", subject=subject)
            await theirs.until(partial(renamed, subject=subject), timeout=1)
            return
        machine.send(signal.SIGCONT)


async def test_p4_a_worker_that_was_frozen_past_its_lease_has_no_effect_when_it_wakes(store_url: str, tmp_path: Path):
    async with machines(store_url, tmp_path, agent="talking") as them:
        async with them.admin(1).listening() as theirs:
            thread, pid = await posted_and_running(them, "Hello")
            frozen = them.worker_of(pid)
            [other] = [worker for worker in them.workers if worker is not frozen]
            await theirs.until(lambda event: event.type == "message.delta" and event.data["text"] != "")
            await freeze(frozen, them.admin(), thread, theirs)
            await theirs.reply("You said: Hello")
            await theirs.type("run.done")
            frozen.send(signal.SIGCONT)
            # It must come to the end of its attempt before it can be seen that it had none: it is the only one left to work.
            await other.end()
            after, again = await posted_and_running(them, "And now?")
            assert again == pid
            await theirs.reply("You said: And now?")
            await theirs.type("run.done", count=2)
        for where, text in ((thread, "Hello"), (after, "And now?")):
            messages = await them.admin().messages(where)
            assert [(m["text"], m["status"]) for m in messages] == [(text, "success"), (f"You said: {text}", "success")]
        seen = [event.message for event in theirs.heard if is_message(event) and event.message["thread"] == thread]
        assert len({message["id"] for message in seen if message["status"] == "success" and message["role"] == "assistant"}) == 1
        assert len(theirs.of("run.done")) == 2
        assert complaints(frozen) == []


async def test_a_worker_that_is_told_to_stop_gives_its_run_to_another_one_at_once(store_url: str, tmp_path: Path):
    # The lease is longer than the patience of these tests: the run is not waited for, it is given back.
    async with machines(store_url, tmp_path, agent="talking", servers=1, lease=120) as them:
        async with them.admin().listening() as theirs:
            _, pid = await posted_and_running(them, "Hello")
            await them.worker_of(pid).end(signal.SIGTERM)
            await theirs.reply("You said: Hello")
        assert [line["pid"] == pid for line in them.lines()] == [True, False]
