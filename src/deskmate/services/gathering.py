"""Gathering: the follower that keeps what people decide, take over and say as feedback, with the words it is about.

It reads what is stored, so one that is late finds the same as one that is quick; what each piece came from names it, so that
nothing counts twice. Words that were deleted before it came are not kept.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.assignments import Cause, Holder
from deskmate.domain.events import Event, EventType
from deskmate.domain.feedback import LAST, About, Feedback, FeedbackKind, Said, prompt_of, said, without
from deskmate.domain.messages import Message, Position, Visibility
from deskmate.domain.requests import Decision, DecisionKind, Request, RequestKind
from deskmate.services import feed, history
from deskmate.store.base import Tx
from deskmate.store.feedback_rows import dump_context, load_context, row_of
from deskmate.store.request_rows import request_of
from deskmate.store.rows import message_of
from deskmate.store.times import ms


async def follow(tx: Tx, events: Sequence[Event]) -> None:
    """The follower `feedback`: each decision, each takeover from the AI, each answer of a person."""
    heard = [(event, event.thread) for event in events if event.thread is not None and _tells(event)]
    if not heard:
        return
    wanted = json.dumps(sorted({thread for _, thread in heard}))
    there = {row["id"] for row in await tx.all("clocks.lock_threads", threads=wanted)}
    for event, thread in heard:
        if thread not in there:
            continue
        match event.type:
            case EventType.REQUEST_DECIDED:
                new = await _decided(tx, str(event.data["request"]))
            case EventType.THREAD_ASSIGNED:
                new = await _taken_over(tx, event, thread)
            case _:
                new = await _said(tx, event, thread)
        if new is not None:
            await keep(tx, new)


def _tells(event: Event) -> bool:
    match event.type:
        case EventType.REQUEST_DECIDED:
            return True
        case EventType.THREAD_ASSIGNED:
            was = cast("dict[str, object]", event.data.get("from") or {})
            by_operator = event.actor.kind is AuthorKind.OPERATOR
            return by_operator and event.data.get("cause") == Cause.TAKEOVER and was.get("to") == Holder.AI
        case EventType.MESSAGE_POSTED:
            return event.actor.kind is AuthorKind.OPERATOR and event.data.get("visibility") == Visibility.PUBLIC
        case _:
            return False


async def keep(tx: Tx, new: Feedback) -> bool:
    """Store what a follower has found, and tell of it; False where it counts already. The caller holds the thread's lock."""
    if not await tx.run("feedback.insert", **row_of(new)):
        return False
    await tell(tx, new, by=SYSTEM)
    return True


async def tell(tx: Tx, new: Feedback, *, by: Actor) -> None:
    """Tell the team that there is feedback."""
    data = {"feedback": new.id, "kind": new.kind} | ({} if new.message is None else {"message": new.message})
    await feed.emit(tx, EventType.FEEDBACK_RECORDED, actor=by, thread=new.thread, data=data)


async def words_before(tx: Tx, thread: str, at: Position, *, until: datetime) -> tuple[Said, ...]:
    """The last public words of a thread before a position and until a time, oldest first. Notes and drafts are not among them."""
    rows = await tx.all("feedback.said_before", thread=thread, order=at.order, step=at.step, until=ms(until), limit=LAST)
    return tuple(said(message_of(row)) for row in reversed(rows))


async def about(tx: Tx, new: Feedback, message: Message | None, *, until: datetime) -> Feedback:
    """The same with what it is about: the words before the message, or before a time, and how sure the desk was."""
    context = await words_before(tx, new.thread, history.END if message is None else message.position, until=until)
    prompt = prompt_of(context)
    found = replace(
        new, context=context, prompt=None if prompt is None else prompt.text,
        prompt_message=None if prompt is None else prompt.message,
    )  # fmt: skip
    if message is not None:
        found = replace(found, run=found.run or message.run)
        if message.author.kind is AuthorKind.AGENT:
            found = replace(found, agent=found.agent or message.agent_name or message.author.name)
    if found.score is None and found.run is not None:
        row = await tx.one("feedback.route", thread=found.thread, run=found.run)
        found = found if row is None else replace(found, score=row["score"], floor=row["floor"])
    return found


