"""Suggesting: the follower that sees when people answer the same again and again, and suggests it for the FAQ.

Whoever follows the feed is one at a time, so that two processes never begin the same topic twice. What one answer costs is
bounded: so many words are looked up, so many topics compared, however much was asked before.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from deskmate.domain.actors import SYSTEM
from deskmate.domain.events import Event, EventType
from deskmate.domain.suggestions import MOST_COMPARED, TIMES, Compared, State, Told, belongs, standing_for, times
from deskmate.services import feed, threads
from deskmate.services.answered import HEARD, Answered, answered
from deskmate.services.suggested import told_of
from deskmate.store.base import Row, Store, Tx
from deskmate.store.times import ms

log = logging.getLogger("deskmate.suggestions")

MOST_KEPT = 50  # questions of one topic
_MOST_WORDS = 16  # of an answer that topics are looked up by
_MOST_HOLDING = 50  # topics for each of them, those asked last
_MOST_TOPICS = 8  # that are compared
_KEPT_FOR = timedelta(days=180)  # that too few have asked, since it was asked last
_DROPPED_AT_ONCE = 200
_CLOSED = frozenset({State.ACCEPTED, State.DISMISSED})


class Suggesting:
    """What customers ask again and again, for the followers and the engine of this process."""

    def __init__(self, store: Store, *, enough: int = TIMES) -> None:
        """`enough` customers have to have asked the same before it is suggested."""
        self._store = store
        self._enough = enough

    async def follow(self, tx: Tx, events: Sequence[Event]) -> None:
        """What people have answered is gathered; what was deleted is forgotten."""
        found = [one for event in events if event.type in HEARD if (one := await answered(tx, event)) is not None]
        # In the order of their ids, so that two who write to several threads do not block each other.
        there = {id for id in sorted({one.thread for one in found}) if await threads.find_locked(tx, id) is not None}
        for one in found:
            if one.thread in there:
                await self._gather(tx, one)
        for event in events:
            if event.type is EventType.MESSAGE_DELETED:
                await tx.run("suggestions.forget_words", message=event.data["message"])
                await tx.run("suggestions.forget_questions", message=event.data["message"])

    async def sweep(self) -> None:
        """Forget what too few have asked, and nobody for long."""

        async def body(tx: Tx) -> int:
            old = {"before": ms(tx.now - _KEPT_FOR), "limit": _DROPPED_AT_ONCE}
            await tx.run("suggestions.drop_words", **old)
            await tx.run("suggestions.drop_questions", **old)
            return await tx.run("suggestions.drop", **old)

        if dropped := await self._store.write(body):
            log.info("%d questions that were not asked again are forgotten", dropped)

    async def _gather(self, tx: Tx, new: Answered) -> None:
        if await tx.one("suggestions.knows", message=new.message) is not None:
            return  # An answer may come as a decision and as a message.
        said = Compared.of(new.question, new.answer)
        topics = [(row, await _told(tx, row["id"])) for row in await _near(tx, said)]
        mine = next((topic for topic in topics if belongs(said, _compared(*topic))), None)
        if mine is not None and (mine[0]["state"] in _CLOSED or len(mine[1]) >= MOST_KEPT):
            return  # It is settled, or known well enough.
        topic = tx.id("suggestion") if mine is None else str(mine[0]["id"])
        if mine is None:
            await tx.run("suggestions.gather", id=topic, now=ms(tx.now))
        await _count(tx, topic, new, said)
        if mine is not None:
            rivals = [other for other in topics if other is not mine]
            await self._grown(tx, mine[0], rivals)

    async def _grown(self, tx: Tx, row: Row, rivals: Sequence[tuple[Row, list[Told]]]) -> None:
        """A topic was asked again: it may be time to suggest it."""
        await tx.run("suggestions.asked", id=row["id"], now=ms(tx.now))
        told = await _told(tx, row["id"])
        if row["state"] == State.GATHERING:
            standing = standing_for(told)
            if times(told) < self._enough or standing is None or _contradicted(told, rivals):
                return
            await tx.run("suggestions.open", id=row["id"], asked=standing[0].id, answered=standing[1].id, now=ms(tx.now))
        data = {"suggestion": row["id"], "state": State.OPEN, "times": times(told)}
        await feed.emit(tx, EventType.SUGGESTION_CHANGED, actor=SYSTEM, thread=None, data=data)


async def _near(tx: Tx, said: Compared) -> list[Row]:
    """The topics that have most of these words."""
    asked = sorted(said.asked.roots)
    words = [*asked, *sorted(said.answered.roots - said.asked.roots, key=lambda word: (-len(word), word))][:_MOST_WORDS]
    found: Counter[str] = Counter()
    for word in words:
        rows = await tx.all("suggestions.holding", word=word, limit=_MOST_HOLDING)
        found.update({row["suggestion"] for row in rows})
    near = [await tx.one("suggestions.get", id=id) for id, _ in found.most_common(_MOST_TOPICS)]
    return [row for row in near if row is not None]


async def _told(tx: Tx, suggestion: str) -> list[Told]:
    return [told_of(row) for row in await tx.all("suggestions.questions", suggestion=suggestion, limit=MOST_KEPT)]


def _compared(row: Row, told: Sequence[Told]) -> list[Compared]:
    """What a new question is held against. Of what was accepted that is what the lead made of it, too."""
    found = [Compared.of(one.question, one.answer) for one in told[:MOST_COMPARED]]
    return found if row["question"] is None else [*found, Compared.of(row["question"], row["answer"])]


def _contradicted(told: Sequence[Told], rivals: Sequence[tuple[Row, list[Told]]]) -> bool:
    """Whether people have told as many customers something else, or a lead has settled it."""
    mine = [Compared.of(one.question, one.answer) for one in told[:MOST_COMPARED]]
    for row, others in rivals:
        against = any(one.contradicts(other) for one in mine for other in _compared(row, others))
        if against and (row["state"] != State.GATHERING or times(others) >= times(told)):
            return True
    return False


async def _count(tx: Tx, topic: str, new: Answered, said: Compared) -> None:
    id = tx.id("told")
    counted = await tx.run(
        "suggestions.count",
        id=id, suggestion=topic, thread=new.thread, customer=new.customer, message=new.message, reply=new.reply,
        question=new.question, answer=new.answer, operator=new.operator.id, operator_name=new.operator.name, at=ms(new.at),
    )  # fmt: skip
    if counted:
        of = {"question": id, "suggestion": topic, "thread": new.thread, "at": ms(new.at)}
        await tx.many("suggestions.word", [of | {"word": word} for word in sorted(said.words)])
