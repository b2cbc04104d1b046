"""The desk: the composition root. The only place that knows every part, the clock and the source of randomness."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from deskmate.classifiers.later import Later
from deskmate.classifiers.learner import learner_of
from deskmate.classifiers.moderation import moderation_of
from deskmate.classifiers.neighbours import NearestNeighbours
from deskmate.config import Settings
from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Runner
from deskmate.domain.faq import Learner
from deskmate.domain.operators import By, actor_of
from deskmate.domain.safety import Moderator
from deskmate.domain.threads import Mode, Thread
from deskmate.errors import Conflict, Invalid, Unavailable
from deskmate.runners.adopted import as_runner
from deskmate.services import (
    channels,
    clocks,
    deferrals,
    deliveries,
    gathering,
    notifications,
    opening,
    posting,
    responses,
    slack,
    streams,
    telling,
    threads,
    work,
)
from deskmate.services.actions import Actions
from deskmate.services.answer_links import AnswerLinks
from deskmate.services.assignments import Assignments
from deskmate.services.authentication import Authenticator
from deskmate.services.background import Background
from deskmate.services.board import Board
from deskmate.services.canned import CannedReplies
from deskmate.services.chains import Chains
from deskmate.services.choosing import Choosing
from deskmate.services.clocks import Timers
from deskmate.services.conversation import Messages
from deskmate.services.corpus import Classifier
from deskmate.services.credentials import Passwords
from deskmate.services.customers import Customers
from deskmate.services.deadlines import Deadlines
from deskmate.services.deferring import Deferring
from deskmate.services.deliveries import Outbox
from deskmate.services.escalations import Escalations
from deskmate.services.faq import Faq
from deskmate.services.feedback import FeedbackVerbs
from deskmate.services.files import Files
from deskmate.services.following import Reaction
from deskmate.services.importing import Imports
from deskmate.services.inbox import Inbox
from deskmate.services.judging import Judging
from deskmate.services.keys import Keys
from deskmate.services.leases import Leases
from deskmate.services.limits import Limits
from deskmate.services.live import Feed
from deskmate.services.macros import Macros
from deskmate.services.mentions import Mentions
from deskmate.services.notifications import Notifications
from deskmate.services.notifying import Notifier
from deskmate.services.operators import AWAY, Operators
from deskmate.services.policies import Policies
from deskmate.services.queueing import Queues
from deskmate.services.reads import Reads
from deskmate.services.requests import Requests
from deskmate.services.respond import Outcome, Responder
from deskmate.services.responses import Responses
from deskmate.services.search import Search
from deskmate.services.sending import Sender
from deskmate.services.sessions import Sessions
from deskmate.services.sla import SlaReports
from deskmate.services.snoozing import Snoozing
from deskmate.services.streaming import Streams
from deskmate.services.suggesting import Suggesting
from deskmate.services.suggestions import Suggestions
from deskmate.services.threads import Threads
from deskmate.services.transcripts import Transcripts
from deskmate.services.unsent import UnsentWords
from deskmate.services.usage import Usage
from deskmate.services.viewers import Viewers
from deskmate.services.views import Views
from deskmate.services.webhooks import Webhooks
from deskmate.services.work import Working
from deskmate.store import connect
from deskmate.store.base import Tx
from deskmate.store.contents import Contents, DatabaseContents
from deskmate.store.jobs import Handler
from deskmate.store.opened import Opened, contents_of

if TYPE_CHECKING:
    from deskmate.runners.adopted import AnyAgent


class Desk:
    """People and AI agents in the same conversations, over one store.

    `url` is `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://HOST/NAME`. The first of `agents` answers customers.
    `contents` keeps the bytes of files; without it the place that the settings name, or the store.
    Use it as it is, or `async with Desk.open(...)` to have runs worked on in the background as well.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        agents: "Sequence[AnyAgent]" = (),
        settings: Settings | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = os.urandom,
        contents: Contents | None = None,
        classifier: Classifier | None = None,
        moderator: Moderator | None = None,
    ) -> None:
        base = settings or Settings.from_env(os.environ)
        self.settings = replace(base, store=url) if url is not None else base
        self._store = Opened(
            connect(self.settings.store, clock=clock, entropy=entropy, synchronous=self.settings.sqlite_synchronous)
        )
        self._clock = clock
        self._agents: dict[str, Runner] = {}
        self.faq = Faq(self._store)
        self.suggestions = Suggestions(self._store)
        self._suggesting = Suggesting(self._store)
        for agent in agents:
            self.register(agent)
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{entropy(4).hex()}"
        passwords = Passwords()
        self.customers = Customers(self._store)
        self.closing = asyncio.Event()
        self.threads = Threads(self._store, mode=Mode(self.settings.mode))
        self.messages = Messages(self._store, lambda: self.default_agent, copilot=self.settings.copilot)
        self.requests = Requests(self._store, lambda: self.default_agent, self.closing)
        self.assignments = Assignments(self._store, lambda: self.default_agent)
        self.actions = Actions(self._store, self.assignments, lambda: self.default_agent)
        self.escalations = Escalations(self._store)
        self.inbox = Inbox(self._store)
        self.reads = Reads(self._store)
        self.imports = Imports(self._store)
        self.transcripts = Transcripts(self._store)
        idle = timedelta(seconds=self.settings.idle_seconds)
        self.viewers = Viewers(self._store, idle)
        self._working = Working(self._store, idle)
        self.feed = Feed(self._store, self.closing)
        self.feedback = FeedbackVerbs(self._store)
        self.streams = Streams(self._store, self.closing)
        self.files = Files(self._store, contents or contents_of(self.settings.files, self._store), DatabaseContents(self._store))
        self.search = Search(self._store)
        self.usage = Usage(self._store)
        self.board = Board(self._store)
        self.queues = Queues(self._store)
        self.policies = Policies(self._store)
        self.limits = Limits(self._store)
        self.sla = SlaReports(self._store)
        self.chains = Chains(self._store)
        self.operators = Operators(self._store, passwords, away_after=self.settings.away_after)
        self._choosing = Choosing(self._store)
        self._leases = Leases(self._store)
        self.canned = CannedReplies(self._store)
        self.macros = Macros(self._store, self.assignments, lambda: self.default_agent, copilot=self.settings.copilot)
        self.views = Views(self._store)
        self.unsent = UnsentWords(self._store)
        self.mentions = Mentions(self._store)
        private = self.settings.webhooks_private
        self.webhooks = Webhooks(self._store, entropy, private=private)
        embedder = Later(self.settings.embeddings, self.settings.embeddings_key)
        self._judging = Judging(
            self._store, self._agents, learner=learner_of(embedder), neighbours=NearestNeighbours(embedder),
            classifier=classifier, moderator=moderator or moderation_of(self.settings), entropy=entropy,
            list_prices=self.settings.list_prices,
        )  # fmt: skip
        self.routing = self._judging.verbs
        self.slack = channels.slack_of(self.settings, self._store, self.requests, clock)
        self._outbox = Outbox(self._store, Sender(), public_url=self.settings.public_url, private=private)
        self.keys = Keys(self._store, entropy)
        self.sessions = Sessions(self._store, passwords, entropy)
        self.authenticator = Authenticator(
            self._store, admin_key=self.settings.admin_key, jwt_secrets=self.settings.customer_jwt_secrets
        )
        lease = timedelta(seconds=self.settings.lease_seconds)
        self._responder = Responder(
            self._store, self._agents, owner=self._owner, lease=lease, list_prices=self.settings.list_prices,
            courses=self._judging.courses,
        )  # fmt: skip
        self.notifications = Notifications(self._store)
        self.answer_links = AnswerLinks(self._store, self.requests)
        self.notifier = Notifier(
            self._store, channels.of(self.settings, self.slack), entropy, public_url=self.settings.public_url
        )
        self._deadlines = Deadlines(self._store)
        self._snoozing = Snoozing(self._store)
        self._deferring = Deferring(self._store)
        self._clocks = Timers(self._store)
        self._responses = Responses(self._store, self.assignments, lambda: self.default_agent)
        self._background = Background(
            self._store,
            owner=self._owner,
            lease=lease,
            lanes=self._agents.keys(),
            handlers=self._handlers(),
            sending=self._sending(),
            reactions=self._reactions(),
            audits=(
                self._responder.audit, self._deadlines.audit, self._leases.audit, self.operators.audit, self._snoozing.audit,
                self._deferring.audit, self.limits.audit, self._clocks.audit, self._working.audit, self._responses.audit,
                self.chains.audit, self.viewers.sweep, self._suggesting.sweep, *self._judging.audits,
            ),
            sent=(self.notifier.audit, self._outbox.audit),
            clock=clock,
        )  # fmt: skip

    def _handlers(self) -> Mapping[str, Handler]:
        """What does the jobs of each kind."""
        return {
            "run": self._responder.work,
            streams.JOB: self.streams.tend,
            **self.files.handlers,
            opening.TIMER: self._deadlines.tend,
            **self._choosing.handlers,
            **self._leases.handlers,
            AWAY: self.operators.look,
            threads.SNOOZE: self._snoozing.tend,
            deferrals.TIMER: self._deferring.tend,
            clocks.JOB: self._clocks.tend,
            work.JOB: self._working.tend,
            responses.TIMER: self._responses.tend,
            **self.chains.handlers,
            **self._judging.handlers,
        }

    def _sending(self) -> Mapping[str, Handler]:
        """The same, of what goes out to other machines."""
        sending: dict[str, Handler] = {notifications.JOB: self.notifier.tend, **self._outbox.handlers}
        return sending if self.slack is None else sending | {slack.POST: self.slack.post}

    def _reactions(self) -> Mapping[str, Reaction]:
        """Who acts on what happens."""
        reactions: dict[str, Reaction] = {
            "clocks": self._clocks.follow,
            "work": self._working.follow,
            "responses": self._responses.follow,
            "chains": self.chains.follow,
            "suggestions": self._suggesting.follow,
            "notifications": telling.tell,
            "webhooks": deliveries.owe,
            **self._judging.reactions,
            "feedback": gathering.follow,
        }
        return reactions if self.slack is None else reactions | {"slack": self.slack.follow}

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of the registered agents."""
        return tuple(self._agents)

    @property
    def runners(self) -> Mapping[str, Runner]:
        """The registered agents, by name."""
        return MappingProxyType(self._agents)

    @property
    def default_agent(self) -> str | None:
        """The agent that answers customers, or None."""
        return next(iter(self._agents), None)

    def register(self, agent: "AnyAgent") -> Runner:
        """Let this desk run an agent; the same name again replaces the agent. Raises Invalid."""
        runner = as_runner(agent)
        if not runner.name.strip():
            raise Invalid("an agent needs a name", field="name")
        if isinstance(runner, Learner):
            runner.learn_from(self.faq.teach)
        self._agents[runner.name] = runner
        return runner

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str | None = None,
        *,
        agents: "Sequence[AnyAgent]" = (),
        settings: Settings | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        entropy: Callable[[int], bytes] = os.urandom,
        contents: Contents | None = None,
        classifier: Classifier | None = None,
        moderator: Moderator | None = None,
        work: bool = True,
    ) -> AsyncGenerator["Desk", None]:
        """A desk that is open for the time of the block, and works on runs in the background unless `work` is false."""
        desk = cls(
            url, agents=agents, settings=settings, clock=clock, entropy=entropy, contents=contents, classifier=classifier,
            moderator=moderator,
        )  # fmt: skip
        await desk.ensure_open()
        try:
            if work:
                desk.work()
            yield desk
        finally:
            await desk.close()

    async def ensure_open(self) -> None:
        """Connect and bring the schema up to date, if that has not been done. Raises Unavailable."""
        self.closing.clear()
        await self._store.open()

    def work(self) -> None:
        """Work on runs and timers in the background, in this process, until the desk is closed."""
        self._background.start()

    async def run_due(self) -> int:
        """Do all the background work that is due now, runs and timers, and return how many jobs that were.

        For programs that do not `work()`, and for tests, which move the clock first (`deskmate.testing.pass_time`).
        """
        return await self._background.run_due()

    async def next_due(self) -> datetime | None:
        """When there is background work again; None when there is none."""
        return await self._background.next_due()

    async def end_streams(self) -> None:
        """Let everybody who follows the feed, or waits for a request, come to an end. Servers call it when they begin to stop."""
        self.closing.set()

        async def wake(tx: Tx) -> None:
            tx.touch("*")

        # A store that is gone wakes nobody; whoever serves gives up on its readers after a while.
        with suppress(Unavailable):
            await self._store.write(wake)

    async def close(self) -> None:
        """Give back what is being worked on and disconnect. Idempotent."""
        self.closing.set()
        await self._background.stop()
        await self._store.close()

    async def respond(
        self, thread: str, agent: "AnyAgent | str | None" = None, *, prompt: str | None = None, by: By = SYSTEM
    ) -> Outcome:
        """Answer the newest unanswered message of a thread, here and now, or go on with a run whose requests are closed.

        `prompt` is a message of the thread: that one is answered, on its own order, although it was answered before or stored
        without asking for a reply. A message with calls that people were asked about, or with their answers, goes on with its
        run, by the agent that began it; where that run has ended, its outcome is given again. Who asks for the same message at
        the same time gets the same answer.

        Returns Replied, Paused, Drafted, Failed or Overtaken. Raises Conflict when there is nothing to answer or people respond,
        NotFound.
        """
        if prompt is not None:
            name = self._named(agent) if agent is not None else self.default_agent
            return await self._responder.answer(thread, prompt, name, by=actor_of(by))
        return await self._responder.respond(thread, self._named(agent), by=actor_of(by))

    async def start(self, thread: str, *, agent: str | None = None, by: By = SYSTEM) -> Thread:
        """Have the newest unanswered message answered in the background, by whichever process works on runs."""
        name = self._named(agent)

        async def body(tx: Tx) -> Thread:
            await posting.start(tx, await threads.lock(tx, thread), name, actor=actor_of(by))
            return await threads.get(tx, thread)

        return await self._store.write(body)

    async def ready(self) -> None:
        """Raise Unavailable unless the store answers."""
        await self._store.read(lambda tx: tx.one("events.head"))

    async def stranded(self) -> dict[str, int]:
        """Queued runs whose agent is not registered here, by agent."""
        rows = await self._store.read(lambda tx: tx.all("jobs.stranded"))
        return {row["agent"]: row["runs"] for row in rows if row["agent"] not in self._agents}

    def _named(self, agent: "AnyAgent | str | None") -> str:
        if agent is None:
            if self.default_agent is None:
                raise Conflict("no agent is registered")
            return self.default_agent
        if isinstance(agent, str):
            if agent not in self._agents:
                raise Invalid(f"no agent {agent!r} is registered", field="agent")
            return agent
        return self.register(agent).name
