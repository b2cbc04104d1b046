"""The customer's chat while a person is waited for: the line, who types, files both ways, the transcript."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.browser.cards.desk import CardSite, card_site, pictures, signed_in
from tests.browser.pages import watched
from tests.browser.test_accessibility import serious

from deskmate.domain.actors import SYSTEM
from deskmate.domain.operators import Presence

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[CardSite]:
    async with card_site(store_url) as site:
        yield site


async def wants_a_person(page: Page, site: CardSite) -> str:
    """The visitor waits in the queue; the thread they wait with."""
    await page.goto(f"{site.url}/chat")
    await page.get_by_role("button", name="Talk to a person").click()
    await expect(page.locator("#waiting")).to_be_visible()
    return str(await page.evaluate("JSON.parse(localStorage.getItem('deskmate.chat')).thread"))


async def test_who_waits_is_told_their_place_and_who_types_and_gets_files(site: CardSite, browser: Browser) -> None:
    desk, ana = site.desk, site.ana
    await desk.operators.presence(ana.id, Presence.AVAILABLE, by=SYSTEM)
    before = await desk.threads.open(customer="ada", subject="Before")
    await desk.assignments.assign(before.id, "queue:support", by=ana)
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", bypass_csp=True)
    chat = await watched(phone)
    thread = await wants_a_person(chat.page, site)
    line = chat.page.locator("#waiting")
    await expect(line).to_contain_text("You are number 2 in line")
    await pictures(chat.page, "chat-line")

    inbox = await signed_in(browser, site)
    await inbox.page.goto(f"{site.url}/inbox/threads/{thread}")
    await chat.page.get_by_role("textbox", name="Message").press_sequentially("It is")
    await expect(inbox.page.locator("#viewers")).to_contain_text("is typing…")
    await chat.page.get_by_role("textbox", name="Message").fill("")

    await chat.page.get_by_label("Attach files").set_input_files([{"name": "seam.png", "mimeType": "image/png", "buffer": PIXEL}])
    await expect(chat.page.get_by_role("list", name="Files to send")).to_contain_text("70 B")
    await chat.page.get_by_role("button", name="Send").click()
    await expect(chat.page.get_by_role("img", name="seam.png")).to_be_visible()
    await expect(inbox.page.get_by_role("img", name="seam.png")).to_be_visible()

    await inbox.page.get_by_role("textbox", name="Reply").press_sequentially("Here are the terms.")
    await inbox.page.get_by_label("Attach files").set_input_files(
        [{"name": "terms.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 terms"}]
    )
    await expect(inbox.page.get_by_role("list", name="Files to send")).to_contain_text("14 B")
    await inbox.page.get_by_role("textbox", name="Reply").press("Control+Enter")
    chip = chat.page.get_by_role("button", name="terms.pdf")
    await expect(chip).to_be_visible()
    await inbox.page.keyboard.type("One")
    await expect(chat.page.get_by_text("Ana is typing…")).to_be_visible()
    assert await serious(chat.page) == []
    await pictures(chat.page, "chat-typing")
    async with chat.page.expect_download() as download:
        await chip.click()
    assert (await download.value).suggested_filename == "terms.pdf"
    async with chat.page.expect_download() as download:
        await chat.page.get_by_role("button", name="Transcript").click()
    assert "Here are the terms." in (await (await download.value).path()).read_text("utf-8")
    read = await desk.reads.of_customer(thread, by=ana)
    assert read is not None
    assert read.message == (await desk.messages.page(thread)).items[-1].id
    assert [*chat.complaints, *inbox.complaints] == []
    await phone.close()


async def test_out_of_hours_the_chat_says_when_people_are_back(site: CardSite, browser: Browser) -> None:
    later = datetime.now(UTC) + timedelta(days=3)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    hours = {days[later.weekday()]: [["09:00", "17:00"]]}
    await site.desk.queues.change("support", calendar={"zone": "UTC", "hours": hours})
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, timezone_id="UTC")
    chat = await watched(phone)
    await wants_a_person(chat.page, site)
    await expect(chat.page.locator("#waiting")).to_contain_text(f"We are back on {later:%A}, 9:00")
    await pictures(chat.page, "chat-closed")
    assert chat.complaints == []
    await phone.close()
