"""Pages in a real browser, against a real server on a real port."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from tests.acceptance.doors import serving

from deskmate import Desk, FaqAgent, FaqLibrary, Operator, Settings

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"
FAQ = [
    (
        "returns.md",
        "# Returns\n\n## How long can I return something?\n\nYou can return everything within 30 days. "
        "The parcel is free inside the EU.\n\n## When do I get my money back?\n\n"
        "We send the refund within five working days after the parcel has arrived at our workshop.\n",
    ),
    (
        "tents.md",
        "# Tents\n\n## How do I dry a wet tent?\n\nHang it loosely in a shaded, airy place until every seam is dry. "
        "Never use a tumble dryer: heat loosens the seam tape.\n",
    ),
]


def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("DESKMATE_REQUIRE_BROWSER"):
            pytest.fail("DESKMATE_REQUIRE_BROWSER is set, and there is no chromium on the PATH")
        pytest.skip("there is no chromium on the PATH")
    return path


@dataclass(kw_only=True)
class Site:
    """A running desk, and an operator of it."""

    url: str
    desk: Desk
    ana: Operator


@pytest.fixture
async def site(store_url: str) -> AsyncIterator[Site]:
    library = FaqLibrary(FAQ)
    desk = Desk(store_url, agents=[FaqAgent(library)], settings=Settings(rate_limits=False))
    ana = await desk.operators.add(name="Ana Diaz", email="ana@shop.example", password=PASSWORD)
    async with serving(desk) as url:
        yield Site(url=url, desk=desk, ana=ana)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


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
