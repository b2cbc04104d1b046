"""Who may use which door: every route and method of the OpenAPI document, walked without credentials and in every role."""

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.acceptance.doors import Front, Person, done, refused, soon
from tests.acceptance.routes import BODIES, EVERYBODY, MATRIX, METHODS, OPEN_DOORS

from deskmate import Desk
from deskmate.server.api import events
from deskmate.testing import Gate, ScriptedAgent, asking, streaming

NOT_THERE = "not_there"


@dataclass
class Scene:
    """One desk with a thread, its open question, and somebody of every kind."""

    front: Front
    people: dict[str, Person]
    ids: dict[str, str]
    ada: Person
    secret: str = "SECRET of Ada"

    async def knock(self, client: httpx.AsyncClient, route: str, ids: dict[str, str] | None = None) -> httpx.Response:
        """Use a door. Of a stream only the answer's head is read."""
        method, path = route.split(" ")
        fill = self.ids | {"unique": f"p{next(self.front._numbers)}"} | (ids or {})
        url = re.sub(r"{(\w+)(:path)?}", lambda found: fill[found[1]], path)
        body = _filled(BODIES.get(route), fill)
        request = client.build_request(method, url, json=body)
        response = await client.send(request, stream=True)
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            await response.aread()
        await response.aclose()
        return response


def _filled(value: Any, fill: dict[str, str]) -> Any:
    match value:
        case str():
            return re.sub(r"{(\w+)}", lambda found: fill[found[1]], value)
        case list():
            return [_filled(item, fill) for item in value]
        case dict():
            return {key: _filled(item, fill) for key, item in value.items()}
        case _:
            return value


@pytest.fixture
async def routes(desk: Desk, front: Front) -> list[str]:
    """Every route of the document, except the open ones."""
    document = done(await front.client().get("/openapi.json"))
    found = [f"{m.upper()} {path}" for path, item in document["paths"].items() for m in item if m in METHODS]
    return [route for route in found if route not in OPEN_DOORS]


@pytest.fixture
async def scene(front: Front, agent: ScriptedAgent) -> Scene:
    agent.script = asking()
    ada, bob = await front.visitor(), await front.visitor()
    thread = await ada.thread(subject="SECRET of Ada")
    async with front.admin.listening(thread=thread) as heard:
        await ada.say(thread, "SECRET of Ada")
        await heard.type("request.opened")
    request = (await front.admin.open_request(thread))["id"]
    people = {"customer": ada, "foreign customer": bob, "admin": front.admin}
    for role in ("observer", "operator", "lead"):
        people[role] = await front.operator(role.title(), role=role)
    for scope in sorted(EVERYBODY):
        if ":" in scope:
            people[scope] = await front.program(scope)
    victim = await front.operator("Vic")
    key = (await front.admin.post("/api/keys", scopes=["usage:read"]))["id"]
    lead, name = people["lead"], "SECRET of Ada"
    canned = (await lead.post("/api/canned", shortcut="hi", title=name, text=name))["id"]
    macro = (await lead.post("/api/macros", name=name, actions=[{"do": "tag", "add": ["late"]}]))["id"]
    await lead.put("/api/policies/rate/people", rules={"currency": "EUR", "per_hour": 3000})
    view = (await lead.post("/api/views", name=name, filters={}, shared=True))["id"]
    file = done(await ada.client.post(f"/api/threads/{thread}/files", params={"filename": "a.txt"}, content=b"SECRET of Ada"))[
        "id"
    ]
    await ada.say(thread, "SECRET of Ada", files=[file], respond=False)
    await lead.put("/api/policies/chain/slow", rules={"on": ["question"], "steps": [{"wait": 86400}, {"notify": "leads"}]})
    await lead.patch("/api/queues/support", chain="slow")
    async with front.admin.listening(thread=thread) as heard:
        await lead.post(f"/api/requests/{request}/claim")
        await lead.post(f"/api/requests/{request}/release")
        chain = (await heard.type("chain.started")).data["data"]["chain"]
    # Its address leads nowhere: what is owed to it waits.
    webhook = (await front.admin.post("/api/webhooks", url="https://shop.invalid/", events=["thread.deleted"]))["id"]
    delivery = (await front.admin.post(f"/api/webhooks/{webhook}/test"))["id"]
    async with people["operator"].listening() as heard:
        await lead.say(thread, f"@{people['operator'].id} SECRET of Ada", visibility="note")
        sent = await heard.type("notification.sent")
    ids = {"thread": thread, "request": request, "operator": victim.id, "key": key, "chain": chain, "webhook": webhook}
    ids |= {"delivery": delivery, "notification": sent.data["data"]["notification"]}
    ids |= {"canned": canned, "macro": macro, "view": view, "file": file, "name": "support", "kind": "rate", "policy": "people"}
    ids |= dict.fromkeys(("usage", "message", "suggestion", "entry"), NOT_THERE)
    return Scene(front, people, ids, ada)


