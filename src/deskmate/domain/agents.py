"""Agents: what the desk needs of one (the Runner protocol), and what a run gives back. A runner knows no store and no HTTP.

`run(turn)` is an async generator. The desk stores each step as it comes, so the thread is the checkpoint: a run that was killed
half way, or paused for a person, is started again with the stored history in `turn.history` and goes on from there. When the
thread changes hands the desk cancels the task that consumes the generator: a runner needs no code for that beyond letting
`CancelledError` and `GeneratorExit` through, closing what it has open.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from deskmate.domain.actors import Author
from deskmate.domain.escalations import Escalated, Escalation
from deskmate.domain.messages import ContextMessage, ModelRole, Part, ToolResult
from deskmate.domain.requests import OnExpiry, RequestKind, Risk, TalkOver
from deskmate.errors import Misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A call of this run that people have approved and that has not run yet. `args` is what runs, and nothing else may.

    `changed_by` is who changed the arguments that the model had asked for.
    """

    request: str
    call_id: str
    tool: str
    args: Mapping[str, object]
    changed_by: Author | None = None


Execute = Callable[[], Awaitable[ToolResult]]
"""Runs an approved call, once, and says what came of it."""

Apply = Callable[[Approved, Mapping[str, object], Execute], Awaitable[ToolResult]]
"""Reserve, run, record (P3): the desk writes down that the call runs now, with these arguments, runs it, and writes down what
came of it. Raises Conflict, and does not run it, for other arguments than the approved ones or a call that is not to be run any
more; an exception of the tool is written down as a failure and raised."""


async def _nobody(approved: Approved, args: Mapping[str, object], execute: Execute) -> ToolResult:
    raise Misconfigured("only a desk's own runs apply approved calls", field="apply")


async def _nowhere(asked: Escalation) -> Escalated:
    raise Misconfigured("only a desk's own runs pass their thread on", field="escalate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a runner is given: the history ends with the prompt, or with stored steps of this run and answers to its requests."""

    thread: str
    run: str
    customer: str | None
    prompt_text: str
    history: tuple[ContextMessage, ...]
    news: tuple[ToolResult, ...] = ()
    """What people decided about the last questions of this run. The results stand in the history as well, beside their calls,
    perhaps before messages that were exchanged meanwhile."""
    aside: bool = False
    """Nobody but the team reads what the run says: it was asked by an operator, or suggests something to one."""
    approved: tuple[Approved, ...] = ()
    """Calls that are to be run now, each by `apply`, before the agent goes on. They stand in the history, without results."""
    apply: Apply = _nobody
    escalate: Callable[[Escalation], Awaitable[Escalated]] = _nowhere
    """Passes the thread on to people. What the run says after that still arrives: its last words."""
    floor: float | None = None
    """How sure the agent has to be to answer alone, from 0 to 1, where the desk knows; else it goes by its own. Above 1 people
    answer everything."""
    resumed: bool = False
    """The run was paused or interrupted before: some steps after the prompt are its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of text of the step that is being written; the next Step holds the whole text. Where the desk asks how sure the
    agent is of its words, only those are shown before the end that say so."""

    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One finished message of the agent: an answer, tool calls, or (role tool) their results. Stored before the run goes on.

    `final` says that nothing follows: the step and the end of the run are one transaction, so a process that dies leaves either
    both or neither, and the answer is never given twice. Results of tools are final where the agent stops without words: then the
    thread waits for a person, if a customer waits. `held` has its words approved by a person before the customer sees them.
    """

    role: ModelRole
    parts: tuple[Part, ...]
    model: str | None = None
    provider: str | None = None
    provider_metadata: Mapping[str, object] | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    final: bool = False
    held: bool = False
    confidence: float | None = None
    """How sure the agent is of its words, from 0 to 1, where it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request for a person. It belongs to the tool call `call_id` of the Step it comes with."""

    call_id: str
    question: str
    kind: RequestKind = RequestKind.QUESTION
    reason: str | None = None
    suggestion: str | None = None
    confidence: float | None = None
    floor: float | None = None
    response_schema: Mapping[str, object] | None = None
    queue: str | None = None
    skills: tuple[str, ...] = ()
    """What whoever answers has to know; see the skills of operators."""
    risk: Risk = Risk.LOW
    urgency: str = "normal"
    expires_in: timedelta | None = timedelta(hours=24)
    on_expiry: OnExpiry | None = None
    """What happens when nobody decides in time; None takes the default of its kind."""
    default: object = None
    """The answer that is given then, for OnExpiry.DEFAULT."""
    remind_every: timedelta | None = None
    talk_over: TalkOver | None = None
    """What becomes of it when the conversation goes on without an answer; None takes the default of its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request to let the tool call `call_id` run. `args_schema` (JSON Schema) is what edited arguments have to fit.

    `approvers` is how many people have to approve; `self_approval` false forbids it to the person who caused the call. A call of
    an `idempotent` tool is run again where a process died while it ran; any other is in doubt then, until a person settles it.
    """

    call_id: str
    reason: str | None = None
    suggestion: str | None = None
    args_schema: Mapping[str, object] | None = None
    risk: Risk = Risk.HIGH
    idempotent: bool = False
    approvers: int = 1
    self_approval: bool = True
    queue: str | None = None
    urgency: str = "normal"
    expires_in: timedelta | None = timedelta(hours=24)
    on_expiry: OnExpiry | None = None
    remind_every: timedelta | None = None
    talk_over: TalkOver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The last thing a run yields when it needs people: its tool calls, and one request for each call that needs a person.

    Stored in one transaction with the pause. Each request belongs to a call of `step`, or of an earlier step of this run.
    `results` are tool steps of sibling calls of the same step that have run already. `notice` is a line the customer is shown
    meanwhile, written by the system.
    """

    step: Step
    requests: tuple[Question | Approval, ...]
    results: tuple[Step, ...] = ()
    notice: str | None = None


Output = Delta | Step | Ask


class Runner(Protocol):
    """An agent. `name` is unique on a desk."""

    @property
    def name(self) -> str: ...

    @property
    def provider_names(self) -> Mapping[str, str]:
        """Facts for the usage entries and `deskmate check`: `{"provider": ..., "model": ...}`, where known."""
        ...

    def run(self, turn: Turn) -> AsyncIterator[Output]:
        """Work on the turn. Returning means done; an exception fails the run, visibly, with its text."""
        ...
