"""Failures: what goes wrong between an agent and its model, in one short sentence; and how long to try again."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai import RetryModelRequest, RunContext, exceptions
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.settings import ModelSettings

from deskmate.errors import DeskmateError, Misconfigured, ModelFailed

TRANSIENT = (
    exceptions.ModelRateLimitError,
    exceptions.ModelUnavailableError,
    exceptions.ModelServerError,
    exceptions.ModelConnectionError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an agent bears with its provider. Times in seconds.

    A failed request is sent again only while nothing of that step has been shown: words a customer has seen are not said twice.
    """

    attempts: int = 3
    longest_wait: float = 8.0
    """A provider that asks for a longer pause than this gets none: the run fails, and people see it."""
    first_wait: float = 0.5
    """The pause where the provider names none; it doubles each time."""
    time_limit: float = 120.0
    """For one request, from sending it to the last piece of the answer."""
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    def wait_before(self, attempt: int, error: Exception) -> float | None:
        """The pause before the next attempt; None when there is no point in another one."""
        if not isinstance(error, TRANSIENT) or attempt >= self.attempts:
            return None
        if isinstance(error, exceptions.ModelHTTPError) and error.provider_retry_hint is False:
            return None
        wait = error.retry_after if error.retry_after is not None else self.first_wait * 2 ** (attempt - 1)
        return wait if wait <= self.longest_wait else None

    def settings(self, ctx: RunContext[Any]) -> ModelSettings:
        """The limits for a request. The provider's own client does not retry beside us; what the agent sets itself stays."""
        mine = ModelSettings(request_timeout=self.time_limit)
        if "max_retries" not in getattr(ctx.model, "unsupported_settings", ()):
            mine["max_retries"] = 0
        return ModelSettings(**{**mine, **(ctx.model_settings or {})})  # pyright: ignore[reportArgumentType]


@dataclass
class Persist(AbstractCapability[Any]):
    """Sends a failed request again. Pydantic AI calls the hook only for failures before the first piece of an answer."""

    patience: Patience = field(default_factory=Patience)

    async def on_model_request_error(
        self, ctx: RunContext[Any], *, request_context: ModelRequestContext, error: Exception
    ) -> ModelResponse:
        """Wait and try again, or let the error through."""
        wait = self.patience.wait_before(request_context.attempt, error)
        if wait is None:
            raise error
        await self.patience.sleep(wait)
        raise RetryModelRequest


def failure(error: Exception) -> DeskmateError:
    """Any exception of a run as one that may be shown: short, without keys, addresses, bodies or pages of a provider."""
    if isinstance(error, exceptions.FallbackExceptionGroup):
        return failure(error.exceptions[-1])
    if isinstance(error, exceptions.UserError):
        return Misconfigured(f"The agent is not set up correctly: {plain(error.message)}.", field="agent")
    if isinstance(error, exceptions.ModelAPIError):
        status = f" ({error.status_code})" if isinstance(error, exceptions.ModelHTTPError) else ""
        return ModelFailed(f"{_api_words(error)}{status}.")
    return ModelFailed(f"{_words(error)}.")


def of_a_provider(error: Exception) -> bool:
    """Whether an exception comes from between the agent and its model, rather than from a tool."""
    return type(error).__module__.partition(".")[0] in ("pydantic_ai", "openai", "anthropic", "httpx", "httpx2")


def _api_words(error: exceptions.ModelAPIError) -> str:
    """In the order from the particular to the general: the categories are subclasses of each other."""
    match error:
        case exceptions.ModelAuthenticationError():
            return "The model provider refused the API key"
        case exceptions.ModelNotFoundError():
            return f"The model {plain(error.model_name)} was not found at its provider"
        case exceptions.ModelContextWindowExceededError():
            return "The conversation is too long for the model"
        case exceptions.ModelQuotaExceededError():
            return "The account at the model provider is used up"
        case exceptions.ModelRateLimitError():
            asked = f"; it asks to wait {error.retry_after:g} seconds" if error.retry_after else ""
            return f"The model provider is limiting requests{asked}"
        case exceptions.ModelOverloadedError():
            return "The model provider is overloaded"
        case exceptions.ModelUnavailableError() | exceptions.ModelServerError():
            return "The model provider failed"
        case exceptions.ModelRequestTimeout():
            return f"The model did not finish within {error.timeout:g} seconds"
        case exceptions.ModelTimeoutError():
            return "The model provider did not answer in time"
        case exceptions.ModelConnectionError(phase="connect"):
            return "The model provider cannot be reached"
        case exceptions.ModelConnectionError():
            return "The connection to the model provider was lost"
        case exceptions.ModelRequestRejectedError():
            return "The model provider refused the request"
        case _:
            return "The model provider sent something that is not an answer"


def _words(error: Exception) -> str:
    match error:
        case exceptions.ContentFilterError():
            return "The provider's content filter stopped the answer"
        case exceptions.OutputTokenLimitExceeded():
            return "The answer was longer than the model may write"
        case exceptions.UsageLimitExceeded():
            return "The agent reached its limit of requests or tokens in one run"
        case exceptions.UnexpectedModelBehavior():
            return f"The model did not behave as expected: {plain(error.message)}"
        case _:
            # The text of a stranger's exception may hold anything; its class is safe to show, the rest is in the log.
            return f"The agent failed with {type(error).__name__}"


SECRET = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|key|api[_-]?key|token)[-_=:][\w\-.]{6,}|AIza[\w-]{10,}|[a-z0-9]{32,})")


def plain(text: str) -> str:
    """The first line, at most 200 characters, without tags and without anything that looks like a key."""
    line = re.sub(r"<[^>]*>", "", text.strip().split("\n", 1)[0])
    return SECRET.sub("[hidden]", line)[:200].rstrip(". ")
