"""Hostile input: whatever comes through a door gets a clear problem, changes nothing, and never a 5xx."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.acceptance.doors import ADMIN_KEY, Front, Person, done, open_front, refused, serving, soon

from deskmate import Desk, Settings
from deskmate.testing import ScriptedAgent, asking

BODY_CAP = 64 * 1024
NUL, LONE = "\\u0000", "\\ud800"


@pytest.fixture
def settings() -> Settings:
    return Settings(admin_key=ADMIN_KEY, rate_limits=False, max_body_bytes=BODY_CAP)


@pytest.fixture
async def thread(front: Front, agent: ScriptedAgent) -> str:
    """A thread of Ada with an open question; its id."""
    agent.script = asking()
    ada = await front.visitor()
    thread = await ada.thread()
    async with front.admin.listening(thread=thread) as heard:
        await ada.say(thread, "Is it?")
        await heard.type("request.opened")
    return thread


@pytest.fixture
async def places(front: Front, thread: str) -> dict[str, str]:
    """Something real for each name in a path."""
    victim = await front.operator("Vic")
    key = await front.admin.post("/api/keys", scopes=["usage:read"])
    request = (await front.admin.open_request(thread))["id"]
    return {"thread": thread, "request": request, "operator": victim.id, "key": key["id"]}


async def stored(front: Front) -> str:
    """All that a refused write could have changed, as text."""
    admin = front.admin
    threads = (await admin.get("/api/threads", status="all", limit=200))["items"]
    parts: list[Any] = [threads, await admin.get("/api/operators", limit=200), await admin.get("/api/keys", limit=200)]
    for thread in threads:
        parts += [await admin.messages(thread["id"]), await admin.get(f"/api/threads/{thread['id']}/requests")]
        parts.append(await admin.get(f"/api/threads/{thread['id']}/assignments"))
    return json.dumps(parts)


async def writes(front: Front) -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Method, path, schema of the body and definitions, for every route that takes a body."""
    document = done(await front.client().get("/openapi.json"))
    return [
        (
            method.upper(),
            path,
            operation["requestBody"]["content"]["application/json"]["schema"],
            document["components"]["schemas"],
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    ]


def resolved(schema: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """A schema without references and without the choice of null."""
    if "$ref" in schema:
        return resolved(known[schema["$ref"].rsplit("/", 1)[1]], known)
    choices = [choice for choice in schema.get("anyOf", []) if choice.get("type") != "null"]
    return resolved(choices[0], known) if choices else schema


def example(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    """A value that fits."""
    schema = resolved(schema, known)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "string":
            return "x" * max(schema.get("minLength", 1), 1)
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "array":
            return [example(schema["items"], known)] * schema.get("minItems", 0)
        case "object":
            return {name: example(schema["properties"][name], known) for name in schema.get("required", ())}
        case _:
            return "anything"


def wrong_values(schema: dict[str, Any], known: dict[str, Any]) -> Iterator[Any]:
    """Values of every other type, and beyond every bound of this one."""
    schema = resolved(schema, known)
    if schema.get("type") is None and "enum" not in schema and "const" not in schema:
        return
    of_type = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}
    kind = schema.get("type", "string")
    for name, value in of_type.items():
        lax = {
            ("number", "integer"),
            ("integer", "number"),
            ("boolean", "integer"),
            ("integer", "boolean"),
            ("number", "boolean"),
        }
        if name != kind and (kind, name) not in lax:
            yield value
    if "enum" in schema or "const" in schema:
        yield "no such value"
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if schema.get("minLength"):
        yield ""
    if "maxItems" in schema:
        yield [example(schema["items"], known)] * (schema["maxItems"] + 1)
    if kind == "integer":
        yield from (-1, 2**63, 2**64, 10**30, 1.5)
    if kind == "number":
        yield from (-1, 1e308, 10**400)


async def test_every_member_of_every_body_is_checked_and_named(front: Front, places: dict[str, str]):
    before = await stored(front)
    tried = 0
    for method, path, schema, known in await writes(front):
        shape = resolved(schema, known)
        good = example(shape, known)
        for name, member in shape["properties"].items():
            for wrong in wrong_values(member, known):
                response = await front.admin.client.request(method, path.format(**places), json=good | {name: wrong})
                problem = refused(response, 422, "invalid")
                assert problem["field"].split(".")[0] == name, f"{method} {path}: {name}: {problem}"
                tried += 1
        for name in shape.get("required", ()):
            rest = {key: value for key, value in good.items() if key != name}
            problem = refused(await front.admin.client.request(method, path.format(**places), json=rest), 422, "invalid")
            assert problem["field"] == name
    assert tried > 100
    assert await stored(front) == before


async def test_unknown_members_are_refused_and_named(front: Front, places: dict[str, str]):
    before = await stored(front)
    for method, path, schema, known in await writes(front):
        body = example(schema, known) | {"by": "somebody else"}
        problem = refused(await front.admin.client.request(method, path.format(**places), json=body), 422, "invalid")
        assert problem["field"] == "by"
    assert await stored(front) == before


BROKEN = {
    "nothing": b" ",
    "half an object": b'{"text": "hi"',
    "no JSON": b"text=hi",
    "single quotes": b"{'text': 'hi'}",
    "a comma too many": b'{"text": "hi",}',
    "bad UTF-8": b'{"text": "\xff\xfe"}',
    "an overlong form": b'{"text": "\xc0\x80"}',
    "UTF-16": '{"text": "hi"}'.encode("utf-16-be")[1:],
    "a long number": b'{"text": ' + b"1" * 5000 + b"}",
    "deep lists": b"[" * 20_000,
    "deep lists, closed": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}
ODD = {
    "null": b"null",
    "a list": b"[]",
    "a text": b'"text"',
    "a number": b"1",
    "true": b"true",
    "NaN": b"NaN",
    "an empty list in a list": b"[[]]",
}


@pytest.mark.parametrize("name", [*BROKEN, *ODD])
async def test_a_body_that_is_no_json_object_is_a_clear_problem(front: Front, places: dict[str, str], name: str):
    content = (BROKEN | ODD)[name]
    for method, path, *_ in await writes(front):
        response = await front.admin.client.request(
            method, path.format(**places), content=content, headers={"Content-Type": "application/json"}
        )
        optional = path.endswith("/respond")
        assert response.status_code in ((400, 422, 409) if optional else (400, 422)), f"{path}: {response.status_code}"
        problem = refused(response, response.status_code)
        assert problem["code"] in ("malformed_json", "bad_request", "invalid", "conflict")


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/api/threads", "subject"),
        ("/api/threads", "customer"),
        ("/api/threads/{thread}/messages", "text"),
        ("/api/threads/{thread}/messages", "idempotency_key"),
        ("/api/threads/{thread}/respond", "agent"),
        ("/api/threads/{thread}/assignment", "to"),
        ("/api/threads/{thread}/assignment", "note"),
        ("/api/requests", "question"),
        ("/api/requests", "queue"),
        ("/api/requests/{request}/decision", "value"),
        ("/api/requests/{request}/decision", "review"),
        ("/api/operators", "name"),
        ("/api/operators", "email"),
        ("/api/keys", "name"),
        ("/api/session", "password"),
        ("/api/session", "email"),
        ("/api/session/link", "token"),
    ],
)
async def test_text_that_no_store_can_hold_is_refused_or_cleaned(front: Front, places: dict[str, str], path: str, member: str):
    before = await stored(front)
    good = {
        "/api/threads/{thread}/messages": {"text": "hi"},
        "/api/threads/{thread}/assignment": {"to": "queue:x"},
        "/api/requests/{request}/decision": {"kind": "answer"},
        "/api/requests": {"question": "Is it?"},
        "/api/operators": {"name": "Eve", "email": "eve@shop.example"},
        "/api/keys": {"role": "observer"},
        "/api/session": {"email": "eve@shop.example", "password": "correct horse"},
        "/api/session/link": {"token": "x", "name": "Eve", "email": "eve@shop.example", "password": "correct horse"},
    }.get(path, {})
    for bad in (NUL, LONE, f"{LONE}{LONE}", "\\udc00\\ud800"):
        content = json.dumps(good | {member: "BAD"}).replace(
            "BAD", f"queue:a{bad}b" if member == "to" else f"a{bad}b@shop.example"
        )
        response = await front.admin.client.post(
            path.format(**places), content=content, headers={"Content-Type": "application/json"}
        )
        problem = refused(response, response.status_code)
        assert response.status_code in (400, 401, 422), f"{path} {member}: {response.text}"
        assert response.status_code == 401 or problem["field"].split(".")[0] == member, problem
    assert await stored(front) == before


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", f'"{NUL}"', f'"{LONE}"', f'[{{"{NUL}": 1}}]'])
async def test_free_json_is_json_that_everybody_can_read(front: Front, thread: str, value: str):
    before = await stored(front)
    json_type = {"Content-Type": "application/json"}
    request = (await front.admin.open_request(thread))["id"]
    for method, path, content in (
        ("POST", "/api/threads", f'{{"metadata": {{"a": {value}}}}}'),
        ("PATCH", f"/api/threads/{thread}", f'{{"metadata": {{"a": [{value}]}}}}'),
        ("POST", "/api/requests", f'{{"question": "q", "response_schema": {{"const": {value}}}}}'),
        ("POST", f"/api/requests/{request}/decision", f'{{"kind": "answer", "value": {value}}}'),
        ("POST", f"/api/requests/{request}/decision", f'{{"kind": "answer", "value": {{"a": {value}}}}}'),
    ):
        response = await front.admin.client.request(method, path, content=content, headers=json_type)
        refused(response, response.status_code)
        assert response.status_code in (400, 422), f"{path}: {response.text}"
    assert await stored(front) == before


