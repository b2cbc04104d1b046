"""Posting: a customer, operator or program says something; a customer's message is given to whoever responds next."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence

from deskmate.domain.actors import Actor, Author, AuthorKind
from deskmate.domain.assignments import Assignment, Holder
from deskmate.domain.messages import Message, NewMessage, Part, Text, Visibility, text_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.routes import by_assignment
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Status, Thread
from deskmate.errors import Conflict, Invalid, KeyReused
from deskmate.services import (
    assignments,
    attachments,
    escalations,
    leases,
    limits,
    mentioning,
    messages,
    operators,
    previews,
    prompts,
    reads,
    routing,
    runs,
    threads,
    unsent,
)
from deskmate.services.texts import clean, seen, storable
from deskmate.store.base import Tx
from deskmate.store.times import ms

_MENTION = re.compile(r"(?<![\w@.])@ai\b", re.IGNORECASE)
DefaultAgent = Callable[[], str | None]
LONGEST_SUBJECT = 80  # characters


async def post(
    tx: Tx,
    thread_id: str,
    text: str,
    *,
    actor: Actor,
    as_customer: bool = False,
    visibility: Visibility = Visibility.PUBLIC,
    files: Sequence[str] = (),
    respond: bool | None = None,
    agent: str | None = None,
    copilot: bool = False,
    composed: bool = False,
    key: str | None = None,
) -> Message:
    """Store a message of this actor. With `respond` (the default for customers) somebody is made to answer.

    `files` are such as this actor gave to this thread; with them the text may be empty. `composed` says that an operator typed
    it: what they had kept unsent goes.

    A note of an operator that calls on `@ai` is answered with a note; with `copilot` the AI suggests, as a note, what to say to a
    customer whose thread an operator holds.
    The same idempotency key and content give the first message again, and count once. Raises KeyReused, NotFound, Forbidden,
    Invalid, and Reached where a customer has reached a limit.
    """
    text = storable(text) if files else clean(text)
    thread = await threads.lock(tx, thread_id)
    check_may_post(actor, thread, visibility, as_customer)
    facts = [thread_id, text, visibility, respond, as_customer, *([list(files)] if files else [])]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    if key is not None and (earlier := await recall(tx, actor, key, digest)) is not None:
        return await messages.get(tx, earlier)
    if actor.kind is AuthorKind.CUSTOMER and (refusal := await limits.take_message(tx, thread)) is not None:
        raise limits.Reached(refusal)
    author = await _customer(tx, thread) if as_customer else actor.author
    said = (*((Text(text=text),) if seen(text) else ()), *await attachments.given(tx, thread.id, files, actor))
    stored = await _store(tx, thread, said, author, visibility, actor)
    if key is not None:
        await remember(tx, actor, key, digest, stored.id)
    if actor.kind is AuthorKind.OPERATOR:
        await reads.advance(tx, actor, stored)
    if composed and actor.kind is AuthorKind.OPERATOR and actor.id is not None:
        await unsent.clear(tx, actor.id, thread.id, visibility)
    await _after(tx, thread, stored, actor, respond, agent)
    if agent is not None and _calls_on_ai(stored, copilot):
        await _aside(tx, await threads.get(tx, thread_id), stored, agent, actor)
    return stored


def _calls_on_ai(stored: Message, copilot: bool) -> bool:
    if stored.author.kind is AuthorKind.OPERATOR:
        return stored.visibility is Visibility.NOTE and _MENTION.search(stored.text) is not None
    return copilot and stored.author.kind is AuthorKind.CUSTOMER


async def _aside(tx: Tx, thread: Thread, prompt: Message, agent: str, actor: Actor) -> None:
    """Have the AI speak to the team: in answer to an operator, or as a suggestion to the operator who holds the thread."""
    suggests = prompt.author.kind is AuthorKind.CUSTOMER
    if suggests and thread.assignment.to is not Holder.OPERATOR:
        return
    live = await runs.live(tx, thread.id)
    if suggests and any(run.aside and run.state is RunState.QUEUED and run.attempt == 0 for run in live):
        return
    await runs.queue(tx, thread, agent, prompt=prompt.id, prompt_order=prompt.order, visibility=Visibility.NOTE, actor=actor)


def check_may_post(actor: Actor, thread: Thread, visibility: Visibility, as_customer: bool) -> None:
    """Raise Forbidden, NotFound or Invalid unless this actor may say this here."""
    if visibility is Visibility.DRAFT:
        raise Invalid("visibility must be public or note", field="visibility")
    if as_customer:
        require(actor, Action.MESSAGE_POST_AS_CUSTOMER, owner=thread.customer)
        if visibility is not Visibility.PUBLIC:
            raise Invalid("customers write public messages only", field="visibility")
        return
    require(actor, Action.MESSAGE_POST_NOTE if visibility is Visibility.NOTE else Action.MESSAGE_POST, owner=thread.customer)


async def _customer(tx: Tx, thread: Thread) -> Author:
    if thread.customer is None:
        raise Invalid("this thread has no customer", field="author")
    return Author(kind=AuthorKind.CUSTOMER, id=thread.customer, name=thread.customer_name or thread.customer)


async def _store(tx: Tx, thread: Thread, said: tuple[Part, ...], author: Author, visibility: Visibility, actor: Actor) -> Message:
    """A customer opens the next turn; a person's own reply is its own turn; a note stands where it was written."""
    of_customer = author.kind is AuthorKind.CUSTOMER
    new = NewMessage(
        role="user" if of_customer else "assistant",
        parts=said,
        author=author,
        visibility=visibility,
        provider="human" if author.kind is AuthorKind.OPERATOR else None,
        provider_metadata={"human": {"id": author.id, "name": author.name}} if author.kind is AuthorKind.OPERATOR else None,
        mentions=await mentioning.meant(tx, text_of("user", said), actor) if visibility is Visibility.NOTE else (),
    )
    order = await prompts.next_order(tx, thread) if of_customer else "next" if visibility is Visibility.PUBLIC else None
    return (await messages.insert(tx, thread, [new], order=order, actor=actor))[0]


