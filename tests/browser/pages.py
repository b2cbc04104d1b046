"""Pages as the tests see them: where they are served, what their console says, and pictures of them."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page

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


async def watched(context: BrowserContext) -> Watched:
    """A new page whose errors are kept. A 401 before signing in is the page asking who is there."""
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" and "401" not in message.text else None,
    )
    page.set_default_timeout(10_000)
    return Watched(page=page, complaints=complaints)


async def picture(page: Page, name: str) -> None:
    """Keep a screenshot where DESKMATE_SCREENSHOTS names a folder; the pictures in docs/ are made like this."""
    folder = os.environ.get("DESKMATE_SCREENSHOTS")
    if folder:
        assert urlsplit(page.url).hostname == "127.0.0.1"
        await page.screenshot(path=Path(folder) / f"{name}.png")
