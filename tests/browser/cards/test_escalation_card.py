"""The card of an escalation: take the thread over, answer through the AI, or say no, with the keyboard alone."""

import pytest
from playwright.async_api import expect
from tests.browser.cards.desk import (
    CardSite,
    deaf,
    decided,
    decided_by_ben,
    escalated,
    opened,
    pictures,
    type_into,
)
from tests.browser.pages import Watched

from deskmate.domain.requests import DecisionKind, NewDecision

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


async def test_an_operator_takes_over_with_the_first_words(site: CardSite, seen: Watched) -> None:
    request = await escalated(site)
    page = seen.page
    card = await opened(page, site, request.thread, "escalation")
    await pictures(page, "escalation")
    await page.keyboard.press("a")
    await type_into(page, card.get_by_role("textbox", name="First words"), "Hello Ada, Ana here.")
    await pictures(page, "escalation-take-over")
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You took over")
    await expect(page.get_by_role("textbox", name="Reply")).to_be_focused()
    thread = await site.desk.threads.get(request.thread)
    assert (thread.assignment.to, thread.assignment.id) == ("operator", site.ana.id)
    last = (await site.desk.messages.page(request.thread)).items[-1]
    assert (last.text, last.author.id) == ("Hello Ada, Ana here.", site.ana.id)
    await pictures(page, "escalation-taken")
    assert seen.complaints == []


async def test_an_operator_answers_through_the_ai(site: CardSite, seen: Watched) -> None:
    request = await escalated(site)
    page = seen.page
    card = await opened(page, site, request.thread, "escalation")
    await page.keyboard.press("e")
    await type_into(page, card.get_by_role("textbox", name="Answer"), "The money leaves today.")
    await pictures(page, "escalation-answer")
    await page.keyboard.press("Control+Enter")
    await expect(card).to_contain_text("You answered")
    decision = (await decided(site, request.id)).decision
    assert decision is not None
    assert (decision.kind, decision.value) == ("answer", "The money leaves today.")
    assert (await site.desk.threads.get(request.thread)).assignment.to == "ai"
    assert seen.complaints == []


async def test_an_operator_declines_with_a_note(site: CardSite, seen: Watched) -> None:
    request = await escalated(site)
    page = seen.page
    card = await opened(page, site, request.thread, "escalation")
    await page.keyboard.press("r")
    await type_into(page, card.get_by_role("textbox", name="Reason"), "Nobody is in before ten.")
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You declined")
    await expect(card).to_contain_text("Nobody is in before ten.")
    assert (await decided(site, request.id)).decision.reason == "Nobody is in before ten."  # pyright: ignore[reportOptionalMemberAccess]
    assert seen.complaints == []


async def test_p2_who_takes_over_too_late_is_told_who_was_first(site: CardSite, seen: Watched) -> None:
    request = await escalated(site)
    page = seen.page
    await deaf(page)
    card = await opened(page, site, request.thread, "escalation")
    await decided_by_ben(site, request.id, NewDecision(kind=DecisionKind.DECLINE, reason="I shall call her."))
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    await expect(card.get_by_role("alert")).to_contain_text("Somebody was faster. Ben Ode declined")
    await expect(card.get_by_role("alert")).to_contain_text("I shall call her.")
