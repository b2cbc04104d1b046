"""Deskmate: people and AI agents in the same conversation."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deskmate.app import Desk
    from deskmate.config import Settings
    from deskmate.domain.actors import Actor, Author, Role, customer, service
    from deskmate.domain.agents import Approval, Approved, Ask, Delta, Question, Runner, Step, Turn
    from deskmate.domain.escalations import Escalated, Escalation
    from deskmate.domain.messages import (
        ApprovalRequest,
        ApprovalResponse,
        Message,
        NewMessage,
        Text,
        ToolCall,
        ToolResult,
        Visibility,
    )
    from deskmate.domain.operators import Operator
    from deskmate.domain.requests import DecisionKind, NewDecision, OnExpiry, Request, Risk, TalkOver
    from deskmate.domain.scoring import Example
    from deskmate.domain.threads import Mode, Thread
    from deskmate.errors import DeskmateError
    from deskmate.runners.faq import FaqAgent, FaqLibrary
    from deskmate.runners.pydantic_ai import AskHuman, Assessed, Escalate, NeedsApproval, PydanticAgent, Rule
    from deskmate.services.respond import Drafted, Failed, Overtaken, Paused, Replied

_HOMES = {
    "Actor": "domain.actors",
    "Approval": "domain.agents",
    "ApprovalRequest": "domain.messages",
    "ApprovalResponse": "domain.messages",
    "Approved": "domain.agents",
    "Ask": "domain.agents",
    "AskHuman": "runners.pydantic_ai",
    "Assessed": "runners.pydantic_ai",
    "Author": "domain.actors",
    "DecisionKind": "domain.requests",
    "Delta": "domain.agents",
    "Desk": "app",
    "DeskmateError": "errors",
    "Drafted": "services.respond",
    "Escalate": "runners.pydantic_ai",
    "Escalated": "domain.escalations",
    "Escalation": "domain.escalations",
    "Example": "domain.scoring",
    "Failed": "services.respond",
    "FaqAgent": "runners.faq",
    "FaqLibrary": "runners.faq",
    "Message": "domain.messages",
    "Mode": "domain.threads",
    "NeedsApproval": "runners.pydantic_ai",
    "NewDecision": "domain.requests",
    "NewMessage": "domain.messages",
    "OnExpiry": "domain.requests",
    "Operator": "domain.operators",
    "Overtaken": "services.respond",
    "Paused": "services.respond",
    "PydanticAgent": "runners.pydantic_ai",
    "Question": "domain.agents",
    "Replied": "services.respond",
    "Request": "domain.requests",
    "Risk": "domain.requests",
    "Role": "domain.actors",
    "Rule": "runners.pydantic_ai",
    "Runner": "domain.agents",
    "Settings": "config",
    "Step": "domain.agents",
    "TalkOver": "domain.requests",
    "Text": "domain.messages",
    "Thread": "domain.threads",
    "ToolCall": "domain.messages",
    "ToolResult": "domain.messages",
    "Turn": "domain.agents",
    "Visibility": "domain.messages",
    "customer": "domain.actors",
    "service": "domain.actors",
}

__all__ = [
    "Actor",
    "Approval",
    "ApprovalRequest",
    "ApprovalResponse",
    "Approved",
    "Ask",
    "AskHuman",
    "Assessed",
    "Author",
    "DecisionKind",
    "Delta",
    "Desk",
    "DeskmateError",
    "Drafted",
    "Escalate",
    "Escalated",
    "Escalation",
    "Example",
    "Failed",
    "FaqAgent",
    "FaqLibrary",
    "Message",
    "Mode",
    "NeedsApproval",
    "NewDecision",
    "NewMessage",
    "OnExpiry",
    "Operator",
    "Overtaken",
    "Paused",
    "PydanticAgent",
    "Question",
    "Replied",
    "Request",
    "Risk",
    "Role",
    "Rule",
    "Runner",
    "Settings",
    "Step",
    "TalkOver",
    "Text",
    "Thread",
    "ToolCall",
    "ToolResult",
    "Turn",
    "Visibility",
    "customer",
    "service",
]


def __getattr__(name: str) -> object:
    """Public names are imported when they are first used, so that `import deskmate` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'deskmate' has no attribute {name!r}")
    return getattr(import_module(f"deskmate.{_HOMES[name]}"), name)
