"""Choosing: who is given what waits in a queue (P10).

Push and pull share one claim: the thread or request is locked, then the operator who has room for it, and both change together;
the load follows in the same transaction, kept by the store.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.assignments import Assignment, Cause, Holder
from deskmate.domain.events import EventType
from deskmate.domain.operators import Operator, Presence
from deskmate.domain.queues import (
    DEFAULT_QUEUE,
    PATIENCE,
    Candidate,
    Chooser,
    Item,
    Queue,
    hundredths,
    obstacle,
    ranked,
    why_chosen,
)
from deskmate.domain.requests import Request, RequestState
from deskmate.domain.runs import RunState
from deskmate.domain.threads import Status, Thread
from deskmate.errors import Claimed, Forbidden
from deskmate.services import assignments, ledger, offers, opening, operators, queues, runs, threads
from deskmate.store import jobs
from deskmate.store.base import Body, Row, Store, T, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.queues")

LINE = "\n"
"""What parts the lines of a list in a statement: no name holds one."""
LAST_WORDS = timedelta(seconds=2)
"""How long a thread waits at a time for the AI to say its last words on it."""
KEPT_CANDIDATES = 50
UNLIMITED = 10**9
TRIES = 3
"""How often a job that fills an operator looks again after somebody else was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is an operator's next: a thread, or a request on one."""

    thread: Thread
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seeker:
    """What of the queues one operator may be given now, as parameters of the statements."""

    by: str
    room: int
    queues: str
    languages: str
    skills: str
    given_to: str | None

    def of_threads(self, tx: Tx) -> dict[str, object]:
        return self._common(tx) | {"by": self.by}

    def of_requests(self, tx: Tx, *, with_thread: bool = False) -> dict[str, object]:
        return self._common(tx) | {"skills": self.skills, "with_thread": int(with_thread), "now": ms(tx.now)}

    def _common(self, tx: Tx) -> dict[str, object]:
        return {
            "room": self.room, "queues": self.queues, "languages": self.languages, "given_to": self.given_to, "line": LINE,
            "patient": ms(tx.now - PATIENCE),
        }  # fmt: skip


def _lines(names: list[str] | tuple[str, ...]) -> str:
    return "".join(f"{LINE}{name}{LINE}" for name in names)


async def _seeker(tx: Tx, operator: Operator | None, by: Actor, *, pushed: bool = False) -> _Seeker:
    """Whoever is no operator of this desk, such as a program with a key, may be given whatever waits."""
    if operator is None:
        return _Seeker(by=by.id or "", room=UNLIMITED, queues="", languages="", skills="*", given_to=None)
    known = [queue for queue in await queues.every(tx) if not pushed or queue.chooser is not Chooser.PULL]
    return _Seeker(
        by=operator.id,
        room=hundredths(operator.capacity) - hundredths(operator.load),
        queues=_lines([queue.name for queue in known if queue.worked_by(operator)]) or LINE,
        languages=_lines(operator.languages),
        skills=_lines(operator.skills),
        given_to=operator.id if pushed else None,
    )


async def claim(store: Store, body: Body[T]) -> T:
    """Run a claim until nobody is faster by a moment: each round ends with one thing less that waits."""
    while True:
        try:
            return await store.write(body)
        except Claimed:
            continue


async def claim_next_request(tx: Tx, actor: Actor) -> Request | None:
    """Claim the next request for this actor. Raises Claimed when somebody was faster: look again; Forbidden."""
    seeker = await _seeker(tx, await _working(tx, actor), actor)
    return await _take_request(tx, seeker, actor, with_thread=True)


async def _working(tx: Tx, actor: Actor) -> Operator | None:
    """The operator whom this actor is, if they are one. Raises Forbidden for one who has left."""
    operator = await operators.find(tx, actor.id)
    if operator is not None and operator.disabled:
        raise Forbidden(f"{operator.name} does not work here any more")
    return operator


async def _take_request(tx: Tx, seeker: _Seeker, actor: Actor, *, with_thread: bool) -> Request | None:
    facts = seeker.of_requests(tx, with_thread=with_thread)
    taking = {"by": actor.id, "name": actor.name, "until": ms(tx.now + ledger.CLAIM_LEASE), "now": ms(tx.now)}
    taken = await tx.one("requests.take_next", **{**facts, **taking})
    if taken is None:
        # None is left but on threads where somebody is writing at this moment: wait for one of those.
        row = await tx.one("requests.next", **facts)
        if row is None:
            return None
        await threads.lock(tx, row["thread"])
        taken = await tx.one("requests.take", id=row["id"], **taking)
    if taken is None or await tx.one("operators.overfull", id=actor.id) is not None:
        raise Claimed()
    claimed = ledger.request_of(taken)
    await _claimed(tx, claimed, actor)
    return claimed


async def _claimed(tx: Tx, request: Request, by: Actor) -> None:
    await opening.set_timer(tx, request)
    await ledger.announce(tx, request, EventType.REQUEST_CLAIMED, actor=by)


