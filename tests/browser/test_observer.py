"""Observers read all that operators read; what they may not do is not offered to them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.browser.cards.desk import pictures, signed_in
from tests.browser.desks import DeskSite, busy, desk_site
from tests.browser.test_accessibility import serious

from deskmate.domain.actors import Role

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def test_an_observer_is_offered_nothing_that_is_refused(browser: Browser, site: DeskSite) -> None:
    await busy(site)
    await site.desk.operators.change(site.ben.id, role=Role.OBSERVER)
    thread = site.threads["cai"].id
    seen = await signed_in(browser, site, email="ben@shop.example", bypass_csp=True)
    page = seen.page
    refused: list[str] = []
    changing: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status == 403 else None)
    page.on("request", lambda request: changing.append(request.url) if request.method in ("PATCH", "DELETE", "PUT") else None)
    await page.goto(f"{site.url}/inbox/threads/{thread}")
    card = page.locator(".request--question")
    await expect(card).to_contain_text("Operators decide this.")
    await expect(page.get_by_text("You observe: you read everything here")).to_be_visible()
    for name in ("Resolve", "Snooze (s)", "Take over", "Next for me", "Add a tag"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    for name in ("Priority", "Mode"):
        await expect(page.get_by_role("combobox", name=name)).to_be_disabled()
    await expect(page.locator("#compose")).to_have_count(0)
    await expect(page.locator(".thread-pick")).to_have_count(0)
    await expect(card.locator(":is(button, textarea, input):enabled")).to_have_count(0)
    await pictures(page, "observer")
    assert await serious(page) == []

    await page.locator("#subject").focus()
    for key in ("t", "a", "r", "n", "s", "x", "Shift+R", "Shift+J", "#"):
        await page.keyboard.press(key)
    await expect(page.locator("dialog")).to_have_count(0)
    await page.keyboard.press("ControlOrMeta+k")
    offered = " ".join(await page.locator("#palette-list li").all_text_contents())
    assert not any(words in offered for words in ("Take over", "Resolve", "Assign", "Write", "Next for me"))
    assert "Search threads" in offered
    assert (refused, changing) == ([], [])
    found = await site.desk.threads.get(thread, by=site.ana)
    assert (found.status, found.assignment.to) == ("open", "ai")
    assert seen.complaints == []
