"""Channels: how word leaves this process, as far as the settings say how."""

from collections.abc import Callable, Mapping
from datetime import datetime

from deskmate.config import Settings
from deskmate.domain.notifications import Channel
from deskmate.services.mail import Mail
from deskmate.services.notifying import Deliver
from deskmate.services.requests import Requests
from deskmate.services.slack import Slack
from deskmate.services.slack_calls import SlackCalls
from deskmate.store.base import Store


def slack_of(settings: Settings, store: Store, requests: Requests, clock: Callable[[], datetime]) -> Slack | None:
    """Slack, where the settings have a token of it."""
    if settings.slack_token is None:
        return None
    return Slack(
        store, requests, calls=SlackCalls(settings.slack_url, settings.slack_token), signing_secret=settings.slack_signing_secret,
        channel=settings.slack_channel, public_url=settings.public_url, clock=clock,
    )  # fmt: skip


def of(settings: Settings, slack: Slack | None) -> Mapping[Channel, Deliver]:
    """What delivers over each channel. The inbox needs nothing: what comes to it is there."""
    found: dict[Channel, Deliver] = {}
    if settings.smtp_url is not None:
        found[Channel.EMAIL] = Mail(settings.smtp_url, sender=settings.mail_from)
    if slack is not None:
        found[Channel.SLACK] = slack.deliver
    return found
