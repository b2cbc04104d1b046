"""The people of these tests: two customers, two operators, and the program that sets them up."""

from deskmate import Role
from deskmate.domain.actors import Actor, AuthorKind, customer, service

ADA, EVE = customer("ada", "Ada"), customer("eve", "Eve")
ANA = Actor(kind=AuthorKind.OPERATOR, id="ana", name="Ana", role=Role.OPERATOR)
BEN = Actor(kind=AuthorKind.OPERATOR, id="ben", name="Ben", role=Role.OPERATOR)
ADMIN = service("set-up")