async def claim_next(tx: Tx, actor: Actor) -> Found | None:
    """Claim the next thread or request for this actor. Raises Claimed when somebody was faster: look again; Forbidden."""
    operator = await _working(tx, actor)
    seeker = await _seeker(tx, operator, actor)
    thread = await tx.one("queues.next_thread", **seeker.of_threads(tx)) if operator is not None else None
    request = await tx.one("requests.next", **seeker.of_requests(tx))
    if operator is not None and thread is not None and _comes_first(thread, request):
        return Found(thread=await _claim_thread(tx, seeker, operator, thread["id"], actor))
    taken = await _take_request(tx, seeker, actor, with_thread=False)
    return None if taken is None else Found(thread=await threads.get(tx, taken.thread), request=taken)


class Choosing:
    """Gives what waits in queues that push to people who have room, for the engine of this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def handlers(self) -> Mapping[str, jobs.Handler]:
        """What does the jobs of each kind."""
        return {offers.THREAD: self.offer_thread, offers.REQUEST: self.offer_request, offers.OPERATOR: self.fill}

    async def offer_thread(self, job: jobs.Job) -> None:
        """The handler of THREAD jobs."""
        await self._store.write(lambda tx: _offer_thread(tx, job.ref))

    async def offer_request(self, job: jobs.Job) -> None:
        """The handler of REQUEST jobs."""
        await self._store.write(lambda tx: _offer_request(tx, job.ref))

    async def fill(self, job: jobs.Job) -> None:
        """The handler of OPERATOR jobs: what they fit is given to whoever fits it best, until nothing is left for them."""
        missed = 0
        while missed < TRIES:
            given = await self._store.write(lambda tx: _fill_one(tx, job.ref))
            if given is None:
                return
            missed = 0 if given else missed + 1


def _comes_first(thread: Row, request: Row | None) -> bool:
    return request is None or (thread["rank"], thread["since"]) <= (request["rank"], request["since"])


async def _claim_thread(tx: Tx, seeker: _Seeker, operator: Operator, peeked: str, actor: Actor) -> Thread:
    """Take the next thread; where all are being written to at this moment, wait for the one that was seen."""
    row = await tx.one("queues.lock_next_thread", **seeker.of_threads(tx))
    thread = await threads.lock(tx, row["id"] if row is not None else peeked)
    if not _waits(thread) or await tx.one("operators.lock_room", id=operator.id, weight=thread.weight) is None:
        raise Claimed()
    holder = Assignment(
        to=Holder.OPERATOR, id=operator.id, name=operator.name, since=tx.now,
        reason=f"{operator.name} took the next of {thread.queue}",
    )  # fmt: skip
    claimed = await assignments.change(tx, thread, holder, Cause.CLAIM, by=actor, waiting=True, keep=True)
    await tx.run("operators.assigned", id=operator.id, now=ms(tx.now))
    return claimed


def _waits(thread: Thread) -> bool:
    return thread.assignment.to is Holder.QUEUE and thread.status is Status.OPEN and thread.waiting_since is not None


async def _offer_thread(tx: Tx, id: str) -> bool:
    """Give a thread to whoever fits best. Tells whether there was somebody."""
    thread = await threads.find_locked(tx, id)
    if thread is None or not _waits(thread):
        return False
    queue = await queues.ensure(tx, thread.queue or DEFAULT_QUEUE)
    if queue.chooser is Chooser.PULL:
        return False
    if any(run.state is RunState.RUNNING and not run.aside for run in await runs.live(tx, id)):
        await jobs.enqueue(tx, offers.THREAD, id, at=tx.now + LAST_WORDS, thread=id)
        return False
    assert thread.waiting_since is not None
    chosen = await _choose(tx, queue, _item(thread, queue, thread.waiting_since))
    if chosen is None:
        return False
    operator, why = chosen
    until = tx.now + queue.lease
    holder = Assignment(to=Holder.OPERATOR, id=operator.id, name=operator.name, since=tx.now, reason=f"{queue.name}: {why}")
    await assignments.change(tx, thread, holder, Cause.CLAIM, by=SYSTEM, waiting=True, keep=True, lease_until=until)
    await offers.lease(tx, id, until)
    return True


async def _offer_request(tx: Tx, id: str) -> bool:
    """The same for a request."""
    if await tx.one("threads.lock_of_request", request=id) is None:
        return False
    request = await ledger.get(tx, id)
    if request.claimed_until is not None and request.claimed_until <= tx.now:
        request = await ledger.lapse(tx, request) or request
    queue = await queues.find(tx, request.queue or DEFAULT_QUEUE)
    if request.state is not RequestState.OPEN or queue is None or queue.chooser is Chooser.PULL:
        return False
    thread = await threads.get(tx, request.thread)
    if ledger.goes_with_thread(request, thread):
        return False
    item = Item(
        thread=thread.id, request=id, queue=queue.name, skills=request.skills, language=thread.language, weight=request.weight,
        since=request.created_at,
    )  # fmt: skip
    chosen = await _choose(tx, queue, item)
    if chosen is None:
        return False
    await give_request(tx, request, chosen[0], lease=queue.lease)
    return True


async def give_request(tx: Tx, request: Request, operator: Operator, *, lease: timedelta = ledger.CLAIM_LEASE) -> None:
    """Claim an open request for an operator who has room for it. The caller holds the thread's lock, and the operator's."""
    until = ms(tx.now + lease)
    row = await tx.one("requests.take", id=request.id, by=operator.id, name=operator.name, until=until, now=ms(tx.now))
    assert row is not None
    await _claimed(tx, ledger.request_of(row), SYSTEM)


async def move_request(tx: Tx, request: Request, queue: str) -> None:
    """Let an undecided request wait in another queue, where nobody has claimed it. The caller holds the thread's lock."""
    await tx.run("requests.to_queue", id=request.id, queue=queue, now=ms(tx.now))
    moved = await ledger.get(tx, request.id)
    await opening.set_timer(tx, moved)
    await ledger.announce(tx, moved, EventType.REQUEST_RELEASED, actor=SYSTEM)
    await opening.freed(tx, request)
    await opening.offer(tx, moved)


