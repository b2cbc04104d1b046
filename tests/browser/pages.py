"""Pages as the tests see them: where they are served, what their console says, and pictures of them."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page

from deskmate import Desk, Operator

PASSWORD = "correct horse battery"


@dataclass(kw_only=True)
class Site:
    """A running desk, and an operator of it."""

    url: str
    desk: Desk
    ana: Operator


@dataclass(kw_only=True)
class Watched:
    """A page, and what its console complained about."""

    page: Page
    complaints: list[str]


ASKED_FOR = ("/api/policies/", "/api/webhooks", "/api/notifications", "/api/me/notifications/")
"""What a page asks a server for that may not have it."""


async def watched(context: BrowserContext) -> Watched:
    """A new page whose errors are kept. A 401 before signing in is the page asking who is there, and a 404 what there is."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if _complains(message) else None)
    page.set_default_timeout(10_000)
    return Watched(page=page, complaints=complaints)


def _complains(message: ConsoleMessage) -> bool:
    if message.type != "error" or "401" in message.text:
        return False
    return "404" not in message.text or not urlsplit(message.location["url"]).path.startswith(ASKED_FOR)


async def picture(page: Page, name: str) -> None:
    """Keep a screenshot where DESKMATE_SCREENSHOTS names a folder; the pictures in docs/ are made like this."""
    folder = os.environ.get("DESKMATE_SCREENSHOTS")
    if folder:
        assert urlsplit(page.url).hostname == "127.0.0.1"
        await page.screenshot(path=Path(folder) / f"{name}.png")
