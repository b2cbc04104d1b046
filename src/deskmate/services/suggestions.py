"""Suggestions: what people answer again and again, for leads to accept into the FAQ or to dismiss. Each is decided once."""

from dataclasses import replace

from deskmate.domain import suggestions
from deskmate.domain.actors import SYSTEM, Actor
from deskmate.domain.events import EventType
from deskmate.domain.faq import FaqEntry
from deskmate.domain.operators import By, actor_of
from deskmate.domain.pages import Page, check_limit, cursor_of, cut, place_of
from deskmate.domain.permissions import Action, require
from deskmate.domain.suggestions import Compared, State, Suggestion
from deskmate.errors import AlreadyDecided, Conflict, Invalid, NotFound
from deskmate.services import faq, feed, threads
from deskmate.services.suggested import suggestion_of
from deskmate.services.texts import clean, storable
from deskmate.store.base import Store, Tx
from deskmate.store.times import ms

SHOWN = (State.OPEN, State.ACCEPTED, State.DISMISSED)
_LONGEST_REASON = 1_000
_NEWEST = 2**62


class Suggestions:
    """What is suggested for the FAQ."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(
        self, state: State | str = State.OPEN, *, cursor: str | None = None, limit: int = 50, by: By = SYSTEM
    ) -> Page[Suggestion]:
        """Suggestions of a state (`open`, `accepted`, `dismissed`), those opened last first.

        Raises Forbidden, BadCursor, Invalid.
        """
        require(actor_of(by), Action.POLICY_READ)
        check_limit(limit, 200)
        if state not in SHOWN:
            raise Invalid(f"state is one of {', '.join(SHOWN)}", field="state")
        at, after = (_NEWEST, "") if cursor is None else place_of(cursor, "suggestions", int, str)

        async def body(tx: Tx) -> Page[Suggestion]:
            rows = await tx.all("suggestions.page", state=str(state), at=at, after=after, limit=limit + 1)
            kept, last = cut(rows, limit)
            found = [await suggestion_of(tx, row) for row in kept]
            return Page(
                items=tuple(one for one in found if one is not None),
                cursor=None if last is None else cursor_of("suggestions", last["opened_at"], last["id"]),
            )

        return await self._store.read(body)

    async def accept(
        self, suggestion: str, *, question: str | None = None, answer: str | None = None, by: By = SYSTEM
    ) -> Suggestion:
        """Make it an entry of the FAQ, in these words where they are given: agents answer from it with their next run.

        Raises AlreadyDecided naming who and when, Invalid naming the field, NotFound, Forbidden.
        """
        actor = actor_of(by)
        require(actor, Action.POLICY_MANAGE)
        asked = None if question is None else suggestions.check_question(clean(question, "question"))
        said = None if answer is None else suggestions.check_answer(clean(answer, "answer"))

        async def body(tx: Tx) -> Suggestion:
            was = await _open(tx, suggestion)
            # Nobody deletes a thread while its words become part of an entry; in the order of their ids, as everywhere.
            there = {id for id in sorted({one.thread for one in was.told}) if await threads.find_locked(tx, id) is not None}
            told = tuple(one for one in was.told if one.thread in there)
            entry = FaqEntry(
                id=tx.id("faq"),
                question=asked or suggestions.check_question(was.question),
                answer=said or suggestions.check_answer(was.answer),
                suggestion=was.id,
                by=actor.author,
                created_at=tx.now,
            )
            accepted = replace(was, state=State.ACCEPTED, question=entry.question, answer=entry.answer)
            await _decide(tx, accepted, actor, keeps=True)
            others = suggestions.wordings(told, entry.question)
            await faq.add(tx, entry, tuple(faq.Wording(text=one.question, thread=one.thread) for one in others))
            # The topic is known by the team's own words when those of the customers are gone.
            of = {"question": entry.id, "suggestion": was.id, "thread": None, "at": ms(tx.now)}
            words = sorted(Compared.of(entry.question, entry.answer).words)
            await tx.many("suggestions.word", [of | {"word": word} for word in words])
            return accepted

        return await self._store.write(body)

    async def dismiss(self, suggestion: str, *, reason: str | None = None, by: By = SYSTEM) -> Suggestion:
        """It is not for the FAQ, and is not suggested again. Raises AlreadyDecided, Invalid, NotFound, Forbidden."""
        actor = actor_of(by)
        require(actor, Action.POLICY_MANAGE)
        why = storable(reason, "reason").strip() if reason is not None else None
        if why is not None and len(why) > _LONGEST_REASON:
            raise Invalid(f"a reason has at most {_LONGEST_REASON} characters", field="reason")

        async def body(tx: Tx) -> Suggestion:
            was = await _open(tx, suggestion)
            dismissed = replace(was, state=State.DISMISSED, reason=why or None)
            await _decide(tx, dismissed, actor, keeps=False)
            return dismissed

        return await self._store.write(body)


async def _open(tx: Tx, id: str) -> Suggestion:
    row = await tx.one("suggestions.get", id=id)
    found = None if row is None or row["state"] == State.GATHERING else await suggestion_of(tx, row)
    if found is None:
        raise NotFound(f"there is no suggestion {id}", field="suggestion")
    _check_open(found)
    return found


def _check_open(one: Suggestion) -> None:
    if one.state is State.OPEN:
        return
    if one.decided_by is None or one.decided_at is None:
        raise Conflict(f"this suggestion is {one.state}", state=one.state)
    by, at = one.decided_by, one.decided_at.isoformat()
    raise AlreadyDecided(f"{by.name} {one.state} this at {at}", by={"id": by.id, "name": by.name}, at=at, state=one.state)


async def _decide(tx: Tx, one: Suggestion, by: Actor, *, keeps: bool) -> None:
    """Close it, unless somebody was faster. The words stay only where they are the team's own."""
    decided = await tx.run(
        "suggestions.decide",
        id=one.id, state=one.state, question=one.question if keeps else None, answer=one.answer if keeps else None,
        reason=one.reason, by_kind=by.kind, by=by.id, by_name=by.name, now=ms(tx.now),
    )  # fmt: skip
    if not decided:
        await _open(tx, one.id)
        raise Conflict("this suggestion has changed meanwhile")
    data = {"suggestion": one.id, "state": one.state, "times": one.times}
    await feed.emit(tx, EventType.SUGGESTION_CHANGED, actor=by, thread=None, data=data)