async def _after(tx: Tx, thread: Thread, stored: Message, actor: Actor, respond: bool | None, agent: str | None) -> None:
    if stored.author.kind is AuthorKind.CUSTOMER:
        thread = await _reopen(tx, await _titled(tx, thread, stored, actor), actor)
        if respond or respond is None:
            await tx.run("assignments.asks", thread=thread.id, order=stored.order)
            await give(tx, thread, stored, actor=actor, agent=agent)
    elif stored.visibility is Visibility.PUBLIC:
        await tx.run("assignments.answered", thread=thread.id, order=thread.prompt_order)
        await leases.end(tx, thread, actor)
        if stored.author.kind is AuthorKind.OPERATOR and thread.waiting_since is not None:
            await escalations.answered(tx, thread, by=actor)
        if not await _asked(tx, thread):
            await tx.run("assignments.served", thread=thread.id, now=ms(tx.now))
    else:
        await leases.renew(tx, thread.id, actor)


async def _titled(tx: Tx, thread: Thread, stored: Message, actor: Actor) -> Thread:
    """A thread without a subject is called by the customer's first words, as people would call it."""
    if thread.subject is not None:
        return thread
    words = " ".join(previews.words_of(stored).split())
    subject = words if len(words) <= LONGEST_SUBJECT else words[: LONGEST_SUBJECT - 1].rsplit(" ", 1)[0] + "…"
    return await threads.change(tx, thread.id, subject=subject, actor=actor)


async def _asked(tx: Tx, thread: Thread) -> bool:
    return bool(await tx.all("requests.waiting_of_thread", thread=thread.id))


async def _reopen(tx: Tx, thread: Thread, actor: Actor) -> Thread:
    """A customer's word opens a snoozed or resolved thread; one whose operator is not there waits in the queue instead."""
    if thread.status is Status.OPEN:
        return thread
    holder = thread.assignment
    leaves = holder.to is Holder.OPERATOR and not await operators.takes(tx, holder.id or "", thread.weight)
    await threads.set_status(tx, thread, Status.OPEN, actor=actor)
    if leaves:
        thread = await threads.get(tx, thread.id)
        return await assignments.to_queue(tx, thread, by=actor, reason=f"reopened; {holder.name} is away or has no room")
    return await threads.get(tx, thread.id)


