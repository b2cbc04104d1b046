"""The promises that the ledger keeps at every moment, as questions to what stands in the store and to what a model is given.

Each function is named after its promise, and raises AssertionError where it is broken.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime, timedelta

from tests.store.ledger_peek import Seen

from deskmate.domain.actors import AuthorKind
from deskmate.domain.messages import ContextMessage, ToolCall, ToolResult
from deskmate.domain.requests import (
    DECISIONS,
    REQUEST_MOVES,
    WAITING,
    Decision,
    DecisionKind,
    OnExpiry,
    Request,
    RequestKind,
    RequestState,
)
from deskmate.domain.runs import RUN_MOVES, RunState
from deskmate.domain.states import S
from deskmate.services.opening import digest
from deskmate.store.times import ms

ENDING = frozenset({OnExpiry.DENY, OnExpiry.APPROVE, OnExpiry.DEFAULT})
APPROVING = frozenset({DecisionKind.APPROVE, DecisionKind.EDIT})
REFUSING = frozenset({DecisionKind.REJECT, DecisionKind.DECLINE})
NEEDS_PEOPLE = WAITING | {RequestState.IN_DOUBT}
HOLDS_A_RUN = NEEDS_PEOPLE | {RequestState.APPLYING}


def _reach(table: Mapping[S, frozenset[S]]) -> Mapping[S, frozenset[S]]:
    """Where each state can lead to, in any number of moves."""
    reach = {state: {state} for state in table}
    for _ in table:
        for state, found in reach.items():
            reach[state] = found | {then for now in found for then in table[now]}
    return {state: frozenset(found) for state, found in reach.items()}


REQUESTS_REACH, RUNS_REACH = _reach(REQUEST_MOVES), _reach(RUN_MOVES)


def moves_are_allowed(before: Seen, now: Seen) -> None:
    """Requests and runs go where their tables let them, and none is lost."""
    for id, was in before.requests.items():
        assert now.requests[id].state in REQUESTS_REACH[was.state], f"{id} went from {was.state} to {now.requests[id].state}"
    states = {row["id"]: RunState(row["state"]) for row in now.runs}
    for row in before.runs:
        assert states[row["id"]] in RUNS_REACH[RunState(row["state"])], f"{row['id']} went from {row['state']}"


def p2_a_decision_stays_as_it_is(decided: dict[str, Decision], now: Seen) -> None:
    """Whoever decided, whatever and when: it stands. `decided` is what has been seen so far."""
    for id, request in now.requests.items():
        if request.decision is not None:
            assert decided.setdefault(id, request.decision) == request.decision
            assert request.decision.kind in DECISIONS[request.kind]
        else:
            assert id not in decided
            assert request.state not in (RequestState.DECIDED, RequestState.APPLYING, RequestState.APPLIED)


def p3_a_tool_runs_once_with_what_was_approved(executed: Mapping[str, Sequence[Mapping[str, object]]], now: Seen) -> None:
    """`executed` is what really ran, counted outside of the desk, by request."""
    for id, request in now.requests.items():
        ran = executed.get(id, ())
        assert len(ran) <= 1 or request.idempotent, f"{id} ran {len(ran)} times"
        for args in ran:
            assert digest(args) == digest(request.approved_args) == request.executed_digest
        if request.executed_args is not None:
            assert digest(request.executed_args) == request.executed_digest == digest(request.approved_args)
            assert request.decision is not None
            assert request.decision.kind in APPROVING
        elif request.run is not None:
            assert not ran, f"{id} ran, and nothing was reserved"
        if request.approval is not None and request.args is not None:
            assert digest(request.args) == request.args_digest


def p5_whoever_waits_has_a_deadline_and_a_timer(now: Seen) -> None:
    """What is open has a due time and a timer that goes off by then, or waits for ever because it was asked to."""
    for request in now.waiting():
        if request.expires_at is None:
            assert request.on_expiry is OnExpiry.WAIT
            continue
        assert request.on_expiry is not None
        timer = now.timer(request.id)
        assert timer is not None, f"{request.id} has no timer"
        assert timer <= ms(request.expires_at), f"the timer of {request.id} is late"


def p5_nothing_is_overdue(now: Seen, at: datetime, late: timedelta) -> None:
    """Once the timers have gone off, what was to end at its deadline has, and what is asked again has a new one."""
    for request in now.waiting():
        assert request.expires_at is None or request.expires_at > at - late, f"{request.id} is overdue since {request.expires_at}"


def p6_a_history_is_whole(history: Sequence[ContextMessage], *, approved: Collection[str] = ()) -> None:
    """Each call has its result in the message behind it, each result its call in the one before, each id once per message; but
    for the calls that are approved, and run next."""
    for place, message in enumerate(history):
        calls = [part.call_id for part in message.parts if isinstance(part, ToolCall) and part.call_id not in approved]
        results = [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        assert len(calls) == len(set(calls))
        assert len(results) == len(set(results))
        if calls:
            assert place + 1 < len(history), f"{calls} have no results"
            behind = [part.call_id for part in history[place + 1].parts if isinstance(part, ToolResult)]
            assert sorted(behind) == sorted(calls)
        if results:
            assert place > 0
            said = history[place - 1].parts
            before = [part.call_id for part in said if isinstance(part, ToolCall) and part.call_id not in approved]
            assert sorted(before) == sorted(results), f"{results} have no calls"


def p6_what_was_refused_shows_as_denied(history: Sequence[ContextMessage], requests: Sequence[Request]) -> None:
    """A call that is superseded, expired or refused is shown with a denial; one that waits is not shown; an answer is shown."""
    shown = {part.call_id: part for message in history for part in message.parts if isinstance(part, ToolResult)}
    for request in requests:
        part = shown.get(request.call_id or "")
        if part is None:
            continue
        kind = request.decision.kind if request.decision is not None else None
        if request.state is RequestState.EXPIRED and request.on_expiry is OnExpiry.DEFAULT:
            assert part.output == request.default
        elif request.state in (RequestState.SUPERSEDED, RequestState.EXPIRED, RequestState.CANCELLED) or kind in REFUSING:
            assert part.denied, f"{request.id} is {request.state}, and shown with a result"
        elif kind in (DecisionKind.ANSWER, DecisionKind.RESPOND):
            assert request.decision is not None
            assert (part.denied, part.output) == (False, request.decision.value)
        elif request.state in WAITING:
            assert request.kind is RequestKind.APPROVAL, f"{request.id} is open, and shown with an answer"
            assert part.denied


def p7_a_paused_run_waits_for_something(now: Seen) -> None:
    """A run pauses for its requests, and goes on when the last is closed; what is being run has a run that runs it."""
    for run in now.runs:
        # Drafts, and what was passed on to people, are decided after their run.
        mine = [request for request in now.requests.values() if request.run == run["id"] and request.call_id]
        if run["state"] == RunState.PAUSED:
            assert any(request.state in HOLDS_A_RUN for request in mine), f"{run['id']} is paused for nothing"
        else:
            waiting = [request.id for request in mine if request.state in WAITING]
            assert not waiting, f"{run['id']} is {run['state']}, and {waiting} are open"
        if run["state"] in (RunState.DONE, RunState.FAILED, RunState.CANCELLED):
            decided = [request.id for request in mine if request.state is RequestState.DECIDED]
            assert not decided, f"{run['id']} is {run['state']}, and {decided} will never run"


def p5_a_thread_that_waits_for_people_says_so(now: Seen) -> None:
    """Where people have something to do, the thread stands in their list since some time."""
    waiting = {request.thread for request in now.requests.values() if request.state in NEEDS_PEOPLE}
    for thread in now.threads:
        if thread["id"] in waiting:
            assert thread["waiting_since"] is not None, f"{thread['id']} waits for people, and they are not told"


def p7_nothing_is_left_lying(now: Seen) -> None:
    """When the processes that live have done what is due: nothing runs, nothing waits to run, nothing is half applied."""
    lying = [request.id for request in now.requests.values() if request.state is RequestState.APPLYING]
    assert not lying, f"{lying} are being applied by nobody"
    for run in now.runs:
        assert run["state"] not in (RunState.RUNNING, RunState.QUEUED), f"{run['id']} is {run['state']}"


def p1_every_customer_is_heard(now: Seen, heard: Set[str]) -> None:
    """Then the customer's newest message has been given to an agent, or was answered by a person, or people know of it.

    `heard` are the messages that stood there when a person answered.
    """
    paused = {run["thread"] for run in now.runs if run["state"] == RunState.PAUSED}
    prompts = [now.messages[run["prompt"]] for run in now.runs if run["attempt"] > 0 and run["prompt"] in now.messages]
    newest = {message.thread: message for message in now.messages.values() if message.author.kind is AuthorKind.CUSTOMER}
    for thread in now.threads:
        said = newest.get(thread["id"])
        if said is None or said.id in heard or thread["waiting_since"] is not None or thread["id"] in paused:
            continue
        given = any(prompt.thread == said.thread and prompt.position >= said.position for prompt in prompts)
        assert given, f"{said.id} is forgotten"


def fits(request: Request, kind: DecisionKind, *, value: object, args: Mapping[str, object] | None, text: str | None) -> bool:
    """Whether a decision could close this request, as far as its words go. The schemas are those of this world."""
    if kind not in DECISIONS[request.kind]:
        return False
    if kind in (DecisionKind.ANSWER, DecisionKind.RESPOND) and (value is None or value == "  "):
        return False
    if kind is DecisionKind.ANSWER and request.response_schema is not None and not isinstance(value, int):
        return False
    if kind is not DecisionKind.EDIT:
        return True
    if request.draft is not None:
        return bool(text)
    if request.run is None or args is None:
        return False
    number = args.get("n")
    return request.args_schema is None or (set(args) == {"n"} and isinstance(number, int) and number <= 9)
