"""Messages as people and programs write and read them: the public verbs, one transaction each."""

from collections.abc import Sequence

from deskmate.domain.limits import Refusal
from deskmate.domain.messages import Message, Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import Page
from deskmate.domain.permissions import Action, redact, require, visible
from deskmate.errors import NotFound
from deskmate.services import history, limits, posting, threads
from deskmate.services.messages import MessageVerbs
from deskmate.services.posting import DefaultAgent
from deskmate.store.base import Store, Tx


async def _tell(tx: Tx, thread: str, refusal: Refusal) -> None:
    # As everywhere the thread is locked before the counter, so that nobody waits for each other in a circle.
    if await threads.find_locked(tx, thread) is not None:
        await limits.reached(tx, refusal, thread)


class Messages(MessageVerbs):
    """What is said on threads."""

    def __init__(self, store: Store, default_agent: DefaultAgent, *, copilot: bool = False) -> None:
        super().__init__(store)
        self._default_agent = default_agent
        self._copilot = copilot

    async def post(
        self,
        thread: str,
        text: str,
        *,
        author: By,
        as_customer: bool = False,
        visibility: Visibility = Visibility.PUBLIC,
        files: Sequence[str] = (),
        respond: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Message:
        """Say something. A customer's message is given to whoever responds next, unless `respond` is false.

        A note of an operator that calls on `@ai` is answered with a note. `as_customer` speaks for the thread's customer, for
        those who may. `files` are such as the author gave to this thread by `desk.files.upload`; with them the text may be empty.
        What an operator had kept unsent, of this visibility, goes. The same idempotency key gives the first message again.
        Raises Invalid, NotFound, Forbidden, KeyReused; TooMany (`retry_after`, in seconds) where a customer has reached a limit.
        """
        actor = actor_of(author)

        async def body(tx: Tx) -> Message:
            return await posting.post(
                tx,
                thread,
                text,
                actor=actor,
                as_customer=as_customer,
                visibility=visibility,
                files=files,
                composed=True,
                respond=respond,
                agent=self._default_agent(),
                copilot=self._copilot,
                key=idempotency_key,
            )

        try:
            return await self._store.write(body)
        except limits.Reached as reached:
            # Nothing of the message is stored, so what is to be known of it is a transaction of its own.
            refusal = reached.refusal
            await self._store.write(lambda tx: _tell(tx, thread, refusal))
            raise

    async def get(self, message: str, *, by: By) -> Message:
        """One message, as the actor may see it. Raises NotFound."""
        actor = actor_of(by)

        async def body(tx: Tx) -> Message:
            found = await history.get(tx, message)
            thread = await threads.get(tx, found.thread)
            require(actor, Action.MESSAGE_READ, owner=thread.customer)
            if not visible(found, actor):
                raise NotFound(f"there is no message {message}", field="message")
            return redact(found, actor)

        return await self._store.read(body)

    async def history(
        self, thread: str, *, by: By, after: str | None = None, before: str | None = None, limit: int = 50
    ) -> Page[Message]:
        """A page of a thread by position, oldest first. Without `after` it ends with the newest, or before `before`.

        `cursor` goes on in the same direction: pass it as `after`, or as `before`. Raises NotFound, BadCursor, Invalid.
        """
        actor = actor_of(by)
        forward = after is not None
        wanted = history.Wanted(order="oldest" if forward else "newest", after=after, before=before, limit=limit)

        async def body(tx: Tx) -> Page[Message]:
            found = await threads.get(tx, thread)
            require(actor, Action.MESSAGE_READ, owner=found.customer)
            return await history.page(tx, thread, wanted, actor)

        page = await self._store.read(body)
        items = page.items if forward else page.items[::-1]
        return Page(items=tuple(redact(message, actor) for message in items), cursor=page.cursor)