async def give(tx: Tx, thread: Thread, prompt: Message, *, actor: Actor, agent: str | None) -> None:
    """Let the next responder know: queue a run, or let people see that the customer waits."""
    route = await routing.for_people(tx, thread, prompt.id)
    if route.responder == "human" or agent is None:
        if thread.assignment.to is Holder.AI and route.responder == "human":
            await assignments.to_queue(tx, thread, by=actor, reason=route.reason)
        await tx.run("assignments.waits", thread=thread.id, now=ms(tx.now))
        return
    live = await runs.live(tx, thread.id)
    # A run that has not started, or is running, takes up the newest message by itself: it reads it when it starts, or a
    # follower is queued when it ends. A paused run waits for a person and does not keep the customer waiting.
    if any(run.state is RunState.RUNNING and not run.aside for run in live):
        return
    if any(run.state is RunState.QUEUED and run.attempt == 0 and run.awaited for run in live):
        return
    await runs.queue(tx, thread, agent, prompt=prompt.id, prompt_order=prompt.order, actor=actor)


async def follow_up(tx: Tx, thread: Thread, answered: int, agent: str) -> None:
    """When a run ends: if the customer has written since it began, another starts for the newest message."""
    if thread.prompt_order <= max(answered, thread.answered_order) or thread.assignment.to is not Holder.AI:
        return
    prompt = await prompts.at(tx, thread.id, thread.prompt_order)
    if prompt is not None:
        await give(tx, thread, prompt, actor=Actor(kind=AuthorKind.SYSTEM, name="Deskmate"), agent=agent)


async def start(tx: Tx, thread: Thread, agent: str, *, actor: Actor) -> None:
    """Start a run for the newest message nobody has answered. Raises Conflict where there is none, or where people respond."""
    _check_may_start(thread, actor)
    prompt = await prompts.newest_of_customer(tx, thread.id)
    if prompt is None or prompt.order <= thread.answered_order:
        raise Conflict("there is no unanswered message on this thread")
    await tx.run("assignments.asks", thread=thread.id, order=prompt.order)
    await give(tx, await threads.get(tx, thread.id), prompt, actor=actor, agent=agent)


async def answer(tx: Tx, thread: Thread, prompt: Message, agent: str, *, actor: Actor) -> Run:
    """Start a run for this very message, whoever stored it, answered or not. Raises Conflict where people respond."""
    _check_may_start(thread, actor)
    if by_assignment(thread).responder == "human":
        raise Conflict("people respond on this thread")
    awaited = thread.prompt_order == prompt.order > thread.answered_order and prompt.step == 0
    return await runs.queue(
        tx, thread, agent, prompt=prompt.id, prompt_order=prompt.order, pinned=not awaited, actor=actor
    )  # fmt: skip


def _check_may_start(thread: Thread, actor: Actor) -> None:
    require(actor, Action.THREAD_RESPOND, owner=thread.customer)
    if thread.assignment.to is not Holder.AI:
        holder: Assignment = thread.assignment
        raise Conflict(
            f"{holder.name or holder.to} holds this thread", holder={"to": holder.to, "id": holder.id, "name": holder.name}
        )


async def recall(tx: Tx, actor: Actor, key: str, digest: str) -> str | None:
    """What this actor's earlier write with this key made. Raises KeyReused when that write was another one."""
    if not 1 <= len(key) <= 200 or not key.isprintable():
        raise Invalid("an idempotency key has 1 to 200 printable characters", field="idempotency_key")
    row = await tx.one("keys_once.get", actor=f"{actor.kind}:{actor.id}", key=key)
    if row is None:
        return None
    if row["digest"] != digest:
        raise KeyReused(field="idempotency_key")
    return str(row["record"])


async def remember(tx: Tx, actor: Actor, key: str, digest: str, record: str) -> None:
    """Let a repetition of this write give the same record. Raises KeyReused when another write was a moment faster."""
    who = f"{actor.kind}:{actor.id}"
    if not await tx.run("keys_once.insert", actor=who, key=key, digest=digest, status=201, record=record, now=ms(tx.now)):
        raise KeyReused(field="idempotency_key")
