"""Suggested: stored suggestions as records, in the words that stand for what was asked and answered."""

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.suggestions import State, Suggestion, Told, spoken, standing_for
from deskmate.store.base import Row, Tx
from deskmate.store.times import utc, utc_or_none

MOST_TOLD = 50


def told_of(row: Row) -> Told:
    """A stored row as a question with its answer."""
    return Told(
        id=row["id"],
        thread=row["thread"],
        customer=row["customer"],
        message=row["message"],
        question=row["question"],
        answer=row["answer"],
        operator=Author(kind=AuthorKind.OPERATOR, id=row["operator"], name=row["operator_name"]),
        at=utc(row["at"]),
    )


async def suggestion_of(tx: Tx, row: Row) -> Suggestion | None:
    """A suggestion with what is behind it; None where what is left of it, after threads were deleted, stands for nothing."""
    told = tuple(told_of(found) for found in await tx.all("suggestions.questions", suggestion=row["id"], limit=MOST_TOLD))
    words = _accepted(row) or _frozen(row, told) or _chosen(told)
    if words is None:
        return None
    return Suggestion(
        id=row["id"],
        state=State(row["state"]),
        question=words[0],
        answer=words[1],
        told=told,
        first_at=min((one.at for one in told), default=utc(row["created_at"])),
        last_at=max((one.at for one in told), default=utc(row["last_at"])),
        decided_by=_decider(row),
        decided_at=utc_or_none(row["decided_at"]),
        reason=row["reason"],
    )


def _accepted(row: Row) -> tuple[str, str] | None:
    return None if row["question"] is None else (row["question"], row["answer"])


def _frozen(row: Row, told: tuple[Told, ...]) -> tuple[str, str] | None:
    """The words it was opened with, so that nobody accepts others than they have read; unless these were erased."""
    by_id = {one.id: one for one in told}
    asked, answered = by_id.get(row["asked"]), by_id.get(row["answered"])
    return None if asked is None or answered is None else (asked.question, spoken(answered.answer))


def _chosen(told: tuple[Told, ...]) -> tuple[str, str] | None:
    standing = standing_for(told)
    return None if standing is None else (standing[0].question, spoken(standing[1].answer))


def _decider(row: Row) -> Author | None:
    if row["decided_kind"] is None:
        return None
    return Author(kind=AuthorKind(row["decided_kind"]), id=row["decided_by"], name=row["decided_name"])
