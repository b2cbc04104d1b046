"""Fixtures for tests of tool calls that people approve."""

import pytest
from tests.store.tool_calls.bank import ARGS, SCHEMA, Bank
from tests.store.tool_calls.models import Shop

from deskmate.testing import ScriptedAgent, calling


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def bot(bank: Bank) -> ScriptedAgent:
    """An agent that wants its tool called, and says what came of it."""
    return ScriptedAgent(calling("refund", ARGS, bank.refund, args_schema=SCHEMA))


@pytest.fixture
def shop() -> Shop:
    return Shop()
