"""Requests and decisions over HTTP."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from deskmate.domain.actors import Actor
from deskmate.domain.permissions import Action, require
from deskmate.domain.requests import NewDecision, OnExpiry, Request, RequestKind, RequestState
from deskmate.errors import DeskmateError
from deskmate.server.api.bodies import Ask, Decide, DecideMany, Settle
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, context_json, error_json, request_json
from deskmate.services.opening import EXPIRES_IN

router = APIRouter(prefix="/api/requests", tags=["requests"])
LONGEST_WAIT = 50.0  # seconds; proxies and hosts cut calls near a minute


@router.get("")
async def list_requests(
    desk: TheDesk,
    who: Who,
    state: RequestState | None = RequestState.OPEN,
    thread: Annotated[str | None, Query(max_length=100)] = None,
    queue: Annotated[str | None, Query(max_length=200)] = None,
    kind: RequestKind | None = None,
    mine: bool = False,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Json:
    """What waits for people, longest first, each with its context. `state=open` means not yet decided."""
    page = await desk.requests.list(
        by=who, state=state, thread=thread, queue=queue, kind=kind, mine=mine, cursor=cursor, limit=limit
    )
    return {"items": [await with_context(desk, request, who) for request in page.items], "cursor": page.cursor}


@router.post("", status_code=201)
async def ask(body: Ask, desk: TheDesk, who: Who) -> Json:
    """Ask people, from any program."""
    waits = body.expires_in is None and body.on_expiry is OnExpiry.WAIT
    request = await desk.requests.ask(
        body.question,
        thread=body.thread,
        reason=body.reason,
        suggestion=body.suggestion,
        response_schema=body.response_schema,
        queue=body.queue,
        skills=body.skills,
        urgency=body.priority,
        on_expiry=body.on_expiry,
        default=body.default,
        remind_every=None if body.remind_every is None else timedelta(seconds=body.remind_every),
        expires_in=None if waits else timedelta(seconds=body.expires_in) if body.expires_in is not None else EXPIRES_IN,
        by=who,
    )
    return await with_context(desk, request, who)


@router.get("/{request}")
async def get_request(
    request: str, desk: TheDesk, who: Who, wait: Annotated[float, Query(ge=0, allow_inf_nan=False)] = 0
) -> Json:
    """One request; with `wait` the answer comes when it is decided or closed, or after that many seconds (at most 50)."""
    found = await desk.requests.get(request, by=who)
    if wait:
        found = await desk.requests.wait(request, timeout=min(wait, LONGEST_WAIT))
    return await with_context(desk, found, who)


@router.post("/{request}/claim")
async def claim(request: str, desk: TheDesk, who: Who) -> Json:
    """Take it, or renew the claim."""
    return await with_context(desk, await desk.requests.claim(request, by=who), who)


@router.post("/{request}/release")
async def release(request: str, desk: TheDesk, who: Who) -> Json:
    """Give it back."""
    return await with_context(desk, await desk.requests.release(request, by=who), who)


@router.post("/{request}/cancel")
async def cancel(request: str, desk: TheDesk, who: Who) -> Json:
    """Withdraw it."""
    return await with_context(desk, await desk.requests.cancel(request, by=who), who)


@router.post("/next")
async def next_request(desk: TheDesk, who: Who) -> Json | None:
    """Claim the next request for me: the most urgent, then the one that has waited longest; null when there is none."""
    found = await desk.requests.next(by=who)
    return None if found is None else await with_context(desk, found, who)


@router.post("/{request}/decision")
async def decide(request: str, body: Decide, desk: TheDesk, who: Who) -> Json:
    """Decide, once. 409 names the winner, or the state the request was found in."""
    return await with_context(desk, await desk.requests.decide(request, decision_of(body), by=who), who)


@router.post("/{request}/settle")
async def settle(request: str, body: Settle, desk: TheDesk, who: Who) -> Json:
    """Say what became of a call in doubt: it ran, or it did not."""
    settled = await desk.requests.settle(request, ran=body.ran, value=body.value, reason=body.reason, by=who)
    return await with_context(desk, settled, who)


@router.post("/decisions")
async def decide_many(body: DecideMany, desk: TheDesk, who: Who) -> Json:
    """Decide several, each for itself: one that is refused does not hold up the others."""
    require(who, Action.REQUEST_DECIDE)
    items: list[Json] = []
    for one in body.decisions:
        try:
            decided = await desk.requests.decide(one.request, decision_of(one), by=who)
        except DeskmateError as error:
            items.append({"request": one.request, "error": error_json(error)})
        else:
            items.append({"request": request_json(decided)})
    return {"items": items}


def decision_of(body: Decide) -> NewDecision:
    """The body as a decision."""
    return NewDecision(
        kind=body.kind, value=body.value, args=body.args, text=body.text, reason=body.reason, review=body.review,
        stale_ok=body.stale_ok, retry=body.retry, args_digest=body.args_digest,
    )  # fmt: skip


async def with_context(desk: TheDesk, request: Request, who: Actor) -> Json:
    """A request with what a person needs to decide it."""
    thread, last = await desk.requests.context(request.thread, by=who)
    return request_json(request) | {"context": context_json(thread, last)}
