"""Pages in a real browser, against a real server on a real port.

One browser serves all tests of a process: they share its event loop. Each has contexts of its own, as separate as two people's.
"""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from tests.acceptance.doors import serving
from tests.browser.pages import PASSWORD, Site

from deskmate import Desk, FaqAgent, FaqLibrary, Settings

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[Site]:
    library = FaqLibrary(FAQ)
    desk = Desk(store_url, agents=[FaqAgent(library)], settings=Settings(rate_limits=False))
    ana = await desk.operators.add(name="Ana Diaz", email="ana@shop.example", password=PASSWORD)
    async with serving(desk) as url:
        yield Site(url=url, desk=desk, ana=ana)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def launched() -> AsyncIterator[Browser]:
    path = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(launched: Browser, site: Site) -> AsyncIterator[Browser]:
    """The browser, in which nobody is signed in. Its pages are closed before the site is."""
    del site
    yield launched
    for context in launched.contexts:
        await context.close()
