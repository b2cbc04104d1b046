"""Policies: what leads have decided once and for all, as named records of a kind: targets, chains, limits, prices, rates.

A policy is a model of its kind, so that what is wrong is named, and screens can draw a form from its schema.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from deskmate.domain.operators import words

LONGEST_NAME = 100  # characters


class Kind(StrEnum):
    """What a policy is about."""

    SLA = "sla"
    RESPONSE = "response"
    CHAIN = "chain"
    NOTIFICATION = "notification"
    LIMIT = "limit"
    PRICE = "price"
    RATE = "rate"
    ROUTE = "route"


class Rules(BaseModel):
    """The body of a policy. Fields that nobody knows are refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A named policy. `rules` is the model of its kind."""

    kind: Kind
    name: str
    rules: Rules
    changed_at: datetime


def policy_name(given: str, field: str = "name") -> str:
    """The name of a policy as it is kept. Raises Invalid."""
    return words(given, field, LONGEST_NAME)
