"""Answer links: whoever has one decides a request as the operator it was made for, in one way, once, for a day.

To look at a link changes nothing: programs that scan mails follow every link. The token is in one mail, the store knows its hash.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from deskmate.domain.actors import Actor
from deskmate.domain.messages import Message
from deskmate.domain.notifications import ANSWERS, AnswerLink
from deskmate.domain.operators import Operator
from deskmate.domain.permissions import Action, require
from deskmate.domain.requests import WAITING, DecisionKind, NewDecision, Request
from deskmate.domain.threads import Thread
from deskmate.errors import Forbidden, Gone, Invalid, NotFound
from deskmate.services import ledger, operators, threads
from deskmate.services.credentials import Entropy, digest, new_token
from deskmate.services.requests import Requests
from deskmate.store.base import Row, Store, Tx
from deskmate.store.rows import message_of
from deskmate.store.times import ms

LIFE = timedelta(days=1)
PREFIX = "da_"
KEPT = timedelta(days=30)
"""How long after its end somebody who follows a link is told what became of it."""
CHANNEL = "email"
LAST_WORDS = 10
"""How many public messages are shown with what is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a link leads to: a request, who may decide it in which way, and the last public words of its thread, oldest first.
    `draft` are the words of a draft that waits to be approved."""

    kind: DecisionKind
    operator: Operator
    request: Request
    thread: Thread
    messages: Sequence[Message]
    draft: str | None
    used: bool
    expired: bool


async def make(tx: Tx, entropy: Entropy, request: Request, operator: Operator, *, base: str) -> tuple[AnswerLink, ...]:
    """New links for the simple ways to decide a request; none where it does not wait any more."""
    if request.state not in WAITING:
        return ()
    links: list[AnswerLink] = []
    for kind in ANSWERS[request.kind]:
        token = new_token(PREFIX, entropy)
        await tx.run(
            "answer_links.insert",
            hash=digest(token), request=request.id, operator=operator.id, kind=kind, expires_at=ms(tx.now + LIFE),
        )  # fmt: skip
        links.append(AnswerLink(kind=kind, url=f"{base}/answer/{token}"))
    return tuple(links)


async def any_old(tx: Tx) -> bool:
    """Whether there are links that are long over."""
    return await tx.one("answer_links.old", before=ms(tx.now - KEPT)) is not None


async def sweep(tx: Tx) -> None:
    """Forget links that are long over."""
    await tx.run("answer_links.sweep", before=ms(tx.now - KEPT))


async def last_words(tx: Tx, thread: str) -> tuple[Message, ...]:
    """The last public words of a thread, oldest first."""
    rows = await tx.all("requests.context", thread=thread, limit=LAST_WORDS)
    return tuple(message_of(row) for row in reversed(rows))


class AnswerLinks:
    """What is done with links."""

    def __init__(self, store: Store, requests: Requests) -> None:
        self._store = store
        self._requests = requests

    async def look(self, token: str) -> Asked:
        """What a link leads to, whatever has become of it. Raises NotFound; Forbidden where its operator may not decide (any
        more)."""

        async def body(tx: Tx) -> Asked:
            row = await _find(tx, token)
            operator = await _operator(tx, row)
            request = await ledger.get(tx, row["request"])
            draft = None if request.draft is None else await tx.one("messages.get", id=request.draft)
            return Asked(
                kind=DecisionKind(row["kind"]),
                operator=operator,
                request=request,
                thread=await threads.get(tx, request.thread),
                messages=await last_words(tx, request.thread),
                draft=None if draft is None else message_of(draft).text,
                used=row["used_at"] is not None,
                expired=row["expires_at"] <= ms(tx.now),
            )

        return await self._store.read(body)

    async def decide(self, token: str, decision: NewDecision) -> Request:
        """Decide as the operator whom the link was made for. A decision that is refused does not use the link up.

        Raises AlreadyDecided (by, at), Closed (state), Gone where the link was used or its time is over, and what a decision
        raises.
        """

        async def body(tx: Tx) -> Request:
            row = await _find(tx, token)
            actor = _actor(await _operator(tx, row))
            if decision.kind != row["kind"]:
                raise Invalid(f"this link is there to {row['kind']}", field="kind")
            await tx.one("threads.lock_of_request", request=row["request"])
            # Who comes too late is told who decided, whatever became of the link.
            ledger.check_open(await ledger.get(tx, row["request"]))
            if not await tx.run("answer_links.use", hash=row["hash"], now=ms(tx.now)):
                raise Gone("this link was used before" if row["used_at"] is not None else "the time of this link is over")
            return await self._requests.decide_within(tx, row["request"], decision, by=actor)

        return await self._store.write(body)


def _actor(operator: Operator) -> Actor:
    return operator.actor(CHANNEL)


async def _find(tx: Tx, token: str) -> Row:
    row = await tx.one("answer_links.get", hash=digest(token))
    if row is None:
        raise NotFound("there is no such link", field="token")
    return row


async def _operator(tx: Tx, row: Row) -> Operator:
    found = await operators.get(tx, row["operator"])
    if found.disabled:
        raise Forbidden(f"{found.name} does not work here any more")
    require(_actor(found), Action.REQUEST_DECIDE)
    return found
