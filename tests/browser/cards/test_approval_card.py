"""The card of an approval: what would run is seen exactly, changed in sight of what it was, decided with the keyboard alone."""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import expect
from tests.browser.cards.desk import (
    ARGS,
    CardSite,
    answering,
    as_if,
    called,
    deaf,
    decided,
    decided_by_ben,
    opened,
    pictures,
    tab_to,
    tool_call,
    type_into,
)
from tests.browser.pages import Watched

from deskmate.domain.requests import DecisionKind, NewDecision

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("engine", ["sqlite"])]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order", "cents"],
    "properties": {
        "order": {"type": "integer", "title": "Order"},
        "cents": {"type": "integer", "title": "Amount", "description": "In cents.", "minimum": 1, "maximum": 50_000},
        "express": {"type": "boolean", "title": "At once"},
        "reason": {"type": "string", "title": "Reason", "maxLength": 400},
        "speed": {"enum": ["slow", "fast"], "title": "Speed"},
        "address": {
            "type": "object",
            "title": "Address",
            "properties": {"city": {"type": "string"}, "street": {"type": "string"}},
        },
    },
}
BEN = {"id": "op_ben", "name": "Ben Ode"}


async def test_a_call_is_approved_with_one_key_from_wherever_the_focus_is_in_the_conversation(
    site: CardSite, seen: Watched
) -> None:
    message, request = await tool_call(site)
    card = await opened(seen.page, site, message.thread, "approval")
    await pictures(seen.page, "approval")
    await seen.page.locator("#timeline").focus()
    await seen.page.keyboard.press("a")
    await expect(card).to_have_attribute("data-state", "decided")
    await expect(card).to_contain_text("You approved")
    await expect(card).to_contain_text("Waiting for the program that asked to run it.")
    assert (await decided(site, request.id)).decision.kind == "approve"  # pyright: ignore[reportOptionalMemberAccess]
    assert seen.complaints == []


async def test_r_rejects_the_selected_request_and_does_not_open_the_reply(site: CardSite, seen: Watched) -> None:
    message, request = await tool_call(site)
    page = seen.page
    card = await opened(page, site, message.thread, "approval")
    await page.locator("#timeline").focus()
    await page.keyboard.press("r")
    await type_into(page, card.get_by_role("textbox", name="Reason"), "The photo shows another tent.")
    await pictures(page, "approval-reject")
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You rejected")
    await expect(card).to_contain_text("The photo shows another tent.")
    assert (await decided(site, request.id)).decision.reason == "The photo shows another tent."  # pyright: ignore[reportOptionalMemberAccess]
    await page.locator("#timeline").focus()
    await page.keyboard.press("r")  # nothing waits any more: now it is the reply
    await expect(page.get_by_role("textbox", name="Reply")).to_be_focused()
    assert seen.complaints == []


