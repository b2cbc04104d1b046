"""Runs: executions of an agent on a thread. One at a time, by a lease on the run row."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from deskmate.domain.messages import Visibility


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


RUN_MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
    # A running run goes back to queued when its lease ran out and another worker takes it up.
    RunState.RUNNING: frozenset({RunState.PAUSED, RunState.DONE, RunState.FAILED, RunState.CANCELLED, RunState.QUEUED}),
    RunState.PAUSED: frozenset({RunState.QUEUED, RunState.CANCELLED, RunState.FAILED}),
    RunState.DONE: frozenset(),
    RunState.FAILED: frozenset({RunState.QUEUED}),
    RunState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution. `prompt` is the message it answers; `attempt` rises with every start and fences the one before.

    One whose `visibility` is note speaks to the team: all it says are notes, and nobody who waits has been answered by it. One
    that is `pinned` answers the very message that a program named, also where the conversation has gone on since.
    """

    id: str
    thread: str
    agent: str
    epoch: int
    prompt: str | None
    prompt_order: int
    visibility: Visibility = Visibility.PUBLIC
    pinned: bool = False
    state: RunState = RunState.QUEUED
    attempt: int = 0
    lease_by: str | None = None
    lease_until: datetime | None = None
    error: str | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def aside(self) -> bool:
        """Whether it speaks to the team only."""
        return self.visibility is Visibility.NOTE

    @property
    def awaited(self) -> bool:
        """Whether it answers whatever the customer said last: they wait for it on the thread, and hear of it if it fails."""
        return not self.aside and not self.pinned
