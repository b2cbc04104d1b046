"""The demo: the desk of Fern & Fell, an outdoor shop that does not exist, in the middle of a working day."""

import secrets
from dataclasses import dataclass, field
from importlib.resources import as_file, files

from deskmate.app import Desk
from deskmate.config import Settings
from deskmate.demo.clock import Clock
from deskmate.demo.furniture import furnish
from deskmate.demo.stories import JONAS, MIRA, STORIES, TOMASO
from deskmate.demo.telling import tell
from deskmate.domain.actors import Actor, Role
from deskmate.domain.operators import Operator, Presence
from deskmate.errors import Misconfigured
from deskmate.runners.faq import FaqAgent, FaqLibrary

AGENT_NAME = "Support AI"
_WORDS = ("alder", "birch", "brook", "cedar", "crag", "fern", "glen", "heron", "larch", "moor", "otter", "ridge", "stone", "tarn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An operator of the demo, and the password they have this time."""

    name: str
    email: str
    role: Role
    presence: Presence
    password: str = field(default_factory=lambda: new_password(), repr=False)


def new_password() -> str:
    """One that can be typed. It is new at every start: the demo may be reachable from elsewhere."""
    return f"{secrets.choice(_WORDS)}-{secrets.choice(_WORDS)}-{secrets.randbelow(900_000) + 100_000}"


def _team() -> dict[str, Login]:
    return {
        MIRA: Login(name="Mira Castellan", email="mira@fernandfell.example", role=Role.ADMIN, presence=Presence.AVAILABLE),
        JONAS: Login(name="Jonas Dehaene", email="jonas@fernandfell.example", role=Role.LEAD, presence=Presence.AVAILABLE),
        TOMASO: Login(name="Tomaso Brun", email="tomaso@fernandfell.example", role=Role.OPERATOR, presence=Presence.AWAY),
    }


class Demo:
    """A desk that is filled when it is opened."""

    def __init__(self, settings: Settings) -> None:
        self._clock = Clock()
        self._team = _team()
        with as_file(files("deskmate.demo") / "faq") as folder:
            library = FaqLibrary.load(folder)
        self.desk = Desk(agents=[FaqAgent(library, name=AGENT_NAME)], settings=settings, clock=self._clock)

    @property
    def logins(self) -> tuple[Login, ...]:
        """Who can sign in."""
        return tuple(self._team.values())

    async def open(self) -> None:
        """Fill an empty store; one that the demo has filled before gets new passwords. Raises Misconfigured for any other."""
        known = {operator.email: operator for operator in (await self.desk.operators.list()).items}
        if known and known.keys() == {login.email for login in self.logins}:
            for login in self.logins:
                await self.desk.operators.change(known[login.email].id, password=login.password)
            return
        if known or (await self.desk.threads.page(limit=1)).items:
            raise Misconfigured("this store is in use; the demo fills an empty one", field="store")
        await self._fill()

    async def _fill(self) -> None:
        now = self._clock()
        try:
            team = {key: _working(await self._add(login)) for key, login in self._team.items()}
            await furnish(self.desk, team[JONAS])
            await tell(self.desk, self._clock, STORIES, team, now=now)
        finally:
            self._clock.release()

    async def _add(self, login: Login) -> Operator:
        added = await self.desk.operators.add(name=login.name, email=login.email, role=login.role, password=login.password)
        return await self.desk.operators.presence(added.id, login.presence)


def _working(operator: Operator) -> Actor:
    return operator.actor("inbox")
