"""What the state machine of the ledger draws: which one, for how long, what an agent does, what people decide."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from tests.store.ledger_world import SCHEMA, Ends, Plan, Wanted

from deskmate import NewDecision, OnExpiry, Risk, TalkOver
from deskmate.domain.requests import DecisionKind

Settings = Mapping[str, Any]

some = st.integers(0, 5)
"""Which one of those there are."""
which = st.integers(0, 1)
deadlines = st.sampled_from([timedelta(hours=1), timedelta(hours=24)])
reminders = st.sampled_from([None, None, timedelta(minutes=30)])


def wanted(kind: Any, ends: Settings, more: Settings, end: Ends = "done") -> Wanted:
    """One call, of two sets of settings."""
    return Wanted(kind, {**ends, **more}, end)


def questions(kind: Any) -> st.SearchStrategy[Wanted]:
    """Questions and escalations with every kind of deadline."""
    forever = st.just({"expires_in": None})
    timed = st.fixed_dictionaries(
        {"expires_in": deadlines, "on_expiry": st.sampled_from([None, OnExpiry.DENY, OnExpiry.ESCALATE, OnExpiry.REASSIGN])}
    )
    default = st.fixed_dictionaries({"expires_in": deadlines, "on_expiry": st.just(OnExpiry.DEFAULT), "default": st.just(7)})
    more = st.fixed_dictionaries(
        {
            "talk_over": st.sampled_from([None, *TalkOver]),
            "response_schema": st.sampled_from([None, {"type": "integer"}]),
            "remind_every": reminders,
        }
    )
    ends = st.one_of(timed, forever) if kind == "escalation" else st.one_of(timed, forever, default)
    return st.builds(wanted, st.just(kind), ends, more)


def approvals() -> st.SearchStrategy[Wanted]:
    """Calls that people have to approve."""
    settled = st.fixed_dictionaries({"on_expiry": st.sampled_from([None, OnExpiry.DENY, OnExpiry.REASSIGN, OnExpiry.WAIT])})
    by_clock = st.just({"on_expiry": OnExpiry.APPROVE, "risk": Risk.LOW})
    more = st.fixed_dictionaries(
        {
            "expires_in": deadlines,
            "remind_every": reminders,
            "idempotent": st.sampled_from([False, False, True]),
            "approvers": st.sampled_from([1, 1, 2]),
            "args_schema": st.sampled_from([SCHEMA, SCHEMA, None]),
            "talk_over": st.sampled_from([None, None, *TalkOver]),
        }
    )
    ends = st.sampled_from(["done", "done", "done", "raises", "error", "cheats", "caught"])
    return st.builds(wanted, st.just("approval"), st.one_of(settled, by_clock), more, ends)


calls = [approvals(), approvals(), questions("question"), questions("question"), questions("escalation")]
wants = st.one_of(*calls, st.just(Wanted("sibling")))
rounds = st.lists(wants, min_size=1, max_size=3).map(tuple).filter(lambda found: any(w.kind != "sibling" for w in found))
plans = st.builds(
    Plan,
    st.one_of(rounds.map(lambda one: (one,)), st.just(()), st.tuples(rounds, rounds)),
    st.sampled_from(["reply", "reply", "reply", "reply", "stream", "fail", "silence"]),
)
decisions = st.builds(
    NewDecision,
    kind=st.one_of(st.sampled_from([DecisionKind.APPROVE, DecisionKind.ANSWER]), st.sampled_from(list(DecisionKind))),
    value=st.sampled_from([3, 3, "three", "  ", None]),
    args=st.sampled_from([{"n": 2}, {"n": 2}, {"n": 99}, {"n": "x"}, {}, {"n": 1, "m": 1}, None]),
    text=st.sampled_from(["Better words.", "", None]),
    reason=st.sampled_from([None, "because"]),
    stale_ok=st.booleans(),
)
