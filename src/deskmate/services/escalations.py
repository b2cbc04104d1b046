"""Escalations: a thread is passed on to people, by its agent, by its customer, or by a failure; and how it comes back."""

from collections.abc import Callable
from datetime import timedelta

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind, agent
from deskmate.domain.agents import Question
from deskmate.domain.assignments import Assignment, Cause, Holder
from deskmate.domain.escalations import Escalated, Escalation
from deskmate.domain.events import EventType
from deskmate.domain.messages import Message, NewMessage, Text, Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, redact_thread, require
from deskmate.domain.queues import DEFAULT_QUEUE
from deskmate.domain.requests import WAITING, DecisionKind, Request, RequestKind, RequestState, Risk, TalkOver
from deskmate.domain.runs import Run
from deskmate.domain.threads import Mode, Priority, Thread
from deskmate.errors import Conflict
from deskmate.services import assignments, ledger, messages, prompts, queues, runs, threads
from deskmate.services.texts import clean
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

LONGEST_REASON = 2_000  # characters
PASSED_ON = "A person from the team will answer you here."
"""What a customer who asks for a person is told."""


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
        if (no := await _declined(tx, thread)) is not None:
            return Escalated(accepted=False, why=no)
        if await _open_one(tx, thread.id) is None:
            await _pass_on(tx, thread, asked, actor=agent(self._run.agent), run=self._run)
        waits = await queues.wait(tx, await threads.get(tx, thread.id))
        return Escalated(
            accepted=True, position=waits.position, expected_wait=waits.expected_wait, opens_at=waits.opens_at
        )  # fmt: skip


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


async def _pass_on(tx: Tx, thread: Thread, asked: Escalation, *, actor: Actor, run: Run | None = None) -> Request:
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

        A customer may ask for that at any time. Raises NotFound, Forbidden, Invalid.
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
                await _pass_on(tx, found, asked, actor=actor)
                if actor.kind is AuthorKind.CUSTOMER:
                    line = NewMessage(role="system", parts=(Text(text=PASSED_ON),), author=SYSTEM.author)
                    await messages.insert(tx, found.id, [line], actor=SYSTEM)
            return redact_thread(await threads.get(tx, found.id), actor)

        return await self._store.write(body)


async def by_failure(tx: Tx, thread: Thread, run: Run, error: str) -> None:
    """A run has failed, and a customer waits. The AI keeps the thread: the next run, or another try, closes this again."""
    if thread.customer is None or thread.assignment.to is not Holder.AI or await _open_one(tx, thread.id) is not None:
        return
    asked = Escalation(reason=f"{run.agent} failed: {error}"[:LONGEST_REASON])
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
