"""What the tests of request cards share: a desk with an agent on a leash, a signed-in operator, and requests of each kind."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Locator, Page, Route, expect
from playwright.async_api import Error as PlaywrightError
from tests.acceptance.doors import serving
from tests.browser.pages import PASSWORD, Site, Watched, picture, watched

from deskmate import ApprovalRequest, Desk, Message, NewMessage, Operator, Request, Settings, Text, ToolCall, customer
from deskmate.domain.actors import agent
from deskmate.domain.agents import Ask, Output, Question, Step, Turn
from deskmate.domain.requests import NewDecision, RequestKind
from deskmate.domain.threads import Mode, Thread
from deskmate.testing import ScriptedAgent, calling, say

ADA = customer("ada", "Ada Lund")
ARGS = {
    "order": 20817,
    "cents": 4900,
    "express": False,
    "reason": "The tent came with a torn seam, the photo shows it.",
    "address": {"city": "Uppsala", "street": "Svartbäcksgatan 19"},
}
WRITTEN = "Yes, the footprint fits all models. Please use the outer loops."


@dataclass(kw_only=True)
class CardSite(Site):
    """A desk whose one agent does what the test tells it to, and a second operator."""

    bot: ScriptedAgent
    ben: Operator


@asynccontextmanager
async def card_site(store_url: str) -> AsyncGenerator[CardSite, None]:
    """A running desk with Ana, Ben and a scripted agent."""
    bot = ScriptedAgent(name="support")
    desk = Desk(store_url, agents=[bot], settings=Settings(rate_limits=False))
    ana = await desk.operators.add(name="Ana Diaz", email="ana@shop.example", password=PASSWORD)
    ben = await desk.operators.add(name="Ben Ode", email="ben@shop.example", password=PASSWORD)
    async with serving(desk) as url:
        yield CardSite(url=url, desk=desk, ana=ana, bot=bot, ben=ben)


async def signed_in(
    browser: Browser,
    site: Site,
    *,
    width: int = 1280,
    height: int = 844,
    bypass_csp: bool = False,
    email: str = "ana@shop.example",
) -> Watched:
    """Ana at her desk, or who has this address."""
    size = {"width": width, "height": height}
    context = await browser.new_context(viewport=size, reduced_motion="reduce", bypass_csp=bypass_csp)  # pyright: ignore[reportArgumentType]
    await context.request.post(f"{site.url}/api/session", data={"email": email, "password": PASSWORD})
    return await watched(context)


async def opened(page: Page, site: Site, thread: str, kind: str) -> Locator:
    """The card of this kind on this thread, selected as every first card is; it stays this one, though another may open."""
    await page.goto(f"{site.url}/inbox/threads/{thread}")
    card = page.locator(f".request--{kind}")
    await expect(card).to_have_count(1)
    await expect(card).to_contain_class("request--focused")
    return page.locator(f"#{await card.get_attribute('id')}")


async def pictures(page: Page, name: str) -> None:
    """The page as it stands, wide and narrow, light and dark."""
    size = page.viewport_size or {"width": 1280, "height": 844}
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 844})
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await picture(page, f"{name}-{width}-{scheme}")
    await page.set_viewport_size(size)
    await page.emulate_media(color_scheme="light")


async def type_into(page: Page, field: Locator, text: str) -> None:
    """Replace what stands in the field that has the focus."""
    await expect(field).to_be_focused()
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type(text)


async def tab_to(page: Page, target: Locator, *, limit: int = 30) -> None:
    """Press Tab until this has the focus."""
    for _ in range(limit):
        if await target.evaluate("el => el === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    await expect(target).to_be_focused()


async def decided(site: Site, request: str) -> Request:
    """The request as the desk has it."""
    return await site.desk.requests.get(request, by=site.ana)


async def decided_by_ben(site: CardSite, request: str, decision: NewDecision) -> None:
    """Ben decides first; the page of Ana is not told in time."""
    await site.desk.requests.decide(request, decision, by=site.ben)


async def deaf(page: Page) -> None:
    """Let the page hear nothing of the live feed: it learns from refusals only."""
    await page.route("**/api/events*", lambda route: route.abort())


async def only_request(site: Site, thread: str) -> Request:
    [request] = (await site.desk.requests.list(by=site.ana, thread=thread)).items
    return request


async def wrote(site: Site, text: str, *, mode: Mode = Mode.AUTO, subject: str | None = None) -> Thread:
    """A thread on which Ada has written."""
    thread = await site.desk.threads.open(customer="ada", subject=subject, mode=mode)
    await site.desk.messages.post(thread.id, text, author=ADA)
    return thread


async def tool_call(site: Site) -> tuple[Message, Request]:
    """A program stored a call that waits for an approval."""
    thread = await site.desk.threads.open(customer="ada", subject="Torn tent")
    bot = agent("refunds")
    said = NewMessage(role="user", author=ADA.author, parts=(Text(text="My tent is torn. May I have my money back?"),))
    parts = (ToolCall(call_id="c1", tool="refund", input=ARGS), ApprovalRequest(approval_id="a1", call_id="c1"))
    message = (await site.desk.messages.save(thread.id, [said, NewMessage(role="assistant", author=bot.author, parts=parts)]))[1]
    return message, await site.desk.requests.of_approval(thread.id, "a1", by=site.ana)


async def called(site: CardSite, run: Callable[[Mapping[str, object]], Awaitable[object]], **settings: Any) -> Request:
    """A run of the desk called a tool that people have to approve."""
    site.bot.script = calling("refund", ARGS, run, **settings)
    thread = await wrote(site, "My tent is torn. May I have my money back?", subject="Torn tent")
    await site.desk.respond(thread.id, "support")
    return await only_request(site, thread.id)


async def drafted(site: CardSite, *, text: str = WRITTEN) -> Request:
    """A draft of the AI waits for approval."""

    async def script(_: Turn) -> AsyncIterator[Output]:
        yield say(text)

    site.bot.script = script
    thread = await wrote(site, "Does the old footprint fit the new tent?", mode=Mode.REVIEW, subject="Footprint")
    await site.desk.respond(thread.id, "support")
    return await only_request(site, thread.id)


async def escalated(site: CardSite) -> Request:
    """The AI asks a person to take the thread."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if turn.resumed:
            yield say("I have asked the team.")
            return
        call = ToolCall(call_id=f"{turn.run}/1", tool="escalate", input={"reason": "angry"})
        asked = Question(
            call_id=call.call_id,
            question="Ada wants to speak to a person about her refund",
            kind=RequestKind.ESCALATION,
            reason="she has asked twice",
            suggestion="Offer her a call today.",
        )
        yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,))

    site.bot.script = script
    thread = await wrote(site, "I want to talk to a real person, please.", subject="Refund")
    await site.desk.respond(thread.id, "support")
    return await only_request(site, thread.id)


async def as_if(page: Page, request: str, facts: Mapping[str, object]) -> None:
    """Show a request with these facts, as a server would send it that knows them."""

    async def patched(route: Route) -> None:
        if route.request.method != "GET":
            await route.fallback()
            return
        try:
            response = await route.fetch()
            body: dict[str, Any] = await response.json()
        except PlaywrightError:
            return  # The page was closed while it asked: nobody reads the answer.
        for one in [body, *body.get("items", [])]:
            if one.get("id") == request:
                one.update(facts)
        await route.fulfill(response=response, body=json.dumps(body))

    for where in ("**/api/threads/*/requests", "**/api/requests?*", f"**/api/requests/{request}"):
        await page.route(where, patched)


async def answering(page: Page, path: str, status: int, body: Mapping[str, object]) -> list[Any]:
    """Answer posts to this path in place of the server; the list fills with what was posted."""
    posted: list[Any] = []

    async def answer(route: Route) -> None:
        posted.append(route.request.post_data_json)
        kind = "application/json" if status < 400 else "application/problem+json"
        await route.fulfill(status=status, content_type=kind, body=json.dumps(body))

    await page.route(f"**{path}", answer)
    return posted
