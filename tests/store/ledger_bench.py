"""The bench of the ledger's state machine: how things are done, refused and looked at, and what holds after every step."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant
from tests.store import ledger_promises as promises
from tests.store.ledger_peek import Row, Seen
from tests.store.ledger_world import PATIENCE, Process, World

from deskmate import NewDecision, Operator, Request, Role
from deskmate.domain.actors import Actor, AuthorKind, customer, service
from deskmate.domain.requests import WAITING, DecisionKind, RequestState
from deskmate.errors import AlreadyDecided, Claimed, Closed, Conflict, DeskmateError, Forbidden, Stale

T = TypeVar("T")
OBSERVER = Actor(kind=AuthorKind.OPERATOR, id="obs", name="Obs", role=Role.OBSERVER)
PROGRAM = service("shop")
DECIDING = frozenset({Role.OPERATOR, Role.LEAD, Role.ADMIN})
OTHERS = (customer("ada", "Ada"), PROGRAM, OBSERVER)


class LedgerBench(RuleBasedStateMachine):
    """Two processes on one store, three threads, and everybody who has anything to do with them."""

    url = ""
    fresh: ClassVar[Callable[[], str]]
    """Makes a store with nothing in it but who works there; its address."""
    runner: asyncio.Runner
    people: Sequence[Operator] = ()
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.world = World(type(self).fresh())
        self.now = self.world.peek.look()
        self.decided: dict[str, Any] = {}
        self.calls = 0
        self.by_program: set[str] = set()
        self.heard: set[str] = set()
        self.run(self.world.begin())

    def teardown(self) -> None:
        self.run(self.world.end())

    # How things are done, and how they are refused.

    def run(self, verb: Coroutine[Any, Any, T]) -> T:
        """Do it now."""

        async def patient() -> T:
            async with asyncio.timeout(2 * PATIENCE):
                return await verb

        return self.runner.run(patient())

    def ask(self, verb: Coroutine[Any, Any, T]) -> T | DeskmateError:
        """P2: do it; what is refused has changed nothing."""
        before = self.world.peek.look().facts()
        try:
            return self.run(verb)
        except DeskmateError as error:
            refusal = error
        now = self.world.peek.look().facts()
        for table, rows in before.items():
            assert rows == now[table], f"{refusal!r} changed {table}"
        return refusal

    def look(self) -> Seen:
        """What stands in the store now; every move since the last look was allowed."""
        now = self.world.peek.look()
        promises.moves_are_allowed(self.now, now)
        self.now = now
        return now

    def process(self, number: int) -> Process:
        return self.world.processes[number]

    @property
    def desk(self):
        return self.world.processes[0].desk

    def thread(self, number: int) -> Row:
        return self.now.threads[number % len(self.now.threads)]

    def request(self, number: int, *, any_: bool = False) -> Request | None:
        """One of those that wait, or any at all; None where there is none."""
        found = list(self.now.requests.values())
        if not any_:
            found = [request for request in found if request.state in promises.NEEDS_PEOPLE] or found
        return found[-1 - number % len(found)] if found else None

    def actor(self, number: int) -> Actor:
        """Ana and Ben are operators, Lia is a lead; then a customer, a program, an observer."""
        if number < len(self.people):
            return self.people[number].actor()
        return OTHERS[number - len(self.people)]

    def judge(self, request: Request, decision: NewDecision, by: Actor) -> None:
        """Decide, and compare what came of it with what should."""
        end = self.ask(self.process(1).desk.requests.decide(request.id, decision, by=by))
        fits = promises.fits(request, decision.kind, value=decision.value, args=decision.args, text=decision.text)
        held = request.claimed_by is not None and request.claimed_by.id != by.id and by.role is Role.OPERATOR
        lapsed = request.claimed_until is not None and request.claimed_until < self.world.clock()
        may = by.role in DECIDING
        if isinstance(end, Request):
            assert request.state in WAITING
            assert fits
            assert may
            assert not held or lapsed
            if end.decision is not None:
                assert (end.decision.by, end.decision.at) == (by.author, self.world.clock())
            else:
                assert request.approvers == 2
                assert decision.kind in promises.APPROVING
            return
        if not may:
            assert isinstance(end, Forbidden)
        elif request.decision is not None:
            assert isinstance(end, AlreadyDecided)
            assert end.facts["by"] == {"id": request.decision.by.id, "name": request.decision.by.name}
        elif request.state not in WAITING:
            assert isinstance(end, Closed)
            assert end.facts["state"] == request.state
        elif held and not lapsed:
            assert isinstance(end, Claimed)
        elif fits:
            stale = isinstance(end, Stale) and request.draft is not None
            again = isinstance(end, Conflict) and request.approvers == 2 and request.first_approval is not None
            program = isinstance(end, Forbidden) and decision.kind is DecisionKind.TAKE_OVER
            assert stale or again or program, f"{end!r} refused what fits {request}"

    # What holds after every step.

    @invariant()
    def promises_hold(self) -> None:
        type(self).steps += 1
        now = self.look()
        promises.p2_a_decision_stays_as_it_is(self.decided, now)
        promises.p3_a_tool_runs_once_with_what_was_approved(self.world.executed, now)
        promises.p5_whoever_waits_has_a_deadline_and_a_timer(now)
        promises.p5_a_thread_that_waits_for_people_says_so(now)
        promises.p7_a_paused_run_waits_for_something(now)
        self.p3_what_is_in_doubt_can_be_seen()
        self.p6_every_history_is_whole()

    def p3_what_is_in_doubt_can_be_seen(self) -> None:
        doubtful = {request.id for request in self.now.requests.values() if request.state is RequestState.IN_DOUBT}
        threads = {self.now.requests[id].thread for id in doubtful}
        if doubtful:
            ana = self.actor(0)
            shown = {r.id for thread in sorted(threads) for r in self.run(self.desk.requests.waiting(thread, by=ana))}
            assert doubtful <= shown

    def p6_every_history_is_whole(self) -> None:
        requests = [request for request in self.now.requests.values() if request.id not in self.by_program]
        turns, self.world.turns[:] = list(self.world.turns), []
        for turn in turns:
            promises.p6_a_history_is_whole(turn.history, approved=[approved.call_id for approved in turn.approved])
        for thread in self.now.threads:
            mine = [request for request in requests if request.thread == thread["id"]]
            history = self.run(self.desk.messages.context(thread["id"]))
            promises.p6_a_history_is_whole(history)
            promises.p6_what_was_refused_shows_as_denied(history, mine)
