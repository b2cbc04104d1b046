"""Escalated: requests for a person that were made and settled before their thread came here. They are facts; nobody decides."""

import json
from collections.abc import Sequence
from datetime import datetime

from deskmate.domain.actors import Actor
from deskmate.domain.events import EventType
from deskmate.domain.requests import DecisionKind, OnExpiry, RequestKind, Risk
from deskmate.domain.threads import Priority
from deskmate.domain.transcripts import Conversation, Escalated
from deskmate.services import ledger
from deskmate.store.base import Tx
from deskmate.store.request_rows import UNSET
from deskmate.store.times import ms


async def record(
    tx: Tx, thread: str, found: Conversation, one: Escalated, ids: Sequence[str], *, at: datetime, by: Actor
) -> None:
    """Write one down as applied: answered with what the tool gave back, or taken over where nothing came back to the agent.

    `ids` are the messages of the conversation that are stored so far.
    """
    request = tx.id("request")
    await tx.run(
        "requests.insert",
        **{**UNSET, "call_id": one.call_id, "call_message": ids[one.call], "tool": one.tool, "reason": one.reason,
           "args": None if one.args is None else json.dumps(one.args)},
        id=request, thread=thread, kind=RequestKind.ESCALATION, agent=found.entries[one.call].message.author.name,
        priority=Priority.NORMAL, risk=Risk.LOW, expires_at=None, on_expiry=OnExpiry.WAIT, now=ms(at),
    )  # fmt: skip
    answered = one.result is not None and one.output is not None
    await tx.run(
        "requests.decide",
        id=request, kind=DecisionKind.ANSWER if answered else DecisionKind.TAKE_OVER,
        value=json.dumps(one.output) if answered else None, args=None, text=None, reason=None, review=None,
        by_kind=by.kind, by=by.id, by_name=by.name, channel=by.channel, now=ms(at),
    )  # fmt: skip
    outcome = None if one.result is None else ids[one.result]
    await tx.run("requests.apply", id=request, outcome=outcome, now=ms(at))
    await ledger.announce(tx, await ledger.get(tx, request), EventType.REQUEST_APPLIED, actor=by)
