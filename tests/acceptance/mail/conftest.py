"""Fixtures of mails: a desk whose clock is moved by the test, with a mail server of this machine."""

from collections.abc import AsyncIterator

import pytest
from tests.acceptance.doors import ADMIN_KEY, Front, open_front, serving
from tests.acceptance.mail.people import MAILS
from tests.acceptance.mail.postbox import Postbox, open_postbox

from deskmate import Desk, Settings
from deskmate.testing import FakeClock, ScriptedAgent


@pytest.fixture
async def box() -> AsyncIterator[Postbox]:
    async with open_postbox() as box:
        yield box


@pytest.fixture
def settings(box: Postbox) -> Settings:
    return Settings(
        admin_key=ADMIN_KEY, rate_limits=False, smtp_url=box.url, mail_from="Desk of the shop <desk@shop.example>",
        public_url="https://desk.example",
    )  # fmt: skip


@pytest.fixture
def desk(store_url: str, agent: ScriptedAgent, settings: Settings, clock: FakeClock) -> Desk:
    return Desk(store_url, agents=[agent], settings=settings, clock=clock)


@pytest.fixture
async def front(desk: Desk) -> AsyncIterator[Front]:
    async with serving(desk, work=False) as url, open_front(url) as front:
        await front.admin.put("/api/policies/notification/mails", rules=MAILS)
        yield front
