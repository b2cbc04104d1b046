"""Limits over HTTP: how far budgets are used up, and why escalations were asked for."""

from fastapi import APIRouter

from deskmate.domain.limits import Counter, State
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json
from deskmate.services.limits import reason_json

router = APIRouter(prefix="/api", tags=["limits"])


@router.get("/limits")
async def list_limits(desk: TheDesk, who: Who) -> Json:
    """Every limit, with its budgets that are in use now."""
    return {"items": [_json(state) for state in await desk.limits.state(by=who)], "cursor": None}


def _json(state: State) -> Json:
    return {
        "policy": state.policy,
        "rules": state.limit.model_dump(mode="json", exclude_none=True),
        "deferred": state.deferred,
        "counters": [_counter(counter) for counter in state.counters],
    }


def _counter(counter: Counter) -> Json:
    return {
        "subject": counter.subject,
        "used": counter.used,
        "left": counter.left,
        "refused": counter.refused,
        "retry_after": counter.retry_after,
        "reasons": [reason_json(reason) for reason in counter.reasons],
    }