@pytest.mark.parametrize("key", [NUL, LONE])
async def test_names_inside_of_free_json_are_text_too(front: Front, key: str):
    before = await stored(front)
    for content in (f'{{"metadata": {{"{key}": 1}}}}', f'{{"metadata": {{"a": {{"{key}": 1}}}}}}', f'{{"{key}": 1}}'):
        response = await front.admin.client.post("/api/threads", content=content, headers={"Content-Type": "application/json"})
        refused(response, response.status_code)
        assert response.status_code in (400, 422)
    assert await stored(front) == before


@pytest.mark.parametrize("depth", [50, 200, 400, 900, 3000, 12_000])
async def test_nesting_is_stored_and_read_back_or_refused(front: Front, depth: int):
    content = '{"metadata": {"a": ' + "[" * depth + "]" * depth + "}}"
    response = await front.admin.client.post("/api/threads", content=content, headers={"Content-Type": "application/json"})
    if response.is_success:
        thread = response.json()["id"]
        assert (await front.admin.client.get(f"/api/threads/{thread}")).text.count("[") >= depth
    else:
        refused(response, response.status_code)
        assert response.status_code in (400, 422)
    done(await front.admin.client.get("/api/threads"))


@pytest.mark.parametrize("number", ["1" * 4000, "-" + "9" * 25, "1e308", "-0.0", "9007199254740993"])
async def test_large_numbers_in_free_json_come_back_or_are_refused(front: Front, number: str):
    content = f'{{"metadata": {{"a": {number}}}}}'
    response = await front.admin.client.post("/api/threads", content=content, headers={"Content-Type": "application/json"})
    if response.is_success:
        made = response.json()
        assert (await front.admin.get(f"/api/threads/{made['id']}"))["metadata"] == json.loads(content)["metadata"]
    else:
        refused(response, response.status_code)
        assert response.status_code in (400, 422)


