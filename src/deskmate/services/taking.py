"""Taking a run: whether it is its turn on the thread, the lease on it, and what its agent is given to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Runner, Turn
from deskmate.domain.messages import ContextMessage, Message
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.services import applying, attempt, escalations, history, ledger, limits, prompts, routing, runs, talking, writer
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

RETRY = timedelta(milliseconds=250)
CONTEXT = 100  # messages of history a model is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run that is taken, and what its agent is given."""

    run: Run
    thread: Thread
    turn: Turn
    routed: routing.Routed | None = None
    """Where its agent goes by rules: what is known of who responds."""
    before: bool = False
    """It is not the run that was asked for: that one begins when this one has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Another run of the thread, or another holder of this one, is at work until its lease ends."""

    until: datetime
    run: str | None = None
    """The run that is waited for, where that is known."""


class Taker:
    """Takes runs in the name of this process."""

    def __init__(self, store: Store, agents: Mapping[str, Runner], *, owner: str, lease: timedelta) -> None:
        self._store = store
        self._agents = agents
        self._owner = owner
        self._lease = lease

    def knows(self, agent: str) -> bool:
        """Whether an agent is registered here."""
        return agent in self._agents

    async def begin(self, tx: Tx, thread: Thread, live: Sequence[Run], run: Run) -> Begun | Busy | None:
        """Take the run and read what its agent is given. The caller holds the thread's lock, and read its live runs under it."""
        if run.epoch != thread.epoch:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the thread changed hands")
            return None
        for other in live:
            # Its own lease that ran out is no obstacle; another run's is: that run's own job takes it up first.
            if other.lease_until is not None and (other.id != run.id or other.lease_until >= tx.now):
                return Busy(until=max(other.lease_until, tx.now + RETRY))
            if self._goes_first(other, run):
                return Busy(until=tx.now + RETRY)
        if not run.awaited and await history.find(tx, run.prompt or "") is None:
            await applying.cancel_run(tx, run, actor=SYSTEM, reason="the message it answers is gone")
            return None
        if run.attempt == 0 and thread.prompt_order <= thread.answered_order and run.awaited:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the message has been answered")
            return None
        if run.attempt == 0 and run.awaited and await prompts.unanswered(tx, thread) is None:
            await runs.cancel(tx, run, actor=SYSTEM, reason="the message was deleted")
            await tx.run("assignments.answered", thread=thread.id, order=thread.prompt_order)
            return None
        return await self._start(tx, run, thread)

    def _goes_first(self, other: Run, run: Run) -> bool:
        """A run that people have just answered ends before a new one begins: what they approved has been done when it speaks."""
        return run.attempt == 0 and other.attempt > 0 and other.state is RunState.QUEUED and self.knows(other.agent)

    async def _start(self, tx: Tx, run: Run, thread: Thread) -> Begun | Busy | None:
        prompt = None
        if run.awaited:
            prompt = await (
                prompts.unanswered(tx, thread) if run.attempt == 0 else prompts.at(tx, thread.id, thread.prompt_order)
            )
        taken = await runs.take(
            tx, run, owner=self._owner, lease=self._lease,
            prompt=prompt.id if prompt else await prompts.behind(tx, run),
            prompt_order=thread.prompt_order if prompt else run.prompt_order,
        )  # fmt: skip
        if taken is None:
            # Somebody holds it after all. Whoever came for it comes again: a job that is given up here would leave it lying.
            return Busy(until=tx.now + RETRY)
        if run.attempt == 0 and (refusal := await limits.start(tx, thread, run)) is not None:
            await limits.reached(tx, refusal, thread.id)
            await attempt.refuse(tx, taken, limits.used_up(refusal, run.agent), told=refusal.limit.text or escalations.PASSED_ON)
            return None
        if run.attempt == 0 and thread.waiting_since is not None and not run.aside:
            await talking.over(tx, thread, taken)
        elif run.attempt and await applying.doubt(tx, run, again=True):
            # Whether a call took effect is for a person to say; until then the run has nothing it could go on with.
            await runs.leave(tx, taken, RunState.PAUSED)
            await tx.run("assignments.waits", thread=thread.id, now=ms(tx.now))
            return None
        if run.attempt:
            await writer.drop_interrupted(tx, run)
            await applying.tell_refused(tx, run)
        approved = await applying.approved_of(tx, run) if run.attempt else ()
        asked = await ledger.asked(tx, run) if run.attempt else []
        given = await history.context(
            tx, thread.id, prompt_message=prompt or taken.prompt, recent=CONTEXT, keep_approved={one.request for one in approved},
            run=run.id, calls=[request.call_message for request in asked if request.call_message is not None],
        )  # fmt: skip
        pin = None if run.awaited else await history.find(tx, run.prompt or "")
        words = pin if pin is not None and (run.aside or pin.role == "user") else None
        resumed = run.attempt > 0 and (run.awaited or await prompts.last_of_run(tx, thread.id, run.id) is not None)
        if run.pinned and not resumed and words is not None and given and given[-1].role == "assistant":
            # It has been answered before. An agent answers what its history ends with.
            given = (*given, ContextMessage(role="user", parts=words.parts))
        words = words or await prompts.newest_of_customer(tx, thread.id)
        routed = await self._route(tx, taken, thread, again=run.attempt > 0, prompt=prompt or pin, words=words)
        turn = Turn(
            thread=thread.id,
            run=run.id,
            customer=thread.customer,
            prompt_text=words.text if words else (prompt.text if prompt else ""),
            history=given,
            news=ledger.news(asked),
            aside=run.aside,
            approved=approved,
            apply=applying.Applier(self._store, taken, self._lease),
            escalate=escalations.Escalator(self._store, taken, self._lease),
            resumed=resumed,
        )
        return Begun(run=taken, thread=thread, turn=turn, routed=routed)

    async def _route(
        self, tx: Tx, run: Run, thread: Thread, *, again: bool, prompt: Message | None, words: Message | None
    ) -> routing.Routed | None:
        """The route of the run, which stands from its first attempt on. A prompt of the system is what people said to the AI."""
        if again or run.aside:
            return await routing.of_run(tx, run.id) if again else None
        handed_back = prompt is not None and prompt.role == "system"
        return await routing.begin(tx, thread, run, text=words.text if words else "", handed_back=handed_back)
