"""What the tests of the inbox share: a desk with threads of several people in several places, and colleagues."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.acceptance.doors import serving
from tests.browser.pages import PASSWORD, Site

from deskmate import Desk, Operator, Settings, Thread, customer
from deskmate.domain.actors import Role
from deskmate.domain.messages import Visibility
from deskmate.domain.threads import Priority
from deskmate.testing import FakeClock, ScriptedAgent

PEOPLE = {
    "ada": ("Ada Lund", "Footprint", "Does the old footprint fit the new tent?"),
    "ben": ("Bo Nyberg", "Refund", "I have sent the boots back two weeks ago, where is my refund?"),
    "cai": ("Cai Moreau", "Snapped pole", "The pole snapped on the first night."),
    "dot": ("Dot Okafor", "Opening hours", "Is the Lyon shop open on Whit Monday?"),
    "eve": ("Eve Sandberg", "Address", "Please send it to my new address."),
}


@dataclass(kw_only=True)
class DeskSite(Site):
    """A desk with a thread of each of these people, all with the AI, a lead and a colleague."""

    ben: Operator
    threads: dict[str, Thread] = field(default_factory=dict[str, Thread])


@asynccontextmanager
async def desk_site(store_url: str, clock: FakeClock | None = None) -> AsyncGenerator[DeskSite, None]:
    """A running desk; Ana leads it."""
    ticks = clock or (lambda: datetime.now(UTC))
    desk = Desk(store_url, agents=[ScriptedAgent(name="support")], settings=Settings(rate_limits=False), clock=ticks)
    ana = await desk.operators.add(name="Ana Diaz", email="ana@shop.example", password=PASSWORD, role=Role.LEAD, capacity=4)
    ben = await desk.operators.add(name="Ben Ode", email="ben@shop.example", password=PASSWORD)
    for name in ("billing", "returns"):
        await desk.queues.add(name)
    async with serving(desk) as url:
        site = DeskSite(url=url, desk=desk, ana=ana, ben=ben)
        for id, (name, subject, text) in PEOPLE.items():
            thread = await desk.threads.open(customer=id, subject=subject, by=customer(id, name))
            await desk.messages.post(thread.id, text, author=customer(id, name))
            site.threads[id] = thread
        yield site


async def busy(site: DeskSite) -> None:
    """The desk in the middle of a day: something of everything that the list can show."""
    desk, by, of = site.desk, site.ana, {id: thread.id for id, thread in site.threads.items()}
    await desk.operators.presence(site.ana.id, "available")
    await desk.operators.presence(site.ben.id, "away")
    await desk.assignments.assign(of["ada"], f"operator:{site.ana.id}", by=by)
    await desk.messages.post(of["ada"], "Yes, it fits. Use the outer loops.", author=site.ana)
    await desk.assignments.assign(of["ben"], "queue:returns", by=by)
    await desk.threads.change(of["ben"], priority=Priority.URGENT, add_tags=["refund"], by=by)
    await desk.requests.ask(
        "May the pole be replaced for free?", thread=of["cai"], suggestion="Yes.", expires_in=timedelta(minutes=40)
    )
    await desk.requests.ask("Is the shop open?", thread=of["dot"], expires_in=timedelta(days=1))
    await desk.assignments.assign(of["eve"], f"operator:{site.ben.id}", by=by)
    await desk.messages.post(of["eve"], "Could you look at this one, @Ana Diaz?", author=site.ben, visibility=Visibility.NOTE)
    await desk.viewers.viewing(of["cai"], by=site.ben)
    await desk.viewers.typing(of["ben"], by=customer("ben", "Bo Nyberg"))
    await desk.views.add(name="Urgent returns", filters={"queue": "returns", "priority": "urgent", "sort": "waiting"}, by=by)
