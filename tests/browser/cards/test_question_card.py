"""The card of a question: answered in words or in the fields of its schema, with the keyboard alone."""

import pytest
from playwright.async_api import expect
from tests.browser.cards.desk import (
    CardSite,
    deaf,
    decided,
    decided_by_ben,
    opened,
    pictures,
    tab_to,
    type_into,
    wrote,
)
from tests.browser.pages import Watched

from deskmate.domain.requests import DecisionKind, NewDecision

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
BOOKING = {
    "type": "object",
    "description": "What the workshop needs to book the course.",
    "required": ["seats", "day", "contact"],
    "properties": {
        "seats": {"type": "integer", "title": "Seats", "minimum": 1, "maximum": 40},
        "price": {"type": "number", "title": "Price per seat", "description": "In euros, without VAT."},
        "day": {"enum": ["Monday", "Tuesday", "Saturday"], "title": "Day"},
        "lunch": {"type": "boolean", "title": "Lunch is included"},
        "languages": {"type": "array", "title": "Languages", "items": {"enum": ["English", "French", "Swedish"]}},
        "notes": {"type": "string", "title": "Notes", "format": "multiline"},
        "names": {"type": "array", "title": "Names", "items": {"type": "string"}},
        "contact": {
            "type": "object",
            "title": "Contact",
            "required": ["name"],
            "properties": {"name": {"type": "string", "title": "Name", "minLength": 3}, "extra": {"type": "object"}},
        },
    },
}


