"""Escalation chains over HTTP: those of a thread, and how one is stopped."""

from fastapi import APIRouter

from deskmate.domain.chains import RunningChain
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, author_json, moment

router = APIRouter(prefix="/api", tags=["chains"])


@router.get("/threads/{thread}/chains")
async def list_chains(thread: str, desk: TheDesk, who: Who) -> Json:
    """The chains of a thread and of its requests, newest first."""
    return {"items": [_json(chain) for chain in await desk.chains.of_thread(thread, by=who)], "cursor": None}


@router.post("/chains/{chain}/stop")
async def stop_chain(chain: str, desk: TheDesk, who: Who) -> Json:
    """Tell nobody any more; one that has ended stays as it ended."""
    return _json(await desk.chains.stop(chain, by=who))


def _json(chain: RunningChain) -> Json:
    return {
        "id": chain.id,
        "thread": chain.thread,
        "request": chain.request,
        "about": chain.about,
        "queue": chain.queue,
        "policy": chain.policy,
        "steps": [step.model_dump(mode="json", exclude_none=True) for step in chain.steps],
        "step": chain.step,
        "round": chain.round,
        "due_at": moment(chain.due_at) if chain.ended_at is None else None,
        "state": chain.state,
        "reason": chain.reason,
        "ended_by": None if chain.ended_by is None else author_json(chain.ended_by),
        "created_at": moment(chain.created_at),
        "ended_at": moment(chain.ended_at),
    }
