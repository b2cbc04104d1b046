"""A shift of an operator by the keyboard alone, and what two of them see of each other on one thread."""

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.browser.cards.desk import ADA, CardSite, card_site, deaf, pictures, signed_in
from tests.browser.test_accessibility import serious

from deskmate.domain.actors import SYSTEM
from deskmate.domain.messages import Visibility
from deskmate.domain.operators import Presence
from deskmate.domain.threads import Mode, Priority, Thread

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[CardSite]:
    async with card_site(store_url) as site:
        yield site


async def waits(site: CardSite, subject: str, text: str) -> Thread:
    """A thread in the queue, on which Ada has written."""
    thread = await site.desk.threads.open(customer="ada", subject=subject, mode=Mode.OFF)
    await site.desk.messages.post(thread.id, text, author=ADA)
    return await site.desk.assignments.assign(thread.id, "queue:returns", by=site.ana)


async def takes_next(page: Page, thread: Thread) -> None:
    """The next thread of the queue is this one, and opens."""
    await page.keyboard.press("x")
    await expect(page.get_by_role("heading", level=1)).to_have_text(thread.subject or "")
    await expect(page.locator("#assign")).to_contain_text("You")
    await expect(page.get_by_role("textbox", name="Reply")).to_be_focused()


async def test_an_operator_works_a_shift_by_the_keyboard_alone(site: CardSite, browser: Browser) -> None:
    desk, ana = site.desk, site.ana
    await desk.operators.presence(ana.id, Presence.AVAILABLE, by=SYSTEM)
    await desk.canned.add(shortcut="hi", title="Hello", text="Hello {{customer.name|there}}, {{operator.name}} here.")
    first = await waits(site, "Torn tent", "My tent is torn.")
    second = await waits(site, "Late parcel", "Where is my parcel?")
    third = await waits(site, "Thanks", "All is well, thank you.")
    await desk.threads.change(first.id, priority=Priority.URGENT, by=ana)
    seen = await signed_in(browser, site)
    page, keys = seen.page, seen.page.keyboard
    reply, note = page.get_by_role("textbox", name="Reply"), page.get_by_role("textbox", name="Note")

    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(3)
    await takes_next(page, first)
    await keys.type("/h")
    await expect(page.get_by_role("option", name="/hi")).to_be_visible()
    await pictures(page, "shift-canned")
    await keys.press("Enter")
    await expect(reply).to_have_value("Hello there, Ana Diaz here.")
    await keys.type(" A new one leaves today.")
    await keys.press("Control+Enter")
    await expect(page.locator(".message--operator")).to_contain_text("Hello there, Ana Diaz here. A new one leaves today.")

    await keys.press("Escape")
    await keys.press("n")
    await expect(note).to_be_focused()
    await keys.type("@be")
    await expect(page.get_by_role("option", name="Ben Ode")).to_be_visible()
    await keys.press("Enter")
    await keys.type("please look at the seam.")
    await expect(note).to_have_value("@Ben Ode please look at the seam.")
    await keys.press("Control+Enter")
    await expect(page.locator(".note-mention")).to_have_text("@Ben Ode")
    assert await desk.mentions.unread(by=site.ben) == 1

    await keys.press("Escape")
    await keys.press("#")
    await expect(page.get_by_role("combobox", name="Assign to")).to_be_focused()
    await pictures(page, "shift-assign")
    await keys.type("ben")
    await expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    await keys.press("Tab")
    await keys.type("You know tents.")
    await keys.press("Control+Enter")
    await expect(page.locator("#assign")).to_contain_text("Ben Ode")
    await expect(page.locator(".activity").last).to_contain_text("You gave this to Ben Ode: “You know tents.”")
    await pictures(page, "shift-given")

    await takes_next(page, second)
    await keys.press("Escape")
    await keys.press("s")
    await expect(page.get_by_role("button", name="In 1 hour")).to_be_focused()
    await pictures(page, "shift-snooze")
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(page.locator(".badge--snoozed")).to_contain_text("until tomorrow, 09:00")
    assert (await desk.threads.get(second.id)).snoozed_until is not None

    await takes_next(page, third)
    await keys.press("Escape")
    await keys.press("Shift+R")
    await expect(page.get_by_role("heading", level=1)).not_to_have_text("Thanks")
    assert (await desk.threads.get(third.id)).status == "resolved"
    assert seen.complaints == []


async def test_two_operators_see_each_other_viewing_and_typing(site: CardSite, browser: Browser) -> None:
    thread = await waits(site, "Torn tent", "My tent is torn.")
    ana = await signed_in(browser, site)
    his = await signed_in(browser, site, email="ben@shop.example")
    here = ana.page.locator("#viewers")
    await ana.page.goto(f"{site.url}/inbox/threads/{thread.id}")
    await expect(ana.page.get_by_role("textbox", name="Reply")).to_be_visible()
    await expect(here).to_have_text("")
    await his.page.goto(f"{site.url}/inbox/threads/{thread.id}")
    await expect(here).to_contain_text("Ben is viewing")
    await expect(his.page.locator("#viewers")).to_contain_text("Ana is viewing")

    await his.page.keyboard.press("n")
    await his.page.keyboard.type("She has")
    await expect(here).to_contain_text("Ben is typing a note…")
    await pictures(ana.page, "shift-others")
    await his.page.keyboard.press("Escape")
    await expect(here).to_contain_text("Ben is viewing")
    await his.page.goto(f"{site.url}/inbox")
    await expect(here).to_have_text("")

    # What he typed is kept, for him alone.
    await his.page.goto(f"{site.url}/inbox/threads/{thread.id}")
    await expect(his.page.get_by_role("textbox", name="Note")).to_have_value("She has")
    assert await site.desk.unsent.get(thread.id, by=site.ana) == ()
    assert [*ana.complaints, *his.complaints] == []


