"""The card of a draft: edited with its changes in sight, rejected with a review, and never sent unseen once it is stale."""

import pytest
from playwright.async_api import expect
from tests.browser.cards.desk import (
    ADA,
    WRITTEN,
    CardSite,
    deaf,
    decided,
    decided_by_ben,
    drafted,
    opened,
    pictures,
    tab_to,
    type_into,
)
from tests.browser.pages import Watched

from deskmate.domain.requests import DecisionKind, NewDecision

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


async def public(site: CardSite, thread: str) -> list[str]:
    return [one.text for one in (await site.desk.messages.page(thread)).items if one.visibility == "public"]


async def test_a_draft_is_sent_as_it_is_with_one_key(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    card = await opened(seen.page, site, draft.thread, "draft")
    await expect(card).to_contain_text(WRITTEN)
    await expect(seen.page.get_by_text(WRITTEN)).to_have_count(1)
    await pictures(seen.page, "draft")
    await seen.page.keyboard.press("a")
    await expect(card).to_contain_text("You sent it")
    assert (await public(site, draft.thread))[-1] == WRITTEN
    assert seen.complaints == []


async def test_a_draft_is_edited_with_its_changes_in_sight_and_a_review(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    page = seen.page
    card = await opened(page, site, draft.thread, "draft")
    await page.keyboard.press("e")
    said = "Yes, the footprint fits the 2024 model. Use the outer loops."
    await type_into(page, card.get_by_role("textbox", name="Text that is sent"), said)
    changes = card.get_by_role("group", name="Changes")
    await expect(changes.locator("del")).to_have_text(["all models", "Please use"])
    await expect(changes.locator("ins")).to_have_text(["the 2024 model", "Use"])
    await page.keyboard.press("Tab")
    await type_into(page, card.get_by_role("textbox", name="Review"), "Name the model.")
    await pictures(page, "draft-edit")
    await page.keyboard.press("Tab")
    await expect(card.get_by_role("button", name="Send with changes")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You sent it with changes")
    await expect(card.locator(".draft-diff del")).to_have_text(["all models", "Please use"])
    await pictures(page, "draft-edited")
    decision = (await decided(site, draft.id)).decision
    assert decision is not None
    assert (decision.kind, decision.text, decision.review) == ("edit", said, "Name the model.")
    assert (await public(site, draft.thread))[-1] == said
    assert seen.complaints == []


async def test_a_draft_is_rejected_with_a_review_and_the_ai_may_try_again(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    page = seen.page
    posted: list[object] = []
    page.on("request", lambda request: posted.append(request.post_data_json) if request.url.endswith("/decision") else None)
    card = await opened(page, site, draft.thread, "draft")
    await page.keyboard.press("r")
    await type_into(page, card.get_by_role("textbox", name="Review"), "It does not fit the old model.")
    await page.keyboard.press("Tab")
    await expect(card.get_by_role("checkbox", name="Let the AI try again")).to_be_focused()
    await page.keyboard.press("Space")
    await pictures(page, "draft-reject")
    await page.keyboard.press("Tab")
    await expect(card.get_by_role("button", name="Reject and let it try again")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You rejected")
    await expect(card).to_contain_text("It does not fit the old model.")
    assert posted == [{"kind": "reject", "review": "It does not fit the old model.", "retry": True}]
    assert WRITTEN not in await public(site, draft.thread)
    await pictures(page, "draft-rejected")
    assert seen.complaints == []


async def test_p4_a_stale_draft_says_so_and_is_sent_by_an_explicit_button_only(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    page = seen.page
    await deaf(page)
    card = await opened(page, site, draft.thread, "draft")
    await site.desk.messages.post(draft.thread, "Sorry, I meant the 2024 footprint.", author=ADA, respond=False)
    await page.keyboard.press("a")
    await expect(card).to_contain_text("wrote after this draft")
    await expect(card).to_contain_text("I meant the 2024 footprint.")
    assert (await decided(site, draft.id)).state == "open"
    await pictures(page, "draft-stale")
    await page.keyboard.press("a")
    await expect(card.get_by_role("button", name="Send anyway")).to_be_focused()
    assert (await decided(site, draft.id)).state == "open"
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You sent it")
    assert WRITTEN in await public(site, draft.thread)


async def test_p2_who_sends_too_late_is_told_who_was_first_and_keeps_their_words(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    page = seen.page
    await deaf(page)
    card = await opened(page, site, draft.thread, "draft")
    await page.keyboard.press("e")
    await type_into(page, card.get_by_role("textbox", name="Text that is sent"), "It fits.")
    await decided_by_ben(site, draft.id, NewDecision(kind=DecisionKind.APPROVE))
    await page.keyboard.press("Control+Enter")
    await expect(card.get_by_role("alert")).to_contain_text("Somebody was faster. Ben Ode sent it")
    await expect(card).to_contain_text("You wrote: “It fits.”")
    await tab_to(page, card.get_by_role("button", name="Keep as a note"))
    await page.keyboard.press("Enter")
    await expect(page.locator(".note")).to_contain_text("It fits.")
