"""What people do with mails: look who got them, follow their links, send the forms behind them."""

import httpx
from tests.acceptance.doors import Front, Person
from tests.acceptance.mail.postbox import Tags

from deskmate import Desk

MAILS = {"kinds": ["request.opened", "thread.waiting"], "to": "queue", "channels": ["inbox", "email"]}


async def email_of(front: Front, person: Person) -> str:
    return (await front.admin.get(f"/api/operators/{person.id}"))["email"]


async def asked(desk: Desk, ada: Person, text: str = "Is it?") -> tuple[str, str]:
    """A thread on which something waits for people, and the request."""
    thread = await ada.thread(subject="Opening hours")
    await ada.say(thread, text)
    await desk.run_due()
    [request] = (await desk.requests.list(by=(await desk.operators.list()).items[0], thread=thread)).items
    return thread, request.id


async def follow(front: Front, path: str) -> httpx.Response:
    return await front.client().get(path)


async def send(front: Front, path: str, **fields: str) -> httpx.Response:
    """Send the form of a page behind a link, without a session."""
    return await front.client().post(path, data=fields or {"nothing": ""})


def shown(response: httpx.Response, status: int = 200) -> Tags:
    """The page, after a look at what may be on such a page."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in response.headers["content-security-policy"]
    page = Tags(response.text)
    assert "script" not in page.names
    assert not [name for _, attributes in page.found for name in attributes if name.startswith(("on", "style"))]
    return page
