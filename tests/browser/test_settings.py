"""The settings: what leads and admins decide for all, in forms; what others may not change is not offered to them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, expect
from tests.browser.cards.desk import pictures, signed_in, tab_to, type_into
from tests.browser.desks import DeskSite, desk_site
from tests.browser.pages import Watched, picture
from tests.browser.test_accessibility import serious

from deskmate.domain.actors import Role
from deskmate.domain.macros import actions_to_json

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
ABSENT = ("**/api/webhooks*", "**/api/me/notifications/preferences")


@pytest_asyncio.fixture(loop_scope="session")
async def site(store_url: str) -> AsyncIterator[DeskSite]:
    async with desk_site(store_url) as site:
        yield site


async def settings(browser: Browser, site: DeskSite, place: str = "", **who: object) -> Watched:
    """The settings at a place in them, as Ana sees them, or whoever it is."""
    seen = await signed_in(browser, site, **who)  # pyright: ignore[reportArgumentType]
    await seen.page.goto(f"{site.url}/settings{place}")
    await expect(seen.page.get_by_role("navigation", name="Settings")).to_have_count(1)
    return seen


def complaints(seen: Watched) -> list[str]:
    """What the console says beyond the refusals that are meant here."""
    return [text for text in seen.complaints if "422" not in text and "409" not in text]


async def test_a_lead_makes_a_policy_with_the_keyboard_and_a_refusal_stands_at_its_field(
    browser: Browser, site: DeskSite
) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.goto(f"{site.url}/inbox")
    await expect(page.locator(".thread-row")).to_have_count(5)
    await page.keyboard.press("ControlOrMeta+k")
    await type_into(page, page.get_by_role("combobox", name="Command or name"), "open the settings")
    await page.keyboard.press("Enter")
    await tab_to(page, page.get_by_role("link", name="Rates"), limit=60)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Rates")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="New rate")).to_be_focused()
    await page.keyboard.press("Tab")
    await type_into(page, page.get_by_label("Name"), "standard")
    await page.keyboard.press("Tab")
    await type_into(page, page.get_by_label("Currency"), "eur")
    await page.keyboard.press("Tab")
    await type_into(page, page.get_by_label("An hour costs"), "36.50")
    await page.keyboard.press("Enter")
    currency = page.get_by_label("Currency")
    await expect(currency).to_be_focused()
    await expect(currency).to_have_attribute("aria-invalid", "true")
    await expect(currency).to_have_accessible_description("Three letters, such as EUR. This is not written as it has to be")
    await pictures(page, "settings-refused")

    await type_into(page, currency, "EUR")
    await expect(currency).not_to_have_attribute("aria-invalid", "true")
    await page.keyboard.press("ControlOrMeta+Enter")
    await expect(page.get_by_role("heading", name="standard")).to_be_focused()
    await expect(page.get_by_text("Saved standard.")).to_be_visible()
    assert page.url.endswith("#rate/standard")
    found = await site.desk.policies.get("rate", "standard", by=site.ana)
    assert found.rules.model_dump() == {"currency": "EUR", "per_hour": 3650, "operators": (), "queues": ()}
    await expect(page.locator(".settings-row")).to_contain_text("36.50 EUR per hour")

    await page.reload()
    await expect(page.get_by_label("An hour costs")).to_have_value("36.50")
    assert complaints(seen) == []


async def test_what_is_typed_is_kept_and_marked_until_it_is_saved_or_taken_back(browser: Browser, site: DeskSite) -> None:
    seen = await settings(browser, site, "#queues/returns")
    page = seen.page
    skills = page.get_by_label("Skills needed")
    await skills.fill("refunds, french")
    await skills.press("Enter")
    await expect(page.get_by_text("Not saved yet")).to_be_visible()
    await page.get_by_role("link", name="Canned replies").click()
    await expect(page.get_by_role("link", name="Queues unsaved changes")).to_be_visible()
    await page.go_back()
    await expect(page.locator(".set-chip")).to_have_count(2)
    await expect(page.locator(".settings-row", has_text="returns")).to_contain_text("unsaved")

    questions: list[str] = []

    async def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await page.get_by_role("link", name="Back to the inbox").click()
    await expect(page.locator(".set-chip")).to_have_count(2)
    assert questions == ["beforeunload"]

    await page.get_by_role("button", name="Take back").click()
    await expect(page.locator(".set-chip")).to_have_count(0)
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    assert (await site.desk.queues.get("returns", by=site.ana)).skills == ()
    assert complaints(seen) == []


async def test_a_queue_gets_its_hours_and_a_refused_span_is_marked_on_its_day(browser: Browser, site: DeskSite) -> None:
    seen = await settings(browser, site, "#queues/returns")
    page = seen.page
    await page.get_by_label("Working hours").check()
    await page.get_by_label("Time zone").select_option("Europe/Paris")
    await page.get_by_role("button", name="Add hours on Monday").click()
    await page.get_by_label("Monday, from").nth(1).fill("12:00")
    await page.get_by_label("Monday, to").nth(1).fill("18:00")
    await page.get_by_role("button", name="Save").click()
    monday = page.get_by_role("group", name="Monday")
    await expect(monday).to_contain_text("must not overlap")
    await expect(monday.get_by_label("Monday, from").first).to_be_focused()

    await page.get_by_label("Monday, to").nth(0).fill("11:30")
    await page.get_by_role("button", name="Monday's hours to Friday").click()
    await page.get_by_label("Other days closed: a day").fill("2026-12-25")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("textbox", name="Given back after").fill("90")
    await expect(page.get_by_text("= 1 hour 30 minutes")).to_be_visible()
    await pictures(page, "settings-queue")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved returns.")).to_be_visible()
    queue = await site.desk.queues.get("returns", by=site.ana)
    assert queue.lease.total_seconds() == 5400
    assert queue.calendar is not None
    assert queue.calendar.zone == "Europe/Paris"
    assert [[f"{a:%H:%M}-{b:%H:%M}" for a, b in queue.calendar.hours[day]] for day in ("mon", "fri")] == [
        ["09:00-11:30", "12:00-18:00"]
    ] * 2
    assert [str(day) for day in queue.calendar.closed] == ["2026-12-25"]

    await page.get_by_label("Working hours").uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Not saved yet")).to_have_count(0)
    assert (await site.desk.queues.get("returns", by=site.ana)).calendar is None
    assert complaints(seen) == []


async def test_what_is_deleted_is_asked_about_first_and_a_refusal_says_why(browser: Browser, site: DeskSite) -> None:
    reply = await site.desk.canned.add(shortcut="hello", title="Hello", text="Hello.")
    macro = await site.desk.macros.add(name="Greet", actions=[{"do": "reply", "canned": reply.id}])
    seen = await settings(browser, site, f"#canned/{reply.id}")
    page = seen.page
    await page.get_by_role("button", name="Delete…").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await pictures(page, "settings-delete")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Delete…")).to_be_focused()

    await page.keyboard.press("Enter")
    await page.locator("#confirm-yes").click()
    await expect(page.locator("#editor-error")).to_be_focused()
    await expect(page.locator("#editor-error")).to_contain_text("Greet")
    await site.desk.macros.delete(macro.id)
    await page.get_by_role("button", name="Delete…").click()
    await page.locator("#confirm-yes").click()
    await expect(page.get_by_role("heading", name="Canned replies")).to_be_focused()
    await expect(page.get_by_text("Hello is deleted.")).to_be_visible()
    assert (await site.desk.canned.list(by=site.ana)).items == ()
    assert complaints(seen) == []


async def test_a_macro_is_put_together_from_actions(browser: Browser, site: DeskSite) -> None:
    seen = await settings(browser, site, "#macros+")
    page = seen.page
    await page.get_by_label("Name").fill("Refund")
    await page.get_by_label("Text").fill("It is on its way.")
    for number, action in ((2, "Change tags"), (3, "Give it to"), (4, "Resolve")):
        await page.get_by_role("button", name="Add action").click()
        row = page.locator(".set-item").nth(number - 1)
        await expect(row.get_by_label("What")).to_be_focused()
        await row.get_by_label("What").select_option(action)
    tags = page.get_by_label("Add", exact=True)
    await tags.fill("refund")
    await page.get_by_label("Holder").select_option("Queue billing")
    await page.get_by_role("button", name="Move action 4 up").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved Refund.")).to_be_visible()
    [macro] = (await site.desk.macros.list(by=site.ana)).items
    assert actions_to_json(macro.actions) == [
        {"do": "reply", "text": "It is on its way."},
        {"do": "tag", "add": ["refund"], "remove": []},
        {"do": "status", "to": "resolved"},
        {"do": "assign", "to": "queue:billing"},
    ]
    assert complaints(seen) == []


async def test_an_admin_adds_an_operator_and_is_shown_a_key_once(browser: Browser, site: DeskSite) -> None:
    await site.desk.operators.change(site.ana.id, role=Role.ADMIN)
    seen = await settings(browser, site, "#operators+")
    page = seen.page
    await page.get_by_label("Name").fill("Cleo Marsh")
    await page.get_by_label("Email").fill("not an address")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Email")).to_be_focused()
    await page.get_by_label("Email").fill("cleo@shop.example")
    await page.get_by_label("billing").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Cleo Marsh")).to_be_focused()
    cleo = next(one for one in (await site.desk.operators.list(by=site.ana.actor())).items if one.name == "Cleo Marsh")
    assert (cleo.queues, cleo.role) == (("billing",), Role.OPERATOR)

    await page.get_by_role("link", name="API keys").click()
    await page.get_by_role("button", name="New").click()
    await page.get_by_label("Name").fill("shop")
    await page.get_by_label("Ask people").check()
    await page.get_by_role("button", name="Save").click()
    secret = page.locator(".set-secret")
    await expect(secret).to_contain_text("dk_")
    assert (
        await page.context.request.get(f"{site.url}/api/me", headers={"Authorization": f"Bearer {await secret.text_content()}"})
    ).ok
    await page.get_by_role("button", name="I have kept it").click()
    await expect(secret).to_have_count(0)
    await page.get_by_role("button", name="Revoke…").click()
    await page.locator("#confirm-yes").click()
    await expect(page.get_by_text("shop is revoked.")).to_be_visible()

    await page.goto(f"{site.url}/settings#operators/{site.ana.id}")
    await expect(page.get_by_role("heading", name="Ana Diaz")).to_be_visible()
    await expect(page.get_by_role("button", name="Disable…")).to_have_count(0)
    assert complaints(seen) == []


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.OPERATOR])
async def test_whoever_may_not_change_the_settings_reads_them_and_is_offered_nothing_else(
    browser: Browser, site: DeskSite, role: Role
) -> None:
    await site.desk.operators.change(site.ben.id, role=role)
    await site.desk.policies.put("rate", "standard", {"currency": "EUR", "per_hour": 3000})
    await site.desk.canned.add(shortcut="hello", title="Hello", text="Hello.")
    seen = await signed_in(browser, site, email="ben@shop.example")
    page = seen.page
    refused: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status == 403 else None)
    for place, shown in (("queues/returns", "Leads and admins change queues."), ("rate/standard", "You can read them.")):
        await page.goto(f"{site.url}/settings#{place}")
        await expect(page.get_by_text(shown)).to_be_visible()
        await expect(page.get_by_role("button", name="New")).to_have_count(0)
        await expect(page.locator(".editor :is(input, select, textarea):enabled")).to_have_count(0)
        await expect(page.locator(".editor button")).to_have_count(0)
    await pictures(page, f"settings-{role}")
    for hidden in ("API keys", "Webhooks"):
        await expect(page.get_by_role("link", name=hidden)).to_have_count(0)
    await page.goto(f"{site.url}/settings#keys")
    await expect(page.get_by_role("heading", name="Operators")).to_be_visible()
    assert refused == []
    assert complaints(seen) == []


async def test_what_this_server_does_not_have_is_not_shown(browser: Browser, site: DeskSite) -> None:
    await site.desk.operators.change(site.ana.id, role=Role.ADMIN)
    seen = await signed_in(browser, site)
    page = seen.page
    for path in ABSENT:
        await page.route(path, lambda route: route.fulfill(status=404, json={"title": "Not Found", "status": 404}))
    await page.goto(f"{site.url}/settings")
    await expect(page.get_by_role("link", name="API keys")).to_be_visible()
    for name in ("Webhooks", "My notifications"):
        await expect(page.get_by_role("link", name=name)).to_have_count(0)
    assert complaints(seen) == []


async def test_what_does_not_load_says_so_and_the_rest_works(browser: Browser, site: DeskSite) -> None:
    seen = await signed_in(browser, site)
    page = seen.page
    await page.route("**/api/canned?*", lambda route: route.abort())
    await page.goto(f"{site.url}/settings#canned")
    await expect(page.get_by_text("Canned replies did not load")).to_be_visible()
    await page.unroute_all()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("No canned reply yet.")).to_be_visible()
    await page.goto(f"{site.url}/settings#queues/gone")
    await expect(page.get_by_text("There is no such queue")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
async def test_axe_finds_nothing_serious_in_the_settings(browser: Browser, site: DeskSite, width: int) -> None:
    await site.desk.operators.change(site.ana.id, role=Role.ADMIN)
    await site.desk.policies.put("rate", "standard", {"currency": "EUR", "per_hour": 3000})
    seen = await settings(browser, site, "", width=width, bypass_csp=True)
    page = seen.page
    for place in ("", "#queues", "#queues/returns", "#operators+", "#macros+", "#rate/standard", "#keys+"):
        await page.goto(f"{site.url}/settings{place}")
        await expect(page.locator(".settings")).to_be_visible()
        if place == "#queues/returns":
            await page.get_by_label("Working hours").check()
        assert await serious(page) == [], place
    assert complaints(seen) == []


async def test_pictures_of_the_settings(browser: Browser, site: DeskSite) -> None:
    await site.desk.policies.put("rate", "standard", {"currency": "EUR", "per_hour": 3000})
    seen = await settings(browser, site, "#queues/returns")
    page = seen.page
    await page.get_by_label("Working hours").check()
    await picture(page, "settings-1280-light")
    await page.set_viewport_size({"width": 390, "height": 844})
    await picture(page, "settings-390")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