async def test_a_person_responds_instead_of_running_the_call(site: CardSite, seen: Watched) -> None:
    message, request = await tool_call(site)
    page = seen.page
    card = await opened(page, site, message.thread, "approval")
    await page.keyboard.press("]")
    await tab_to(page, card.get_by_role("button", name="Respond instead"))
    await page.keyboard.press("Enter")
    await type_into(page, card.get_by_role("textbox", name="Your answer instead"), "We send a voucher.")
    await page.keyboard.press("Enter")
    await expect(card).to_contain_text("You answered instead of running it")
    decision = (await decided(site, request.id)).decision
    assert decision is not None
    assert (decision.kind, decision.value) == ("respond", "We send a voucher.")
    assert seen.complaints == []


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["by its values", "by its schema"])
async def test_a_call_is_edited_in_typed_fields_with_its_changes_in_sight(
    site: CardSite, seen: Watched, schema: dict[str, object] | None
) -> None:
    message, request = await tool_call(site)
    await seen.page.set_viewport_size({"width": 1280, "height": 1000})
    page = seen.page
    await as_if(page, request.id, {"approval": None, "run": "run_1", "args_schema": schema})
    by = {"id": site.ana.id, "name": "Ana Diaz"}
    path = f"/api/requests/{request.id}/decision"
    refusal = {"code": "invalid", "status": 422, "detail": "args.cents: 1 is too little", "field": "args.cents"}
    posted = await answering(page, path, 422, refusal)
    card = await opened(page, site, message.thread, "approval")
    await page.keyboard.press("e")
    await type_into(page, card.get_by_label("order"), "20818")
    await page.keyboard.press("Tab")
    await type_into(page, card.get_by_label("cents" if schema is None else "Amount"), "1")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await tab_to(page, card.get_by_label("reason"))
    await type_into(page, card.get_by_label("reason"), "The tent came with a torn seam, her photo shows it clearly.")
    if schema is not None:
        await page.keyboard.press("Tab")
        await page.keyboard.press("f")
        await tab_to(page, card.get_by_label("city"))
        await type_into(page, card.get_by_label("city"), "Lund")
    else:
        await page.keyboard.press("Tab")
        await type_into(page, card.get_by_label("address"), '{"city": "Lund", "street": "Svartbäcksgatan 19"}')
    await expect(card.locator(".arg--edited")).to_have_count(5 if schema is None else 6)
    await expect(card.locator(".arg-was").first).to_have_text("Changed: 20817 →  to 20818")
    await expect(card.locator(".arg-was--long ins").first).to_be_visible()
    await tab_to(page, card.get_by_role("textbox", name="Review"))
    await page.keyboard.type("Check the photo first.")
    name = f"approval-edit-{'values' if schema is None else 'schema'}"
    await pictures(page, name)
    await tab_to(page, card.get_by_role("button", name=f"Approve with {5 if schema is None else 6} changes"))
    await page.keyboard.press("Enter")

    # Refused: the word stands at its field, and everything that was typed is still there.
    cents = card.get_by_label("cents" if schema is None else "Amount")
    await expect(cents).to_be_focused()
    await expect(card.get_by_role("alert")).to_have_text("1 is too little")
    await expect(card.get_by_label("order")).to_have_value("20818")
    await pictures(page, f"{name}-refused")
    args = {**ARGS, "order": 20818, "cents": 4500, "express": True, "reason": posted[0]["args"]["reason"]}
    args["address"] = {"city": "Lund", "street": "Svartbäcksgatan 19"}
    if schema is not None:
        args["speed"] = "fast"
    applied = {
        "id": request.id, "thread": message.thread, "kind": "approval", "tool": "refund", "args": ARGS, "args_schema": schema,
        "run": "run_1", "approval": None, "state": "decided", "created_at": "2026-01-05T09:00:00Z",
        "decision": {"kind": "edit", "args": args, "review": "Check the photo first.", "by": by, "at": "2026-01-05T09:05:00Z"},
    }  # fmt: skip
    posted = await answering(page, path, 200, applied)
    await type_into(page, cents, "4500")
    await page.keyboard.press("Control+Enter")
    await expect(card).to_contain_text("You approved with changes")
    assert posted == [{"kind": "edit", "args": args, "review": "Check the photo first."}]
    await expect(card.locator(".decided-changes li")).to_have_count(5 if schema is None else 6)
    await expect(card).to_contain_text("Waiting to run.")
    await pictures(page, f"{name}-approved")
    assert [one for one in seen.complaints if "422" not in one] == []


async def test_a_call_runs_with_the_arguments_a_person_changed_it_to_once_they_fit(site: CardSite, seen: Watched) -> None:
    ran: list[Mapping[str, object]] = []

    async def refund(args: Mapping[str, object]) -> str:
        ran.append(args)
        return "refunded"

    schema = {
        **SCHEMA,
        "properties": {**SCHEMA["properties"], "reason": {"type": "string", "title": "Reason", "pattern": "photo"}},
    }
    request = await called(site, refund, args_schema=schema)
    await seen.page.set_viewport_size({"width": 1280, "height": 1000})
    page = seen.page
    card = await opened(page, site, request.thread, "approval")
    await page.keyboard.press("e")
    await tab_to(page, card.get_by_label("Amount"))
    await type_into(page, card.get_by_label("Amount"), "4500")
    await tab_to(page, card.get_by_label("Reason"))
    await type_into(page, card.get_by_label("Reason"), "Torn seam.")
    await page.keyboard.press("Control+Enter")
    await expect(card.get_by_role("alert")).to_contain_text("does not match")
    await type_into(page, card.get_by_label("Reason"), "Torn seam, see the photo.")
    await page.keyboard.press("Control+Enter")
    await expect(card).to_have_attribute("data-state", "applied")
    await expect(card).to_contain_text("You approved with changes")
    await expect(card).to_contain_text("It ran: refunded")
    assert ran == [{**ARGS, "cents": 4500, "reason": "Torn seam, see the photo."}]
    await pictures(page, "approval-ran")
    assert [one for one in seen.complaints if "422" not in one] == []


