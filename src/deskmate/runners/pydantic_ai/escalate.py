"""Escalate: the tool with which an agent passes its customer on to people; Assessed: an answer that says how sure it is."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic_ai import AbstractToolset, FunctionToolset, RunContext, Tool
from pydantic_ai.capabilities import AbstractCapability

from deskmate.domain.agents import Turn
from deskmate.domain.escalations import Escalation
from deskmate.errors import Misconfigured
from deskmate.runners.pydantic_ai.ask_human import current_turn, in_desk_run

Urgency = Literal["low", "normal", "high", "urgent"]

DESCRIPTION = (
    "Pass this customer on to a person of the team, for good: when they ask for one, when they are upset, or when this is beyond "
    "you. The result says whether it was accepted and, where it is known, how long it will take. Then say goodbye in one "
    "sentence, and promise nothing that the result does not say."
)


class Assessed(BaseModel):
    """An answer that says how sure it is: `Agent(..., output_type=Assessed)`. From the floor on it is given; below it, and where
    no sensible confidence is stated, a person answers, and sees this as the suggestion."""

    response: str = Field(description="The answer for the customer.")
    confidence: float | str | None = Field(default=None, description="How sure you are that it is right and complete: 0 to 1.")
    requires_human: bool = Field(default=False, description="True when a person should answer instead, whatever the confidence.")
    reason: str | None = Field(default=None, description="Why a person should answer, in one sentence.")


@dataclass
class Escalate(AbstractCapability[Any]):
    """Gives the model a tool to pass its customer on to people: `Agent(..., capabilities=[Escalate()])`. For runs of a desk."""

    _: KW_ONLY
    name: str = "escalate"
    queue: str | None = None
    """The queue that the thread goes to; None lets the desk choose."""
    _toolset: AbstractToolset[Any] | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def get_serialization_name(cls) -> str | None:
        """Not to be built from a file."""
        return None

    def get_toolset(self) -> AbstractToolset[Any] | None:
        """The one tool."""
        if self._toolset is None:
            self._toolset = FunctionToolset([Tool(self._escalate, name=self.name, description=DESCRIPTION)])
        return self._toolset

    async def _escalate(
        self, ctx: RunContext[Any], reason: str, urgency: Urgency = "normal", summary: str | None = None
    ) -> dict[str, Any]:
        """The tool.

        Args:
            reason: Why a person is needed, in one sentence.
            urgency: How soon a person is needed.
            summary: What the person has to know: what the customer wants, and what has been done so far.
        """
        turn = current_turn.get()
        if turn is None or not in_desk_run(ctx):
            raise Misconfigured("Escalate works in runs of a desk only", field="agent")
        asked = Escalation(reason=reason.strip() or "no reason given", urgency=urgency, summary=summary, queue=self.queue)
        return await pass_on(turn, asked)


async def pass_on(turn: Turn, asked: Escalation) -> dict[str, Any]:
    """Escalate, and what the model is told of it."""
    came = await turn.escalate(asked)
    if not came.accepted:
        later = {} if came.retry_after is None else {"retry_after_seconds": came.retry_after.total_seconds()}
        return {"accepted": False, "reason": came.why, **later}
    return {
        "accepted": True,
        "position": came.position,
        "expected_wait_seconds": came.expected_wait.total_seconds() if came.expected_wait is not None else None,
        "opens_at": came.opens_at.isoformat() if came.opens_at is not None else None,
    }
