"""Fixtures for tests of request cards."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser
from tests.browser.cards.desk import CardSite, card_site, signed_in
from tests.browser.pages import Watched


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[CardSite]:
    async with card_site(store_url) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def seen(site: CardSite, browser: Browser) -> Watched:
    """A page of Ana, who is signed in."""
    return await signed_in(browser, site)