async def test_a_body_above_the_cap_is_413_whether_or_not_it_says_its_length(front: Front, ada: Person, thread: str):
    before = await stored(front)
    large = json.dumps({"text": "x" * BODY_CAP}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 4096):
            yield large[start : start + 4096]

    json_type = {"Content-Type": "application/json"}
    for path in ("/api/threads", f"/api/threads/{thread}/messages", "/api/session", "/api/chat/sessions"):
        refused(await front.admin.client.post(path, content=large, headers=json_type), 413, "too_large")
        if path != "/api/chat/sessions":
            refused(await front.admin.client.post(path, content=chunks(), headers=json_type), 413, "too_large")
    assert await stored(front) == before


async def test_a_text_longer_than_a_message_is_refused(front: Front, thread: str, monkeypatch: pytest.MonkeyPatch):
    from deskmate.services import posting

    monkeypatch.setattr(posting, "LONGEST_TEXT", 1000)
    response = await front.admin.client.post(f"/api/threads/{thread}/messages", json={"text": "x" * 1001})
    assert refused(response, 422, "invalid")["field"] == "text"


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b", "\u2060\ufeff"])
async def test_a_message_needs_words(front: Front, thread: str, text: str):
    response = await front.admin.client.post(f"/api/threads/{thread}/messages", json={"text": text})
    assert refused(response, 422, "invalid")["field"] == "text"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE messages; --",
        "%s %(a)s {0} :name",
        "\u202eright to left",
        "👩‍👩‍👧",
        "\x07\x1b[2J",
    ],
)
async def test_odd_text_is_kept_as_it_is(front: Front, thread: str, text: str):
    await front.admin.say(thread, text)
    assert (await front.admin.messages(thread))[-1]["text"] == text


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"]
)
async def test_only_json_is_taken(front: Front, places: dict[str, str], media: str):
    before = await stored(front)
    for method, path, *_ in await writes(front):
        response = await front.admin.client.request(
            method, path.format(**places), content=b"{}", headers={"Content-Type": media} if media else {}
        )
        refused(response, 415, "unsupported_media_type")
    assert await stored(front) == before


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST"])
async def test_paths_with_tricks_are_refused(front: Front, thread: str, method: str):
    for trick in (
        "%00", "a%00b", "%ff%fe", "%c0%80", "%2e%2e", "%2e%2e%2f%2e%2e", "..%2f..%2fetc%2fpasswd", "x" * 3000,
        "%ed%a0%80", "%F0%9F%98%80",
        "*", "%27%20OR%201=1--", "%25", "%0a", "%7f", "th_", " ", "%20", "null", "-1", "0",
    ):  # fmt: skip
        for room in ("threads", "requests", "operators", "keys"):
            body = {"json": {"kind": "answer", "value": 1, "text": "x"}} if method in ("POST", "PATCH") else {}
            for tail in ("", "/messages", "/decision"):
                response = await front.admin.client.request(method, f"/api/{room}/{trick}{tail}", **body)
                fine = method == "DELETE" and room == "threads"
                listing = method == "GET" and response.request.url.path.rstrip("/") in (f"/api/{room}", "/api", "")
                fine = fine or listing or response.status_code == 307
                assert fine or response.status_code in (400, 404, 405, 422), f"{method} {response.url}: {response.status_code}"
                if not fine:
                    refused(response, response.status_code)
    assert (await front.admin.get(f"/api/threads/{thread}"))["id"] == thread


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