async def test_files_tags_and_macros_and_a_refused_transfer(site: CardSite, browser: Browser) -> None:
    desk = site.desk
    await desk.operators.change(site.ben.id, capacity=1)
    full = await waits(site, "Late parcel", "Where is my parcel?")
    await desk.assignments.assign(full.id, f"operator:{site.ben.id}", by=site.ana)
    await desk.macros.add(name="Not ours", actions=[{"do": "tag", "add": ["elsewhere"]}])
    thread = await waits(site, "Torn tent", "My tent is torn.")
    seen = await signed_in(browser, site)
    page, keys = seen.page, seen.page.keyboard
    await page.goto(f"{site.url}/inbox/threads/{thread.id}")
    await page.get_by_label("Attach files").set_input_files(
        [
            {"name": "seam.png", "mimeType": "image/png", "buffer": PIXEL},
            {"name": "terms.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"},
        ]
    )
    chips = page.get_by_role("list", name="Files to send")
    await expect(chips.get_by_role("listitem")).to_have_count(2)
    await chips.get_by_role("button", name="Remove terms.pdf").press("Enter")
    await expect(chips.get_by_role("listitem")).to_have_count(1)
    await pictures(page, "shift-files")
    await page.get_by_role("button", name="Take over and send").press("Enter")
    await expect(page.get_by_role("img", name="seam.png")).to_be_visible()
    assert (await desk.messages.page(thread.id)).items[-1].visibility is Visibility.PUBLIC

    await page.locator("#timeline").focus()
    await keys.press("#")
    await keys.type("ben")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Ben Ode holds 1 of 1")
    await pictures(page, "shift-full")
    await keys.press("Escape")

    await page.locator("#add-tag").press("Enter")
    await keys.type("seam")
    await keys.press("Enter")
    await expect(page.get_by_role("button", name="Remove the tag seam")).to_be_visible()
    await keys.press("Escape")
    await keys.press("Control+k")
    await keys.type("not ours")
    await keys.press("Enter")
    tags = page.get_by_role("group", name="Tags")
    await expect(tags.get_by_text("elsewhere")).to_be_visible()
    await tags.get_by_role("button", name="Remove the tag seam").press("Enter")
    await expect(page.get_by_text("You removed the tag seam")).to_be_visible()
    await pictures(page, "shift-tags")
    assert (await desk.threads.get(thread.id)).tags == ("elsewhere",)
    assert [one for one in seen.complaints if "409" not in one] == []


async def test_the_context_says_why_a_thread_came_to_ben_and_not_to_ana(site: CardSite, browser: Browser) -> None:
    desk = site.desk
    await desk.queues.add("returns", chooser="balanced", skills=["refunds"])
    await desk.operators.change(site.ben.id, skills=["refunds"])
    for one in (site.ana, site.ben):
        await desk.operators.presence(one.id, Presence.AVAILABLE, by=SYSTEM)
    thread = await waits(site, "Torn tent", "My tent is torn.")
    seen = await signed_in(browser, site, bypass_csp=True)
    page = seen.page
    await page.goto(f"{site.url}/inbox/threads/{thread.id}")
    panel = page.locator(".panel").filter(has=page.get_by_role("heading", name="Why not me"))
    await expect(panel).to_contain_text("Ben Ode was chosen")
    await expect(panel.get_by_role("row", name="You 0/6")).to_contain_text("lacks refunds")
    await expect(page.locator(".activity").filter(has_text="Ben Ode was given this")).to_be_visible()
    await pictures(page, "shift-why")
    assert await serious(page) == []
    for key, name in (("#", "Assign this thread"), ("s", "Snooze this thread")):
        await page.locator("#timeline").focus()
        await page.keyboard.press(key)
        await expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert await serious(page) == []
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name=name)).to_have_count(0)
    await page.keyboard.press("n")
    await page.keyboard.type("@")
    await expect(page.get_by_role("listbox", name="Mention")).to_be_visible()
    assert await serious(page) == []
    assert seen.complaints == []


async def test_p2_who_assigns_too_late_is_told_who_holds_the_thread_and_keeps_the_note(site: CardSite, browser: Browser) -> None:
    thread = await waits(site, "Torn tent", "My tent is torn.")
    seen = await signed_in(browser, site)
    page, keys = seen.page, seen.page.keyboard
    await deaf(page)
    await page.goto(f"{site.url}/inbox/threads/{thread.id}")
    await expect(page.locator("#assign")).to_contain_text("Queue returns")
    await site.desk.assignments.assign(thread.id, f"operator:{site.ben.id}", by=site.ben)
    await keys.press("#")
    await keys.type("me")
    await keys.press("Tab")
    await keys.type("I know tents.")
    await keys.press("Control+Enter")
    window = page.get_by_role("dialog", name="Assign this thread")
    await expect(window.get_by_role("alert")).to_contain_text("Ben Ode holds it now")
    await expect(window.get_by_role("textbox")).to_have_value("I know tents.")
    await expect(page.locator("#assign")).to_contain_text("Ben Ode")
    assert (await site.desk.threads.get(thread.id)).assignment.id == site.ben.id
