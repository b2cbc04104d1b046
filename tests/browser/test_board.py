"""The board in a browser: what makes half of all escalations is seen at a glance, wide and narrow, light and dark."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from tests.acceptance.doors import serving
from tests.browser.cards.desk import signed_in, tab_to
from tests.browser.pages import PASSWORD, Site, picture
from tests.browser.test_accessibility import serious
from tests.store.board_day import SHOP, agents, asked, earlier, plant

from deskmate import Desk, Role, Settings
from deskmate.domain.calendars import calendar_of
from deskmate.testing import FakeClock

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
HEADLINE = f"Half of all escalations come from {SHOP}: refund_order failed"


@asynccontextmanager
async def board_site(store_url: str, *, longer: bool = False) -> AsyncGenerator[Site, None]:
    """A desk whose planted day ends now, and which Ana leads."""
    clock = FakeClock(datetime.now(UTC).replace(microsecond=0) - timedelta(hours=20 if longer else 4, minutes=1))
    async with Desk.open(store_url, agents=agents(), clock=clock, work=False) as planter:
        ana = await planter.operators.add(
            name="Ana Diaz", email="ana@shop.example", password=PASSWORD, role=Role.LEAD, capacity=5
        )
        ben = await planter.operators.add(name="Ben Ode", email="ben@shop.example", password=PASSWORD)
        await planter.queues.add("returns", calendar=calendar_of({"zone": "UTC", "hours": {"tue": [["00:00", "00:01"]]}}))
        if longer:
            await earlier(planter, clock, ana)
        await asked(planter)
        await plant(planter, clock, ana)
    desk = Desk(store_url, agents=agents(), settings=Settings(rate_limits=False))
    async with serving(desk) as url:
        await desk.operators.presence(ana.id, "available")
        await desk.operators.presence(ben.id, "away")
        yield Site(url=url, desk=desk, ana=ana)


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[Site]:
    async with board_site(store_url) as site:
        yield site


async def in_first_screenful(page: Page, found: Locator) -> bool:
    """Whether all of it is seen without scrolling."""
    box = await found.bounding_box()
    assert box is not None
    size = page.viewport_size
    assert size is not None
    right, bottom = box["x"] + box["width"], box["y"] + box["height"]
    return box["y"] >= 0 and box["x"] >= 0 and bottom <= size["height"] and right <= size["width"]


@pytest.mark.parametrize("width", [1280, 390])
async def test_half_of_all_escalations_are_traced_to_one_tool_in_the_first_screenful(
    launched: Browser, store_url: str, width: int
) -> None:
    async with board_site(store_url, longer=True) as site:
        await look_at_the_callout(launched, site, width)


async def look_at_the_callout(launched: Browser, site: Site, width: int) -> None:
    seen = await signed_in(launched, site, width=width)
    page = seen.page
    await page.goto(f"{site.url}/board")
    callout = page.get_by_role("region", name="What makes most escalations")
    await expect(callout.get_by_role("heading", name=HEADLINE)).to_be_visible()
    await expect(callout).to_contain_text("50 %: 6 of 12 in the last 24 hours, the last one 1 h")
    assert await in_first_screenful(page, callout)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        if (width, scheme) != (390, "dark"):
            await picture(page, f"board-{width}-{scheme}" if width == 1280 else f"board-{width}")
    await callout.get_by_text("6 threads concerned").click()
    await callout.get_by_role("link", name="Refund").first.click()
    await expect(page.locator(".request--escalation, .message").first).to_be_visible()
    assert seen.complaints == []
    await page.context.close()


async def test_every_number_is_in_words_too(browser: Browser, site: Site) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.goto(f"{site.url}/board")
    tiles = page.locator(".tiles")
    await expect(tiles).to_contain_text("8 of 20 threads")
    await expect(tiles).to_contain_text("half of 4; 9 of 10 in 40 min")
    await expect(page.get_by_role("img", name="The AI alone answered 40 % of 20 threads")).to_be_visible()
    await expect(page.get_by_role("img", name="Half of 4 waits ended within 25 min, nine of ten within 40 min.")).to_be_visible()
    answered = page.locator("section", has=page.get_by_role("heading", name="Who answered"))
    await answered.get_by_text("As a table").click()
    await expect(answered.get_by_role("table")).to_contain_text("Nobody yet")
    people = page.locator("section", has=page.get_by_role("heading", name="People now"))
    await expect(people.get_by_role("row", name="Ana Diaz")).to_contain_text("4 of 5")
    queues = page.locator("section", has=page.get_by_role("heading", name="Queues now"))
    await expect(queues.get_by_role("row", name="returns")).to_contain_text("closed until")
    assert seen.complaints == []


async def test_period_and_queue_are_chosen_by_keyboard_and_stay_in_the_address(browser: Browser, site: Site) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.goto(f"{site.url}/board")
    await expect(page.get_by_role("heading", name=HEADLINE)).to_be_visible()
    await tab_to(page, page.locator("#queue"))
    await page.keyboard.type("returns")
    await expect(page.get_by_text("Nothing was passed on to people in the last 24 hours.")).to_be_visible()
    await tab_to(page, page.locator("#period"))
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_text("Nothing was passed on to people in the last 7 days.")).to_be_visible()
    assert page.url.endswith("/board?period=week&queue=returns")
    await page.reload()
    await expect(page.get_by_text("Nothing was passed on to people in the last 7 days.")).to_be_visible()
    await page.go_back()
    await page.go_back()
    await expect(page.get_by_role("heading", name=HEADLINE)).to_be_visible()
    assert page.url.endswith("/board")
    assert seen.complaints == []


async def test_what_does_not_load_says_so_and_what_was_there_stays(browser: Browser, site: Site) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.route("**/api/board*", lambda route: route.abort())
    await page.goto(f"{site.url}/board")
    await expect(page.get_by_role("alert")).to_contain_text("The board did not load")
    await page.unroute_all()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name=HEADLINE)).to_be_visible()
    await page.context.set_offline(True)
    await expect(page.get_by_text("Offline.")).to_be_visible()
    await expect(page.get_by_role("heading", name=HEADLINE)).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_text("Offline.")).to_have_count(0)


async def test_who_is_not_signed_in_is_shown_the_way_and_the_inbox_leads_to_the_board(browser: Browser, site: Site) -> None:
    stranger = await browser.new_page()
    await stranger.goto(f"{site.url}/board")
    await expect(stranger.get_by_role("link", name="Sign in")).to_be_visible()
    seen = await signed_in(browser, site)
    await seen.page.goto(f"{site.url}/inbox")
    await seen.page.get_by_role("link", name="Board").click()
    await expect(seen.page.get_by_role("heading", name=HEADLINE)).to_be_visible()
    assert seen.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_serious_on_the_board(browser: Browser, site: Site, width: int) -> None:
    seen = await signed_in(browser, site, width=width, bypass_csp=True)
    await seen.page.goto(f"{site.url}/board")
    await expect(seen.page.get_by_role("heading", name=HEADLINE)).to_be_visible()
    await seen.page.get_by_text("6 threads concerned").first.click()
    await seen.page.get_by_text("As a table").first.click()
    assert await serious(seen.page) == []
