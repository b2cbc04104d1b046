"""Anybody does anything at any time: after every step the ledger keeps its promises (P2, P3, P5, P6, P7), on both stores.

Hypothesis draws verbs, actors, processes that die or stand still, and moves of the clock. What it finds is the shortest story
that it can make of it. `DESKMATE_MACHINE_EXAMPLES` and `DESKMATE_MACHINE_STEPS` make it look longer, with other draws each time.
"""

import asyncio
import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test
from tests.store import ledger_promises as promises
from tests.store.ledger_bench import DECIDING, PROGRAM, LedgerBench
from tests.store.ledger_draws import approvals, deadlines, decisions, plans, some, which
from tests.store.ledger_peek import PostgresPeek
from tests.store.ledger_world import LEASE, Plan, PowerCut, Wanted

from deskmate import Desk, NewDecision, OnExpiry, Operator, Request, Role, ToolCall, ToolResult
from deskmate.domain.actors import agent, customer
from deskmate.domain.messages import ApprovalRequest, NewMessage
from deskmate.domain.requests import WAITING, DecisionKind, RequestState
from deskmate.domain.threads import Mode
from deskmate.errors import Conflict, DeskmateError
from deskmate.services import applying
from deskmate.testing import pass_time

EXAMPLES = int(os.environ.get("DESKMATE_MACHINE_EXAMPLES") or "0")
STEPS = int(os.environ.get("DESKMATE_MACHINE_STEPS") or "30")
DEFAULT_EXAMPLES = {"sqlite": 40, "postgresql": 15}
"""A step takes about 15 ms on SQLite, and three times as long on PostgreSQL."""


def profile(engine: str) -> settings:
    """The same draws each time, and not for long; or, when it is told how many, others each time."""
    return settings(
        max_examples=EXAMPLES or DEFAULT_EXAMPLES[engine],
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not EXAMPLES,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example),
    )


BOT = agent("bot").author
LATE = LEASE + timedelta(minutes=2)
"""How late a timer may be whose process died while it held it."""


def there_is(what: str) -> Callable[[Any], bool]:
    """Whether there is one of those at this moment: a rule that finds nothing to do wastes a step."""

    def look(machine: "LedgerMachine") -> bool:
        match what:
            case "request":
                return bool(machine.now.requests)
            case "message":
                return bool(machine.now.messages)
            case "doubt":
                return any(request.state is RequestState.IN_DOUBT for request in machine.now.requests.values())
            case "standing":
                return bool(machine.world.standing)
            case _:
                return any(run["state"] in ("queued", "running") for run in machine.now.runs)

    return look


