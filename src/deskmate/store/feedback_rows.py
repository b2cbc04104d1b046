"""Stored feedback: rows as records, and records as rows."""

import json
from collections.abc import Mapping, Sequence

from deskmate.domain.actors import Author, AuthorKind
from deskmate.domain.feedback import About, Feedback, FeedbackKind, Said
from deskmate.domain.messages import readable
from deskmate.store.base import Row
from deskmate.store.times import ms, utc


def feedback_of(row: Row) -> Feedback:
    """A stored row as feedback."""
    return Feedback(
        id=row["id"],
        key=row["key"],
        thread=row["thread"],
        kind=FeedbackKind(row["kind"]),
        about=About(row["about"]),
        message=row["message"],
        run=row["run"],
        agent=row["agent"],
        request=row["request"],
        question=row["question"],
        prompt=row["prompt"],
        prompt_message=row["prompt_message"],
        context=load_context(row["context"]),
        draft=row["draft"],
        final=row["final"],
        rating=int(row["rating"]) if row["rating"] is not None and row["rating"].isdigit() else row["rating"],
        review=row["review"],
        by=Author(kind=AuthorKind(row["by_kind"]), id=row["by_id"], name=row["by_name"]),
        score=row["score"],
        floor=row["floor"],
        created_at=utc(row["created_at"]),
    )


def row_of(feedback: Feedback) -> Mapping[str, object]:
    """The columns of feedback, as parameters of a statement. Programs may answer with what no column holds: it is left out."""
    names = ("id", "key", "thread", "message", "run", "agent", "request", "kind", "about", "prompt_message", "score", "floor")
    words = ("question", "prompt", "draft", "final", "review")
    return {name: getattr(feedback, name) for name in names} | {
        **{name: _readable(getattr(feedback, name)) for name in words},
        "context": dump_context(feedback.context),
        "rating": None if feedback.rating is None else str(feedback.rating),
        "by_kind": feedback.by.kind,
        "by_id": feedback.by.id,
        "by_name": feedback.by.name,
        "created_at": ms(feedback.created_at),
    }


def _readable(text: str | None) -> str | None:
    return None if text is None else readable(text)


def load_context(text: str) -> tuple[Said, ...]:
    """The words before, as they are stored."""
    return tuple(Said(message=m, kind=AuthorKind(kind), name=name, text=words) for m, kind, name, words in json.loads(text))


def dump_context(context: Sequence[Said]) -> str:
    """The same, to be stored."""
    return json.dumps([[one.message, one.kind, one.name, readable(one.text)] for one in context], ensure_ascii=False)
