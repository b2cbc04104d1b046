"""Judgement in a browser: how far the AI may go is read and tried, wide and narrow, light and dark, by keyboard and by ear."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.browser.cards.desk import signed_in, tab_to
from tests.browser.desks import DeskSite, desk_site
from tests.browser.judged import ALARMED, LEARNING, Judging, agent, curve, floor
from tests.browser.pages import Watched, picture
from tests.browser.test_accessibility import serious

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
TODAY = "At 0.62 the AI answers 81 % alone; at most 5 % of that wrong, with 90 % certainty; seen 3 of 175."


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def judgement(browser: Browser, site: DeskSite, judging: Judging, place: str = "", **who: object) -> Watched:
    """The page as Ana sees it, over a server that judges like this."""
    seen = await signed_in(browser, site, **who)  # pyright: ignore[reportArgumentType]
    await judging.stand_in(seen.page)
    await seen.page.goto(f"{site.url}/judgement{place}")
    await expect(seen.page.get_by_role("heading", name="Judgement", exact=True)).to_be_visible()
    return seen


@pytest.mark.parametrize("width", [1280, 390])
async def test_the_curve_says_what_the_floor_of_today_does_and_pictures_of_it(
    browser: Browser, site: DeskSite, width: int
) -> None:
    seen = await judgement(browser, site, Judging(), width=width)
    page = seen.page
    await expect(page.get_by_role("img", name=TODAY)).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await picture(page, f"judgement-{width}-{scheme}")
    assert seen.complaints == []


async def test_the_handle_says_what_another_floor_would_do_by_keyboard_and_by_hand(browser: Browser, site: DeskSite) -> None:
    seen = await judgement(browser, site, Judging())
    page = seen.page
    handle = page.get_by_role("slider", name="Floor")
    says = page.get_by_role("region", name="What this floor does")
    await expect(handle).to_have_attribute("aria-valuetext", TODAY)
    await expect(says).to_contain_text("This is the floor of today.")
    await tab_to(page, handle)
    await page.keyboard.press("ArrowRight")
    await expect(says).to_contain_text("At 0.59 the AI answers 84 % alone; a little more than the 5 % that is accepted")
    await page.keyboard.press("ArrowRight")
    await expect(says).to_contain_text("Not certain enough yet")
    await expect(says).to_contain_text(
        "At 0.56 the AI answers 87 % alone; up to 6.2 % of that may be wrong, with 90 % certainty, more than the 5 % that is "
        "accepted; seen 7 of 189."
    )
    await expect(says).to_contain_text(
        "78 more of the last 1,204 messages answered alone than today, and about 22 more wrong answers."
    )
    await expect(handle).to_have_attribute("aria-valuetext", re.compile("^At 0.56 "))
    await page.keyboard.press("End")
    await expect(says).to_contain_text("Too much of it is wrong")
    await page.keyboard.press("Home")
    await expect(says).to_contain_text("At 0.99 the AI answers 3 % alone")
    await says.get_by_role("button", name="Back to today").click()
    await expect(says).to_contain_text(TODAY)
    box = await page.locator(".curve").bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    await expect(says).to_contain_text("At 0.86 the AI answers 48 % alone; at most 5 % of that wrong")
    await expect(says).to_contain_text("fewer of the last 1,204 messages answered alone than today")
    assert seen.complaints == []


async def test_the_numbers_of_the_curve_are_a_table_too(browser: Browser, site: DeskSite) -> None:
    seen = await judgement(browser, site, Judging())
    card = seen.page.get_by_role("region", name="How far the AI may go")
    await card.get_by_text("As a table").click()
    row = card.get_by_role("row", name="0.62, today")
    await expect(row.get_by_role("cell")).to_have_text(["81 %", "175", "3 (1.7 %)", "3.8 %"])


async def test_what_is_accepted_can_be_tried_and_stays_in_the_address(browser: Browser, site: DeskSite) -> None:
    judging = Judging()
    seen = await judgement(browser, site, judging)
    page = seen.page
    says = page.get_by_role("region", name="What this floor does")
    await page.locator("#max-error").select_option("2 %")
    await expect(says).to_contain_text("No floor is certain enough yet for what is accepted here.")
    assert page.url.endswith("/judgement?max_error=0.02")
    await page.locator("#max-error").select_option("10 %")
    await says.get_by_role("button", name="The lowest that is certain: 0.49").click()
    await expect(says).to_contain_text("at most 10 % of that wrong")
    await page.locator("#delta").select_option("95 %")
    await expect(says).to_contain_text("with 95 % certainty")
    assert judging.asked[-1] == {"agent": "shop-agent", "max_error": "0.1", "delta": "0.05"}
    await page.reload()
    await expect(page.locator("#max-error")).to_have_value("0.1")
    await page.get_by_role("button", name="As the policy says").click()
    await expect(page.locator("#max-error")).to_have_value("0.05")
    await page.go_back()
    await expect(page.locator("#max-error")).to_have_value("0.1")


async def test_each_agent_stands_where_it_stands_and_an_alarm_is_at_the_top(browser: Browser, site: DeskSite) -> None:
    cold = curve() | {"points": [], "proved": None, "labels": 12}
    seen = await judgement(browser, site, Judging(agents=[agent(), LEARNING, ALARMED], curves={"returns-agent": cold}))
    page = seen.page
    alarm = page.get_by_role("region", name="Alarm for billing-agent")
    await expect(alarm).to_contain_text("5 of the last 40 checked answers were wrong (13 %), seen ")
    agents = page.get_by_role("region", name="Agents")
    await expect(agents.get_by_role("row", name="returns-agent")).to_contain_text("Learning")
    await expect(agents.get_by_role("row", name="billing-agent")).to_contain_text("Held back")
    await agents.get_by_role("button", name="returns-agent").click()
    stand = page.get_by_role("region", name="returns-agent")
    await expect(stand).to_contain_text("33 more reviewed answers until the AI may answer alone.")
    await expect(stand.get_by_role("img", name="12 of 45")).to_be_visible()
    await expect(page.get_by_text("5 % of the messages, whatever their score, go to a person")).to_be_visible()
    assert page.url.endswith("/judgement?agent=returns-agent")
    await page.locator("#agent").select_option("billing-agent")
    stand = page.get_by_role("region", name="billing-agent", exact=True)
    await expect(stand).to_contain_text("Answers alone from 0.91 on.")
    await expect(stand.get_by_role("link", name="5 wait for people")).to_have_attribute(
        "href", "/inbox?assignment=all&kind=approval"
    )
    await page.go_back()
    await expect(page.get_by_role("region", name="returns-agent")).to_be_visible()


async def test_a_floor_that_somebody_has_set_promises_nothing(browser: Browser, site: DeskSite) -> None:
    fixed = agent(floor=floor(version=0, cause="fixed", value=0.7, labels=0, accepted=0, errors=0))
    seen = await judgement(browser, site, Judging(agents=[fixed]))
    stand = seen.page.get_by_role("region", name="shop-agent")
    await expect(stand).to_contain_text("Answers alone from 0.70 on. Somebody has set this by hand: nothing is promised of it.")


async def test_shares_and_reasons_are_read_without_their_pictures(browser: Browser, site: DeskSite) -> None:
    seen = await judgement(browser, site, Judging())
    page = seen.page
    lead = "The AI alone responded to 72 % of 916 messages, drafted for people at 8 %, and people had 21 %."
    await expect(page.get_by_role("img", name=lead)).to_be_visible()
    shares = page.get_by_role("region", name="Who responds")
    await shares.get_by_text("As a table").click()
    await expect(shares.get_by_role("row")).to_have_count(8)
    reasons = page.get_by_role("region", name="Why")
    await expect(reasons).to_contain_text("keeps the AI from answering alone: the agent is not sure enough (92 of 260 times)")
    await expect(reasons.get_by_role("listitem").first).to_contain_text("The agent is sure of its answer · AI alone")
    await page.get_by_label("Period").select_option("Last 30 days")
    assert page.url.endswith("/judgement?period=month")


async def test_a_topic_is_accepted_with_one_click_and_the_hands_go_on_to_the_next(browser: Browser, site: DeskSite) -> None:
    judging = Judging()
    seen = await judgement(browser, site, judging)
    page = seen.page
    first = page.get_by_role("article", name="Can I change the delivery address")
    await expect(first).to_contain_text("Asked 7 times, the last one 5 h ago, answered by ADAna Diaz, BOBen Ode")
    await first.get_by_text("In 3 customers' words").click()
    words = first.get_by_role("link", name="I typed the wrong street")
    await expect(words).to_have_attribute("href", "/inbox/threads/th_1?assignment=all")
    await first.get_by_role("button", name="Accept").click()
    await expect(page.get_by_role("status").filter(has_text="is in the FAQ")).to_have_count(1)
    second = page.get_by_role("article", name="Do you sell single tent poles?")
    await expect(second.get_by_role("button", name="Accept")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Unanswered topics")).to_be_focused()
    await expect(page.get_by_text("All of them are decided.")).to_be_visible()
    assert judging.decided == [("sg_1 accept", {}), ("sg_2 accept", {})]
    assert seen.complaints == []


async def test_a_topic_is_edited_in_place_and_only_what_was_changed_is_sent(browser: Browser, site: DeskSite) -> None:
    judging = Judging()
    seen = await judgement(browser, site, judging)
    page = seen.page
    article = page.get_by_role("article", name="Do you sell single tent poles?")
    await article.get_by_role("button", name="Edit").click()
    await expect(article.get_by_label("Question")).to_be_focused()
    await article.get_by_label("Answer, as the AI gives it").fill("Yes, every one.")
    await article.get_by_role("button", name="Accept with changes").click()
    await expect(page.get_by_text("is in the FAQ: the AI answers it from now on.").last).to_be_visible()
    assert judging.decided == [("sg_2 accept", {"answer": "Yes, every one."})]


async def test_a_topic_is_dismissed_with_a_reason_and_a_refusal_stands_at_it(browser: Browser, site: DeskSite) -> None:
    judging = Judging(
        refusal={"title": "Conflict", "status": 409, "code": "conflict", "detail": "Ben Ode has accepted it at 09:41."}
    )
    seen = await judgement(browser, site, judging)
    page = seen.page
    article = page.get_by_role("article", name="Can I change the delivery address")
    await article.get_by_role("button", name="Dismiss…").click()
    await expect(article.get_by_label("Why not, optional")).to_be_focused()
    await page.keyboard.type("Different for each order")
    await page.keyboard.press("Enter")
    await expect(article.get_by_role("alert")).to_contain_text("Ben Ode has accepted it at 09:41.")
    await expect(article.get_by_label("Why not, optional")).to_have_value("Different for each order")
    judging.refusal = None
    await article.get_by_role("button", name="Dismiss", exact=True).click()
    await expect(page.get_by_text("is dismissed: people go on answering it.").last).to_be_visible()
    assert judging.decided == [("sg_1 dismiss", {"reason": "Different for each order"})]


async def test_an_operator_reads_topics_and_decides_none(browser: Browser, site: DeskSite) -> None:
    seen = await judgement(browser, site, Judging(), email="ben@shop.example")
    await expect(seen.page.get_by_text("Leads decide whether it does.")).to_be_visible()
    await expect(seen.page.get_by_role("article", name="Do you sell single tent poles?")).to_be_visible()
    await expect(seen.page.get_by_role("button", name="Accept")).to_have_count(0)


async def test_nothing_yet_teaches_what_would_be_there(browser: Browser, site: DeskSite) -> None:
    bare = agent(policy=None, floor=None, classifier=None, audits_open=0, audit_rate=0)
    empty = curve() | {"points": [], "proved": None, "labels": 0}
    judging = Judging(agents=[bare], shares={"buckets": [], "reasons": []}, topics=[], curves={"shop-agent": empty})
    seen = await judgement(browser, site, judging)
    page = seen.page
    await expect(page.get_by_role("link", name="Make a routing policy")).to_have_attribute("href", "/settings#route+")
    await expect(page.get_by_text("What is sent as it is was right; what is rewritten or rejected was wrong.")).to_be_visible()
    await expect(page.get_by_text("When people answer the same question again and again, it stands here")).to_be_visible()
    await expect(page.get_by_text("Nobody has written in the last 7 days.")).to_be_visible()
    assert seen.complaints == []


async def test_what_does_not_load_says_so_and_what_was_there_stays(browser: Browser, site: DeskSite) -> None:
    judging = Judging(absent=True)
    seen = await judgement(browser, site, judging)
    page = seen.page
    await expect(page.get_by_role("alert")).to_contain_text("Judgement did not load")
    judging.absent = False
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("img", name=TODAY)).to_be_visible()
    judging.absent = True
    await page.context.set_offline(True)
    await expect(page.get_by_text("Offline.")).to_be_visible()
    await expect(page.get_by_role("img", name=TODAY)).to_be_visible()
    judging.absent = False
    await page.context.set_offline(False)
    await expect(page.get_by_text("Offline.")).to_have_count(0)


async def test_who_is_not_signed_in_is_shown_the_way_and_inbox_and_board_lead_here(browser: Browser, site: DeskSite) -> None:
    stranger = await browser.new_page()
    await stranger.goto(f"{site.url}/judgement")
    await expect(stranger.get_by_role("link", name="Sign in")).to_be_visible()
    seen = await signed_in(browser, site)
    await Judging().stand_in(seen.page)
    for place in ("/inbox", "/board"):
        await seen.page.goto(f"{site.url}{place}")
        await expect(seen.page.get_by_role("link", name="Judgement")).to_have_attribute("href", "/judgement")
    await seen.page.get_by_role("link", name="Judgement").click()
    await expect(seen.page.get_by_role("img", name=TODAY)).to_be_visible()
    assert seen.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
async def test_nothing_serious_on_judgement(browser: Browser, site: DeskSite, width: int) -> None:
    cold = curve() | {"points": [], "proved": None, "labels": 12}
    judging = Judging(agents=[agent(), LEARNING, ALARMED], curves={"returns-agent": cold})
    seen = await judgement(browser, site, judging, width=width, bypass_csp=True)
    page = seen.page
    for summary in ("As a table", "In 3 customers' words"):
        await page.get_by_text(summary).first.click()
    await page.get_by_role("button", name="Edit").first.click()
    await page.get_by_role("button", name="Dismiss…").last.click()
    assert await serious(page) == []
    await page.get_by_role("slider", name="Floor").press("End")
    assert await serious(page) == []
    await page.goto(f"{site.url}/judgement?agent=returns-agent")
    await expect(page.get_by_text("33 more reviewed answers")).to_be_visible()
    assert await serious(page) == []
