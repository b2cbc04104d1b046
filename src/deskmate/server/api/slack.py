"""What people do in Slack comes in here, signed by Slack."""

import asyncio
import json
import logging
from typing import Annotated, Any, cast
from urllib.parse import parse_qs

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from deskmate.domain.slack import act_of
from deskmate.errors import Invalid, NotFound
from deskmate.server.api.doors import TheDesk

log = logging.getLogger("deskmate.slack")
router = APIRouter(prefix="/slack", tags=["slack"])
PATIENCE = 2.0
"""Seconds until Slack is answered. It waits for three; what takes longer goes on, and says so in a message."""
_going_on: set["asyncio.Task[dict[str, Any] | None]"] = set()


@router.post("/actions")
async def act(
    request: Request,
    desk: TheDesk,
    x_slack_request_timestamp: Annotated[str | None, Header(max_length=40)] = None,
    x_slack_signature: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """A click or a form, as Slack sends it. Who did it stands in the signed body, and nowhere else."""
    if desk.slack is None:
        raise NotFound("Slack is not set up here", field="slack")
    body = await request.body()
    desk.slack.verify(body, x_slack_request_timestamp, x_slack_signature)
    found = act_of(_payload(body))
    if found is None:
        return Response(status_code=200)
    doing = asyncio.create_task(desk.slack.act(found), name="deskmate slack")
    _going_on.add(doing)
    doing.add_done_callback(_over)
    done, _ = await asyncio.wait({doing}, timeout=PATIENCE)
    answer = doing.result() if done else None
    return Response(status_code=200) if answer is None else JSONResponse(answer)


def _payload(body: bytes) -> dict[str, Any]:
    try:
        [text] = parse_qs(body.decode(), strict_parsing=True)["payload"]
        payload: object = json.loads(text)
    except (ValueError, KeyError, RecursionError):
        raise Invalid("the body must be a form with one payload of JSON", field="payload") from None
    if not isinstance(payload, dict):
        raise Invalid("payload must be an object", field="payload")
    return cast("dict[str, Any]", payload)


def _over(task: "asyncio.Task[dict[str, Any] | None]") -> None:
    _going_on.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("what somebody did in Slack came to nothing", exc_info=error)
