"""The list side of the inbox: what waits, in which order, and what an operator picks from it, by keyboard alone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.browser.cards.desk import pictures, signed_in, type_into
from tests.browser.desks import DeskSite, busy, desk_site
from tests.browser.pages import PASSWORD, picture
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def test_the_list_shows_who_waits_how_long_and_who_is_on_it(browser: Browser, site: DeskSite) -> None:
    await busy(site)
    inbox = await signed_in(browser, site, bypass_csp=True)
    page = inbox.page
    await page.goto(f"{site.url}/inbox")
    rows = page.locator(".thread-row")
    await expect(rows).to_have_count(5)
    await expect(rows.filter(has_text="Cai Moreau")).to_contain_text("Ben")
    await expect(page).to_have_title("(2) Inbox · Deskmate")
    await pictures(page, "list-busy")
    assert await serious(page) == []
    for menu in ("mentions", "views", "team", "me"):
        await page.locator(f"#{menu}").click()
        await expect(page.locator(f"#{menu}-menu")).to_be_visible()
        await pictures(page, f"list-{menu}")
        assert await serious(page) == []
        await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.get_by_role("button", name="Views").click()
    await expect(page.get_by_role("dialog", name="Views and queues")).to_be_visible()
    await picture(page, "list-places-390")
    assert await serious(page) == []
    await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 1480, "height": 844})
    await picture(page, "list-busy-1480")
    assert inbox.complaints == []


async def test_what_is_filtered_and_how_it_is_ordered_lives_in_the_address(browser: Browser, site: DeskSite) -> None:
    await busy(site)
    inbox = await signed_in(browser, site)
    page = inbox.page
    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(5)
    await page.keyboard.press("f")
    await expect(page.get_by_label("Queue", exact=True)).to_be_focused()
    await page.get_by_label("Request").select_option("question")
    await expect(page.locator(".thread-row")).to_have_count(2)
    await pictures(page, "list-filter")
    await page.keyboard.press("Escape")
    await page.locator("#filter-sort").select_option("due")
    await expect(page.locator(".thread-row-customer")).to_have_text(["Cai Moreau", "Dot Okafor"])
    assert page.url.endswith("?sort=due&kind=question")

    await page.reload()
    await expect(page.locator(".thread-row-customer")).to_have_text(["Cai Moreau", "Dot Okafor"])
    await page.get_by_role("button", name="Remove Request Question").click()
    await expect(page.locator(".thread-row")).to_have_count(5)
    await page.go_back()
    await expect(page.locator(".thread-row")).to_have_count(2)
    assert inbox.complaints == []


async def test_the_same_is_done_to_threads_that_were_picked_by_keyboard(browser: Browser, site: DeskSite) -> None:
    inbox = await signed_in(browser, site, bypass_csp=True)
    page, bar = inbox.page, inbox.page.get_by_role("region", name="Selected threads")
    await page.goto(f"{site.url}/inbox?sort=newest")
    await expect(page.locator(".thread-row")).to_have_count(5)
    await page.keyboard.press("j")
    await page.keyboard.press("Space")
    await page.keyboard.press("Shift+J")
    await page.keyboard.press("Shift+J")
    await expect(bar).to_contain_text("3 selected")
    await page.keyboard.press("l")
    await type_into(page, bar.get_by_label("Add tags"), "summer, tents")
    await pictures(page, "list-bulk-tags")
    assert await serious(page) == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("3 threads tagged.")).to_be_visible()
    assert [(await site.desk.threads.get(site.threads[id].id)).tags for id in ("eve", "dot", "cai")] == [("summer", "tents")] * 3

    await page.keyboard.press("j")
    await page.keyboard.press("Shift+K")
    await page.keyboard.press("Shift+R")
    await expect(page.get_by_text("2 threads resolved.")).to_be_visible()
    await expect(page.locator(".thread-row")).to_have_count(3)
    assert inbox.complaints == []


async def test_a_thread_that_is_refused_stays_selected_and_says_why(browser: Browser, site: DeskSite) -> None:
    await site.desk.operators.change(site.ben.id, capacity=1)
    cleo = await site.desk.operators.add(name="Cleo Park", email="cleo@shop.example", password=PASSWORD)
    inbox = await signed_in(browser, site, email=cleo.email)
    page, bar = inbox.page, inbox.page.get_by_role("region", name="Selected threads")
    await page.goto(f"{site.url}/inbox?sort=newest")
    await page.get_by_label("Select Eve Sandberg").check()
    await page.get_by_label("Select Cai Moreau").click(modifiers=["Shift"])
    await expect(bar).to_contain_text("3 selected")
    await page.keyboard.press("#")
    await type_into(page, bar.get_by_label("Assign to"), "ben")
    await pictures(page, "list-bulk-assign")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("One thread given to Ben Ode. Refused for")).to_be_visible()
    await expect(page.locator(".thread-row-refused")).to_have_count(2)
    await expect(page.locator(".thread-row-refused").first).to_contain_text("Ben Ode holds")
    await expect(bar).to_contain_text("2 selected")
    await pictures(page, "list-bulk-refused")
    await page.keyboard.press("Escape")
    await expect(bar).to_have_count(0)
    assert inbox.complaints == []


async def test_x_takes_the_next_thing_and_says_when_there_is_none(browser: Browser, site: DeskSite) -> None:
    of = {id: thread.id for id, thread in site.threads.items()}
    request = await site.desk.requests.ask("May the pole be replaced?", thread=of["cai"], suggestion="Yes.")
    inbox = await signed_in(browser, site)
    page = inbox.page
    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(5)
    await page.keyboard.press("x")
    await expect(page.locator(f"#ask-{request.id}")).to_be_focused()
    await page.keyboard.press("x")
    await expect(page.get_by_text("Nothing waits for you in the queues right now.")).to_be_visible()
    await pictures(page, "list-next")

    await site.desk.assignments.assign(of["eve"], "queue:returns", by=site.ben)
    await page.keyboard.press("x")
    await expect(page.get_by_role("textbox", name="Reply")).to_be_focused()
    assert page.url.endswith(of["eve"])

    await site.desk.operators.change(site.ana.id, capacity=1)
    await expect(page.locator("#me")).to_contain_text("1.3 of 1")
    await page.keyboard.press("Escape")
    await page.keyboard.press("x")
    await expect(page.get_by_text("You have no room: you hold 1.3 of 1.")).to_be_visible()
    assert inbox.complaints == []
