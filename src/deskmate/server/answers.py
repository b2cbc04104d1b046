"""Links in mails: a page that shows what is asked and decides nothing, and a form on it that decides, once, without a session."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from deskmate.domain.messages import readable
from deskmate.domain.requests import DecisionKind, NewDecision
from deskmate.errors import AlreadyDecided, DeskmateError, Gone, Invalid, NotFound, TooMany
from deskmate.server.answer_page import form_page, over, said_page, value_of
from deskmate.server.api.doors import TheDesk
from deskmate.server.auth import address_of, limits_of
from deskmate.server.limits import Door
from deskmate.services.answer_links import Asked

router = APIRouter(include_in_schema=False)
MOST_FIELDS = 10
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@router.get("/answer/{token}")
async def show(token: str, request: Request, desk: TheDesk) -> HTMLResponse:
    """What is asked. Nothing changes by looking: programs that scan mails look at every link."""
    try:
        _count(request)
        asked = await desk.answer_links.look(token)
    except DeskmateError as error:
        return _refusal(error)
    if (ended := over(asked.request)) is not None:
        return _page(410, said_page("This is settled", ended))
    if asked.used:
        return _page(410, said_page("This link was used before", "A link works once. The inbox shows what became of it."))
    if asked.expired:
        return _page(410, said_page("The time of this link is over", "Please answer in the inbox."))
    return _page(200, form_page(asked))


@router.post("/answer/{token}")
async def decide(token: str, request: Request, desk: TheDesk) -> HTMLResponse:
    """Decide as the operator whom the link was made for."""
    try:
        _count(request)
        asked = await desk.answer_links.look(token)
    except DeskmateError as error:
        return _refusal(error)
    try:
        decided = await desk.answer_links.decide(token, _decision(asked, _fields(await request.body())))
    except Invalid as error:
        return _page(error.status, form_page(asked, problem=error.message))
    except DeskmateError as error:
        return _refusal(error)
    if decided.decision is None:
        return _page(200, said_page("Thank you", "Your approval counts. A second person has to approve it as well."))
    return _page(200, said_page("Thank you", over(decided) or "It is settled."))


def _decision(asked: Asked, fields: dict[str, str]) -> NewDecision:
    match asked.kind:
        case DecisionKind.ANSWER:
            return NewDecision(kind=asked.kind, value=value_of(asked.request.response_schema, fields.get("value", "")))
        case DecisionKind.REJECT:
            return NewDecision(kind=asked.kind, reason=fields.get("reason", "").strip() or None)
        case _:
            return NewDecision(kind=asked.kind, args_digest=fields.get("args_digest") or None)


def _fields(body: bytes) -> dict[str, str]:
    """The fields of the form, each once, as text that both stores can hold. Raises Invalid."""
    try:
        parsed = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Invalid("this is not what the form sends") from None
    fields = {name: values[0].replace("\r\n", "\n") for name, values in parsed.items()}
    if any(readable(value) != value or len(value) > 20_000 for value in fields.values()):
        raise Invalid("this is not text, or too much of it")
    return fields


def _refusal(error: DeskmateError) -> HTMLResponse:
    match error:
        case AlreadyDecided():
            return _page(error.status, said_page("Somebody was faster", error.message))
        case NotFound():
            return _page(404, said_page("There is no such link", "Perhaps it was cut off in the mail, or is very old."))
        case Gone():
            return _page(410, said_page("This link does not work any more", error.message))
        case TooMany():
            return _page(429, said_page("Too many tries", "Please wait a moment."))
        case _ if error.status < 500:
            return _page(error.status, said_page("This was not done", error.message, "The inbox shows how things stand."))
        case _:
            raise error


def _page(status: int, text: str) -> HTMLResponse:
    return HTMLResponse(text, status, headers=HEADERS)


def _count(request: Request) -> None:
    limits_of(request).check(Door.ANSWER, address=address_of(request))
