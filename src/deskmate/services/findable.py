"""Findable: what the store keeps of messages, subjects and names so that they are found, in the transaction that changes them."""

import json

from deskmate.domain.messages import Message, MessageStatus
from deskmate.domain.search import Embedding, indexed, wanted
from deskmate.store.base import Tx


async def put(tx: Tx, message: Message) -> None:
    """A new message is found by its words, once it is finished."""
    if words := _words(message):
        await tx.run("search.put", message=message.id, thread=message.thread, words=words)


async def changed(tx: Tx, before: Message, message: Message) -> None:
    """Other words are found from now on. What the old ones meant to a model is forgotten with them."""
    was, now = _words(before), _words(message)
    if now and now != was:
        await tx.run("search.put", message=message.id, thread=message.thread, words=now)
    elif was and not now:
        await tx.run("search.remove", message=message.id)
    if before.text != message.text:
        await tx.run("search.remove_embeddings", message=message.id)


async def embed(tx: Tx, message: Message, embedding: Embedding) -> None:
    """Find a message by what it means to this model. Raises Invalid."""
    unit = embedding.unit()
    if unit is not None:
        await tx.run("search.embed", message=message.id, model=unit.model, dim=unit.dim, vector=unit.pack())


async def forget(tx: Tx, message: Message) -> None:
    """The message is about to go."""
    await tx.run("search.remove", message=message.id)
    await tx.run("search.remove_embeddings", message=message.id)


async def subject(tx: Tx, thread: str, was: str | None, now: str | None) -> None:
    """A thread is found by the first words of its subject."""
    if was:
        await tx.run("search.forget_subject", thread=thread)
    if words := wanted(now or ""):
        await tx.run("search.put_subject", thread=thread, words=json.dumps(words))


async def customer(tx: Tx, id: str, name: str, *, known: bool) -> None:
    """The threads of a customer are found by the customer's name, and no longer by the one that was known."""
    if known:
        await tx.run("search.forget_customer", customer=id)
    if words := wanted(name):
        await tx.run("search.put_customer", customer=id, words=json.dumps(words))


def _words(message: Message) -> str:
    return indexed(message.text) if message.status is MessageStatus.SUCCESS else ""
