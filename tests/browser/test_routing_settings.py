"""Routing policies in the settings: rules, gates and floors in a form, and what they would have done to last week's messages."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect
from tests.browser.cards.desk import pictures, signed_in
from tests.browser.desks import DeskSite, desk_site
from tests.browser.judged import LEARNING, agent
from tests.browser.test_accessibility import serious

from deskmate.domain.routing import FloorRules, Routing, Rule, When

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]

BARE = Routing().model_dump(mode="json")
FULL = Routing(
    rules=(
        Rule(name="money back over 500 €", when=When(words=("refund", "money back"), closed=False), to="human", queue="billing"),
    ),
    floor=FloorRules(),
).model_dump(mode="json")
WENT: dict[str, Any] = {
    "routes": 412,
    "now": {"ai": 251, "draft": 60, "human": 101},
    "then": {"ai": 279, "draft": 41, "human": 92},
    "changed": [
        {
            "thread": "th_1",
            "message": "msg_1",
            "was": "human",
            "would": "ai",
            "reason": "nothing speaks against it",
        },
        {
            "thread": "th_2",
            "message": "msg_2",
            "was": "ai",
            "would": "human",
            "reason": "the rule “money back” says so",
        },
        {
            "thread": "th_3",
            "message": "msg_3",
            "was": "draft",
            "would": "ai",
            "reason": "the agent is sure: 0.71 of 0.62",
        },
    ],
}


@dataclass
class Rulebook:
    """Routing policies as a server would keep them, and what it was asked to rehearse."""

    rules: dict[str, Any] = field(default_factory=dict[str, Any])
    agents: list[dict[str, Any]] = field(default_factory=lambda: [agent()])
    went: dict[str, Any] = field(default_factory=lambda: WENT)
    rehearsed: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    refusal: str = ""

    async def stand_in(self, page: Page) -> None:
        await page.route("**/api/policies/route**", self._policies)
        await page.route("**/api/routing**", self._routing)

    async def _policies(self, route: Route) -> None:
        name = route.request.url.split("/api/policies/route")[1].strip("/")
        if route.request.method == "PUT":
            self.rules[name] = (route.request.post_data_json or {})["rules"]
            await route.fulfill(json=self._one(name))
        else:
            schema = Routing.model_json_schema()
            await route.fulfill(json={"items": [self._one(one) for one in self.rules], "cursor": None, "schema": schema})

    def _one(self, name: str) -> dict[str, Any]:
        return {"kind": "route", "name": name, "rules": self.rules[name], "changed_at": "2026-11-20T09:00:00Z"}

    async def _routing(self, route: Route) -> None:
        if route.request.method == "GET":
            await route.fulfill(json={"items": self.agents})
        elif self.refusal:
            problem = {"title": "Invalid", "status": 422, "code": "invalid", "detail": self.refusal, "field": "rules"}
            await route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(problem))
        else:
            self.rehearsed.append(route.request.post_data_json or {})
            await route.fulfill(json=self.went)


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def form(browser: Browser, site: DeskSite, place: str, book: Rulebook, **who: object) -> Page:
    """The settings at this place, over these policies."""
    seen = await signed_in(browser, site, bypass_csp=True, **who)  # pyright: ignore[reportArgumentType]
    await book.stand_in(seen.page)
    await seen.page.goto(f"{site.url}/settings#{place}")
    await expect(seen.page.locator("#editor-title")).to_be_visible()
    return seen.page


async def test_a_routing_policy_is_written_without_a_word_of_json(browser: Browser, site: DeskSite) -> None:
    book = Rulebook()
    page = await form(browser, site, "route+", book)
    await page.get_by_label("Name").fill("default")
    await page.get_by_role("button", name="Add rule").click()
    rule = page.locator(".set-item")
    await rule.get_by_label("Name").fill("angry")
    await rule.get_by_label("They write").fill("lawyer, complaint")
    await rule.get_by_label("They write").press("Enter")
    await rule.get_by_label("Then").select_option("People answer")
    await rule.get_by_label("The queue is closed").select_option("No, it is open")
    await rule.get_by_label("In the queue").select_option("billing")
    await page.get_by_role("checkbox", name="Safety gate").check()
    await page.get_by_label("Where it does not answer").select_option("The AI goes on")
    await page.get_by_role("checkbox", name="Floor").check()
    floor = page.get_by_role("group", name="Floor")
    await expect(floor.get_by_label("Wrong at most")).to_have_value("5")
    await floor.get_by_label("Wrong at most").fill("2.5")
    await floor.get_by_label("Below the floor").select_option("People answer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved default.")).to_be_visible()
    assert book.rules["default"] == BARE | {
        "rules": [
            {
                "name": "angry", "to": "human", "queue": "billing",
                "when": When(words=("lawyer", "complaint"), closed=False).model_dump(mode="json"),
            }
        ],
        "safety": {"input": True, "output": True, "unavailable": "open"},
        "floor": FloorRules(max_error=0.025, below="human").model_dump(mode="json"),
    }  # fmt: skip
    await expect(page.locator(".settings-row")).to_contain_text("1 rule · safety gate · at most 2.5 % wrong")


async def test_what_is_typed_is_tried_on_last_week_and_nothing_is_saved_by_it(browser: Browser, site: DeskSite) -> None:
    book = Rulebook(rules={"default": FULL})
    page = await form(browser, site, "route/default", book)
    await page.get_by_label("Wrong at most").fill("8")
    await page.get_by_role("button", name="Try it on last week").click()
    tried = page.get_by_role("region", name="On last week's messages")
    await expect(tried).to_contain_text("Of 412 messages 3 would have gone another way: the AI alone answers 28 more.")
    await expect(tried).to_contain_text("AI alone 251 (61 %)")
    await expect(tried).to_contain_text("AI alone 279 (68 %)")
    await expect(tried.get_by_role("heading")).to_be_focused()
    link = tried.get_by_role("link", name="AI alone → people")
    await expect(link).to_have_attribute("href", "/inbox/threads/th_2?assignment=all")
    assert book.rehearsed[0]["agent"] == "shop-agent"
    assert book.rehearsed[0]["rules"]["floor"]["max_error"] == 0.08
    assert book.rules["default"] == FULL
    await page.get_by_label("Wrong at most").fill("9")
    await expect(tried).to_contain_text("Something else is typed since: try it again.")
    await page.get_by_label("Wrong at most").fill("8")
    await expect(tried).not_to_contain_text("Something else is typed since")
    await tried.scroll_into_view_if_needed()
    await pictures(page, "judgement-rehearsal")
    assert await serious(page) == []


async def test_of_several_agents_one_is_chosen_and_one_with_a_policy_of_its_own_is_not_among_them(
    browser: Browser, site: DeskSite
) -> None:
    other = agent(agent="billing-agent", policy="billing-agent")
    quiet = WENT | {"routes": 0, "changed": []}
    book = Rulebook(rules={"default": BARE}, agents=[agent(), LEARNING, other], went=quiet)
    page = await form(browser, site, "route/default", book)
    await page.get_by_role("button", name="Try it on last week").click()
    await expect(page.get_by_text("shop-agent was asked nothing in the last 7 days")).to_be_visible()
    choice = page.locator("#trial-agent")
    await expect(choice.locator("option")).to_have_text(["shop-agent", "returns-agent"])
    await choice.select_option("returns-agent")
    await expect(page.get_by_text("returns-agent was asked nothing in the last 7 days")).to_be_visible()
    assert [one["agent"] for one in book.rehearsed] == ["shop-agent", "returns-agent"]


async def test_what_cannot_be_tried_says_why(browser: Browser, site: DeskSite) -> None:
    book = Rulebook(rules={"default": FULL}, refusal="a floor of the classifier needs a classifier")
    page = await form(browser, site, "route/default", book)
    await page.get_by_label("Wrong at most").fill("many")
    await page.get_by_role("button", name="Try it on last week").click()
    await expect(page.get_by_label("Wrong at most")).to_have_accessible_description(
        "Of what the AI answers alone. A number is needed."
    )
    await page.get_by_label("Wrong at most").fill("5")
    await page.get_by_role("button", name="Try it on last week").click()
    await expect(page.locator(".trial").get_by_role("alert")).to_contain_text("a floor of the classifier needs a classifier")
    assert book.rehearsed == []


async def test_an_operator_reads_a_routing_policy_and_tries_none(browser: Browser, site: DeskSite) -> None:
    page = await form(browser, site, "route/default", Rulebook(rules={"default": FULL}), email="ben@shop.example")
    await expect(page.get_by_text("Leads and admins change routing. You can read them.")).to_be_visible()
    await expect(page.get_by_role("button", name="Try it on last week")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_serious_in_a_routing_policy(browser: Browser, site: DeskSite, width: int) -> None:
    whole = Routing.model_validate(FULL | {"safety": {}, "classifier": {}, "examples": {}}).model_dump(mode="json")
    page = await form(browser, site, "route/default", Rulebook(rules={"default": whole}), width=width)
    await expect(page.get_by_role("group", name="Floor")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await serious(page) == []
