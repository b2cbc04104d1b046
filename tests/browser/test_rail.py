"""The rail of the inbox: saved views, mentions of me, queues and the team, and whether I am there."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.browser.cards.desk import pictures, signed_in, type_into
from tests.browser.desks import DeskSite, busy, desk_site

from deskmate import customer
from deskmate.domain.messages import Visibility
from deskmate.testing import FakeClock, pass_time

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def command(page: Page, words: str) -> None:
    """Run a command by its name."""
    await page.keyboard.press("ControlOrMeta+k")
    await type_into(page, page.get_by_role("combobox", name="Command or name"), words)
    await page.keyboard.press("Enter")


async def test_filters_are_saved_as_a_view_chosen_changed_shared_and_deleted(browser: Browser, site: DeskSite) -> None:
    await busy(site)
    inbox = await signed_in(browser, site)
    page, menu = inbox.page, inbox.page.locator("#views-menu")
    await page.goto(f"{site.url}/inbox?kind=question&sort=due")
    await expect(page.locator(".thread-row")).to_have_count(2)
    await command(page, "save the filters")
    await menu.get_by_label("Save what the list shows as").fill("Asked of us")
    await menu.get_by_label("For the whole team").check()
    await pictures(page, "rail-view-new")
    await page.keyboard.press("Enter")
    await expect(menu.get_by_role("link", name="Asked of us")).to_contain_text("shared")
    await page.keyboard.press("Escape")

    await command(page, "view urgent")
    await expect(page.get_by_role("heading", name="Urgent returns")).to_be_visible()
    await expect(page.locator(".thread-row")).to_have_count(1)
    await page.reload()
    await expect(page.get_by_role("heading", name="Urgent returns")).to_be_visible()

    await page.locator("#views").click()
    await menu.get_by_role("button", name="Change Asked of us").click()
    await type_into(page, menu.get_by_label("Name", exact=True), "Questions")
    await pictures(page, "rail-view-change")
    await page.keyboard.press("Enter")
    await menu.get_by_role("link", name="Questions").click()
    assert page.url.endswith("?sort=due&kind=question")
    assert [(one.name, one.shared) for one in (await site.desk.views.list(by=site.ben)).items] == [("Questions", True)]

    await page.locator("#views").click()
    await menu.get_by_role("button", name="Change Questions").click()
    await menu.get_by_role("button", name="Delete").click()
    await expect(menu.get_by_role("link", name="Questions")).to_have_count(0)
    assert inbox.complaints == []


async def test_a_mention_opens_its_thread_at_the_note_and_is_read_then(browser: Browser, site: DeskSite) -> None:
    thread = site.threads["eve"].id
    inbox = await signed_in(browser, site)
    page = inbox.page
    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(5)
    note = await site.desk.messages.post(
        thread, "Do you know this street, @Ana Diaz?", author=site.ben, visibility=Visibility.NOTE
    )
    for number in range(60):
        await site.desk.messages.post(thread, f"And then, {number}", author=customer("eve", "Eve Sandberg"))
    await expect(page.locator("#mentions")).to_contain_text("1")
    await page.locator("#mentions").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#message-{note.id}")).to_be_focused()
    await expect(page.locator(f"#message-{note.id}")).to_be_in_viewport()
    await expect(page.locator("#mentions .count")).to_have_count(0)
    assert await site.desk.mentions.unread(by=site.ana) == 0
    assert inbox.complaints == []


async def test_whoever_the_clock_sent_away_is_told_and_the_next_key_brings_them_back(launched: Browser, store_url: str) -> None:
    clock = FakeClock()
    async with desk_site(store_url, clock) as site:
        await site.desk.operators.presence(site.ana.id, "available")
        inbox = await signed_in(launched, site)
        page = inbox.page
        await page.goto(f"{site.url}/inbox")
        await expect(page.locator("#me")).to_contain_text("Available")
        await pass_time(site.desk, clock, seconds=700)
        await expect(page.get_by_text("The next thing you do here brings you back.")).to_be_visible()
        await expect(page.locator("#me")).to_contain_text("Away")
        await pictures(page, "rail-away")
        await page.keyboard.press("j")
        await expect(page.get_by_text("and are available again")).to_be_visible()
        await expect(page.locator("#me")).to_contain_text("Available")
        assert (await site.desk.operators.get(site.ana.id)).presence == "available"
        assert inbox.complaints == []
        await page.context.close()


async def test_queues_and_loads_follow_what_happens_with_one_request_for_a_burst(browser: Browser, site: DeskSite) -> None:
    inbox = await signed_in(browser, site)
    page = inbox.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/api/queues") else None)
    await page.goto(f"{site.url}/inbox")
    await expect(page.get_by_role("link", name="returns")).to_be_visible()
    for thread in site.threads.values():
        await site.desk.assignments.assign(thread.id, "queue:returns", by=site.ben)
    await expect(page.get_by_role("link", name="returns 5 waiting")).to_be_visible()
    assert len(asked) <= 4
    await site.desk.assignments.assign(site.threads["ada"].id, f"operator:{site.ben.id}", by=site.ana)
    await page.locator("#team").click()
    await expect(page.locator(".colleague", has_text="Ben Ode")).to_contain_text("1 of 6")
    assert inbox.complaints == []


async def test_a_part_that_does_not_load_says_so_and_the_rest_works(browser: Browser, site: DeskSite) -> None:
    inbox = await signed_in(browser, site)
    page = inbox.page
    await page.route("**/api/queues", lambda route: route.abort())
    await page.route("**/api/me/mentions?*", lambda route: route.abort())
    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(5)
    await page.locator("#mentions").click()
    await expect(page.locator("#mentions-menu")).to_contain_text("Mentions did not load.")
    await page.unroute_all()
    await page.locator("#mentions-menu").get_by_role("button", name="Try again").click()
    await expect(page.locator("#mentions-menu")).to_contain_text("Nobody has called on you.")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Queues did not load").click()
    await expect(page.get_by_role("link", name="returns")).to_be_visible()
