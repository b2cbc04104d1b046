"""What the AI says to nobody but the team: drafts that wait for approval, and notes in which it is a copilot."""

from collections.abc import AsyncIterator, Callable

import pytest
from tests.store.people import ADA

from deskmate import Desk, Drafted, Escalation, Message, NewDecision, Operator, Request, Role, Settings, Thread, Visibility
from deskmate.domain.actors import Actor, AuthorKind
from deskmate.domain.agents import Output, Turn
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.domain.threads import Mode
from deskmate.errors import Forbidden, Invalid, Stale
from deskmate.testing import FakeClock, ScriptedAgent, calling, echo, failing, say

LEAD = Actor(kind=AuthorKind.OPERATOR, id="lead", name="Lea", role=Role.LEAD)
APPROVE = NewDecision(kind=DecisionKind.APPROVE)
MakeDesk = Callable[..., Desk]


@pytest.fixture
def bot() -> ScriptedAgent:
    return ScriptedAgent()


@pytest.fixture
async def desk(store_url: str, clock: FakeClock, bot: ScriptedAgent) -> AsyncIterator[Desk]:
    settings = Settings(mode="review", copilot=True)
    async with Desk.open(store_url, clock=clock, agents=[bot], settings=settings, work=False) as desk:
        yield desk


@pytest.fixture
async def ana(desk: Desk) -> Operator:
    return await desk.operators.add(name="Ana", email="ana@example.com")


async def drafted(desk: Desk, words: str = "Are you open?") -> tuple[Thread, Request]:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, words, author=ADA)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread.id, by=LEAD)
    return thread, request


async def shown(desk: Desk, thread: Thread) -> list[str]:
    """What the customer reads."""
    return [message.text for message in (await desk.messages.history(thread.id, by=ADA)).items]


async def whole(desk: Desk, thread: Thread) -> tuple[Message, ...]:
    return (await desk.messages.history(thread.id, by=LEAD)).items


async def test_new_threads_have_the_mode_of_the_desk(desk: Desk) -> None:
    thread, request = await drafted(desk)
    assert thread.mode is Mode.REVIEW
    assert request.draft is not None
    assert await shown(desk, thread) == ["Are you open?"]
    assert (await desk.threads.open(customer="ada", mode=Mode.AUTO)).mode is Mode.AUTO


async def test_whoever_has_a_thread_answered_is_told_that_the_answer_waits_for_approval(desk: Desk) -> None:
    thread = await desk.threads.open(customer="ada")
    await desk.messages.post(thread.id, "Are you open?", author=ADA)
    outcome = await desk.respond(thread.id)
    assert isinstance(outcome, Drafted)
    assert [outcome.request] == list(await desk.requests.waiting(thread.id, by=LEAD))


async def test_an_edited_draft_is_sent_as_edited_and_the_original_stays_on_the_request(desk: Desk, ana: Operator) -> None:
    thread, request = await drafted(desk)
    edited = NewDecision(kind=DecisionKind.EDIT, text="Until seven.", review="say when")
    decided = await desk.requests.decide(request.id, edited, by=ana)
    assert await shown(desk, thread) == ["Are you open?", "Until seven."]
    assert decided.decision is not None
    assert (decided.suggestion, decided.decision.text, decided.decision.review) == (
        "You said: Are you open?", "Until seven.", "say when",
    )  # fmt: skip


async def test_a_rejected_draft_is_written_again_with_the_review(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    thread, request = await drafted(desk)

    async def better(turn: Turn) -> AsyncIterator[Output]:
        yield say(f"Better. I was told: {turn.history[-1].parts[0]}")

    bot.script = better
    rejected = NewDecision(kind=DecisionKind.REJECT, review="name the hours", retry=True)
    assert (await desk.requests.decide(request.id, rejected, by=ana)).state is RequestState.APPLIED
    await desk.run_due()
    [again] = await desk.requests.waiting(thread.id, by=LEAD)
    assert again.id != request.id
    assert "name the hours" in (again.suggestion or "")
    assert 'Ana has rejected this draft of a reply: "You said: Are you open?"' in (again.suggestion or "").replace("\\'", "'")
    assert await shown(desk, thread) == ["Are you open?"]
    await desk.requests.decide(again.id, APPROVE, by=ana)
    assert len(await shown(desk, thread)) == 2


async def test_a_rejected_draft_stays_a_draft_for_ever(desk: Desk, ana: Operator) -> None:
    thread, request = await drafted(desk)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.REJECT, review="no"), by=ana)
    assert await desk.run_due() == 0
    assert await shown(desk, thread) == ["Are you open?"]
    assert (await desk.messages.get(request.draft or "", by=LEAD)).visibility is Visibility.DRAFT


@pytest.mark.parametrize("kind", [DecisionKind.APPROVE, DecisionKind.EDIT])
async def test_only_what_is_rejected_is_written_again(desk: Desk, ana: Operator, kind: DecisionKind) -> None:
    _, request = await drafted(desk)
    with pytest.raises(Invalid) as refused:
        await desk.requests.decide(request.id, NewDecision(kind=kind, text="x", retry=True), by=ana)
    assert refused.value.field == "retry"


