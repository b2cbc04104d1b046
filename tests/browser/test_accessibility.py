"""What assistive technology finds: nothing serious on any page, light or dark, wide or narrow."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect
from tests.browser.pages import Site, watched
from tests.browser.test_main_job import say, sign_in

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 390, "height": 844}
ALL = {"resultTypes": ["violations"]}
COLOURS = ALL | {"runOnly": ["color-contrast", "link-in-text-block"]}


async def serious(page: Page) -> list[str]:
    """The serious findings of axe on this page, with where they are: all in a light scheme, those about colours in a dark one."""
    found: list[str] = []
    for scheme, options in (("dark", COLOURS), ("light", ALL)):
        await page.emulate_media(color_scheme=scheme)
        violations = (await Axe().run(page, options=options)).response["violations"]
        bad = [v for v in violations if v["impact"] in ("serious", "critical")]
        found += [f"{v['id']}, {scheme}: {[node['target'] for node in v['nodes']]}" for v in bad]
    return found


@pytest.mark.parametrize("engine", ["sqlite"], indirect=False)
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_nothing_serious_on_any_page(browser: Browser, site: Site, size: dict[str, int], engine: str) -> None:
    context = await browser.new_context(viewport=size, bypass_csp=True)  # axe puts its script into the page
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
