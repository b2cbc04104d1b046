"""Errors on the wire: every one is application/problem+json with a code."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from deskmate.errors import DeskmateError

log = logging.getLogger("deskmate.server")

CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}


def problem(
    status: int, code: str, detail: str, *, facts: Mapping[str, object] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem+json response. `facts` are further members, such as `field`, `by` and `at`."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, "code": code}
    text = json.dumps({**(facts or {}), **body}, default=str)
    return Response(text, status, media_type="application/problem+json", headers=dict(headers or {}))


def of_error(error: DeskmateError) -> Response:
    """The response for one of our own errors."""
    facts = dict(error.facts)
    if error.field is not None:
        facts["field"] = error.field
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after" in facts:
        headers["Retry-After"] = str(facts["retry_after"])
    detail = error.message if error.status != 500 else "Something went wrong on the server."
    return problem(error.status, error.code, detail, facts=facts, headers=headers)


def of_validation(error: RequestValidationError) -> Response:
    """The response for a body, query or path that does not fit: names the first field."""
    first = error.errors()[0]
    if first.get("type") == "json_invalid":
        return problem(400, "malformed_json", "The body is not valid JSON.")
    where = [str(step) for step in first["loc"][1:]]
    field = ".".join(where)
    detail = f"{field}: {first['msg']}" if field else str(first["msg"])
    return problem(422, "invalid", detail, facts={"field": field or None})


def install(app: FastAPI) -> None:
    """Let every error of this application leave as problem+json."""

    async def ours(_: Request, error: Exception) -> Response:
        assert isinstance(error, DeskmateError)
        if error.status >= 500:
            log.error("%s", error, exc_info=error)
        return of_error(error)

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error)

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = CODES.get(error.status_code, "error")
        return problem(error.status_code, code, str(error.detail), headers=error.headers)

    async def unexpected(_: Request, error: Exception) -> Response:
        log.exception("unexpected error", exc_info=error)
        return problem(500, "error", "Something went wrong on the server.")

    app.add_exception_handler(DeskmateError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
