"""P5: nobody waits for ever. What nobody decides in time has the outcome that was declared when it was opened."""

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.store.people import ADA, asked

from deskmate import Ask, Desk, NewDecision, OnExpiry, Question, Replied, Request, Risk, Role, Step, ToolCall
from deskmate.domain.actors import Actor, AuthorKind, agent
from deskmate.domain.agents import Output, Turn
from deskmate.domain.messages import ApprovalResponse, NewMessage, Visibility
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.domain.threads import Mode
from deskmate.errors import Closed, Invalid
from deskmate.store.base import Tx
from deskmate.store.times import ms
from deskmate.testing import FakeClock, ScriptedAgent, answers_to, calling, echo, pass_time, say

ANA = Actor(kind=AuthorKind.OPERATOR, id="ana", name="Ana", role=Role.LEAD)
HOUR = timedelta(hours=1)
APPROVE = NewDecision(kind=DecisionKind.APPROVE)


def asks(**settings: object):
    """A script that asks one question and then says what it was told."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        if turn.resumed:
            [told] = answers_to(turn)
            yield say(f"No: {told.reason}" if told.denied else f"Yes: {told.output}")
            return
        call = ToolCall(call_id=f"{turn.run}/1", tool="ask_human", input={})
        asked = Question(call_id=call.call_id, question="May I?", **settings)  # pyright: ignore[reportArgumentType]
        yield Ask(step=Step(role="assistant", parts=(call,)), requests=(asked,))

    return script


async def now(desk: Desk, request: Request) -> Request:
    return await desk.requests.get(request.id, by=ANA)


async def last_words(desk: Desk, request: Request) -> str:
    return (await desk.messages.history(request.thread, by=ANA)).items[-1].text


async def types(desk: Desk, request: Request) -> list[str]:
    events = [seen.event for seen in await desk.feed.read(by=ANA)]
    return [str(event.type) for event in events if event.data.get("request") == request.id]


async def test_p5_a_question_nobody_answers_goes_up_in_priority_and_is_asked_again(desk: Desk, clock: FakeClock) -> None:
    request = await desk.requests.ask("Open on Monday?")
    await desk.requests.claim(request.id, by=ANA)
    await pass_time(desk, clock, timedelta(hours=24))
    again = await now(desk, request)
    assert (again.state, again.priority, again.missed, again.claimed_by) == (RequestState.OPEN, "high", 1, None)
    assert again.expires_at == clock() + timedelta(hours=24)
    await pass_time(desk, clock, timedelta(hours=48))
    assert ((await now(desk, request)).priority, (await now(desk, request)).missed) == ("urgent", 3)
    answered = await desk.requests.answer(request.id, "Yes.", by=ANA)
    assert answered.state is RequestState.APPLIED


async def test_p5_an_approval_nobody_gives_is_denied_and_the_model_is_told(
    desk: Desk, bot: ScriptedAgent, clock: FakeClock
) -> None:
    paid: list[object] = []

    async def refund(args: object) -> None:
        paid.append(args)

    bot.script = calling("refund", {"amount": 1}, refund, expires_in=HOUR)
    (request,) = await asked(desk)
    await pass_time(desk, clock, HOUR)
    expired = await now(desk, request)
    assert expired.state is RequestState.EXPIRED
    assert expired.decision is None
    answer = await desk.messages.get(expired.outcome or "", by=ANA)
    assert isinstance(answer.parts[0], ApprovalResponse)
    assert (answer.parts[0].approved, answer.parts[0].reason) == (False, "nobody decided in time")
    assert await last_words(desk, request) == "Not done: nobody decided in time"
    with pytest.raises(Closed) as late:
        await desk.requests.decide(request.id, APPROVE, by=ANA)
    assert late.value.facts["state"] == "expired"
    await desk.run_due()
    assert paid == []
    assert (await desk.threads.get(request.thread)).waiting_since is None


async def test_p5_a_question_with_a_default_answer_is_answered_with_it(desk: Desk, bot: ScriptedAgent, clock: FakeClock) -> None:
    bot.script = asks(expires_in=HOUR, on_expiry=OnExpiry.DEFAULT, default="as on the website")
    (request,) = await asked(desk)
    await pass_time(desk, clock, HOUR)
    assert (await now(desk, request)).state is RequestState.EXPIRED
    assert await last_words(desk, request) == "Yes: as on the website"


async def test_p5_a_denied_question_tells_the_model_that_nobody_answered(
    desk: Desk, bot: ScriptedAgent, clock: FakeClock
) -> None:
    bot.script = asks(expires_in=HOUR, on_expiry=OnExpiry.DENY)
    (request,) = await asked(desk)
    await pass_time(desk, clock, HOUR)
    assert await last_words(desk, request) == "No: nobody decided in time"


async def test_p5_what_is_of_low_risk_may_be_approved_by_the_clock(desk: Desk, bot: ScriptedAgent, clock: FakeClock) -> None:
    ran: list[object] = []

    async def tag(args: object) -> str:
        ran.append(args)
        return "tagged"

    bot.script = calling("tag", {"as": "vip"}, tag, risk=Risk.LOW, expires_in=HOUR, on_expiry=OnExpiry.APPROVE)
    (request,) = await asked(desk)
    await pass_time(desk, clock, HOUR)
    applied = await now(desk, request)
    assert applied.state is RequestState.APPLIED
    assert applied.decision is not None
    assert applied.decision.by.kind is AuthorKind.SYSTEM
    assert ran == [{"as": "vip"}]
    assert await last_words(desk, request) == "Done: tagged"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"risk": Risk.HIGH, "on_expiry": OnExpiry.APPROVE}, "on_expiry"),
        ({"on_expiry": OnExpiry.DEFAULT}, "default"),
        ({"expires_in": None, "on_expiry": OnExpiry.DENY}, "expires_in"),
        ({"expires_in": timedelta(0)}, "expires_in"),
        ({"remind_every": timedelta(milliseconds=1)}, "remind_every"),
    ],
)
async def test_a_deadline_that_cannot_be_kept_is_refused(
    desk: Desk, bot: ScriptedAgent, settings: dict[str, object], field: str
) -> None:
    async def nothing(args: object) -> None:
        del args

    bot.script = calling("refund", {}, nothing, **settings)
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "Hello", author=ADA)
    outcome = await desk.respond(thread.id)
    assert field in str(outcome) or "low risk" in str(outcome)
    assert [r.kind for r in (await desk.requests.list(by=ANA, thread=thread.id)).items] == ["escalation"], "the failure is shown"


async def test_a_default_answer_has_to_fit_the_schema_of_the_answer(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.requests.ask("How many?", response_schema={"type": "integer"}, default="three", on_expiry=OnExpiry.DEFAULT)
    assert refused.value.field == "default"
    assert (await desk.requests.list(by=ANA)).items == ()


async def test_p5_a_draft_nobody_approves_stays_a_draft(desk: Desk, bot: ScriptedAgent, clock: FakeClock) -> None:
    thread = await desk.threads.open(customer="ada")
    await desk.threads.change(thread.id, mode=Mode.REVIEW, by=ANA)
    await desk.messages.post(thread.id, "Hello", author=ADA)
    await desk.respond(thread.id)
    [request] = (await desk.requests.list(by=ANA, thread=thread.id)).items
    await pass_time(desk, clock, timedelta(hours=24))
    assert (await now(desk, request)).state is RequestState.EXPIRED
    draft = await desk.messages.get(request.draft or "", by=ANA)
    assert draft.visibility is Visibility.DRAFT
    assert [m.text for m in (await desk.messages.history(thread.id, by=ADA)).items] == ["Hello"]


async def test_p5_an_approval_that_a_program_stored_is_denied_beside_its_call(desk: Desk, clock: FakeClock) -> None:
    from deskmate import ApprovalRequest, Text

    thread = await desk.threads.open(customer="ada")
    bot = agent("bot").author
    call = ToolCall(call_id="c1", tool="refund", input={"amount": 1})
    words = NewMessage(role="user", author=ADA.author, parts=(Text(text="My money back."),))
    calls = NewMessage(role="assistant", author=bot, parts=(call, ApprovalRequest(approval_id="ap1", call_id="c1")))
    await desk.messages.save(thread.id, [words, calls])
    request = await desk.requests.of_approval(thread.id, "ap1", by=ANA)
    await pass_time(desk, clock, timedelta(hours=24))
    expired = await now(desk, request)
    assert expired.state is RequestState.EXPIRED
    answer = (await desk.messages.get(expired.outcome or "", by=ANA)).parts[0]
    assert isinstance(answer, ApprovalResponse)
    assert not answer.approved


async def test_p5_a_request_that_waits_for_ever_does_so_because_it_was_asked_to(desk: Desk, clock: FakeClock) -> None:
    request = await desk.requests.ask("Whenever you like?", expires_in=None)
    assert (request.on_expiry, request.expires_at) == (OnExpiry.WAIT, None)
    await pass_time(desk, clock, timedelta(days=400))
    assert (await now(desk, request)).state is RequestState.OPEN


async def test_p5_a_decision_stops_the_clock(desk: Desk, clock: FakeClock) -> None:
    request = await desk.requests.ask("Open on Monday?", remind_every=HOUR)
    await desk.requests.answer(request.id, "Yes.", by=ANA)
    await pass_time(desk, clock, timedelta(hours=48))
    assert (await now(desk, request)).state is RequestState.APPLIED
    assert await desk.next_due() is None


async def test_people_are_reminded_until_they_decide(desk: Desk, clock: FakeClock) -> None:
    request = await desk.requests.ask("Open on Monday?", remind_every=HOUR, expires_in=timedelta(hours=3, minutes=30))
    await pass_time(desk, clock, timedelta(hours=3, minutes=29))
    assert await types(desk, request) == ["request.opened", *["request.reminded"] * 3]
    await pass_time(desk, clock, timedelta(minutes=1))
    assert (await types(desk, request))[-1] == "request.overdue"


async def test_p5_a_deadline_survives_a_restart(store_url: str, clock: FakeClock) -> None:
    async with Desk.open(store_url, clock=clock, work=False) as first:
        request = await first.requests.ask("Open on Monday?", expires_in=HOUR, on_expiry=OnExpiry.DENY)
    clock.advance(HOUR)
    async with Desk.open(store_url, clock=clock, work=False) as second:
        await second.run_due()
        assert (await second.requests.get(request.id, by=ANA)).state is RequestState.EXPIRED


async def test_p5_a_timer_that_was_lost_is_reported_and_goes_off(
    desk: Desk, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    request = await desk.requests.ask("Open on Monday?", expires_in=HOUR, on_expiry=OnExpiry.DENY)
    await desk._store.write(lambda tx: tx.run("jobs.cancel", kind="request", ref=request.id))  # pyright: ignore[reportPrivateUsage]
    clock.advance(HOUR + timedelta(seconds=61))
    with caplog.at_level(logging.WARNING, "deskmate.deadlines"):
        await desk.run_due()
    assert "1 requests were overdue by more than a minute" in caplog.text
    assert (await now(desk, request)).state is RequestState.EXPIRED


async def test_p5_the_clock_and_a_person_never_both_decide(desk: Desk, bot: ScriptedAgent, clock: FakeClock) -> None:
    bot.script = asks(expires_in=HOUR, on_expiry=OnExpiry.DEFAULT, default="the default")
    (request,) = await asked(desk)
    clock.advance(HOUR)
    await desk.requests.answer(request.id, "a person's", by=ANA)
    await desk.run_due()
    assert (await now(desk, request)).state is RequestState.APPLIED
    assert await last_words(desk, request) == "Yes: a person's"
    bot.script = echo
    await desk.messages.post(request.thread, "Thanks", author=ADA)
    assert isinstance(await desk.respond(request.thread), Replied)


async def test_p5_a_timer_whose_process_died_goes_off_when_its_lease_is_over(desk: Desk, clock: FakeClock) -> None:
    request = await desk.requests.ask("Open on Monday?", expires_in=HOUR, on_expiry=OnExpiry.DENY)
    later = await desk.requests.ask("Open on Sunday?", expires_in=2 * HOUR, on_expiry=OnExpiry.DENY)
    clock.advance(HOUR)

    async def die(tx: Tx) -> None:
        until = ms(tx.now + timedelta(seconds=15))
        kinds = json.dumps(["request"])
        [_] = await tx.all("jobs.claim", lease_by="dead", lease_until=until, now=ms(tx.now), lanes="[]", kinds=kinds, limit=1)

    await desk._store.write(die)  # pyright: ignore[reportPrivateUsage]
    await pass_time(desk, clock, HOUR)
    assert [(await now(desk, one)).state for one in (request, later)] == [RequestState.EXPIRED] * 2
