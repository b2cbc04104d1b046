"""Thumbs under the AI's answers in the chat, and ratings beside them in the inbox."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.browser.cards.desk import CardSite, card_site, pictures, signed_in
from tests.browser.pages import watched
from tests.browser.test_accessibility import serious

from deskmate.domain.actors import customer
from deskmate.domain.agents import Output, Turn
from deskmate.testing import say

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[CardSite]:
    async with card_site(store_url) as site:
        yield site


async def thirty_days(_: Turn) -> AsyncIterator[Output]:
    yield say("You can return everything within 30 days. The parcel is free inside the EU.")


async def test_a_visitor_rates_an_answer_by_keyboard_and_the_team_sees_it_beside_the_answer(
    site: CardSite, browser: Browser
) -> None:
    site.bot.script = thirty_days
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", bypass_csp=True)
    chat = await watched(phone)
    await chat.page.goto(f"{site.url}/chat")
    await chat.page.get_by_role("textbox", name="Message").fill("How long can I return a tent?")
    await chat.page.keyboard.press("Enter")
    thumbs = chat.page.get_by_role("group", name="Was this answer helpful?")
    await expect(thumbs).to_have_count(1)
    up, down = (thumbs.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
    await up.focus()
    await chat.page.keyboard.press("Enter")
    await expect(up).to_have_attribute("aria-pressed", "true")
    await chat.page.keyboard.press("Tab")
    await chat.page.keyboard.press("Space")
    await expect(down).to_have_attribute("aria-pressed", "true")
    await expect(up).to_have_attribute("aria-pressed", "false")
    assert await serious(chat.page) == []
    await pictures(chat.page, "chat-rating")
    await chat.page.reload()
    await expect(down).to_have_attribute("aria-pressed", "true")

    memory = await chat.page.evaluate("JSON.parse(localStorage.getItem('deskmate.chat'))")
    thread, visitor = memory["thread"], customer(memory["customer"])
    [rated] = await site.desk.feedback.of_thread(thread, by=site.ana)
    assert rated.rating == "down"
    assert rated.message is not None
    inbox = await signed_in(browser, site, bypass_csp=True)
    await inbox.page.goto(f"{site.url}/inbox/threads/{thread}")
    beside = inbox.page.locator(f"#message-{rated.message}").get_by_role("list", name="Ratings")
    await expect(beside).to_contain_text("not helpful")
    await site.desk.feedback.rate(thread, "down", message=rated.message, correction="Within 60 days.", by=site.ana)
    await expect(beside).to_contain_text("Ana Diaz: not helpful")
    await expect(beside).to_contain_text("Within 60 days.")
    await site.desk.feedback.rate(thread, 2, comment="It was wrong <b>twice</b>", by=visitor)
    await expect(inbox.page.get_by_text("found this conversation 2 of 5")).to_be_visible()
    await expect(inbox.page.get_by_text("It was wrong <b>twice</b>")).to_be_visible()
    assert await serious(inbox.page) == []
    await pictures(inbox.page, "inbox-rating")
    await expect(chat.page.get_by_text("60 days")).to_have_count(0)
    assert [*chat.complaints, *inbox.complaints] == []
    await phone.close()


async def test_a_rating_that_does_not_arrive_is_not_shown_as_given(site: CardSite, browser: Browser) -> None:
    site.bot.script = thirty_days
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    chat = await watched(context)
    await chat.page.goto(f"{site.url}/chat")
    await chat.page.get_by_role("textbox", name="Message").fill("How long?")
    await chat.page.keyboard.press("Enter")
    up = chat.page.get_by_role("button", name="Helpful", exact=True)
    await expect(up).to_be_visible()
    await chat.page.route("**/rating", lambda route: route.abort())
    await up.click()
    await expect(chat.page.get_by_role("alert")).to_contain_text("did not arrive")
    await expect(up).to_have_attribute("aria-pressed", "false")
    await chat.page.unroute("**/rating")
    await up.click()
    await expect(up).to_have_attribute("aria-pressed", "true")
    await expect(chat.page.get_by_role("alert")).to_have_count(0)
    await context.close()
