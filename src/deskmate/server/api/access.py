"""Who am I, signing in and out, visitors, operators and keys over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from deskmate.domain.actors import Actor, AuthorKind
from deskmate.errors import Forbidden
from deskmate.server import auth
from deskmate.server.api.bodies import AddOperator, ChangeMe, ChangeOperator, IssueKey, SignIn, UseLink, read_moment
from deskmate.server.api.doors import TheDesk, Who, counted
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.limits import Door
from deskmate.server.records import Json, key_json, operator_json, usage_json
from deskmate.services.sessions import SignedIn

router = APIRouter(prefix="/api", tags=["access"])


@router.get("/me")
async def me(desk: TheDesk, who: Who) -> Json:
    """Who the credentials belong to."""
    return await _me(desk, who)


@router.patch("/me")
async def change_me(body: ChangeMe, desk: TheDesk, who: Who) -> Json:
    """Change one's own presence."""
    if who.kind is not AuthorKind.OPERATOR or who.id is None:
        raise Forbidden("only operators have a presence")
    await desk.operators.presence(who.id, body.presence, by=who)
    return await _me(desk, who)


@router.post("/me/heartbeat")
async def heartbeat(desk: TheDesk, who: Who) -> Json:
    """A sign of life, as every other write is: whoever was sent away by the clock is available again."""
    if who.kind is AuthorKind.OPERATOR and who.id is not None:
        await desk.operators.seen(who.id)
    return await _me(desk, who)


@router.post("/session")
async def sign_in(body: SignIn, request: Request, desk: TheDesk) -> Response:
    """Sign an operator in; the session is a cookie."""
    auth.check_may_sign_in(request)
    auth.check_login_limit(request, body.email)
    return _with_session(request, await desk.sessions.login(body.email, body.password))


@router.delete("/session", status_code=204)
async def sign_out(request: Request, desk: TheDesk, who: Who) -> Response:
    """End this session."""
    token = auth.cookie_of(request)
    if token is not None:
        await desk.sessions.logout(token)
    response = Response(status_code=204)
    auth.clear_session(response, request)
    return response


@router.post("/session/link", status_code=201)
async def use_link(body: UseLink, request: Request, desk: TheDesk) -> Response:
    """Become the first admin by the one-time link, and be signed in."""
    auth.check_may_sign_in(request)
    auth.check_login_limit(request, body.email)
    made = await desk.sessions.use_link(body.token, name=body.name, email=body.email, password=body.password)
    return _with_session(request, made, 201)


@router.post("/chat/sessions", status_code=201, dependencies=[counted(Door.VISIT)])
async def visit(desk: TheDesk) -> Json:
    """A token for an anonymous visitor."""
    made = await desk.sessions.visit()
    return {"token": made.token, "customer": made.customer.id}


@router.get("/operators")
async def list_operators(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """The team."""
    page = await desk.operators.list(by=who, cursor=cursor, limit=limit)
    return {"items": [operator_json(operator) for operator in page.items], "cursor": page.cursor}


@router.post("/operators", status_code=201)
async def add_operator(body: AddOperator, desk: TheDesk, who: Who) -> Json:
    """A new operator."""
    facts = body.model_dump(exclude_none=True)
    return operator_json(await desk.operators.add(**facts, by=who))


@router.get("/operators/{operator}")
async def get_operator(operator: str, desk: TheDesk, who: Who) -> Json:
    """One operator."""
    return operator_json(await desk.operators.get(operator, by=who))


@router.patch("/operators/{operator}")
async def change_operator(operator: str, body: ChangeOperator, desk: TheDesk, who: Who) -> Json:
    """Change an operator."""
    facts = body.model_dump(exclude_unset=True, exclude_none=True)
    return operator_json(await desk.operators.change(operator, **facts, by=who))


@router.delete("/operators/{operator}")
async def disable_operator(operator: str, desk: TheDesk, who: Who) -> Json:
    """End an operator's access: their sessions and keys open nothing any more. What they wrote stays."""
    return operator_json(await desk.operators.disable(operator, by=who))


@router.get("/keys")
async def list_keys(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """Keys, without their secrets."""
    page = await desk.keys.list(by=who, cursor=cursor, limit=limit)
    return {"items": [key_json(key) for key in page.items], "cursor": page.cursor}


@router.post("/keys", status_code=201)
async def issue_key(body: IssueKey, desk: TheDesk, who: Who) -> Json:
    """A new key; `key` is shown this once."""
    expires_at = None if body.expires_at is None else read_moment(body.expires_at, "expires_at")
    issued = await desk.keys.issue(
        name=body.name or "", operator=body.operator, role=body.role, scopes=body.scopes, expires_at=expires_at, by=who
    )
    return key_json(issued.key) | {"key": issued.secret}


@router.delete("/keys/{key}")
async def revoke_key(key: str, desk: TheDesk, who: Who) -> Json:
    """The key opens nothing any more."""
    return key_json(await desk.keys.revoke(key, by=who))


@router.get("/usage")
async def usage(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> Json:
    """What has been metered, newest first."""
    page = await desk.usage.list(by=who, cursor=cursor, limit=limit)
    return {"items": [usage_json(entry) for entry in page.items], "cursor": page.cursor}


async def _me(desk: TheDesk, who: Actor) -> Json:
    record: Json = {"kind": who.kind, "id": who.id, "name": who.name}
    if who.kind is AuthorKind.OPERATOR and who.id is not None:
        return record | operator_json(await desk.operators.get(who.id))
    return record if who.kind is AuthorKind.CUSTOMER else record | {"role": who.role, "scopes": sorted(who.scopes)}


def _with_session(request: Request, session: SignedIn, status: int = 200) -> Response:
    response = JSONResponse({"kind": "operator"} | operator_json(session.operator), status)
    auth.set_session(response, request, session)
    return response
