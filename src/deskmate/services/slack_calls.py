"""Calls of Slack's Web API, over the documented HTTP: a form with a bearer token, and JSON back that says whether it is `ok`.

Slack's own client for asyncio needs aiohttp; this needs nothing that is not there already.
"""

import json
from typing import Any

import httpx2

from deskmate.errors import Unavailable

TIMEOUT = 10.0  # seconds


class SlackFailed(Unavailable):
    """Slack did not do what it was asked for."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SlackCalls:
    """Slack's Web API for one bot."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {token}"}

    async def call(self, method: str, **arguments: object) -> dict[str, Any]:
        """Call a method. What is no text goes as JSON inside of the form. Raises SlackFailed."""
        form = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in arguments.items()
            if value is not None
        }
        try:
            async with httpx2.AsyncClient(timeout=TIMEOUT, trust_env=True, follow_redirects=False) as client:
                response = await client.post(self._url + method, data=form, headers=self._headers)
                if response.status_code == 429:
                    raise SlackFailed(f"{method}: too many calls", retry_after=_seconds(response.headers.get("retry-after")))
                answer = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise SlackFailed(f"{method}: {type(error).__name__}") from error
        if not isinstance(answer, dict) or answer.get("ok") is not True:  # pyright: ignore[reportUnknownMemberType]
            code = answer.get("error", "no answer") if isinstance(answer, dict) else "no answer"  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            raise SlackFailed(f"{method}: {code}")
        return answer  # pyright: ignore[reportUnknownVariableType]


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 30.0
