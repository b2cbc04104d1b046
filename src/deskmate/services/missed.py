"""Missed: an operator has not answered in time. What was declared for that happens, one action after the other."""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from deskmate.domain.actors import SYSTEM
from deskmate.domain.assignments import Assignment, Cause, Holder
from deskmate.domain.events import EventType
from deskmate.domain.messages import NewMessage, Text
from deskmate.domain.queues import DEFAULT_QUEUE, Chooser
from deskmate.domain.responses import ResponseAction, Timer, due_after, next_step
from deskmate.domain.threads import Mode, Thread
from deskmate.services import assignments, choosing, feed, messages, offers, operators, queues, threads
from deskmate.services.assignments import Assignments
from deskmate.services.notifications import notify
from deskmate.store.base import Tx
from deskmate.store.times import ms

NOBODY = "Nobody answered in time: the customer still waits."
"""What the model is told when the AI goes on."""


class Missed:
    """What happens when an operator does not answer in time."""

    def __init__(self, assignments: Assignments, default_agent: Callable[[], str | None]) -> None:
        self._assignments = assignments
        self._default_agent = default_agent

    async def act(self, tx: Tx, thread: Thread, timer: Timer) -> Timer | None:
        """Do the action of this step. Returns the timer as it goes on; None where nothing comes any more.

        The caller holds the thread's lock, and has taken the step.
        """
        first = thread.assignment.to is Holder.OPERATOR and timer.operator not in timer.missed
        missed = (*timer.missed, timer.operator) if first else timer.missed
        done = await self._do(tx, thread, replace(timer, missed=missed))
        moved = await threads.get(tx, thread.id)
        number = await _count(tx, timer, first=first)
        data = {"operator": timer.operator, "action": done, "step": timer.step, "misses": number}
        await feed.emit(tx, EventType.RESPONSE_MISSED, actor=SYSTEM, thread=thread.id, data=data)
        return await _then(tx, moved, replace(timer, missed=missed))

    async def _do(self, tx: Tx, thread: Thread, timer: Timer) -> ResponseAction:
        """What was done: where nobody can be given the thread, and where no AI may answer, it waits in its queue instead."""
        action = timer.rules.actions[timer.step]
        match action:
            case ResponseAction.REMIND:
                await _tell(tx, thread, timer, [timer.operator], action, f"{_customer(thread)} waits for your answer.")
            case ResponseAction.NOTIFY_LEAD:
                leads = [one.id for one in await operators.leads(tx)]
                late = f"{_customer(thread)} waits: {await _name(tx, timer.operator)} has not answered in time."
                await _tell(tx, thread, timer, leads, action, late)
            case ResponseAction.REASSIGN:
                if not await _reassign(tx, thread, timer):
                    return await _give_back(tx, thread)
            case ResponseAction.QUEUE:
                return await _give_back(tx, thread)
            case ResponseAction.AI:
                if thread.mode is not Mode.AUTO or self._default_agent() is None:
                    return await _give_back(tx, thread)
                await self._let_ai_go_on(tx, thread, timer.rules.holding_message)
            case _:
                assert_never(action)
        return action

    async def _let_ai_go_on(self, tx: Tx, thread: Thread, said: str | None) -> None:
        if said is not None:
            line = NewMessage(role="system", parts=(Text(text=said),), author=SYSTEM.author)
            await messages.insert(tx, thread.id, [line], actor=SYSTEM)
        await self._assignments.give(tx, thread.id, Holder.AI, by=SYSTEM, note=NOBODY)


async def _tell(tx: Tx, thread: Thread, timer: Timer, to: list[str], action: ResponseAction, text: str) -> None:
    key = f"response/{thread.id}/{timer.seq}/{timer.step}"
    urgent = action is ResponseAction.NOTIFY_LEAD
    await notify(tx, to, key=key, kind=f"response.{action}", text=text, thread=thread.id, urgent=urgent)


def _customer(thread: Thread) -> str:
    return thread.customer_name or "A customer"


async def _name(tx: Tx, id: str) -> str:
    operator = await operators.find(tx, id)
    return operator.name if operator is not None else "nobody we know"


async def _reassign(tx: Tx, thread: Thread, timer: Timer) -> bool:
    """Give it to somebody else. Tells whether there was somebody."""
    queue = await queues.ensure(tx, thread.queue or DEFAULT_QUEUE)
    chosen = await choosing.best_for(tx, thread, queue, besides=frozenset(timer.missed))
    if chosen is None:
        return False
    operator, why = chosen
    was = thread.assignment
    await tx.run("choices.missed", thread=thread.id, request=None, operator=was.id, now=ms(tx.now))
    reason = f"{was.name} did not answer in time; {why}"
    holder = Assignment(to=Holder.OPERATOR, id=operator.id, name=operator.name, since=tx.now, reason=reason)
    # What waits for a sign of life in this queue does so here as well.
    until = None if queue.chooser is Chooser.PULL else tx.now + queue.lease
    await assignments.change(
        tx, thread, holder, Cause.TRANSFER, by=SYSTEM, waiting=True, keep=True, lease_until=until
    )  # fmt: skip
    if until is not None:
        await offers.lease(tx, thread.id, until)
    return True


async def _give_back(tx: Tx, thread: Thread) -> ResponseAction:
    """Let it wait in its queue; where it does already, that is so."""
    was = thread.assignment
    if was.to is Holder.OPERATOR:
        queue = thread.queue or DEFAULT_QUEUE
        if not await tx.run("choices.missed", thread=thread.id, request=None, operator=was.id, now=ms(tx.now)):
            await tx.run(
                "choices.owned_up",
                id=tx.id("choice"), thread=thread.id, queue=queue, operator=was.id, operator_name=was.name, now=ms(tx.now),
            )  # fmt: skip
        reason = f"{was.name} did not answer in time"
        await assignments.to_queue(tx, thread, by=SYSTEM, reason=reason, cause=Cause.RELEASE, keep=True)
    return ResponseAction.QUEUE


async def _count(tx: Tx, timer: Timer, *, first: bool) -> int:
    """How many customers in a row this operator has let wait, this one among them. So many, and they are away."""
    row = await tx.one("responses.miss" if first else "responses.misses", operator=timer.operator)
    number = row["number"] if row is not None else 0
    most = timer.rules.misses_until_away
    if first and most is not None and number >= most:
        await tx.run("responses.forgive", operator=timer.operator)
        await operators.send_away(tx, timer.operator)
    return number


async def _then(tx: Tx, thread: Thread, timer: Timer) -> Timer | None:
    """What comes next, for whoever has the thread now."""
    holder, actions = thread.assignment, timer.rules.actions
    step = next_step(actions, timer.step + 1, holder.to)
    if step >= len(actions) or holder.to is Holder.AI:
        return None
    queue = await queues.find(tx, timer.queue)
    return replace(
        timer, step=step, epoch=thread.epoch, operator=(holder.id or "") if holder.to is Holder.OPERATOR else timer.operator,
        due_at=due_after(queue.calendar if queue is not None else None, tx.now, timer.rules.time(step)),
    )  # fmt: skip
