"""Requests: the verbs of people and programs on what agents ask. A decision happens once, whoever and whatever it comes from."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal

from deskmate.domain.actors import Actor, AuthorKind, agent
from deskmate.domain.agents import Question
from deskmate.domain.assignments import Assignment, Cause, Holder
from deskmate.domain.events import EventType
from deskmate.domain.messages import Message
from deskmate.domain.operators import By, actor_of, labels
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, allowed, require
from deskmate.domain.queues import queue_name
from deskmate.domain.requests import WAITING, DecisionKind, NewDecision, OnExpiry, Request, RequestKind, RequestState
from deskmate.domain.threads import Thread
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services import (
    applying,
    assignments,
    choosing,
    drafts,
    escalations,
    feed,
    ledger,
    opening,
    operators,
    posting,
    threads,
)
from deskmate.services.posting import DefaultAgent
from deskmate.store.base import Store, Tx
from deskmate.store.rows import message_of
from deskmate.store.times import ms


class Requests:
    """What waits for people."""

    def __init__(self, store: Store, default_agent: DefaultAgent, closing: asyncio.Event | None = None) -> None:
        self._store = store
        self._default_agent = default_agent
        self._closing = closing or asyncio.Event()

    async def ask(
        self,
        question: str,
        *,
        thread: str | None = None,
        agent_name: str = "program",
        reason: str | None = None,
        suggestion: str | None = None,
        response_schema: Mapping[str, object] | None = None,
        queue: str | None = None,
        skills: Sequence[str] = (),
        urgency: str = "normal",
        expires_in: timedelta | None = ledger.EXPIRES_IN,
        on_expiry: OnExpiry | None = None,
        default: object = None,
        remind_every: timedelta | None = None,
        by: Actor | None = None,
    ) -> Request:
        """Ask people from any program. Without a thread it opens one with no customer. Raises Invalid, NotFound.

        What nobody answers within `expires_in` has the outcome `on_expiry`: by default it goes up in priority and is asked again;
        `default` is the answer of OnExpiry.DEFAULT.
        """
        if not question.strip():
            raise Invalid("a question needs words", field="question")
        asker = by or agent(agent_name)
        if thread is None:
            require(asker, Action.REQUEST_OPEN)
        asked = Question(
            call_id="", question=question, reason=reason, suggestion=suggestion, response_schema=response_schema,
            queue=None if queue is None else queue_name(queue), skills=labels(skills, "skills"), urgency=urgency,
            expires_in=expires_in, on_expiry=on_expiry, default=default, remind_every=remind_every,
        )  # fmt: skip
        caused_by = asker.id if asker.kind is AuthorKind.OPERATOR else None

        async def body(tx: Tx) -> Request:
            if thread is None:
                found = await threads.open_(tx, subject=question[:120], actor=asker)
            else:
                found = await threads.lock(tx, thread)
                require(asker, Action.REQUEST_OPEN, owner=found.customer)
            return await ledger.open_question(tx, found, asked, actor=asker, caused_by=caused_by)

        return await self._store.write(body)

    async def get(self, id: str, *, by: By) -> Request:
        """One request. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Request:
            require(actor, Action.REQUEST_READ)
            return await ledger.get(tx, id)

        return await self._store.read(body)

    async def of_approval(self, thread: str, approval: str, *, by: By) -> Request:
        """The request for an approval that stands in a stored message, by the id it has there. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Request:
            require(actor, Action.REQUEST_READ)
            await threads.get(tx, thread)
            found = await opening.of_approval(tx, thread, approval)
            if found is None:
                raise NotFound(f"there is no approval {approval} in this thread", field="approval")
            return found

        return await self._store.read(body)

    async def list(
        self,
        *,
        by: By,
        state: RequestState | Literal["open"] | None = RequestState.OPEN,
        thread: str | None = None,
        queue: str | None = None,
        kind: RequestKind | None = None,
        mine: bool = False,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Request]:
        """A page of requests, longest waiting first, and the cursor of the next one. State `open` means not yet decided."""
        actor = actor_of(by)
        check_limit(limit, 200)
        at, after = place_of(cursor, "requests", int, str) if cursor is not None else (-1, "")
        narrow: dict[str, object] = {
            "at": at, "after": after, "thread": thread, "queue": queue, "kind": kind,
            "mine": actor.id if mine else None, "limit": limit + 1,
        }  # fmt: skip

        async def body(tx: Tx) -> Page[Request]:
            require(actor, Action.REQUEST_LIST)
            if thread is not None:
                await threads.get(tx, thread)
            if state is RequestState.OPEN:
                rows = await tx.all("requests.page_waiting", **narrow)
            else:
                rows = await tx.all("requests.page_all", state=state, **narrow)
            kept, last = cut([ledger.request_of(row) for row in rows], limit)
            return Page(items=tuple(kept), cursor=None if last is None else cursor_of("requests", ms(last.created_at), last.id))

        return await self._store.read(body)

    async def waiting(self, thread: str, *, by: By) -> tuple[Request, ...]:
        """The undecided requests of one thread; none for those who may not read requests."""
        if not allowed(actor_of(by), Action.REQUEST_LIST):
            return ()
        return tuple(await self._store.read(lambda tx: ledger.waiting(tx, thread)))

    async def context(self, thread: str, *, by: By, last: int = 6) -> tuple[Thread, Sequence[Message]]:
        """What a person needs to decide: the thread, and its last public words, oldest first."""

        async def body(tx: Tx) -> tuple[Thread, Sequence[Message]]:
            require(actor_of(by), Action.REQUEST_READ)
            rows = await tx.all("requests.context", thread=thread, limit=last)
            return await threads.get(tx, thread), [message_of(row) for row in reversed(rows)]

        return await self._store.read(body)

    async def next(self, *, by: By) -> Request | None:
        """Claim the next request that nobody has and this actor may be given, or None: the most urgent, then the one that has
        waited longest. Who asks twice at once gets two."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Request | None:
            require(actor, Action.REQUEST_LIST)
            require(actor, Action.REQUEST_CLAIM)
            return await choosing.claim_next_request(tx, actor)

        return await choosing.claim(self._store, body)

    async def wait(self, id: str, *, timeout: float | None = None) -> Request:
        """Wait until the request is decided or closed, `timeout` seconds have passed, or the desk closes. Raises NotFound."""
        clock = asyncio.get_running_loop().time
        # Whatever else happens on the thread wakes the waiter too, and must not make the wait longer.
        deadline = None if timeout is None else clock() + timeout
        found = await self._store.read(lambda tx: ledger.get(tx, id))
        async with self._store.waiter(f"thread:{found.thread}") as waiter:
            while True:
                found = await self._store.read(lambda tx: ledger.get(tx, id))
                left = None if deadline is None else deadline - clock()
                if found.state not in WAITING or self._closing.is_set() or (left is not None and left <= 0):
                    return found
                await waiter.wait(left)

    async def claim(self, id: str, *, by: By) -> Request:
        """Take a request for ten minutes; claiming again renews, and leads may take it from others.

        Raises Claimed, AlreadyDecided, Closed, AtCapacity.
        """
        actor = actor_of(by)

        async def body(tx: Tx) -> Request:
            found = await self._locked(tx, id, actor, Action.REQUEST_CLAIM)
            ledger.check_open(found)
            ledger.check_claim(found, actor, at=tx.now)
            if found.claimed_by is None or found.claimed_by.id != actor.id:
                await operators.check_room(tx, actor.id, found.weight)
            until = ms(tx.now + ledger.CLAIM_LEASE)
            await tx.run("requests.claim", id=id, by=actor.id, name=actor.name, until=until, now=ms(tx.now))
            claimed = await ledger.get(tx, id)
            await opening.set_timer(tx, claimed)
            await ledger.announce(tx, claimed, EventType.REQUEST_CLAIMED, actor=actor)
            return claimed

        return await self._store.write(body)

    async def release(self, id: str, *, by: By) -> Request:
        """Give a claimed request back. Raises Claimed when somebody else holds it."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Request:
            found = await self._locked(tx, id, actor, Action.REQUEST_CLAIM)
            ledger.check_open(found)
            ledger.check_claim(found, actor, at=tx.now)
            return await ledger.release(tx, found, by=actor)

        return await self._store.write(body)

    async def cancel(self, id: str, *, by: By) -> Request:
        """Withdraw a request; the run that asked is told nobody will answer. Raises AlreadyDecided, Closed."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Request:
            found = await self._locked(tx, id, actor, Action.REQUEST_CANCEL)
            return await ledger.withdraw(tx, found, by=actor)

        return await self._store.write(body)

    async def decide(self, id: str, decision: NewDecision, *, by: By) -> Request:
        """Decide a request, once. Raises AlreadyDecided (by, at), Closed (state), Claimed (by), Invalid, NotFound, Forbidden."""
        return await self._store.write(lambda tx: self.decide_within(tx, id, decision, by=actor_of(by)))

    async def decide_within(self, tx: Tx, id: str, decision: NewDecision, *, by: Actor) -> Request:
        """The same, in a transaction that does more."""
        found = await self._locked(tx, id, by, Action.REQUEST_DECIDE)
        ledger.check(found, decision, by=by, at=tx.now)
        if found.draft is not None:
            await drafts.check(tx, found, decision)
        if ledger.needs_another(found, decision, by):
            return await ledger.approve_first(tx, found, decision, by=by)
        decided = await ledger.decide(tx, found, decision, by=by)
        if decision.kind is DecisionKind.TAKE_OVER:
            return await self._take_over(tx, decided, by)
        if decided.kind is RequestKind.ESCALATION and not decided.call_id:
            return await escalations.apply(tx, decided, self._default_agent, by=by)
        if decided.draft is not None:
            return await drafts.apply(tx, decided, by=by, retry=decision.retry)
        if decided.approval is not None:
            return await ledger.apply_approval(tx, decided, by=by)
        return await ledger.apply_answer(tx, decided, by=by)

    async def settle(self, id: str, *, ran: bool, value: object = None, reason: str | None = None, by: By) -> Request:
        """Say what became of a call in doubt: it ran, with this result, or it did not. The run goes on with that.

        Raises Closed (state), AlreadyDecided, NotFound, Forbidden.
        """
        actor = actor_of(by)

        async def body(tx: Tx) -> Request:
            found = await self._locked(tx, id, actor, Action.REQUEST_DECIDE)
            return await applying.settle(tx, found, ran=ran, value=value, reason=reason, by=actor)

        return await self._store.write(body)

    async def answer(self, id: str, value: object, *, by: By, review: str | None = None) -> Request:
        """Answer a question or an escalation; the AI goes on with it."""
        return await self.decide(id, NewDecision(kind=DecisionKind.ANSWER, value=value, review=review), by=by)

    async def decline(self, id: str, reason: str | None = None, *, by: By) -> Request:
        """Say that no answer will come, and why; the AI is told."""
        return await self.decide(id, NewDecision(kind=DecisionKind.DECLINE, reason=reason), by=by)

    async def take_over(self, id: str, text: str | None = None, *, by: By) -> Request:
        """Have the thread of an escalation, and perhaps say the first words."""
        return await self.decide(id, NewDecision(kind=DecisionKind.TAKE_OVER, text=text), by=by)

    async def approve(self, id: str, *, by: By, review: str | None = None, stale_ok: bool = False) -> Request:
        """Let a call run, or a draft be sent, as it is. `stale_ok`: also a draft older than the customer's last words."""
        return await self.decide(id, NewDecision(kind=DecisionKind.APPROVE, review=review, stale_ok=stale_ok), by=by)

    async def edit(
        self,
        id: str,
        *,
        args: Mapping[str, object] | None = None,
        text: str | None = None,
        by: By,
        review: str | None = None,
        stale_ok: bool = False,
    ) -> Request:
        """Let a call run with other `args`, or a draft be sent with other `text`."""
        edited = NewDecision(kind=DecisionKind.EDIT, args=args, text=text, review=review, stale_ok=stale_ok)
        return await self.decide(id, edited, by=by)

    async def reject(
        self, id: str, reason: str | None = None, *, by: By, review: str | None = None, retry: bool = False
    ) -> Request:
        """Do not let a call run, and tell the AI why; do not send a draft, and with `retry` have it written again."""
        rejected = NewDecision(kind=DecisionKind.REJECT, reason=reason, review=review, retry=retry)
        return await self.decide(id, rejected, by=by)

    async def respond(self, id: str, value: object, *, by: By, review: str | None = None) -> Request:
        """Answer a call in the place of its tool, which does not run."""
        return await self.decide(id, NewDecision(kind=DecisionKind.RESPOND, value=value, review=review), by=by)

    async def _locked(self, tx: Tx, id: str, actor: Actor, action: Action) -> Request:
        """The request, read under its thread's lock."""
        require(actor, action)
        await tx.one("threads.lock_of_request", request=id)
        return await ledger.get(tx, id)

    async def _take_over(self, tx: Tx, request: Request, actor: Actor) -> Request:
        if actor.kind is not AuthorKind.OPERATOR:
            raise Forbidden("only an operator can take a thread over", field="kind")
        thread = await threads.lock(tx, request.thread)
        holder = Assignment(
            to=Holder.OPERATOR, id=actor.id, name=actor.name, since=tx.now, reason=f"{actor.name} took over an escalation"
        )
        await assignments.change(tx, thread, holder, Cause.TAKEOVER, by=actor, waiting=True)
        words = request.decision.text if request.decision is not None else None
        said = await posting.post(tx, request.thread, words, actor=actor) if words else None
        await tx.run("requests.apply", id=request.id, outcome=said.id if said else None, now=ms(tx.now))
        applied = await ledger.get(tx, request.id)
        await feed.emit(tx, EventType.REQUEST_APPLIED, actor=actor, thread=request.thread, data={"request": request.id})
        return applied
