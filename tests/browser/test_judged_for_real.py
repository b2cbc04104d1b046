"""Judgement without stand-ins: an agent learns from what a person finds right, and the pages say how far it has come."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.async_api import Browser, expect
from tests.acceptance.doors import serving
from tests.browser.cards.desk import signed_in
from tests.browser.pages import PASSWORD, Site
from tests.browser.test_accessibility import serious

from deskmate import DecisionKind, Desk, NewDecision, Role, Settings, customer
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.messages import Text
from deskmate.testing import ScriptedAgent

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
ADA = customer("ada", "Ada Lund")
RULES: dict[str, object] = {
    "rules": [{"name": "lawyers", "when": {"words": ["lawyer"]}, "to": "human"}],
    "floor": {"audit_rate": 1.0, "max_error": 0.2, "delta": 0.2},
}


@dataclass(kw_only=True)
class JudgedSite(Site):
    """A desk with a thread that waits for a check."""

    last: str


class Unsure:
    """An agent that says how sure it is, a little less each time."""

    def __init__(self) -> None:
        self.times = 0

    async def script(self, turn: Turn) -> AsyncIterator[Output]:
        del turn
        self.times += 1
        yield Step(role="assistant", parts=(Text(text="Until seven."),), final=True, confidence=0.9 - self.times / 1000)


async def ask(desk: Desk, text: str = "How long are you open?") -> str:
    """A thread on which Ada has asked something, and whatever was to be done about it is done."""
    thread = await desk.threads.open(customer="ada", by=ADA)
    await desk.messages.post(thread.id, text, author=ADA)
    await desk.run_due()
    return thread.id


@asynccontextmanager
async def judged(store_url: str, checks: int) -> AsyncGenerator[JudgedSite, None]:
    """A desk whose agent was right in so many checks; then a lawyer was mentioned, and one more draft was written."""
    bot = ScriptedAgent(name="support")
    bot.script = Unsure().script
    async with Desk.open(store_url, agents=[bot], clock=lambda: datetime.now(UTC), work=False) as planter:
        ana = await planter.operators.add(name="Ana Diaz", email="ana@shop.example", password=PASSWORD, role=Role.LEAD)
        await planter.policies.put("route", "default", RULES)
        for _ in range(checks):
            [request] = await planter.requests.waiting(await ask(planter), by=ana)
            await planter.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
            await planter.run_due()
        await ask(planter, "My lawyer will write to you.")
        last = await ask(planter, "Are you open on Sundays?")
    desk = Desk(store_url, agents=[bot], settings=Settings(rate_limits=False))
    async with serving(desk) as url:
        yield JudgedSite(url=url, desk=desk, ana=ana, last=last)


async def test_an_agent_that_learns_says_how_far_it_has_come_and_its_draft_that_it_is_a_check(
    launched: Browser, store_url: str
) -> None:
    async with judged(store_url, 5) as site:
        seen = await signed_in(launched, site)
        page = seen.page
        await page.goto(f"{site.url}/judgement")
        stand = page.get_by_role("region", name="support")
        [standing] = await site.desk.routing.status(by=site.ana)
        await expect(stand).to_contain_text(f"{standing.needed} more reviewed answers until the AI may answer alone.")
        await expect(stand).to_contain_text("5 answers")
        await expect(stand.get_by_role("link", name="1 waits for people")).to_be_visible()
        await expect(page.get_by_role("region", name="What this floor does")).to_contain_text("Not certain enough yet")
        await expect(page.get_by_role("region", name="Why")).to_contain_text("The rule “lawyers” says so")
        await page.goto(f"{site.url}/inbox/threads/{site.last}")
        card = page.locator(".request--draft")
        await expect(card).to_contain_text("Chosen by chance for a check.")
        context = page.get_by_role("complementary", name="Context of this thread")
        await expect(context).to_contain_text("The AI drafts, a person sends.")
        await expect(context.locator(".badge--check")).to_be_visible()
        assert seen.complaints == []
        await page.context.close()


async def test_an_agent_that_was_right_often_enough_answers_alone_and_the_curve_says_from_where(
    launched: Browser, store_url: str
) -> None:
    async with judged(store_url, 20) as site:
        seen = await signed_in(launched, site, bypass_csp=True)
        page = seen.page
        await page.goto(f"{site.url}/judgement")
        [standing] = await site.desk.routing.status(by=site.ana)
        assert standing.floor is not None
        assert standing.floor.value is not None
        stand = page.get_by_role("region", name="support")
        await expect(stand).to_contain_text(f"Answers alone from {standing.floor.value:.2f} on.")
        says = page.get_by_role("region", name="What this floor does")
        await expect(says).to_contain_text("at most 20 % of that wrong, with 80 % certainty; seen 0 of")
        await page.locator("#max-error").select_option("1 %")
        await expect(says).to_contain_text("No floor is certain enough yet for what is accepted here.")
        assert await serious(page) == []
        await page.goto(f"{site.url}/settings#route/default")
        await page.get_by_role("button", name="Try it on last week").click()
        await expect(page.get_by_text(re.compile(r"None of \d+ messages would have gone another way"))).to_be_visible()
        await page.get_by_role("button", name="Remove rule 1").click()
        await page.get_by_role("button", name="Try it on last week").click()
        await expect(page.get_by_role("link", name="people →")).to_be_visible()
        assert seen.complaints == []
        await page.context.close()
