"""The card of an approval: what would run is seen exactly, and the keyboard alone decides it."""

import pytest
from playwright.async_api import Browser, expect
from tests.browser.pages import PASSWORD, Site, picture, watched

from deskmate import ApprovalRequest, Message, NewMessage, Text, ToolCall, customer
from deskmate.domain.actors import agent
from deskmate.domain.requests import RequestState

pytestmark = pytest.mark.browser
ADA, BOT = customer("ada", "Ada"), agent("refunds")
FACTS = {"order": 20817, "cents": 4900, "express": False, "reason": "The tent came with a torn seam, the photo shows it."}


async def asked(site: Site) -> Message:
    """Ada's thread, on which a program stored the call that waits for an approval."""
    thread = await site.desk.threads.open(customer="ada", subject="Torn tent")
    said = NewMessage(role="user", author=ADA.author, parts=(Text(text="My tent is torn. May I have my money back?"),))
    parts = (ToolCall(call_id="c1", tool="refund", input=FACTS), ApprovalRequest(approval_id="a1", call_id="c1"))
    return (await site.desk.messages.save(thread.id, [said, NewMessage(role="assistant", author=BOT.author, parts=parts)]))[1]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_the_call_of_a_tool_is_approved_or_rejected_with_the_keyboard_alone(
    site: Site, browser: Browser, width: int, scheme: str
) -> None:
    first, second = await asked(site), await asked(site)
    context = await browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce")  # pyright: ignore[reportArgumentType]
    await context.request.post(f"{site.url}/api/session", data={"email": "ana@shop.example", "password": PASSWORD})
    seen = await watched(context)
    page = seen.page

    await page.goto(f"{site.url}/inbox/threads/{first.thread}")
    card = page.locator(".request--approval")
    await expect(card).to_contain_text("refund")
    await expect(card).to_contain_text("High risk")
    for shown in ("20817", "4900", "no", "torn seam"):
        await expect(card.get_by_role("group", name="Arguments of refund")).to_contain_text(shown)
    await expect(card.get_by_role("button", name="Edit")).to_have_count(0)
    await picture(page, f"approval-{width}")
    await expect(card).to_have_class("request request--approval request--focused")
    await page.keyboard.press("e")  # there is nothing to edit: the program runs the call as it stored it
    await expect(card.get_by_role("textbox")).to_have_count(0)
    await page.keyboard.press("a")
    await expect(card).to_have_attribute("data-state", "decided")
    await expect(card).to_contain_text("approved")
    approved = await site.desk.requests.of_approval(first.thread, "a1", by=site.ana)
    assert approved.state is RequestState.DECIDED
    assert approved.decision is not None
    assert (approved.decision.kind, approved.decision.by.name) == ("approve", "Ana Diaz")

    await page.goto(f"{site.url}/inbox/threads/{second.thread}")
    await expect(card).to_be_visible()
    await card.get_by_role("button", name="Reject").focus()
    await page.keyboard.press("r")
    await expect(card.get_by_role("textbox", name="Reason")).to_be_focused()
    await page.keyboard.type("The photo shows another tent.")
    await page.keyboard.press("Enter")
    await expect(card.get_by_text("rejected")).to_be_visible()
    await picture(page, f"approval-{width}-rejected")
    rejected = await site.desk.requests.of_approval(second.thread, "a1", by=site.ana)
    assert rejected.decision is not None
    assert rejected.decision.reason == "The photo shows another tent."
    assert seen.complaints == []
