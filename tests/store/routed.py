"""An agent that says how sure it is, a moderation model on a leash, and what tests of routes ask a desk."""

from collections.abc import AsyncIterator, Sequence

from tests.store.people import ADA

from deskmate import DecisionKind, Desk, NewDecision, Operator
from deskmate.domain.agents import Delta, Output, Step, Turn
from deskmate.domain.messages import Text
from deskmate.domain.safety import Judgement, On, Said, Verdict
from deskmate.testing import ScriptedAgent

BOT = "scripted"


def sure(confidence: float | None, text: str = "Until seven.") -> Step:
    return Step(role="assistant", parts=(Text(text=text),), final=True, confidence=confidence)


class Moderator:
    """A safety model on a leash: it calls unsafe what says "bomb", and is away when told to be."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.away = False

    async def judge(self, messages: Sequence[Said], on: On) -> Judgement:
        """Judge the last words."""
        role, text = messages[-1]
        self.asked.append((role, text))
        if self.away:
            return Judgement(verdict=Verdict.UNKNOWN, on=on, model="guard", reason="timed out")
        if "bomb" in text:
            return Judgement(verdict=Verdict.UNSAFE, on=on, model="guard", categories=("S9",))
        return Judgement(verdict=Verdict.SAFE, on=on, model="guard")


def says(bot: ScriptedAgent, confidence: float | None, text: str = "Until seven.") -> None:
    """Have the agent answer with this confidence; it streams its words before."""

    async def script(turn: Turn) -> AsyncIterator[Output]:
        yield Delta(text=text)
        yield sure(confidence, text)

    bot.script = script


async def rules(desk: Desk, rules: dict[str, object], name: str = BOT) -> None:
    await desk.policies.put("route", name, rules)


async def ask(desk: Desk, text: str = "How long are you open?", **facts: object) -> str:
    thread = await desk.threads.open(customer="ada", **facts)  # pyright: ignore[reportArgumentType]
    await desk.messages.post(thread.id, text, author=ADA)
    return thread.id


async def shown(desk: Desk, thread: str) -> list[str]:
    """What the customer reads, but their own words."""
    return [m.text for m in (await desk.messages.history(thread, by=ADA)).items if m.role != "user"]


async def why(desk: Desk, thread: str) -> tuple[str, str]:
    """Who responded last, and the link that decided."""
    newest = (await desk.routing.routes(thread))[0]
    return newest.route.responder, newest.route.steps[-1].step


async def checks(desk: Desk, bot: ScriptedAgent, ana: Operator, number: int) -> None:
    """So many answers that are right."""
    for count in range(number):
        says(bot, 0.9 - count / 1000)
        thread = await ask(desk)
        await desk.run_due()
        for request in await desk.requests.waiting(thread, by=ana):
            await desk.requests.decide(request.id, NewDecision(kind=DecisionKind.APPROVE), by=ana)
    await desk.run_due()
