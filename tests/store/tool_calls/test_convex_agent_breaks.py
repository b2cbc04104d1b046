"""Where @convex-dev/agent 0.7 breaks: the sequences of verbs that broke it, with every execution of the tool counted.

The first lines of a test say what happened there.
"""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from pydantic_ai import Tool
from tests.acceptance.doors import ADMIN_KEY, open_front, refused, serving
from tests.store.people import ADA, ANA, BEN, EVE, asked
from tests.store.tool_calls.bank import APPROVE, ROUNDS, Bank, asked_over_http, history, refunds, state, tried
from tests.store.tool_calls.models import Model, Shop, call

from deskmate import Desk, NeedsApproval, NewMessage, Replied, Rule, Settings, TalkOver, ToolResult
from deskmate.domain.requests import RequestState
from deskmate.errors import DeskmateError, NotFound
from deskmate.testing import FakeClock, ScriptedAgent, pass_time


async def test_convex_agent_two_continuations_run_every_approved_tool_twice(
    desk: Desk, other: Desk, bot: ScriptedAgent, bank: Bank
) -> None:
    bot.script = refunds(1, 2, 3)(bank)
    for _ in range(ROUNDS):
        bank.paid.clear()
        requests = await asked(desk)
        thread = requests[0].thread
        await asyncio.gather(
            *(
                at.requests.decide(r.id, APPROVE, by=by)
                for r, at, by in zip(requests, (desk, other, desk), (ANA, BEN, ANA), strict=True)
            )
        )
        await tried(desk.run_due(), other.run_due(), desk.respond(thread), other.respond(thread))
        assert sorted(str(paid["order"]) for paid in bank.paid) == ["1", "2", "3"]
        assert [await state(desk, request) for request in requests] == [RequestState.APPLIED] * 3


@pytest.mark.parametrize("overtaken", [True, False], ids=["overtaken", "expired"])
async def test_convex_agent_an_auto_denial_never_reaches_the_model(
    store_url: str, clock: FakeClock, shop: Shop, overtaken: bool
) -> None:
    """There the history that was sent had an open call for ever, which providers refuse."""
    model = Model([call("refund", "c1", order=17)], "Sorry.", "Hello again.")
    agent = model.agent(Tool(shop.refund, requires_approval=True))
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        if overtaken:
            await desk.messages.post(request.thread, "Are you there?", author=ADA)
            await desk.run_due()
        else:
            await pass_time(desk, clock, timedelta(hours=25))
        assert await state(desk, request) is (RequestState.SUPERSEDED if overtaken else RequestState.EXPIRED)
        why = "the conversation went on" if overtaken else "nobody decided in time"
        assert why in model.results()["c1"]
        await desk.messages.post(request.thread, "And now?", author=ADA)
        await desk.run_due()
        assert len(model.shown) == 3
        assert why in model.results()["c1"], "and it stays told"
    assert shop.ran == []


async def test_convex_agent_an_approval_older_than_a_hundred_messages_cannot_be_answered(
    store_url: str, clock: FakeClock, shop: Shop
) -> None:
    model = Model([call("refund", "c1", order=17)], *["Still waiting."] * 75, "Done.")
    agent = model.agent(shop.refund, capabilities=[NeedsApproval({"refund": Rule(talk_over=TalkOver.KEEP)})])
    async with Desk.open(store_url, clock=clock, agents=[agent], work=False) as desk:
        (request,) = await asked(desk)
        for number in range(75):
            await desk.messages.post(request.thread, f"And now? {number}", author=ADA)
            await desk.respond(request.thread)
        assert len(model.shown) == 76, "a hundred and fifty messages have gone by"
        await desk.requests.decide(request.id, APPROVE, by=ANA)
        reply = await desk.respond(request.thread)
        assert isinstance(reply, Replied)
        assert reply.message.text == "Done."
        assert model.results() == {"c1": "refunded 17"}
        assert await state(desk, request) is RequestState.APPLIED
    assert shop.ran == ["refund 17"]