async def best_for(tx: Tx, thread: Thread, queue: Queue, *, besides: frozenset[str]) -> tuple[Operator, str] | None:
    """The operator who fits a thread best, locked, with the reason, but for those `besides`; kept as every other choice is."""
    item = _item(thread, queue, thread.waiting_since or tx.now)
    return await _choose(tx, queue, item, besides)


def _item(thread: Thread, queue: Queue, since: datetime) -> Item:
    return Item(thread=thread.id, queue=queue.name, language=thread.language, weight=thread.weight, since=since)


async def _choose(tx: Tx, queue: Queue, item: Item, besides: frozenset[str] = frozenset()) -> tuple[Operator, str] | None:
    """The operator who is given an item, locked, with the reason; it is kept with everybody who was looked at."""
    missed = besides | {row["operator"] for row in await tx.all("choices.missers", thread=item.thread, request=item.request)}
    # Whoever is being given something at this moment is passed over first: their load is about to change.
    for statement in ("operators.lock_room_now", "operators.lock_room"):
        chosen = await _choose_by(tx, queue, item, missed, statement)
        if chosen is not None:
            return chosen
    return None


async def _choose_by(tx: Tx, queue: Queue, item: Item, missed: frozenset[str], statement: str) -> tuple[Operator, str] | None:
    team = [operators.operator_of(row) for row in await tx.all("operators.team")]
    obstacles = {one.id: obstacle(one, queue, item, missed=missed, at=tx.now) for one in team}
    fitting = ranked((one for one in team if obstacles[one.id] is None), queue.chooser)
    for operator in fitting:
        if await tx.one(statement, id=operator.id, weight=item.weight, load=hundredths(operator.load)) is None:
            obstacles[operator.id] = "was given something else a moment ago"
            continue
        why = why_chosen(operator, len(fitting) - 1, queue.chooser)
        candidates = [_candidate(one, why if one is operator else obstacles[one.id]) for one in _sorted(team, fitting)]
        await _keep(tx, item, operator, why, candidates)
        return operator, why
    return None


def _sorted(team: list[Operator], fitting: list[Operator]) -> list[Operator]:
    """Those who fit first, in their order; then the others who are there."""
    rest = [one for one in team if one not in fitting]
    return [*fitting, *sorted(rest, key=lambda one: one.presence is not Presence.AVAILABLE)][:KEPT_CANDIDATES]


def _candidate(operator: Operator, why: str | None) -> Candidate:
    return Candidate(
        operator=operator.id, name=operator.name, load=operator.load, capacity=operator.capacity, fits=why is None,
        why=why or "fits, others come first",
    )  # fmt: skip


async def _keep(tx: Tx, item: Item, operator: Operator, why: str, candidates: list[Candidate]) -> None:
    await tx.run(
        "choices.insert",
        id=tx.id("choice"), thread=item.thread, request=item.request, queue=item.queue, operator=operator.id,
        operator_name=operator.name, reason=why, now=ms(tx.now),
        candidates=json.dumps([asdict(one) for one in candidates], ensure_ascii=False),
    )  # fmt: skip
    await tx.run("operators.assigned", id=operator.id, now=ms(tx.now))


async def _fill_one(tx: Tx, id: str) -> bool | None:
    """Have one thing that this operator fits given to whoever fits it best. False where somebody else was faster, None where
    nothing is left for them."""
    operator = await operators.find(tx, id)
    if operator is None or operator.presence is not Presence.AVAILABLE:
        return None
    seeker = await _seeker(tx, operator, operator.actor(), pushed=True)
    thread = await tx.one("queues.next_thread", **seeker.of_threads(tx))
    request = await tx.one("requests.next", **seeker.of_requests(tx))
    if thread is not None and _comes_first(thread, request):
        locked = await tx.one("queues.lock_next_thread", **seeker.of_threads(tx))
        return await _offer_thread(tx, (locked or thread)["id"])
    return None if request is None else await _offer_request(tx, request["id"])
