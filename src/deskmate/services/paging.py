"""Paging: who a step of a chain tells, and to whom it gives what the chain is about."""

from dataclasses import replace

from deskmate.domain.actors import SYSTEM, Role
from deskmate.domain.assignments import Assignment, Cause, Holder, parse_target
from deskmate.domain.chains import NEXT, About, ChainStep, RunningChain, pages_next
from deskmate.domain.operators import Operator, Presence
from deskmate.domain.requests import RequestState
from deskmate.domain.threads import Thread
from deskmate.services import assignments, choosing, ledger, operators, queues
from deskmate.services.notifications import notify
from deskmate.store.base import Tx
from deskmate.store.times import ms


async def act(tx: Tx, thread: Thread, chain: RunningChain) -> tuple[RunningChain, list[str]]:
    """Do the step of a chain that is due. Returns the chain as it is then, and the operators who were told.

    The caller holds the thread's lock, and has taken the step. Whoever has left is passed over.
    """
    step = chain.steps[chain.step]
    if step.reassign is not None:
        return await _reassign(tx, thread, chain, step.reassign), []
    if step.page is None:
        return chain, await _tell(tx, thread, chain, await _group(tx, thread, chain, step), urgent=False)
    if step.page != NEXT:
        return chain, await _tell(tx, thread, chain, await _who_work_here(tx, (step.page,)), urgent=True)
    team = [(one.id, one.presence is Presence.AVAILABLE) for one in await _of_queue(tx, chain.queue)]
    chosen, paged = pages_next(team, [one.id for one in await operators.leads(tx)], chain.paged)
    told = await _tell(tx, thread, chain, [] if chosen is None else [chosen], urgent=True)
    return replace(chain, paged=paged), told


async def _tell(tx: Tx, thread: Thread, chain: RunningChain, to: list[str], *, urgent: bool) -> list[str]:
    """Nobody is told twice of one step, however often it is done."""
    key = f"chain/{chain.id}/{chain.round}/{chain.step}"
    kind = "chain.page" if urgent else "chain.notify"
    return await notify(
        tx, to, key=key, kind=kind, text=_words(thread, chain), thread=thread.id, request=chain.request, urgent=urgent
    )  # fmt: skip


def _words(thread: Thread, chain: RunningChain) -> str:
    who = thread.customer_name or "A customer"
    if chain.about in (About.THREAD, About.ESCALATION):
        return f"{who} waits for a person in {chain.queue}."
    return f"The {chain.about} of the AI waits in {chain.queue}."


async def _group(tx: Tx, thread: Thread, chain: RunningChain, step: ChainStep) -> list[str]:
    match step.notify:
        case "queue":
            return [one.id for one in await _of_queue(tx, chain.queue)]
        case "leads":
            return [one.id for one in await operators.leads(tx)]
        case "holder":
            holder = thread.assignment.id if thread.assignment.to is Holder.OPERATOR else None
            return await _who_work_here(tx, tuple(id for id in (chain.given or holder,) if id is not None))
        case named:
            return await _who_work_here(tx, named or ())


async def _who_work_here(tx: Tx, ids: tuple[str, ...]) -> list[str]:
    found = [await operators.find(tx, id) for id in ids]
    return [one.id for one in found if one is not None and not one.disabled]


async def _of_queue(tx: Tx, name: str) -> list[Operator]:
    queue = await queues.find(tx, name)
    team = [operators.operator_of(row) for row in await tx.all("operators.team")]
    return [one for one in team if queue is not None and queue.worked_by(one) and one.role is not Role.OBSERVER]


async def _reassign(tx: Tx, thread: Thread, chain: RunningChain, target: str) -> RunningChain:
    """Give it to a queue that there is, or to an operator who works here and has room; else it stays where it is."""
    to, id = parse_target(target)
    if to is Holder.QUEUE:
        if id is None or id == chain.queue or await queues.find(tx, id) is None:
            return chain
        return await _to_queue(tx, thread, chain, id)
    operator = await operators.find(tx, id)
    if operator is None or operator.disabled or (thread.assignment.id, chain.request) == (id, None):
        return chain
    return await _to_operator(tx, thread, chain, operator)


async def _to_queue(tx: Tx, thread: Thread, chain: RunningChain, queue: str) -> RunningChain:
    if chain.request is not None:
        await choosing.move_request(tx, await ledger.get(tx, chain.request), queue)
        return replace(chain, queue=queue, given=None)
    holder = Assignment(to=Holder.QUEUE, id=queue, name=queue, since=tx.now, reason=_why(chain))
    moved = await assignments.change(tx, thread, holder, Cause.TRANSFER, by=SYSTEM, waiting=True, keep=True)
    return replace(chain, queue=queue, epoch=moved.epoch)


async def _to_operator(tx: Tx, thread: Thread, chain: RunningChain, operator: Operator) -> RunningChain:
    if chain.request is not None:
        request = await ledger.get(tx, chain.request)
        free = request.state is RequestState.OPEN and await operators.has_room(tx, operator.id, request.weight)
        if not free:
            return chain
        await choosing.give_request(tx, request, operator)
        return replace(chain, given=operator.id)
    if not await operators.has_room(tx, operator.id, thread.weight):
        return chain
    holder = Assignment(to=Holder.OPERATOR, id=operator.id, name=operator.name, since=tx.now, reason=_why(chain))
    moved = await assignments.change(tx, thread, holder, Cause.TRANSFER, by=SYSTEM, waiting=True, keep=True)
    await tx.run("operators.assigned", id=operator.id, now=ms(tx.now))
    return replace(chain, epoch=moved.epoch)


def _why(chain: RunningChain) -> str:
    return f"nobody has acted in time: step {chain.step + 1} of {chain.policy}"
