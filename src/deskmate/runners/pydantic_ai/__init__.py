"""Pydantic AI agents on a desk: `PydanticAgent` runs one, `AskHuman` lets one ask people, `model_agent` is a whole assistant.

Importing this imports Pydantic AI, but no provider's SDK; that happens when a model is named.
"""

from deskmate.runners.pydantic_ai.agent import PydanticAgent
from deskmate.runners.pydantic_ai.approval import NeedsApproval, Rule
from deskmate.runners.pydantic_ai.ask_human import AskHuman
from deskmate.runners.pydantic_ai.failures import Patience
from deskmate.runners.pydantic_ai.support import model_agent

__all__ = ["AskHuman", "NeedsApproval", "Patience", "PydanticAgent", "Rule", "model_agent"]
