"""Why a thread is where it is: the route with each step that had something to say, score and floor; drafts that are checks."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect
from tests.browser.cards.desk import CardSite, drafted, opened, pictures, signed_in
from tests.browser.pages import Watched
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
CHECKED: list[dict[str, Any]] = [
    {"step": "safety", "reason": "the safety model calls the customer's words safe", "decides": False},
    {"step": "classifier", "reason": "the classifier gives it to the AI as spare_parts", "decides": False},
    {"step": "audit", "reason": "chosen by chance for a check: the AI drafts, a person sends", "decides": True},
]


def route(id: str = "rt_2", **facts: Any) -> dict[str, Any]:
    """A decision as the server tells it."""
    return {
        "id": id, "message": "msg_1", "responder": "draft", "reason": CHECKED[-1]["reason"], "score": 0.71, "floor": 0.62,
        "floor_version": 7, "audited": True, "at": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(), "steps": CHECKED,
    } | facts  # fmt: skip


EARLIER = route(
    "rt_1", responder="human", reason="the rule “angry” says so", score=None, floor=None, floor_version=None, audited=False,
    at=(datetime.now(UTC) - timedelta(hours=2)).isoformat(), steps=[],
)  # fmt: skip


async def routed(page: Page, thread: str, *routes: dict[str, Any]) -> None:
    """The server says of this thread who was to respond, the newest first."""

    async def told(call: Route) -> None:
        response = await call.fetch()
        await call.fulfill(response=response, body=json.dumps(await response.json() | {"route": routes[0]}))

    async def listed(call: Route) -> None:
        await call.fulfill(json={"items": list(routes), "cursor": None})

    await page.route(re.compile(rf"/api/threads/{thread}$"), told)
    await page.route(f"**/api/threads/{thread}/routes*", listed)


async def test_a_draft_that_is_a_check_says_so_and_why_here_shows_how_it_was_decided(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    page = seen.page
    await routed(page, draft.thread, route(), EARLIER)
    card = await opened(page, site, draft.thread, "draft")
    await expect(card).to_contain_text("Chosen by chance for a check. Send it as it is if it is right, edit or reject it")
    context = page.get_by_role("complementary", name="Context of this thread")
    await expect(context).to_contain_text("The AI drafts, a person sends. Chosen by chance for a check")
    await expect(context.locator(".badge--check").first).to_have_text("chosen for a check")
    await expect(context.get_by_role("img", name="Score 0.71, floor 0.62, version 7")).to_be_visible()
    steps = context.get_by_role("list", name="How that was decided").get_by_role("listitem")
    await expect(steps).to_have_count(3)
    await expect(steps.nth(1)).to_have_text("ClassifierThe classifier gives it to the AI as spare_parts")
    await expect(steps.nth(2)).to_contain_text("Decided")
    await context.get_by_text("1 decision before").click()
    await expect(context).to_contain_text("The rule “angry” says so.")
    await pictures(page, "judgement-check")
    await page.keyboard.press("a")
    await expect(card).to_contain_text("You sent it")
    await expect(card).not_to_contain_text("Chosen by chance")
    assert seen.complaints == []


async def test_a_draft_under_the_floor_is_no_check(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    why = "the agent is sure: 0.41, under the floor of 0.62"
    step = {"step": "confidence", "reason": why, "decides": True}
    await routed(seen.page, draft.thread, route(score=0.41, reason=why, audited=False, steps=[CHECKED[0], step]))
    card = await opened(seen.page, site, draft.thread, "draft")
    await expect(seen.page.get_by_role("img", name="Score 0.41, floor 0.62, version 7")).to_be_visible()
    await expect(card).not_to_contain_text("check")
    assert seen.complaints == []


async def test_a_check_that_came_after_this_draft_is_not_this_draft(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    later = route(at=(datetime.now(UTC) + timedelta(minutes=5)).isoformat())
    await routed(seen.page, draft.thread, later, EARLIER)
    card = await opened(seen.page, site, draft.thread, "draft")
    await expect(seen.page.locator(".route-steps")).to_be_visible()
    await expect(card).not_to_contain_text("check")


async def test_who_may_respond_is_asked_again_when_something_is_decided(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    routes = [EARLIER]
    await routed(seen.page, draft.thread, *routes)
    await opened(seen.page, site, draft.thread, "draft")
    context = seen.page.get_by_role("complementary", name="Context of this thread")
    await expect(context).to_contain_text("People answer. The rule “angry” says so.")
    await seen.page.unroute(f"**/api/threads/{draft.thread}/routes*")
    await routed(seen.page, draft.thread, route(), EARLIER)
    await site.desk.assignments.assign(draft.thread, f"operator:{site.ben.id}", by=site.ben)
    await expect(context).to_contain_text("The AI drafts, a person sends. Chosen by chance for a check")


async def test_a_desk_that_tells_no_routes_is_asked_for_none(site: CardSite, seen: Watched) -> None:
    draft = await drafted(site)
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/routes") else None)
    await opened(seen.page, site, draft.thread, "draft")
    await expect(seen.page.get_by_role("complementary", name="Context of this thread")).to_contain_text("Download transcript")
    assert asked == []
    assert seen.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_serious_in_a_check_and_its_route(site: CardSite, browser: Browser, width: int) -> None:
    draft = await drafted(site)
    seen = await signed_in(browser, site, width=width, bypass_csp=True)
    await routed(seen.page, draft.thread, route(), EARLIER)
    await opened(seen.page, site, draft.thread, "draft")
    assert await serious(seen.page) == []
