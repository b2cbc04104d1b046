"""By when somebody is due an answer, in the list and the header; and the bell, with what one was told."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect
from playwright.async_api import Error as PlaywrightError
from tests.browser.cards.desk import pictures, signed_in
from tests.browser.desks import DeskSite, busy, desk_site
from tests.browser.test_accessibility import serious

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import EventType
from deskmate.services import feed
from deskmate.store.base import Tx

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


def clock(target: str, due: timedelta | None, *, breached: bool = False) -> dict[str, Any]:
    return {
        "target": target,
        "due_at": None if due is None else (NOW + due).isoformat(),
        "breached": breached,
        "paused": due is None,
    }


async def with_clocks(page: Page, clocks: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Threads come with these clocks, as from a server that knows SLA policies."""

    async def patched(route: Route) -> None:
        try:
            response = await route.fetch()
            body: dict[str, Any] = await response.json()
        except PlaywrightError:
            return  # The page was closed while it asked: nobody reads the answer.
        for one in [body, *body.get("items", [])]:
            if one.get("id") in clocks:
                one["clock"] = clocks[one["id"]]
        await route.fulfill(response=response, body=json.dumps(body))

    await page.route("**/api/threads?*", patched)
    for id in clocks:
        await page.route(f"**/api/threads/{id}", patched)


def row(page: Page, thread: str) -> Locator:
    return page.locator(f"#row-{thread} .due")


async def test_what_is_due_counts_down_turns_amber_and_then_red(browser: Browser, site: DeskSite) -> None:
    await busy(site)
    of = {name: thread.id for name, thread in site.threads.items()}
    seen = await signed_in(browser, site, bypass_csp=True)
    page = seen.page
    await page.clock.install(time=NOW)
    await with_clocks(
        page,
        {
            of["ada"]: clock("first_response", timedelta(minutes=6)),
            of["ben"]: clock("resolution", timedelta(minutes=-12), breached=True),
            of["cai"]: clock("resolution", timedelta(hours=3, minutes=1)),
            of["eve"]: clock("time_to_human", None),
        },
    )
    await page.goto(f"{site.url}/inbox/threads/{of['ada']}")
    ada, bo, eve = row(page, of["ada"]), row(page, of["ben"]), row(page, of["eve"])
    await expect(ada).to_have_text("First response 6 min left")
    await expect(bo).to_have_text("Resolution +12m over")
    await expect(bo).to_have_class("clock due clock--missed")
    await expect(eve).to_have_count(0)  # It stands still: that is said on the thread, and not in the list.
    # What is asked of people runs out first there.
    await expect(row(page, of["cai"])).to_have_count(0)
    await expect(ada).to_have_attribute("title", "First response due " + await full(page, NOW + timedelta(minutes=6)))
    header = page.locator(".thread-header .due")
    await expect(header).to_be_visible()
    await expect(header).to_have_text("First response 6 min left")
    await pictures(page, "due")

    await page.clock.fast_forward(80_000)
    await expect(ada).to_have_class("clock due clock--near")
    await expect(ada).to_have_text(re.compile(r"^First response 4:\d\d left$"))
    await expect(header).to_have_text(re.compile(r"^First response 4:\d\d left$"))
    await page.clock.fast_forward(360_000)
    await expect(ada).to_have_class("clock due clock--missed")
    await expect(ada).to_have_text("First response +1m over")
    await page.goto(f"{site.url}/inbox/threads/{of['eve']}")
    await expect(header).to_have_text("Time to a person paused")
    assert await serious(page) == []
    assert seen.complaints == []


async def full(page: Page, at: datetime) -> str:
    words = await page.evaluate(
        "at => new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'short' }).format(at)", at.timestamp() * 1000
    )
    return str(words)


async def test_the_bell_counts_opens_the_thread_and_is_deaf_to_other_peoples_word(browser: Browser, site: DeskSite) -> None:
    ask = await site.desk.requests.ask("May the pole be replaced?", thread=site.threads["cai"].id)
    notices: list[dict[str, Any]] = [
        notice("ntf_2", "chain.page", "Nobody has looked at Cai's question for 15 minutes.", ask.thread, ask.id, urgent=True),
        notice("ntf_1", "mention", "Ben Ode calls on you.", site.threads["eve"].id, None, read=True),
    ]
    asked: list[str] = []
    read: list[Any] = []

    async def answer(route: Route) -> None:
        if route.request.method == "POST":
            read.append(route.request.post_data_json)
            for one in notices:
                one["read_at"] = NOW.isoformat()
        asked.append(route.request.method)
        unread = sum(one["read_at"] is None for one in notices)
        body = {"items": notices, "cursor": None, "unread": unread}
        await route.fulfill(json=body if route.request.method == "GET" else {"unread": unread})

    seen = await signed_in(browser, site, bypass_csp=True)
    page = seen.page
    await page.route("**/api/notifications*", answer)
    await page.route("**/api/notifications/read", answer)
    await page.goto(f"{site.url}/inbox")
    bell, menu = page.locator("#notices"), page.locator("#notices-menu")
    await expect(bell.locator(".count")).to_contain_text("1")
    await bell.focus()
    await page.keyboard.press("Enter")
    await expect(menu.locator(".mention-row")).to_have_count(2)
    await pictures(page, "bell")
    assert await serious(page) == []
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#request-{ask.id}")).to_contain_class("request--focused")
    await expect(bell.locator(".count")).to_have_count(0)
    assert read == [{"notifications": ["ntf_2"]}]

    before = asked.count("GET")
    for operator, news in ((site.ben.id, 0), (site.ana.id, 1)):
        await told(site, operator)
        if news:
            notices.insert(0, notice("ntf_3", "clock.breached", "The answer to Ada is late.", site.threads["ada"].id, None))
            await expect(bell.locator(".count")).to_contain_text("1")
    assert asked.count("GET") == before + 1
    await bell.click()
    await menu.get_by_role("button", name="Mark all as read").click()
    await expect(bell.locator(".count")).to_have_count(0)
    assert read[-1] == {}
    assert seen.complaints == []


def notice(id: str, kind: str, text: str, thread: str | None, request: str | None, **facts: bool) -> dict[str, Any]:
    return {
        "id": id,
        "kind": kind,
        "text": text,
        "thread": thread,
        "request": request,
        "urgent": facts.get("urgent", False),
        "channel": "inbox",
        "created_at": NOW.isoformat(),
        "read_at": NOW.isoformat() if facts.get("read") else None,
    }


async def told(site: DeskSite, operator: str) -> None:
    """The feed says that somebody was told something, as the channels do."""

    async def body(tx: Tx) -> None:
        data = {"notification": "ntf_3", "operator": operator, "channel": "inbox", "kind": "clock.breached"}
        await feed.emit(tx, EventType.NOTIFICATION_SENT, actor=SYSTEM, thread=None, data=data)

    await site.desk._store.write(body)  # pyright: ignore[reportPrivateUsage]


async def test_there_is_no_bell_where_the_server_tells_nobody(browser: Browser, site: DeskSite) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.route("**/api/notifications*", lambda route: route.fulfill(status=404, json={"title": "Not Found", "status": 404}))
    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(5)
    await expect(page.locator("#notices")).to_have_count(0)
    assert seen.complaints == []
