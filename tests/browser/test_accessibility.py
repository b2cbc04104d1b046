"""What assistive technology finds: nothing serious on any page, light or dark, wide or narrow."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from tests.browser.conftest import Site, watched
from tests.browser.test_main_job import say, sign_in

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}


async def serious(page: Page) -> list[str]:
    """The serious findings of axe on this page, with where they are."""
    found = (await Axe().run(page)).response["violations"]
    return [f"{v['id']}: {[node['target'] for node in v['nodes']]}" for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=False)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_nothing_serious_on_any_page(browser: Browser, site: Site, scheme: str, size: dict[str, int], engine: str) -> None:
    context = await browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)  # axe puts its script into the page
    chat, inbox = await watched(context), await watched(context)
    await inbox.page.goto(f"{site.url}/inbox")
    await expect(inbox.page.get_by_label("Email")).to_be_visible()
    assert await serious(inbox.page) == []
    await sign_in(inbox, site)
    await chat.page.goto(f"{site.url}/chat")
    await say(chat, "Can you engrave a mug?")
    await expect(chat.page.get_by_text("One moment")).to_be_visible()
    assert await serious(chat.page) == []
    await expect(inbox.page.locator(".thread-row")).to_have_count(1)
    assert await serious(inbox.page) == []
    await inbox.page.locator(".thread-row").first.click()
    await expect(inbox.page.locator(".request--question")).to_be_visible()
    assert await serious(inbox.page) == []
    await context.close()