LISTS = {
    "/api/threads": "inbox.newest",
    "/api/requests": "requests",
    "/api/operators": "operators",
    "/api/keys": "keys",
    "/api/usage": "usage",
}


@pytest.mark.parametrize("path", [*LISTS, "/api/threads/{thread}/messages"])
async def test_bad_cursors_and_limits_are_400_or_422(front: Front, thread: str, path: str):
    name = LISTS.get(path, "messages")
    numbers = (10**30, -(10**30), 2**63, 2**64, -(2**63) - 1)
    cursors = [
        "x", "%00", "====", "🦊", "a" * 499, forged(), forged(None), forged(name), forged("other", 1, "a"),
        forged(name, None), forged(name, True, "a"), forged(name, 1.5, "a"), forged(name, {}), forged([name], 1), "bnVsbA",
        "W10", "e30",
        *(forged(name, number, "a") for number in numbers), *(forged(name, number, 1) for number in numbers),
        *(forged(name, 1, number) for number in numbers), forged(name, 1, "\x00"), forged(name, "\x00"),
        forged(name, 1, "\ud800"),
        forged(name, "\ud800"), base64.urlsafe_b64encode(b"[" * 300).decode(),
    ]  # fmt: skip
    for cursor in cursors:
        for member in ("before", "after") if name == "messages" else ("cursor",):
            response = await front.admin.client.get(path.format(thread=thread), params={member: cursor})
            too_long = len(cursor) > (100 if member == "after" else 500)
            assert response.status_code == (422 if too_long else 400), f"{path} {cursor}: {response.text}"
            assert refused(response, response.status_code)["field"] == member
    for limit in ("0", "-1", "201", "1.5", "x", "", "1e2", "NaN", "9" * 30, "%00", "null"):
        response = await front.admin.client.get(path.format(thread=thread), params={"limit": limit})
        assert refused(response, 422, "invalid")["field"] == "limit"


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/api/threads", {"assignment": "everybody"}),
        ("/api/threads", {"status": "closed"}),
        ("/api/threads", {"sort": "random"}),
        ("/api/threads", {"q": "x" * 201}),
        ("/api/threads", {"cursor": "x" * 501}),
        ("/api/requests", {"state": "unknown"}),
        ("/api/requests", {"kind": "unknown"}),
        ("/api/requests", {"mine": "perhaps"}),
    ],
)
async def test_unknown_values_in_a_query_name_their_parameter(front: Front, path: str, params: dict[str, str]):
    response = await front.admin.client.get(path, params=params)
    assert refused(response, 422, "invalid")["field"] == next(iter(params))


