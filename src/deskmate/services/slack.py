"""Slack: requests stand there as messages with buttons, and people decide them there, as in the inbox: the first one wins (P2).

Who clicks is who Slack's signature says (P9): the address that Slack knows them by has to be that of an operator.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from deskmate.domain.actors import Actor
from deskmate.domain.events import Event, EventType
from deskmate.domain.messages import Message
from deskmate.domain.operators import Operator, normal_email
from deskmate.domain.permissions import redact
from deskmate.domain.requests import WAITING, DecisionKind, NewDecision, Request
from deskmate.domain.slack import Act, Block, Click, blocks, form, summary
from deskmate.domain.threads import Thread
from deskmate.errors import DeskmateError, Invalid, Misconfigured, NotFound, Unauthenticated
from deskmate.services import ledger, threads
from deskmate.services.operators import operator_of
from deskmate.services.payloads import OUTSIDER, link
from deskmate.services.requests import Requests
from deskmate.services.slack_calls import SlackCalls, SlackFailed
from deskmate.store import jobs
from deskmate.store.base import Store, Tx
from deskmate.store.rows import message_of
from deskmate.store.times import ms

log = logging.getLogger("deskmate.slack")

POST = "slack"
"""The kind of the job that posts a message, or makes it say what is true now."""
LEASE = timedelta(seconds=30)
BUSY = timedelta(seconds=2)
LATE = timedelta(days=1)
"""What could not be posted for so long is not posted any more."""
LAST = 6
"""How many of the last public words are shown."""
_DECISIONS: Mapping[Click, DecisionKind] = {
    Click.APPROVE: DecisionKind.APPROVE, Click.REJECT: DecisionKind.REJECT, Click.ANSWER: DecisionKind.ANSWER,
}  # fmt: skip


class Word(Protocol):
    """What one person is told over a channel of theirs."""

    @property
    def operator(self) -> Operator: ...
    @property
    def thread(self) -> Thread | None: ...
    @property
    def request(self) -> Request | None: ...
    @property
    def messages(self) -> tuple[Message, ...]: ...
    @property
    def link(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    """A message as it should be now. Without `ts` it has not been posted yet."""

    id: str
    channel: str
    ts: str | None
    text: str
    blocks: list[Block]


class Slack:
    """One Slack workspace."""

    def __init__(
        self,
        store: Store,
        requests: Requests,
        *,
        calls: SlackCalls,
        signing_secret: str | None,
        channel: str | None,
        public_url: str | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._requests = requests
        self._calls = calls
        self._verifier = None if signing_secret is None else _verifier(signing_secret, clock)
        self._channel = channel
        self._public_url = public_url
        self._team: str | None = None

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """The reaction to what has happened: a message for each request that opens, changed with whatever becomes of it."""
        for event in events:
            request = event.data.get("request")
            if not event.type.startswith("request.") or event.thread is None or not isinstance(request, str):
                continue
            if event.type is EventType.REQUEST_OPENED and self._channel is not None and event.at > tx.now - LATE:
                await _stand(tx, request, event.thread, self._channel)
            for row in await tx.all("slack.of_request", request=request):
                await jobs.enqueue(tx, POST, row["id"], thread=row["thread"])

    async def post(self, job: jobs.Job) -> None:
        """The handler of `slack` jobs. A job may come twice; the message is taken once, under a lease."""
        post = await self._store.write(lambda tx: self._take(tx, job))
        if post is None:
            return
        try:
            method = "chat.postMessage" if post.ts is None else "chat.update"
            said = await self._calls.call(
                method, channel=post.channel, ts=post.ts, text=post.text, blocks=post.blocks, unfurl_links="false"
            )  # fmt: skip
        except SlackFailed as error:
            again = error.retry_after
            await self._store.write(lambda tx: _not_posted(tx, job, again))
            if again is None:
                raise
            return
        place = {"channel": said.get("channel", post.channel), "ts": said.get("ts", post.ts)}
        await self._store.write(lambda tx: tx.run("slack.posted", id=post.id, lease_by=job.lease, **place))

    async def deliver(self, word: Word) -> None:
        """Tell one operator in a message of their own. Raises SlackFailed."""
        found = await self._calls.call("users.lookupByEmail", email=word.operator.email)
        user = str(found["user"]["id"])
        request = word.request
        if request is None:
            text = summary_of(word)
            await self._calls.call("chat.postMessage", channel=user, text=text, unfurl_links="false")
            return
        messages = [redact(one, OUTSIDER) for one in word.messages][-LAST:]
        shown = blocks(request, word.thread, messages, word.link)
        said = await self._calls.call(
            "chat.postMessage", channel=user, text=summary(request, word.thread), blocks=shown, unfurl_links="false"
        )  # fmt: skip

        async def keep(tx: Tx) -> None:
            await _stand(tx, request.id, request.thread, user, channel=said["channel"], ts=said["ts"])

        await self._store.write(keep)

    def verify(self, body: bytes, timestamp: str | None, signature: str | None) -> None:
        """Raise unless Slack has signed this body within the last five minutes. Raises NotFound, Unauthenticated."""
        if self._verifier is None:
            raise NotFound("Slack is not set up here", field="slack")
        digits = timestamp is not None and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
        if not digits or not signature or not self._verifier.is_valid(body, timestamp, signature):
            raise Unauthenticated("this was not signed by Slack, or too long ago")

    async def act(self, act: Act) -> dict[str, Any] | None:
        """Do what somebody did in Slack. Returns what a form is answered with; who clicked is told what went wrong."""
        try:
            operator = await self._operator(act.user)
            if act.click is Click.ANSWER and not act.form:
                await self._ask(act)
            else:
                await self._decide(act, operator.actor("slack"))
        except DeskmateError as error:
            return await self._refuse(act, error.message)
        return None

    async def _decide(self, act: Act, by: Actor) -> None:
        decision = NewDecision(kind=_DECISIONS[act.click], value=act.value, args_digest=act.digest)
        await self._requests.decide(act.request, decision, by=by)

    async def _ask(self, act: Act) -> None:
        """Open the form for an answer, unless it is too late for one."""
        request = await self._store.read(lambda tx: ledger.get(tx, act.request))
        ledger.check_open(request)
        await self._calls.call("views.open", trigger_id=act.trigger, view=form(request, act.channel))

    async def _refuse(self, act: Act, reason: str) -> dict[str, Any] | None:
        """Tell whoever clicked, and nobody else, why nothing came of it."""
        if act.form:
            return {"response_action": "errors", "errors": {"answer": reason}}
        if act.channel is not None:
            try:
                await self._calls.call("chat.postEphemeral", channel=act.channel, user=act.user, text=_escaped(reason))
            except SlackFailed as error:
                log.warning("somebody could not be told why a click came to nothing: %s", error)
        return None

    async def _operator(self, user: str) -> Operator:
        """The operator whom Slack knows by this id. Raises Unauthenticated for everybody else, politely."""
        found = (await self._calls.call("users.info", user=user))["user"]
        stranger = Unauthenticated("Sorry, only operators of this desk can decide here: your address is not one of theirs.")
        address = found.get("profile", {}).get("email")
        # In a shared channel there are people of other companies, whose addresses are what these say.
        if found.get("team_id") != await self._own_team() or found.get("deleted") or found.get("is_bot") or not address:
            raise stranger
        try:
            email = normal_email(str(address))
        except Invalid:
            raise stranger from None
        row = await self._store.read(lambda tx: tx.one("operators.by_email", email=email))
        if row is None or row["disabled_at"] is not None:
            raise stranger
        return operator_of(row)

    async def _own_team(self) -> str:
        if self._team is None:
            self._team = str((await self._calls.call("auth.test"))["team_id"])
        return self._team

    async def _take(self, tx: Tx, job: jobs.Job) -> _Post | None:
        row = await tx.one(
            "slack.take", id=job.ref, lease_by=job.lease, lease_until=ms(tx.now + LEASE), now=ms(tx.now)
        )  # fmt: skip
        if row is None:
            if await tx.one("slack.get", id=job.ref) is not None:
                await jobs.postpone(tx, job, tx.now + BUSY)
            return None
        request, thread = await _matter(tx, row["request"])
        late = row["created_at"] < ms(tx.now - LATE)
        if request is None or (row["ts"] is None and (request.state not in WAITING or late)):
            await tx.run("slack.drop", id=job.ref)
            return None
        said = await tx.all("requests.context", thread=request.thread, limit=LAST)
        messages = [redact(message_of(one), OUTSIDER) for one in reversed(said)]
        return _Post(
            id=row["id"], channel=row["channel"] or row["place"], ts=row["ts"], text=summary(request, thread),
            blocks=blocks(request, thread, messages, link(self._public_url, request.thread)),
        )  # fmt: skip


def summary_of(word: Word) -> str:
    """A word that is about no request, in a line; Slack reads mark-up in it."""
    notification = getattr(word, "notification", None)
    text = _escaped(str(getattr(notification, "text", "Something waits for you")))
    return text if word.link is None else f"{text} <{word.link}|Open>"


async def _stand(tx: Tx, request: str, thread: str, place: str, *, channel: str | None = None, ts: str | None = None) -> None:
    await tx.run(
        "slack.insert",
        id=f"{request}/{place}", request=request, thread=thread, place=place, channel=channel, ts=ts, now=ms(tx.now),
    )  # fmt: skip


async def _matter(tx: Tx, id: str) -> tuple[Request | None, Thread | None]:
    try:
        request = await ledger.get(tx, id)
        return request, await threads.get(tx, request.thread)
    except NotFound:
        return None, None


async def _not_posted(tx: Tx, job: jobs.Job, again: float | None) -> None:
    await tx.run("slack.release", id=job.ref, lease_by=job.lease)
    if again is not None:
        await jobs.postpone(tx, job, tx.now + timedelta(seconds=again))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Verifier(Protocol):
    def is_valid(self, body: bytes, timestamp: str | None, signature: str | None) -> bool: ...


def _verifier(secret: str, clock: Callable[[], datetime]) -> _Verifier:
    """Imported here, because it takes a package that is not always there."""
    try:
        from slack_sdk.signature import Clock, SignatureVerifier
    except ImportError as error:
        raise Misconfigured(
            "Slack needs its extra: pip install 'deskmate[slack]'", field="DESKMATE_SLACK_SIGNING_SECRET"
        ) from error

    class OurClock(Clock):
        def now(self) -> float:
            return clock().timestamp()

    return SignatureVerifier(secret, OurClock())
