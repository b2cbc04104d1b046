"""Drafts: words of the AI, held back until a person approves them. What is sent is what was approved."""

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.events import EventType
from deskmate.domain.messages import Message, NewMessage, Text, Visibility
from deskmate.domain.requests import DecisionKind, NewDecision, Request, RequestState
from deskmate.domain.routes import Route
from deskmate.domain.threads import Thread
from deskmate.errors import Stale
from deskmate.services import history, ledger, messages, prompts, runs, threads
from deskmate.store.base import Tx
from deskmate.store.times import ms

SENDS = frozenset({DecisionKind.APPROVE, DecisionKind.EDIT})


async def open_(tx: Tx, thread: Thread, draft: Message, *, actor: Actor, why: Route | None = None) -> Request:
    """Ask for approval of a draft, and say why it is one; it supersedes the thread's earlier drafts."""
    for earlier in await ledger.waiting(tx, thread.id):
        if earlier.draft is not None:
            await ledger.close(tx, earlier, RequestState.SUPERSEDED, by=actor)
    return await ledger.open_draft(tx, thread, draft, actor=actor, why=why)


async def check(tx: Tx, request: Request, decision: NewDecision) -> None:
    """Raise Stale when a draft would be sent unseen after a newer message of the customer; Closed, AlreadyDecided."""
    ledger.check_open(request)
    if decision.kind not in SENDS or decision.stale_ok:
        return
    draft = await history.get(tx, request.draft or "")
    newest = await prompts.newest_of_customer(tx, request.thread)
    if newest is not None and newest.order > draft.order:
        raise Stale(newer=newest.id)


async def apply(tx: Tx, request: Request, *, by: Actor, retry: bool = False) -> Request:
    """Send the draft, as it was approved or edited; a rejected one stays a draft for ever, and may be written anew."""
    decision, draft = request.decision, request.draft
    assert decision is not None
    assert draft is not None
    outcome: str | None = None
    if decision.kind in SENDS:
        outcome = (await send(tx, draft, decision.text if decision.kind is DecisionKind.EDIT else None, by=by)).id
    await tx.run("requests.apply", id=request.id, outcome=outcome, now=ms(tx.now))
    applied = await ledger.get(tx, request.id)
    await ledger.announce(tx, applied, EventType.REQUEST_APPLIED, actor=by)
    await ledger.go_on(tx, applied, actor=by)
    if retry:
        await _again(tx, applied, by=by)
    return applied


async def _again(tx: Tx, request: Request, *, by: Actor) -> None:
    """Have the agent write it anew, with the review of the person who rejected it."""
    decision = request.decision
    assert decision is not None
    draft = await history.get(tx, request.draft or "")
    why = decision.review or decision.reason
    lines = [f'{decision.by.name} has rejected this draft of a reply: "{draft.text}"', *([f"Review: {why}"] if why else [])]
    marker = NewMessage(
        role="system", parts=(Text(text="\n".join([*lines, "Write a better one."])),), author=SYSTEM.author,
        visibility=Visibility.NOTE,
    )  # fmt: skip
    prompt = (await messages.insert(tx, request.thread, [marker], order="next", actor=by))[0]
    thread = await threads.get(tx, request.thread)
    await tx.run("assignments.asks", thread=thread.id, order=prompt.order)
    agent = draft.agent_name or request.agent or ""
    await runs.queue(tx, thread, agent, prompt=prompt.id, prompt_order=prompt.order, actor=by)


async def send(tx: Tx, draft: str, text: str | None, *, by: Actor) -> Message:
    """Let the customer see a draft, or the words that a person put in their place."""
    parts = (Text(text=text),) if text else None
    return await messages.change(tx, draft, parts=parts, visibility=Visibility.PUBLIC, actor=by)