async def counts(admin: Person, thread: str) -> tuple[int, ...]:
    """What a refused write would have changed."""
    lists = [
        await admin.get("/api/threads", status="all", limit=200),
        await admin.get("/api/operators", limit=200),
        await admin.get("/api/keys", limit=200),
        await admin.get(f"/api/threads/{thread}/messages", limit=200),
        await admin.get(f"/api/threads/{thread}/requests"),
        await admin.get("/api/requests", limit=200),
        *[await admin.get(f"/api/{room}", limit=200) for room in ("canned", "macros", "views")],
    ]
    return tuple(len(page["items"]) for page in lists)


async def test_the_matrix_knows_every_route(routes: list[str]):
    assert sorted(routes) == sorted(MATRIX)


@pytest.mark.parametrize("credentials", ["none", "garbage", "a foreign scheme", "nothing behind the scheme", "a wrong cookie"])
async def test_nothing_answers_without_credentials(routes: list[str], scene: Scene, credentials: str):
    client = {
        "none": lambda: scene.front.client(),
        "garbage": lambda: scene.front.client("dk_not-a-key"),
        "a foreign scheme": lambda: scene.front.client(Authorization="Basic YWRtaW46YWRtaW4="),
        "nothing behind the scheme": lambda: scene.front.client(Authorization="Bearer"),
        "a wrong cookie": lambda: scene.front.client(Cookie="deskmate_session=ds_x", Origin=scene.front.url),
    }[credentials]()
    before = await counts(scene.front.admin, scene.ids["thread"])
    for route in routes:
        for ids in ({}, dict.fromkeys(scene.ids, NOT_THERE)):
            response = await scene.knock(client, route, ids)
            problem = refused(response, 401, "unauthenticated")
            assert scene.secret not in str(problem), route
            assert response.headers["www-authenticate"] == "Bearer"
    assert await counts(scene.front.admin, scene.ids["thread"]) == before


async def test_nobody_is_let_in_where_the_matrix_does_not_say_so(routes: list[str], scene: Scene):
    before = await counts(scene.front.admin, scene.ids["thread"])
    for who in sorted(EVERYBODY):
        for route in routes:
            if who not in MATRIX[route]:
                response = await scene.knock(scene.people[who].client, route)
                assert response.status_code in (403, 404), f"{who}: {route}: {response.status_code} {response.text}"
                refused(response, response.status_code)
                assert scene.secret not in response.text, route
        assert await counts(scene.front.admin, scene.ids["thread"]) == before, f"a refused write of {who} left something behind"


async def test_each_role_reads_where_the_matrix_says(routes: list[str], scene: Scene):
    for who in sorted(EVERYBODY):
        for route in routes:
            if who in MATRIX[route] and _destruction(route) == 0:
                response = await scene.knock(scene.people[who].client, route)
                assert response.status_code == 200, f"{who}: {route}: {response.status_code}"


