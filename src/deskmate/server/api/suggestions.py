"""Suggestions for the FAQ over HTTP, and what became of them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from deskmate.domain.faq import FaqEntry
from deskmate.domain.suggestions import LONGEST_ANSWER, Suggestion
from deskmate.server.api.bodies import Body, CleanText, Line
from deskmate.server.api.doors import TheDesk, Who
from deskmate.server.api.threads import CursorText, Limit
from deskmate.server.records import Json, author_json, moment

router = APIRouter(prefix="/api", tags=["suggestions"])


class AcceptSuggestion(Body):
    question: Line | None = None
    answer: Annotated[CleanText, Field(max_length=LONGEST_ANSWER)] | None = None


class DismissSuggestion(Body):
    reason: Annotated[CleanText, Field(max_length=1_000)] | None = None


@router.get("/suggestions")
async def list_suggestions(
    desk: TheDesk,
    who: Who,
    state: Annotated[str, Query(max_length=20)] = "open",
    cursor: CursorText = None,
    limit: Limit = 50,
) -> Json:
    """Suggestions of a state, those opened last first."""
    page = await desk.suggestions.list(state, cursor=cursor, limit=limit, by=who)
    return {"items": [_json(one) for one in page.items], "cursor": page.cursor}


@router.post("/suggestions/{suggestion}/accept")
async def accept_suggestion(suggestion: str, body: AcceptSuggestion, desk: TheDesk, who: Who) -> Json:
    """Make it an entry of the FAQ, in other words where they are given."""
    return _json(await desk.suggestions.accept(suggestion, question=body.question, answer=body.answer, by=who))


@router.post("/suggestions/{suggestion}/dismiss")
async def dismiss_suggestion(suggestion: str, body: DismissSuggestion, desk: TheDesk, who: Who) -> Json:
    """It is not for the FAQ."""
    return _json(await desk.suggestions.dismiss(suggestion, reason=body.reason, by=who))


@router.get("/faq")
async def list_entries(desk: TheDesk, who: Who, cursor: CursorText = None, limit: Limit = 50) -> Json:
    """The team's own answers, the newest first."""
    page = await desk.faq.list(cursor=cursor, limit=limit, by=who)
    return {"items": [_entry_json(entry) for entry in page.items], "cursor": page.cursor}


@router.delete("/faq/{entry}", status_code=204)
async def delete_entry(entry: str, desk: TheDesk, who: Who) -> None:
    """Take one of them back."""
    await desk.faq.delete(entry, by=who)


def _json(one: Suggestion) -> Json:
    return {
        "id": one.id,
        "question": one.question,
        "answer": one.answer,
        "times": one.times,
        "questions": [{"text": told.question, "thread": told.thread, "at": moment(told.at)} for told in one.told],
        "operators": list(one.operators),
        "state": one.state,
        "first_at": moment(one.first_at),
        "last_at": moment(one.last_at),
    }


def _entry_json(entry: FaqEntry) -> Json:
    return {
        "id": entry.id,
        "question": entry.question,
        "answer": entry.answer,
        "wordings": list(entry.wordings),
        "suggestion": entry.suggestion,
        "by": author_json(entry.by),
        "created_at": moment(entry.created_at),
    }
