"""The list side of the inbox: what waits, in which order, and what an operator picks from it, by keyboard alone."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect
from tests.browser.cards import pictures, signed_in
from tests.browser.desks import DeskSite, busy, desk_site
from tests.browser.test_accessibility import serious

pytestmark = pytest.mark.browser


@pytest.fixture
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def test_the_list_shows_who_waits_how_long_and_who_is_on_it(browser: Browser, site: DeskSite) -> None:
    await busy(site)
    context, inbox = await signed_in(browser, site, bypass_csp=True)
    page = inbox.page
    await page.goto(f"{site.url}/inbox")
    rows = page.locator(".thread-row")
    await expect(rows).to_have_count(5)
    await expect(rows.filter(has_text="Cai Moreau")).to_contain_text("Ben")
    await pictures(page, "list-busy")
    await page.locator("#mentions").click()
    await pictures(page, "list-mentions")
    assert await serious(page) == []
    assert inbox.complaints == []
    await context.close()
