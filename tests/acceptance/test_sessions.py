"""Sessions of browsers, and keys: what opens the doors for operators, and what does not open them any more."""

import httpx
from tests.acceptance.doors import Front, Person, done, refused


async def test_a_session_cookie_reads_and_writes_from_our_own_pages_only(front: Front, browser: httpx.AsyncClient):
    assert done(await browser.get("/api/me"))["kind"] == "operator"
    body = {"subject": "x"}
    for headers in (
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": front.url},
    ):
        refused(await browser.post("/api/threads", json=body, headers=headers), 403, "forbidden")
    assert (await front.admin.get("/api/threads"))["items"] == []
    done(await browser.post("/api/threads", json=body, headers={"Origin": front.url}), 201)
    done(await browser.post("/api/threads", json=body, headers={"Sec-Fetch-Site": "same-origin"}), 201)
    form = await browser.post("/api/threads", content=b'{"subject": "x"}', headers={"Content-Type": "text/plain"})
    refused(form, 415, "unsupported_media_type")


async def test_a_session_that_was_signed_out_or_whose_operator_left_opens_nothing(front: Front, browser: httpx.AsyncClient):
    second = front.client()
    done(await second.post("/api/session", json={"email": "web@shop.example", "password": "correct horse"}))
    token = dict(browser.cookies)
    done(await browser.delete("/api/session", headers={"Origin": front.url}), 204)
    refused(await front.client().get("/api/me", headers={"Cookie": f"deskmate_session={token['deskmate_session']}"}), 401)
    other = await front.admin.post("/api/operators", name="Root", email="root@shop.example", role="admin")
    me = done(await second.get("/api/me"))
    assert other["id"] != me["id"]
    done(await front.admin.client.delete(f"/api/operators/{me['id']}"))
    refused(await second.get("/api/me"), 401)


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(front: Front, browser: httpx.AsyncClient):
    answers = [
        refused(await front.client().post("/api/session", json={"email": email, "password": "wrong horse"}), 401)
        for email in ("web@shop.example", "nobody@shop.example")
    ]
    assert answers[0] == answers[1]


async def test_a_key_bound_to_an_operator_has_the_weaker_of_both_roles(front: Front):
    lead = await front.admin.post("/api/operators", name="Lea", email="lea@shop.example", role="lead")
    key = await front.admin.post("/api/keys", operator=lead["id"], role="admin")
    strong = Person(front.client(key["key"]))
    refused(await strong.client.post("/api/keys", json={"role": "admin"}), 403)
    refused(await strong.client.get("/api/keys"), 403)
    done(await front.admin.client.delete(f"/api/operators/{lead['id']}"))
    refused(await strong.client.get("/api/me"), 401)
