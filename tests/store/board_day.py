"""A day at a shop, planted: one agent's tool is broken, and makes half of all that is passed on to people."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

from deskmate import Desk, Operator, Text, ToolCall, customer
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.escalations import Escalation
from deskmate.domain.messages import ToolResult
from deskmate.domain.threads import Status, Thread
from deskmate.testing import FakeClock, ScriptedAgent, say

SHOP, FAQ = "shop-agent", "faq-agent"
MINUTE = timedelta(minutes=1)


def agents() -> list[ScriptedAgent]:
    return [ScriptedAgent(at_the_shop, name=SHOP), ScriptedAgent(overloaded, name=FAQ)]


async def at_the_shop(turn: Turn) -> AsyncIterator[Output]:
    """Refunds by a tool that does not work, passes on who is angry, and answers the others."""
    order = turn.prompt_text.rsplit(" ", 1)[-1]
    if "refund" in turn.prompt_text:
        call = ToolCall(call_id=f"{turn.run}/1", tool="refund_order", input={"order": order})
        yield Step(role="assistant", parts=(call,))
        result = ToolResult(call_id=call.call_id, tool=call.tool, output=f"502 for order {order}", is_error=True)
        yield Step(role="tool", parts=(result,))
        await turn.escalate(Escalation(reason=f"I could not refund order {order}: the payment service answered 'no {order}'"))
        yield say("A colleague will look at your refund.")
    elif "angry" in turn.prompt_text:
        looked = ToolCall(call_id=f"{turn.run}/1", tool="look_up_order", input={"order": order})
        yield Step(role="assistant", parts=(looked,))
        yield Step(role="tool", parts=(ToolResult(call_id=looked.call_id, tool=looked.tool, output="sent"),))
        await turn.escalate(Escalation(reason=f"The customer is angry about order {order}."))
        yield say("A colleague will answer you here.")
    else:
        yield Step(role="assistant", parts=(Text(text=f"You said: {turn.prompt_text}"),), final=True)


async def overloaded(turn: Turn) -> AsyncIterator[Output]:
    """Fails."""
    raise RuntimeError(f"the model is overloaded, request {turn.run}")
    yield  # A generator without a yield is none.


@dataclass(kw_only=True)
class Day:
    """What was planted."""

    refunds: list[Thread] = field(default_factory=list[Thread])
    taken: int = 0


async def wrote(desk: Desk, number: int, text: str, subject: str) -> Thread:
    who = customer(f"customer-{number}", f"Ada Lund {number}")
    thread = await desk.threads.open(customer=who.id or "", subject=subject, by=who)
    await desk.messages.post(thread.id, text, author=who, respond=False)
    return thread


async def plant(desk: Desk, clock: FakeClock, ana: Operator) -> Day:
    """Twenty threads in four hours: 6 with a broken refund, 2 with an angry customer, 2 with a failing agent, 2 whose customer
    asks for a person, 8 that the AI answers. Ana takes four of the first, after 10, 20, 30 and 40 minutes."""
    await desk.queues.change("support", lease=timedelta(days=1))
    day = Day()
    for number in range(4):
        began = clock()
        for twin in (2 * number, 2 * number + 1):
            thread = await wrote(desk, twin, f"When do you open, {twin}", "Opening hours")
            await desk.respond(thread.id, SHOP)
        day.refunds.append(await wrote(desk, 10 + number, f"I want a refund for 208{number}", "Refund"))
        if number < 2:
            day.refunds.append(await wrote(desk, 20 + number, f"Please refund 307{number}", "Money back"))
            angry = await wrote(desk, 30 + number, f"I am angry about 40{number}", "Late parcel")
            await desk.respond(angry.id, SHOP)
        else:
            failed = await wrote(desk, 40 + number, "Does the tent come in red", "Colours")
            await desk.respond(failed.id, FAQ)
            asks = await wrote(desk, 50 + number, "Hello there", "A question")
            await desk.respond(asks.id, SHOP)
            await desk.escalations.escalate(asks.id, by=customer(f"customer-{50 + number}", f"Ada Lund {50 + number}"))
        for thread in day.refunds[-2 if number < 2 else -1 :]:
            await desk.respond(thread.id, SHOP)
        clock.advance(10 * (number + 1) * MINUTE)
        await desk.assignments.assign(day.refunds[-1].id, f"operator:{ana.id}", by=ana)
        day.taken += 1
        clock.set(began + 60 * MINUTE)
    return day


async def asked(desk: Desk) -> None:
    """Two questions that wait before anything else happens."""
    for number in range(2):
        await desk.requests.ask(f"May I, {number}?", expires_in=timedelta(days=9))


async def earlier(desk: Desk, clock: FakeClock, ana: Operator) -> None:
    """Sixteen quiet hours before: the AI answers, and every third hour a person is wanted, who comes after some minutes."""
    for hour in range(16):
        began = clock()
        for number in range(1 + hour % 3 + (hour > 8)):
            thread = await wrote(desk, 100 + 10 * hour + number, "When do you open", "Opening hours")
            await desk.respond(thread.id, SHOP)
        if hour % 3 == 0:
            thread = await wrote(desk, 300 + hour, "Is this still under warranty", "Warranty")
            await desk.assignments.assign(thread.id, "queue:support", by=ana)
            clock.advance((4 + 7 * hour % 20) * MINUTE)
            await desk.assignments.assign(thread.id, f"operator:{ana.id}", by=ana)
            await desk.threads.change(thread.id, status=Status.RESOLVED, by=ana)
        clock.set(began + 60 * MINUTE)
