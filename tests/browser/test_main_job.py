"""The main job, seen by a customer on a phone and an operator at a desk: ask, be asked, answer, and watch the AI finish."""

import pytest
from playwright.async_api import Browser, expect
from tests.browser.pages import PASSWORD, Site, Watched, picture, watched

pytestmark = pytest.mark.browser


async def sign_in(inbox: Watched, site: Site) -> None:
    await inbox.page.goto(f"{site.url}/inbox")
    await inbox.page.get_by_label("Email").fill("ana@shop.example")
    await inbox.page.get_by_label("Password").fill(PASSWORD)
    await inbox.page.get_by_role("button", name="Sign in").click()
    await expect(inbox.page.get_by_role("heading", name="Inbox")).to_be_visible()


async def say(chat: Watched, text: str) -> None:
    await chat.page.get_by_role("textbox", name="Message").fill(text)
    await chat.page.keyboard.press("Enter")


async def test_what_the_faq_does_not_know_an_operator_answers_and_the_customer_sees_it_live(browser: Browser, site: Site) -> None:
    phone = await browser.new_context(viewport={"width": 390, "height": 844})
    desktop = await browser.new_context(viewport={"width": 1280, "height": 800})
    chat, inbox = await watched(phone), await watched(desktop)
    await sign_in(inbox, site)
    await chat.page.goto(f"{site.url}/chat")

    await say(chat, "How do I dry a wet tent?")
    await expect(chat.page.get_by_text("shaded, airy place")).to_be_visible()
    await expect(chat.page.get_by_text("tents.md")).to_be_visible()

    await say(chat, "Is the Lyon shop open on Whit Monday?")
    await expect(chat.page.get_by_text("One moment")).to_be_visible()
    await picture(chat.page, "chat-390-waiting")

    await inbox.page.locator(".thread-row").first.click()
    card = inbox.page.locator(".request--question")
    await expect(card).to_contain_text("Is the Lyon shop open on Whit Monday?")
    await picture(inbox.page, "inbox-1280-question")
    await card.get_by_role("textbox", name="Answer").fill("Yes, until 19:00.")
    await card.get_by_role("button", name="Answer").click()

    reply = chat.page.locator(".message--agent").filter(has_text="Yes, until 19:00.")
    await expect(reply).to_have_count(1)
    await expect(reply).to_contain_text("Ana")
    await expect(inbox.page.locator(".message--agent").filter(has_text="Yes, until 19:00.")).to_have_count(1)
    await picture(chat.page, "chat-390-answered")
    await picture(inbox.page, "inbox-1280-answered")

    await chat.page.reload()
    await expect(chat.page.locator(".message--agent").filter(has_text="Yes, until 19:00.")).to_have_count(1)
    assert chat.complaints == []
    assert inbox.complaints == []
    await phone.close()
    await desktop.close()


async def test_an_operator_takes_over_talks_and_hands_back(browser: Browser, site: Site) -> None:
    phone = await browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    desktop = await browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    chat, inbox = await watched(phone), await watched(desktop)
    await sign_in(inbox, site)
    await chat.page.goto(f"{site.url}/chat")
    await say(chat, "Can you engrave my name on a mug?")
    await inbox.page.locator(".thread-row").first.click()

    await inbox.page.get_by_role("button", name="Take over").first.click()
    await expect(chat.page.get_by_text("Ana", exact=False).first).to_be_visible()
    await inbox.page.get_by_role("textbox", name="Reply").fill("We do, it takes two days.")
    await inbox.page.get_by_role("button", name="Send").click()
    await expect(chat.page.locator(".message--operator")).to_contain_text("We do, it takes two days.")
    await picture(inbox.page, "inbox-1280-dark")

    await inbox.page.get_by_role("button", name="Hand back").first.click()
    await inbox.page.get_by_role("textbox", name="Note").fill("Engraving is settled.")
    await inbox.page.get_by_role("button", name="Hand back").last.click()
    await expect(inbox.page.get_by_role("button", name="Take over").first).to_be_visible()
    await expect(chat.page.get_by_text("Engraving is settled.")).to_have_count(0)

    await say(chat, "How long can I return something?")
    await expect(chat.page.get_by_text("within 30 days")).to_be_visible()
    await picture(chat.page, "chat-390-dark")
    assert chat.complaints == []
    assert inbox.complaints == []
    await phone.close()
    await desktop.close()
