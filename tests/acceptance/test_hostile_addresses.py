"""Hostile addresses: paths, queries, headers and tokens that nobody sends by mistake get a clear problem, and never a 5xx."""

import base64
import json
from typing import Any

import pytest
from tests.acceptance.doors import Front, Person, asked, refused, soon, stored

from deskmate.testing import ScriptedAgent

ROOMS = {"threads": ("", "/messages"), "requests": ("", "/decision"), "operators": ("",), "keys": ("",)}


@pytest.fixture
async def thread(front: Front, agent: ScriptedAgent) -> str:
    """A thread with an open question; its id."""
    return await asked(front, agent)


async def test_paths_with_tricks_are_refused(front: Front, thread: str):
    for method in ["GET", "PATCH", "DELETE", "POST"]:
        for trick in (
            "%00", "a%00b", "%ff%fe", "%c0%80", "%2e%2e", "%2e%2e%2f%2e%2e", "..%2f..%2fetc%2fpasswd", "x" * 3000,
            "%ed%a0%80", "%F0%9F%98%80",
            "*", "%27%20OR%201=1--", "%25", "%0a", "%7f", "th_", " ", "%20", "null", "-1", "0",
        ):  # fmt: skip
            for room, tails in (
                ("threads", ("", "/messages")),
                ("requests", ("", "/decision")),
                ("operators", ("",)),
                ("keys", ("",)),
            ):
                body = {"json": {"kind": "answer", "value": 1, "text": "x"}} if method in ("POST", "PATCH") else {}
                for tail in tails:
                    response = await front.admin.client.request(method, f"/api/{room}/{trick}{tail}", **body)
                    fine = method == "DELETE" and room == "threads"
                    listing = method == "GET" and response.request.url.path.rstrip("/") in (f"/api/{room}", "/api", "")
                    fine = fine or listing or response.status_code == 307
                    assert fine or response.status_code in (400, 404, 405, 422), (
                        f"{method} {response.url}: {response.status_code}"
                    )
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
    "/api/canned": "canned",
    "/api/macros": "macros",
    "/api/views": "views",
}


async def test_bad_cursors_and_limits_are_400_or_422(front: Front, thread: str):
    for path in [*LISTS, "/api/threads/{thread}/messages"]:
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


async def test_unknown_values_in_a_query_name_their_parameter(front: Front):
    for path, params in [
        ("/api/threads", {"assignment": "everybody"}),
        ("/api/threads", {"status": "closed"}),
        ("/api/threads", {"sort": "random"}),
        ("/api/threads", {"kind": "everything"}),
        ("/api/threads", {"priority": "soon"}),
        ("/api/threads", {"tag": "x" * 201}),
        ("/api/threads", {"q": "x" * 201}),
        ("/api/threads", {"cursor": "x" * 501}),
        ("/api/requests", {"state": "unknown"}),
        ("/api/requests", {"kind": "unknown"}),
        ("/api/requests", {"mine": "perhaps"}),
    ]:
        response = await front.admin.client.get(path, params=params)
        assert refused(response, 422, "invalid")["field"] == next(iter(params))


async def test_searching_for_odd_text_finds_what_holds_it(front: Front):
    texts = ["%", "_", "\\", "%%%", "' OR 1=1 --", "(", "[a", '"', "*", "🦊", "\\%_", "Straße"]
    threads = {f"before {text} behind": await front.admin.thread(subject=f"before {text} behind") for text in texts}
    for text in texts:
        found = {item["id"] for item in (await front.admin.get("/api/threads", q=text))["items"]}
        assert found == {thread for subject, thread in threads.items() if text.lower() in subject.lower()}, text


async def test_a_stream_from_a_place_that_is_none_is_refused_before_it_opens(front: Front, thread: str):
    for bad in ("-1", "x", "1.5", "1e3", "9" * 19, "9" * 20, str(2**63), "\u0663", "\u00b2", "+1", "0x10", "null", "9" * 41):
        for place in ({"params": {"after": bad}}, {"headers": {"Last-Event-ID": bad.encode()}}):
            response = await soon(front.admin.client.get("/api/events", **place))
            assert response.status_code in (400, 422), f"{bad}: {response.status_code}"
            refused(response, response.status_code)
    refused(await soon(front.admin.client.get("/api/events", params={"thread": "x" * 101})), 422)


async def test_a_wait_that_is_no_time_is_refused(front: Front, thread: str):
    for wait in ["-1", "x", "nan", "inf", "-inf", "1e400", ""]:
        request = (await front.admin.open_request(thread))["id"]
        refused(await soon(front.admin.client.get(f"/api/requests/{request}", params={"wait": wait})), 422, "invalid")


async def test_a_time_that_is_none_is_refused(front: Front, thread: str):
    for at in [
        "tomorrow",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-01-01T00:00:00+99:99",
        "",
        "1",
        "\u0662\u0660\u0662\u0666-01-01T00:00:00Z",
    ]:
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


async def test_a_wrong_token_is_401_whatever_it_looks_like(front: Front):
    for token in ["x" * 10_000, "dk_" + "x" * 100, "ct_", "ds_x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\u00ff\u00fe"]:
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
