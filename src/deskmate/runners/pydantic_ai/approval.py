"""NeedsApproval: which calls of an agent's tools people approve before they run; and how an approved call is run."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

from pydantic_ai import ApprovalRequired, ModelRetry, RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.exceptions import ToolFailed, ToolFailedError, ToolRetryError
from pydantic_ai.messages import ToolCallPart, ToolReturn, ToolReturnPart
from pydantic_ai.tools import ToolDefinition

from deskmate.domain.agents import Approval, Approved, Turn
from deskmate.domain.messages import ToolResult
from deskmate.domain.requests import OnExpiry, Risk, TalkOver
from deskmate.runners.pydantic_ai.history import result_of

_RANKS = {risk: rank for rank, risk in enumerate(Risk)}
RISK = "risk"
"""The key in a tool's metadata under which it declares its risk: `Tool(refund, metadata={"risk": "high"})`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a tool needs approval, and whose.

    `when` is asked with the checked arguments of each call; without it every call needs approval. `risk` None takes what the tool
    declares, or high. `approvers` may be two (four eyes); `self_approval` false forbids it to the operator who caused the call.
    A tool that is `idempotent` may be run again where a process ended in the middle of it. The others are as in `Approval`.
    """

    when: Callable[[Mapping[str, Any]], bool] | None = None
    reason: str | None = None
    risk: Risk | None = None
    approvers: int = 1
    self_approval: bool = True
    idempotent: bool = False
    queue: str | None = None
    urgency: str = "normal"
    expires_in: timedelta | None = timedelta(hours=24)
    on_expiry: OnExpiry | None = None
    remind_every: timedelta | None = None
    talk_over: TalkOver | None = None


@dataclass
class NeedsApproval(AbstractCapability[Any]):
    """Has people approve calls of tools: `Agent(..., capabilities=[NeedsApproval({"refund": Rule(when=large)})])`.

    `tools` are rules by the name of the tool. `from_risk` asks for approval of every tool that declares at least this risk in its
    metadata (`{"risk": "high"}`), rule or not. Tools made with `requires_approval=True` always need it; a rule says how.
    """

    tools: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    from_risk: Risk | None = None

    @classmethod
    def get_serialization_name(cls) -> str | None:
        """Not to be built from a file: it holds functions."""
        return None

    async def before_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        """Let the call through, or let it wait for people."""
        if not ctx.tool_call_approved and self._asks(tool_def, args):
            raise ApprovalRequired
        return args

    def _asks(self, tool: ToolDefinition, args: Mapping[str, Any]) -> bool:
        risk = declared_risk(tool)
        if self.from_risk is not None and risk is not None and _RANKS[risk] >= _RANKS[self.from_risk]:
            return True
        rule = self.tools.get(tool.name)
        return rule is not None and (rule.when is None or rule.when(args))


def declared_risk(tool: ToolDefinition | None) -> Risk | None:
    """What a tool says about itself; None where it says nothing."""
    declared = (tool.metadata or {}).get(RISK) if tool is not None else None
    return None if declared is None else Risk(declared)


def approval_of(call: ToolCallPart, tool: ToolDefinition | None, rule: Rule) -> Approval:
    """A call that waits for people as the desk asks them."""
    return Approval(
        call_id=call.tool_call_id,
        reason=rule.reason,
        args_schema=tool.parameters_json_schema if tool is not None else None,
        risk=rule.risk or declared_risk(tool) or Risk.HIGH,
        idempotent=rule.idempotent,
        approvers=rule.approvers,
        self_approval=rule.self_approval,
        queue=rule.queue,
        urgency=rule.urgency,
        expires_in=rule.expires_in,
        on_expiry=rule.on_expiry,
        remind_every=rule.remind_every,
        talk_over=rule.talk_over,
    )


@dataclass(kw_only=True)
class ApprovedCalls:
    """The approved calls of a turn, while they are being run. `results` is what each has come to, by call id."""

    turn: Turn
    results: dict[str, ToolResult] = field(default_factory=dict[str, ToolResult])

    def find(self, call: ToolCallPart) -> Approved | None:
        """The approval of a call."""
        return next((approved for approved in self.turn.approved if approved.call_id == call.tool_call_id), None)

    async def run(self, approved: Approved, call: ToolCallPart, handler: Callable[[], Awaitable[Any]]) -> Any:
        """Run a call as the desk has it run: reserved before, recorded after. What a tool tells the model is recorded too."""
        returned: list[Any] = []
        told: list[Exception] = []

        async def execute() -> ToolResult:
            try:
                returned.append(await handler())
            except (ModelRetry, ToolFailed, ToolRetryError, ToolFailedError) as error:
                told.append(error)
                return ToolResult(call_id=call.tool_call_id, tool=call.tool_name, output=_words(error), is_error=True)
            value: object = returned[0]
            content = cast("object", value.return_value) if isinstance(value, ToolReturn) else value
            return result_of(ToolReturnPart(tool_name=call.tool_name, content=content, tool_call_id=call.tool_call_id))

        self.results[approved.call_id] = await self.turn.apply(approved, call.args_as_dict(), execute)
        if told:
            raise told[0]
        return returned[0]

    async def give_up(self, approved: Approved, why: str) -> None:
        """A call that the agent cannot make any more has failed."""

        async def execute() -> ToolResult:
            return ToolResult(call_id=approved.call_id, tool=approved.tool, output=why, is_error=True)

        self.results[approved.call_id] = await self.turn.apply(approved, approved.args, execute)


approved_calls: ContextVar[ApprovedCalls | None] = ContextVar("deskmate_approved_calls", default=None)
"""What the desk's run in this task has been told to run."""


def _words(error: Exception) -> str:
    match error:
        case ToolRetryError():
            return str(error.tool_retry.content)
        case ToolFailedError():
            return str(error.tool_failed.content)
        case ModelRetry() | ToolFailed():
            return error.message
        case _:
            return str(error)