@pytest.mark.parametrize("q", ["%", "_", "\\", "%%%", "' OR 1=1 --", "(", "[a", '"', "*", "🦊", "\\%_"])
async def test_searching_for_odd_text_finds_what_holds_it(front: Front, q: str):
    wanted = await front.admin.thread(subject=f"before {q} after")
    await front.admin.thread(subject="something else")
    assert [item["id"] for item in (await front.admin.get("/api/threads", q=q))["items"]] == [wanted]


async def test_a_stream_from_a_place_that_is_none_is_refused_before_it_opens(front: Front, thread: str):
    for bad in ("-1", "x", "1.5", "1e3", "9" * 19, "9" * 20, str(2**63), "\u0663", "\u00b2", "+1", "0x10", "null", "9" * 41):
        for asked in ({"params": {"after": bad}}, {"headers": {"Last-Event-ID": bad.encode()}}):
            response = await soon(front.admin.client.get("/api/events", **asked))
            assert response.status_code in (400, 422), f"{bad}: {response.status_code}"
            refused(response, response.status_code)
    refused(await soon(front.admin.client.get("/api/events", params={"thread": "x" * 101})), 422)


@pytest.mark.parametrize("wait", ["-1", "x", "nan", "inf", "-inf", "1e400", ""])
async def test_a_wait_that_is_no_time_is_refused(front: Front, thread: str, wait: str):
    request = (await front.admin.open_request(thread))["id"]
    refused(await soon(front.admin.client.get(f"/api/requests/{request}", params={"wait": wait})), 422, "invalid")


@pytest.mark.parametrize(
    "at",
    [
        "tomorrow", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",        "2026-01-01T00:00:00+99:99", "", "1", "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",
    ],
)  # fmt: skip
async def test_a_time_that_is_none_is_refused(front: Front, thread: str, at: str):
    before = await stored(front)
    response = await front.admin.client.patch(f"/api/threads/{thread}", json={"status": "snoozed", "snoozed_until": at})
    assert refused(response, 422, "invalid")["field"] == "snoozed_until"
    response = await front.admin.client.post("/api/keys", json={"role": "observer", "expires_at": at})
    assert refused(response, 422, "invalid")["field"] == "expires_at"
    assert await stored(front) == before


async def test_head_options_and_unknown_methods_are_answered_without_data(front: Front, thread: str):
    client = front.admin.client
    for path in ("/api/threads", f"/api/threads/{thread}", "/api/me", "/healthz", "/api/nothing", "/nothing"):
        for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND", "PUT"):
            response = await client.request(method, path)
            assert response.status_code in (200, 404, 405), f"{method} {path}: {response.status_code}"
            if not response.is_success and method != "HEAD":
                refused(response, response.status_code)


async def test_unknown_paths_are_problems(front: Front):
    for path in (
        "/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/threads/x/y/z",
        "/static/../app.py",
        "/static/%2e%2e/auth.py",
        "/static/x",
    ):
        response = await front.admin.client.get(path)
        refused(response, 404, "not_found")


@pytest.mark.parametrize(
    "token",
    ["x" * 10_000, "dk_" + "x" * 100, "ct_", "ds_x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\u00ff\u00fe"],
)
async def test_a_wrong_token_is_401_whatever_it_looks_like(front: Front, token: str):
    client = front.client()
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    refused(await client.get("/api/me", headers=headers), 401, "unauthenticated")


