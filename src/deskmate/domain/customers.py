"""Customers: the people threads serve."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One person. The id is the caller's own, or made here for an anonymous visitor."""

    id: str
    name: str = ""
    email: str | None = None
    anonymous: bool = False
    metadata: Mapping[str, object] = field(default_factory=dict[str, object])
    created_at: datetime