@pytest.mark.parametrize("who", sorted(EVERYBODY - {"usage:read", "feedback:read", "customers:identify"}))
async def test_each_role_writes_where_the_matrix_says(routes: list[str], scene: Scene, who: str):
    for route in sorted(routes, key=_destruction):
        if who in MATRIX[route] and _destruction(route) > 0:
            response = await scene.knock(scene.people[who].client, route)
            # Let in is not the same as done: what an earlier route has decided or deleted answers 404 or 409.
            allowed_in = response.is_success or response.status_code in (404, 409)
            assert allowed_in, f"{who}: {route}: {response.status_code} {response.text}"


def _destruction(route: str) -> int:
    """Reads first, then writes, and what ends things last."""
    if route.startswith("GET"):
        return 0
    last = ("DELETE /api/session", "DELETE /api/threads/{thread}", "DELETE /api/operators/{operator}", "DELETE /api/keys/{key}")
    return 2 + last.index(route) if route in last else 1


async def test_another_customer_is_told_nothing(routes: list[str], scene: Scene):
    bob = scene.people["foreign customer"]
    before = await counts(scene.front.admin, scene.ids["thread"])
    for route in routes:
        if "{" not in route:
            continue
        foreign, unknown = await scene.knock(bob.client, route), await scene.knock(bob.client, route, {"thread": NOT_THERE})
        assert foreign.status_code in (403, 404), f"{route}: {foreign.status_code}"
        assert scene.secret not in foreign.text
        if "{thread}" in route:
            known = foreign.text.replace(scene.ids["thread"], NOT_THERE)
            assert (foreign.status_code, known) == (unknown.status_code, unknown.text), f"{route} tells foreign from unknown"
    assert await counts(scene.front.admin, scene.ids["thread"]) == before


async def test_unknown_ids_are_refused_in_every_role(routes: list[str], scene: Scene):
    for who in sorted(EVERYBODY):
        for route in routes:
            if "{" in route and (who, route) != ("admin", "DELETE /api/threads/{thread}"):
                response = await scene.knock(scene.people[who].client, route, dict.fromkeys(scene.ids, NOT_THERE))
                assert response.status_code in (403, 404), f"{who}: {route}: {response.status_code} {response.text}"


async def test_methods_that_no_route_knows_are_refused(scene: Scene):
    known = done(await scene.front.client().get("/openapi.json"))["paths"]
    forms = {re.sub(r"{\w+}", "[^/]+", path): item for path, item in known.items()}
    for path, item in known.items():
        for method in set(METHODS) - set(item) - {"options", "head"}:
            url = re.sub(r"{(\w+)}", lambda found: scene.ids[found[1]], path)
            if any(method in other and re.fullmatch(form, url) for form, other in forms.items()):
                continue  # To another route it is an id.
            response = await scene.front.admin.client.request(method.upper(), url, json={} if method != "trace" else None)
            assert response.status_code in (404, 405), f"{method} {path}: {response.status_code}"
            refused(response, response.status_code)


# Streams


async def test_a_stream_of_a_foreign_or_unknown_thread_is_404_before_it_opens(scene: Scene):
    bob = scene.people["foreign customer"]
    for thread in (scene.ids["thread"], NOT_THERE):
        refused(await soon(bob.client.get("/api/events", params={"thread": thread})), 404, "not_found")
    refused(await soon(scene.front.admin.client.get("/api/events", params={"thread": NOT_THERE})), 404, "not_found")
    refused(await soon(scene.front.client().get("/api/events")), 401)
    refused(await soon(scene.people["requests:decide"].client.get("/api/events")), 403)


