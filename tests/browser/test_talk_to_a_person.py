"""A customer who wants a person gets one: the button of the chat, the card of the inbox, the first words."""

import pytest
from playwright.async_api import Browser, expect
from tests.browser.pages import Site, picture, watched
from tests.browser.test_main_job import sign_in

pytestmark = pytest.mark.browser


async def test_a_customer_asks_for_a_person_and_an_operator_takes_over_with_the_first_words(browser: Browser, site: Site) -> None:
    phone = await browser.new_context(viewport={"width": 390, "height": 844})
    desktop = await browser.new_context(viewport={"width": 1280, "height": 800})
    chat, inbox = await watched(phone), await watched(desktop)
    await sign_in(inbox, site)
    await chat.page.goto(f"{site.url}/chat")
    wants = chat.page.get_by_role("button", name="Talk to a person")
    await wants.click()
    await expect(chat.page.locator("#who-answers")).to_have_text("A person will answer here")
    await expect(chat.page.get_by_text("A person from the team will answer you here.")).to_have_count(1)
    await expect(wants).to_be_disabled()
    await picture(chat.page, "chat-390-wants-a-person")

    await inbox.page.locator(".thread-row").first.click()
    card = inbox.page.locator(".request--escalation")
    await expect(card).to_contain_text("wants a person to answer")
    await picture(inbox.page, "inbox-1280-wants-a-person")
    await inbox.page.keyboard.press("a")
    await inbox.page.keyboard.type("Hello, Ana here.")
    await picture(inbox.page, "inbox-1280-takes-over")
    await inbox.page.keyboard.press("Control+Enter")
    await expect(chat.page.get_by_text("Hello, Ana here.")).to_be_visible()
    await expect(chat.page.locator("#who-answers")).to_contain_text("Ana, from the team, is answering")
    assert chat.complaints == []
    assert inbox.complaints == []
    await phone.close()
    await desktop.close()
