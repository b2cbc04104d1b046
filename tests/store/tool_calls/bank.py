"""A tool that moves money, with every execution counted; how a customer comes to ask for it, and what people then decide."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from tests.acceptance.doors import Front
from tests.store.people import ANA

from deskmate import Approval, Ask, Desk, Message, NewDecision, Request, Step, ToolCall, ToolResult, Turn
from deskmate.domain.agents import Approved, Output
from deskmate.domain.requests import DecisionKind, RequestState
from deskmate.errors import DeskmateError
from deskmate.testing import say

ARGS = {"order": 17, "amount": 4900}
SCHEMA = {
    "type": "object",
    "properties": {"order": {"type": "integer"}, "amount": {"type": "integer", "maximum": 5000}},
    "required": ["order", "amount"],
    "additionalProperties": False,
}
APPROVE, REJECT = NewDecision(kind=DecisionKind.APPROVE), NewDecision(kind=DecisionKind.REJECT, reason="too much")
ROUNDS = 6


class Bank:
    """A tool whose every execution is counted; it takes a moment, so that two of them would overlap, or until it may go on."""

    def __init__(self) -> None:
        self.paid: list[Mapping[str, object]] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def refund(self, args: Mapping[str, object]) -> object:
        self.paid.append(args)
        go = self.go
        self.begun.set()
        await asyncio.sleep(0)
        await go.wait()
        if self.error is not None:
            raise self.error
        return f"refunded {args['amount']}"


def refunds(*orders: int) -> Callable[[Bank], Any]:
    """A script that calls the tool for several orders at once, and applies whatever has been approved at once as well."""

    def of(bank: Bank) -> Any:
        async def script(turn: Turn) -> AsyncIterator[Output]:
            if not turn.resumed:
                calls = tuple(ToolCall(call_id=f"c{n}", tool="refund", input={"order": n, "amount": n}) for n in orders)
                yield Ask(step=Step(role="assistant", parts=calls), requests=tuple(Approval(call_id=c.call_id) for c in calls))
                return
            calls_made = [turn.apply(a, a.args, partial(_pay, bank, a)) for a in turn.approved]
            for end in await asyncio.gather(*calls_made, return_exceptions=True):
                if isinstance(end, BaseException):
                    raise end
            yield say("All done.")

        return script

    return of


async def _pay(bank: Bank, approved: Approved) -> ToolResult:
    return ToolResult(call_id=approved.call_id, tool="refund", output=await bank.refund(approved.args))


async def asked_over_http(front: Front, number: int) -> list[dict[str, Any]]:
    """A customer writes, and so many requests wait for people: the requests, oldest first."""
    visitor = await front.visitor()
    thread = await visitor.thread()
    async with front.admin.listening(thread=thread) as heard:
        await visitor.say(thread, "My money back, please.")
        await heard.type("run.paused")
    found = (await front.admin.get("/api/requests", thread=thread))["items"]
    assert len(found) == number
    return sorted(found, key=lambda request: request["call_id"])


async def history(desk: Desk, thread: str) -> tuple[Message, ...]:
    return (await desk.messages.history(thread, by=ANA)).items


async def state(desk: Desk, request: Request) -> RequestState:
    return (await desk.requests.get(request.id, by=ANA)).state


async def tried(*calls: Awaitable[Any]) -> list[Any]:
    """What came of calls that are made at once; a refusal is a result as well."""
    ends = await asyncio.gather(*calls, return_exceptions=True)
    for end in ends:
        assert not isinstance(end, BaseException) or isinstance(end, DeskmateError), end
    return list(ends)
