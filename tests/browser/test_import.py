"""An imported conversation in the inbox: what the AI was told is folded away, tool calls and results can be read."""

import json

import pytest
from playwright.async_api import Browser, expect
from tests.browser.pages import PASSWORD, Site, picture, watched

pytestmark = pytest.mark.browser

RESULT = json.dumps({"order": {"state": "shipped", "total": "1.10, {x}"}, "left": []})


def calling(id: str, tool: str, **arguments: object) -> dict[str, object]:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": id, "type": "function", "function": function}]}


RECORD = {
    "id": "tent",
    "messages": [
        {"role": "system", "content": "You work for a shop of tents. Never give discounts."},
        {"role": "user", "content": "Where is my tent?"},
        calling("c1", "find_order", number=17),
        {"role": "tool", "tool_call_id": "c1", "content": RESULT},
        {"role": "assistant", "content": "It is on its way."},
        {"role": "user", "content": "I want a person."},
        calling("c2", "transfer_to_human_agents", summary="Ada is cross."),
        {"role": "tool", "tool_call_id": "c2", "content": "Transfer successful"},
    ],
}


@pytest.mark.parametrize("width", [1280, 390])
async def test_an_imported_conversation_reads_well(site: Site, browser: Browser, width: int) -> None:
    [report] = [report async for report in site.desk.imports.conversations([RECORD], source="old desk")]
    context = await browser.new_context(viewport={"width": width, "height": 844}, reduced_motion="reduce")
    await context.request.post(f"{site.url}/api/session", data={"email": "ana@shop.example", "password": PASSWORD})
    seen = await watched(context)
    page = seen.page
    await page.goto(f"{site.url}/inbox/threads/{report.thread}?status=resolved")
    told = page.get_by_text("What the AI was told")
    await expect(told).to_be_visible()
    await expect(page.get_by_text("Never give discounts.")).to_be_hidden()
    await told.click()
    await expect(page.get_by_text("Never give discounts.")).to_be_visible()
    await page.get_by_text("find_order").click()
    result = page.locator(".tool-call pre").last
    assert await result.inner_text() == (
        '{\n  "order": {\n    "state": "shipped",\n    "total": "1.10, {x}"\n  },\n  "left": []\n}'
    )
    card = page.locator(".request--escalation")
    await expect(card).to_contain_text("answered “Transfer successful”")
    await expect(page.get_by_text("Ada is cross.")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert seen.complaints == []
    await picture(page, f"import-{width}")
