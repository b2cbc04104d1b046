"""Escalations: a thread is passed on to people, by its agent, by its customer, or by a failure; and how it comes back."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind, agent
from deskmate.domain.agents import Question
from deskmate.domain.assignments import Assignment, Cause, Holder
from deskmate.domain.escalations import PASSED_ON, Escalated, Escalation
from deskmate.domain.events import EventType
from deskmate.domain.limits import Fallback, Refusal, clock_time, in_about
from deskmate.domain.messages import Message, NewMessage, Text, Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, redact_thread, require
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.requests import WAITING, DecisionKind, Request, RequestKind, RequestState, Risk, TalkOver
from deskmate.domain.runs import Run
from deskmate.domain.threads import Mode, Priority, Thread
from deskmate.errors import Conflict
from deskmate.services import assignments, deferrals, ledger, limits, messages, prompts, queues, runs, threads
from deskmate.services.deferrals import Deferral
from deskmate.services.texts import clean
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

LONGEST_REASON = 2_000  # characters


class Escalator:
    """What a run passes its thread on with. One for each attempt."""

    def __init__(self, store: Store, run: Run, lease: timedelta) -> None:
        self._store = store
        self._run = run
        self._lease = lease

    async def __call__(self, asked: Escalation) -> Escalated:
        """Give the thread to people. The run keeps the floor for its last words. Raises Fenced."""
        return await self._store.write(lambda tx: self._escalate(tx, asked))

    async def _escalate(self, tx: Tx, asked: Escalation) -> Escalated:
        thread = await threads.lock(tx, self._run.thread)
        await runs.hold(tx, self._run, self._lease)
        if not asked.insists and (no := await _declined(tx, thread)) is not None:
            return Escalated(accepted=False, why=no)
        if await _open_one(tx, thread.id) is None and (later := await self._pass_on(tx, thread, asked)) is not None:
            return later
        waits = await queues.wait(tx, await threads.get(tx, thread.id))
        return Escalated(
            accepted=True, position=waits.position, expected_wait=waits.expected_wait, opens_at=waits.opens_at
        )  # fmt: skip

    async def _pass_on(self, tx: Tx, thread: Thread, asked: Escalation) -> Escalated | None:
        """Pass the thread on; past the budget, what the model is told instead."""
        by = agent(self._run.agent)
        if (standing := await deferrals.standing(tx, thread, by=by)) is not None:
            return _later(tx, standing)
        refusal = await limits.take_escalation(tx, thread, asked.reason, agent=by.name, queue=asked.queue)
        later = None if refusal is None else await _fall_back(tx, thread, asked, refusal, by=by)
        if later is None or refusal is None:
            await pass_on(tx, thread, asked if refusal is None else lowered(asked), actor=by, run=self._run)
            return None
        if refusal.fallback is Fallback.ANSWER:
            await tell(tx, thread, _said(refusal, later), after=await prompts.behind(tx, self._run))
        return _later(tx, later, refusal)


def _later(tx: Tx, found: Deferral, refusal: Refusal | None = None) -> Escalated:
    """What a model is told of an escalation that happens later."""
    at = clock_time(found.due_at, tx.now)
    why = f"people have no room before {at}: the conversation is passed on to them by itself then, so do not ask again"
    if refusal is not None and refusal.fallback is Fallback.ANSWER:
        why += f". The customer has been told: {_said(refusal, found)}"
    elif refusal is not None and refusal.limit.text:
        why += f". {refusal.limit.text}"
    return Escalated(accepted=False, why=why, retry_after=max(found.due_at - tx.now, timedelta()))


def _said(refusal: Refusal, later: Deferral) -> str:
    """What the customer is told."""
    span = math.ceil((later.due_at - refusal.now).total_seconds())
    return refusal.limit.text or f"A person from the team will be here for you in about {in_about(span)}."


async def _fall_back(tx: Tx, thread: Thread, asked: Escalation, refusal: Refusal, *, by: Actor) -> Deferral | None:
    """Past the budget what was declared happens, and is recorded (P11). None where that is to pass the thread on all the same."""
    await limits.reached(tx, refusal, thread.id, fallback=refusal.fallback, once=False)
    return None if refusal.fallback is Fallback.LOW else await deferrals.put(tx, thread, asked, refusal, by=by)


def lowered(asked: Escalation) -> Escalation:
    """The same, of low priority: nobody is called for it."""
    return replace(asked, urgency=Priority.LOW)


async def tell(tx: Tx, thread: Thread, text: str, *, after: str | None = None) -> None:
    """A line of the system for the customer."""
    line = NewMessage(role="system", parts=(Text(text=text),), author=SYSTEM.author)
    await messages.insert(tx, thread.id, [line], after=after, actor=SYSTEM)


async def _declined(tx: Tx, thread: Thread) -> str | None:
    """Why people gave the thread back, where they declined it or handed it back and the customer has not written since: the same
    matter does not come twice."""
    newest = await prompts.newest_of_customer(tx, thread.id)
    heard = ms(newest.created_at) if newest is not None else 0
    row = await tx.one("requests.newest_escalation", thread=thread.id)
    if row is not None and row["decision_kind"] == DecisionKind.DECLINE and heard <= row["decided_at"]:
        return f"{row['decided_name']} has declined this: {row['decision_reason'] or 'no reason given'}"
    last = (await assignments.history(tx, thread.id))[-1]
    if last.cause is Cause.HAND_BACK and heard <= ms(last.at):
        return f"{last.by.name} has handed this back: {last.note or 'go on with it'}"
    return None


async def _open_one(tx: Tx, thread: str) -> Request | None:
    """The escalation of a thread that nobody has decided yet, where nobody waits for its answer in a call."""
    return next((r for r in await ledger.waiting(tx, thread) if _plain(r) and r.state in WAITING), None)


def _plain(request: Request) -> bool:
    return request.kind is RequestKind.ESCALATION and not request.call_id


async def pass_on(tx: Tx, thread: Thread, asked: Escalation, *, actor: Actor, run: Run | None = None) -> Request:
    """Let the thread wait for people, with what they have to know. The caller holds its lock."""
    queue = asked.queue or thread.queue or DEFAULT_QUEUE
    holder = Assignment(to=Holder.QUEUE, id=queue, name=queue, since=tx.now, reason=asked.reason[:LONGEST_REASON])
    moved = await assignments.change(tx, thread, holder, Cause.ESCALATION, by=actor, waiting=True, spare=run)
    if asked.summary:
        moved = await threads.change(tx, thread.id, summary=asked.summary[:LONGEST_REASON], actor=actor)
    return await _open(tx, moved, asked, actor=actor, run=run)


async def _open(
    tx: Tx, thread: Thread, asked: Escalation, *, actor: Actor, run: Run | None, talk_over: TalkOver = TalkOver.KEEP
) -> Request:
    question = Question(
        call_id="", kind=RequestKind.ESCALATION, question=asked.summary or "", reason=asked.reason[:LONGEST_REASON],
        suggestion=asked.suggestion, confidence=asked.confidence, floor=asked.floor, queue=asked.queue or thread.queue,
        risk=Risk.LOW, urgency=asked.urgency, talk_over=talk_over,
    )  # fmt: skip
    return await ledger.open_question(tx, thread, question, actor=actor, run=run.id if run is not None else None)


class Escalations:
    """Threads passed on to people from outside of a run: by a customer, an operator or a program."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def escalate(
        self, thread: str, reason: str | None = None, *, urgency: str = "normal", summary: str | None = None, by: By
    ) -> Thread:
        """Have a person answer: the thread waits in its queue, the AI is silent. Where people have it already nothing changes.

        A customer may ask for that at any time. Past a limit what that declares happens, and people come in the end. Operators
        are not limited. Raises NotFound, Forbidden, Invalid.
        """
        actor = actor_of(by)
        why = clean(reason, "reason") if reason is not None else None
        known = clean(summary, "summary") if summary is not None else None

        async def body(tx: Tx) -> Thread:
            found = await threads.lock(tx, thread)
            require(actor, Action.THREAD_ESCALATE, owner=found.customer)
            who = actor.name or found.customer_name or "the customer"
            told = why or f"{who} wants a person to answer"
            asked = Escalation(reason=told, urgency=Priority(urgency), summary=known)
            if found.assignment.to is not Holder.OPERATOR and await _open_one(tx, found.id) is None:
                await _ask_for_people(tx, found, asked, by=actor)
            return redact_thread(await threads.get(tx, found.id), actor)

        return await self._store.write(body)