async def test_odd_headers_do_no_harm(front: Front, ada: Person):
    thread = await ada.thread()
    for headers in (
        {"Cookie": "deskmate_session=\xff".encode("latin-1")},
        {"Cookie": "=;;;=="},
        {"Accept": "text/html"},
        {"Accept-Encoding": "identity;q=0"},
        {"Origin": "http://[::1"},
        {"Host": "[::1"},
        {"X-Forwarded-For": "1.2.3.4, , x"},
        {"Content-Length": "0"},
        {"Range": "bytes=0-0"},
    ):
        response = await ada.client.get(f"/api/threads/{thread}", headers=headers)
        assert response.status_code in (200, 400), f"{headers}: {response.status_code} {response.text}"


# Idempotency


async def test_the_same_key_gives_the_same_message_and_another_body_is_refused(front: Front, ada: Person):
    thread = await ada.thread()
    first = await ada.say(thread, "Hello", idempotency_key="k1", respond=False)
    assert await ada.say(thread, "Hello", idempotency_key="k1", respond=False) == first
    by_header = await ada.client.post(
        f"/api/threads/{thread}/messages", json={"text": "Hello", "respond": False}, headers={"Idempotency-Key": "k1"}
    )
    assert done(by_header, 201) == first
    other = await ada.client.post(f"/api/threads/{thread}/messages", json={"text": "Bye", "idempotency_key": "k1"})
    assert refused(other, 409, "key_reused")["field"] == "idempotency_key"
    both = await ada.client.post(
        f"/api/threads/{thread}/messages", json={"text": "Hello", "idempotency_key": "k1"}, headers={"Idempotency-Key": "k2"}
    )
    refused(both, 422, "invalid")
    assert [message["text"] for message in await ada.messages(thread)] == ["Hello"]


async def test_a_key_belongs_to_its_actor(front: Front, ada: Person, ana: Person):
    bob = await front.visitor()
    hers, his = await ada.thread(), await bob.thread()
    one = await ada.say(hers, "Hello", idempotency_key="k", respond=False)
    two = await bob.say(his, "Hi", idempotency_key="k", respond=False)
    three = await ana.say(hers, "Hey", idempotency_key="k")
    assert len({one["id"], two["id"], three["id"]}) == 3


async def test_twenty_repetitions_at_once_store_one_message(front: Front, agent: ScriptedAgent, ada: Person):
    thread = await ada.thread()
    async with ada.listening() as heard:
        posted = await asyncio.gather(*(ada.say(thread, "Hello", idempotency_key="k") for _ in range(20)))
        assert len({message["id"] for message in posted}) == 1
        await heard.reply("You said: Hello")
    assert len(await ada.messages(thread)) == 2
    assert len(agent.turns) == 1


async def test_one_key_on_two_threads_at_once_is_taken_once(front: Front, ada: Person):
    for number in range(10):
        threads = [await ada.thread(), await ada.thread()]
        body = {"text": "Hello", "idempotency_key": f"k{number}", "respond": False}
        answers = await asyncio.gather(*(ada.client.post(f"/api/threads/{thread}/messages", json=body) for thread in threads))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        refused(next(answer for answer in answers if answer.status_code == 409), 409, "key_reused")


@pytest.mark.parametrize("key", ["x" * 201, "a\tb", "\u00e9".encode("latin-1"), ""])
async def test_a_key_that_is_no_key_is_refused(front: Front, ada: Person, key: str | bytes):
    thread = await ada.thread()
    response = await ada.client.post(
        f"/api/threads/{thread}/messages", json={"text": "Hello", "respond": False}, headers={"Idempotency-Key": key}
    )
    assert response.status_code in (422, 201 if isinstance(key, bytes) else 422)
    if response.status_code == 422:
        refused(response, 422, "invalid")
        assert await ada.messages(thread) == []


# Rate limits


async def test_above_the_limit_is_429_with_the_time_to_wait(store_url: str, agent: ScriptedAgent, settings: Settings):

    async with (
        serving(Desk(store_url, agents=[agent], settings=replace(settings, rate_limits=True))) as url,
        open_front(url) as front,
    ):
        answers = [await front.client().post("/api/chat/sessions") for _ in range(3)]
        assert {answer.status_code for answer in answers} == {201}
        ada = Person(front.client(answers[0].json()["token"]))
        thread = await ada.thread()
        for _ in range(400):
            response = await ada.client.post(f"/api/threads/{thread}/messages", json={"text": "Hello", "respond": False})
            if response.status_code != 201:
                break
        refused(response, 429, "rate_limited")
        assert int(response.headers["Retry-After"]) >= 1
