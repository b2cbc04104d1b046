"""Forms drawn from the schemas of policies: lengths of time, named parts, steps of which each is one thing, one of two ways."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect
from pydantic import BaseModel, Field
from tests.browser.cards.desk import pictures, signed_in
from tests.browser.desks import DeskSite, desk_site
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]


class Urgency(StrEnum):
    HIGH = "high"
    URGENT = "urgent"


class Time(BaseModel):
    seconds: Annotated[int, Field(ge=1, le=86_400)]


class Times(BaseModel):
    first_response: Time | None = None
    resolution: Time | None = None


class Clocks(BaseModel):
    targets: Times = Times()
    warn: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(max_length=10)] = (50, 100)
    priorities: dict[Urgency, Times] = {}
    always: bool = False


class ChainStep(BaseModel):
    wait: Annotated[int, Field(ge=1)] | None = None
    notify: Literal["queue", "leads"] | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    page: str | None = None
    repeat: int | None = None
    reassign: str | None = None


class Steps(BaseModel):
    on: frozenset[Urgency]
    steps: Annotated[tuple[ChainStep, ...], Field(min_length=1, max_length=20)]


class Window(BaseModel):
    count: int
    seconds: int


class Bucket(BaseModel):
    capacity: int
    refill: int
    seconds: int


class Budget(BaseModel):
    of: Literal["messages", "tokens"]
    text: Annotated[str, Field(max_length=500)] | None = None
    window: Window | None = None
    bucket: Bucket | None = None


MODELS: dict[str, type[BaseModel]] = {"sla": Clocks, "chain": Steps, "limit": Budget}


@dataclass
class Rulebook:
    """Policies of these kinds, as a server would keep them."""

    rules: dict[str, dict[str, Any]] = field(default_factory=lambda: {kind: dict[str, Any]() for kind in MODELS})
    refusal: dict[str, Any] | None = None

    async def answer(self, route: Route) -> None:
        kind, _, name = route.request.url.split("/api/policies/")[1].partition("/")
        if kind not in MODELS:
            await route.fallback()
        elif route.request.method == "PUT" and self.refusal is not None:
            await route.fulfill(status=422, content_type="application/problem+json", body=json.dumps(self.refusal))
        elif route.request.method == "PUT":
            self.rules[kind][name] = (route.request.post_data_json or {})["rules"]
            await route.fulfill(json=self.one(kind, name))
        else:
            items = [self.one(kind, name) for name in self.rules[kind]]
            await route.fulfill(json={"items": items, "cursor": None, "schema": MODELS[kind].model_json_schema()})

    def one(self, kind: str, name: str) -> dict[str, Any]:
        return {"kind": kind, "name": name, "rules": self.rules[kind][name], "changed_at": "2026-11-20T09:00:00Z"}

    def refuse(self, field: str, detail: str) -> None:
        self.refusal = {"title": "Unprocessable", "status": 422, "code": "invalid", "detail": detail, "field": field}


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def form(browser: Browser, site: DeskSite, place: str, **rules: dict[str, Any]) -> tuple[Page, Rulebook]:
    """The settings at this place, over policies of these kinds."""
    seen = await signed_in(browser, site, bypass_csp=True)
    book = Rulebook()
    for kind, named in rules.items():
        book.rules[kind] = named
    await seen.page.route("**/api/policies/**", book.answer)
    await seen.page.goto(f"{site.url}/settings#{place}")
    await expect(seen.page.locator("#editor-title")).to_be_visible()
    return seen.page, book


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Save").click()


async def test_lengths_are_written_in_units_and_sent_in_seconds(browser: Browser, site: DeskSite) -> None:
    page, book = await form(browser, site, "sla+")
    await page.get_by_label("Name").fill("gold")
    targets = page.get_by_role("group", name="Targets")
    await targets.get_by_role("textbox", name="Resolution").fill("1.5")
    await targets.get_by_label("Resolution: unit").select_option("hours")
    await expect(targets).to_contain_text("= 1 hour 30 minutes")
    warn = page.get_by_label("Warn at, in percent")
    await warn.fill("80")
    await page.get_by_role("button", name="Add urgent").click()
    urgent = page.locator(".set-item", has_text="Urgent")
    await expect(urgent.get_by_role("textbox", name="First response")).to_be_focused()
    await urgent.get_by_role("textbox", name="First response").fill("5")
    await pictures(page, "settings-sla")
    await save(page)
    await expect(page.get_by_text("Saved gold.")).to_be_visible()
    assert book.rules["sla"]["gold"] == {
        "targets": {"first_response": None, "resolution": {"seconds": 5400}},
        "warn": [50, 100, 80],
        "priorities": {"urgent": {"first_response": {"seconds": 300}, "resolution": None}},
        "always": False,
    }
    await expect(page.locator(".settings-row")).to_contain_text("for no queue yet")
    await expect(targets.get_by_role("textbox", name="Resolution")).to_have_value("90")
    assert await serious(page) == []


async def test_the_queue_is_given_the_policy_that_was_just_made(browser: Browser, site: DeskSite) -> None:
    page, _ = await form(browser, site, "queues/returns")
    await expect(page.get_by_label("SLA policy")).to_be_visible()
    await page.get_by_role("link", name="SLA policies").click()
    await page.get_by_role("button", name="New").click()
    await page.get_by_label("Name").fill("gold")
    await save(page)
    await expect(page.get_by_text("Saved gold.")).to_be_visible()
    await page.goto(f"{site.url}/settings#queues/returns")
    await page.get_by_label("SLA policy").select_option("gold")
    await save(page)
    # This server has no such policy: its word stands at the field that was meant.
    await expect(page.get_by_label("SLA policy")).to_be_focused()
    await expect(page.locator(".set-field", has_text="SLA policy").locator(".field-error")).to_have_count(1)


@pytest.mark.parametrize(
    ("field", "focused"),
    [
        ("rules.targets.resolution.seconds", "set:rules.targets.resolution"),
        ("rules.priorities.urgent.first_response.seconds", "set:rules.priorities.0.first_response"),
        ("rules.warn.1", "set:rules.warn"),
        ("rules", "set:rules"),
    ],
)
async def test_what_the_server_says_no_to_is_marked_where_it_stands(
    browser: Browser, site: DeskSite, field: str, focused: str
) -> None:
    times = {"first_response": {"seconds": 60}, "resolution": {"seconds": 7200}}
    page, book = await form(browser, site, "sla/gold", sla={"gold": {"targets": times, "priorities": {"urgent": times}}})
    book.refuse(field, "the time is too short")
    await save(page)
    marked = page.locator(f'[id="{focused}"]')
    await expect(marked).to_have_accessible_description(re.compile("The time is too short"))
    if field != "rules":
        await expect(marked).to_be_focused()
    await page.get_by_role("group", name="Targets").get_by_role("textbox", name="Resolution").fill("3")
    await expect(page.get_by_text("Not saved yet")).to_be_visible()


async def test_each_step_is_one_thing_and_steps_are_moved_and_removed(browser: Browser, site: DeskSite) -> None:
    steps = [{"wait": 300}, {"notify": "queue"}, {"notify": [site.ben.id]}, {"page": site.ana.id}, {"repeat": 2}]
    page, book = await form(browser, site, "chain/nights", chain={"nights": {"on": ["urgent"], "steps": steps}})
    await expect(page.locator(".set-item")).to_have_count(5)
    await page.get_by_role("button", name="Remove Step 2").click()
    await expect(page.locator(".set-item")).to_have_count(4)
    await page.get_by_role("button", name="Move Step 3 up").click()
    await page.get_by_role("button", name="Add step").click()
    added = page.locator(".set-item").last
    await expect(added.get_by_label("What happens")).to_be_focused()
    await added.get_by_label("What happens").select_option("Give it to")
    await save(page)
    await expect(added.get_by_role("combobox", name="Give it to")).to_be_focused()
    await expect(added).to_contain_text("Choose one.")
    await pictures(page, "settings-chain")
    await added.get_by_role("combobox", name="Give it to").select_option("Queue billing")
    await save(page)
    await expect(page.get_by_text("Saved nights.")).to_be_visible()
    assert book.rules["chain"]["nights"]["steps"] == [
        {"wait": 300},
        {"page": site.ana.id},
        {"notify": [site.ben.id]},
        {"repeat": 2},
        {"reassign": "queue:billing"},
    ]
    book.refuse("rules.steps.1.page", "there is no such operator")
    await save(page)
    await expect(page.locator(".set-item").nth(1).get_by_role("combobox", name="Page one person")).to_be_focused()
    await expect(page.locator(".set-item").nth(1)).to_contain_text("There is no such operator")
    assert await serious(page) == []


async def test_of_two_ways_one_is_chosen_and_only_that_one_is_sent(browser: Browser, site: DeskSite) -> None:
    page, book = await form(
        browser, site, "limit/calm", limit={"calm": {"of": "tokens", "window": {"count": 5, "seconds": 86_400}}}
    )
    way = page.get_by_label("How it is counted")
    await expect(way).to_have_value("0")
    await expect(page.get_by_role("textbox", name="In each")).to_have_value("1")
    await way.select_option("So many at once, and more as time goes by")
    for label, value in (("At once", "10"), ("Then so many more", "2"), ("In each", "30")):
        await page.get_by_role("textbox", name=label).fill(value)
    await save(page)
    await expect(page.get_by_text("Saved calm.")).to_be_visible()
    assert book.rules["limit"]["calm"] == {
        "of": "tokens",
        "text": None,
        "bucket": {"capacity": 10, "refill": 2, "seconds": 1800},
    }
