"""Requests in Slack, over real HTTP both ways: what stands there, who may click, and what a click does."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.acceptance.doors import ADMIN_KEY, refused
from tests.fakes.slack_server import CHANNEL, SECRET, TOKEN, FakeSlack, signed, slack_workspace

from deskmate import Desk, Operator, Settings, customer
from deskmate.server.application import create_app
from deskmate.testing import FakeClock, ScriptedAgent, asking, calling, pass_time

Json = dict[str, Any]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with slack_workspace() as slack:
        yield slack


@pytest.fixture
def slack_settings(slack: FakeSlack) -> Settings:
    return Settings(
        admin_key=ADMIN_KEY, rate_limits=False, slack_token=TOKEN, slack_signing_secret=SECRET, slack_channel=CHANNEL,
        slack_url=slack.url, public_url="https://desk.example",
    )  # fmt: skip


@pytest.fixture
async def desk(store_url: str, agent: ScriptedAgent, clock: FakeClock, slack_settings: Settings) -> AsyncIterator[Desk]:
    async with Desk.open(store_url, agents=[agent], settings=slack_settings, clock=clock, work=False) as desk:
        yield desk


@pytest.fixture
async def door(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """Where Slack sends what people do."""
    transport = httpx.ASGITransport(app=create_app(desk, work=False))
    async with httpx.AsyncClient(transport=transport, base_url="https://desk.example") as client:
        yield client


@pytest.fixture
async def ana(desk: Desk, slack: FakeSlack) -> Operator:
    slack.person("U0ANA", "Ana@shop.example")
    return await desk.operators.add(name="Ana", email="ana@shop.example")


@pytest.fixture
async def ben(desk: Desk, slack: FakeSlack) -> Operator:
    slack.person("U0BEN", "ben@shop.example")
    return await desk.operators.add(name="Ben", email="ben@shop.example")


async def send(door: httpx.AsyncClient, clock: FakeClock, payload: Json, **how: Any) -> httpx.Response:
    body, headers = signed(payload, clock().timestamp(), **how)
    return await door.post("/slack/actions", content=body, headers=headers)


async def wrote(desk: Desk, text: str = "Refund me") -> str:
    """A thread on which the agent now waits for people; its one request."""
    thread = await desk.threads.open(customer="ada", subject="Refund")
    await desk.messages.post(thread.id, text, author=customer("ada", "Ada <!channel>"))
    await desk.run_due()
    [request] = (await desk.requests.list(by=SYSTEM_READER, thread=thread.id)).items
    return request.id


SYSTEM_READER = Operator(id="op_reader", name="Reader", email="r@shop.example", created_at=FakeClock()())


async def refund(args: Any) -> object:
    return f"refunded {args['cents']}"


def texts(post: Json) -> str:
    return json.dumps(post["blocks"], ensure_ascii=False)


async def test_a_request_stands_in_the_channel_with_its_words_and_buttons(
    desk: Desk, slack: FakeSlack, agent: ScriptedAgent
) -> None:
    agent.script = calling("refund", {"order": "A-1", "cents": 4200}, refund)
    await wrote(desk)
    post = slack.post()
    assert post["blocks"][0]["text"]["text"].startswith("scripted wants to run refund for ")
    assert "4200" in texts(post)
    assert "Refund me" in texts(post)
    assert {"approve", "reject", "open"} == {one["action_id"] for one in post["blocks"][-1]["elements"]}
    assert slack.button("open")["url"].startswith("https://desk.example/inbox/threads/th_")
    assert "<!channel>" not in post["text"]
    kinds = {block["text"]["type"] for block in post["blocks"] if "text" in block}
    assert kinds == {"plain_text"}, "Slack must read no mention in what people wrote"


async def test_approving_in_slack_is_the_verb_of_the_inbox_and_the_message_says_who_did(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    assert (await send(door, clock, slack.clicked("U0ANA", "approve"))).status_code == 200
    decided = await desk.requests.get(request, by=ana)
    assert decided.decision is not None
    assert (decided.decision.kind, decided.decision.by.id, decided.decision.channel) == ("approve", ana.id, "slack")
    await desk.run_due()
    assert (await desk.requests.get(request, by=ana)).state == "applied"
    post = slack.post()
    assert "Ana: approve, 2026-01-05 09:00 UTC, by slack" in texts(post)
    assert {one["action_id"] for block in post["blocks"] for one in block.get("elements", ()) if "action_id" in one} == {"open"}


async def test_rejecting_in_slack(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    await send(door, clock, slack.clicked("U0ANA", "reject"))
    await desk.run_due()
    decision = (await desk.requests.get(request, by=ana)).decision
    assert decision is not None
    assert decision.kind == "reject"
    assert "Ana: reject" in texts(slack.post())


async def test_answering_opens_a_form_whose_words_go_to_the_agent(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = asking("Is the Lyon shop open on Monday?")
    request = await wrote(desk)
    await send(door, clock, slack.clicked("U0ANA", "answer"))
    assert "Is the Lyon shop open" in json.dumps(slack.views[-1])
    response = await send(door, clock, slack.submitted("U0ANA", "Yes, until 19:00."))
    assert (response.status_code, response.content) == (200, b"")
    await desk.run_due()
    found = await desk.requests.get(request, by=ana)
    assert found.decision is not None
    assert (found.decision.value, found.decision.channel) == ("Yes, until 19:00.", "slack")
    page = await desk.messages.history(found.thread, by=ana)
    assert page.items[-1].text == "Ana says: Yes, until 19:00."


async def test_of_two_people_the_first_wins_and_the_other_is_told_who_and_when(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator, ben: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    both = [slack.clicked("U0ANA", "approve"), slack.clicked("U0BEN", "reject")]
    await asyncio.gather(*(send(door, clock, payload) for payload in both))
    decision = (await desk.requests.get(request, by=ana)).decision
    assert decision is not None
    [whisper] = slack.whispers
    assert whisper["user"] == {"Ana": "U0BEN", "Ben": "U0ANA"}[decision.by.name]
    assert whisper["text"].startswith(f"{decision.by.name} decided this at 2026-01-05T09:00:00")


async def test_who_answers_in_a_form_too_late_is_told_in_the_form(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator, ben: Operator
) -> None:
    agent.script = asking("Is it?")
    request = await wrote(desk)
    await send(door, clock, slack.clicked("U0ANA", "answer"))
    late = slack.clicked("U0ANA", "answer")
    await desk.requests.answer(request, "No.", by=ben)
    response = await send(door, clock, slack.submitted("U0ANA", "Yes."))
    assert response.json()["response_action"] == "errors"
    assert "Ben decided this" in response.json()["errors"]["answer"]
    # A click on a message that is not up to date yet opens no form any more.
    await send(door, clock, late)
    assert len(slack.views) == 1
    assert "Ben decided this" in slack.whispers[-1]["text"]


STRANGERS: list[tuple[str, Json]] = [
    ("nobody of the team", {"email": "eve@elsewhere.example"}),
    ("somebody of another company with our address", {"email": "ana@shop.example", "team_id": "T0666"}),
    ("a bot", {"email": "ana@shop.example", "is_bot": True}),
    ("somebody who left Slack", {"email": "ana@shop.example", "deleted": True}),
    ("somebody without an address", {"email": None}),
    ("somebody whose address is none", {"email": "ana"}),
]


@pytest.mark.parametrize(("who", "facts"), STRANGERS, ids=[who for who, _ in STRANGERS])
async def test_who_is_no_operator_is_refused_politely(
    desk: Desk,
    door: httpx.AsyncClient,
    clock: FakeClock,
    slack: FakeSlack,
    agent: ScriptedAgent,
    ana: Operator,
    who: str,
    facts: Json,
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    slack.person("U0EVE", **facts)
    payload = slack.clicked("U0EVE", "approve")
    payload["user"] |= {"name": "ana", "email": "ana@shop.example", "profile": {"email": "ana@shop.example"}}
    assert (await send(door, clock, payload)).status_code == 200
    assert (await desk.requests.get(request, by=ana)).state == "open"
    assert "only operators of this desk" in slack.whispers[-1]["text"]


async def test_who_has_left_the_team_or_only_looks_decides_nothing(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    slack.person("U0OLLI", "olli@shop.example")
    await desk.operators.add(name="Olli", email="olli@shop.example", role="observer")
    await send(door, clock, slack.clicked("U0OLLI", "approve"))
    assert "not allowed" in slack.whispers[-1]["text"]
    await desk.operators.disable(ana.id)
    await send(door, clock, slack.clicked("U0ANA", "approve"))
    assert "only operators" in slack.whispers[-1]["text"]
    assert (await desk.requests.get(request, by=SYSTEM_READER)).state == "open"


async def test_only_what_slack_has_signed_lately_is_listened_to(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    payload = slack.clicked("U0ANA", "approve")
    body, headers = signed(payload, clock().timestamp())
    wrong: list[tuple[str, Json]] = [
        (body, {**headers, "x-slack-signature": "v0=" + "0" * 64}),
        (body, {**headers, "x-slack-signature": ""}),
        (body, {**headers, "x-slack-signature": "v1" + headers["x-slack-signature"][2:]}),
        (body, {**headers, "x-slack-request-timestamp": "soon"}),
        (body, {**headers, "x-slack-request-timestamp": "²"}),
        (body, {**headers, "x-slack-request-timestamp": str(int(clock().timestamp()) + 1)}),
        (body.replace("U0ANA", "U0BEN"), headers),
        (body, {name: value for name, value in headers.items() if name != "x-slack-signature"}),
        (body, {name: value for name, value in headers.items() if name != "x-slack-request-timestamp"}),
        signed(payload, clock().timestamp(), secret="another secret"),
        signed(payload, (clock() - timedelta(minutes=6)).timestamp()),
        signed(payload, (clock() + timedelta(minutes=6)).timestamp()),
    ]
    for sent, with_headers in wrong:
        encoded = {name: value.encode() for name, value in with_headers.items()}
        response = await door.post("/slack/actions", content=sent, headers=encoded)
        assert response.status_code == 401, with_headers
    assert (await desk.requests.get(request, by=ana)).state == "open"
    assert "users.info" not in slack.calls


async def test_what_is_replayed_changes_nothing(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    ran: list[object] = []

    async def once(args: Any) -> object:
        ran.append(args)
        return "done"

    agent.script = calling("refund", {"cents": 4200}, once)
    await wrote(desk)
    body, headers = signed(slack.clicked("U0ANA", "approve"), clock().timestamp())
    for _ in range(3):
        assert (await door.post("/slack/actions", content=body, headers=headers)).status_code == 200
        await desk.run_due()
    assert ran == [{"cents": 4200}]
    assert len(slack.whispers) == 2


async def test_bad_payloads_are_refused_and_strange_ones_passed_over(
    door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack
) -> None:
    button = {"action_id": "approve", "value": "{}"}
    for payload in (
        {"type": "block_actions"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "user": {"id": "U"}, "actions": [{"action_id": "explode", "value": "{}"}]},
        {"type": "block_actions", "user": {"id": "U"}, "actions": [button]},
        {"type": "block_actions", "user": {"id": 7}, "actions": [{**button, "value": '{"request": "x"}'}]},
        {"type": "block_actions", "user": {"id": "U"}, "actions": [{**button, "value": "[1]"}]},
        {"type": "view_submission", "view": {"callback_id": "deskmate.answer"}},
    ):
        refused(await send(door, clock, payload), 422, "invalid")
    for payload in ({"type": "shortcut"}, {"type": "view_submission", "view": {"callback_id": "another"}}, {}):
        assert (await send(door, clock, payload)).status_code == 200
    refused(await door.post("/slack/actions", json={"payload": "{}"}), 415)
    assert slack.calls == []


async def test_without_slack_there_is_no_such_door(store_url: str, clock: FakeClock) -> None:
    async with Desk.open(store_url, settings=Settings(), clock=clock, work=False) as desk:
        transport = httpx.ASGITransport(app=create_app(desk, work=False))
        async with httpx.AsyncClient(transport=transport, base_url="https://desk.example") as door:
            body, headers = signed({"type": "block_actions"}, clock().timestamp())
            refused(await door.post("/slack/actions", content=body, headers=headers), 404)


async def test_slack_that_is_away_or_busy_gets_the_message_later_and_once(
    store_url: str, desk: Desk, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, slack_settings: Settings, ana: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    slack.limited = 1
    request = await wrote(desk)
    assert slack.posts == {}
    async with Desk.open(store_url, settings=slack_settings, clock=clock, work=False) as other:
        await pass_time(other, clock, seconds=7)
        await asyncio.gather(desk.run_due(), other.run_due())
    assert len(slack.posts) == 1
    await desk.requests.reject(request, by=ana)
    await desk.run_due()
    assert "Ana: reject, 2026-01-05 09:00 UTC, by python" in texts(slack.post())


async def test_what_was_decided_before_it_could_be_posted_is_not_posted(
    desk: Desk, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    slack.limited = 1
    request = await wrote(desk)
    await desk.requests.reject(request, by=ana)
    await desk.run_due()
    assert slack.posts == {}


async def test_what_is_too_long_to_be_shown_and_drafts_are_decided_in_the_inbox(
    desk: Desk, slack: FakeSlack, agent: ScriptedAgent, ana: Operator
) -> None:
    agent.script = calling("refund", {"note": "x" * 5000}, refund)
    await wrote(desk)
    assert [one["action_id"] for one in slack.post()["blocks"][-1]["elements"]] == ["open"]
    slack.posts.clear()
    thread = await desk.threads.open(customer="ada", mode="review")
    agent.script = ScriptedAgent().script
    await desk.messages.post(thread.id, "Draft this", author=customer("ada"))
    await desk.messages.post(thread.id, "SECRET note", author=ana.actor(), visibility="note")
    await desk.run_due()
    assert [one["action_id"] for one in slack.post()["blocks"][-1]["elements"]] == ["open"]
    assert "You said" not in texts(slack.post())
    assert "SECRET" not in texts(slack.post())


async def test_word_to_one_operator_has_the_buttons_too_and_is_changed_with_the_request(
    desk: Desk, door: httpx.AsyncClient, clock: FakeClock, slack: FakeSlack, agent: ScriptedAgent, ben: Operator
) -> None:
    agent.script = calling("refund", {"cents": 4200}, refund)
    request = await wrote(desk)
    found = await desk.requests.get(request, by=ben)
    thread = await desk.threads.get(found.thread)
    word = SimpleNamespace(operator=ben, thread=thread, request=found, messages=(), link=None)
    assert desk.slack is not None
    await desk.slack.deliver(word)
    await send(door, clock, slack.clicked("U0BEN", "approve", "DU0BEN"))
    await desk.run_due()
    for channel in (CHANNEL, "DU0BEN"):
        assert "Ben: approve" in texts(slack.post(channel))