async def forget(tx: Tx, message: Message) -> None:
    """A message is deleted: feedback on it goes with it, and so do its words from the context of other feedback."""
    # An id holds nothing that LIKE takes for a pattern but the mark behind its prefix, which stands for itself as well.
    rows = await tx.all("feedback.naming", thread=message.thread, message=message.id, pattern=f'%"{message.id}"%')
    for row in rows:
        if message.id in (row["message"], row["prompt_message"]):
            await tx.run("feedback.delete", id=row["id"])
        else:
            left = without(load_context(row["context"]), message.id)
            await tx.run("feedback.set_context", id=row["id"], context=dump_context(left))


async def _decided(tx: Tx, id: str) -> Feedback | None:
    row = await tx.one("requests.get", id=id)
    request = None if row is None else request_of(row)
    if request is None or request.decision is None:
        return None
    decision, what = request.decision, _what(request)
    named = request.draft or request.call_message
    message = None if named is None else await history.find(tx, named)
    if named is not None and (message is None or message.visibility is Visibility.NOTE):
        return None  # What the team and its AI tell each other leaves in no export (P8).
    new = Feedback(
        id=tx.id("feedback"), key=f"request/{request.id}", thread=request.thread, kind=FeedbackKind(decision.kind), about=what,
        message=named, run=request.run, agent=request.agent, request=request.id, question=request.question,
        draft=_asked_for(request), final=_came_of(request, decision), review=decision.review or decision.reason,
        by=decision.by, score=request.confidence, floor=request.floor, created_at=decision.at,
    )  # fmt: skip
    return await about(tx, new, message, until=request.created_at)


def _what(request: Request) -> About:
    if request.draft is not None:
        return About.DRAFT
    kinds = {RequestKind.QUESTION: About.QUESTION, RequestKind.ESCALATION: About.ESCALATION, RequestKind.APPROVAL: About.TOOL}
    return kinds[request.kind]


def _asked_for(request: Request) -> str | None:
    """What the AI wrote, or the call it wanted to make."""
    if request.draft is None and request.args is not None:
        return json.dumps({"tool": request.tool, "args": request.args}, ensure_ascii=False)
    return request.suggestion


def _came_of(request: Request, decision: Decision) -> str | None:
    """What was said or done in the end. The first words of a person who takes over are a message of their own."""
    match decision.kind:
        case DecisionKind.APPROVE:
            return _asked_for(request)
        case DecisionKind.EDIT if request.draft is not None:
            return decision.text
        case DecisionKind.EDIT:
            return json.dumps({"tool": request.tool, "args": decision.args}, ensure_ascii=False)
        case DecisionKind.ANSWER | DecisionKind.RESPOND:
            return decision.value if isinstance(decision.value, str) else json.dumps(decision.value, ensure_ascii=False)
        case DecisionKind.REJECT | DecisionKind.DECLINE | DecisionKind.TAKE_OVER:
            return None


async def _taken_over(tx: Tx, event: Event, thread: str) -> Feedback | None:
    """An operator took the thread from the AI. By a decision is told there."""
    if await tx.one("feedback.taken_over", thread=thread, at=ms(event.at)) is not None:
        return None
    context = await words_before(tx, thread, history.END, until=event.at)
    last = next((one for one in reversed(context) if one.kind is AuthorKind.AGENT), None)
    new = Feedback(
        id=tx.id("feedback"), key=f"assigned/{thread}/{event.data['epoch']}", thread=thread, kind=FeedbackKind.TAKE_OVER,
        about=About.THREAD, message=None if last is None else last.message, agent=None if last is None else last.name,
        draft=None if last is None else last.text, by=event.actor, created_at=event.at,
    )  # fmt: skip
    return await about(tx, new, None, until=event.at)


async def _said(tx: Tx, event: Event, thread: str) -> Feedback | None:
    """A person has said something to the customer; what brought the answer to a request is told by its decision."""
    message = await history.find(tx, str(event.data["message"]))
    if message is None or not message.said or not message.text or message.author.kind is not AuthorKind.OPERATOR:
        return None
    if await tx.one("feedback.brought_by_request", thread=thread, message=message.id) is not None:
        return None
    new = Feedback(
        id=tx.id("feedback"), key=f"said/{message.id}", thread=thread, kind=FeedbackKind.ANSWER, about=About.MESSAGE,
        message=message.id, final=message.text, by=message.author, created_at=message.created_at,
    )  # fmt: skip
    found = await about(tx, new, message, until=message.created_at)
    return found if found.prompt is not None else None
