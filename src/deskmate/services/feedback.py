"""Feedback: the verbs of those who judge what was said, and of those who take it elsewhere as examples."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

from deskmate.domain.actors import SYSTEM, Actor, AuthorKind
from deskmate.domain.exports import Format, Masked, lines_of
from deskmate.domain.feedback import About, Feedback, FeedbackKind, checked_rating
from deskmate.domain.messages import Message, MessageStatus, Visibility
from deskmate.domain.operators import By, actor_of
from deskmate.domain.permissions import Action, require, visible
from deskmate.domain.threads import Thread
from deskmate.errors import Forbidden, Invalid, NotFound
from deskmate.services import gathering, history, threads
from deskmate.services.texts import clean
from deskmate.store.base import Row, Store, Tx
from deskmate.store.feedback_rows import feedback_of, row_of
from deskmate.store.times import ms

BATCH = 200
LONGEST_COMMENT = 2000  # characters


class FeedbackVerbs:
    """What people make of what was said. `deskmate.services.gathering` keeps the rest of it, as it happens."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def rate(
        self,
        thread: str,
        rating: str | int,
        *,
        message: str | None = None,
        comment: str | None = None,
        correction: str | None = None,
        by: By,
    ) -> Feedback:
        """Judge what was said. A customer rates their thread, or an answer on it: `up`, `down`, or from 1 to 5. An operator
        reviews an answer of the AI: `up` or `down`, perhaps with the words it should have said.

        A person who judges the same again has changed their mind: the first rating is gone. Raises Invalid, NotFound, Forbidden.
        """
        actor = actor_of(by)
        if comment is not None and len(comment) > LONGEST_COMMENT:
            raise Invalid(f"a comment has at most {LONGEST_COMMENT} characters", field="comment")
        comment = None if comment is None else clean(comment, "comment")
        correction = None if correction is None else clean(correction, "correction")

        async def body(tx: Tx) -> Feedback:
            found = await threads.lock(tx, thread)
            _check_judge(actor, found)
            if actor.kind is AuthorKind.CUSTOMER:
                new = await _rating(tx, found, rating, message, correction, actor)
            else:
                new = await _correction(tx, found, rating, message, correction, actor)
            row = await tx.one("feedback.put", **row_of(_commented(new, comment)))
            assert row is not None
            kept = feedback_of(row)
            await gathering.tell(tx, kept, by=actor)
            return kept

        return await self._store.write(body)

    async def of_thread(self, thread: str, *, by: By) -> tuple[Feedback, ...]:
        """The ratings and corrections of a thread, oldest first; a customer is given their own. Raises NotFound, Forbidden."""
        actor = actor_of(by)

        async def body(tx: Tx) -> tuple[Feedback, ...]:
            found = await threads.get(tx, thread)
            own = actor.kind is AuthorKind.CUSTOMER
            require(actor, Action.MESSAGE_READ if own else Action.MESSAGE_READ_HIDDEN, owner=found.customer)
            kept = [feedback_of(row) for row in await tx.all("feedback.ratings", thread=thread)]
            return tuple(one for one in kept if not own or (one.by.kind, one.by.id) == (actor.kind, actor.id))

        return await self._store.read(body)

    async def export(
        self, format: Format | str, *, since: datetime | None = None, agent: str | None = None, by: By = SYSTEM
    ) -> AsyncIterator[str]:
        """The lines of an export, oldest first: JSON, each with its end of line. `docs/feedback.md` says what is in which format.

        Raises Forbidden, and Invalid before the first line.
        """
        wanted = checked_format(format)
        require(actor_of(by), Action.FEEDBACK_READ)
        if since is not None and since.tzinfo is None:
            raise Invalid("since needs a time zone", field="since")
        place = (0 if since is None else ms(since), "")
        while True:
            rows, names = await self._store.read(lambda tx, place=place: _page(tx, place, agent))
            for row in rows:
                mask = Masked(names, (row["customer_name"] or "", row["customer"] or ""))
                for line in lines_of(feedback_of(row), wanted, mask):
                    yield line
            if len(rows) < BATCH:
                return
            place = (rows[-1]["created_at"], rows[-1]["id"])


def checked_format(format: object) -> Format:
    """What an export is written as. Raises Invalid."""
    try:
        return Format(format)
    except ValueError:
        raise Invalid(f"an export is {', '.join(Format)}, not {format!r}", field="format") from None


async def _page(tx: Tx, place: tuple[int, str], agent: str | None) -> tuple[list[Row], list[str]]:
    rows = await tx.all("feedback.page", at=place[0], after=place[1], agent=agent, limit=BATCH)
    return rows, [row["name"] for row in await tx.all("feedback.names")]


def _check_judge(actor: Actor, thread: Thread) -> None:
    """Customers rate on their own threads, people of the team review. Nobody rates for somebody else."""
    if actor.kind is AuthorKind.CUSTOMER:
        require(actor, Action.MESSAGE_READ, owner=thread.customer)
        return
    require(actor, Action.MESSAGE_POST_NOTE, owner=thread.customer)
    if actor.kind not in (AuthorKind.OPERATOR, AuthorKind.SERVICE):
        raise Forbidden("people judge what was said")


async def _rating(tx: Tx, thread: Thread, rating: object, id: str | None, correction: str | None, by: Actor) -> Feedback:
    value = checked_rating(rating)
    if correction is not None:
        raise Forbidden("only the team corrects what was said", field="correction")
    message = None if id is None else await _answer(tx, thread, id, by)
    new = Feedback(
        id=tx.id("feedback"), key=f"rating/{thread.id}/{id or ''}/{by.id}", thread=thread.id, kind=FeedbackKind.RATING,
        about=About.THREAD if message is None else About.MESSAGE, message=id, rating=value, by=by.author, created_at=tx.now,
    )  # fmt: skip
    return await gathering.about(tx, _with_words(new, message, None), message, until=tx.now)


async def _correction(tx: Tx, thread: Thread, rating: object, id: str | None, correction: str | None, by: Actor) -> Feedback:
    value = checked_rating(rating, thumbs_only=True)
    if id is None:
        raise Invalid("say which message of the AI this is about", field="message")
    message = await _answer(tx, thread, id, by)
    if message.author.kind is not AuthorKind.AGENT:
        raise Invalid("only what an AI has said is reviewed", field="message")
    new = Feedback(
        id=tx.id("feedback"), key=f"correction/{id}/{by.kind}/{by.id}", thread=thread.id, kind=FeedbackKind.CORRECTION,
        about=About.MESSAGE, message=id, rating=value, by=by.author, created_at=tx.now,
    )  # fmt: skip
    final = correction or (message.text if value == "up" else None)
    return await gathering.about(tx, _with_words(new, message, final), message, until=tx.now)


async def _answer(tx: Tx, thread: Thread, id: str, by: Actor) -> Message:
    """A public answer on this thread that this person can see. Raises NotFound, Invalid."""
    message = await history.get(tx, id, thread=thread.id)
    if not visible(message, by):
        raise NotFound(f"there is no message {id} in this thread", field="message")
    whole = message.visibility is Visibility.PUBLIC and message.status is MessageStatus.SUCCESS and message.text
    if message.role != "assistant" or not whole:
        raise Invalid("only answers that are out are rated", field="message")
    return message


def _with_words(new: Feedback, message: Message | None, final: str | None) -> Feedback:
    if message is None:
        return new
    if new.kind is FeedbackKind.RATING:
        final = message.text
    return replace(new, draft=message.text if message.author.kind is AuthorKind.AGENT else None, final=final)


def _commented(new: Feedback, comment: str | None) -> Feedback:
    return replace(new, review=comment)