async def test_p4_a_draft_older_than_the_customers_last_words_needs_an_explicit_yes(desk: Desk, ana: Operator) -> None:
    thread, request = await drafted(desk)
    await desk.messages.post(thread.id, "On Sunday?", author=ADA, respond=False)
    with pytest.raises(Stale):
        await desk.requests.decide(request.id, APPROVE, by=ana)
    await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE, stale_ok=True), by=ana)
    assert "You said: Are you open?" in await shown(desk, thread)


async def test_an_agent_may_hold_its_own_words_back(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    async def unsure(turn: Turn) -> AsyncIterator[Output]:
        from dataclasses import replace

        yield replace(say("Perhaps."), held=True)

    bot.script = unsure
    thread = await desk.threads.open(customer="ada", mode=Mode.AUTO)
    await desk.messages.post(thread.id, "Are you open?", author=ADA)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread.id, by=LEAD)
    assert request.draft is not None
    assert await shown(desk, thread) == ["Are you open?"]


# Copilot


async def held(desk: Desk, ana: Operator) -> Thread:
    """A thread that Ana has taken over."""
    thread = await desk.threads.open(customer="ada", mode=Mode.AUTO)
    await desk.messages.post(thread.id, "Are you open?", author=ADA)
    return await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana.actor())


async def test_a_note_that_calls_on_the_ai_is_answered_with_a_note(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    thread = await held(desk, ana)
    await desk.messages.post(thread.id, "@ai what are our hours?", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    note = (await whole(desk, thread))[-1]
    assert (note.visibility, note.author.kind, note.text) == (
        Visibility.NOTE,
        AuthorKind.AGENT,
        "You said: @ai what are our hours?",
    )
    assert bot.turns[-1].aside
    assert await shown(desk, thread) == ["Are you open?"]
    now = await desk.threads.get(thread.id)
    assert (now.assignment.name, now.waiting_since is not None) == ("Ana", True), "nobody has answered the customer by that"


@pytest.mark.parametrize("text", ["mail me@ai.example", "no call", "@aida said so"])
async def test_a_note_that_does_not_call_on_the_ai_is_not_answered(desk: Desk, ana: Operator, text: str) -> None:
    thread = await held(desk, ana)
    await desk.messages.post(thread.id, text, author=ana, visibility=Visibility.NOTE)
    assert await desk.run_due() == 0


async def test_the_copilot_suggests_as_a_note_while_an_operator_holds_the_thread(desk: Desk, ana: Operator) -> None:
    thread = await held(desk, ana)
    await desk.messages.post(thread.id, "And on Sunday?", author=ADA)
    await desk.run_due()
    suggestion = (await whole(desk, thread))[-1]
    assert (suggestion.visibility, suggestion.text) == (Visibility.NOTE, "You said: And on Sunday?")
    assert await shown(desk, thread) == ["Are you open?", "And on Sunday?"]


async def test_p8_a_suggestion_is_in_no_model_context_of_a_reply(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    thread = await held(desk, ana)
    await desk.messages.post(thread.id, "@ai secret plan?", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    await desk.assignments.assign(thread.id, "ai", by=ana.actor())
    await desk.run_due()
    assert "secret plan" not in str(bot.turns[-1].history)


async def test_a_copilot_that_fails_fails_before_the_team_only(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    thread = await held(desk, ana)
    bot.script = failing(RuntimeError("no model"))
    await desk.messages.post(thread.id, "@ai hours?", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    failed = (await whole(desk, thread))[-1]
    assert (failed.visibility, failed.status) == (Visibility.NOTE, "failed")
    assert await shown(desk, thread) == ["Are you open?"]
    assert await desk.requests.waiting(thread.id, by=LEAD) == ()


async def test_nobody_approves_a_call_that_they_caused_where_that_is_forbidden(
    desk: Desk, bot: ScriptedAgent, ana: Operator
) -> None:
    paid: list[object] = []

    async def refund(args: object) -> str:
        paid.append(args)
        return "refunded"

    thread = await held(desk, ana)
    bot.script = calling("refund", {"order": 17}, refund, self_approval=False)
    await desk.messages.post(thread.id, "@ai refund order 17", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    [request] = await desk.requests.waiting(thread.id, by=LEAD)
    assert request.caused_by == ana.id
    with pytest.raises(Forbidden):
        await desk.requests.decide(request.id, APPROVE, by=ana)
    await desk.requests.decide(request.id, APPROVE, by=LEAD)
    await desk.run_due()
    assert paid == [{"order": 17}]
    assert await shown(desk, thread) == ["Are you open?"]


async def test_a_copilot_answers_while_the_thread_waits_in_a_queue(desk: Desk, bot: ScriptedAgent, ana: Operator) -> None:
    async def passes_on(turn: Turn) -> AsyncIterator[Output]:
        await turn.escalate(Escalation(reason="beyond me"))
        yield say("A colleague comes.")

    thread = await desk.threads.open(customer="ada", mode=Mode.AUTO)
    bot.script = passes_on
    await desk.messages.post(thread.id, "Help", author=ADA)
    await desk.run_due()
    bot.script = echo
    await desk.messages.post(thread.id, "@ai why?", author=ana, visibility=Visibility.NOTE)
    await desk.run_due()
    assert (await whole(desk, thread))[-1].text == "You said: @ai why?"