async def test_when_two_have_to_approve_the_first_cannot_be_the_second(site: CardSite, seen: Watched) -> None:
    ran: list[Mapping[str, object]] = []

    async def refund(args: Mapping[str, object]) -> str:
        ran.append(args)
        return "refunded"

    request = await called(site, refund, approvers=2)
    page = seen.page
    card = await opened(page, site, request.thread, "approval")
    await expect(card).to_contain_text("Two people have to approve it")
    await page.keyboard.press("a")
    await expect(card).to_contain_text("You have approved")
    await expect(card).to_contain_text("A second person has to")
    await expect(card.get_by_role("button", name="Approve")).to_be_disabled()
    await pictures(page, "approval-second-mine")
    assert (await decided(site, request.id)).state == "open"

    changed = NewDecision(kind=DecisionKind.EDIT, args={**ARGS, "cents": 4500})
    await site.desk.requests.decide(request.id, changed, by=site.ben)
    await expect(card).to_contain_text("Ben has approved with changes")
    await expect(card.get_by_role("group", name="Arguments of refund").locator("ins")).to_have_text("4500")
    await pictures(page, "approval-second")
    await page.locator("#timeline").focus()
    await page.keyboard.press("]")
    await page.keyboard.press("a")
    await expect(card).to_have_attribute("data-state", "applied")
    await expect(card).to_contain_text("Ben Ode approved it first")
    assert ran == [{**ARGS, "cents": 4500}]
    assert seen.complaints == []


async def test_what_nobody_knows_is_settled_by_a_person(site: CardSite, seen: Watched) -> None:
    message, request = await tool_call(site)
    page = seen.page
    decision = {"kind": "approve", "by": BEN, "at": "2026-01-05T09:00:00Z", "channel": "http"}
    await as_if(page, request.id, {"state": "in_doubt", "decision": decision, "approval": None, "run": "run_1"})
    settled = {"id": request.id, "thread": message.thread, "kind": "approval", "tool": "refund", "args": ARGS,
               "decision": decision, "state": "failed", "created_at": "2026-01-05T09:00:00Z"}  # fmt: skip
    posted = await answering(page, f"/api/requests/{request.id}/settle", 200, settled)
    card = await opened(page, site, message.thread, "approval")
    await expect(card).to_contain_text("Did refund run?")
    await expect(card).to_contain_text("Nobody knows whether this took effect.")
    await expect(card).to_contain_text("Ben Ode approved it")
    await pictures(page, "in-doubt")
    await page.keyboard.press("a")
    await expect(card.get_by_role("textbox", name="Its result")).to_be_focused()
    await pictures(page, "in-doubt-ran")
    await page.keyboard.press("Escape")
    await page.keyboard.press("r")
    await type_into(page, card.get_by_role("textbox", name="Why not"), "The bank has no such payment.")
    await page.keyboard.press("Enter")
    await expect(card).to_have_attribute("data-state", "failed")
    assert posted == [{"ran": False, "reason": "The bank has no such payment."}]
    assert seen.complaints == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"on_expiry": "deny"}, "then it is denied"),
        ({"on_expiry": "approve"}, "then it is approved"),
        ({"on_expiry": "default", "default": "No refund"}, "then the answer is: No refund"),
        ({"on_expiry": "escalate"}, "then it goes up in priority"),
        ({"on_expiry": "reassign", "missed": 2}, "overdue: 2 deadlines missed"),
    ],
)
async def test_a_countdown_says_what_happens_at_its_end(
    site: CardSite, seen: Watched, facts: dict[str, object], words: str
) -> None:
    message, request = await tool_call(site)
    await as_if(seen.page, request.id, facts)
    card = await opened(seen.page, site, message.thread, "approval")
    await expect(card.get_by_role("timer")).to_contain_text(words)


async def test_a_request_without_a_deadline_has_no_countdown(site: CardSite, seen: Watched) -> None:
    message, request = await tool_call(site)
    await as_if(seen.page, request.id, {"on_expiry": "wait", "expires_at": None})
    card = await opened(seen.page, site, message.thread, "approval")
    await expect(card.get_by_role("timer")).to_have_count(0)


async def test_p2_who_approves_too_late_is_told_who_was_first(site: CardSite, seen: Watched) -> None:
    message, request = await tool_call(site)
    page = seen.page
    await deaf(page)
    card = await opened(page, site, message.thread, "approval")
    await decided_by_ben(site, request.id, NewDecision(kind=DecisionKind.REJECT, reason="Another tent."))
    await page.keyboard.press("a")
    await expect(card.get_by_role("alert")).to_contain_text("Somebody was faster. Ben Ode rejected")
    await expect(card.get_by_role("alert")).to_contain_text("Another tent.")
    await expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    await pictures(page, "approval-lost")
