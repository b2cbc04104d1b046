"""The storyteller: makes the stories happen on a desk, in the order of their times, through the desk's public verbs only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from deskmate.app import Desk
from deskmate.demo.clock import Clock
from deskmate.demo.steps import (
    Answers,
    Claims,
    HandsBack,
    Marks,
    Notes,
    Queues,
    Replies,
    Resolves,
    Says,
    Snoozes,
    Step,
    Story,
    TakesOver,
)
from deskmate.domain.actors import Actor, customer
from deskmate.domain.assignments import Holder
from deskmate.domain.messages import Visibility
from deskmate.domain.threads import Status

READING = timedelta(seconds=2)
"""What the AI takes to begin its answer."""


async def tell(desk: Desk, clock: Clock, stories: Sequence[Story], team: Mapping[str, Actor], *, now: datetime) -> None:
    """Let all stories happen, step by step, each at its time before `now`."""
    steps = [(now - timedelta(minutes=ago), story, step) for story in stories for ago, step in story.steps]
    opened: dict[str, str] = {}
    for at, story, step in sorted(steps, key=lambda one: one[0]):
        clock.set(at)
        if story.customer not in opened:
            by = customer(story.customer, story.name)
            opened[story.customer] = (await desk.threads.open(customer=by.id, subject=story.subject, mode=story.mode, by=by)).id
        teller = _Teller(desk, clock, story, opened[story.customer], team)
        await teller.happen(step, at)


class _Teller:
    """One thread, on which one step happens."""

    def __init__(self, desk: Desk, clock: Clock, story: Story, thread: str, team: Mapping[str, Actor]) -> None:
        self._desk = desk
        self._clock = clock
        self._story = story
        self._thread = thread
        self._team = team

    async def happen(self, step: Step, at: datetime) -> None:
        """Do it, as the one who does it."""
        desk, thread, team = self._desk, self._thread, self._team
        match step:
            case Says(text=text):
                await desk.messages.post(thread, text, author=customer(self._story.customer, self._story.name))
                await self._ai(at)
            case Answers(operator=who, text=text):
                await desk.requests.answer(await self._asked(), text, by=team[who])
                await self._ai(at)
            case Claims(operator=who):
                await desk.requests.claim(await self._asked(), by=team[who])
            case TakesOver(operator=who):
                await desk.assignments.assign(thread, f"operator:{team[who].id}", by=team[who])
            case Replies(operator=who, text=text):
                await desk.messages.post(thread, text, author=team[who])
            case Notes(operator=who, text=text):
                await desk.messages.post(thread, text, author=team[who], visibility=Visibility.NOTE)
            case HandsBack(operator=who, note=note):
                await desk.assignments.assign(thread, "ai", by=team[who], note=note)
            case Queues(operator=who, queue=queue, note=note):
                await desk.assignments.assign(thread, f"queue:{queue}", by=team[who], note=note)
            case Marks(operator=who, priority=priority, tags=tags):
                await desk.threads.change(thread, priority=priority, tags=tags, by=team[who])
            case Resolves(operator=who):
                await desk.threads.change(thread, status=Status.RESOLVED, by=team[who])
            case Snoozes(operator=who):
                until = (at + timedelta(days=2)).replace(hour=8, minute=0, second=0, microsecond=0)
                await desk.threads.change(thread, status=Status.SNOOZED, snoozed_until=until, by=team[who])
            case _:
                assert_never(step)

    async def _ai(self, at: datetime) -> None:
        if (await self._desk.threads.get(self._thread)).assignment.to is Holder.AI:
            self._clock.set(at + READING)
            await self._desk.respond(self._thread)

    async def _asked(self) -> str:
        waiting = await self._desk.requests.waiting(self._thread, by=self._team["mira"])
        return waiting[0].id
