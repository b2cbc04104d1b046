"""The people of these tests: two customers, two operators, the program that sets them up; and what operators come to be asked."""

from deskmate import Desk, Paused, Request, Role
from deskmate.domain.actors import Actor, AuthorKind, customer, service

ADA, EVE = customer("ada", "Ada"), customer("eve", "Eve")
ANA = Actor(kind=AuthorKind.OPERATOR, id="ana", name="Ana", role=Role.OPERATOR)
BEN = Actor(kind=AuthorKind.OPERATOR, id="ben", name="Ben", role=Role.OPERATOR)
ADMIN = service("set-up")


async def asked(desk: Desk, words: str = "My money back, please.", by: Actor = ADA) -> tuple[Request, ...]:
    """A customer writes, the agent wants something of people: what they are asked."""
    thread = await desk.threads.open(customer=by.id, by=by)
    await desk.messages.post(thread.id, words, author=by)
    match await desk.respond(thread.id):
        case Paused(requests=requests):
            return requests
        case outcome:
            raise AssertionError(outcome)
