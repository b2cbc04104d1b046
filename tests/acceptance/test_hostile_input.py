"""Hostile input: whatever comes through a door gets a clear problem, changes nothing, and never a 5xx."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tests.acceptance.doors import ADMIN_KEY, Front, Person, asked, done, refused, stored

from deskmate import Settings
from deskmate.testing import ScriptedAgent

BODY_CAP = 64 * 1024
NUL, LONE = "\\u0000", "\\ud800"


@pytest.fixture
def settings() -> Settings:
    return Settings(admin_key=ADMIN_KEY, rate_limits=False, max_body_bytes=BODY_CAP)


@pytest.fixture
async def thread(front: Front, agent: ScriptedAgent) -> str:
    """A thread with an open question; its id."""
    return await asked(front, agent)


@pytest.fixture
async def places(front: Front, thread: str) -> dict[str, str]:
    """Something real for each name in a path."""
    victim = await front.operator("Vic")
    key = await front.admin.post("/api/keys", scopes=["usage:read"])
    request = (await front.admin.open_request(thread))["id"]
    canned = await front.admin.post("/api/canned", shortcut="hi", title="Hello", text="Hello.")
    macro = await front.admin.post("/api/macros", name="Done", actions=[{"do": "status", "to": "resolved"}])
    view = await front.admin.post("/api/views", name="Late", filters={"sort": "waiting"}, shared=True)
    kept = {"canned": canned["id"], "macro": macro["id"], "view": view["id"], "name": "support"}
    webhook = await front.admin.post("/api/webhooks", url="https://shop.invalid/", events=["thread.deleted"])
    kept |= {"kind": "rate", "policy": "people", "usage": "use_none", "webhook": webhook["id"], "delivery": "msg_none"}
    kept |= {"chain": "chain_none", "notification": "ntf_none", "suggestion": "sug_none", "entry": "faq_none"}
    return {"thread": thread, "request": request, "operator": victim.id, "key": key["id"]} | kept


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
        if "application/json" in operation.get("requestBody", {}).get("content", {})
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


async def test_a_body_that_is_no_json_object_is_a_clear_problem(front: Front, places: dict[str, str]):
    for name in [*BROKEN, *ODD]:
        content = (BROKEN | ODD)[name]
        for method, path, *_ in await writes(front):
            response = await front.admin.client.request(
                method, path.format(**places), content=content, headers={"Content-Type": "application/json"}
            )
            # Without a body these do something, and null is none: a key that is nobody's has nothing to read.
            allowed = {"respond": (400, 422, 409), "read": (400, 422, 403)}.get(path.rpartition("/")[2], (400, 422))
            assert response.status_code in allowed, f"{path}: {response.status_code}"
            problem = refused(response, response.status_code)
            assert problem["code"] in ("malformed_json", "bad_request", "invalid", "conflict", "forbidden")


async def test_text_that_no_store_can_hold_is_refused_or_cleaned(front: Front, places: dict[str, str]):
    for path, member in [
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
    ]:
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


async def test_free_json_is_json_that_everybody_can_read(front: Front, thread: str):
    for value in ["NaN", "Infinity", "-Infinity", "1e400", f'"{NUL}"', f'"{LONE}"', f'[{{"{NUL}": 1}}]']:
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


async def test_names_inside_of_free_json_are_text_too(front: Front):
    for key in [NUL, LONE]:
        before = await stored(front)
        for content in (f'{{"metadata": {{"{key}": 1}}}}', f'{{"metadata": {{"a": {{"{key}": 1}}}}}}', f'{{"{key}": 1}}'):
            response = await front.admin.client.post(
                "/api/threads", content=content, headers={"Content-Type": "application/json"}
            )
            refused(response, response.status_code)
            assert response.status_code in (400, 422)
        assert await stored(front) == before


async def test_nesting_is_stored_and_read_back_or_refused(front: Front):
    for depth in [50, 200, 400, 900, 3000, 12_000]:
        content = '{"metadata": {"a": ' + "[" * depth + "]" * depth + "}}"
        response = await front.admin.client.post("/api/threads", content=content, headers={"Content-Type": "application/json"})
        if response.is_success:
            thread = response.json()["id"]
            assert (await front.admin.client.get(f"/api/threads/{thread}")).text.count("[") >= depth
        else:
            refused(response, response.status_code)
            assert response.status_code in (400, 422)
        done(await front.admin.client.get("/api/threads"))


async def test_large_numbers_in_free_json_come_back_or_are_refused(front: Front):
    for number in ["1" * 4000, "-" + "9" * 25, "1e308", "-0.0", "9007199254740993"]:
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
    from deskmate.services import texts

    monkeypatch.setattr(texts, "LONGEST_TEXT", 1000)
    response = await front.admin.client.post(f"/api/threads/{thread}/messages", json={"text": "x" * 1001})
    assert refused(response, 422, "invalid")["field"] == "text"


async def test_a_message_needs_words(front: Front, thread: str):
    for text in ["", " ", "\n\t", "\u200b", "\u2060\ufeff"]:
        response = await front.admin.client.post(f"/api/threads/{thread}/messages", json={"text": text})
        assert refused(response, 422, "invalid")["field"] == "text"


async def test_odd_text_is_kept_as_it_is(front: Front, thread: str):
    for text in [
        "<script>alert(1)</script>",
        "'; DROP TABLE messages; --",
        "%s %(a)s {0} :name",
        "\u202eright to left",
        "👩‍👩‍👧",
        "\x07\x1b[2J",
    ]:
        await front.admin.say(thread, text)
        assert (await front.admin.messages(thread))[-1]["text"] == text


async def test_only_json_is_taken(front: Front, places: dict[str, str]):
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonx"]:
        before = await stored(front)
        for method, path, *_ in await writes(front):
            response = await front.admin.client.request(
                method, path.format(**places), content=b"{}", headers={"Content-Type": media} if media else {}
            )
            refused(response, 415, "unsupported_media_type")
        assert await stored(front) == before