async def _ask_for_people(tx: Tx, thread: Thread, asked: Escalation, *, by: Actor) -> None:
    """Somebody outside of a run wants people to have the thread. A customer is told what comes of it."""
    customer = by.kind is AuthorKind.CUSTOMER
    if await deferrals.standing(tx, thread, by=by) is not None:
        return
    refusal = None
    if by.kind is not AuthorKind.OPERATOR:
        refusal = await limits.take_escalation(tx, thread, asked.reason, agent=None, queue=asked.queue)
    later = None if refusal is None else await _fall_back(tx, thread, asked, refusal, by=by)
    if refusal is not None and later is not None:
        if customer or refusal.fallback is Fallback.ANSWER:
            await tell(tx, thread, _said(refusal, later))
        return
    await pass_on(tx, thread, asked if refusal is None else lowered(asked), actor=by)
    if customer:
        await tell(tx, thread, PASSED_ON)


async def by_failure(tx: Tx, thread: Thread, run: Run, reason: str) -> None:
    """A run has failed, or did not start, and a customer waits. The AI keeps the thread: the next run, or another try, closes
    this again."""
    if thread.customer is None or thread.assignment.to is not Holder.AI or await _open_one(tx, thread.id) is not None:
        return
    asked = Escalation(reason=reason[:LONGEST_REASON])
    await _open(tx, thread, asked, actor=agent(run.agent), run=run, talk_over=TalkOver.CANCEL)


