"""Usage over HTTP: invoices, summaries and corrections."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from deskmate.domain.invoice_forms import (
    INVOICE_HEAD,
    SUMMARY_HEAD,
    csv_text,
    invoice_json,
    invoice_rows,
    sum_json,
    summary_rows,
)
from deskmate.domain.invoices import Part, People
from deskmate.server.api.bodies import CorrectUsage
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.records import Json, usage_json

router = APIRouter(prefix="/api", tags=["usage"])
Edge = Annotated[str, Query(max_length=40, description="A day, or a time.")]
Zone = Annotated[str, Query(max_length=64, description="Where days begin at midnight.")]
Customer = Annotated[str | None, Query(max_length=200, description="Empty: threads without one. Left out: everybody.")]
Format = Literal["json", "csv"]


@router.get("/invoices")
async def invoices(
    desk: TheDesk,
    who: Who,
    since: Edge | None = None,
    until: Edge | None = None,
    customer: Customer = None,
    zone: Zone = "UTC",
    by: People = People.OPERATOR,
    format: Format = "json",
) -> Response:
    """What was done for a customer, or for everybody, with its price."""
    if customer is None:
        found = await desk.usage.invoices(since, until, zone=zone, by=by, actor=who)
    else:
        found = (await desk.usage.invoice(customer or None, since, until, zone=zone, by=by, actor=who),)
    if format == "csv":
        return _csv("invoices", INVOICE_HEAD, invoice_rows(found))
    return JSONResponse({"items": [invoice_json(one) for one in found], "cursor": None})


@router.get("/usage/summary")
async def summary(
    desk: TheDesk,
    who: Who,
    since: Edge | None = None,
    until: Edge | None = None,
    zone: Zone = "UTC",
    by: Part = Part.AGENT,
    format: Format = "json",
) -> Response:
    """What each agent, operator, queue, model or customer has used."""
    found = await desk.usage.summary(since, until, zone=zone, by=by, actor=who)
    if format == "csv":
        return _csv("usage", SUMMARY_HEAD, summary_rows(found))
    return JSONResponse({"items": [sum_json(one) for one in found], "cursor": None})


@router.post("/usage/{usage}/correction", status_code=201)
async def correct(usage: str, body: CorrectUsage, desk: TheDesk, who: Who) -> Json:
    """Put the time of an operator right. The difference is an entry of its own."""
    return usage_json(await desk.usage.correct(usage, body.seconds, body.reason, by=who))


def _csv(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(csv_text(head, rows), media_type="text/csv; charset=utf-8", headers=disposition)
