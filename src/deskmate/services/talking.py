"""Talking over: what becomes of open requests when a new run starts on their thread."""

from typing import assert_never

from deskmate.domain.actors import SYSTEM
from deskmate.domain.requests import WAITING, Request, RequestState, TalkOver
from deskmate.domain.runs import Run, RunState
from deskmate.domain.threads import Thread
from deskmate.services import applying, ledger, runs
from deskmate.store.base import Tx

WENT_ON = "the conversation went on before anybody decided"


async def over(tx: Tx, thread: Thread, run: Run) -> None:
    """Apply the policy of each open request, in the transaction that starts the new run. The caller holds the thread's lock.

    A run that waited for nothing else has nothing to go on with: the new one takes its place.
    """
    closed = [await _close(tx, request) for request in await ledger.waiting(tx, thread.id) if _overtaken(request, run)]
    for id in dict.fromkeys(request.run for request in closed if request.run is not None):
        left = await tx.one("requests.waiting_of_run", run=id)
        waited = await runs.get(tx, id)
        if waited.state is RunState.PAUSED and (left is None or left["number"] == 0):
            await applying.cancel_run(tx, waited, actor=SYSTEM, reason="a newer message is answered instead")


def _overtaken(request: Request, run: Run) -> bool:
    return request.state in WAITING and request.run != run.id and request.draft is None and request.talk_over is not TalkOver.KEEP


async def _close(tx: Tx, request: Request) -> Request:
    match request.talk_over:
        case TalkOver.CANCEL:
            return await ledger.close(tx, request, RequestState.CANCELLED, by=SYSTEM)
        case TalkOver.SUPERSEDE:
            closed = await ledger.close(tx, request, RequestState.SUPERSEDED, by=SYSTEM)
            if request.approval is None:
                await ledger.refuse(tx, request, WENT_ON)
            # An approval that nobody has given is a denied result in every context; nobody has said so, and nothing is stored.
            return closed
        case TalkOver.KEEP:
            return request
        case _:
            assert_never(request.talk_over)