async def answered(tx: Tx, thread: Thread, *, by: Actor) -> None:
    """A person has replied in public: what was passed on to people has been dealt with."""
    found = await _open_one(tx, thread.id)
    if found is not None:
        await ledger.close(tx, found, RequestState.CANCELLED, by=by)


async def apply(tx: Tx, request: Request, default_agent: Callable[[], str | None], *, by: Actor) -> Request:
    """Give the thread back to the AI with what a person said to it: the answer, or why not. It goes on at once.

    Raises Conflict where no AI may speak on the thread.
    """
    thread = await threads.get(tx, request.thread)
    name = request.agent if request.run is not None and request.agent else default_agent()
    if name is None or thread.mode is Mode.OFF:
        raise Conflict("no AI speaks on this thread: take it over", field="kind")
    if thread.assignment.to is not Holder.AI:
        back = Assignment(to=Holder.AI, since=tx.now, reason=f"{by.name} answered through the AI")
        thread = await assignments.change(tx, thread, back, Cause.HAND_BACK, by=by, waiting=False)
    marker = NewMessage(role="system", parts=(Text(text=_told(request)),), author=SYSTEM.author, visibility=Visibility.NOTE)
    stored = (await messages.insert(tx, thread.id, [marker], order="next", actor=by))[0]
    await _go_on(tx, thread, name, stored, by)
    await tx.run("requests.apply", id=request.id, outcome=stored.id, now=ms(tx.now))
    applied = await ledger.get(tx, request.id)
    await ledger.announce(tx, applied, EventType.REQUEST_APPLIED, actor=by)
    return applied


async def _go_on(tx: Tx, thread: Thread, name: str, prompt: Message, by: Actor) -> None:
    if thread.waiting_since is not None and not await ledger.waiting(tx, thread.id):
        await tx.run("assignments.served", thread=thread.id, now=ms(tx.now))
    await tx.run("assignments.asks", thread=thread.id, order=prompt.order)
    await runs.queue(tx, thread, name, prompt=prompt.id, prompt_order=prompt.order, actor=by)


def _told(request: Request) -> str:
    """What the model is told of the decision."""
    decision = request.decision
    assert decision is not None
    about = f"what was passed on to the team ({request.reason})" if request.reason else "what was passed on to the team"
    if decision.kind is DecisionKind.DECLINE:
        lines = [f"{decision.by.name} declined {about}, and gave the conversation back to the AI."]
        lines += [f"Reason: {decision.reason}"] if decision.reason else []
        return "\n".join([*lines, "Tell the customer, kindly; do not pass the same matter on again."])
    return f"{decision.by.name} answered {about}: {decision.value}\nPass the answer on to the customer, and say who gave it."