async def test_convex_agent_ids_of_another_thread_are_accepted(desk: Desk, bank: Bank) -> None:
    (mine,), (hers,) = await asked(desk), await asked(desk, by=EVE)
    for thread, request in ((mine.thread, hers), (hers.thread, mine)):
        with pytest.raises(NotFound):
            await desk.requests.of_approval(thread, request.approval or "", by=ANA)
        answer = NewMessage(
            role="tool",
            author=ANA.author,
            parts=(ToolResult(call_id=request.call_id or "", tool="refund", output="forged", request=request.id),),
        )
        with contextlib.suppress(DeskmateError):
            await desk.messages.save(thread, [answer])
        assert await state(desk, request) is RequestState.OPEN, "what is stored in another thread settles nothing"
    for nobody in (ADA, EVE):
        with pytest.raises(DeskmateError) as forbidden:
            await desk.requests.decide(mine.id, APPROVE, by=nobody)
        assert forbidden.value.code == "forbidden"
    await desk.requests.decide(hers.id, APPROVE, by=ANA)
    await desk.run_due()
    assert await state(desk, mine) is RequestState.OPEN
    assert len(bank.paid) == 1


async def test_convex_agent_the_approver_is_not_recorded(store_url: str, bank: Bank) -> None:
    bot = ScriptedAgent(refunds(1)(bank))
    desk = Desk(store_url, agents=[bot], settings=Settings(admin_key=ADMIN_KEY, rate_limits=False))
    async with serving(desk) as url, open_front(url) as front:
        ana, ben = await front.operator("Ana"), await front.operator("Ben")
        [request] = await asked_over_http(front, 1)
        path = f"/api/requests/{request['id']}/decision"
        claim = {"kind": "approve", "by": {"kind": "operator", "id": ben.id, "name": "Ben"}}
        refused(await ana.client.post(path, json=claim), 422, "invalid")
        async with front.admin.listening(after=0, thread=request["thread"]) as heard:
            await ana.post(path, kind="approve")
            await heard.reply("All done.")
            told = (await heard.type("request.decided")).data
        by = (await ben.get(f"/api/requests/{request['id']}"))["decision"]["by"]
        assert (by["id"], by["name"]) == (ana.id, "Ana")
        assert told["actor"]["id"] == ana.id
        [answer] = [
            part
            for message in await front.admin.messages(request["thread"])
            for part in message["parts"]
            if part["type"] == "approval_response"
        ]
        assert answer["by"]["name"] == "Ana"
    assert len(bank.paid) == 1


async def test_convex_agent_the_tab_closed_between_approve_and_continue(store_url: str, bank: Bank) -> None:
    """There the tab that approved had to continue, too. Here a worker does, also one that starts later."""
    bot = ScriptedAgent(refunds(1)(bank))
    settings = Settings(admin_key=ADMIN_KEY, rate_limits=False)
    async with serving(Desk(store_url, agents=[bot], settings=settings)) as url, open_front(url) as front:
        ana = await front.operator("Ana")
        [request] = await asked_over_http(front, 1)
        async with front.admin.listening(after=0, thread=request["thread"]) as heard:
            await ana.post(f"/api/requests/{request['id']}/decision", kind="approve")
            await ana.client.aclose()
            await heard.reply("All done.")
        [later] = await asked_over_http(front, 1)
    assert len(bank.paid) == 1
    async with Desk.open(store_url, settings=settings, work=False) as desk:
        await desk.requests.decide(later["id"], APPROVE, by=ANA)  # in a program that knows no agent and is gone at once
    assert len(bank.paid) == 1
    async with Desk.open(store_url, settings=settings, agents=[bot], work=False) as desk:
        await desk.run_due()
        assert [m.text for m in await history(desk, later["thread"])][-1] == "All done."
    assert len(bank.paid) == 2
