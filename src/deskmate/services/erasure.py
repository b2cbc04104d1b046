"""Erasure: what is deleted is gone, with all that belongs to it; only the event that says so stays."""

from deskmate.domain.actors import Actor
from deskmate.domain.events import EventType
from deskmate.services import attachments, feed
from deskmate.store.base import Tx
from deskmate.store.times import ms

BELONGINGS = (
    "deltas", "streams", "searchable", "embeddings", "mentions", "unsent", "messages", "jobs", "choices", "answer_links",
    "requests", "limit_reserves", "limit_reasons", "deferrals", "runs", "assignments", "routes", "examples", "usage", "reads",
    "viewers", "notifications", "clocks", "clock_outcomes", "signs", "responses", "chains", "deliveries", "slack_posts",
    "feedback", "events", "suggestion_words", "suggestions", "suggestion_questions", "faq_version", "faq_wordings",
)  # fmt: skip


async def delete_thread(tx: Tx, id: str, *, actor: Actor) -> None:
    """Remove a thread with all that belongs to it. One that is gone already is no error."""
    if await tx.one("threads.lock", id=id) is None:
        return
    await feed.emit(tx, EventType.THREAD_DELETED, actor=actor, thread=id, data={"thread": id})
    await tx.flush()
    # A program may be writing at this moment: from here on it is refused, so that no piece comes behind those removed below.
    await tx.run("threads.abort_streams", id=id, now=ms(tx.now))
    await attachments.detach_thread(tx, id)
    for belonging in BELONGINGS:
        await tx.run(f"threads.delete_{belonging}", id=id)
    await tx.run("threads.delete", id=id)


async def delete_customer(tx: Tx, id: str, *, actor: Actor) -> None:
    """Remove a customer with all threads and credentials. One who is gone already is no error."""
    for row in await tx.all("customers.threads", id=id):
        await delete_thread(tx, row["id"], actor=actor)
    await tx.run("customers.delete_tokens", id=id)
    await tx.run("customers.delete", id=id)