class LedgerMachine(LedgerBench):
    """Everything that anybody may do."""

    # What is said.

    @initialize(modes=st.lists(st.sampled_from([Mode.AUTO, Mode.AUTO, Mode.AUTO, Mode.REVIEW]), min_size=1, max_size=3))
    def open_threads(self, modes: list[Mode]) -> None:
        for mode in modes:
            self.run(self.desk.threads.open(customer="ada", mode=mode))
        self.look()

    @rule(thread=some, plan=plans)
    def customer_posts(self, thread: int, plan: Plan) -> None:
        at = self.thread(thread)["id"]
        self.world.plans[at] = plan
        assert not isinstance(self.ask(self.desk.messages.post(at, "Hello", author=customer("ada", "Ada"))), DeskmateError)

    @rule(thread=some, who=st.integers(0, 2))
    def operator_posts(self, thread: int, who: int) -> None:
        at = self.thread(thread)["id"]
        said = self.ask(self.desk.messages.post(at, "We look at it.", author=self.actor(who)))
        assert not isinstance(said, DeskmateError)
        self.heard |= {message.id for message in self.now.messages.values() if message.thread == at}

    @rule(thread=some, plan=plans, number=which)
    def customer_posts_and_is_answered(self, thread: int, plan: Plan, number: int) -> None:
        self.customer_posts(thread, plan)
        self.work_is_done(number)

    # What processes do.

    @precondition(there_is("run"))
    @rule(number=which)
    def work_is_done(self, number: int) -> None:
        self.run(self.process(number).work(self.process(number).desk.run_due()))

    @rule(number=which, thread=some)
    def respond(self, number: int, thread: int) -> None:
        at = self.thread(thread)["id"]
        held = [run for run in self.now.runs if run["thread"] == at and run["state"] == "running"]
        if not held:
            self.ask(self.process(number).work(self.process(number).desk.respond(at)))

    @precondition(there_is("run"))
    @rule(number=which, where=st.sampled_from(["thinking", "before", "after"]))
    def process_stands_still(self, number: int, where: Any) -> None:
        process = self.process(number)
        self.run(process.work(process.desk.run_due(), halt=where))

    @precondition(there_is("standing"))
    @rule(number=some, stopping=st.booleans())
    def process_comes_back(self, number: int, stopping: bool) -> None:
        standing = self.world.standing.pop(number % len(self.world.standing))
        self.run(standing.come_back(stopping=stopping))

    @precondition(there_is("run"))
    @rule(number=which, writes=st.integers(1, 9), unheard=st.booleans())
    def process_is_killed(self, number: int, writes: int, unheard: bool) -> None:
        process = self.process(number)

        async def die() -> None:
            process.power.left, process.power.unheard = writes, unheard
            with contextlib.suppress(PowerCut):
                await process.work(process.desk.run_due())
            await process.kill()
            await process.boot()

        self.run(die())

    @rule(number=which)
    def process_starts_again(self, number: int) -> None:
        async def again() -> None:
            await self.process(number).stop()
            await self.process(number).boot()

        self.run(again())

    @rule(
        thread=some,
        calls=st.lists(approvals(), min_size=1, max_size=2),
        number=which,
        disaster=st.sampled_from(["before", "after", "after", "killed", "killed", None]),
        writes=st.integers(1, 6),
        unheard=st.booleans(),
        then=st.lists(st.sampled_from(["lease over", "lease over", "settled", "back", "taken over", "talked over"]), max_size=4),
        ran=st.booleans(),
    )
    def approved_calls_meet(
        self,
        thread: int,
        calls: list[Wanted],
        number: int,
        disaster: Any,
        writes: int,
        unheard: bool,
        then: list[str],
        ran: bool,
    ) -> None:
        """Calls are asked for and approved; while they run their process stands still, or is killed; the story goes on."""
        self.change_mode(thread, Mode.AUTO)
        self.give_thread(thread, "ai", 2)
        self.customer_posts(thread, Plan((tuple(calls),)))
        self.work_is_done(1 - number)
        for who in (0, 1):
            for request in self.look().waiting():
                if request.thread == self.thread(thread)["id"] and request.run is not None and request.approval is not None:
                    self.judge(request, NewDecision(kind=DecisionKind.APPROVE), self.actor(who))
        if disaster == "killed":
            self.process_is_killed(number, writes, unheard)
        elif disaster is None:
            self.work_is_done(number)
        else:
            self.process_stands_still(number, disaster)
        for turn in then:
            self.promises_hold()
            self.goes_on(turn, thread, 1 - number, ran)

    def goes_on(self, turn: str, thread: int, number: int, ran: bool) -> None:
        """What may happen to a call that was begun."""
        match turn:
            case "lease over":
                self.nobody_is_up(61)
                self.work_is_done(number)
            case "settled" if there_is("doubt")(self):
                self.settle(0, ran, 0)
            case "back" if there_is("standing")(self):
                self.process_comes_back(0, stopping=ran)
            case "taken over":
                self.give_thread(thread, "0", 0)
            case "talked over":
                self.customer_posts(thread, Plan())
                self.work_is_done(number)
            case _:
                pass

    # What time does.

    @rule(seconds=st.sampled_from([1, 61, 601, 3600, 90_000]), number=which)
    def time_passes(self, seconds: int, number: int) -> None:
        self.run(pass_time(self.process(number).desk, self.world.clock, seconds=seconds))
        promises.p5_nothing_is_overdue(self.look(), self.world.clock(), LATE)

    @rule(seconds=st.sampled_from([1, 61, 3600, 90_000]))
    def nobody_is_up(self, seconds: int) -> None:
        self.world.clock.advance(seconds=seconds)

    @rule(number=which)
    def all_is_quiet(self, number: int) -> None:
        """Whoever stood still is given up."""
        self.run(pass_time(self.process(number).desk, self.world.clock, seconds=300))
        self.run(self.process(number).desk.run_due())
        now = self.look()
        promises.p7_nothing_is_left_lying(now)
        promises.p1_every_customer_is_heard(now, self.heard)
        promises.p5_nothing_is_overdue(now, self.world.clock(), timedelta(0))

    # What people decide.

    @precondition(there_is("request"))
    @rule(number=some, any_=st.booleans(), decision=decisions, who=some)
    def decide(self, number: int, any_: bool, decision: NewDecision, who: int) -> None:
        if (request := self.request(number, any_=any_)) is not None:
            self.judge(request, decision, self.actor(who))

    @precondition(there_is("request"))
    @rule(number=some, who=st.integers(0, 2), approve=st.booleans())
    def decide_as_asked(self, number: int, who: int, approve: bool) -> None:
        """Most people mean well: a decision that fits."""
        if (request := self.request(number)) is not None:
            asked = request.approval is not None or request.draft is not None
            kind = DecisionKind.APPROVE if asked else DecisionKind.ANSWER
            if not approve:
                kind = DecisionKind.REJECT if asked else DecisionKind.DECLINE
            self.judge(request, NewDecision(kind=kind, value=3), self.actor(who))

    @precondition(there_is("request"))
    @rule(number=some, first=decisions, second=decisions)
    def two_decide_at_once(self, number: int, first: NewDecision, second: NewDecision) -> None:
        if (request := self.request(number)) is None:
            return
        one, two = self.process(0).desk, self.process(1).desk
        people = self.actor(0), self.actor(1)

        async def both() -> Sequence[Request | BaseException]:
            verbs = (one.requests.decide(request.id, first, by=people[0]), two.requests.decide(request.id, second, by=people[1]))
            return await asyncio.gather(*verbs, return_exceptions=True)

        ends = self.run(both())
        for end in ends:
            assert isinstance(end, Request | DeskmateError), end
        won = [end for end in ends if isinstance(end, Request) and end.decision is not None]
        assert len(won) <= 1, "both decided"

    @precondition(there_is("request"))
    @rule(number=some, any_=st.booleans(), who=some, verb=st.sampled_from(["claim", "claim", "release", "cancel"]))
    def take_or_give(self, number: int, any_: bool, who: int, verb: str) -> None:
        if (request := self.request(number, any_=any_)) is not None:
            end = self.ask(getattr(self.desk.requests, verb)(request.id, by=self.actor(who)))
            assert isinstance(end, DeskmateError) or request.state in WAITING

    @rule(who=st.integers(0, 2))
    def take_the_next(self, who: int) -> None:
        taken = self.ask(self.desk.requests.next(by=self.actor(who)))
        assert taken is None or isinstance(taken, Request)

    @precondition(there_is("doubt"))
    @rule(number=some, ran=st.booleans(), who=some)
    def settle(self, number: int, ran: bool, who: int) -> None:
        doubtful = [request for request in self.now.requests.values() if request.state is RequestState.IN_DOUBT]
        by, request = self.actor(who), doubtful[number % len(doubtful)]
        end = self.ask(self.desk.requests.settle(request.id, ran=ran, value="settled", by=by))
        assert isinstance(end, Request) == (by.role in DECIDING), f"{end!r}: {request}"

    @precondition(there_is("request"))
    @rule(number=some)
    def settle_what_is_in_no_doubt(self, number: int) -> None:
        request = self.request(number, any_=True)
        if request is not None and request.state is not RequestState.IN_DOUBT:
            end = self.ask(self.desk.requests.settle(request.id, ran=True, by=self.actor(0)))
            assert isinstance(end, Conflict), f"{end!r}: {request}"

    @rule(thread=some, to=st.sampled_from(["ai", "ai", "queue:billing", "0", "1"]), who=st.integers(0, 2))
    def give_thread(self, thread: int, to: str, who: int) -> None:
        """Take over, hand back, transfer."""
        target = f"operator:{self.people[int(to)].id}" if to.isdigit() else to
        self.ask(self.desk.assignments.assign(self.thread(thread)["id"], target, by=self.actor(who)))

    @rule(thread=some, mode=st.sampled_from([Mode.AUTO, Mode.AUTO, Mode.REVIEW, Mode.OFF]))
    def change_mode(self, thread: int, mode: Mode) -> None:
        self.ask(self.desk.threads.change(self.thread(thread)["id"], mode=mode, by=self.actor(2)))

    # What programs do.

    @precondition(there_is("message"))
    @rule(thread=some, number=st.integers(0, 9))
    def delete_message(self, thread: int, number: int) -> None:
        found = [message for message in self.now.messages.values() if message.thread == self.thread(thread)["id"]]
        if found:
            self.ask(self.desk.messages.delete(found[-1 - number % len(found)].id))

    @rule(thread=some, expires=deadlines, on=st.sampled_from([None, OnExpiry.DENY, OnExpiry.DEFAULT]))
    def program_asks(self, thread: int, expires: timedelta, on: OnExpiry | None) -> None:
        at, default = self.thread(thread)["id"], 7 if on is OnExpiry.DEFAULT else None
        verb = self.desk.requests.ask("Open?", thread=at, expires_in=expires, on_expiry=on, default=default, by=PROGRAM)
        assert isinstance(self.ask(verb), Request)

    @rule(thread=some)
    def program_stores_an_approval(self, thread: int) -> None:
        self.calls += 1
        call = ToolCall(call_id=f"p{self.calls}", tool="refund", input={"n": 1})
        asked = ApprovalRequest(approval_id=f"a{self.calls}", call_id=call.call_id)
        message = NewMessage(role="assistant", author=BOT, parts=(call, asked))
        self.ask(self.desk.messages.save(self.thread(thread)["id"], [message]))

    @precondition(there_is("request"))
    @rule(number=some, any_=st.booleans(), beside=st.booleans())
    def program_stores_a_result(self, number: int, any_: bool, beside: bool) -> None:
        request = self.request(number, any_=any_)
        if request is None or request.call_id is None or request.call_message not in self.now.messages:
            return
        result = ToolResult(call_id=request.call_id, tool=request.tool or "ask_human", output="by program")
        new = NewMessage(role="tool", author=PROGRAM.author, parts=(result,))
        after = request.call_message if beside else None
        end = self.ask(self.desk.messages.save(request.thread, [new], after=after, by=PROGRAM))
        self.by_program.add(request.id)
        if not isinstance(end, DeskmateError) and request.state in WAITING and end[0].status == "success":
            assert self.look().requests[request.id].state is RequestState.APPLIED

    # What is worth more steps than other things. A rule is drawn as often as it has names.

    approved_calls_meet_2 = approved_calls_meet_3 = approved_calls_meet_4 = approved_calls_meet
    customer_posts_and_is_answered_2 = customer_posts_and_is_answered
    decide_as_asked_2 = decide_as_asked
    program_stores_a_result_2 = program_stores_a_result


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes are killed all the time here: nobody wants to read about it. What stands still is given all the time it needs."""
    monkeypatch.setattr(applying, "GRACE", 3600.0)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_the_ledger_keeps_its_promises_whatever_happens(
    engine: str, store_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    numbers = iter(range(10**9))
    template = tmp_path / "template.db"

    async def staff(url: str) -> list[Operator]:
        async with Desk.open(url, work=False) as desk:
            roles: Mapping[str, Role] = {"Ana": Role.OPERATOR, "Ben": Role.OPERATOR, "Lia": Role.LEAD}
            return [await desk.operators.add(name=n, email=f"{n}@example.com", role=role) for n, role in roles.items()]

    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda loop, context: None)
        if engine == "sqlite":
            shutil.copy(request.getfixturevalue("sqlite_template"), template)
        people_ = runner.run(staff(store_url if engine != "sqlite" else f"sqlite:///{template}"))

        def another() -> str:
            number = next(numbers)
            if engine == "sqlite":
                path = tmp_path / f"desk{number}.db"
                shutil.copy(template, path)
                return f"sqlite:///{path}"
            with contextlib.closing(PostgresPeek(store_url)) as room:
                room.clear()
            return store_url

        class Machine(LedgerMachine):
            people = people_
            fresh = staticmethod(another)

        Machine.runner = runner
        run_state_machine_as_test(Machine, settings=profile(engine))  # pyright: ignore[reportUnknownMemberType]
    print(f"{engine}: {next(numbers)} stories, {Machine.steps} steps")