async def test_a_question_is_answered_in_words_or_declined_from_the_card(site: CardSite, seen: Watched) -> None:
    thread = await wrote(site, "Is the Lyon shop open on Monday?")
    first = await site.desk.requests.ask("Is Lyon open on Whit Monday?", thread=thread.id, suggestion="Yes, as always.")
    second = await site.desk.requests.ask("And on Tuesday?", thread=thread.id)
    page = seen.page
    await page.goto(f"{site.url}/inbox/threads/{thread.id}")
    one, two = page.locator(f"#request-{first.id}"), page.locator(f"#request-{second.id}")
    await expect(one).to_contain_class("request--focused")
    await page.keyboard.press("]")
    await expect(one.get_by_role("heading")).to_be_focused()
    await page.keyboard.press("]")
    await expect(two).to_contain_class("request--focused")
    await page.keyboard.press("[")
    await expect(one.get_by_role("heading")).to_be_focused()

    await page.keyboard.press("e")
    answer = one.get_by_role("textbox", name="Answer")
    await expect(answer).to_have_value("Yes, as always.")
    await type_into(page, answer, "Yes, until 19:00.")
    await pictures(page, "question-words")
    await page.keyboard.press("Control+Enter")
    await expect(one).to_have_attribute("data-state", "applied")
    await expect(one).to_contain_text("You answered")
    await expect(one).to_contain_text("Yes, until 19:00.")
    assert (await decided(site, first.id)).decision.value == "Yes, until 19:00."  # pyright: ignore[reportOptionalMemberAccess]

    await expect(two.get_by_role("heading")).to_be_focused()
    await page.wait_for_timeout(350)  # a key pressed twice in a row is meant for the card before
    await page.keyboard.press("r")
    await type_into(page, two.get_by_role("textbox", name="Reason"), "Nobody knows yet.")
    await page.keyboard.press("Escape")
    await expect(two.get_by_role("heading")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(two.get_by_role("textbox", name="Reason")).to_have_count(0)
    await page.keyboard.press("r")
    await expect(two.get_by_role("textbox", name="Reason")).to_have_value("Nobody knows yet.")
    await page.keyboard.press("Enter")
    await expect(two).to_contain_text("You declined")
    assert (await decided(site, second.id)).decision.reason == "Nobody knows yet."  # pyright: ignore[reportOptionalMemberAccess]
    assert seen.complaints == []


async def test_a_question_with_a_schema_is_answered_in_its_fields_and_the_server_decides_what_fits(
    site: CardSite, seen: Watched
) -> None:
    thread = await wrote(site, "We would like to book the repair course.")
    asked = await site.desk.requests.ask("What do we book for Ada?", thread=thread.id, response_schema=BOOKING)
    await seen.page.set_viewport_size({"width": 1280, "height": 1200})
    page = seen.page
    card = await opened(page, site, thread.id, "question")
    await page.keyboard.press("a")
    await type_into(page, card.get_by_label("Seats"), "99")
    await page.keyboard.press("Control+Enter")
    await expect(card.get_by_label("Seats")).to_be_focused()
    await expect(card.get_by_text("At most 40.")).to_be_visible()
    await pictures(page, "question-form-refused")
    await type_into(page, card.get_by_label("Seats"), "12")
    await page.keyboard.press("Tab")
    await type_into(page, card.get_by_label("Price per seat"), "49.5")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("ArrowDown")
    await expect(card.get_by_label("Tuesday")).to_be_checked()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(card.get_by_label("Lunch is included")).to_be_checked()
    await tab_to(page, card.get_by_label("French"))
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await type_into(page, card.get_by_label("Notes"), "Bring gloves.\nThe door is round the back.")
    await page.keyboard.press("Tab")
    await type_into(page, card.get_by_label("Names"), "Ada\nBo")
    await page.keyboard.press("Tab")
    await type_into(page, card.get_by_role("group", name="Contact").get_by_label("Name"), "Al")
    await page.keyboard.press("Control+Enter")

    # Only the server minds that a name needs three letters: its word stands at the field, and what was typed stays.
    name = card.get_by_role("group", name="Contact").get_by_label("Name")
    await expect(name).to_be_focused()
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(card.get_by_role("alert")).to_contain_text("too short")
    await expect(card.get_by_label("Notes")).to_have_value("Bring gloves.\nThe door is round the back.")
    await pictures(page, "question-form")
    await page.keyboard.type("bert")
    await page.keyboard.press("Tab")
    await page.keyboard.type('{"phone": [1, true]}')
    await tab_to(page, card.get_by_role("button", name="Answer"))
    await page.keyboard.press("Enter")
    await expect(card).to_have_attribute("data-state", "applied")
    await expect(card).to_contain_text("You answered")
    await expect(card).to_contain_text("49.5")
    await pictures(page, "question-form-answered")
    decision = (await decided(site, asked.id)).decision
    assert decision is not None
    assert decision.value == {
        "seats": 12, "price": 49.5, "day": "Tuesday", "lunch": True, "languages": ["French", "Swedish"],
        "notes": "Bring gloves.\nThe door is round the back.", "names": ["Ada", "Bo"],
        "contact": {"name": "Albert", "extra": {"phone": [1, True]}},
    }  # fmt: skip
    assert [one for one in seen.complaints if "422" not in one] == []


@pytest.mark.parametrize(
    ("schema", "keys", "value"),
    [
        ({"type": "boolean"}, ["ArrowDown"], False),
        ({"enum": [10, 20, 30, 40, 50]}, ["ArrowDown", "ArrowDown"], 20),
        ({"type": "integer", "minimum": 1}, ["7"], 7),
        ({"type": "string", "maxLength": 20}, ["x"], "x"),
        ({"type": ["string", "object"]}, ["{", "}"], {}),
    ],
    ids=["boolean", "enum", "integer", "string", "json"],
)
async def test_a_plain_schema_is_one_field(
    site: CardSite, seen: Watched, schema: dict[str, object], keys: list[str], value: object
) -> None:
    thread = await wrote(site, "One thing, please.")
    asked = await site.desk.requests.ask("Which?", thread=thread.id, response_schema=schema)
    card = await opened(seen.page, site, thread.id, "question")
    await seen.page.keyboard.press("a")
    await expect(card.locator(".args--answer :focus")).to_have_count(1)
    for key in keys:
        await seen.page.keyboard.press(key)
    await seen.page.keyboard.press("Control+Enter")
    await expect(card).to_have_attribute("data-state", "applied")
    decision = (await decided(site, asked.id)).decision
    assert decision is not None
    assert decision.value == value
    assert type(decision.value) is type(value)
    assert seen.complaints == []


async def test_p2_who_answers_too_late_is_told_who_was_first_and_keeps_what_they_wrote(site: CardSite, seen: Watched) -> None:
    thread = await wrote(site, "Is the Lyon shop open on Monday?")
    asked = await site.desk.requests.ask("Is Lyon open?", thread=thread.id)
    page = seen.page
    await deaf(page)
    card = await opened(page, site, thread.id, "question")
    await decided_by_ben(site, asked.id, NewDecision(kind=DecisionKind.ANSWER, value="It is closed."))
    await page.keyboard.press("a")
    await page.keyboard.type("It is open.")
    await page.keyboard.press("Control+Enter")
    await expect(card.get_by_role("alert")).to_contain_text("Somebody was faster")
    await expect(card.get_by_role("alert")).to_contain_text("Ben Ode answered")
    await expect(card).to_contain_text("It is closed.")
    await expect(card).to_contain_text("You wrote: “It is open.”")
    await expect(card.get_by_role("heading")).to_be_focused()
    await pictures(page, "question-lost")
