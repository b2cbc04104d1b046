"""Word of what happens to an operator who looks elsewhere: sounds and notifications of the browser, as chosen."""

import asyncio

import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.browser.cards.desk import pictures, signed_in
from tests.browser.desks import DeskSite, desk_site

from deskmate import customer
from deskmate.domain.messages import Visibility

HEARD = """
window.heard = [];
window.Notification = class {
  constructor(title, { body }) { window.heard.push([title, body]); }
  static permission = "granted";
  static requestPermission = async () => "granted";
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.heard.push(["sound", this.frequency.value]);
  return start.apply(this, when);
};
"""


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str):
    async with desk_site(store_url) as site:
        yield site


async def heard_by(page: Page, number: int) -> list[list[object]]:
    """What the page has told, once it is so much. The page itself may not wait: its policy allows no text as a script."""
    async with asyncio.timeout(30):
        while len(heard := await page.evaluate("heard")) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return heard


async def test_an_operator_is_told_of_what_they_chose_and_never_of_what_they_did_themselves(
    site: DeskSite, browser: Browser
) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.add_init_script(HEARD)
    await page.goto(f"{site.url}/inbox")
    await page.locator("#me").click()
    for chosen in ("assigned-browser", "assigned-sound", "message-browser", "mention-sound"):
        await page.locator(f"#notify-{chosen}").check()
    await pictures(page, "notifications")
    await page.keyboard.press("Escape")
    async with page.expect_response(lambda response: "/api/events" in response.url):
        await page.reload()  # What was chosen is remembered.
    await expect(page.get_by_text("Choose a thread")).to_be_visible()

    ada, bo = site.threads["ada"].id, site.threads["ben"].id
    await site.desk.assignments.assign(bo, f"operator:{site.ana.id}", by=site.ana)
    await site.desk.assignments.assign(ada, f"operator:{site.ana.id}", by=site.ben)
    await site.desk.messages.post(ada, "Are you there?", author=customer("ada", "Ada Lund"))
    await site.desk.messages.post(ada, "@Ana Diaz, look.", author=site.ben.actor(), visibility=Visibility.NOTE)
    heard = await heard_by(page, 4)
    assert heard[0] == ["sound", 660]
    assert heard[1][0] == "A thread is given to me"
    assert heard[2][0] == "A customer writes on my thread"
    assert "Are you there?" in heard[2][1]
    assert heard[3] == ["sound", 880]
    assert seen.complaints == []
