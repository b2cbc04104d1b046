"""Files over HTTP: given to a thread, said in a message, and taken as downloads that no browser runs."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from tests.acceptance.doors import Front, Person, done, refused, soon

from deskmate.domain.files import LARGEST
from deskmate.server.api import files


async def give(who: Person, thread: str, content: bytes, name: str | None = None, kind: str = "text/plain") -> str:
    params = {} if name is None else {"filename": name}
    path = f"/api/threads/{thread}/files"
    return done(await who.client.post(path, params=params, content=content, headers={"Content-Type": kind}), 201)["id"]


async def test_a_customers_file_reaches_the_team_as_it_was(ada: Person, ana: Person):
    thread, content = await ada.thread(), bytes(range(256)) * 20
    file = await give(ada, thread, content, "Rechnung für März.pdf", "application/pdf")
    said = await ada.say(thread, "", files=[file], respond=False)
    part = {"type": "file", "file": file, "media_type": "application/pdf", "filename": "Rechnung für März.pdf"}
    assert (said["text"], said["parts"]) == ("", [part])
    response = await ana.client.get(f"/api/files/{file}")
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["content-type"] == "application/pdf"
    name = "Rechnung%20f%C3%BCr%20M%C3%A4rz.pdf"
    assert response.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert (await ana.get("/api/threads"))["items"][0]["preview"]["text"] == "Rechnung für März.pdf"


@pytest.mark.parametrize(
    ("kind", "served", "how"),
    [
        ("image/png", "image/png", "inline"),
        ("IMAGE/JPEG; charset=x", "image/jpeg", "inline"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("text/html", "application/octet-stream", "attachment"),
        ("application/xhtml+xml", "application/octet-stream", "attachment"),
        ("text/javascript", "application/octet-stream", "attachment"),
        ("text/plain; charset=utf-8", "text/plain", "attachment"),
        ("no media type", "application/octet-stream", "attachment"),
        ("", "application/octet-stream", "attachment"),
    ],
)
async def test_no_browser_runs_what_somebody_sent(ada: Person, ana: Person, kind: str, served: str, how: str):
    thread = await ada.thread()
    file = await give(ada, thread, b"<script>alert(1)</script>", 'a"\r\nX-Evil: 1;.html', kind)
    await ada.say(thread, "See", files=[file], respond=False)
    headers = (await ana.client.get(f"/api/files/{file}")).headers
    assert headers["content-type"] == served
    assert headers["content-disposition"] == f"{how}; filename*=UTF-8''a%22%0D%0AX-Evil%3A%201%3B.html"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'; sandbox")
    assert "x-evil" not in headers


async def test_a_file_belongs_to_who_gave_it_and_to_one_thread(front: Front, ada: Person, ana: Person, ben: Person):
    bob, thread, other = await front.visitor(), await ada.thread(), await ada.thread()
    file = await give(ana, thread, b"plan")
    for who in (ada, ben, bob, front.admin):
        refused(await who.client.get(f"/api/files/{file}"), 404, "not_found")
    for who, where in ((ada, thread), (ben, thread), (ana, other)):
        response = await who.client.post(f"/api/threads/{where}/messages", json={"text": "Here", "files": [file]})
        assert refused(response, 404, "not_found")["field"] == "files"
        assert await who.messages(where) == []
    refused(await bob.client.post(f"/api/threads/{thread}/files", content=b"x"), 404, "not_found")
    await ana.say(thread, "Here", files=[file])
    for who in (ada, ben, front.admin):
        assert (await who.client.get(f"/api/files/{file}")).content == b"plan"
    refused(await bob.client.get(f"/api/files/{file}"), 404, "not_found")


async def test_a_file_above_the_limit_is_413_whether_or_not_it_says_its_length(
    front: Front, ada: Person, monkeypatch: pytest.MonkeyPatch
):
    thread, large = await ada.thread(), b"x" * 20_000
    path = f"/api/threads/{thread}/files"

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1000):
            yield large[start : start + 1000]

    done(await ada.client.post(path, content=chunks()), 201)
    monkeypatch.setattr(files, "LARGEST", len(large) - 1)
    for content in (large, chunks()):
        assert refused(await ada.client.post(path, content=content), 413, "too_large")["field"] == "content"
    done(await ada.client.post(path, content=large[1:]), 201)
    # One that is far too large is not listened to at all.
    url = urlsplit(front.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {2 * LARGEST + 1}\r\n\r\n".encode())
    assert (await soon(reader.readline())).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_only_a_file_may_be_something_else_than_json(ada: Person):
    thread = await ada.thread()
    for path in (f"/api/threads/{thread}/messages", f"/api/threads/{thread}/files/x", "/api/threads"):
        response = await ada.client.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
        refused(response, 415, "unsupported_media_type")
    for bad in ("a%00b", "x" * 256):
        response = await ada.client.post(f"/api/threads/{thread}/files?filename={bad}", content=b"x")
        assert response.status_code in (400, 422), response.text
    response = await ada.client.post(f"/api/threads/{thread}/messages", json={"files": []})
    assert refused(response, 422, "invalid")["field"] == "text"
