"""Limits as tests decide them, what agents do that come to them, and what is seen of it then."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from tests.store.people import ADA

from deskmate import Desk, Escalation, Text, Thread
from deskmate.domain.actors import SYSTEM
from deskmate.domain.agents import Output, Step, Turn
from deskmate.domain.limits import State
from deskmate.testing import say

HOUR = {"count": 2, "seconds": 3600}
Rules = dict[str, Any]


async def passing_on(turn: Turn) -> AsyncIterator[Output]:
    """Passes the customer on, and says what came of it."""
    came = await turn.escalate(Escalation(reason=f"wants {turn.prompt_text}"))
    yield say("A colleague will answer you here." if came.accepted else f"Later: {came.why} ({came.retry_after})")


def using(tokens: int) -> Callable[[Turn], AsyncIterator[Output]]:
    """An agent that uses this many tokens for an answer."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        del turn
        yield Step(role="assistant", parts=(Text(text="Hello."),), input_tokens=tokens - 1, output_tokens=1, final=True)

    return script


async def limit(desk: Desk, name: str = "people", **rules: Any) -> None:
    given: Rules = {"of": "escalations", "per": "agent", "window": HOUR} | rules
    await desk.policies.put("limit", name, {key: value for key, value in given.items() if value is not None})


async def said(desk: Desk, words: str = "a refund", *, by: Any = ADA) -> Thread:
    """A customer writes on a new thread, and the agent does what it does."""
    thread = await desk.threads.open(customer=by.id, by=by)
    await desk.messages.post(thread.id, words, author=by)
    await desk.run_due()
    return await desk.threads.get(thread.id)


async def reached(desk: Desk) -> list[Mapping[str, Any]]:
    return [seen.event.data for seen in await desk.feed.read(by=SYSTEM) if seen.event.type == "limit.reached"]


async def shown(desk: Desk, thread: Thread, by: Any = ADA) -> list[str]:
    return [message.text for message in (await desk.messages.history(thread.id, by=by)).items]


async def held(desk: Desk, *threads: Thread) -> list[str]:
    return [(await desk.threads.get(thread.id)).assignment.to.value for thread in threads]


async def state(desk: Desk, name: str = "people") -> State:
    return next(state for state in await desk.limits.state() if state.policy == name)


async def used(desk: Desk, name: str = "people") -> dict[str, int]:
    return {counter.subject: counter.used for counter in (await state(desk, name)).counters}