async def test_a_customers_stream_carries_their_own_public_things_only(front: Front, agent: ScriptedAgent):
    agent.script = asking()
    ada, bob, ana = await front.visitor(), await front.visitor(), await front.operator()
    hers, his = await ada.thread(), await bob.thread()
    async with ada.listening(after=0) as heard, ana.listening(after=0) as theirs, ada.listening(after=0, thread=hers) as one:
        await bob.say(his, "SECRET of Bob")
        await ada.say(hers, "Hello")
        await theirs.type("request.opened", count=2)
        await ana.say(hers, "SECRET note", visibility="note")
        await ana.patch(f"/api/threads/{hers}", tags=["SECRET"], summary="SECRET", metadata={"SECRET": 1}, mode="review")
        await ana.assign(hers, f"operator:{ana.id}", note="SECRET reason")
        await ana.assign(hers, "ai", note="SECRET for the model")
        await ana.say(hers, "Goodbye")
        await heard.reply("Goodbye")
        await one.reply("Goodbye")
        for listener in (heard, one):
            assert "SECRET" not in str([event.data for event in listener.heard])
            assert {event.data["thread"] for event in listener.heard if event.type != ":"} == {hers}
            assert not [event.type for event in listener.heard if event.type.startswith(("request", "run", "thread.routed"))]
        assert "SECRET note" in str([event.data for event in theirs.heard])


async def test_a_key_that_may_not_read_hidden_things_hears_none(front: Front, agent: ScriptedAgent, ada: Person, ana: Person):
    agent.script = asking()
    reader = await front.program("threads:read")
    thread = await ada.thread()
    async with reader.listening() as heard, ana.listening() as theirs:
        await ada.say(thread, "Hello")
        await theirs.type("request.opened")
        await ana.say(thread, "SECRET note", visibility="note")
        await ana.say(thread, "Goodbye")
        await heard.reply("Goodbye")
        assert "SECRET" not in str([event.data for event in heard.heard])
        assert not heard.of("request.opened", "run.paused")
    page = await reader.get("/api/threads")
    assert "requests" not in page["items"][0]
    assert "SECRET" not in str(page)


async def test_a_stream_ends_when_its_credentials_end(front: Front, ada: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "CHECK_EVERY", -1.0)
    made = await front.admin.post("/api/operators", name="Eve", email="eve@shop.example")
    key = await front.admin.post("/api/keys", operator=made["id"])
    eve = Person(front.client(key["key"]), made["id"])
    thread = await ada.thread()
    async with eve.listening() as heard:
        await ada.say(thread, "Hello", respond=False)
        await heard.type("message.posted")
        done(await front.admin.client.delete(f"/api/keys/{key['id']}"))
        refused(await eve.client.get("/api/me"), 401)
        await ada.say(thread, "SECRET behind the end", respond=False)
        await heard.end()
        assert "SECRET" not in str([event.data for event in heard.heard])


async def test_a_csrf_write_is_refused_on_every_route_that_changes_something(
    routes: list[str], scene: Scene, browser: httpx.AsyncClient
):
    before = await counts(scene.front.admin, scene.ids["thread"])
    browser.headers["Origin"] = "https://evil.example"
    for route in routes:
        if not route.startswith("GET"):
            refused(await scene.knock(browser, route), 403, "forbidden")
    assert await counts(scene.front.admin, scene.ids["thread"]) == before


async def test_streaming_text_of_a_foreign_thread_stays_there(front: Front, agent: ScriptedAgent, ada: Person):
    gate = Gate()
    agent.script = streaming("SECRET words of Ada", gate)
    bob = await front.visitor()
    hers, his = await ada.thread(), await bob.thread()
    async with ada.listening() as heard, bob.listening() as other:
        await ada.say(hers, "Hello")
        gate.release(2)
        await heard.type("message.delta")
        await bob.say(his, "Is anybody here?", respond=False)
        await other.type("message.posted")
        gate.open()
        await heard.reply("SECRET words of Ada")
        await bob.say(his, "Still nobody?", respond=False)
        await other.type("message.posted", count=2)
        assert "SECRET" not in str([event.data for event in other.heard])
        assert not other.of("message.delta")
