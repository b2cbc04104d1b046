"""What assistive technology finds on the cards of requests: nothing serious, whatever is being done on them."""

import pytest
from playwright.async_api import Browser, Page, expect
from tests.browser.cards.desk import ARGS, CardSite, as_if, drafted, escalated, opened, signed_in, tool_call, wrote
from tests.browser.cards.test_question_card import BOOKING
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


async def everywhere(page: Page) -> None:
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await serious(page) == []


async def test_nothing_serious_on_any_card(site: CardSite, browser: Browser) -> None:
    seen = await signed_in(browser, site, bypass_csp=True)  # axe puts its script into the page
    page = seen.page

    thread = await wrote(site, "We would like to book the repair course.")
    await site.desk.requests.ask("What do we book?", thread=thread.id, response_schema=BOOKING, suggestion="{}")
    card = await opened(page, site, thread.id, "question")
    await page.keyboard.press("a")
    await page.keyboard.press("Control+Enter")
    await expect(card.get_by_role("alert").first).to_be_visible()
    await everywhere(page)

    message, request = await tool_call(site)
    first = {"by": {"id": "op_ben", "name": "Ben Ode"}, "at": "2026-01-05T09:00:00Z", "args": None}
    await as_if(page, request.id, {"approval": None, "run": "run_1", "first_approval": first, "missed": 1})
    card = await opened(page, site, message.thread, "approval")
    await page.keyboard.press("e")
    await expect(card.get_by_label("order")).to_be_focused()
    await page.keyboard.type("1")
    await expect(card.get_by_role("button", name="Approve with 1 change")).to_be_visible()
    await everywhere(page)

    await page.unroute_all()
    decision = {"kind": "edit", "args": {**ARGS, "order": 1}, "by": first["by"], "at": "2026-01-05T09:00:00Z"}
    for state in ("in_doubt", "failed"):
        await as_if(page, request.id, {"state": state, "decision": decision})
        await page.goto(f"{site.url}/inbox/threads/{message.thread}")
        await expect(page.locator(f'[data-state="{state}"]')).to_be_visible()
        await everywhere(page)
        await page.unroute_all()

    draft = await drafted(site)
    card = await opened(page, site, draft.thread, "draft")
    await page.keyboard.press("e")
    await expect(card.get_by_role("textbox", name="Text that is sent")).to_be_focused()
    await page.keyboard.type("Well: ")
    await everywhere(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await everywhere(page)

    escalation = await escalated(site)
    card = await opened(page, site, escalation.thread, "escalation")
    await page.keyboard.press("a")
    await expect(card.get_by_role("textbox", name="First words")).to_be_focused()
    await everywhere(page)
    assert seen.complaints == []
